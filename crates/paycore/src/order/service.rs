//! Operations on orders: read, decide purely, commit once; nothing is sent while a commit is open, and nothing is
//! sent before the attempt that names it is durable.

mod card;
mod mandate;

use schemars::JsonSchema;
use serde::Deserialize;

use super::input::{CreateOrder, Moment};
use super::rules::{self, Consequences, Payment};
use super::state::{AttemptEvent, OrderEvent};
use super::{Attempt, AttemptStatus, AttemptView, ClientSecret, Order, OrderFilter, OrderPage, OrderStatus};
use crate::agent::{Agent, AgentSale};
use crate::channel::{CaptureMode, Fault, Initiator, Method, Operation, Outcome, Payer, Step, Verb};
use crate::engine::{Caller, Engine, OpenAccount, RETRIES_MAX, decided_afresh};
use crate::error::{Code, Error, Result};
use crate::event::EventKind;
use crate::id::{AgentSaleId, AttemptId, CardId, CardTokenId, OrderId, RefundId, SplitId, SplitPlanId};
use crate::merchant::Merchant;
use crate::page::{List, ListInput};
use crate::refund::Refund;
use crate::split::compile::can_share;
use crate::split::{self, SplitPlan, Via};
use crate::store::{Changes, CommitError, Put};

use card::Chosen;
pub(crate) use card::again as card_again;
pub(crate) use mandate::may_still_charge;

/// Creates an order; with one allowed method the payment starts at once, unless a card has to be typed for it.
pub async fn create(engine: &Engine, caller: &Caller, input: CreateOrder) -> Result<Order> {
    let merchant = &caller.merchant;
    if !merchant.active {
        return Err(Error::new(Code::Forbidden, "This merchant may not take payments."));
    }
    let moment = engine.moment(merchant);
    let (plan, charged) = (input.split_plan_id, input.mandate);
    let mut order = input.open(OrderId::new(moment.now, &*engine.rng), moment)?;
    join(engine, caller, &mut order, plan).await?;
    if let Some(id) = charged {
        mandate::charge(engine, caller, &mut order, id).await?;
    }
    let secret = ClientSecret::new(order.id, merchant.id, merchant.livemode, &*engine.rng);
    order.details.checkout_url = Some(engine.page_url(&secret, OrderPage::Pay));
    order.details.client_secret = Some(secret);
    for (index, method) in order.methods.iter().enumerate() {
        route(engine, caller, &order, method).await.map_err(|error| match order.methods.len() {
            1 => error.param("method"),
            _ => error.param(format!("methods[{index}]")),
        })?;
    }
    let created =
        engine.order_event(&mut order, crate::event::EventKind::OrderCreated, None, merchant, moment);
    let mut changes = Changes::default();
    changes.events.push(created);
    if let [method] = order.methods.as_slice()
        && !method.takes_card()
    {
        let method = method.clone();
        return start(engine, caller, order, (&method, None), changes, moment).await;
    }
    changes.claim = caller.once(order.id, &order.view(merchant.livemode), moment);
    changes.put(Put::Order(order.clone()));
    engine.commit(caller.tenant(), changes).await.map_err(number_taken)?;
    Ok(order)
}

/// Takes the plan's terms into a new order, and makes sure of its agent.
async fn join(engine: &Engine, caller: &Caller, order: &mut Order, plan: Option<SplitPlanId>) -> Result<()> {
    let tenant = caller.tenant();
    if let Some(id) = plan {
        let plan =
            engine.document::<SplitPlan>(tenant, id).await.map_err(|error| error.param("split_plan_id"))?;
        if !plan.enabled {
            let detail = "This plan is switched off.";
            return Err(Error::new(Code::StateNotAllowed, detail).param("split_plan_id").object(id));
        }
        order.details.split = Some(Box::new(plan.snapshot()));
    }
    if let Some(id) = order.details.agent_id {
        let agent = engine.document::<Agent>(tenant, id).await.map_err(|error| error.param("agent_id"))?;
        if !agent.enabled {
            let detail = "This agent is switched off.";
            return Err(Error::new(Code::StateNotAllowed, detail).param("agent_id").object(id));
        }
    }
    Ok(())
}

