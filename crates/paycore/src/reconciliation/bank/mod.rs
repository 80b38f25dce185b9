//! Stage 6, the bank's leg: deposits on a bank statement against what the channel's batches come to. A deposit may be one
//! batch or several (N:1), less a wire fee, with refunds taken off; it is cleared only where exactly one explanation
//! exists.

mod clear;
mod file;
mod mt940;
mod subset;
mod xml;

pub use clear::{Cleared, Clearing, Evidence, Terms, clear};
pub use file::{FileError, Format, read};
pub use subset::{CANDIDATES_MAX, Found, subset};

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::time::Timestamp;

/// What a channel owes for one batch, usually a day: payments less refunds, fees and reserve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The channel's name of it, as a remittance text may quote it.
    pub id: String,
    /// What is to arrive; negative where refunds outweigh payments.
    pub net: Money,
    /// When the batch closed.
    pub at: Timestamp,
}

/// One booked entry of a bank statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deposit {
    /// The bank's reference of the entry; empty where it gives none.
    pub id: String,
    /// What arrived, negative for what left.
    pub money: Money,
    /// When it was booked: the start of the day where the bank gives only that, in UTC.
    pub at: Timestamp,
    /// What the sender wrote, and who that is.
    pub text: String,
}
