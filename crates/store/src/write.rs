//! Changes as rows: a commit is turned into bound rows on the caller's task, so that the one writer only binds
//! and steps.

use std::fmt::{Display, Write as _};

use paycore::id::MerchantId;
use paycore::idempotency::Claim;
use paycore::ledger::chart;
use paycore::ledger::rules::is_balanced;
use paycore::ledger::{Entry, Side};
use paycore::store::{Changes, CommitError, Put};
use paycore::time::Timestamp;
use serde::Serialize;

use crate::statement::Statement;
use crate::{
    account, audit, document, epay, event, exception, idempotency, ledger, link, merchant, order, queue,
    refund, sandbox, webhook,
};

/// One literal statement that writes one row, and the type of each of its placeholders.
#[derive(Debug)]
pub(crate) struct Write {
    /// With `$1`, `$2` … ; `$1` is always the tenant.
    pub(crate) sql: &'static str,
    /// One letter per placeholder: `t` for TEXT, `i` for BIGINT.
    pub(crate) types: &'static str,
    /// What the number of rows it touched must be.
    pub(crate) expect: Expect,
}

/// What a statement must have touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// One row, or the object changed since it was read.
    OneOrStale,
    /// One row, or the idempotency key is taken.
    OneOrClaimed,
    /// One row, or the books are closed.
    OneOrClosed,
    /// Any number of rows.
    Any,
}

impl Expect {
    /// The error of a row that touched `count` rows.
    pub(crate) fn check(self, count: usize) -> Result<(), CommitError> {
        match self {
            Expect::OneOrStale if count != 1 => Err(CommitError::Stale),
            Expect::OneOrClaimed if count != 1 => Err(CommitError::Claimed),
            Expect::OneOrClosed if count != 1 => Err(CommitError::Closed),
            _ => Ok(()),
        }
    }
}

/// One value of a row. Texts lie in the buffer of their [`Rows`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(Span),
    /// The place of this event in the merchant's stream: the writer adds the last position given before.
    Position(i64),
}

/// Where a text begins and ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span(u32, u32);

/// One row to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) statement: Statement,
    first: u32,
}

/// What one entry adds to its balance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Posting {
    account: Span,
    /// ISO 4217.
    pub(crate) currency: &'static str,
    /// Minor units.
    pub(crate) debit: i64,
    /// Minor units.
    pub(crate) credit: i64,
    /// Whether the account may have a floor.
    pub(crate) floor: bool,
}

/// One commit as rows: all texts in one buffer, all cells in one list.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    text: String,
    cells: Vec<Cell>,
    steps: Vec<Step>,
    postings: Vec<Posting>,
    events: i64,
}

impl Rows {
    /// The rows of a commit.
    ///
    /// # Errors
    /// [`CommitError::Broken`] for what no store may hold: an unbalanced journal, a merchant under another
    /// tenant, a text with a NUL character (PostgreSQL has no place for it).
    pub(crate) fn of(tenant: MerchantId, changes: &Changes) -> Result<Rows, CommitError> {
        if !changes.transactions.iter().all(is_balanced) {
            return Err(broken("a journal is not balanced"));
        }
        let mut rows = Rows::with_capacity(changes);
        rows.start(tenant);
        match &changes.claim {
            Some(Claim::Open(record)) => idempotency::open(&mut rows, record),
            Some(Claim::Close { key, answer }) => idempotency::close(&mut rows, key, answer),
            None => {}
        }
        changes.puts.iter().try_for_each(|put| rows.put(tenant, put))?;
        changes.transactions.iter().for_each(|transaction| ledger::insert(&mut rows, transaction));
        changes.events.iter().for_each(|event| event::insert(&mut rows, event));
        changes.audit.iter().for_each(|audit| audit::insert(&mut rows, audit));
        if rows.text.as_bytes().contains(&0) {
            return Err(broken("a text holds a NUL character"));
        }
        Ok(rows)
    }

    fn with_capacity(changes: &Changes) -> Rows {
        let objects = changes.puts.len() + 2 * changes.transactions.len() + changes.events.len() + 1;
        Rows {
            text: String::with_capacity(512 * objects),
            cells: Vec::with_capacity(20 * objects),
            steps: Vec::with_capacity(2 * objects),
            ..Rows::default()
        }
    }