/// Decides whether the channel is told that the payment will be shared.
fn flag(open: &OpenAccount, order: &mut Order, method: &Method) -> Result<()> {
    let currency = order.currency();
    let Some(split) = &mut order.details.split else { return Ok(()) };
    let profile = open.channel.as_ref().map(|channel| channel.profile());
    let can = profile.is_some_and(|profile| can_share(profile, method, currency));
    if split.terms.via == Via::Channel && !can {
        let detail = format!(
            "The plan shares through the channel, and {} does not share `{method}`.",
            open.account.channel
        );
        return Err(Error::new(Code::NoChannel, detail).param("split_plan_id"));
    }
    split.flagged = can && split.terms.via != Via::Ledger;
    Ok(())
}

/// What `orders.pay` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayOrder {
    /// The order.
    pub id: OrderId,
    /// The chosen method, one of those the order allows.
    pub method: Method,
    /// What you know of the payer, in place of what the order says.
    #[serde(default)]
    pub payer: Option<Payer>,
    /// A card that is kept for the order's `customer`, to pay with.
    #[serde(default)]
    pub card: Option<CardId>,
    /// The card that the payer typed into the card fields for this order; good once.
    #[serde(default)]
    pub card_token: Option<CardTokenId>,
    /// The version of the text by which the payer agreed that the card of `card_token` is kept for the order's
    /// `customer` once it has paid; absent where it is not to be kept.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64))]
    pub save: Option<String>,
    /// Who starts the payment with the stored `card`: the `customer`, who is there, or where absent; the `merchant`,
    /// by an agreement with the customer.
    #[serde(default)]
    pub initiator: Option<Initiator>,
}

impl PayOrder {
    /// The payment of an order by a method that takes no card.
    pub fn new(id: OrderId, method: Method, payer: Option<Payer>) -> PayOrder {
        PayOrder { id, method, payer, card: None, card_token: None, save: None, initiator: None }
    }
}

/// Starts the payment of an order by one of its methods.
pub async fn pay(engine: &Engine, caller: &Caller, input: PayOrder) -> Result<Order> {
    let chosen = input.card()?;
    let mut order = find(engine, caller, input.id).await?;
    if let Some(payer) = input.payer {
        super::input::check_payer(&payer)?;
        order.details.payer = payer;
    }
    if !order.methods.contains(&input.method) {
        return Err(Error::invalid("method", "The order does not allow this method.").object(order.id));
    }
    let last = last_attempt(engine, &order, caller).await?;
    rules::may_start(&order, last.as_ref())
        .map_err(|detail| Error::new(Code::StateNotAllowed, detail).object(order.id))?;
    let moment = engine.moment(&caller.merchant);
    start(engine, caller, order, (&input.method, chosen), Changes::default(), moment).await
}

/// Makes the attempt durable, sends it, and takes in the answer.
async fn start(
    engine: &Engine,
    caller: &Caller,
    mut order: Order,
    (method, chosen): (&Method, Option<Chosen>),
    mut changes: Changes,
    moment: Moment,
) -> Result<Order> {
    let open = route(engine, caller, &order, method).await?;
    flag(&open, &mut order, method)?;
    let mut attempt = new_attempt(engine, &order, &open, method, moment);
    let to = (&open, attempt.id);
    let taken = card::take(engine, &caller.merchant, (&order, method), chosen, to, moment).await?;
    let card = taken.map(|taken| taken.hand_over(&mut attempt, &mut changes));
    order.attempt_id = Some(attempt.id);
    order.next_action = None;
    let mut payment = Payment { order, attempt };
    let mut operation = payment.pay();
    card::put(&mut operation, card);
    // Encoding sends nothing: what the channel cannot say is refused before anything is written.
    let step = engine.encode(&open, &operation, moment.now)?;
    if let Step::Done(outcome) = step {
        let then = payment.hear(Verb::Pay, &Ok(outcome), moment);
        apply(engine, &caller.merchant, &mut payment, then, &mut changes, moment);
        changes.claim = caller.once(payment.order.id, &payment.order.view(caller.merchant.livemode), moment);
        commit_payment(engine, caller, &payment, changes).await.map_err(number_taken)?;
        return Ok(payment.order);
    }
    payment.order.status = payment.order.status.apply(OrderEvent::Start).map_err(not_allowed)?;
    changes.claim = caller.open(payment.order.id, moment);
    commit_payment(engine, caller, &payment, changes).await.map_err(number_taken)?;
    card::started(engine, &payment.attempt);
    payment.order.version += 1;
    payment.attempt.version += 1;
    let news = engine.exchange(&open, &operation, step, moment.now).await;
    settle(engine, &caller.merchant, Some(caller), payment, Verb::Pay, &news)
        .await
        .map(|payment| payment.order)
}

