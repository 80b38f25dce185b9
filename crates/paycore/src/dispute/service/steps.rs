//! Opening, answering and deciding disputes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::agent::AgentSale;
use crate::dispute::rules::{Claim, Contradiction, Decision, Disputed, Due, Moved};
use crate::dispute::state::DisputeEvent;
use crate::dispute::{Dispute, DisputeStatus, Reason};
use crate::document::{DocumentFilter, Shown};
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::{Booking, EventKind, Movement, Part};
use crate::exception::ExceptionKind;
use crate::id::{AgentSaleId, DisputeId, MerchantId, OrderId, ShareReturnId};
use crate::merchant::Merchant;
use crate::money::Money;
use crate::order::input::{AMOUNT_MAX, Moment, amount, number_of, plausible, text};
use crate::order::{Attempt, Order};
use crate::page::{List, ListInput};
use crate::split::ShareReturn;
use crate::store::{Changes, CommitError, Put};
use crate::time::Timestamp;

/// How often a decision is made again because the order changed meanwhile.
pub(super) const RETRIES_MAX: usize = 64;

/// A case that a channel opened and told about on paper, by mail or on its own pages.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenDispute {
    /// The order.
    pub order_id: OrderId,
    /// What the payer wants back, minor units of the order's currency; at most what is left of the order.
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub amount: i64,
    /// Why.
    pub reason: Reason,
    /// The channel's number of the case, unique for each channel; the dispute's id where absent.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    pub number: Option<String>,
    /// What the channel charges for the case, minor units; 0 where absent.
    #[serde(default)]
    #[schemars(range(min = 0, max = 99_999_999_999_999_i64))]
    pub fee: i64,
    /// Until when the channel wants evidence.
    pub respond_by: Timestamp,
}

/// Opens a dispute by hand, for channels that do not notify of them.
pub async fn open(engine: &Engine, caller: &Caller, input: OpenDispute) -> Result<Shown<Dispute>> {
    plausible("amount", Some(input.amount))?;
    if let Some(number) = &input.number {
        number_of("number", number)?;
    }
    if !(0..=AMOUNT_MAX).contains(&input.fee) {
        return Err(Error::new(Code::InvalidAmount, format!("Must be 0 to {AMOUNT_MAX}.")).param("fee"));
    }
    for _ in 0..RETRIES_MAX {
        let (order, attempt) = disputable(engine, caller, input.order_id).await?;
        let money = amount("amount", input.amount, order.currency())?;
        if money.minor() > order.refundable() {
            let detail = format!("{} is left of the order.", order.amount(order.refundable()));
            return Err(Error::new(Code::RefundExceedsCapture, detail).param("amount").object(order.id));
        }
        let moment = engine.moment(&caller.merchant);
        if input.respond_by <= moment.now {
            return Err(Error::invalid("respond_by", "Must be in the future."));
        }
        let claim = Claim {
            number: input.number.clone(),
            reason: input.reason,
            money,
            fee: order.amount(input.fee),
            respond_by: input.respond_by,
        };
        let id = DisputeId::new(moment.now, &*engine.rng);
        let (disputed, moved) = Disputed::open(id, order, &attempt, claim, moment);
        let merchant = &caller.merchant;
        match write(
            engine,
            merchant,
            Some((caller, "disputes.open")),
            disputed,
            moved,
            EventKind::DisputeOpened,
        )
        .await
        {
            Err(CommitError::Stale) => {}
            Err(CommitError::Duplicate(_)) => {
                let detail = "This case of the channel is known already.";
                return Err(Error::new(Code::DuplicateNumber, detail).param("number"));
            }
            done => return done.map(|disputed| Shown::of(disputed.dispute)).map_err(Error::from),
        }
    }
    Err(CommitError::Stale.into())
}

