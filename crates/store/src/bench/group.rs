//! Group commits of many callers through bare rusqlite: the most that an HTTP handler which does nothing else can
//! reach. It checks no versions, knows no error but its own, and ends with its first one.

use std::collections::BTreeMap;
use std::path::Path;

use paycore::id::MerchantId;
use paycore::store::{Changes, CommitError, StoreError};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};
use tokio::sync::{mpsc, oneshot};

use super::GROUP;
use super::sqlite::{failed, open};
use crate::error::OpenError;
use crate::statement::Statement;
use crate::write::{Cell, Rows};
use crate::{event, ledger};

/// A thread that writes whatever waits in one transaction.
#[derive(Debug)]
pub struct BareGroup(mpsc::Sender<Job>);

type Job = (Rows, oneshot::Sender<()>);

impl BareGroup {
    /// Starts the thread on a file of its own, which is made.
    ///
    /// # Errors
    /// [`OpenError`] where the file cannot be made.
    pub async fn start(path: &Path) -> Result<Self, OpenError> {
        crate::migrate(&format!("sqlite:{}", path.display())).await?;
        let connection = open(path).map_err(failed)?;
        let (jobs, waiting) = mpsc::channel(4 * GROUP);
        std::thread::spawn(move || run(&connection, waiting));
        Ok(BareGroup(jobs))
    }

    /// Writes the rows durably. They have to be new ones, of one merchant for all callers.
    ///
    /// # Errors
    /// [`CommitError`] where the changes are not sound or the thread has ended.
    pub async fn commit(&self, tenant: MerchantId, changes: &Changes) -> Result<(), CommitError> {
        let ended = || CommitError::Store(StoreError("the bare writer has ended".into()));
        let (reply, answer) = oneshot::channel();
        self.0.send((Rows::of(tenant, changes)?, reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())
    }
}

/// Ends with the first error: the callers see that nobody answers.
fn run(connection: &Connection, mut waiting: mpsc::Receiver<Job>) -> rusqlite::Result<()> {
    let prepare = |sql: &str| connection.prepare(&sql.replace('$', "?"));
    let mut statements: Vec<rusqlite::Statement<'_>> =
        Statement::ALL.iter().map(|statement| prepare(statement.write().sql)).collect::<Result<_, _>>()?;
    let (mut advance, mut fold) = (prepare(event::ADVANCE.sql)?, prepare(ledger::FOLD.sql)?);
    let mut jobs = Vec::with_capacity(GROUP);
    let mut position = 0;
    while waiting.blocking_recv_many(&mut jobs, GROUP) > 0 {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut sums: BTreeMap<(&str, &str), (i64, i64)> = BTreeMap::new();
        let before = position;
        for (rows, _) in &jobs {
            for step in rows.steps() {
                let statement = &mut statements[step.statement as usize];
                for (at, cell) in rows.cells(step).iter().enumerate() {
                    statement.raw_bind_parameter(at + 1, Bound { rows, cell: *cell, position })?;
                }
                statement.raw_execute()?;
            }
            position += rows.events();
            for (account, posting) in rows.postings() {
                let sum = sums.entry((account, posting.currency)).or_default();
                *sum = (sum.0 + posting.debit, sum.1 + posting.credit);
            }
        }
        if let Some((rows, _)) = jobs.first() {
            advance.query_row((rows.tenant(), position - before), |_| Ok(()))?;
            for ((account, currency), (debits, credits)) in &sums {
                fold.execute((rows.tenant(), account, currency, debits, credits))?;
            }
        }
        connection.execute_batch("COMMIT")?;
        for (_, reply) in jobs.drain(..) {
            // A caller that is gone does not need to know.
            let _ = reply.send(());
        }
    }
    Ok(())
}

struct Bound<'r> {
    rows: &'r Rows,
    cell: Cell,
    position: i64,
}

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.cell {
            Cell::Null => ValueRef::Null,
            Cell::Int(value) => ValueRef::Integer(value),
            Cell::Position(at) => ValueRef::Integer(self.position + at),
            Cell::Text(span) => ValueRef::Text(self.rows.str(span).as_bytes()),
        }))
    }
}
