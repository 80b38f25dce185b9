//! PostgreSQL: a writer task that sends batches as arrays, and a few connections that read.

mod batch;
mod connection;
mod errors;
pub(crate) mod sets;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use paycore::store::{CommitError, Due, Read, StoreError};
use tokio::sync::Mutex;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::error::SqlState;

use crate::error::OpenError;
use crate::queue;
use crate::read::{Columns, Row, Select};
use crate::schema;
use crate::sql_store::{Commit, Driver, Map, Query, SqlStore, sealed};
use connection::Connection;
use errors::store_error;
use writer::Writer;

/// A store in one PostgreSQL database.
pub type PostgresStore = SqlStore<Postgres>;

/// Connections that read. Many reads share one at a time: they are sent without waiting for each other.
const READERS: usize = 4;
/// How long a connection may take to be made, and a silent peer to be given up.
const PATIENCE: Duration = Duration::from_secs(5);
/// Two programs that migrate at once meet at most this often.
const MIGRATION_TRIES: usize = 10;

/// The engine.
pub struct Postgres {
    config: Arc<Config>,
    writer: Writer,
    readers: Vec<Mutex<Option<Arc<Connection>>>>,
    next_reader: AtomicUsize,
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("readers", &self.readers.len()).finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects to a database whose schema is up to date. Must be called inside a tokio runtime, which then
    /// carries the connections.
    ///
    /// # Errors
    /// [`OpenError::Unsafe`] where the server may lose what it acknowledged.
    pub async fn connect(address: &str) -> Result<Self, OpenError> {
        let config = Arc::new(parse(address)?);
        let first = Connection::open(&config).await?;
        require_durability(&first).await?;
        let writer = Writer::start(Arc::clone(&config));
        let mut readers: Vec<_> = (1..READERS).map(|_| Mutex::new(None)).collect();
        readers.push(Mutex::new(Some(Arc::new(first))));
        Ok(SqlStore::new(Postgres { config, writer, readers, next_reader: AtomicUsize::new(0) }))
    }
}

impl sealed::Sealed for Postgres {}

impl Driver for Postgres {
    async fn commit(&self, Commit(rows): Commit) -> Result<(), CommitError> {
        self.writer.commit(rows).await
    }

    async fn select<T: Send + 'static>(&self, Query(select): Query, Map(map): Map<T>) -> Read<Vec<T>> {
        let rows = self.query_again(&select).await?;
        rows.iter().map(|row| map(&mut Row::new(Columns::Postgres(row)))).collect()
    }

    async fn lease(&self, Query(mut select): Query) -> Read<Vec<Due>> {
        // Workers that ask at once need not wait for each other's rows.
        select.sql = select.sql.replace("LIMIT $3)", "LIMIT $3 FOR UPDATE SKIP LOCKED)").into();
        let rows = match tokio::time::timeout(2 * PATIENCE, self.query(&select)).await {
            Ok(rows) => rows.map_err(store_error)?,
            Err(_) => return Err(StoreError("PostgreSQL: no answer in time".into())),
        };
        rows.iter().map(|row| queue::due(&mut Row::new(Columns::Postgres(row)))).collect()
    }

    async fn probe(&self) -> Read<()> {
        self.writer.probe().await
    }
}

impl Postgres {
    async fn query(&self, select: &Select) -> Result<Vec<tokio_postgres::Row>, connection::Error> {
        let at = self.next_reader.fetch_add(1, Ordering::Relaxed) % READERS;
        let connection = {
            let mut slot = self.readers[at].lock().await;
            match slot.as_ref().filter(|connection| !connection.is_closed()) {
                Some(connection) => Arc::clone(connection),
                None => Arc::clone(slot.insert(Arc::new(Connection::open(&self.config).await?))),
            }
        };
        connection.query(select).await
    }

    /// [`Postgres::query`], once more where the server had closed the connection, which is noticed only when it is
    /// used.
    async fn query_again(&self, select: &Select) -> Read<Vec<tokio_postgres::Row>> {
        let twice = async {
            match self.query(select).await {
                Err(error) if error.is_closed() => self.query(select).await,
                result => result,
            }
        };
        match tokio::time::timeout(2 * PATIENCE, twice).await {
            Ok(rows) => rows.map_err(store_error),
            Err(_) => Err(StoreError("PostgreSQL: no answer in time".into())),
        }
    }
}

