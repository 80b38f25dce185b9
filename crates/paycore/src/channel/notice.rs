//! Notifications from a channel.

use bytes::Bytes;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::channel::Outcome;
use crate::money::Money;
use crate::time::Timestamp;

/// A notification exactly as it arrived: method, path and query, headers, body bytes.
pub type Notice = http::Request<Bytes>;

/// A notification that was verified and read.
#[derive(Debug)]
pub struct Verified {
    /// What it says. The engine binds each report to an attempt or refund of the same account, amount and
    /// currency before believing it.
    pub reports: Vec<Report>,
    /// Sent to the channel only after the commit.
    pub reply: http::Response<Bytes>,
}

/// One statement about a payment, refund, transfer, mandate or dispute.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What it is about.
    pub subject: Subject,
    /// Our reference of it.
    pub reference: String,
    /// What the channel says.
    pub outcome: Outcome,
}

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An attempt.
    Payment,
    /// A refund.
    Refund,
    /// A transfer.
    Transfer,
    /// A share.
    Share,
    /// The return of a share.
    ShareReturn,
    /// A mandate. Succeeded: the payer has signed it, and the outcome's `channel_id` is the channel's own id of it. Declined:
    /// it was signed and has ended.
    Mandate,
    /// A dispute of a payment. The report's reference is that of the payment; the outcome's `channel_id` is the channel's
    /// number of the case. Pending with `money`: it was opened for that much. Succeeded: decided for the merchant, who got
    /// `money` back, or all where it is absent. Declined: decided for the payer.
    Dispute(Case),
}

/// What a channel says of a dispute beside its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// Why the payer disputes the payment.
    pub reason: DisputeReason,
    /// What the channel charges for it.
    pub fee: Money,
    /// Until when it wants evidence.
    pub respond_by: Timestamp,
}

/// Why a payer disputes a payment; the schemes' many codes in eight classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisputeReason {
    /// The owner of the account did not make the payment.
    Fraudulent,
    /// Goods or services did not arrive.
    NotReceived,
    /// They are not as they were described.
    NotAsDescribed,
    /// Charged twice.
    Duplicate,
    /// A refund was promised and did not come.
    CreditNotProcessed,
    /// A subscription had been cancelled.
    SubscriptionCancelled,
    /// The amount, currency or account is wrong.
    ProcessingError,
    /// Anything else.
    General,
}
