//! A run: one day of one channel account, or of our own books, compared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Class, RunStatus};
use crate::document::{Document, Index};
use crate::id::{ChannelAccountId, ReconciliationId};
use crate::money::Money;
use crate::time::Timestamp;

/// What is compared with what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Payments and refunds with the channel's statement of trades.
    #[default]
    Trade,
    /// Payouts with the channel's statement of funds or, without an account, with the bank's statement.
    Payout,
    /// The ledger with the objects it is about: payments, refunds, what is pending, earned, settled and paid out.
    Internal,
}

impl Scope {
    /// The word in the API and the database.
    pub fn text(self) -> &'static str {
        match self {
            Scope::Trade => "trade",
            Scope::Payout => "payout",
            Scope::Internal => "internal",
        }
    }
}

/// In the place of a channel where a bank's statement is compared.
pub const BANK: &str = "bank";
/// In the place of an account where our own books are compared.
const BOOKS: &str = "books";

/// Where breaks are kept together: by the account, by the bank, or by our own books.
pub fn pool(account: Option<ChannelAccountId>, channel: &str) -> String {
    match account {
        Some(account) => account.to_string(),
        None => if channel == BANK { BANK } else { BOOKS }.to_owned(),
    }
}

/// A statement file that was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementFile {
    /// Hex SHA-256 of its bytes: the same file is recognised by it.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Its lines.
    pub lines: u64,
    /// The time of its first line.
    pub from: Option<Timestamp>,
    /// The time of its last line.
    pub until: Option<Timestamp>,
    /// Whether the channel gave it when asked, rather than a person.
    pub fetched: bool,
    /// Whether an earlier file of the day was stated again by it.
    pub restates: bool,
    /// When it was taken in.
    pub at: Timestamp,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// Lines of the file that are read.
    pub lines_read: u64,
    /// Rows of ours that are read.
    pub rows_read: u64,
    /// Rows that are matched.
    pub matched: u64,
}

/// What a run found. Rows of ours are matched, in a break or carried; so are lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Rows of ours.
    pub ours: u64,
    /// Lines of the file.
    pub theirs: u64,
    /// Rows of ours whose match stands.
    pub ours_matched: u64,
    /// Lines whose match stands.
    pub theirs_matched: u64,
    /// Rows of ours in breaks.
    pub ours_broken: u64,
    /// Lines in breaks.
    pub theirs_broken: u64,
    /// How often each class was found, remarks among them; classes never found are left out.
    pub classes: Vec<ClassCount>,
    /// By currency, what the lines come to.
    pub nets: Vec<Net>,
    /// Seconds by which all times of the file were off: not 0 where it was written in another time zone.
    pub clock_offset: i64,
    /// Breaks of earlier days that this file explained.
    pub explained: u64,
}

/// How often a class was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClassCount {
    /// The class.
    pub class: Class,
    /// How often.
    pub count: u64,
}

/// What the lines of one currency come to: what is to arrive at the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Net {
    /// Payments less refunds less fees.
    #[serde(flatten)]
    pub money: Money,
    /// Payments, minor units.
    pub payments: i64,
    /// Refunds, minor units.
    pub refunds: i64,
    /// Fees the channel kept, minor units; less those it gave back.
    pub fees: i64,
    /// Whether the bank's statement shows it; none before a bank statement explains it.
    pub deposit: Option<Deposited>,
}

/// Where a net arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deposited {
    /// The bank statement that shows it.
    pub statement_id: crate::id::BankStatementId,
    /// Which of its entries, from 0.
    pub entry: u32,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// Its id.
    pub id: ReconciliationId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// What is compared.
    pub scope: Scope,
    /// The channel account; none for a bank and for our own books.
    pub account_id: Option<ChannelAccountId>,
    /// Id of the channel; `bank` for a bank, empty for our own books.
    pub channel: String,
    /// The day by the channel's calendar, `2026-11-30`.
    pub day: String,
    /// Where it stands.
    pub status: RunStatus,
    /// Why the last file was refused, or why there is none yet.
    pub fault: Option<String>,
    /// The files, oldest first; the last one counts.
    pub files: Vec<StatementFile>,
    /// Whether the following day is compared by itself once it is over.
    pub daily: bool,
    /// The share of a payment that the channel keeps by contract, as a decimal; without it the booked cost is expected.
    pub fee_rate: Option<String>,
    /// How far it has come.
    pub progress: Progress,
    /// What it found; empty before it has.
    pub summary: Summary,
    /// Events about it so far.
    pub sequence: i64,
    /// When it was first asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the file is asked for again, wall clock; zero for never.
    pub due_at: Timestamp,
}

impl Reconciliation {
    /// What makes a run this one: there is one per scope, account and day.
    pub fn number(scope: Scope, account: Option<ChannelAccountId>, day: &str) -> String {
        let without = if scope == Scope::Payout { BANK } else { BOOKS };
        format!("{}:{}:{day}", scope.text(), pool(account, without))
    }

    /// Whose breaks its own are among: see [`pool`].
    pub fn pool(&self) -> String {
        pool(self.account_id, &self.channel)
    }

    /// Whether a file is the one that counts already.
    pub fn has(&self, sha256: &str) -> bool {
        self.files.last().is_some_and(|file| file.sha256 == sha256)
    }
}

impl Document for Reconciliation {
    type Id = ReconciliationId;
    const KIND: &'static str = "reconciliation";

    fn id(&self) -> ReconciliationId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn set_version(&mut self, version: i64) {
        self.version = version;
    }

    fn index(&self) -> Index {
        Index {
            number: Some(Reconciliation::number(self.scope, self.account_id, &self.day)),
            parent: self.account_id.map(|account| account.to_string()),
            status: self.status.text(),
            at: self.created_at,
            due_at: self.due_at,
        }
    }
}
