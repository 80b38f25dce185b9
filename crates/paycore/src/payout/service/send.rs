//! Sending by channel, asking what became of it, and the end of drafts that nobody approved.

use super::super::rules;
use super::super::{Payout, PayoutStatus, Route};
use super::decide::{beneficiary_of, cancelled};
use super::{account, settlement, tell};
use crate::channel::{Fault, Outcome, Report, Verdict};
use crate::engine::{Engine, OpenAccount, RETRIES_MAX};
use crate::error::{Error, Result};
use crate::event::EventKind;
use crate::exception::ExceptionKind;
use crate::id::{MerchantId, PayoutId};
use crate::merchant::Merchant;
use crate::order::rules::LOOKS_BEFORE_EXCEPTION;
use crate::store::{Changes, CommitError, Put};
use crate::time::Timestamp;

/// How long the answer to a transfer may take before the sweep asks, seconds.
const ANSWER: u64 = 40;

/// Makes it durable that the payout goes out, sends it, and takes the answer in.
pub(super) async fn submit(engine: &Engine, merchant: &Merchant, mut payout: Payout) -> Result<Payout> {
    let beneficiary = beneficiary_of(engine, merchant.id, &payout).await?;
    let Route::Channel { channel_account_id, .. } = beneficiary.route else {
        return Err(Error::internal("a payout by bank is not sent to a channel"));
    };
    if !beneficiary.is_payable() {
        return Err(Error::from(rules::Refused::Changed).object(payout.id));
    }
    let open = engine.account(merchant.id, channel_account_id).await?;
    let clear = account(engine, merchant, &beneficiary)?;
    let moment = engine.moment(merchant);
    let operation = rules::transfer(&payout, &beneficiary, clear.expose())
        .ok_or_else(|| Error::internal("a route that is no channel's"))?;
    // What the channel cannot say is refused while the payout still waits.
    let step = engine.encode(&open, &operation, moment.now)?;
    payout.submit(&beneficiary, moment).map_err(|refused| Error::from(refused).object(payout.id))?;
    payout.due_at = moment.due_in(std::time::Duration::from_secs(ANSWER));
    let mut changes = Changes::default();
    tell(engine, &mut changes, &mut payout, (EventKind::PayoutSubmitted, None), merchant, moment);
    engine.commit(merchant.id, changes).await?;
    payout.version += 1;
    let news = engine.exchange(&open, &operation, step, moment.now).await;
    settle(engine, merchant, payout, &news).await
}

