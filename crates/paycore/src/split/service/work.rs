//! The work on a split that is due: divide, wait for the release, share through the channel or the ledger, and follow
//! what is open at the channel until it is final.

use std::time::Duration;

use super::{ask, paid, split_event};
use crate::channel::{Operation, Verb, Verdict};
use crate::engine::{Engine, OpenAccount};
use crate::error::{Error, Result};
use crate::event::{Booking, Event, Movement, Part};
use crate::exception::ExceptionKind;
use crate::id::{MerchantId, SplitId};
use crate::ledger::{Side, TransactionFilter};
use crate::merchant::Merchant;
use crate::money::Money;
use crate::order::input::Moment;
use crate::order::rules::{LOOKS_BEFORE_EXCEPTION, look_for_unknown};
use crate::split::compile::{batches, can_share, limits, most};
use crate::split::rules::{Sale, divide};
use crate::split::{Receiver, ReleaseWhen, RequestKind, RequestStatus, Split, SplitStatus, Via};
use crate::store::{Changes, Page, Put};
use crate::time::Timestamp;

/// How often a split that waits for the settlement looks whether it happened.
const SETTLEMENT_LOOK: Duration = Duration::from_secs(3_600);
/// How soon a split is looked at again after a channel did not take a binding.
const BIND_AGAIN: Duration = Duration::from_secs(60);

/// Works on one split.
pub(crate) async fn due(engine: &Engine, tenant: MerchantId, id: SplitId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let split: Split = engine.document(tenant, id).await?;
    match split.status {
        SplitStatus::Waiting => divided(engine, &merchant, split).await,
        SplitStatus::Held => held(engine, &merchant, split).await,
        SplitStatus::Sharing => look(engine, &merchant, split).await,
        SplitStatus::Finished | SplitStatus::Blocked => park(engine, &merchant, split).await,
    }
}

async fn commit(
    engine: &Engine,
    merchant: &Merchant,
    split: &mut Split,
    mut changes: Changes,
    moment: Moment,
) -> Result<()> {
    split.updated_at = moment.now;
    changes.put(Put::document(split));
    engine.commit(merchant.id, changes).await?;
    split.version += 1;
    Ok(())
}

async fn park(engine: &Engine, merchant: &Merchant, mut split: Split) -> Result<()> {
    split.due_at = Timestamp::ZERO;
    let mut changes = Changes::default();
    changes.put(Put::document(&split));
    engine.commit_or_yield(merchant.id, changes).await
}

/// Works out the shares.
async fn divided(engine: &Engine, merchant: &Merchant, mut split: Split) -> Result<()> {
    let moment = engine.moment(merchant);
    split.fee = fee(engine, merchant.id, &split).await?;
    let sale = Sale { gross: split.gross, fee: split.fee, method: split.method.as_str() };
    let division = divide(&split.terms, sale).map_err(Error::internal)?;
    split.divided(division);
    split.due_at = moment.due(opens_at(&split).max(moment.now));
    commit(engine, merchant, &mut split, Changes::default(), moment).await
}

/// What the merchant was charged for the payment: what its booking says.
async fn fee(engine: &Engine, tenant: MerchantId, split: &Split) -> Result<Money> {
    let filter = TransactionFilter { order_id: Some(split.order_id), ..TransactionFilter::default() };
    let page = Page { limit: 100, after: None, before: None };
    let rows = engine.store.transactions(tenant, &filter, &page).await?;
    let payments = rows.iter().filter(|row| row.kind == Movement::Payment);
    let charged = payments.flat_map(|row| &row.entries).filter(|entry| {
        entry.side == Side::Debit
            && entry.account == "merchant_pending"
            && entry.money.currency() == split.gross.currency()
    });
    Ok(Money::new(charged.map(|entry| entry.money.minor()).sum(), split.gross.currency()))
}

/// The earliest instant at which it is looked whether the shares may be given.
fn opens_at(split: &Split) -> Timestamp {
    let first = split.paid_at.plus(if split.frozen { limits(&split.channel).wait } else { Duration::ZERO });
    match split.terms.release {
        ReleaseWhen::OnRelease { days } if !split.released => {
            first.max(split.paid_at.plus(Duration::from_secs(u64::from(days) * 86_400)))
        }
        _ => first,
    }
}