/// Takes in news about an attempt and commits, deciding again from fresh rows when they changed meanwhile.
/// `answer` names the caller whose idempotency key this answers.
pub(crate) async fn settle(
    engine: &Engine,
    merchant: &Merchant,
    answer: Option<&Caller>,
    read: Payment,
    verb: Verb,
    news: &Result<Outcome, Fault>,
) -> Result<Payment> {
    let mut read = read;
    for _ in 0..RETRIES_MAX {
        let mut payment = read.clone();
        let moment = engine.moment(merchant);
        let then = payment.hear(verb, news, moment);
        let mut changes = Changes::default();
        let unheard = without_exceptions_already_open(engine, merchant, &payment, then).await?;
        apply(engine, merchant, &mut payment, unheard, &mut changes, moment);
        changes.claim = answer.and_then(|caller| caller.close(&payment.order.view(merchant.livemode)));
        changes.put(Put::Order(payment.order.clone())).put(Put::Attempt(payment.attempt.clone()));
        match engine.commit(merchant.id, changes).await {
            Ok(()) => {
                payment.order.version += 1;
                payment.attempt.version += 1;
                return Ok(payment);
            }
            Err(CommitError::Stale) => read = reread(engine, merchant, &read).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(CommitError::Stale.into())
}

async fn reread(engine: &Engine, merchant: &Merchant, payment: &Payment) -> Result<Payment> {
    let order = engine.store.order(merchant.id, payment.order.id).await?;
    let attempt = engine.store.attempt(merchant.id, payment.attempt.id).await?;
    match (order, attempt) {
        (Some(order), Some(attempt)) => Ok(Payment { order, attempt }),
        _ => Err(Error::internal("an order or attempt vanished")),
    }
}

async fn without_exceptions_already_open(
    engine: &Engine,
    merchant: &Merchant,
    payment: &Payment,
    mut then: Consequences,
) -> Result<Consequences> {
    if let Some((kind, _)) = then.exceptions.first() {
        let object = payment.attempt.id.to_string();
        if engine.store.open_exception(merchant.id, *kind, &object).await?.is_some() {
            then.exceptions.clear();
        }
    }
    Ok(then)
}

/// Turns consequences into rows: events, exceptions, and the refund of a late payment.
pub(crate) fn apply(
    engine: &Engine,
    merchant: &Merchant,
    payment: &mut Payment,
    then: Consequences,
    changes: &mut Changes,
    moment: Moment,
) {
    for (kind, detail) in then.exceptions {
        engine.exception(changes, kind, payment.attempt.id.to_string(), detail, merchant, moment);
    }
    for (kind, booking) in then.events {
        let event = engine.order_event(&mut payment.order, kind, booking, merchant, moment);
        changes.events.push(event);
        if kind == EventKind::OrderSucceeded {
            follow_payment(engine, payment, changes, moment);
        }
    }
    if let Some(money) = then.give_back {
        let id = RefundId::new(moment.now, &*engine.rng);
        let reason = "The payment arrived after the order had ended 订单结束后到账，自动退款".to_owned();
        let mut refund = Refund::new(id, &payment.order, &payment.attempt, money, moment);
        refund.reason = Some(reason);
        let notify_url = payment.order.details.notify_url.clone();
        let kind = crate::event::EventKind::RefundCreated;
        let event = engine.refund_event(&mut refund, notify_url.as_deref(), kind, None, merchant, moment);
        changes.events.push(event);
        changes.put(Put::Refund(refund));
    }
}

/// What the payment means to receivers and agents is made with it and worked on by the workers.
fn follow_payment(engine: &Engine, payment: &Payment, changes: &mut Changes, moment: Moment) {
    let (order, attempt) = (&payment.order, &payment.attempt);
    let id = SplitId::new(moment.now, &*engine.rng);
    if let Some(split) = split::progress::begin(id, order, attempt, moment) {
        changes.put(Put::document(&split));
    }
    let id = AgentSaleId::new(moment.now, &*engine.rng);
    if let Some(sale) = AgentSale::of(id, order, attempt, moment) {
        changes.put(Put::document(&sale));
    }
}

async fn commit_payment(
    engine: &Engine,
    caller: &Caller,
    payment: &Payment,
    mut changes: Changes,
) -> Result<(), CommitError> {
    changes.put(Put::Order(payment.order.clone())).put(Put::Attempt(payment.attempt.clone()));
    engine.commit(caller.tenant(), changes).await
}

fn new_attempt(
    engine: &Engine,
    order: &Order,
    open: &OpenAccount,
    method: &Method,
    moment: Moment,
) -> Attempt {
    let id = AttemptId::new(moment.now, &*engine.rng);
    Attempt {
        id,
        version: 0,
        order_id: order.id,
        channel: open.account.channel.clone(),
        account_id: open.account.id,
        reference: id.bare(),
        method: method.clone(),
        status: AttemptStatus::Sending,
        money: order.money,
        capturing: 0,
        ending_at: None,
        card: None,
        channel_id: None,
        decline: None,
        fault: None,
        queries: 0,
        created_at: moment.now,
        updated_at: moment.now,
        // Longer than any channel call may take, so that the sweep never asks while we still wait.
        due_at: moment.due_in(std::time::Duration::from_secs(40)),
    }
}

/// The channel account that takes this method: the first by priority whose channel says it can.
async fn route(engine: &Engine, caller: &Caller, order: &Order, method: &Method) -> Result<OpenAccount> {
    let accounts = engine.accounts(caller.tenant()).await?;
    let signed_with = order.details.mandate.as_ref().map(|mandate| mandate.account_id);
    let fits = |open: &&OpenAccount| {
        let capability =
            open.channel.as_ref().and_then(|channel| channel.profile().capability(method, order.currency()));
        let other = signed_with.is_some_and(|id| id != open.account.id);
        open.account.enabled && !other && capability.is_some_and(|c| c.captures.contains(&order.capture))
    };
    accounts.iter().find(fits).cloned().ok_or_else(|| {
        let mode = match order.capture {
            CaptureMode::Automatic => "",
            CaptureMode::Manual => " with manual capture",
        };
        let detail = format!(
            "No enabled channel account takes `{method}` in {}{mode}. See GET /v1/channel_accounts.",
            order.currency()
        );
        Error::new(Code::NoChannel, detail)
    })
}

/// An object named by its id alone.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderById {
    /// The order.
    pub id: OrderId,
}

/// One order.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: OrderById) -> Result<Order> {
    find(engine, caller, input.id).await
}

