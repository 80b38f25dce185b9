//! Disputes (争议、拒付): a payer asks the channel for the money back, the merchant answers with evidence before a
//! deadline, and the channel decides.
//!
//! The channel takes the money when the dispute is opened and gives it back when the merchant wins; the books follow. What
//! is charged back stands in the order's row beside what is refunded, so that together they never exceed the capture.

pub mod evidence;
pub mod rules;
#[cfg(feature = "engine")]
pub mod service;
pub mod state;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use evidence::{Evidence, MediaType};
pub use state::{DisputeEvent, DisputeStatus};

pub use crate::channel::DisputeReason as Reason;

use crate::document::{Index, document};
use crate::id::{AttemptId, DisputeId, EvidenceId, OrderId};
use crate::money::Money;
use crate::time::Timestamp;

/// A dispute about an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dispute {
    /// Its id.
    pub id: DisputeId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// The order.
    pub order_id: OrderId,
    /// The attempt whose money is disputed.
    pub attempt_id: AttemptId,
    /// Id of the channel.
    pub channel: String,
    /// The channel's number of the case; the id where it has none.
    pub number: String,
    /// Why the payer disputes it.
    pub reason: Reason,
    /// Where it stands.
    pub status: DisputeStatus,
    /// What the payer wants back.
    pub money: Money,
    /// What the channel took of it and the books show, minor units: never more than was left of the order.
    pub charged_back: i64,
    /// What the channel gave back of that, minor units.
    pub recovered: i64,
    /// What the channel charges for the case.
    pub fee: Money,
    /// Until when evidence has to be there.
    pub respond_by: Timestamp,
    /// Whether somebody was told that the deadline is near.
    pub reminded: bool,
    /// What the merchant says, with the evidence.
    pub statement: Option<String>,
    /// The files that were submitted, or will be.
    pub evidence: Vec<EvidenceId>,
    /// When evidence was submitted.
    pub submitted_at: Option<Timestamp>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Number of events about it so far.
    pub sequence: i64,
    /// When the worker looks next, wall clock; zero for never.
    pub due_at: Timestamp,
}

document!(Dispute, DisputeId, "dispute", |dispute| Index {
    number: Some(format!("{}:{}", dispute.channel, dispute.number)),
    parent: Some(dispute.order_id.to_string()),
    status: dispute.status.text(),
    at: dispute.created_at,
    due_at: dispute.due_at,
});
document!(Evidence, EvidenceId, "dispute_evidence", |evidence| Index {
    parent: Some(evidence.dispute_id.to_string()),
    at: evidence.created_at,
    ..Index::new("kept")
});