/// The order and its paid attempt.
async fn disputable(engine: &Engine, caller: &Caller, id: OrderId) -> Result<(Order, Attempt)> {
    let found = engine.store.order(caller.tenant(), id).await?;
    let order = found.ok_or_else(|| Error::not_found("order", id).param("order_id"))?;
    let attempt = match order.attempt_id.filter(|_| order.captured > 0) {
        Some(id) => engine.store.attempt(caller.tenant(), id).await?,
        None => None,
    };
    let attempt = attempt.ok_or_else(|| {
        let detail = format!("The order is `{}`; only captured money can be disputed.", order.status.text());
        Error::new(Code::StateNotAllowed, detail).object(order.id)
    })?;
    Ok((order, attempt))
}

/// Writes order and dispute with events and bookings in one commit. `answer` names the caller whose key it answers and what
/// the trail says.
pub(super) async fn write(
    engine: &Engine,
    merchant: &Merchant,
    answer: Option<(&Caller, &str)>,
    mut disputed: Disputed,
    moved: Moved,
    kind: EventKind,
) -> Result<Disputed, CommitError> {
    let moment = engine.moment(merchant);
    let mut changes = Changes::default();
    let order = (disputed.order.id, disputed.dispute.channel.clone());
    let book = |movement, money: Money| {
        money
            .is_positive()
            .then(|| Booking::new(movement, Part::Gross, money).order(order.0).channel(order.1.clone()))
    };
    let (first, second) = match moved {
        Moved::Nothing => (None, None),
        Moved::Taken { principal, fee } => {
            (book(Movement::Chargeback, principal), book(Movement::DisputeFee, fee))
        }
        Moved::GivenBack(money) => (book(Movement::ChargebackReversal, money), None),
    };
    changes.events.push(event(engine, &mut disputed.dispute, kind, first, merchant, moment));
    if let Some(fee) = second {
        changes.events.push(event(
            engine,
            &mut disputed.dispute,
            EventKind::DisputeFee,
            Some(fee),
            merchant,
            moment,
        ));
    }
    over(engine, &mut changes, &disputed, moment);
    changes.put(Put::Order(disputed.order.clone())).put(Put::document(&disputed.dispute));
    if let Some((caller, action)) = answer {
        let (id, detail) = (disputed.dispute.id, disputed.dispute.status.text().to_owned());
        changes.audit.push(engine.audit(&caller.actor, action, Some(id.to_string()), detail, moment));
        changes.claim = caller.once(id, &Shown::of(disputed.dispute.clone()), moment);
    }
    engine.commit(merchant.id, changes).await?;
    disputed.order.version += 1;
    disputed.dispute.version += 1;
    Ok(disputed)
}

fn event(
    engine: &Engine,
    dispute: &mut Dispute,
    kind: EventKind,
    booking: Option<Booking>,
    merchant: &Merchant,
    moment: Moment,
) -> crate::event::Event {
    dispute.sequence += 1;
    let shown = Shown::of(dispute.clone());
    let mut event =
        engine.event(kind, dispute.id.to_string(), dispute.sequence, &shown, merchant.livemode, moment);
    event.booking = booking;
    event
}

/// What receivers and agents give back once a dispute is over and money stays with the payer.
fn over(engine: &Engine, changes: &mut Changes, disputed: &Disputed, moment: Moment) {
    let (order, dispute) = (&disputed.order, &disputed.dispute);
    let lost = order.amount(dispute.charged_back - dispute.recovered);
    if !dispute.status.is_final() {
        return;
    }
    let source = dispute.id.to_string();
    let id = ShareReturnId::new(moment.now, &*engine.rng);
    if let Some(back) = ShareReturn::of(id, order, source.clone(), lost, moment) {
        changes.put(Put::document(&back));
    }
    let id = AgentSaleId::new(moment.now, &*engine.rng);
    if let Some(back) = AgentSale::clawed_back(id, order, source, lost, moment) {
        changes.put(Put::document(&back));
    }
}

/// A dispute named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisputeById {
    /// The dispute.
    pub id: DisputeId,
}

/// One dispute.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: DisputeById) -> Result<Shown<Dispute>> {
    engine.document(caller.tenant(), input.id).await.map(Shown::of)
}