/// Which orders to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOrders {
    /// Only in this state.
    #[serde(default)]
    pub status: Option<OrderStatus>,
    /// Only the order with this number.
    #[serde(default)]
    pub out_trade_no: Option<String>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this order.
    #[serde(default)]
    pub starting_after: Option<OrderId>,
    /// Only rows listed before this order.
    #[serde(default)]
    pub ending_before: Option<OrderId>,
}

/// Orders, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListOrders) -> Result<(ListInput, Vec<Order>)> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter = OrderFilter { status: input.status, number: input.out_trade_no };
    let rows = engine.store.orders(caller.tenant(), &filter, &page.fetch()).await?;
    Ok((page, rows))
}

/// All attempts of an order, oldest first.
pub async fn attempts(engine: &Engine, caller: &Caller, input: OrderById) -> Result<List<AttemptView>> {
    find(engine, caller, input.id).await?;
    let rows = engine.store.attempts(caller.tenant(), input.id).await?;
    let data = rows.iter().map(Attempt::view).collect();
    Ok(List { object: "list", data, has_more: false, next_cursor: None })
}

/// Closes an order that is not paid. A payment that is under way at the channel is closed there first; until the
/// channel has answered, the order stays as it is with `closing` set.
pub async fn close(engine: &Engine, caller: &Caller, input: OrderById) -> Result<Order> {
    decided_afresh(|| close_once(engine, caller, input.id)).await
}

