//! The pool of breaks (差错池): what did not agree, both sides as they were, until it is explained.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::matching::{Differences, Entry};
use super::run::{Scope, pool};
use super::{BreakStatus, Class, Kind, Standing};
use crate::document::{Document, Index};
use crate::id::{BreakId, ChannelAccountId, ReconciliationId};
use crate::money::Money;
use crate::time::Timestamp;

/// One side of a break, as it was when it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BreakSide")]
pub struct Facts {
    /// What kind of movement.
    pub kind: Kind,
    /// Whether the money moved, by this side.
    pub standing: Standing,
    /// The channel's id; empty where unknown.
    pub channel_id: String,
    /// Our reference on the wire; empty where unknown.
    pub reference: String,
    /// The merchant's order number; empty where unknown.
    pub number: String,
    /// Gross amount, positive.
    #[serde(flatten)]
    pub money: Money,
    /// The fee, minor units; on our side what was agreed.
    pub fee: Option<i64>,
    /// When it happened.
    pub at: Timestamp,
    /// The attempt, refund or payout, on our side.
    pub object_id: Option<String>,
}

impl Facts {
    /// From a row.
    pub fn of(entry: &Entry<'_>, object_id: Option<String>) -> Facts {
        Facts {
            kind: entry.kind,
            standing: entry.standing,
            channel_id: entry.channel_id.to_owned(),
            reference: entry.reference.to_owned(),
            number: entry.number.to_owned(),
            money: entry.money,
            fee: entry.fee,
            at: entry.at,
            object_id,
        }
    }

    /// As a row again, to be compared with another day's file.
    pub fn entry(&self) -> Entry<'_> {
        Entry {
            kind: self.kind,
            standing: self.standing,
            channel_id: &self.channel_id,
            reference: &self.reference,
            number: &self.number,
            money: self.money,
            fee: self.fee,
            at: self.at,
        }
    }

    /// What it does to what the channel owes us, minor units.
    pub fn effect(&self) -> i64 {
        match (self.standing, self.kind) {
            (Standing::Done, Kind::Payment | Kind::PayoutReturn | Kind::ShareReturn) => self.money.minor(),
            (Standing::Done, _) => self.money.minor().saturating_neg(),
            _ => 0,
        }
    }
}

/// Money on a suspense account because of a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suspended {
    /// Whether the channel has more than our books say (长款, owed to somebody) or less (短款, missing).
    pub is_long: bool,
    /// How much, positive.
    #[serde(flatten)]
    pub money: Money,
}

/// How a break was explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resolution {
    /// In which way.
    pub how: How,
    /// Who: a key's id or a worker's name.
    pub by: String,
    /// In words.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

/// In which way a break was explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// A later file or a later look found the other side.
    Matched,
    /// The channel was asked and our books follow its answer (补单).
    Asked,
    /// The channel stated the day again and it agrees now.
    Restated,
    /// By an adjustment.
    Adjusted,
    /// By a person who found the reason; no money was booked.
    Explained,
}

/// A break.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// Its id.
    pub id: BreakId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// The run that found it.
    pub reconciliation_id: ReconciliationId,
    /// What was compared.
    #[serde(default)]
    pub scope: Scope,
    /// The channel account; none for breaks of a bank and within our own books.
    pub account_id: Option<ChannelAccountId>,
    /// Id of the channel; `bank` for payouts by bank, empty for breaks within our own books.
    pub channel: String,
    /// What makes it this break: found again, it is the same.
    pub identity: String,
    /// Where it stands.
    pub status: BreakStatus,
    /// The gravest of its differences.
    pub class: Class,
    /// All of them.
    pub differences: Differences,
    /// Our side.
    pub ours: Option<Facts>,
    /// The channel's side.
    pub theirs: Option<Facts>,
    /// What the other side may be; for a person to look at.
    pub candidate: Option<Facts>,
    /// Further words, such as the accounts that disagree.
    pub detail: String,
    /// What stands on a suspense account because of it.
    pub suspended: Option<Suspended>,
    /// How often it was looked at again.
    pub looks: u32,
    /// How it was explained.
    pub resolution: Option<Resolution>,
    /// Events about it so far.
    pub sequence: i64,
    /// When it was found.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it is looked at again, wall clock; zero for never.
    pub due_at: Timestamp,
}

impl Document for Break {
    type Id = BreakId;
    const KIND: &'static str = "break";

    fn id(&self) -> BreakId {
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
            number: Some(self.identity.clone()),
            // Whichever run they are of.
            parent: Some(pool(self.account_id, &self.channel)),
            status: self.status.text(),
            at: self.created_at,
            due_at: self.due_at,
        }
    }
}
