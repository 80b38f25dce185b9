//! Exceptions: what paycore cannot settle by itself and shows to a person instead of guessing.

#[cfg(feature = "engine")]
pub mod service;
#[cfg(feature = "engine")]
mod store;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(feature = "engine")]
pub use store::Exceptions;

use crate::id::ExceptionId;
use crate::time::Timestamp;

/// Something that waits for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Exception {
    /// Its id.
    pub id: ExceptionId,
    /// 0 before it is first stored, then +1 per change.
    pub version: i64,
    /// What kind of trouble.
    pub kind: ExceptionKind,
    /// The order, refund or attempt it is about. One exception per kind and object is open at a time.
    pub object_id: String,
    /// The facts, for a person.
    pub detail: String,
    /// Set once someone dealt with it.
    pub resolved_at: Option<Timestamp>,
    /// What was done.
    pub resolution: Option<String>,
    /// When it was opened.
    pub created_at: Timestamp,
}

/// What kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExceptionKind {
    /// The channel reports another amount or currency than was asked for.
    AmountMismatch,
    /// The channel contradicts a final state, such as a failure after a success.
    Contradiction,
    /// The outcome stayed unknown for longer than the sweep asks.
    Unresolved,
    /// Money arrived for an order that no longer wants it and could not be given back automatically.
    LatePayment,
    /// A second attempt of the same order was paid too.
    DoublePayment,
    /// A payout is large, or the payouts of a day are.
    LargePayout,
    /// Shares could not be given as the plan demands.
    ShareFailed,
    /// A dispute has to be answered within a day.
    DisputeDue,
    /// A channel disputes more than is left of the order.
    DisputeExcess,
    /// A merchant owes after a settlement.
    NegativeBalance,
    /// What a settlement pays cannot be converted for now.
    ConversionWaiting,
}

impl ExceptionKind {
    /// Every kind.
    pub const ALL: &'static [ExceptionKind] = &[
        ExceptionKind::AmountMismatch,
        ExceptionKind::Contradiction,
        ExceptionKind::Unresolved,
        ExceptionKind::LatePayment,
        ExceptionKind::DoublePayment,
        ExceptionKind::LargePayout,
        ExceptionKind::ShareFailed,
        ExceptionKind::DisputeDue,
        ExceptionKind::DisputeExcess,
        ExceptionKind::NegativeBalance,
        ExceptionKind::ConversionWaiting,
    ];

    /// The word used in the API and the database.
    pub fn text(self) -> &'static str {
        match self {
            ExceptionKind::AmountMismatch => "amount_mismatch",
            ExceptionKind::Contradiction => "contradiction",
            ExceptionKind::Unresolved => "unresolved",
            ExceptionKind::LatePayment => "late_payment",
            ExceptionKind::DoublePayment => "double_payment",
            ExceptionKind::LargePayout => "large_payout",
            ExceptionKind::ShareFailed => "share_failed",
            ExceptionKind::DisputeDue => "dispute_due",
            ExceptionKind::DisputeExcess => "dispute_excess",
            ExceptionKind::NegativeBalance => "negative_balance",
            ExceptionKind::ConversionWaiting => "conversion_waiting",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.text() == text)
    }
}
