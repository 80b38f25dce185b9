//! SQLite's errors in the store's words.

use paycore::store::{CommitError, StoreError};
use rusqlite::{Error, ErrorCode, ffi};

use crate::error::{OpenError, broken, duplicate};

/// What a failed statement means.
pub(super) enum Failure {
    /// This commit breaks a rule; the others are well.
    Commit(CommitError),
    /// The engine cannot write: nobody's commit stands.
    Engine(Error),
}

impl Failure {
    /// Tells a broken constraint from a broken engine.
    pub(super) fn of(error: Error) -> Failure {
        match &error {
            Error::SqliteFailure(code, message) if code.code == ErrorCode::ConstraintViolation => {
                Failure::Commit(constraint(code.extended_code, message.as_deref().unwrap_or_default()))
            }
            _ => Failure::Engine(error),
        }
    }
}

/// A broken constraint. The message of a broken key lists its columns: `orders.merchant_id, orders.number`.
fn constraint(code: i32, message: &str) -> CommitError {
    let rule = message.rsplit_once(": ").map_or(message, |(_, rule)| rule);
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
            let (table, column) =
                rule.rsplit(", ").next().and_then(|last| last.split_once('.')).unwrap_or_default();
            duplicate(table, column)
        }
        _ => broken(rule),
    }
}

/// Whether the disk itself failed. What the kernel did with the pages then is not known, and a later flush that
/// succeeds proves nothing about them: nothing more may be acknowledged over this file.
pub(super) fn is_fatal(error: &Error) -> bool {
    let Error::SqliteFailure(code, _) = error else { return false };
    matches!(code.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        || [
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_IOERR_DIR_FSYNC,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_IOERR_READ,
            ffi::SQLITE_IOERR_SHORT_READ,
            ffi::SQLITE_IOERR_CORRUPTFS,
            ffi::SQLITE_IOERR_DATA,
        ]
        .contains(&code.extended_code)
}

/// Whether there is no room on the disk.
pub(super) fn is_full(error: &Error) -> bool {
    let Error::SqliteFailure(code, _) = error else { return false };
    code.code == ErrorCode::DiskFull || code.extended_code == ffi::SQLITE_IOERR_SHMSIZE
}

/// The engine's answer as the store's.
pub(super) fn store_error(error: &Error) -> StoreError {
    StoreError(format!("SQLite: {error}"))
}

/// The engine's answer while opening.
pub(super) fn open_error(error: Error) -> OpenError {
    OpenError::Store(store_error(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_key_is_named_by_its_last_column() {
        let message =
            "UNIQUE constraint failed: attempts.merchant_id, attempts.account_id, attempts.reference";
        assert_eq!(constraint(ffi::SQLITE_CONSTRAINT_UNIQUE, message), CommitError::Duplicate("reference"));
        let message = "UNIQUE constraint failed: orders.merchant_id, orders.id";
        assert_eq!(constraint(ffi::SQLITE_CONSTRAINT_PRIMARYKEY, message), CommitError::Duplicate("id"));
        let message = "UNIQUE constraint failed: api_keys.hash";
        assert_eq!(constraint(ffi::SQLITE_CONSTRAINT_UNIQUE, message), CommitError::Duplicate("hash"));
    }

    #[test]
    fn a_broken_check_is_named_by_its_rule() {
        let message = "CHECK constraint failed: orders_refunded";
        assert_eq!(
            constraint(ffi::SQLITE_CONSTRAINT_CHECK, message),
            CommitError::Broken("orders_refunded".into())
        );
    }

    #[test]
    fn a_failed_flush_is_fatal_and_a_full_disk_is_not() {
        let error = |code| Error::SqliteFailure(ffi::Error::new(code), None);
        assert!(is_fatal(&error(ffi::SQLITE_IOERR_FSYNC)) && is_fatal(&error(ffi::SQLITE_CORRUPT)));
        assert!(!is_fatal(&error(ffi::SQLITE_FULL)) && !is_fatal(&error(ffi::SQLITE_BUSY)));
    }
}
