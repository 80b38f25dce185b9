//! What can go wrong when a store is opened, and how the engines' errors become the store's.

use paycore::store::{CommitError, StoreError};

/// Why a store could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address is neither `sqlite:path` nor `postgres://…`.
    #[error("`{0}` is not the address of a store; use sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE")]
    Address(String),
    /// The engine is set up so that it may lose what it acknowledged. Money is refused.
    #[error("refusing to keep money here: {0}")]
    Unsafe(String),
    /// The schema is older than this program needs. Run the migrations first.
    #[error("the schema is at version {found}, this program needs {wanted}: run the migrations first")]
    Schema {
        /// What is there; 0 for an empty database.
        found: i64,
        /// What is needed.
        wanted: i64,
    },
    /// The engine cannot be reached or answers with an error.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A broken uniqueness rule as the word of [`CommitError::Duplicate`], from the table and the last column of
/// the key.
pub(crate) fn duplicate(table: &str, column: &str) -> CommitError {
    CommitError::Duplicate(match (table, column) {
        (_, "number") => "number",
        (_, "reference") => "reference",
        (_, "hash") => "hash",
        (_, "pid") => "pid",
        ("transactions", "event_id") => "event_id",
        ("transactions", "reverses") => "reverses",
        ("events", "sequence") => "sequence",
        ("events", "position") => "position",
        ("exceptions", "object_id") => "exception",
        _ => "id",
    })
}

/// A broken rule of a table, from the rule's name.
pub(crate) fn broken(rule: &str) -> CommitError {
    match rule {
        "balances_floor" => CommitError::Floor,
        "balances_frozen" => CommitError::Frozen,
        _ => CommitError::Broken(rule.to_owned()),
    }
}
