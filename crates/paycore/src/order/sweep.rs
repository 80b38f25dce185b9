//! The sweep: asks channels about attempts whose outcome is open, and ends orders whose time is over.

use super::rules::Payment;
use super::service::{card_again, may_still_charge, settle};
use super::state::AttemptEvent;
use super::{Attempt, Order, OrderStatus, rules};
use crate::channel::{Fault, Operation, Outcome, Report};
use crate::engine::{Engine, OpenAccount};
use crate::error::{Error, Result};
use crate::exception::ExceptionKind;
use crate::id::{AttemptId, MerchantId, OrderId};
use crate::merchant::Merchant;
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// Looks at one attempt that is due.
pub(crate) async fn attempt(engine: &Engine, tenant: MerchantId, id: AttemptId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let Some(attempt) = engine.store.attempt(tenant, id).await? else { return Ok(()) };
    let Some(order) = engine.store.order(tenant, attempt.order_id).await? else { return Ok(()) };
    let mut payment = Payment { order, attempt };
    let open = engine.account(tenant, payment.attempt.account_id).await?;
    let Some(operation) = payment.next_operation() else {
        return park(engine, &merchant, payment).await;
    };
    payment.attempt.queries += 1;
    if payment.attempt.queries == rules::LOOKS_BEFORE_EXCEPTION && payment.attempt.status.is_open() {
        tell(engine, &merchant, &payment).await?;
    }
    let now = engine.moment(&merchant).now;
    if let Operation::Close(_) = operation {
        payment = start_close(engine, &merchant, payment).await?;
    }
    let operation = open.fitting(operation);
    let news = engine.ask(&open, &operation, now).await;
    let payment = settle(engine, &merchant, None, payment, operation.verb(), &news).await?;
    send_again(engine, &merchant, &open, payment, &news).await
}

/// A lost request is sent again with the same reference; so are a capture and a void that did not arrive.
async fn send_again(
    engine: &Engine,
    merchant: &Merchant,
    open: &OpenAccount,
    payment: Payment,
    news: &Result<Outcome, Fault>,
) -> Result<()> {
    let Ok(outcome) = news else { return Ok(()) };
    let Some(mut operation) = payment.again(&outcome.verdict) else { return Ok(()) };
    let now = engine.moment(merchant).now;
    let unwanted = payment.order.closing || payment.order.expires_at <= now;
    let lost = !card_again(engine, merchant, &payment.attempt, &mut operation).await?
        || !may_still_charge(engine, merchant, &payment.order).await?;
    if matches!(operation, Operation::Pay(_)) && (unwanted || lost) {
        // Nobody wants the payment any more, or its card or mandate is gone. Close what may still arrive under this reference.
        let close = open.fitting(payment.close());
        let news = engine.ask(open, &close, now).await;
        return close_unsent(engine, merchant, payment, news).await;
    }
    let news = engine.ask(open, &operation, now).await;
    settle(engine, merchant, None, payment, operation.verb(), &news).await.map(drop)
}

/// The channel was asked to close what nobody was ever shown: that it is closed and that it is not known are the
/// same.
async fn close_unsent(
    engine: &Engine,
    merchant: &Merchant,
    payment: Payment,
    news: Result<Outcome, Fault>,
) -> Result<()> {
    use crate::channel::Verdict;
    let news = news.map(|outcome| match outcome.verdict {
        Verdict::Absent => Outcome { verdict: Verdict::Closed, ..outcome },
        _ => outcome,
    });
    settle(engine, merchant, None, payment, crate::channel::Verb::Close, &news).await.map(drop)
}

/// Asks the channel what became of a payment, whatever we believe of it, and takes the answer in.
pub(crate) async fn inquire(engine: &Engine, tenant: MerchantId, id: AttemptId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let Some(attempt) = engine.store.attempt(tenant, id).await? else { return Ok(()) };
    let Some(order) = engine.store.order(tenant, attempt.order_id).await? else { return Ok(()) };
    let open = engine.account(tenant, attempt.account_id).await?;
    let payment = Payment { order, attempt };
    let now = engine.moment(&merchant).now;
    let news = engine.ask(&open, &payment.query(), now).await;
    if news.is_err() {
        return Ok(());
    }
    settle(engine, &merchant, None, payment, crate::channel::Verb::Query, &news).await.map(drop)
}

/// Makes it durable that a close is being sent.
async fn start_close(engine: &Engine, merchant: &Merchant, mut payment: Payment) -> Result<Payment> {
    if let Ok(status) = payment.attempt.status.apply(AttemptEvent::StartClose) {
        payment.attempt.status = status;
    }
    let mut changes = Changes::default();
    changes.put(Put::Attempt(payment.attempt.clone()));
    engine.commit(merchant.id, changes).await?;
    payment.attempt.version += 1;
    Ok(payment)
}