/// Applies the pending migrations, each in a transaction.
pub(crate) async fn migrate(address: &str) -> Result<i64, OpenError> {
    let connection = Connection::open(&parse(address)?).await?;
    // A large index takes its time.
    connection.batch("SET statement_timeout = 0").await?;
    let mut tries = 0;
    loop {
        match apply(&connection).await {
            Ok(version) => return Ok(version),
            // Another program migrates at the same time: look again at what is left to do.
            Err(error) if tries < MIGRATION_TRIES && error.code().is_some_and(is_collision) => {
                tries += 1;
                let _ = connection.batch("ROLLBACK").await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => return Err(store_error(error).into()),
        }
    }
}

async fn apply(connection: &Connection) -> Result<i64, connection::Error> {
    connection.batch(&sets::with_plain_order(schema::TABLE)).await?;
    let mut current = version(connection).await?;
    for migration in schema::pending(current) {
        connection.batch("BEGIN").await?;
        // Noting it first makes a second program wait here until this one is done, and then fail.
        let name: &(dyn tokio_postgres::types::ToSql + Sync) = &migration.name;
        connection.execute(schema::NOTE, &[&migration.version, name]).await?;
        connection.batch(&sets::with_plain_order(migration.sql)).await?;
        connection.batch("COMMIT").await?;
        current = migration.version;
    }
    Ok(current)
}

fn is_collision(code: &SqlState) -> bool {
    [
        &SqlState::UNIQUE_VIOLATION,
        &SqlState::DUPLICATE_TABLE,
        &SqlState::DUPLICATE_OBJECT,
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
    ]
    .contains(&code)
}

/// The version of the schema; 0 where there is none.
pub(crate) async fn schema_version(address: &str) -> Result<i64, OpenError> {
    let connection = Connection::open(&parse(address)?).await?;
    match version(&connection).await {
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(0),
        result => Ok(result.map_err(store_error)?),
    }
}

async fn version(connection: &Connection) -> Result<i64, connection::Error> {
    let rows = connection.query(&Select::new(schema::CURRENT)).await?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}

fn parse(address: &str) -> Result<Config, OpenError> {
    let mut config: Config = address.parse().map_err(|_| OpenError::Address("postgres".into()))?;
    config.connect_timeout(PATIENCE).tcp_user_timeout(PATIENCE).keepalives_idle(PATIENCE);
    // Of several hosts the primary: a standby cannot write, and what it shows may be old.
    config.application_name("paycore").target_session_attrs(TargetSessionAttrs::ReadWrite);
    match config.get_hosts().iter().find(|host| !is_local(host)) {
        Some(Host::Tcp(host)) if config.get_ssl_mode() != SslMode::Disable => {
            Err(OpenError::Unsafe(format!(
                "the connection to {host} would not be encrypted; use a tunnel, or say sslmode=disable where the network \
             is private"
            )))
        }
        _ => Ok(config),
    }
}

/// Whether what is sent there never leaves this machine.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

/// Money is kept only where an acknowledged commit survives a crash of the server.
async fn require_durability(connection: &Connection) -> Result<(), OpenError> {
    for (setting, danger) in [
        ("fsync", "it loses or corrupts data when the machine stops"),
        ("synchronous_commit", "it acknowledges commits before they are on disk"),
        ("full_page_writes", "a torn page cannot be repaired after a crash"),
    ] {
        let select = Select::new("SELECT current_setting($1)").bind(setting);
        let rows = connection.query(&select).await.map_err(store_error)?;
        if rows.first().is_none_or(|row| row.get::<_, &str>(0) == "off") {
            return Err(OpenError::Unsafe(format!("the server has {setting} off: {danger}")));
        }
    }
    Ok(())
}

/// The error of a store whose writer is gone.
fn stopped() -> StoreError {
    StoreError("the writer has stopped".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_on_this_machine_may_go_without_encryption() {
        for local in [
            "postgres://u@localhost/d",
            "postgres://u@127.0.0.1:5/d",
            "postgres://u@[::1]/d",
            "postgres:///d?host=/run",
        ] {
            assert!(parse(local).is_ok(), "{local}");
        }
        for remote in
            ["postgres://u:p@db.example/d", "postgres://u@10.0.0.1/d", "postgres://u@localhost,db.example/d"]
        {
            assert!(matches!(parse(remote), Err(OpenError::Unsafe(_))), "{remote}");
            assert!(parse(&format!("{remote}?sslmode=disable")).is_ok(), "{remote}");
        }
        assert!(
            matches!(parse("postgres://u:secret@h/d?nonsense=1"), Err(OpenError::Address(text)) if text == "postgres")
        );
    }
}