async fn close_once(engine: &Engine, caller: &Caller, id: OrderId) -> Result<Order> {
    let mut order = find(engine, caller, id).await?;
    let moment = engine.moment(&caller.merchant);
    let livemode = caller.merchant.livemode;
    match order.status {
        OrderStatus::Pending | OrderStatus::Processing => {}
        OrderStatus::Closed => {
            let claim = caller.once(order.id, &order.view(livemode), moment);
            engine.commit(caller.tenant(), Changes { claim, ..Changes::default() }).await?;
            return Ok(order);
        }
        OrderStatus::Authorized => return Err(wrong_state(&order, "Void an authorized order instead.")),
        _ => return Err(wrong_state(&order, "Only an order that is not paid can be closed.")),
    }
    let attempt = last_attempt(engine, &order, caller).await?.filter(|attempt| attempt.status.is_open());
    let mut changes = Changes::default();
    changes.audit.push(engine.audit(
        &caller.actor,
        "orders.close",
        Some(order.id.to_string()),
        String::new(),
        moment,
    ));
    let Some(mut attempt) = attempt else {
        let (kind, booking) = rules::close_idle(&mut order, moment).map_err(not_allowed)?;
        changes.events.push(engine.order_event(&mut order, kind, booking, &caller.merchant, moment));
        changes.claim = caller.once(order.id, &order.view(livemode), moment);
        changes.put(Put::Order(order.clone()));
        engine.commit(caller.tenant(), changes).await?;
        return Ok(order);
    };
    order.closing = true;
    order.updated_at = moment.now;
    let Ok(closing) = attempt.status.apply(AttemptEvent::StartClose) else {
        // Whether the payment exists at the channel is not known yet. The sweep asks, then closes.
        attempt.due_at = attempt.due_at.min(moment.due_in(std::time::Duration::from_secs(2)));
        changes.claim = caller.once(order.id, &order.view(livemode), moment);
        commit_payment(engine, caller, &Payment { order: order.clone(), attempt }, changes).await?;
        return Ok(order);
    };
    attempt.status = closing;
    changes.claim = caller.open(order.id, moment);
    let payment = Payment { order, attempt };
    send_follow_up(engine, caller, payment, changes, moment, Payment::close).await
}

/// Gives the open attempt up, so that another can start: it is closed at the channel while the order stays open. An
/// attempt that is over, or not the last, changes nothing; one that was paid meanwhile stays paid.
pub(crate) async fn release(
    engine: &Engine,
    caller: &Caller,
    id: OrderId,
    attempt: AttemptId,
) -> Result<Order> {
    decided_afresh(|| release_once(engine, caller, id, attempt)).await
}

async fn release_once(engine: &Engine, caller: &Caller, id: OrderId, attempt: AttemptId) -> Result<Order> {
    let mut order = find(engine, caller, id).await?;
    let last = last_attempt(engine, &order, caller).await?;
    let Some(mut attempt) = last.filter(|last| last.id == attempt && rules::may_release(&order, last)) else {
        return Ok(order);
    };
    let moment = engine.moment(&caller.merchant);
    attempt.status = attempt.status.apply(AttemptEvent::StartClose).map_err(|_| {
        let detail = "The channel has not said yet what became of this attempt; wait for its outcome.";
        Error::new(Code::OutcomeUnknown, detail).object(id)
    })?;
    // What was shown must not be paid any more.
    order.next_action = None;
    order.updated_at = moment.now;
    let payment = Payment { order, attempt };
    send_follow_up(engine, caller, payment, Changes::default(), moment, Payment::close).await
}

/// Commits the intent, sends the operation and settles its answer.
async fn send_follow_up(
    engine: &Engine,
    caller: &Caller,
    mut payment: Payment,
    changes: Changes,
    moment: Moment,
    operation: fn(&Payment) -> Operation,
) -> Result<Order> {
    let open = engine.account(caller.tenant(), payment.attempt.account_id).await?;
    let operation = open.fitting(operation(&payment));
    let step = engine.encode(&open, &operation, moment.now)?;
    payment.attempt.due_at = moment.due_in(std::time::Duration::from_secs(40));
    commit_payment(engine, caller, &payment, changes).await?;
    payment.order.version += 1;
    payment.attempt.version += 1;
    let news = engine.exchange(&open, &operation, step, moment.now).await;
    let settled = settle(engine, &caller.merchant, Some(caller), payment, operation.verb(), &news).await?;
    Ok(settled.order)
}