async fn park(engine: &Engine, merchant: &Merchant, mut payment: Payment) -> Result<()> {
    payment.attempt.due_at = Timestamp::ZERO;
    let mut changes = Changes::default();
    changes.put(Put::Attempt(payment.attempt));
    engine.commit_or_yield(merchant.id, changes).await
}

async fn tell(engine: &Engine, merchant: &Merchant, payment: &Payment) -> Result<()> {
    let (kind, object) = (ExceptionKind::Unresolved, payment.attempt.id.to_string());
    if engine.store.open_exception(merchant.id, kind, &object).await?.is_some() {
        return Ok(());
    }
    let attempt: &Attempt = &payment.attempt;
    let detail = format!(
        "{} is `{}` after {} looks; last fault: {}",
        attempt.id,
        attempt.status.text(),
        attempt.queries,
        attempt.fault.as_deref().unwrap_or("none")
    );
    let mut changes = Changes::default();
    engine.exception(&mut changes, kind, object, detail, merchant, engine.moment(merchant));
    engine.commit(merchant.id, changes).await.map_err(Error::from)
}

/// Ends one order whose time is over.
pub(crate) async fn order(engine: &Engine, tenant: MerchantId, id: OrderId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let Some(order) = engine.store.order(tenant, id).await? else { return Ok(()) };
    let moment = engine.moment(&merchant);
    let attempt = match order.attempt_id {
        Some(id) => engine.store.attempt(tenant, id).await?,
        None => None,
    };
    let mut changes = Changes::default();
    let expired =
        expire(engine, &merchant, order, attempt.filter(|a| a.status.is_open()), &mut changes, moment);
    changes.put(Put::Order(expired));
    engine.commit_or_yield(tenant, changes).await
}

fn expire(
    engine: &Engine,
    merchant: &Merchant,
    mut order: Order,
    open: Option<Attempt>,
    changes: &mut Changes,
    moment: super::input::Moment,
) -> Order {
    order.due_at = Timestamp::ZERO;
    match (order.status, open) {
        (OrderStatus::Pending | OrderStatus::Processing, _) if moment.now < order.expires_at => {
            order.due_at = moment.due(order.expires_at);
        }
        (OrderStatus::Pending | OrderStatus::Processing, None) => {
            if let Ok((kind, booking)) = rules::close_idle(&mut order, moment) {
                changes.events.push(engine.order_event(&mut order, kind, booking, merchant, moment));
            }
        }
        (OrderStatus::Pending | OrderStatus::Processing, Some(mut attempt)) => {
            order.closing = true;
            order.updated_at = moment.now;
            attempt.due_at = moment.wall;
            attempt.queries = 0;
            changes.put(Put::Attempt(attempt));
        }
        _ => {}
    }
    order
}

/// Why a verified report was not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Disbelief {
    /// No attempt of this account has the reference.
    Unbound,
    /// Amount or currency differ from what was asked for.
    Mismatch(String),
    /// The channel could not be asked for the confirmation that it wants us to ask for.
    Unconfirmed(Fault),
}

/// Takes in a verified report about a payment.
pub(crate) async fn report(
    engine: &Engine,
    merchant: &Merchant,
    open: &OpenAccount,
    report: Report,
) -> Result<Result<(), Disbelief>> {
    let account = open.account.id;
    let found = engine.store.attempt_by_reference(merchant.id, account, &report.reference).await?;
    let Some(attempt) = found else { return Ok(Err(Disbelief::Unbound)) };
    let Some(order) = engine.store.order(merchant.id, attempt.order_id).await? else {
        return Ok(Err(Disbelief::Unbound));
    };
    let payment = Payment { order, attempt };
    let news = Ok(report.outcome);
    let mut dry = payment.clone();
    let then = dry.hear(crate::channel::Verb::Query, &news, engine.moment(merchant));
    let is_old = old_news(&payment, &dry) && then == rules::Consequences::default();
    let mismatch = then.exceptions.into_iter().find(|(kind, _)| *kind == ExceptionKind::AmountMismatch);
    let news = match open.confirms() && !is_old && mismatch.is_none() {
        true => match engine.ask(open, &payment.query(), engine.moment(merchant).now).await {
            Err(fault) => return Ok(Err(Disbelief::Unconfirmed(fault))),
            confirmed => confirmed,
        },
        false => news,
    };
    if !is_old {
        settle(engine, merchant, None, payment, crate::channel::Verb::Query, &news).await?;
    }
    Ok(mismatch.map_or(Ok(()), |(_, detail)| Err(Disbelief::Mismatch(detail))))
}

/// Whether hearing it changed nothing but the time of the last look.
fn old_news(before: &Payment, after: &Payment) -> bool {
    let (order, attempt) = (&after.order, &after.attempt);
    before.order.status == order.status
        && before.order.captured == order.captured
        && before.attempt.status == attempt.status
        && before.attempt.channel_id == attempt.channel_id
        && before.attempt.fault == attempt.fault
}
