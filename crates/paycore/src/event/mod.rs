//! Events: what happened, once each, in order per object. They are the outbox: webhooks are sent from them,
//! the ledger books them, and merchants pull them by `GET /v1/events`.

#[cfg(feature = "engine")]
pub mod service;
#[cfg(feature = "engine")]
mod store;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(feature = "engine")]
pub use store::{EventFilter, Events};

use crate::id::{EventId, OrderId, RefundId};
use crate::money::Money;
use crate::time::Timestamp;

/// Something that happened to one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id, also the `webhook-id` of its deliveries.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// Id of the object it happened to.
    pub object_id: String,
    /// 1, 2, 3 … per object, without gaps.
    pub sequence: i64,
    /// The whole event as JSON text, rendered once; every delivery sends these bytes.
    pub body: String,
    /// The order's own notify URL, if it has one.
    pub notify_url: Option<String>,
    /// What the ledger books for it; not stored with the event.
    pub booking: Option<Booking>,
    /// When it happened.
    pub created_at: Timestamp,
    /// Position in the merchant's stream in order of commit, given by the store; 0 before.
    pub position: i64,
    /// When the outbox worker takes it up, wall clock; zero once its deliveries exist.
    pub due_at: Timestamp,
}

/// What the ledger needs to know of an event that moved money.
#[derive(Debug, Clone, PartialEq)]
pub struct Booking {
    /// Which way the money went.
    pub movement: Movement,
    /// The order.
    pub order_id: OrderId,
    /// The refund, for refunds.
    pub refund_id: Option<RefundId>,
    /// The channel the money moved through.
    pub channel: String,
    /// How much.
    pub money: Money,
}

/// Which way money went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Movement {
    /// In, through a channel.
    Payment,
    /// Back, through a channel.
    Refund,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $text:literal,)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[non_exhaustive]
        pub enum EventKind { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [EventKind] = &[$(EventKind::$name,)*];
            /// The `type` of the event in the API.
            pub fn text(self) -> &'static str { match self { $(EventKind::$name => $text,)* } }
            /// Reads the word back.
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some(EventKind::$name),)* _ => None } }
        }
    };
}

kinds! {
    /// An order exists.
    OrderCreated "order.created",
    /// The order's money is reserved.
    OrderAuthorized "order.authorized",
    /// The order is paid.
    OrderSucceeded "order.succeeded",
    /// The order was declined.
    OrderFailed "order.failed",
    /// The order was closed, expired or voided.
    OrderClosed "order.closed",
    /// Money arrived for an order that was closed or had failed; it is being given back.
    OrderLatePayment "order.late_payment",
    /// A refund was reserved and is on its way.
    RefundCreated "refund.created",
    /// A refund arrived.
    RefundSucceeded "refund.succeeded",
    /// A refund was refused by the channel.
    RefundFailed "refund.failed",
    /// Something needs a person.
    ExceptionOpened "exception.opened",
}
