//! Transactions of the writer: many commits as arrays, or one commit row by row.

use std::collections::BTreeMap;

use futures_util::future::{join, join_all};
use paycore::store::{CommitError, StoreError};
use tokio_postgres::Statement as Prepared;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::connection::{Connection, Error};
use super::errors::Failure;
use super::sets::for_many;
use crate::statement::{Statement, depends_on_order};
use crate::write::{Cell, Posting, Rows, Write};
use crate::{event, ledger};

const BEGIN: &str = "BEGIN";
const COMMIT: &str = "COMMIT";

/// A connection with every writing statement prepared, for one row and for many.
pub(super) struct Session {
    pub(super) connection: Connection,
    one: Vec<Prepared>,
    many: Vec<Prepared>,
    advance: Prepared,
    advance_many: Prepared,
    fold: Fold,
    fold_many: Fold,
}

/// Adding to balances: of accounts without a floor, and of those with one in two steps.
struct Fold {
    free: Prepared,
    open: Prepared,
    within: Prepared,
}

impl Session {
    pub(super) async fn prepare(connection: Connection) -> Result<Session, Error> {
        let one = |write: &'static Write| prepare_one(&connection, write);
        let many = |write: &'static Write| prepare_many(&connection, write);
        let ones = join_all(Statement::ALL.iter().map(|statement| one(statement.write()))).await;
        let manys = join_all(Statement::ALL.iter().map(|statement| many(statement.write()))).await;
        let (advance, advance_many) = join(one(&event::ADVANCE), many(&event::ADVANCE)).await;
        let folds = [&ledger::FOLD, &ledger::OPEN_FLOOR, &ledger::FOLD_FLOOR];
        let (fold, fold_many) = join(join_all(folds.map(one)), join_all(folds.map(many))).await;
        Ok(Session {
            one: ones.into_iter().collect::<Result<_, _>>()?,
            many: manys.into_iter().collect::<Result<_, _>>()?,
            advance: advance?,
            advance_many: advance_many?,
            fold: Fold::of(fold)?,
            fold_many: Fold::of(fold_many)?,
            connection,
        })
    }

    /// Writes many commits in one transaction, or none of them: one statement per kind of row, sent without
    /// waiting for each other. The commits' order among each other is not kept, which nobody can tell: none was
    /// acknowledged before another was sent.
    pub(super) async fn many(&self, commits: &[&Rows]) -> Result<(), Failure> {
        let mut batch = Batch::default();
        commits.iter().try_for_each(|rows| batch.add(rows))?;
        self.first_half(&mut batch).await?;
        let events = batch.sets.remove(&Statement::EventInsert);
        let insert = async {
            match &events {
                Some(events) => self.set(Statement::EventInsert, events).await.map(|_| ()),
                None => Ok(()),
            }
        };
        // A failed statement turns the COMMIT that follows it into a rollback.
        let (inserted, committed) = join(insert, self.connection.batch(COMMIT)).await;
        inserted?;
        committed.map_err(unknown_if_lost)
    }

    /// Everything but the events, which need the positions that come out of this.
    async fn first_half(&self, batch: &mut Batch<'_>) -> Result<(), Failure> {
        let rest = batch.sets.iter().filter(|(statement, _)| **statement != Statement::EventInsert);
        let (begun, (advanced, (counts, folded))) = join(
            self.connection.batch(BEGIN),
            join(
                self.advance_many(&batch.events),
                join(
                    join_all(rest.map(|(statement, set)| async {
                        (*statement, set.count, self.set(*statement, set).await)
                    })),
                    self.fold_many(batch),
                ),
            ),
        )
        .await;
        begun?;
        let positions = advanced?;
        for (statement, wanted, count) in counts {
            let all = count? as usize == wanted;
            if !all {
                // Who it was comes out when fewer are tried together.
                statement.write().expect.check(0).map_err(Failure::Commit)?;
            }
        }
        folded?;
        batch.place(&positions);
        Ok(())
    }

    async fn set(&self, statement: Statement, set: &Set<'_>) -> Result<u64, Error> {
        let parameters: Vec<&(dyn ToSql + Sync)> = set.columns.iter().map(Column::parameter).collect();
        self.connection.run(&self.many[statement as usize], &parameters).await
    }