    fn start(&mut self, tenant: MerchantId) {
        self.span(|text| {
            let _ = write!(text, "{tenant}");
        });
    }

    fn put(&mut self, tenant: MerchantId, put: &Put) -> Result<(), CommitError> {
        match put {
            Put::Order(row) => order::write(self, row),
            Put::Attempt(row) => order::write_attempt(self, row),
            Put::Refund(row) => refund::write(self, row),
            Put::Merchant(row) if row.id != tenant => return Err(broken("a merchant is its own tenant")),
            Put::Merchant(row) => merchant::write(self, row),
            Put::ApiKey(row) => merchant::write_key(self, row),
            Put::EpayKey(row) => epay::write(self, row),
            Put::ChannelAccount(row) => account::write(self, row),
            Put::Endpoint(row) => webhook::write_endpoint(self, row),
            Put::Delivery(row) => webhook::write_delivery(self, row),
            Put::Exception(row) => exception::write(self, row),
            Put::Link(row) => link::write(self, row),
            Put::Document(row) => document::write(self, row),
            // Below its own floor too; the engines do not agree on which rule they name first.
            Put::AccountTerms(row) if row.overdraft.is_some_and(|overdraft| overdraft < 0) => {
                return Err(broken("an overdraft is zero or more"));
            }
            Put::AccountTerms(row) => ledger::write_terms(self, row),
            Put::Books(row) => ledger::write_books(self, row),
            Put::EventDispatched(id) => event::dispatched(self, *id),
            Put::Sandbox(row) => sandbox::write(self, row),
            Put::HastenDue(by) if *by < 0 => return Err(broken("due times only move earlier")),
            Put::HastenDue(by) => queue::hasten(self, *by),
        }
        Ok(())
    }

    /// Begins a row; its first cell is the tenant.
    pub(crate) fn step(&mut self, statement: Statement) -> &mut Self {
        self.steps.push(Step { statement, first: self.cells.len() as u32 });
        self.cells.push(Cell::Text(self.tenant_span()));
        self
    }

    /// An id, or anything else that prints itself.
    pub(crate) fn id(&mut self, id: impl Display) -> &mut Self {
        let span = self.span(|text| {
            let _ = write!(text, "{id}");
        });
        self.cell(Cell::Text(span))
    }

    /// An id that may be missing.
    pub(crate) fn maybe_id(&mut self, id: Option<impl Display>) -> &mut Self {
        match id {
            Some(id) => self.id(id),
            None => self.cell(Cell::Null),
        }
    }

