//! The ledger: a double-entry journal per merchant. A transaction is two or more entries whose debits equal its
//! credits in every currency; nothing is ever edited, only reversed by another transaction.

pub mod chart;
pub mod hold;
pub mod machine;
pub mod period;
pub mod posting;
pub mod rules;
pub mod seal;
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
    /// The instant it counts for, not after the one it was booked at: refused where the books are closed by then.
    pub effective_at: Timestamp,
    /// The transaction that it takes back. One is taken back at most once.
    pub reverses: Option<TransactionId>,
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
    /// How often its terms were changed.
    #[serde(skip)]
    pub version: i64,
    /// By how many minor units debits may exceed credits; null where there is no floor.
    pub overdraft: Option<i64>,
    /// Whether nothing may leave it.
    pub frozen: bool,
}

impl Balance {
    /// An account that nothing was booked on.
    pub fn empty(account: &str, currency: Currency) -> Self {
        Balance {
            account: account.to_owned(),
            currency,
            debits: 0,
            credits: 0,
            version: 0,
            overdraft: chart::has_floor(account).then_some(0),
            frozen: false,
        }
    }

    /// What stands on this side beyond the other, minor units; negative where the other has more. Sums that are not
    /// negative have a difference that fits.
    pub fn on(&self, side: Side) -> i64 {
        match side {
            Side::Debit => self.debits - self.credits,
            Side::Credit => self.credits - self.debits,
        }
    }
}

/// What an account may do, from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountTerms {
    /// The account.
    pub account: String,
    /// The currency.
    pub currency: Currency,
    /// The version of the balance that was read; 0 where there is none.
    pub version: i64,
    /// By how many minor units debits may exceed credits, zero or more; none: no floor. An account of the chart that
    /// has a floor starts with 0.
    pub overdraft: Option<i64>,
    /// Nothing may be debited.
    pub frozen: bool,
}

/// Until when a merchant's books are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Books {
    /// The version that was read; 0 where they were never closed.
    pub version: i64,
    /// Nothing that counts for an instant before this one is booked any more.
    pub closed_until: Timestamp,
}

impl Default for Books {
    fn default() -> Self {
        Books { version: 0, closed_until: Timestamp::ZERO }
    }
}

/// Which of a booking's two instants counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// When it was booked: what the books said then.
    #[default]
    Booked,
    /// The instant it counts for: what the books say about then.
    Effective,
}