    async fn advance_many(&self, events: &BTreeMap<&str, i64>) -> Result<Vec<(String, i64)>, Error> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let (tenants, counts): (Vec<&str>, Vec<i64>) =
            events.iter().map(|(tenant, count)| (*tenant, *count)).unzip();
        let rows = self.connection.rows(&self.advance_many, &[&tenants, &counts]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    async fn fold_many(&self, batch: &Batch<'_>) -> Result<(), Error> {
        let (floors, free): (Vec<_>, Vec<_>) = batch.balances.iter().partition(|(_, sum)| sum.floor);
        let within = async {
            let open = self.add(&self.fold_many.open, &floors, false);
            let (opened, added) = join(open, self.add(&self.fold_many.within, &floors, true)).await;
            opened.and(added)
        };
        let (free, within) = join(self.add(&self.fold_many.free, &free, true), within).await;
        free.and(within)
    }

    /// Runs a statement over balances: with the sums, or only with what names the accounts.
    async fn add(&self, fold: &Prepared, balances: &[(&Key<'_>, &Sum)], sums: bool) -> Result<(), Error> {
        if balances.is_empty() {
            return Ok(());
        }
        let tenants: Vec<&str> = balances.iter().map(|((tenant, ..), _)| *tenant).collect();
        let accounts: Vec<&str> = balances.iter().map(|((_, account, _), _)| *account).collect();
        let currencies: Vec<&str> = balances.iter().map(|((.., currency), _)| *currency).collect();
        let debits: Vec<i64> = balances.iter().map(|(_, sum)| sum.debits).collect();
        let credits: Vec<i64> = balances.iter().map(|(_, sum)| sum.credits).collect();
        let parameters: [&(dyn ToSql + Sync); 5] = [&tenants, &accounts, &currencies, &debits, &credits];
        self.connection.run(fold, &parameters[..if sums { 5 } else { 3 }]).await.map(|_| ())
    }

    /// Writes one commit row by row, so that the first row that breaks a rule names it.
    pub(super) async fn one(&self, rows: &Rows) -> Result<(), Failure> {
        self.connection.batch(BEGIN).await?;
        let given = if rows.events() > 0 { self.given(rows).await? } else { 0 };
        for step in rows.steps() {
            let cells: Vec<Bound<'_>> =
                rows.cells(step).iter().map(|cell| Bound { rows, cell: *cell, given }).collect();
            let parameters: Vec<&(dyn ToSql + Sync)> = cells.iter().map(|cell| cell as _).collect();
            let count = self.connection.run(&self.one[step.statement as usize], &parameters).await?;
            step.statement.write().expect.check(count as usize).map_err(Failure::Commit)?;
        }
        // What one commit adds and takes counts together, whatever the order of its entries.
        let mut sums: BTreeMap<Key<'_>, Sum> = BTreeMap::new();
        for (account, posting) in rows.postings() {
            let sum = sums.entry((rows.tenant(), account, posting.currency)).or_default();
            sum.add(posting).map_err(Failure::Commit)?;
        }
        for ((tenant, account, currency), sum) in &sums {
            let parameters: [&(dyn ToSql + Sync); 5] = [tenant, account, currency, &sum.debits, &sum.credits];
            if sum.floor {
                self.connection.run(&self.fold.open, &parameters[..3]).await?;
            }
            let fold = if sum.floor { &self.fold.within } else { &self.fold.free };
            self.connection.run(fold, &parameters).await?;
        }
        self.connection.batch(COMMIT).await.map_err(unknown_if_lost)
    }

    /// The last position given before this commit.
    async fn given(&self, rows: &Rows) -> Result<i64, Failure> {
        let advanced = self.connection.rows(&self.advance, &[&rows.tenant(), &rows.events()]).await?;
        Ok(advanced.first().map_or(0, |row| row.get::<_, i64>(1)) - rows.events())
    }
}

/// The connection ended while the commit was under way: nobody knows which of the two came first.
fn unknown_if_lost(error: Error) -> Failure {
    if error.as_db_error().is_none() {
        let text = format!("the connection ended during a commit, which may have happened: {error}");
        return Failure::Engine(StoreError(text));
    }
    error.into()
}

async fn prepare_one(connection: &Connection, write: &Write) -> Result<Prepared, Error> {
    let types = write.types.chars().map(|letter| if letter == 't' { Type::TEXT } else { Type::INT8 });
    connection.prepare(write.sql, &types.collect::<Vec<_>>()).await
}

async fn prepare_many(connection: &Connection, write: &Write) -> Result<Prepared, Error> {
    connection.prepare(&for_many(write.sql, write.types), &[]).await
}

/// Many commits, their rows gathered by statement and turned into columns.
#[derive(Default)]
struct Batch<'j> {
    sets: BTreeMap<Statement, Set<'j>>,
    /// Per merchant: how many events.
    events: BTreeMap<&'j str, i64>,
    /// Per merchant, account and currency: debits and credits.
    balances: BTreeMap<Key<'j>, Sum>,
}

/// Merchant, account and currency.
type Key<'j> = (&'j str, &'j str, &'static str);

/// What is added to a balance.
#[derive(Default)]
struct Sum {
    debits: i64,
    credits: i64,
    floor: bool,
}

struct Set<'j> {
    count: usize,
    columns: Vec<Column<'j>>,
}