    /// A text.
    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        let span = self.span(|text| text.push_str(value));
        self.cell(Cell::Text(span))
    }

    /// A text that may be missing.
    pub(crate) fn maybe_text(&mut self, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(value),
            None => self.cell(Cell::Null),
        }
    }

    /// A number.
    pub(crate) fn int(&mut self, value: i64) -> &mut Self {
        self.cell(Cell::Int(value))
    }

    /// A number that may be missing.
    pub(crate) fn maybe_int(&mut self, value: Option<i64>) -> &mut Self {
        self.cell(value.map_or(Cell::Null, Cell::Int))
    }

    /// A flag as 0 or 1.
    pub(crate) fn flag(&mut self, value: bool) -> &mut Self {
        self.int(i64::from(value))
    }

    /// An instant in microseconds.
    pub(crate) fn time(&mut self, value: Timestamp) -> &mut Self {
        self.int(value.micros())
    }

    /// An instant that may be missing.
    pub(crate) fn maybe_time(&mut self, value: Option<Timestamp>) -> &mut Self {
        match value {
            Some(value) => self.time(value),
            None => self.cell(Cell::Null),
        }
    }

    /// JSON text.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> &mut Self {
        // Only a map whose keys are not texts could fail, and no stored type has one.
        let json = serde_json::to_string(value).expect("stored types have text keys");
        self.text(&json)
    }

    /// JSON text that may be missing.
    pub(crate) fn maybe_json(&mut self, value: Option<&impl Serialize>) -> &mut Self {
        match value {
            Some(value) => self.json(value),
            None => self.cell(Cell::Null),
        }
    }

    /// Nothing.
    pub(crate) fn null(&mut self) -> &mut Self {
        self.cell(Cell::Null)
    }

    /// The next position in the merchant's stream.
    pub(crate) fn position(&mut self) -> &mut Self {
        self.events += 1;
        self.cell(Cell::Position(self.events))
    }

    /// What the entry adds to its balance.
    pub(crate) fn posting(&mut self, entry: &Entry) {
        let account = self.span(|text| text.push_str(&entry.account));
        let (amount, currency) = (entry.money.minor(), entry.money.currency().code());
        let (debit, credit) = match entry.side {
            Side::Debit => (amount, 0),
            Side::Credit => (0, amount),
        };
        let floor = chart::has_floor(&entry.account);
        self.postings.push(Posting { account, currency, debit, credit, floor });
    }

    fn cell(&mut self, cell: Cell) -> &mut Self {
        self.cells.push(cell);
        self
    }

    fn span(&mut self, write: impl FnOnce(&mut String)) -> Span {
        let start = self.text.len() as u32;
        write(&mut self.text);
        Span(start, self.text.len() as u32)
    }

    fn tenant_span(&self) -> Span {
        // The tenant's id is the first text of every commit: prefix, underscore and 26 characters.
        Span(0, (paycore::id::TEXT_LEN + 4) as u32)
    }

    /// The tenant's id.
    pub(crate) fn tenant(&self) -> &str {
        self.str(self.tenant_span())
    }

    /// The rows in their order.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The cells of a row, one per placeholder.
    pub(crate) fn cells(&self, step: &Step) -> &[Cell] {
        let first = step.first as usize;
        &self.cells[first..first + step.statement.write().types.len()]
    }

    /// A text of this commit.
    pub(crate) fn str(&self, span: Span) -> &str {
        &self.text[span.0 as usize..span.1 as usize]
    }

    /// How many events it adds to the merchant's stream.
    pub(crate) fn events(&self) -> i64 {
        self.events
    }

    /// The account, currency, debit and credit of every entry.
    pub(crate) fn postings(&self) -> impl Iterator<Item = (&str, &Posting)> {
        self.postings.iter().map(|posting| (self.str(posting.account), posting))
    }
}

fn broken(rule: &str) -> CommitError {
    CommitError::Broken(rule.to_owned())
}

#[cfg(test)]
mod tests {
    use paycore::order::OrderDetails;
    use paycore::testkit::store_conformance::fixture;

    use super::*;

    #[test]
    fn every_row_has_as_many_cells_as_its_statement_has_placeholders() {
        let changes = fixture::every_kind_of_change();
        let rows = Rows::of(fixture::TENANT, &changes).unwrap();
        for (at, step) in rows.steps.iter().enumerate() {
            let end = rows.steps.get(at + 1).map_or(rows.cells.len(), |next| next.first as usize);
            let cells = &rows.cells[step.first as usize..end];
            let types = step.statement.write().types;
            assert_eq!(cells.len(), types.len(), "{:?}", step.statement);
            for (cell, letter) in cells.iter().zip(types.chars()) {
                let fits = match cell {
                    Cell::Null => true,
                    Cell::Int(_) | Cell::Position(_) => letter == 'i',
                    Cell::Text(_) => letter == 't',
                };
                assert!(fits, "{:?}: {cell:?} for {types}", step.statement);
            }
        }
        assert_eq!(rows.tenant(), fixture::TENANT.to_string());
    }

    #[test]
    fn a_nul_character_in_json_is_escaped_and_in_a_text_refused() {
        let mut changes = fixture::every_kind_of_change();
        let Some(Put::Order(order)) = changes.puts.first_mut() else { panic!("the first put is an order") };
        order.details = OrderDetails { subject: "a\0b".into(), ..OrderDetails::default() };
        assert!(Rows::of(fixture::TENANT, &changes).is_ok());
        changes.audit[0].detail = "a\0b".into();
        assert!(matches!(Rows::of(fixture::TENANT, &changes), Err(CommitError::Broken(_))));
    }
}