/// Gives the shares once they may be given.
async fn held(engine: &Engine, merchant: &Merchant, mut split: Split) -> Result<()> {
    let moment = engine.moment(merchant);
    let opens = opens_at(&split);
    let unsettled = split.terms.release == ReleaseWhen::AtSettlement && !split.released;
    let wait = match () {
        _ if opens > moment.now => Some(moment.due(opens)),
        _ if unsettled && !settled(engine, merchant.id, &split).await? => {
            Some(moment.due_in(SETTLEMENT_LOOK))
        }
        _ => None,
    };
    if let Some(due_at) = wait {
        split.due_at = due_at;
        return commit(engine, merchant, &mut split, Changes::default(), moment).await;
    }
    match choose(engine, merchant, &mut split, moment).await? {
        Choice::Ledger => by_ledger(engine, merchant, split, moment).await,
        Choice::Channel => by_channel(engine, merchant, split, moment).await,
        Choice::Neither => blocked(engine, merchant, split, moment).await,
        Choice::Later => {
            split.due_at = moment.due_in(BIND_AGAIN);
            commit(engine, merchant, &mut split, Changes::default(), moment).await
        }
    }
}

/// Whether the payment was settled with the merchant.
async fn settled(engine: &Engine, tenant: MerchantId, split: &Split) -> Result<bool> {
    for source in [split.attempt_id.to_string(), split.order_id.to_string()] {
        let number = format!("payment:{source}");
        let item = engine.store.document_by_number(tenant, "clearing_item", &number).await?;
        if item.is_some_and(|item| item.status == "settled") {
            return Ok(true);
        }
    }
    Ok(false)
}

enum Choice {
    Ledger,
    Channel,
    Neither,
    Later,
}

/// Decides the way the shares go, and makes the receivers ready for it.
async fn choose(engine: &Engine, merchant: &Merchant, split: &mut Split, moment: Moment) -> Result<Choice> {
    let wanted = split.via.unwrap_or(split.terms.via);
    if wanted == Via::Ledger {
        split.route(Via::Ledger, None);
        return Ok(Choice::Ledger);
    }
    let (_, open) = paid(engine, merchant.id, split).await?;
    let misfit = match fit(engine, merchant.id, split, &open).await? {
        None => ready(engine, merchant.id, split, &open, moment).await?,
        Some(misfit) => Some(Unready::Refused(misfit)),
    };
    match (misfit, wanted) {
        (None, _) => {
            split.route(Via::Channel, None);
            Ok(Choice::Channel)
        }
        (Some(Unready::Later(detail)), _) => {
            split.detail = Some(detail);
            Ok(Choice::Later)
        }
        (Some(Unready::Refused(detail)), Via::Auto) => {
            split.route(Via::Ledger, Some(detail));
            Ok(Choice::Ledger)
        }
        (Some(Unready::Refused(detail)), _) => {
            split.detail = Some(detail);
            Ok(Choice::Neither)
        }
    }
}

/// Why the channel cannot do it, if it cannot.
async fn fit(
    engine: &Engine,
    tenant: MerchantId,
    split: &mut Split,
    open: &OpenAccount,
) -> Result<Option<String>> {
    let profile = open.channel.as_ref().map(|channel| channel.profile());
    if !profile.is_some_and(|profile| can_share(profile, &split.method, split.gross.currency())) {
        return Ok(Some(format!("{} does not share payments of {}", split.channel, split.method)));
    }
    let bounds = limits(&split.channel);
    if bounds.freezes && !split.frozen {
        return Ok(Some("the channel was not told at the payment that it would be shared".into()));
    }
    for place in split.to_give() {
        let receiver: Receiver = engine.document(tenant, split.shares[place].receiver_id).await?;
        let account = receiver.accounts.iter().find(|account| account.channel == split.channel);
        let Some(account) = account else {
            return Ok(Some(format!("{} has no account with {}", receiver.id, split.channel)));
        };
        split.shares[place].account = Some(account.clone());
    }
    let amounts = to_give(split);
    let allowed = most(bounds, split.terms.channel_cap, split.gross, split.fee, split.refunded);
    Ok(batches(bounds, &amounts, allowed).err().map(|misfit| misfit.to_string()))
}

fn to_give(split: &Split) -> Vec<Money> {
    let currency = split.gross.currency();
    split.to_give().into_iter().map(|place| Money::new(split.shares[place].open(), currency)).collect()
}

enum Unready {
    /// The channel will not have this receiver.
    Refused(String),
    /// The channel could not be asked.
    Later(String),
}