enum Column<'j> {
    Text(Vec<Option<&'j str>>),
    Int(Vec<Option<i64>>),
}

impl<'j> Batch<'j> {
    fn add(&mut self, rows: &'j Rows) -> Result<(), Failure> {
        let events = match rows.events() {
            0 => None,
            count => Some((self.events.entry(rows.tenant()).or_default(), count)),
        };
        let given = events.as_ref().map_or(0, |(before, _)| **before);
        if let Some((before, count)) = events {
            *before += count;
        }
        for step in rows.steps() {
            let types = step.statement.write().types;
            let set = self.sets.entry(step.statement).or_insert_with(|| Set::new(types));
            set.count += 1;
            for (column, cell) in set.columns.iter_mut().zip(rows.cells(step)) {
                column.push(rows, *cell, given);
            }
        }
        for (account, posting) in rows.postings() {
            let sum = self.balances.entry((rows.tenant(), account, posting.currency)).or_default();
            sum.add(posting).map_err(Failure::Commit)?;
        }
        Ok(())
    }

    /// Turns the events' places in this batch into positions in their streams, whose new ends are given.
    fn place(&mut self, ends: &[(String, i64)]) {
        let Some(set) = self.sets.get_mut(&Statement::EventInsert) else { return };
        let before = |tenant: &str| {
            let end = ends.iter().find(|(owner, _)| owner == tenant).map_or(0, |(_, end)| *end);
            end - self.events.get(tenant).copied().unwrap_or(0)
        };
        let [Column::Text(tenants), _, Column::Int(positions), ..] = &mut set.columns[..] else { return };
        let mut last: (&str, i64) = ("", 0);
        for (tenant, position) in tenants.iter().zip(positions) {
            let tenant = tenant.unwrap_or_default();
            if tenant != last.0 {
                last = (tenant, before(tenant));
            }
            *position = position.map(|position| position + last.1);
        }
    }
}

impl Sum {
    fn add(&mut self, posting: &Posting) -> Result<(), CommitError> {
        let overflow = || CommitError::Broken("balances_sums".into());
        self.debits = self.debits.checked_add(posting.debit).ok_or_else(overflow)?;
        self.credits = self.credits.checked_add(posting.credit).ok_or_else(overflow)?;
        self.floor = posting.floor;
        Ok(())
    }
}

impl Fold {
    fn of(prepared: Vec<Result<Prepared, Error>>) -> Result<Fold, Error> {
        let mut prepared = prepared.into_iter();
        let mut next = || prepared.next().expect("three statements are prepared");
        Ok(Fold { free: next()?, open: next()?, within: next()? })
    }
}

impl<'j> Set<'j> {
    fn new(types: &str) -> Self {
        let column = |letter| match letter {
            't' => Column::Text(Vec::new()),
            _ => Column::Int(Vec::new()),
        };
        Set { count: 0, columns: types.chars().map(column).collect() }
    }
}

impl<'j> Column<'j> {
    fn push(&mut self, rows: &'j Rows, cell: Cell, given: i64) {
        match (self, cell) {
            (Column::Text(values), Cell::Text(span)) => values.push(Some(rows.str(span))),
            (Column::Text(values), _) => values.push(None),
            (Column::Int(values), Cell::Int(value)) => values.push(Some(value)),
            (Column::Int(values), Cell::Position(at)) => values.push(Some(given + at)),
            (Column::Int(values), _) => values.push(None),
        }
    }

    fn parameter(&self) -> &(dyn ToSql + Sync) {
        match self {
            Column::Text(values) => values,
            Column::Int(values) => values,
        }
    }
}

/// A cell on its way into a statement for one row.
#[derive(Debug)]
struct Bound<'j> {
    rows: &'j Rows,
    cell: Cell,
    given: i64,
}

impl ToSql for Bound<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.cell {
            Cell::Null => Ok(IsNull::Yes),
            Cell::Int(value) => value.to_sql(ty, out),
            Cell::Position(at) => (self.given + at).to_sql(ty, out),
            Cell::Text(span) => self.rows.str(span).to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::TEXT)
    }

    to_sql_checked!();
}

/// Whether a commit has to run alone and row by row.
pub(super) fn stands_alone(rows: &Rows) -> bool {
    depends_on_order(rows.steps().iter().map(|step| step.statement))
}
