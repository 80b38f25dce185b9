//! Operations on refunds: the amount is reserved on the order before the channel is called, so that concurrent
//! refunds together never exceed what was captured.

use schemars::JsonSchema;
use serde::Deserialize;

use super::rules::{self, Returning};
use super::{Refund, RefundFilter, RefundStatus};
use crate::agent::AgentSale;
use crate::channel::{Fault, Outcome, Report, Step, Verdict};
use crate::engine::{Caller, Engine, OpenAccount};
use crate::error::{Code, Error, Result};
use crate::event::EventKind;
use crate::exception::ExceptionKind;
use crate::id::{AgentSaleId, MerchantId, OrderId, RefundId, ShareReturnId};
use crate::merchant::Merchant;
use crate::order::input::{Moment, check_metadata, number_of, optional, plausible};
use crate::order::rules::LOOKS_BEFORE_EXCEPTION;
use crate::order::{Attempt, Metadata, Order};
use crate::page::ListInput;
use crate::split::ShareReturn;
use crate::store::{Changes, CommitError, Put};

/// How often a decision is made again because the order changed meanwhile. Refunds of one order in parallel meet
/// here, so it is generous.
const RETRIES_MAX: usize = 64;

/// A new refund.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRefund {
    /// The order to give money back from.
    pub order_id: OrderId,
    /// What to give back, minor units of the order's currency; all that is left where absent.
    #[serde(default)]
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub amount: Option<i64>,
    /// Your own number, unique for you; the refund's id where absent.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    pub out_refund_no: Option<String>,
    /// Why, at most 256 characters; some channels show it to the payer.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub reason: Option<String>,
    /// Your notes.
    #[serde(default)]
    pub metadata: Metadata,
}

