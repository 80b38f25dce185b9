//! The ledger: a double-entry journal per merchant. A transaction is two or more entries whose debits equal its
//! credits in every currency; nothing is ever edited, only reversed by another transaction.

pub mod rules;
#[cfg(feature = "engine")]
pub mod service;
#[cfg(feature = "engine")]
mod store;
pub mod templates;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(feature = "engine")]
pub use store::{Ledger, TransactionFilter};

use crate::currency::Currency;
use crate::event::Movement;
use crate::id::{EventId, OrderId, RefundId, TransactionId};
use crate::money::Money;
use crate::time::Timestamp;

/// One balanced journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// Its id.
    pub id: TransactionId,
    /// What moved, and so the posting template that made it.
    pub kind: Movement,
    /// The event it books. An event is booked at most once.
    pub event_id: EventId,
    /// The order it is about.
    pub order_id: Option<OrderId>,
    /// The refund it is about.
    pub refund_id: Option<RefundId>,
    /// The amount of its first part.
    pub money: Money,
    /// When it was booked.
    pub created_at: Timestamp,
    /// Its entries, at least two.
    pub entries: Vec<Entry>,
}

/// One line of a journal. The amount is positive; the side gives the direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// The account, such as `channel_receivable:alipay` or `merchant_pending`.
    pub account: String,
    /// Debit or credit.
    pub side: Side,
    /// How much, positive minor units with the currency.
    #[serde(flatten)]
    pub money: Money,
}

/// Debit or credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Left.
    Debit,
    /// Right.
    Credit,
}

/// What stands on one account in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Balance {
    /// The account.
    pub account: String,
    /// The currency.
    pub currency: Currency,
    /// Sum of all debits, minor units.
    pub debits: i64,
    /// Sum of all credits, minor units.
    pub credits: i64,
}