/// What `orders.capture` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureOrder {
    /// The order.
    pub id: OrderId,
    /// What to take, minor units; all that is authorized where absent. The rest is released.
    #[serde(default)]
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub amount: Option<i64>,
}

/// Takes authorized money, all or part of it, once.
pub async fn capture(engine: &Engine, caller: &Caller, input: CaptureOrder) -> Result<Order> {
    super::input::plausible("amount", input.amount)?;
    decided_afresh(|| capture_once(engine, caller, &input)).await
}

async fn capture_once(engine: &Engine, caller: &Caller, input: &CaptureOrder) -> Result<Order> {
    let (mut payment, moment, changes) = follow_up(engine, caller, input.id, "orders.capture").await?;
    let minor = input.amount.unwrap_or(payment.order.authorized);
    let money = super::input::amount("amount", minor, payment.order.currency())?;
    if minor > payment.order.authorized {
        let detail = format!("{} is authorized.", payment.order.amount(payment.order.authorized));
        return Err(Error::new(Code::CaptureExceedsAuthorization, detail)
            .param("amount")
            .object(payment.order.id));
    }
    payment.attempt.status = payment.attempt.status.apply(AttemptEvent::StartCapture).map_err(not_allowed)?;
    payment.attempt.capturing = money.minor();
    payment.attempt.ending_at = Some(moment.now);
    send_follow_up(engine, caller, payment, changes, moment, Payment::capture).await
}

/// Gives an authorization back.
pub async fn void(engine: &Engine, caller: &Caller, input: OrderById) -> Result<Order> {
    decided_afresh(|| void_once(engine, caller, input.id)).await
}

async fn void_once(engine: &Engine, caller: &Caller, id: OrderId) -> Result<Order> {
    let (mut payment, moment, changes) = follow_up(engine, caller, id, "orders.void").await?;
    payment.attempt.status = payment.attempt.status.apply(AttemptEvent::StartVoid).map_err(not_allowed)?;
    payment.attempt.ending_at = Some(moment.now);
    send_follow_up(engine, caller, payment, changes, moment, Payment::void).await
}

async fn follow_up(
    engine: &Engine,
    caller: &Caller,
    id: OrderId,
    action: &'static str,
) -> Result<(Payment, Moment, Changes)> {
    let order = find(engine, caller, id).await?;
    if order.status != OrderStatus::Authorized {
        return Err(wrong_state(&order, "Only an authorized order can be captured or voided."));
    }
    let attempt = last_attempt(engine, &order, caller).await?;
    let attempt = attempt.ok_or_else(|| Error::internal("an authorized order without attempt"))?;
    if attempt.status != AttemptStatus::Authorized {
        let detail = "A capture or void is already under way; its outcome has to be known first.";
        return Err(Error::new(Code::OutcomeUnknown, detail).object(order.id));
    }
    let moment = engine.moment(&caller.merchant);
    let audit = engine.audit(&caller.actor, action, Some(id.to_string()), String::new(), moment);
    let changes = Changes { claim: caller.open(id, moment), audit: vec![audit], ..Changes::default() };
    Ok((Payment { order, attempt }, moment, changes))
}

async fn find(engine: &Engine, caller: &Caller, id: OrderId) -> Result<Order> {
    engine.store.order(caller.tenant(), id).await?.ok_or_else(|| Error::not_found("order", id))
}

async fn last_attempt(engine: &Engine, order: &Order, caller: &Caller) -> Result<Option<Attempt>> {
    match order.attempt_id {
        Some(id) => Ok(engine.store.attempt(caller.tenant(), id).await?),
        None => Ok(None),
    }
}

fn wrong_state(order: &Order, advice: &'static str) -> Error {
    let detail = format!("The order is `{}`. {advice}", order.status.text());
    Error::new(Code::StateNotAllowed, detail).object(order.id)
}

fn not_allowed(illegal: super::state::Illegal) -> Error {
    Error::new(Code::StateNotAllowed, illegal.to_string())
}

fn number_taken(error: CommitError) -> Error {
    match error {
        CommitError::Duplicate(_) => {
            Error::new(Code::DuplicateNumber, "You already have an order with this number.")
                .param("out_trade_no")
        }
        other => other.into(),
    }
}
