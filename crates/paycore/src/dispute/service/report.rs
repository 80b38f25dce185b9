//! What channels tell about disputes by their notifications.

use super::steps::{RETRIES_MAX, decided, write};
use crate::channel::{Case, Outcome, Verdict};
use crate::dispute::Dispute;
use crate::dispute::rules::{Claim, Decision, Disputed};
use crate::engine::{Engine, OpenAccount};
use crate::error::{Error, Result};
use crate::event::EventKind;
use crate::exception::ExceptionKind;
use crate::id::DisputeId;
use crate::merchant::Merchant;
use crate::order::{Attempt, Order};
use crate::store::{Changes, CommitError};

/// What a channel's notification says about a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// A case is open.
    Opened(Claim),
    /// The case with this number is decided.
    Decided(String, Decision),
}

impl News {
    /// What a report says; nothing where it is neither open nor decided, or names no case.
    pub(crate) fn of(case: Case, outcome: &Outcome) -> Option<News> {
        let number = outcome.channel_id.clone()?;
        match (&outcome.verdict, outcome.money) {
            (Verdict::Pending, Some(money)) if money.is_positive() => {
                let Case { reason, fee, respond_by } = case;
                Some(News::Opened(Claim { number: Some(number), reason, money, fee, respond_by }))
            }
            (Verdict::Succeeded, None) => Some(News::Decided(number, Decision::Won)),
            (Verdict::Succeeded, Some(money)) => Some(News::Decided(number, Decision::WonInPart(money))),
            (Verdict::Declined(_), _) => Some(News::Decided(number, Decision::Lost)),
            _ => None,
        }
    }
}

/// Takes in a verified notification about a dispute of the payment with this reference; false where no payment of this
/// account has it. What was told before changes nothing.
pub(crate) async fn report(
    engine: &Engine,
    merchant: &Merchant,
    account: &OpenAccount,
    reference: &str,
    news: News,
) -> Result<bool> {
    for _ in 0..RETRIES_MAX {
        let found = engine.store.attempt_by_reference(merchant.id, account.account.id, reference).await?;
        let Some(attempt) = found else { return Ok(false) };
        let Some(order) = engine.store.order(merchant.id, attempt.order_id).await? else { return Ok(false) };
        let number = match &news {
            News::Opened(claim) => claim.number.clone().unwrap_or_default(),
            News::Decided(number, _) => number.clone(),
        };
        let key = format!("{}:{number}", attempt.channel);
        let known = engine.document_by_number::<Dispute>(merchant.id, &key).await?;
        if known.as_ref().is_some_and(|dispute| dispute.order_id != order.id) {
            return Ok(false);
        }
        let done = match (&news, known) {
            (News::Opened(_), Some(_)) => return Ok(true),
            (News::Opened(claim), None)
                if claim.money.currency() != order.currency() || order.captured == 0 =>
            {
                return Ok(false);
            }
            (News::Opened(claim), None) => opened(engine, merchant, order, &attempt, claim.clone()).await,
            (News::Decided(..), None) => return Ok(false),
            (News::Decided(_, decision), Some(dispute)) => {
                match decided(engine, merchant, None, Disputed { order, dispute }, *decision).await {
                    Ok(done) => done,
                    Err(error) => return contradicted(engine, merchant, &key, error).await.map(|()| true),
                }
            }
        };
        match done {
            Err(CommitError::Stale | CommitError::Duplicate(_)) => {}
            done => return done.map(|_| true).map_err(Error::from),
        }
    }
    Err(CommitError::Stale.into())
}

async fn opened(
    engine: &Engine,
    merchant: &Merchant,
    order: Order,
    attempt: &Attempt,
    claim: Claim,
) -> Result<Disputed, CommitError> {
    let moment = engine.moment(merchant);
    let id = DisputeId::new(moment.now, &*engine.rng);
    let (disputed, moved) = Disputed::open(id, order, attempt, claim, moment);
    let excess = disputed.excess();
    let disputed = write(engine, merchant, None, disputed, moved, EventKind::DisputeOpened).await?;
    if excess.is_positive() {
        // The channel takes more than is left of the order: what the books cannot show a person has to claim back.
        let detail = format!(
            "the channel disputes {}, {excess} more than is left of the order",
            disputed.dispute.money
        );
        let mut changes = Changes::default();
        engine.exception(
            &mut changes,
            ExceptionKind::DisputeExcess,
            id.to_string(),
            detail,
            merchant,
            moment,
        );
        engine.commit(merchant.id, changes).await?;
    }
    Ok(disputed)
}

/// A decision that cannot be: a person has to look.
async fn contradicted(engine: &Engine, merchant: &Merchant, key: &str, error: Error) -> Result<()> {
    let (kind, object) = (ExceptionKind::Contradiction, key.to_owned());
    if engine.store.open_exception(merchant.id, kind, &object).await?.is_none() {
        let mut changes = Changes::default();
        let moment = engine.moment(merchant);
        engine.exception(&mut changes, kind, object, error.detail.into_owned(), merchant, moment);
        engine.commit(merchant.id, changes).await?;
    }
    Ok(())
}
