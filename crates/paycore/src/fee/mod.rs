//! Fees: what a payment costs the merchant, and what the channel keeps of it. A [`Schedule`] holds the [`Terms`] of one
//! merchant, dated and never edited; [`rules::quote`] applies them to one payment and gives lines that are kept with the
//! payment; [`rules::reverse`] gives back what a refund gives back; [`month`] settles at a month's end what only a whole
//! month can tell: tiers by volume, packages, minimums.
//!
//! Everything here is exact: rates are [`Rate`]s, every line is rounded once by the policy of the terms, and what the
//! rounding left over stands on the line.

pub mod check;
pub mod month;
pub mod report;
pub mod rules;
#[cfg(feature = "engine")]
pub mod service;
pub mod terms;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use month::Month;
pub use terms::{
    Base, CardType, Charge, Match, Package, Price, RefundPolicy, Rounded, Rule, Tax, Terms, Tier, Tiers,
};

use crate::document::{Document, Index};
use crate::id::FeeScheduleId;
use crate::money::Money;
use crate::rate::Rate;
use crate::time::Timestamp;

/// The prices of one merchant, or what a channel charges for its payments: terms by the day they come into effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its id.
    pub id: FeeScheduleId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// A name people recognise it by, unique per merchant.
    pub name: String,
    /// Whose fees these are.
    pub side: Side,
    /// Of several schedules that know a payment the one with the larger number prices it.
    pub priority: i32,
    /// Whether it is applied at all.
    pub active: bool,
    /// Its terms, in the order in which they come into effect; at least one.
    pub revisions: Vec<Revision>,
    /// The month whose end is settled next.
    pub settling: Month,
    /// When a worker settles it, wall clock; zero for the channel's cost, of which no month is settled.
    pub due_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Terms with the instant from which they hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FeeRevision")]
pub struct Revision {
    /// 1, 2, 3 …
    pub number: u32,
    /// Payments from this instant on are priced by it, until the next revision.
    pub effective_from: Timestamp,
    /// The terms.
    pub terms: Terms,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whose fees a schedule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "FeeSide")]
pub enum Side {
    /// What the merchant is charged.
    Price,
    /// What the channel keeps.
    Cost,
}

/// Which terms something was priced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FeeApplied")]
pub struct Applied {
    /// The schedule.
    pub schedule_id: FeeScheduleId,
    /// Its revision.
    pub revision: u32,
}

/// One line of a fee, kept with what it was charged for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeeLine {
    /// What the line is for, such as `processing`, `interchange`, `scheme`, `markup` or `tax`.
    pub code: String,
    /// Which rule of the terms made it.
    pub rule: String,
    /// What the rate was applied to, minor units of the same currency.
    pub base: i64,
    /// The rate; zero for a line that is a fixed amount.
    pub rate: Rate,
    /// The fixed part, minor units.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fixed: i64,
    /// Positive charged, negative given back.
    #[serde(flatten)]
    pub amount: Money,
    /// The exact amount less `amount`, in minor units: above -1 and below 1 (of what is given back, -2 and 2).
    #[serde(default, skip_serializing_if = "Rate::is_zero_ref")]
    pub residue: Rate,
    /// What a refund gives back of it.
    #[serde(default)]
    pub refund: RefundPolicy,
    /// Whether it is tax on the other lines of its rule.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tax: bool,
    /// Whether the month's end settles what it really is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub provisional: bool,
}

fn is_zero(minor: &i64) -> bool {
    *minor == 0
}

impl Schedule {
    /// The terms that hold at an instant; none before the first revision.
    pub fn at(&self, at: Timestamp) -> Option<&Revision> {
        self.revisions.iter().rev().find(|revision| revision.effective_from <= at)
    }

    /// Minutes that the merchant's clock is ahead of UTC, by the last revision: where months begin and end.
    pub fn utc_offset(&self) -> i32 {
        self.revisions.last().map_or(0, |last| last.terms.utc_offset)
    }

    /// How something priced by this revision names it.
    pub fn applied(&self, revision: &Revision) -> Applied {
        Applied { schedule_id: self.id, revision: revision.number }
    }
}

impl Document for Schedule {
    type Id = FeeScheduleId;
    const KIND: &'static str = "fee_schedule";

    fn id(&self) -> FeeScheduleId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn set_version(&mut self, version: i64) {
        self.version = version;
    }

    fn index(&self) -> Index {
        let status = if self.active { "active" } else { "inactive" };
        let number = Some(self.name.clone());
        Index { number, at: self.created_at, due_at: self.due_at, ..Index::new(status) }
    }
}
