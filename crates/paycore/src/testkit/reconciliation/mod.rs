//! Two sides made from a hidden truth, with every kind of fault, and how well a matcher finds the truth again. The same
//! sets serve the tests and the bench; simple matchers stand beside ours for comparison.

mod baseline;
mod deposits;
mod generate;
mod score;

pub use baseline::{drift_scan, exact_only};
pub use deposits::{Deposits, deposits};
pub use generate::{Recipe, generate, shuffled};
pub use score::{Score, score};

use crate::reconciliation::matching::{Book, Differences};

/// What really happened. Indices are those of the books; `u32::MAX` is nobody.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// Of every line the row of ours that it records; nobody's for orphans and copies.
    pub line_of: Vec<u32>,
    /// Of every line the row it is a copy of.
    pub copy_of: Vec<u32>,
    /// What is wrong with every row of ours; with the lines that nobody made the same set says so.
    pub faults: Vec<Differences>,
}

/// Two sides and the truth.
#[derive(Debug, Clone, Default)]
pub struct Set {
    /// What we believe.
    pub ours: Book,
    /// What the file says.
    pub theirs: Book,
    /// What is true.
    pub truth: Truth,
}
