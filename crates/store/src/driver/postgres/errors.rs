//! PostgreSQL's errors in the store's words.

use paycore::store::{CommitError, StoreError};
use tokio_postgres::error::{DbError, SqlState};

use super::connection::Error;
use crate::error::{broken as broken_rule, duplicate};

/// What a failed statement means for the transaction it was in.
#[derive(Debug)]
pub(super) enum Failure {
    /// A commit breaks a rule; the others are well.
    Commit(CommitError),
    /// Another transaction was in the way: the same again may succeed.
    Again(StoreError),
    /// The engine cannot write, or it is not known whether it did.
    Engine(StoreError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let Some(database) = error.as_db_error() else { return Failure::Engine(store_error(error)) };
        let code = database.code();
        if let Some(commit) = broken(database) {
            Failure::Commit(commit)
        } else if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code) {
            Failure::Again(store_error(error))
        } else {
            Failure::Engine(store_error(error))
        }
    }
}

/// The rule a row breaks, if that is what the server says.
fn broken(error: &DbError) -> Option<CommitError> {
    let rule = || error.constraint().unwrap_or_else(|| error.message()).to_owned();
    let code = error.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        return Some(unique(error.table().unwrap_or_default(), error.constraint().unwrap_or_default()));
    }
    let rules = [
        SqlState::CHECK_VIOLATION,
        SqlState::NOT_NULL_VIOLATION,
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
        // Two rows of one batch are the same row: each alone may be well.
        SqlState::CARDINALITY_VIOLATION,
    ];
    rules.contains(code).then(|| broken_rule(&rule()))
}

/// A broken key: the indexes are named `table_column` after the column that tells rows apart.
fn unique(table: &str, index: &str) -> CommitError {
    let column = index.strip_prefix(table).unwrap_or_default().trim_start_matches('_');
    match (table, column) {
        ("transactions", "event") => duplicate(table, "event_id"),
        ("exceptions", "open") => duplicate(table, "object_id"),
        _ => duplicate(table, column),
    }
}

/// The engine's answer as the store's. It names what went wrong, never a value.
pub(super) fn store_error(error: Error) -> StoreError {
    match error.as_db_error() {
        Some(database) => {
            StoreError(format!("PostgreSQL: {} ({})", database.message(), database.code().code()))
        }
        None => StoreError(format!("PostgreSQL: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_key_is_named_by_its_index() {
        assert_eq!(unique("orders", "orders_number"), CommitError::Duplicate("number"));
        assert_eq!(unique("orders", "orders_pkey"), CommitError::Duplicate("id"));
        assert_eq!(unique("attempts", "attempts_reference"), CommitError::Duplicate("reference"));
        assert_eq!(unique("api_keys", "api_keys_hash"), CommitError::Duplicate("hash"));
        assert_eq!(unique("transactions", "transactions_event"), CommitError::Duplicate("event_id"));
        assert_eq!(unique("events", "events_sequence"), CommitError::Duplicate("sequence"));
        assert_eq!(unique("exceptions", "exceptions_open"), CommitError::Duplicate("exception"));
    }
}
