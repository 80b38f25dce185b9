//! SQLite and PostgreSQL stores for paycore: all SQL of the product, and nothing else.
//!
//! ```no_run
//! # async fn run() -> Result<(), paycore_store::OpenError> {
//! paycore_store::migrate("sqlite:paycore.db").await?;
//! let store = paycore_store::open("sqlite:paycore.db").await?;
//! # Ok(()) }
//! ```
//!
//! Both engines run one set of SQL texts and one migration tree (columns are TEXT or BIGINT). A commit is turned
//! into bound rows on the caller's task (`write`), joins the commits of others in one transaction and one flush
//! to disk (`driver`), and is acknowledged only after that. Each slice's file holds its literal SQL beside its
//! row mapping.
//!
//! # SQLite
//! One writer thread, WAL, `synchronous=FULL`. Reads take microseconds and run on the calling task. After an
//! IO error of the disk the writer stops and every later commit is refused until the program is restarted:
//! nothing is acknowledged that a failed flush may have lost. A full disk refuses commits until there is room.
//!
//! # PostgreSQL
//! A writer task sends batches as arrays, one statement per table. A server with `fsync` or
//! `synchronous_commit` off is refused. Connections are plain: reach a remote server through a private network,
//! a tunnel or a local proxy.

mod account;
mod audit;
#[cfg(feature = "bench")]
pub mod bench;
mod document;
mod driver;
mod epay;
mod error;
mod event;
mod exception;
mod idempotency;
mod ledger;
mod link;
mod merchant;
mod order;
mod queue;
mod read;
mod refund;
mod sandbox;
mod scan;
mod schema;
mod sql_store;
mod statement;
mod webhook;
mod write;

use std::sync::Arc;

use paycore::verify::Verifiable;

pub use driver::postgres::PostgresStore;
pub use driver::sqlite::SqliteStore;
pub use error::OpenError;
pub use schema::SCHEMA_VERSION;
pub use sql_store::{Driver, SqlStore};

/// Opens a store whose schema is up to date: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`.
///
/// A schema newer than this program's is accepted: migrations only add, so that two versions can run side by
/// side.
///
/// # Errors
/// [`OpenError`]; in particular `Schema` where [`migrate`] has to run first.
pub async fn open(address: &str) -> Result<Arc<dyn Verifiable>, OpenError> {
    let found = schema_version(address).await?;
    if found < SCHEMA_VERSION {
        return Err(OpenError::Schema { found, wanted: SCHEMA_VERSION });
    }
    Ok(match Address::parse(address)? {
        Address::Sqlite(path) => Arc::new(SqliteStore::open(path)?),
        Address::Postgres(config) => Arc::new(PostgresStore::connect(config).await?),
    })
}

/// Brings the schema up to date and says which version it has then. Safe to run twice, at once, or again after
/// it was killed.
///
/// # Errors
/// [`OpenError`].
pub async fn migrate(address: &str) -> Result<i64, OpenError> {
    match Address::parse(address)? {
        Address::Sqlite(path) => driver::sqlite::migrate(path),
        Address::Postgres(config) => driver::postgres::migrate(config).await,
    }
}

/// The version of the schema; 0 for an empty database. Creates nothing.
///
/// # Errors
/// [`OpenError`].
pub async fn schema_version(address: &str) -> Result<i64, OpenError> {
    match Address::parse(address)? {
        Address::Sqlite(path) => driver::sqlite::schema_version(path),
        Address::Postgres(config) => driver::postgres::schema_version(config).await,
    }
}

/// Where a store is.
enum Address<'a> {
    /// A file.
    Sqlite(&'a str),
    /// A connection string.
    Postgres(&'a str),
}

impl<'a> Address<'a> {
    fn parse(address: &'a str) -> Result<Self, OpenError> {
        let path = address.strip_prefix("sqlite://").or_else(|| address.strip_prefix("sqlite:"));
        if let Some(path) = path.filter(|path| !path.is_empty() && !path.starts_with(':')) {
            return Ok(Address::Sqlite(path));
        }
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            return Ok(Address::Postgres(address));
        }
        // The address may hold a password: only its beginning is shown.
        Err(OpenError::Address(address.chars().take_while(|c| *c != ':').take(20).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_file_or_a_server() {
        let sqlite = |address| matches!(Address::parse(address), Ok(Address::Sqlite("a/b.db")));
        assert!(sqlite("sqlite:a/b.db") && sqlite("sqlite://a/b.db"));
        assert!(matches!(Address::parse("postgres://u@h/d"), Ok(Address::Postgres("postgres://u@h/d"))));
        for wrong in ["", "sqlite:", "sqlite::memory:", "mysql://root:secret@h/d", "paycore.db"] {
            assert!(matches!(Address::parse(wrong), Err(OpenError::Address(_))), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_address_is_named_without_its_password() {
        let Err(error) = Address::parse("mysql://root:secret@h/d") else { panic!("must be refused") };
        assert!(!error.to_string().contains("secret"));
    }
}
