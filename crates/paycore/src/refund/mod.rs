//! Refunds: giving captured money back, all or part of it, never more than was captured.

pub mod rules;
#[cfg(feature = "engine")]
pub mod service;
#[cfg(feature = "engine")]
mod store;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(feature = "engine")]
pub use store::{RefundFilter, Refunds};

use crate::channel::Decline;
use crate::id::{AttemptId, OrderId, RefundId};
use crate::money::Money;
use crate::order::Metadata;
use crate::time::Timestamp;

/// A refund of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// 0 before it is first stored, then +1 per change.
    pub version: i64,
    /// The order.
    pub order_id: OrderId,
    /// The attempt whose money goes back.
    pub attempt_id: AttemptId,
    /// The merchant's own number, unique per merchant; the id where none was given.
    pub number: String,
    /// Our reference on the wire.
    pub reference: String,
    /// Where it stands.
    pub status: RefundStatus,
    /// What goes back.
    pub money: Money,
    /// Why, in the merchant's words or paycore's.
    pub reason: Option<String>,
    /// The merchant's notes.
    pub metadata: Metadata,
    /// The channel's own id.
    pub channel_id: Option<String>,
    /// Why the channel declined it.
    pub decline: Option<Decline>,
    /// The last fault, for people.
    pub fault: Option<String>,
    /// How often the channel was queried.
    pub queries: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Number of events about it so far.
    pub sequence: i64,
    /// When the sweep looks at it next, wall clock; zero for never.
    pub due_at: Timestamp,
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Reserved and durable; the channel's answer is not seen yet.
    Sending,
    /// The channel's answer is lost or not understood; the money stays reserved and the channel is queried.
    Unknown,
    /// The channel works on it.
    Pending,
    /// Given back.
    Succeeded,
    /// A definite no; the reservation is released.
    Failed,
}

impl RefundStatus {
    /// Every value.
    pub const ALL: &'static [RefundStatus] = &[
        RefundStatus::Sending,
        RefundStatus::Unknown,
        RefundStatus::Pending,
        RefundStatus::Succeeded,
        RefundStatus::Failed,
    ];

    /// The word used in the API and the database.
    pub fn text(self) -> &'static str {
        match self {
            RefundStatus::Sending => "sending",
            RefundStatus::Unknown => "unknown",
            RefundStatus::Pending => "pending",
            RefundStatus::Succeeded => "succeeded",
            RefundStatus::Failed => "failed",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.text() == text)
    }

    /// Whether the money is still reserved.
    pub fn is_open(self) -> bool {
        !matches!(self, RefundStatus::Succeeded | RefundStatus::Failed)
    }
}
