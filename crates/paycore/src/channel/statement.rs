//! One canonical line type for every channel's statement files.

use crate::money::Money;
use crate::time::Timestamp;

/// One line of a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Payment or refund.
    pub kind: LineKind,
    /// Our reference of the attempt; empty where the statement names a refund by its own reference only.
    pub reference: String,
    /// Our reference of the refund, on refund lines that carry it.
    pub refund_reference: Option<String>,
    /// The channel's own id of the payment.
    pub channel_id: String,
    /// Gross amount, positive for payments and refunds alike.
    pub money: Money,
    /// What the channel keeps; negative where it gives a fee back.
    pub fee: Money,
    /// When it happened, by the channel's clock.
    pub at: Timestamp,
}

/// What a statement line records. The last five are found in statements of funds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LineKind {
    /// Money came in.
    Payment,
    /// Money went back.
    Refund,
    /// What the channel took for its service, or gave back of that.
    Fee,
    /// A share went to a receiver, or came back from one.
    Share,
    /// Money was paid out to somebody.
    Transfer,
    /// The balance was paid to the merchant's bank account, or filled from there.
    Withdrawal,
    /// Anything else that moved the balance.
    Other,
}

/// What the file's own footer says, checked by the parser against the lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of payment lines.
    pub payments: u64,
    /// Number of refund lines.
    pub refunds: u64,
}