/// Gives money back, all that is left or part of it.
pub async fn create(engine: &Engine, caller: &Caller, input: CreateRefund) -> Result<Refund> {
    plausible("amount", input.amount)?;
    optional("reason", input.reason.as_deref(), 256)?;
    check_metadata(&input.metadata)?;
    if let Some(number) = &input.out_refund_no {
        number_of("out_refund_no", number)?;
    }
    for _ in 0..RETRIES_MAX {
        let (returning, attempt) = reserve(engine, caller, &input).await?;
        let open = engine.account(caller.tenant(), attempt.account_id).await?;
        let operation = rules::send(&returning.refund, &attempt, rules::captured_by(&attempt));
        let moment = engine.moment(&caller.merchant);
        // What the channel cannot say is refused before anything is reserved.
        let step = engine.encode(&open, &operation, moment.now)?;
        match commit_reserved(engine, caller, returning).await {
            Ok(returning) => {
                let news = send(engine, &open, &operation, step, moment.now).await;
                let settled =
                    settle(engine, &caller.merchant, Some(caller), returning, &attempt, &news).await?;
                return Ok(settled.refund);
            }
            Err(CommitError::Stale) => {}
            Err(CommitError::Duplicate(_)) => {
                let detail = "You already have a refund with this number.";
                return Err(Error::new(Code::DuplicateNumber, detail).param("out_refund_no"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(CommitError::Stale.into())
}

async fn send(
    engine: &Engine,
    open: &OpenAccount,
    operation: &crate::channel::Operation,
    step: Step,
    now: crate::time::Timestamp,
) -> Result<Outcome, Fault> {
    engine.exchange(open, operation, step, now).await
}

/// Reads the order and reserves the amount on it, in memory.
async fn reserve(engine: &Engine, caller: &Caller, input: &CreateRefund) -> Result<(Returning, Attempt)> {
    let found = engine.store.order(caller.tenant(), input.order_id).await?;
    let mut order = found.ok_or_else(|| Error::not_found("order", input.order_id).param("order_id"))?;
    if order.captured == 0 {
        let detail =
            format!("The order is `{}`; only captured money can be given back.", order.status.text());
        return Err(Error::new(Code::StateNotAllowed, detail).object(order.id));
    }
    let minor = input.amount.unwrap_or_else(|| order.refundable());
    if minor > order.refundable() || (input.amount.is_none() && minor == 0) {
        let detail = format!("{} is left to refund.", order.amount(order.refundable()));
        return Err(Error::new(Code::RefundExceedsCapture, detail).param("amount").object(order.id));
    }
    let money = crate::order::input::amount("amount", minor, order.currency())?;
    let attempt = paid_attempt(engine, caller.tenant(), &order).await?;
    let moment = engine.moment(&caller.merchant);
    let mut refund = Refund::new(RefundId::new(moment.now, &*engine.rng), &order, &attempt, money, moment);
    if let Some(number) = &input.out_refund_no {
        refund.number.clone_from(number);
    }
    refund.reason.clone_from(&input.reason);
    refund.metadata.clone_from(&input.metadata);
    refund.due_at = moment.due_in(std::time::Duration::from_secs(40));
    order.refunding += minor;
    order.updated_at = moment.now;
    Ok((Returning { order, refund }, attempt))
}

async fn paid_attempt(engine: &Engine, tenant: MerchantId, order: &Order) -> Result<Attempt> {
    let id = order.attempt_id.ok_or_else(|| Error::internal("a captured order without attempt"))?;
    let attempt = engine.store.attempt(tenant, id).await?;
    attempt.ok_or_else(|| Error::internal("an attempt vanished"))
}

async fn commit_reserved(
    engine: &Engine,
    caller: &Caller,
    mut returning: Returning,
) -> Result<Returning, CommitError> {
    let moment = engine.moment(&caller.merchant);
    let notify_url = returning.order.details.notify_url.clone();
    let mut changes = Changes { claim: caller.open(returning.refund.id, moment), ..Changes::default() };
    let id = returning.refund.id.to_string();
    changes.audit.push(engine.audit(
        &caller.actor,
        "refunds.create",
        Some(id),
        returning.refund.money.to_string(),
        moment,
    ));
    let kind = EventKind::RefundCreated;
    let merchant = &caller.merchant;
    let event =
        engine.refund_event(&mut returning.refund, notify_url.as_deref(), kind, None, merchant, moment);
    changes.events.push(event);
    changes.put(Put::Order(returning.order.clone())).put(Put::Refund(returning.refund.clone()));
    engine.commit(caller.tenant(), changes).await?;
    returning.order.version += 1;
    returning.refund.version += 1;
    Ok(returning)
}

/// Takes in news about a refund and commits, deciding again from fresh rows when they changed meanwhile.
async fn settle(
    engine: &Engine,
    merchant: &Merchant,
    answer: Option<&Caller>,
    mut read: Returning,
    attempt: &Attempt,
    news: &Result<Outcome, Fault>,
) -> Result<Returning> {
    for _ in 0..RETRIES_MAX {
        let mut returning = read.clone();
        let moment = engine.moment(merchant);
        let then = returning.hear(&attempt.channel, news, moment);
        let mut changes = Changes::default();
        if let Some((kind, detail)) = then.exception {
            tell(engine, merchant, &mut changes, kind, &returning.refund, detail).await?;
        }
        if let Some((kind, booking)) = then.event {
            let notify_url = returning.order.details.notify_url.clone();
            let refund = &mut returning.refund;
            let event = engine.refund_event(refund, notify_url.as_deref(), kind, booking, merchant, moment);
            changes.events.push(event);
            if kind == EventKind::RefundSucceeded {
                follow(engine, &returning, &mut changes, moment);
            }
        }
        changes.claim = answer.and_then(|caller| caller.close(&returning.refund.view(merchant.livemode)));
        if returning.order.refunding != read.order.refunding || returning.order.status != read.order.status {
            changes.put(Put::Order(returning.order.clone()));
        }
        changes.put(Put::Refund(returning.refund.clone()));
        match engine.commit(merchant.id, changes).await {
            Ok(()) => return Ok(returning),
            Err(CommitError::Stale) => read = reread(engine, merchant.id, &read).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(CommitError::Stale.into())
}

/// What receivers and agents give back is made with the refund and worked on by the workers. A second payment of the
/// order that goes back was never shared.
fn follow(engine: &Engine, returning: &Returning, changes: &mut Changes, moment: Moment) {
    let (order, refund) = (&returning.order, &returning.refund);
    if order.attempt_id != Some(refund.attempt_id) {
        return;
    }
    let source = refund.id.to_string();
    let id = ShareReturnId::new(moment.now, &*engine.rng);
    if let Some(back) = ShareReturn::of(id, order, source.clone(), refund.money, moment) {
        changes.put(Put::document(&back));
    }
    let id = AgentSaleId::new(moment.now, &*engine.rng);
    if let Some(back) = AgentSale::clawed_back(id, order, source, refund.money, moment) {
        changes.put(Put::document(&back));
    }
}

async fn tell(
    engine: &Engine,
    merchant: &Merchant,
    changes: &mut Changes,
    kind: ExceptionKind,
    refund: &Refund,
    detail: String,
) -> Result<()> {
    let object = refund.id.to_string();
    if engine.store.open_exception(merchant.id, kind, &object).await?.is_none() {
        engine.exception(changes, kind, object, detail, merchant, engine.moment(merchant));
    }
    Ok(())
}

async fn reread(engine: &Engine, tenant: MerchantId, read: &Returning) -> Result<Returning> {
    let order = engine.store.order(tenant, read.order.id).await?;
    let refund = engine.store.refund(tenant, read.refund.id).await?;
    match (order, refund) {
        (Some(order), Some(refund)) => Ok(Returning { order, refund }),
        _ => Err(Error::internal("an order or refund vanished")),
    }
}

/// A refund named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundById {
    /// The refund.
    pub id: RefundId,
}

/// One refund.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: RefundById) -> Result<Refund> {
    let found = engine.store.refund(caller.tenant(), input.id).await?;
    found.ok_or_else(|| Error::not_found("refund", input.id))
}

/// Which refunds to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRefunds {
    /// Only of this order.
    #[serde(default)]
    pub order_id: Option<OrderId>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this refund.
    #[serde(default)]
    pub starting_after: Option<RefundId>,
    /// Only rows listed before this refund.
    #[serde(default)]
    pub ending_before: Option<RefundId>,
}

/// Refunds, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListRefunds) -> Result<(ListInput, Vec<Refund>)> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter = RefundFilter { order_id: input.order_id };
    let rows = engine.store.refunds(caller.tenant(), &filter, &page.fetch()).await?;
    Ok((page, rows))
}

/// Looks at one refund that is due: asks the channel, and sends the same reference again if it never arrived.
pub(crate) async fn sweep(engine: &Engine, tenant: MerchantId, id: RefundId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let Some(mut refund) = engine.store.refund(tenant, id).await? else { return Ok(()) };
    let Some(order) = engine.store.order(tenant, refund.order_id).await? else { return Ok(()) };
    let Some(attempt) = engine.store.attempt(tenant, refund.attempt_id).await? else { return Ok(()) };
    let open = engine.account(tenant, attempt.account_id).await?;
    refund.queries += 1;
    let unresolved = refund.queries == LOOKS_BEFORE_EXCEPTION && refund.status.is_open();
    if unresolved {
        let mut changes = Changes::default();
        let detail = format!("{} is `{}` after {} looks", refund.id, refund.status.text(), refund.queries);
        tell(engine, &merchant, &mut changes, ExceptionKind::Unresolved, &refund, detail).await?;
        engine.commit(tenant, changes).await?;
    }
    let now = engine.moment(&merchant).now;
    let query = rules::query(&refund, &attempt);
    let news = engine.ask(&open, &query, now).await;
    let absent = matches!(&news, Ok(outcome) if outcome.verdict == Verdict::Absent);
    let returning = Returning { order, refund };
    let resend = absent && matches!(returning.refund.status, RefundStatus::Sending | RefundStatus::Unknown);
    let news = match resend {
        true => {
            let again = rules::send(&returning.refund, &attempt, rules::captured_by(&attempt));
            engine.ask(&open, &again, now).await
        }
        false => news,
    };
    settle(engine, &merchant, None, returning, &attempt, &news).await.map(drop)
}

/// Takes in a verified report about a refund; false where no refund of this account has the reference, a fault where
/// the channel could not be asked for the confirmation that it wants us to ask for.
pub(crate) async fn report(
    engine: &Engine,
    merchant: &Merchant,
    open: &OpenAccount,
    report: Report,
) -> Result<Result<bool, Fault>> {
    let found = engine.store.refund_by_reference(merchant.id, open.account.id, &report.reference).await?;
    let Some(refund) = found else { return Ok(Ok(false)) };
    let Some(order) = engine.store.order(merchant.id, refund.order_id).await? else { return Ok(Ok(false)) };
    let attempt = engine.store.attempt(merchant.id, refund.attempt_id).await?;
    let Some(attempt) = attempt else { return Ok(Ok(false)) };
    let returning = Returning { order, refund };
    if !returning.refund.status.is_open() && report.outcome.verdict == Verdict::Succeeded {
        return Ok(Ok(returning.refund.status == RefundStatus::Succeeded));
    }
    let mut news = Ok(report.outcome);
    if open.confirms() {
        let query = rules::query(&returning.refund, &attempt);
        news = engine.ask(open, &query, engine.moment(merchant).now).await;
        if let Err(fault) = news {
            return Ok(Err(fault));
        }
    }
    settle(engine, merchant, None, returning, &attempt, &news).await?;
    Ok(Ok(true))
}