/// Takes news in and commits, deciding again from the fresh row when it changed meanwhile.
async fn settle(
    engine: &Engine,
    merchant: &Merchant,
    mut read: Payout,
    news: &Result<Outcome, Fault>,
) -> Result<Payout> {
    for _ in 0..RETRIES_MAX {
        let moment = engine.moment(merchant);
        let mut payout = read.clone();
        let then = payout.hear(news, moment);
        let mut changes = Changes::default();
        if let Some((kind, detail)) = then.exception {
            warn(engine, merchant, &mut changes, kind, &payout, detail).await?;
        }
        match then.event {
            Some((kind, booking)) => {
                settlement::follow(engine, &mut changes, &payout, kind, merchant, moment).await?;
                tell(engine, &mut changes, &mut payout, (kind, Some(booking)), merchant, moment);
            }
            None => _ = changes.put(Put::document(&payout)),
        }
        match engine.commit(merchant.id, changes).await {
            Ok(()) => {
                payout.version += 1;
                return Ok(payout);
            }
            Err(CommitError::Stale) => read = engine.document(merchant.id, read.id).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(CommitError::Stale.into())
}

async fn warn(
    engine: &Engine,
    merchant: &Merchant,
    changes: &mut Changes,
    kind: ExceptionKind,
    payout: &Payout,
    detail: String,
) -> Result<()> {
    let id = payout.id.to_string();
    if engine.store.open_exception(merchant.id, kind, &id).await?.is_none() {
        engine.exception(changes, kind, id, detail, merchant, engine.moment(merchant));
    }
    Ok(())
}

/// Looks at a payout whose time has come: asks about what went out, sends what was approved and never went, and ends
/// what nobody approved in time.
pub(crate) async fn due(engine: &Engine, tenant: MerchantId, id: PayoutId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let payout: Payout = engine.document(tenant, id).await?;
    match payout.status {
        PayoutStatus::Submitted | PayoutStatus::Unknown if payout.channel.is_some() => {
            ask(engine, &merchant, payout).await
        }
        PayoutStatus::Approved if payout.channel.is_some() => {
            submit(engine, &merchant, payout).await.map(drop)
        }
        PayoutStatus::Draft | PayoutStatus::Reviewed => expire(engine, &merchant, payout).await,
        _ => park(engine, &merchant, payout).await,
    }
}

async fn ask(engine: &Engine, merchant: &Merchant, mut payout: Payout) -> Result<()> {
    let beneficiary = beneficiary_of(engine, merchant.id, &payout).await?;
    let Route::Channel { channel_account_id, .. } = beneficiary.route else {
        return park(engine, merchant, payout).await;
    };
    let open = engine.account(merchant.id, channel_account_id).await?;
    payout.queries += 1;
    if payout.queries == LOOKS_BEFORE_EXCEPTION {
        let mut changes = Changes::default();
        let detail = format!("{} is `{}` after {} looks", payout.id, payout.status.text(), payout.queries);
        warn(engine, merchant, &mut changes, ExceptionKind::Unresolved, &payout, detail).await?;
        engine.commit(merchant.id, changes).await?;
    }
    let now = engine.moment(merchant).now;
    let mut news = engine.ask(&open, &rules::query(&payout), now).await;
    // It never arrived: the same reference is sent again, which can never pay twice.
    if matches!(&news, Ok(outcome) if outcome.verdict == Verdict::Absent) {
        let clear = account(engine, merchant, &beneficiary)?;
        if let Some(again) = rules::transfer(&payout, &beneficiary, clear.expose()) {
            news = engine.ask(&open, &again, now).await;
        }
    }
    settle(engine, merchant, payout, &news).await.map(drop)
}

async fn expire(engine: &Engine, merchant: &Merchant, mut payout: Payout) -> Result<()> {
    let moment = engine.moment(merchant);
    let told = cancelled(&mut payout, "nobody approved it in time", moment);
    let (kind, booking) = told.map_err(Error::from)?;
    let mut changes = Changes::default();
    settlement::follow(engine, &mut changes, &payout, kind, merchant, moment).await?;
    tell(engine, &mut changes, &mut payout, (kind, booking), merchant, moment);
    // Somebody decided at the same moment.
    engine.commit_or_yield(merchant.id, changes).await
}

async fn park(engine: &Engine, merchant: &Merchant, mut payout: Payout) -> Result<()> {
    payout.due_at = Timestamp::ZERO;
    let mut changes = Changes::default();
    changes.put(Put::document(&payout));
    engine.commit_or_yield(merchant.id, changes).await
}

/// Takes in a verified report about a transfer; false where no payout of this account has the reference, a fault where
/// the channel could not be asked for the confirmation that it wants us to ask for.
pub(crate) async fn report(
    engine: &Engine,
    merchant: &Merchant,
    open: &OpenAccount,
    report: Report,
) -> Result<Result<bool, Fault>> {
    // The reference of a payout is its id without the prefix.
    let Ok(id) = format!("{}_{}", <PayoutId as crate::id::Id>::PREFIX, report.reference).parse::<PayoutId>()
    else {
        return Ok(Ok(false));
    };
    let Some(payout) = engine.find_document::<Payout>(merchant.id, id).await? else { return Ok(Ok(false)) };
    let beneficiary = beneficiary_of(engine, merchant.id, &payout).await?;
    let through = matches!(beneficiary.route, Route::Channel { channel_account_id, .. } if channel_account_id == open.account.id);
    if !through || payout.status.is_waiting() {
        return Ok(Ok(false));
    }
    let mut news = Ok(report.outcome);
    if open.confirms() {
        news = engine.ask(open, &rules::query(&payout), engine.moment(merchant).now).await;
        if let Err(fault) = news {
            return Ok(Err(fault));
        }
    }
    settle(engine, merchant, payout, &news).await?;
    Ok(Ok(true))
}
