//! The SQLite store beside bare rusqlite.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use paycore::store::StoreError;
use paycore::time::Clock;
use paycore::verify::Verifiable;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::{GROUP, Load, ROUNDS, Row, TENANT, median, rate, sums, through};
use crate::error::OpenError;
use crate::statement::Statement;
use crate::write::{Cell, Rows};
use crate::{event, ledger};

/// Compares over `count` commits per round and load; the files are made in `folder`, whose disk is what is measured.
///
/// # Errors
/// [`OpenError`] where a file cannot be made or written.
pub async fn sqlite(folder: &Path, clock: &dyn Clock, count: usize) -> Result<Vec<Row>, OpenError> {
    let (own, bare) = (folder.join("store.db"), folder.join("bare.db"));
    let address = format!("sqlite:{}", own.display());
    crate::migrate(&address).await?;
    crate::migrate(&format!("sqlite:{}", bare.display())).await?;
    let store: Arc<dyn Verifiable> = crate::open(&address).await?;
    let connection = open(&bare).map_err(failed)?;
    let mut rows = Vec::new();
    for (turn, load) in Load::ALL.into_iter().enumerate() {
        let (mut through_store, mut through_bare) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let first = (turn * ROUNDS + round) * count;
            through_store.push(through(&store, clock, load.commits(first, count)).await?);
            through_bare.push(write(&connection, clock, load, first, count).map_err(failed)?);
        }
        let (store, bare) = (median(through_store), median(through_bare));
        rows.push(Row { engine: "SQLite", load, store, bare, target_percent: 60 });
    }
    Ok(rows)
}

pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.query_row("PRAGMA journal_mode = WAL", (), |_| Ok(()))?;
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY")?;
    Ok(connection)
}

/// Rows rendered beforehand, written in groups, each one transaction.
fn write(
    connection: &Connection,
    clock: &dyn Clock,
    load: Load,
    first: usize,
    count: usize,
) -> rusqlite::Result<u64> {
    let prepare = |sql: &str| connection.prepare(&sql.replace('$', "?"));
    let mut statements: Vec<rusqlite::Statement<'_>> =
        Statement::ALL.iter().map(|statement| prepare(statement.write().sql)).collect::<Result<_, _>>()?;
    let (mut advance, mut fold) = (prepare(event::ADVANCE.sql)?, prepare(ledger::FOLD.sql)?);
    let tenant = TENANT.to_string();
    let numbers: Vec<usize> = (first..first + count).collect();
    let groups: Vec<Group> = numbers.chunks(GROUP).map(|numbers| Group::of(load, numbers)).collect();
    let start = clock.now();
    for group in &groups {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for (statement, values) in &group.rows {
            statements[*statement as usize].execute(rusqlite::params_from_iter(values))?;
        }
        advance.query_row((&tenant, group.size), |_| Ok(()))?;
        for (account, (debits, credits)) in &group.sums {
            fold.execute((&tenant, account, "CNY", debits, credits))?;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(rate(count, start, clock.now()))
}

/// The commits of one transaction as values.
struct Group {
    size: i64,
    rows: Vec<(Statement, Vec<Value>)>,
    sums: BTreeMap<String, (i64, i64)>,
}

impl Group {
    fn of(load: Load, numbers: &[usize]) -> Self {
        let render = |number: &usize| {
            let changes = load.commit(*number as u128);
            (*number, Rows::of(TENANT, &changes).expect("a commit of the bench is sound"))
        };
        let commits: Vec<(usize, Rows)> = numbers.iter().map(render).collect();
        Group {
            size: numbers.len() as i64,
            rows: commits.iter().flat_map(|(number, rows)| values(*number, rows)).collect(),
            sums: sums(commits.iter().map(|(_, rows)| rows)),
        }
    }
}

/// The rows of one commit as values.
fn values(number: usize, rows: &Rows) -> Vec<(Statement, Vec<Value>)> {
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
