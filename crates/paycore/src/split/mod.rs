//! Profit sharing (分账): a plan says who gets a part of a payment, a split is one order's copy of the plan with what
//! became of it. Shares go through the channel where it can and through the ledger where it cannot.
//!
//! A split keeps the terms it was made with: changing a plan never changes an order.

pub mod compile;
mod object;
pub mod progress;
pub mod reclaim;
pub mod reference;
pub mod rules;
#[cfg(feature = "engine")]
pub mod service;
mod terms;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::SplitPlanId;
pub use object::{Receiver, ReceiverAccount, Request, RequestKind, Share, Split, SplitPlan};
pub use reclaim::{Leg, ShareReturn};

pub use terms::{Band, Base, Condition, OnRefund, Part, ReleaseWhen, Rule, Terms, TierMode, Via};

/// A plan as it was when an order was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The plan.
    pub plan_id: SplitPlanId,
    /// Its edition.
    pub revision: u32,
    /// Its terms.
    pub terms: Terms,
    /// Whether the channel was told at the payment that it will be shared; decided when an attempt starts.
    #[serde(default)]
    pub flagged: bool,
}

/// Parts a plan may have at most.
pub const PARTS_MAX: usize = 500;
/// One whole, in the millionths in which ratios are given.
pub const WHOLE: u32 = 1_000_000;

/// Where the split of an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SplitStatus {
    /// The order is paid; the shares are not worked out yet.
    Waiting,
    /// The shares are known and wait for their release.
    Held,
    /// Requests are with the channel, or are about to be.
    Sharing,
    /// Every share was given or is settled otherwise; nothing more will be shared.
    Finished,
    /// It could not be done as the plan demands and waits for a person.
    Blocked,
}

impl SplitStatus {
    /// Every value.
    pub const ALL: &'static [SplitStatus] = &[
        SplitStatus::Waiting,
        SplitStatus::Held,
        SplitStatus::Sharing,
        SplitStatus::Finished,
        SplitStatus::Blocked,
    ];

    /// The word used in the API and the database.
    pub fn text(self) -> &'static str {
        match self {
            SplitStatus::Waiting => "waiting",
            SplitStatus::Held => "held",
            SplitStatus::Sharing => "sharing",
            SplitStatus::Finished => "finished",
            SplitStatus::Blocked => "blocked",
        }
    }
}

/// Where a request to a channel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// Durable; the channel's answer is not seen yet.
    Sending,
    /// The answer is lost or not understood. Only a query leads on.
    Unknown,
    /// The channel works on it.
    Pending,
    /// Done.
    Succeeded,
    /// A definite no.
    Failed,
}

impl RequestStatus {
    /// Whether the channel may still change it.
    pub fn is_open(self) -> bool {
        !matches!(self, RequestStatus::Succeeded | RequestStatus::Failed)
    }
}
