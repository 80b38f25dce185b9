//! The SQLite store beside bare rusqlite.

use std::path::Path;
use std::sync::Arc;

use paycore::store::StoreError;
use paycore::time::Clock;
use paycore::verify::Verifiable;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::{GROUP, ROUNDS, Row, TENANT, median, payments, rate, through};
use crate::error::OpenError;
use crate::statement::Statement;
use crate::write::{Cell, Rows};
use crate::{event, ledger};

/// Compares over `payments` payments per round; the files are made in `folder`, whose disk is what is measured.
///
/// # Errors
/// [`OpenError`] where a file cannot be made or written.
pub async fn sqlite(folder: &Path, clock: &dyn Clock, count: usize) -> Result<Row, OpenError> {
    let (own, bare) = (folder.join("store.db"), folder.join("bare.db"));
    let address = format!("sqlite:{}", own.display());
    crate::migrate(&address).await?;
    crate::migrate(&format!("sqlite:{}", bare.display())).await?;
    let store: Arc<dyn Verifiable> = crate::open(&address).await?;
    let connection = open(&bare).map_err(failed)?;
    let (mut through_store, mut through_bare) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let first = round * count;
        through_store.push(through(&store, clock, payments(first, count)).await?);
        through_bare.push(write(&connection, clock, first, count).map_err(failed)?);
    }
    Ok(Row { engine: "SQLite", store: median(through_store), bare: median(through_bare), target_percent: 60 })
}

pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.query_row("PRAGMA journal_mode = WAL", (), |_| Ok(()))?;
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY")?;
    Ok(connection)
}

/// Rows rendered beforehand, written in groups, each one transaction.
fn write(connection: &Connection, clock: &dyn Clock, first: usize, count: usize) -> rusqlite::Result<u64> {
    let prepare = |sql: &str| connection.prepare(&sql.replace('$', "?"));
    let mut statements: Vec<rusqlite::Statement<'_>> =
        Statement::ALL.iter().map(|statement| prepare(statement.write().sql)).collect::<Result<_, _>>()?;
    let (mut advance, mut fold) = (prepare(event::ADVANCE.sql)?, prepare(ledger::FOLD.sql)?);
    let tenant = TENANT.to_string();
    let rendered: Vec<Vec<(Statement, Vec<Value>)>> = (first..first + count).map(values).collect();
    let start = clock.now();
    for group in rendered.chunks(GROUP) {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for (statement, values) in group.iter().flatten() {
            statements[*statement as usize].execute(rusqlite::params_from_iter(values))?;
        }
        let size = group.len() as i64;
        advance.query_row((&tenant, size), |_| Ok(()))?;
        for (account, debits, credits) in
            [("channel_receivable:alipay", size, 0), ("merchant_pending", 0, size)]
        {
            fold.execute((&tenant, account, "CNY", 100 * debits, 100 * credits))?;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(rate(count, start, clock.now()))
}

/// The rows of one payment as values.
fn values(number: usize) -> Vec<(Statement, Vec<Value>)> {
    let changes = super::payment(number as u128);
    let rows = Rows::of(TENANT, &changes).expect("a payment of the bench is sound");
    let value = |cell: &Cell| match cell {
        Cell::Null => Value::Null,
        Cell::Int(value) => Value::Integer(*value),
        Cell::Text(span) => Value::Text(rows.str(*span).to_owned()),
        Cell::Position(at) => Value::Integer(number as i64 + *at),
    };
    let row = |step| (rows.cells(step).iter().map(value)).collect();
    rows.steps().iter().map(|step| (step.statement, row(step))).collect()
}

pub(super) fn failed(error: rusqlite::Error) -> OpenError {
    OpenError::Store(StoreError(error.to_string()))
}
