//! A bank statement that was taken in, and spoiling a channel's statement on purpose.

use std::io::BufRead;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::channel::{Channel, Fault, Line};
use crate::document::{Document, Index};
use crate::id::{BankStatementId, ChannelAccountId, ReconciliationId};
use crate::money::Money;
use crate::time::Timestamp;

/// One credit on a bank statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BankEntry {
    /// The bank's reference; empty where it gives none.
    pub reference: String,
    /// What arrived.
    #[serde(flatten)]
    pub money: Money,
    /// When it was booked.
    pub at: Timestamp,
    /// What the sender wrote.
    pub text: String,
    /// The days of the channel it pays; empty where nothing explains it.
    pub days: Vec<ReconciliationId>,
    /// What a bank on the way kept, minor units.
    pub wire_fee: i64,
}

/// A bank statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankStatement {
    /// Its id.
    pub id: BankStatementId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// The channel account whose money arrives there.
    pub account_id: ChannelAccountId,
    /// Hex SHA-256 of the file: the same file is taken in once.
    pub sha256: String,
    /// The credits that come from the channel.
    pub entries: Vec<BankEntry>,
    /// Entries that are none of the channel's.
    pub others: u64,
    /// When it was taken in.
    pub created_at: Timestamp,
}

impl Document for BankStatement {
    type Id = BankStatementId;
    const KIND: &'static str = "bank_statement";

    fn id(&self) -> BankStatementId {
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
            number: Some(format!("{}:{}", self.account_id, self.sha256)),
            parent: Some(self.account_id.to_string()),
            at: self.created_at,
            ..Index::new("taken_in")
        }
    }
}

/// What to do to a channel's statement before it is read, to see what becomes of it: in a sandbox only. Lines are counted
/// from 1, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spoil {
    /// Leave these lines out.
    #[serde(default)]
    pub missing: Vec<u64>,
    /// Have these lines twice.
    #[serde(default)]
    pub double: Vec<u64>,
    /// Write a minor unit hundred more into these lines.
    #[serde(default)]
    pub amount: Vec<u64>,
    /// Write a fee of seven minor units more into these lines.
    #[serde(default)]
    pub fee: Vec<u64>,
    /// Lose the references of these lines.
    #[serde(default)]
    pub reference: Vec<u64>,
    /// Cut the file off in its middle.
    #[serde(default)]
    pub truncated: bool,
}

impl Spoil {
    /// Whether it changes nothing.
    pub fn is_none(&self) -> bool {
        *self == Spoil::default()
    }

    /// The line as it is read, once, twice or not at all.
    pub fn apply(&self, position: u64, mut line: Line, each: &mut dyn FnMut(Line)) {
        if self.missing.contains(&position) {
            return;
        }
        let more = |money: Money, by: i64| Money::new(money.minor().saturating_add(by), money.currency());
        if self.amount.contains(&position) {
            line.money = more(line.money, 100);
        }
        if self.fee.contains(&position) {
            line.fee = more(line.fee, 7);
        }
        if self.reference.contains(&position) {
            line.reference.clear();
            line.refund_reference = None;
            line.channel_id.clear();
        }
        if self.double.contains(&position) {
            each(line.clone());
        }
        each(line);
    }
}

/// Reads a channel's statement, spoilt where asked for, and says how many lines it has.
///
/// # Errors
/// What the channel's own reader says: nothing of the file may be believed then.
pub fn read(
    channel: &dyn Channel,
    file: &[u8],
    spoil: &Spoil,
    each: &mut dyn FnMut(Line),
) -> Result<u64, Fault> {
    let kept = if spoil.truncated { &file[..file.len() / 2] } else { file };
    let (mut position, mut lines) = (0, 0);
    let mut reader: &mut dyn BufRead = &mut &*kept;
    channel.parse(&mut reader, &mut |line| {
        position += 1;
        spoil.apply(position, line, &mut |line| {
            lines += 1;
            each(line);
        });
    })?;
    Ok(lines)
}
