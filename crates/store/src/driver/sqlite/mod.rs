//! SQLite: one writer thread that folds waiting commits into one transaction, and a few connections that read.

mod errors;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use paycore::store::{CommitError, Due, Read, StoreError};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, OptionalExtension, ToSql};

use crate::error::OpenError;
use crate::read::{Columns, Row, Select, Value};
use crate::schema;
use crate::sql_store::{Commit, Driver, Map, Query, SqlStore, sealed};
use errors::{open_error, store_error};
use writer::Writer;

/// A store in one SQLite file.
pub type SqliteStore = SqlStore<Sqlite>;

/// How long another process may hold the file before a commit gives up.
const BUSY: Duration = Duration::from_secs(5);
/// Reads run on the calling threads, of which a server has about as many as processors.
const READERS: usize = 4;
const CACHED_STATEMENTS: usize = 64;

/// The engine. Reads run on the calling task: they find their rows in the page cache in microseconds, less than
/// a hop to another thread and back would cost, and they never wait for the writer.
pub struct Sqlite {
    writer: Writer,
    readers: Vec<Mutex<Connection>>,
    next_reader: AtomicUsize,
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sqlite").field("readers", &self.readers.len()).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens a file whose schema is up to date.
    ///
    /// # Errors
    /// [`OpenError::Unsafe`] where the file system cannot hold a write-ahead log, else what SQLite says.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let writer = Writer::start(connect(path)?, path).map_err(open_error)?;
        let readers = (0..READERS).map(|_| reader(path).map(Mutex::new)).collect::<Result<_, _>>();
        let readers = readers.map_err(open_error)?;
        Ok(SqlStore::new(Sqlite { writer, readers, next_reader: AtomicUsize::new(0) }))
    }
}

impl sealed::Sealed for Sqlite {}

impl Driver for Sqlite {
    async fn commit(&self, Commit(rows): Commit) -> Result<(), CommitError> {
        self.writer.commit(rows).await
    }

    async fn select<T: Send + 'static>(&self, Query(select): Query, Map(map): Map<T>) -> Read<Vec<T>> {
        rows(&self.reader(), &select, map).map_err(|unread| match unread {
            Unread::Engine(error) => store_error(&error),
            Unread::Row(error) => error,
        })
    }

    async fn lease(&self, Query(select): Query) -> Read<Vec<Due>> {
        self.writer.lease(select).await
    }

    async fn probe(&self) -> Read<()> {
        self.writer.probe().await
    }
}

impl Sqlite {
    /// A connection that nobody uses, or the next one in turn.
    fn reader(&self) -> MutexGuard<'_, Connection> {
        let first = self.next_reader.fetch_add(1, Ordering::Relaxed);
        let mut turns = (0..READERS).map(|turn| &self.readers[first.wrapping_add(turn) % READERS]);
        let free = turns.find_map(|reader| reader.try_lock().ok());
        // A reader that panicked left no transaction open: every read is one statement.
        free.unwrap_or_else(|| self.readers[first % READERS].lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Applies the pending migrations, each in a transaction.
pub(crate) fn migrate(path: &str) -> Result<i64, OpenError> {
    let connection = connect(Path::new(path))?;
    let apply = || -> rusqlite::Result<i64> {
        connection.execute_batch(schema::TABLE)?;
        let mut current = version(&connection)?;
        for migration in schema::pending(current) {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            // Another process may have applied it between the look and the lock.
            if version(&connection)? < migration.version {
                connection.execute_batch(migration.sql)?;
                connection.execute(&numbered(schema::NOTE), (migration.version, migration.name))?;
            }
            connection.execute_batch("COMMIT")?;
            current = migration.version;
        }
        Ok(current)
    };
    apply().map_err(open_error)
}

/// The version of the schema; 0 where there is no file or no schema.
pub(crate) fn schema_version(path: &str) -> Result<i64, OpenError> {
    if !Path::new(path).exists() {
        return Ok(0);
    }
    let connection = reader(Path::new(path)).map_err(open_error)?;
    let known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'";
    let known = connection.query_row(known, (), |_| Ok(())).optional().map_err(open_error)?;
    match known {
        Some(()) => version(&connection).map_err(open_error),
        None => Ok(0),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row(schema::CURRENT, (), |row| row.get(0))
}

/// A connection that writes, durable before anything is acknowledged.
fn connect(path: &Path) -> Result<Connection, OpenError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(open_error)?;
    let set_up = || -> rusqlite::Result<String> {
        connection.busy_timeout(BUSY)?;
        let mode = connection.query_row("PRAGMA journal_mode = WAL", (), |row| row.get::<_, String>(0))?;
        // NORMAL loses acknowledged commits when the power fails: it does not flush the log on commit.
        connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF",
        )?;
        connection.execute_batch("PRAGMA cache_size = -65536; PRAGMA cell_size_check = ON")?;
        // The writer copies the log back itself, after it acknowledged and where it sees the errors.
        connection.query_row("PRAGMA wal_autocheckpoint = 0", (), |_| Ok(()))?;
        Ok(mode)
    };
    let mode = set_up().map_err(open_error)?;
    if mode != "wal" {
        return Err(OpenError::Unsafe(format!(
            "the journal mode stays {mode} where a write-ahead log is needed"
        )));
    }
    Ok(connection)
}

fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -16384")?;
    Ok(connection)
}

/// Why rows could not be read.
enum Unread {
    /// The engine's error.
    Engine(rusqlite::Error),
    /// A row holds what it cannot hold.
    Row(StoreError),
}

impl From<rusqlite::Error> for Unread {
    fn from(error: rusqlite::Error) -> Self {
        Unread::Engine(error)
    }
}

/// Runs a statement that returns rows.
fn rows<T>(
    connection: &Connection,
    select: &Select,
    map: fn(&mut Row<'_>) -> Read<T>,
) -> Result<Vec<T>, Unread> {
    let mut statement = connection.prepare_cached(&numbered(&select.sql))?;
    for (at, value) in select.values.iter().enumerate() {
        statement.raw_bind_parameter(at + 1, value)?;
    }
    let mut rows = statement.raw_query();
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        read.push(map(&mut Row::new(Columns::Sqlite(row))).map_err(Unread::Row)?);
    }
    Ok(read)
}

/// SQLite takes `$1` for a name and counts names as they come; `?1` is the first value wherever it stands.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
        }))
    }
}

/// The error of a store whose writer is gone.
fn stopped() -> StoreError {
    StoreError("the writer has stopped".into())
}