/// Which disputes to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDisputes {
    /// Only of this order.
    #[serde(default)]
    pub order_id: Option<OrderId>,
    /// Only those that stand here.
    #[serde(default)]
    pub status: Option<DisputeStatus>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this dispute.
    #[serde(default)]
    pub starting_after: Option<DisputeId>,
    /// Only rows listed before this dispute.
    #[serde(default)]
    pub ending_before: Option<DisputeId>,
}

/// Disputes, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListDisputes) -> Result<List<Shown<Dispute>>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let parent = input.order_id.map(|order| order.to_string());
    let status = input.status.map(|status| status.text().to_owned());
    let filter = DocumentFilter { parent, status, ..DocumentFilter::default() };
    let rows = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(Shown::list(&page, rows))
}

/// The merchant's answer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitDispute {
    /// The dispute.
    pub id: DisputeId,
    /// What you say, with the files that were added before.
    #[schemars(length(min = 1, max = 2000))]
    pub statement: String,
}

/// Answers a dispute with a statement and the files that were added. Once.
pub async fn submit(engine: &Engine, caller: &Caller, input: SubmitDispute) -> Result<Shown<Dispute>> {
    text("statement", &input.statement.replace(['\n', '\r', '\t'], " "), 1, 2000)?;
    step(engine, caller, (input.id, "disputes.submit"), DisputeEvent::Submit, |dispute| {
        dispute.statement = Some(input.statement.clone());
    })
    .await
}

/// Accepts a dispute: the money stays with the payer.
pub async fn accept(engine: &Engine, caller: &Caller, input: DisputeById) -> Result<Shown<Dispute>> {
    step(engine, caller, (input.id, "disputes.accept"), DisputeEvent::Accept, |_| {}).await
}

async fn step(
    engine: &Engine,
    caller: &Caller,
    (id, action): (DisputeId, &str),
    event: DisputeEvent,
    change: impl Fn(&mut Dispute),
) -> Result<Shown<Dispute>> {
    for _ in 0..RETRIES_MAX {
        let mut disputed = read(engine, caller.tenant(), id).await?;
        let moment = engine.moment(&caller.merchant);
        if disputed.dispute.due(moment.now) == Due::Expire {
            let detail = "The deadline has passed; the dispute is lost.";
            return Err(Error::new(Code::StateNotAllowed, detail).object(id));
        }
        change(&mut disputed.dispute);
        disputed.dispute.step(event, moment).map_err(|illegal| not_now(&disputed.dispute, illegal))?;
        let kind = EventKind::DisputeUpdated;
        match write(engine, &caller.merchant, Some((caller, action)), disputed, Moved::Nothing, kind).await {
            Err(CommitError::Stale) => {}
            done => return done.map(|disputed| Shown::of(disputed.dispute)).map_err(Error::from),
        }
    }
    Err(CommitError::Stale.into())
}

fn not_now(dispute: &Dispute, why: impl std::fmt::Display) -> Error {
    Error::new(Code::StateNotAllowed, format!("Not now: {why}.")).object(dispute.id)
}

async fn read(engine: &Engine, tenant: MerchantId, id: DisputeId) -> Result<Disputed> {
    let dispute: Dispute = engine.document(tenant, id).await?;
    let order = engine.store.order(tenant, dispute.order_id).await?;
    let order = order.ok_or_else(|| Error::internal("an order vanished"))?;
    Ok(Disputed { order, dispute })
}

/// How the channel decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// For the merchant; all that was taken came back.
    Won,
    /// For the merchant in part.
    PartiallyWon,
    /// For the payer.
    Lost,
}

/// A channel's decision that was told on paper, by mail or on its own pages.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideDispute {
    /// The dispute.
    pub id: DisputeId,
    /// How it was decided.
    pub outcome: Outcome,
    /// What came back, minor units; for `partially_won` only.
    #[serde(default)]
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub recovered: Option<i64>,
}

