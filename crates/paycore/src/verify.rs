//! The invariants as a program: reads everything a store holds, over all merchants, and names what is not true.
//! `paycore verify`, the simulation and the tests run the same checks.

mod checks;
mod clearing;
mod seals;

use async_trait::async_trait;
use serde::Serialize;

use crate::document::Record as Document;
use crate::event::Event;
use crate::id::MerchantId;
use crate::idempotency::Record;
use crate::ledger::seal::Hash;
use crate::ledger::{Balance, Transaction};
use crate::order::{Attempt, Order};
use crate::refund::Refund;
use crate::store::{Read, Store};
use crate::webhook::Delivery;

pub use checks::Checker;
pub use seals::Head;

/// What is read, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the table of the same name")]
pub enum Table {
    Orders,
    Attempts,
    Refunds,
    Transactions,
    Balances,
    Events,
    Claims,
    Deliveries,
    Documents,
}

impl Table {
    /// Every table, in the order the checks want them.
    pub const ALL: &'static [Table] = &[
        Table::Documents,
        Table::Orders,
        Table::Attempts,
        Table::Refunds,
        Table::Transactions,
        Table::Balances,
        Table::Events,
        Table::Claims,
        Table::Deliveries,
    ];
}

/// One row of any table with its tenant.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is a row of the table of the same name")]
#[expect(clippy::large_enum_variant, reason = "read in pages and dropped")]
pub enum Row {
    Order(MerchantId, Order),
    Attempt(MerchantId, Attempt),
    Refund(MerchantId, Refund),
    Transaction(MerchantId, Transaction),
    Balance(MerchantId, Balance),
    Event(MerchantId, Event),
    Claim(MerchantId, Record),
    Delivery(MerchantId, Delivery),
    Document(MerchantId, Document),
}

/// Reads everything, page by page, in ascending order of (merchant, key).
#[async_trait]
pub trait Scan {
    /// The next rows after `cursor` (none: from the start) and the cursor of the last, or none at the end.
    async fn scan(
        &self,
        table: Table,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Read<(Vec<Row>, Option<Cursor>)>;
}

/// Where a scan stands: merchant id and row key as text.
pub type Cursor = (String, String);

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether every invariant holds.
    pub ok: bool,
    /// Rows read per table.
    pub rows: std::collections::BTreeMap<&'static str, u64>,
    /// The invariants that were checked, with their rule in a sentence.
    pub checked: Vec<Rule>,
    /// What is not true; at most 1,000.
    pub violations: Vec<Violation>,
    /// Attempts and refunds whose outcome is not known now: not a violation, but worth a look.
    pub unknown: u64,
    /// Open exceptions are listed by `GET /v1/exceptions`; this is how many late or odd payments orders carry.
    pub late_payments: u64,
    /// Where each merchant's chain of seals ends. A hash kept outside shows whether an end was cut off.
    pub seals: std::collections::BTreeMap<String, Head>,
}

/// One invariant.
#[derive(Debug, Clone, Serialize)]
pub struct Rule {
    /// Such as `I4`.
    pub id: &'static str,
    /// In a sentence.
    pub text: &'static str,
}

/// Something that must not be.
#[derive(Debug, Clone, Serialize)]
pub struct Violation {
    /// The invariant.
    pub rule: &'static str,
    /// Whose data.
    pub merchant: String,
    /// Which object.
    pub object: String,
    /// The facts.
    pub detail: String,
}

/// Reads the whole store and checks it.
pub async fn run(store: &dyn Scan) -> Read<Report> {
    run_with(store, &[]).await
}

/// The same, with hashes of the journal's chain that were kept outside: each has to be in a chain still.
pub async fn run_with(store: &dyn Scan, anchors: &[Hash]) -> Read<Report> {
    let mut checker = Checker::new(anchors);
    for table in Table::ALL {
        let mut cursor = None;
        loop {
            let (rows, next) = store.scan(*table, cursor, 1_000).await?;
            for row in rows {
                checker.row(row);
            }
            match next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
    }
    Ok(checker.finish())
}

/// A store that can be verified: what the server and the simulation hold.
pub trait Verifiable: Store + Scan {}
impl<T: Store + Scan> Verifiable for T {}
