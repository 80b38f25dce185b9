//! One transaction for many jobs.
//!
//! A group is first run without savepoints, which cost a copy of every page they guard. When a commit fails
//! after it has written something, the group is rolled back and run again with a savepoint around each commit.
//! A balance that does not fit is nobody's in a group: then it is halved until the commit is alone.

use std::collections::{BTreeMap, HashMap};

use paycore::store::{CommitError, Due, Read};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement as Prepared, ToSql};

use super::Job;
use crate::driver::sqlite::errors::Failure;
use crate::driver::sqlite::{Unread, numbered, rows};
use crate::read::Select;
use crate::statement::Statement;
use crate::write::{Cell, Rows, Step};
use crate::{event, ledger, queue};

const BEGIN: &str = "BEGIN IMMEDIATE";
const PROBE: &str = "UPDATE probes SET count = count + 1 WHERE id = 1";

/// What became of one job.
pub(super) enum Outcome {
    Commit(Result<(), CommitError>),
    Lease(Read<Vec<Due>>),
    Probe,
}

/// The prepared statements and the way to run a group with them.
pub(super) struct Group<'c> {
    connection: &'c Connection,
    writes: Vec<Prepared<'c>>,
    control: Control<'c>,
    last_position: Prepared<'c>,
    advance: Prepared<'c>,
    fold: Fold<'c>,
    probe: Prepared<'c>,
}

/// Adding to balances: of accounts without a floor, and of those with one in two steps.
struct Fold<'c> {
    free: Prepared<'c>,
    open: Prepared<'c>,
    within: Prepared<'c>,
}

struct Control<'c> {
    begin: Prepared<'c>,
    commit: Prepared<'c>,
    save: Prepared<'c>,
    release: Prepared<'c>,
    undo: Prepared<'c>,
}

/// Why a group did not come to its end.
enum Stop {
    /// A commit failed half-way: run the group again, more carefully.
    Again(CommitError),
    /// A balance does not fit. In a group that is nobody's in particular: whose it is comes out in a smaller one.
    Sums(CommitError),
    /// The engine cannot write.
    Engine(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Stop::Engine(error)
    }
}

/// What a group adds up before it writes it once at the end.
#[derive(Default)]
struct Sums<'j> {
    /// Per merchant: the last position before the group, and how many it gave away.
    positions: HashMap<&'j str, (i64, i64)>,
    /// Per merchant, account and currency: debits and credits.
    balances: BTreeMap<Key<'j>, Sum>,
}

/// Merchant, account and currency.
type Key<'j> = (&'j str, &'j str, &'static str);

/// What is added to a balance.
#[derive(Clone, Copy, Default)]
struct Sum {
    debits: i64,
    credits: i64,
    floor: bool,
}