/// Notes a decision by hand, for channels that do not notify of them.
pub async fn decide(engine: &Engine, caller: &Caller, input: DecideDispute) -> Result<Shown<Dispute>> {
    plausible("recovered", input.recovered)?;
    for _ in 0..RETRIES_MAX {
        let disputed = read(engine, caller.tenant(), input.id).await?;
        let decision = match (input.outcome, input.recovered) {
            (Outcome::Won, None) => Decision::Won,
            (Outcome::Lost, None) => Decision::Lost,
            (Outcome::PartiallyWon, Some(minor)) => {
                Decision::WonInPart(amount("recovered", minor, disputed.order.currency())?)
            }
            (Outcome::PartiallyWon, None) => {
                let detail = "Say how much came back.";
                return Err(Error::new(Code::MissingParameter, detail).param("recovered"));
            }
            _ => return Err(Error::invalid("recovered", "Only with `partially_won`.")),
        };
        match decided(engine, &caller.merchant, Some((caller, "disputes.decide")), disputed, decision).await?
        {
            Err(CommitError::Stale) => {}
            done => return done.map(|disputed| Shown::of(disputed.dispute)).map_err(Error::from),
        }
    }
    Err(CommitError::Stale.into())
}

pub(super) async fn decided(
    engine: &Engine,
    merchant: &Merchant,
    answer: Option<(&Caller, &str)>,
    mut disputed: Disputed,
    decision: Decision,
) -> Result<Result<Disputed, CommitError>> {
    let before = disputed.dispute.status;
    let moved = disputed.decide(decision, engine.moment(merchant)).map_err(|why| match why {
        Contradiction::Amount { .. } => {
            Error::new(Code::InvalidAmount, format!("Not possible: {why}.")).param("recovered")
        }
        Contradiction::State(illegal) => not_now(&disputed.dispute, illegal),
    })?;
    if disputed.dispute.status == before {
        return Ok(repeated(engine, merchant, answer, disputed).await);
    }
    Ok(write(engine, merchant, answer, disputed, moved, EventKind::DisputeClosed).await)
}

/// A decision that was taken in before: only the caller is answered.
async fn repeated(
    engine: &Engine,
    merchant: &Merchant,
    answer: Option<(&Caller, &str)>,
    disputed: Disputed,
) -> Result<Disputed, CommitError> {
    let moment = engine.moment(merchant);
    let shown = Shown::of(disputed.dispute.clone());
    let claim = answer.and_then(|(caller, _)| caller.once(disputed.dispute.id, &shown, moment));
    engine.commit(merchant.id, Changes { claim, ..Changes::default() }).await?;
    Ok(disputed)
}

/// Works on one dispute: tells that its deadline is near, or that it passed.
pub(crate) async fn due(engine: &Engine, tenant: MerchantId, id: DisputeId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let mut disputed = read(engine, tenant, id).await?;
    let moment = engine.moment(&merchant);
    match disputed.dispute.due(moment.now) {
        Due::Expire => {
            disputed.dispute.step(DisputeEvent::Expire, moment).map_err(Error::internal)?;
            write(engine, &merchant, None, disputed, Moved::Nothing, EventKind::DisputeClosed).await?;
        }
        Due::Remind => {
            disputed.dispute.remind(moment);
            let mut changes = Changes::default();
            let (kind, object) = (ExceptionKind::DisputeDue, id.to_string());
            if engine.store.open_exception(tenant, kind, &object).await?.is_none() {
                let dispute = &disputed.dispute;
                let detail = format!(
                    "{} of {} has to be answered by {}",
                    dispute.money, dispute.order_id, dispute.respond_by
                );
                engine.exception(&mut changes, kind, object, detail, &merchant, moment);
            }
            changes.put(Put::document(&disputed.dispute));
            engine.commit(tenant, changes).await?;
        }
        Due::Wait => {
            // A row that is due although there is nothing to do: its time is set anew.
            disputed.dispute.rest(moment);
            let mut changes = Changes::default();
            changes.put(Put::document(&disputed.dispute));
            engine.commit(tenant, changes).await?;
        }
    }
    Ok(())
}
