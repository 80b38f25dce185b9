//! Operations on plans, receivers and splits, and the work that follows payments and refunds.

mod announced;
mod back;
mod plans;
mod receivers;
mod splits;
mod work;

pub use back::{ListShareReturns, ShareReturnById, list_returns, retrieve_return};
pub use plans::{
    CreatePlan, ListPlans, PlanById, Preview, PreviewShare, PreviewView, UpdatePlan, create_plan, list_plans,
    preview, retrieve_plan, update_plan,
};
pub use receivers::{
    CreateReceiver, ListReceivers, ReceiverById, UpdateReceiver, create_receiver, list_receivers,
    retrieve_receiver, update_receiver,
};
pub use splits::{ListSplits, RetrySplit, SplitById, list, release, retrieve, retry};

pub(crate) use announced::announced;
pub(crate) use back::due as return_due;
pub(crate) use work::due;

use crate::channel::{Fault, Operation, Outcome};
use crate::engine::{Engine, OpenAccount};
use crate::error::{Error, Result};
use crate::event::{Booking, Event, EventKind};
use crate::id::{AttemptId, MerchantId, OrderId, ReceiverId};
use crate::merchant::Merchant;
use crate::money::Money;
use crate::order::Attempt;
use crate::order::input::Moment;
use crate::split::{ShareReturn, Split};

/// What an event says of shares that were given or taken back: the object it is about holds the rest.
#[derive(serde::Serialize)]
struct Shared<'a> {
    object: &'static str,
    id: &'a str,
    order_id: OrderId,
    /// Who, where it is one.
    receiver_id: Option<ReceiverId>,
    /// How much, with its currency.
    money: Money,
}

/// An event about a split, with what it books.
fn split_event(
    engine: &Engine,
    split: &mut Split,
    (receiver_id, booking): (Option<ReceiverId>, Booking),
    merchant: &Merchant,
    moment: Moment,
) -> Event {
    split.sequence += 1;
    let (id, order_id, money) = (split.id.to_string(), split.order_id, booking.parts[0].1);
    let news = Shared { object: "split", id: &id, order_id, receiver_id, money };
    let mut event =
        engine.event(EventKind::SplitShared, id.clone(), split.sequence, &news, merchant.livemode, moment);
    event.booking = Some(booking);
    event
}

/// An event about what is taken back, with what it books.
fn return_event(
    engine: &Engine,
    back: &mut ShareReturn,
    (receiver_id, booking): (ReceiverId, Booking),
    merchant: &Merchant,
    moment: Moment,
) -> Event {
    back.sequence += 1;
    let (id, order_id, money) = (back.id.to_string(), back.order_id, booking.parts[0].1);
    let news = Shared { object: "share_return", id: &id, order_id, receiver_id: Some(receiver_id), money };
    let mut event =
        engine.event(EventKind::ShareReturned, id.clone(), back.sequence, &news, merchant.livemode, moment);
    event.booking = Some(booking);
    event
}

/// The paid attempt and the account it went through.
async fn paid(engine: &Engine, tenant: MerchantId, split: &Split) -> Result<(Attempt, OpenAccount)> {
    let id: AttemptId = split.attempt_id;
    let attempt = engine.store.attempt(tenant, id).await?;
    let attempt = attempt.ok_or_else(|| Error::internal("an attempt vanished"))?;
    Ok((attempt, engine.account(tenant, split.account_id).await?))
}

/// Asks the channel; a call that was not sent for a reason of ours is a fault like any other.
async fn ask(
    engine: &Engine,
    open: &OpenAccount,
    operation: &Operation,
    moment: Moment,
) -> Result<Outcome, Fault> {
    engine.ask(open, operation, moment.now).await
}