/// Binds the receivers that are not bound yet.
async fn ready(
    engine: &Engine,
    tenant: MerchantId,
    split: &Split,
    open: &OpenAccount,
    moment: Moment,
) -> Result<Option<Unready>> {
    for place in split.to_give() {
        let mut receiver: Receiver = engine.document(tenant, split.shares[place].receiver_id).await?;
        if receiver.bound.contains(&open.account.id) {
            continue;
        }
        if let Err(error) = bind(engine, open, &mut receiver, moment).await {
            let detail = format!("{}: {}", receiver.id, error.detail);
            let refused = error.code == crate::error::Code::ChannelRefused;
            return Ok(Some(if refused { Unready::Refused(detail) } else { Unready::Later(detail) }));
        }
        let mut changes = Changes::default();
        changes.put(Put::document(&receiver));
        // A lost race only means that it is bound once more, which changes nothing at the channel.
        engine.commit_or_yield(tenant, changes).await?;
    }
    Ok(None)
}

/// Binds a receiver at a channel account, where the channel has such a thing.
pub(super) async fn bind(
    engine: &Engine,
    open: &OpenAccount,
    receiver: &mut Receiver,
    moment: Moment,
) -> Result<()> {
    use crate::error::Code;
    let account = receiver.accounts.iter().find(|account| account.channel == open.account.channel);
    let Some(account) = account else { return Ok(()) };
    let verbs = open.channel.as_ref().map_or(&[][..], |channel| channel.profile().verbs);
    if verbs.contains(&Verb::BindReceiver) {
        let operation = Operation::BindReceiver(account.receiver());
        // What cannot be said is refused here; what is not answered may be asked again.
        let step = engine.encode(open, &operation, moment.now)?;
        match engine.exchange(open, &operation, step, moment.now).await {
            Ok(outcome) => match outcome.verdict {
                Verdict::Succeeded => {}
                Verdict::Declined(no) => {
                    let detail =
                        format!("The channel does not take the receiver: {} {}", no.code, no.message);
                    return Err(Error::new(Code::ChannelRefused, detail).object(receiver.id));
                }
                _ => {
                    return Err(Error::new(
                        Code::OutcomeUnknown,
                        "The channel works on the binding; try again.",
                    ));
                }
            },
            Err(fault) => {
                return Err(Error::new(
                    Code::OutcomeUnknown,
                    format!("The channel's answer is not understood: {fault}"),
                ));
            }
        }
    }
    if !receiver.bound.contains(&open.account.id) {
        receiver.bound.push(open.account.id);
    }
    Ok(())
}

/// Credits the shares in the ledger, and releases at the channel what was frozen for nothing.
async fn by_ledger(engine: &Engine, merchant: &Merchant, mut split: Split, moment: Moment) -> Result<()> {
    let mut changes = Changes::default();
    for (receiver, money) in split.credit() {
        let booking = Booking::new(Movement::ShareCredit, Part::Gross, money).order(split.order_id);
        let booking = booking.party(receiver.to_string());
        changes.events.push(split_event(engine, &mut split, (Some(receiver), booking), merchant, moment));
    }
    end_or_release(engine, merchant, split, changes, moment).await
}

/// Asks for the release of the rest where that is needed; else it is over.
async fn end_or_release(
    engine: &Engine,
    merchant: &Merchant,
    mut split: Split,
    changes: Changes,
    moment: Moment,
) -> Result<()> {
    if split.declined() || !split.needs_release() || split.release_refused() {
        split.conclude();
        let mut changes = changes;
        if split.status == SplitStatus::Blocked {
            tell(engine, merchant, &split, &mut changes, ExceptionKind::ShareFailed).await?;
        }
        return commit(engine, merchant, &mut split, changes, moment).await;
    }
    split.request(RequestKind::Release, Vec::new());
    split.due_at = moment.due_in(Duration::from_secs(40));
    commit(engine, merchant, &mut split, changes, moment).await?;
    follow(engine, merchant, split).await
}

/// Makes the requests durable, then sends them one by one.
async fn by_channel(engine: &Engine, merchant: &Merchant, mut split: Split, moment: Moment) -> Result<()> {
    let places = split.to_give();
    let amounts = to_give(&split);
    let bounds = limits(&split.channel);
    let allowed = most(bounds, split.terms.channel_cap, split.gross, split.fee, split.refunded);
    let plan = batches(bounds, &amounts, allowed).map_err(Error::internal)?;
    if plan.is_empty() {
        return end_or_release(engine, merchant, split, Changes::default(), moment).await;
    }
    for batch in plan {
        let shares = batch.iter().map(|&at| (split.shares[places[at]].receiver_id, amounts[at])).collect();
        split.request(RequestKind::Share, shares);
    }
    split.due_at = moment.due_in(Duration::from_secs(40));
    commit(engine, merchant, &mut split, Changes::default(), moment).await?;
    follow(engine, merchant, split).await
}