impl<'c> Group<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let prepare = |sql: &str| connection.prepare(&numbered(sql));
        Ok(Group {
            connection,
            writes: Statement::ALL
                .iter()
                .map(|statement| prepare(statement.write().sql))
                .collect::<Result<_, _>>()?,
            control: Control {
                begin: prepare(BEGIN)?,
                commit: prepare("COMMIT")?,
                save: prepare("SAVEPOINT one")?,
                release: prepare("RELEASE one")?,
                undo: prepare("ROLLBACK TO one")?,
            },
            last_position: prepare(event::LAST)?,
            advance: prepare(event::ADVANCE.sql)?,
            fold: Fold {
                free: prepare(ledger::FOLD.sql)?,
                open: prepare(ledger::OPEN_FLOOR.sql)?,
                within: prepare(ledger::FOLD_FLOOR.sql)?,
            },
            probe: prepare(PROBE)?,
        })
    }

    /// Runs the jobs and answers them. An error is the engine's; the jobs that are left were not answered, and
    /// nothing of theirs stands (or, where the flush failed, nobody knows).
    pub(super) fn run(&mut self, jobs: &mut Vec<Job>) -> rusqlite::Result<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        let mut result = self.transaction(jobs, false);
        if matches!(result, Err(Stop::Again(_))) {
            result = self.transaction(jobs, true);
        }
        match result {
            Ok(outcomes) => {
                jobs.drain(..).zip(outcomes).for_each(|(job, outcome)| job.answer(outcome));
                Ok(())
            }
            Err(Stop::Sums(_)) if jobs.len() > 1 => self.run_apart(jobs),
            Err(Stop::Sums(error) | Stop::Again(error)) => {
                jobs.drain(..).for_each(|job| job.answer(Outcome::Commit(Err(error.clone()))));
                Ok(())
            }
            Err(Stop::Engine(error)) => Err(error),
        }
    }

    /// Runs the halves of a group, one after the other.
    fn run_apart(&mut self, jobs: &mut Vec<Job>) -> rusqlite::Result<()> {
        let mut second = jobs.split_off(jobs.len() / 2);
        let mut result = self.run(jobs);
        if result.is_ok() {
            result = self.run(&mut second);
        }
        // Those that were not answered.
        jobs.append(&mut second);
        result
    }

    /// Copies the log back into the file: `PASSIVE` as far as no reader needs it, `TRUNCATE` to its end.
    pub(super) fn checkpoint(&self, mode: &str) -> rusqlite::Result<()> {
        self.connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), (), |_| Ok(()))
    }

    fn transaction(&mut self, jobs: &[Job], savepoints: bool) -> Result<Vec<Outcome>, Stop> {
        let result = self.attempt(jobs, savepoints);
        if result.is_err() && !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        result
    }

    fn attempt(&mut self, jobs: &[Job], savepoints: bool) -> Result<Vec<Outcome>, Stop> {
        self.control.begin.raw_execute()?;
        let mut sums = Sums::default();
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            outcomes.push(match job {
                Job::Commit(rows, _) => Outcome::Commit(self.commit(rows, &mut sums, savepoints)?),
                Job::Lease(select, _) => Outcome::Lease(self.lease(select)?),
                Job::Probe(_) => {
                    self.probe.raw_execute()?;
                    Outcome::Probe
                }
            });
        }
        self.write_sums(&sums)?;
        // Only now, with the log flushed, may anybody be told.
        self.control.commit.raw_execute()?;
        Ok(outcomes)
    }

    fn commit<'j>(
        &mut self,
        rows: &'j Rows,
        sums: &mut Sums<'j>,
        savepoints: bool,
    ) -> Result<Result<(), CommitError>, Stop> {
        let given = if rows.events() > 0 { self.given(rows.tenant(), sums)? } else { 0 };
        if savepoints {
            self.control.save.raw_execute()?;
        }
        for (at, step) in rows.steps().iter().enumerate() {
            match self.step(rows, step, given) {
                Ok(()) => {}
                Err(Failure::Engine(error)) => return Err(error.into()),
                Err(Failure::Commit(error)) if savepoints => {
                    self.control.undo.raw_execute()?;
                    self.control.release.raw_execute()?;
                    return Ok(Err(error));
                }
                // The first statement failed and wrote nothing: there is nothing to take back.
                Err(Failure::Commit(error)) if at == 0 => return Ok(Err(error)),
                Err(Failure::Commit(error)) => return Err(Stop::Again(error)),
            }
        }
        if savepoints {
            self.control.release.raw_execute()?;
        }
        sums.add(rows)?;
        Ok(Ok(()))
    }

    fn step(&mut self, rows: &Rows, step: &Step, given: i64) -> Result<(), Failure> {
        let statement = &mut self.writes[step.statement as usize];
        for (at, cell) in rows.cells(step).iter().enumerate() {
            statement.raw_bind_parameter(at + 1, Bound { rows, cell: *cell, given }).map_err(Failure::of)?;
        }
        let count = statement.raw_execute().map_err(Failure::of)?;
        step.statement.write().expect.check(count).map_err(Failure::Commit)
    }

    /// The last position that was given in a merchant's stream, in this group or before it.
    fn given<'j>(&mut self, tenant: &'j str, sums: &mut Sums<'j>) -> Result<i64, Stop> {
        if let Some((last, added)) = sums.positions.get(tenant) {
            return Ok(last + added);
        }
        self.last_position.raw_bind_parameter(1, tenant)?;
        let mut rows = self.last_position.raw_query();
        let last = match rows.next()? {
            Some(row) => row.get(0)?,
            None => 0,
        };
        sums.positions.insert(tenant, (last, 0));
        Ok(last)
    }

    fn lease(&self, select: &Select) -> Result<Read<Vec<Due>>, Stop> {
        match rows(self.connection, select, queue::due) {
            Ok(due) => Ok(Ok(due)),
            Err(Unread::Row(error)) => Ok(Err(error)),
            Err(Unread::Engine(error)) => Err(error.into()),
        }
    }

    fn write_sums(&mut self, sums: &Sums<'_>) -> Result<(), Stop> {
        for (tenant, (_, added)) in sums.positions.iter().filter(|(_, (_, added))| *added > 0) {
            self.advance.raw_bind_parameter(1, tenant)?;
            self.advance.raw_bind_parameter(2, added)?;
            let mut rows = self.advance.raw_query();
            while rows.next()?.is_some() {}
        }
        for (key, sum) in &sums.balances {
            match self.fold.add(key, *sum).map_err(Failure::of) {
                Ok(()) => {}
                Err(Failure::Commit(error)) => return Err(Stop::Sums(error)),
                Err(Failure::Engine(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Fold<'_> {
    fn add(&mut self, key: &Key<'_>, sum: Sum) -> rusqlite::Result<()> {
        if !sum.floor {
            return run(&mut self.free, key, Some(sum));
        }
        run(&mut self.open, key, None)?;
        run(&mut self.within, key, Some(sum))
    }
}

fn run(
    fold: &mut Prepared<'_>,
    (tenant, account, currency): &Key<'_>,
    sum: Option<Sum>,
) -> rusqlite::Result<()> {
    fold.raw_bind_parameter(1, tenant)?;
    fold.raw_bind_parameter(2, account)?;
    fold.raw_bind_parameter(3, currency)?;
    if let Some(sum) = sum {
        fold.raw_bind_parameter(4, sum.debits)?;
        fold.raw_bind_parameter(5, sum.credits)?;
    }
    fold.raw_execute().map(|_| ())
}

impl<'j> Sums<'j> {
    /// Adds what a commit that stands gave away and posted.
    fn add(&mut self, rows: &'j Rows) -> Result<(), Stop> {
        if let Some((_, added)) = self.positions.get_mut(rows.tenant()) {
            *added += rows.events();
        }
        for (account, posting) in rows.postings() {
            let sum = self.balances.entry((rows.tenant(), account, posting.currency)).or_default();
            let overflow = || Stop::Sums(CommitError::Broken("balances_sums".into()));
            sum.debits = sum.debits.checked_add(posting.debit).ok_or_else(overflow)?;
            sum.credits = sum.credits.checked_add(posting.credit).ok_or_else(overflow)?;
            sum.floor = posting.floor;
        }
        Ok(())
    }
}

/// A cell on its way into a statement.
struct Bound<'j> {
    rows: &'j Rows,
    cell: Cell,
    given: i64,
}

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.cell {
            Cell::Null => ValueRef::Null,
            Cell::Int(value) => ValueRef::Integer(value),
            Cell::Position(at) => ValueRef::Integer(self.given + at),
            Cell::Text(span) => ValueRef::Text(self.rows.str(span).as_bytes()),
        }))
    }
}