/// Sends what was made durable just now and was never sent.
async fn follow(engine: &Engine, merchant: &Merchant, mut split: Split) -> Result<()> {
    for index in 0..split.requests.len() {
        if split.requests[index].status != RequestStatus::Sending {
            continue;
        }
        let moment = engine.moment(merchant);
        let (attempt, open) = paid(engine, merchant.id, &split).await?;
        let operation = split.operation(&split.requests[index], attempt.payment());
        let news = ask(engine, &open, &operation, moment).await;
        hear(engine, merchant, &mut split, index, &news).await?;
    }
    go_on(engine, merchant, split).await
}

/// Asks about what is open; what the channel does not know is sent again under the same reference.
async fn look(engine: &Engine, merchant: &Merchant, mut split: Split) -> Result<()> {
    split.looks += 1;
    let (attempt, open) = paid(engine, merchant.id, &split).await?;
    for index in 0..split.requests.len() {
        if !split.requests[index].status.is_open() {
            continue;
        }
        let moment = engine.moment(merchant);
        let query = split.query(&split.requests[index], attempt.payment());
        let mut news = ask(engine, &open, &query, moment).await;
        if matches!(&news, Ok(outcome) if outcome.verdict == Verdict::Absent) {
            let again = split.operation(&split.requests[index], attempt.payment());
            news = ask(engine, &open, &again, moment).await;
        }
        hear(engine, merchant, &mut split, index, &news).await?;
    }
    go_on(engine, merchant, split).await
}

/// Takes in one answer, with its booking, in one commit.
async fn hear(
    engine: &Engine,
    merchant: &Merchant,
    split: &mut Split,
    index: usize,
    news: &Result<crate::channel::Outcome, crate::channel::Fault>,
) -> Result<()> {
    let moment = engine.moment(merchant);
    let heard = split.hear(index, news);
    let mut changes = Changes::default();
    if heard.given.is_positive() {
        changes.events.push(given(engine, merchant, split, heard.given, moment));
    }
    split.due_at = moment.due_in(look_for_unknown(split.looks));
    commit(engine, merchant, split, changes, moment).await
}

fn given(engine: &Engine, merchant: &Merchant, split: &mut Split, money: Money, moment: Moment) -> Event {
    let booking = Booking::new(Movement::Share, Part::Gross, money).order(split.order_id);
    let booking = booking.channel(split.channel.clone());
    split_event(engine, split, (None, booking), merchant, moment)
}

/// What follows once nothing is open any more.
async fn go_on(engine: &Engine, merchant: &Merchant, split: Split) -> Result<()> {
    let moment = engine.moment(merchant);
    if !split.is_open() {
        return Box::pin(end_or_release(engine, merchant, split, Changes::default(), moment)).await;
    }
    if split.looks == LOOKS_BEFORE_EXCEPTION {
        let mut changes = Changes::default();
        tell(engine, merchant, &split, &mut changes, ExceptionKind::Unresolved).await?;
        engine.commit(merchant.id, changes).await?;
    }
    Ok(())
}

async fn blocked(engine: &Engine, merchant: &Merchant, mut split: Split, moment: Moment) -> Result<()> {
    split.status = SplitStatus::Blocked;
    split.due_at = Timestamp::ZERO;
    let mut changes = Changes::default();
    tell(engine, merchant, &split, &mut changes, ExceptionKind::ShareFailed).await?;
    commit(engine, merchant, &mut split, changes, moment).await
}

async fn tell(
    engine: &Engine,
    merchant: &Merchant,
    split: &Split,
    changes: &mut Changes,
    kind: ExceptionKind,
) -> Result<()> {
    let object = split.id.to_string();
    if engine.store.open_exception(merchant.id, kind, &object).await?.is_none() {
        let detail =
            split.detail.clone().unwrap_or_else(|| format!("the sharing of {} is open", split.order_id));
        engine.exception(changes, kind, object, detail, merchant, engine.moment(merchant));
    }
    Ok(())
}
