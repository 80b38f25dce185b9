//! Settlement: when a merchant's money becomes available, and what of it is paid out.
//!
//! A [`Plan`] says how one currency of one merchant is settled. Every item of clearing gets from it the instant from
//! which it is available ([`timing`]). At each cut-off that the plan pays after, a run takes the items that are
//! available ([`rules`]), holds and releases reserve ([`reserve`]) and closes a [`Settlement`] whose [`Statement`] ties:
//! opening and lines make the closing, which is carried into the next one. What is paid out of it is the payout's
//! business; the settlement says how far that is. Where the terms name another currency, what is paid is converted into it
//! first ([`conversion`]). A statement that was published is never rewritten: what was wrong with it
//! is an entry of the next one ([`correction`]).

pub mod conversion;
pub mod correction;
pub mod debt;
pub mod export;
mod paying;
pub mod reserve;
pub mod rules;
#[cfg(feature = "engine")]
pub mod service;
pub mod state;
mod statement;
pub mod terms;
pub mod timing;
pub mod view;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use conversion::{Conversion, Converted, WaitsFor};
pub use correction::Correction;
pub use paying::Unpayable;
pub use state::SettlementStatus;
pub use statement::{Line, LineKind, Statement, Untied};
pub use terms::{Cutoff, Cycle, Payer, ReserveKind, ReserveRule, Roll, Terms, TransferFee};

use crate::calendar::Date;
use crate::currency::Currency;
use crate::document::{Document, Index};
use crate::id::{CorrectionId, PayoutId, ReserveId, SettlementId, SettlementPlanId};
use crate::money::Money;
use crate::time::Timestamp;

/// How one currency of a merchant is settled, and how far that has come. A merchant has one plan per currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its id.
    pub id: SettlementPlanId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// The currency.
    pub currency: Currency,
    /// Whether it runs by itself.
    pub active: bool,
    /// What was agreed.
    pub terms: Terms,
    /// The closing balance of the last statement, minor units; negative where the merchant owes.
    pub carried: i64,
    /// The day from which on the closing balance has been negative without a break.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative_since: Option<Date>,
    /// How many days of debt the merchant was told of last: 0, 7, 14 or 30.
    #[serde(default)]
    pub overdue_days: u32,
    /// How far below zero what is available may be because a settlement took back more, minor units.
    #[serde(default)]
    pub overdraft: i64,
    /// What is held in reserve now, minor units, by kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reserved: BTreeMap<ReserveKind, i64>,
    /// Sales of the days that an exposure reserve looks back on, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent_sales: Vec<DaySales>,
    /// How many settlements were begun.
    pub sequence: u32,
    /// How many events there were about the plan.
    #[serde(default)]
    pub events: i64,
    /// The settlement that is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<SettlementId>,
    /// The settlement that was closed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<SettlementId>,
    /// Up to when scheduled runs have taken items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_until: Option<Timestamp>,
    /// The next scheduled run, merchant's time; none where the plan is manual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_run: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When a worker looks at it next, wall clock; zero for never. Computed anew for every write.
    #[serde(skip, default = "never")]
    pub due_at: Timestamp,
}

/// What was sold on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySales {
    /// The last day of the settlement.
    pub day: Date,
    /// Gross, minor units.
    pub amount: i64,
}

/// One settlement: the items of a period, what was made of them, and what is to be paid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settlement {
    /// Its id.
    pub id: SettlementId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// Its plan.
    pub plan_id: SettlementPlanId,
    /// Unique per merchant: currency and last day of the period, such as `CNY:2026-11-30`, so that no period is settled
    /// twice; one made on demand has its count behind it.
    pub number: String,
    /// The currency.
    pub currency: Currency,
    /// Where it stands.
    pub status: SettlementStatus,
    /// What made it.
    pub trigger: Trigger,
    /// What it covers.
    pub period: Period,
    /// What has been collected so far.
    pub collected: rules::Collected,
    /// How many items there are to collect, as counted when it was begun.
    pub items_expected: u64,
    /// The statement, from the close on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
    /// Why nothing, or not all, is paid out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_for: Option<Carried>,
    /// What is paid, in another currency; none where it is paid in its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion: Option<Conversion>,
    /// Who bears the fee of the transfer.
    pub transfer_fee_payer: Payer,
    /// The payout that takes it up; none while there is none, or after one that ended without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout_id: Option<PayoutId>,
    /// The corrections that were executed, in order; each is an entry of a later statement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<CorrectionId>,
    /// How many events there were about it.
    pub sequence: i64,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// When a worker tries its conversion next, wall clock; zero for never.
    #[serde(default = "never")]
    pub due_at: Timestamp,
}

/// What a settlement covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Period {
    /// The instant after which items are new; null for the first settlement.
    pub after: Option<Timestamp>,
    /// Items that are available at this instant are taken.
    pub until: Timestamp,
    /// The last day whose payments may be among them, in the plan's time zone.
    pub through: Date,
    /// The day on which the money is to arrive.
    pub pay_on: Date,
    /// Whether the holidays of that day were not announced yet when it was computed.
    pub provisional: bool,
}

/// What makes a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The plan's next cut-off.
    Scheduled,
    /// Somebody asked for what is available.
    Manual,
    /// Somebody asked for everything now, for a fee.
    Accelerated,
}

/// Why a balance is carried into the next statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Carried {
    /// It is below the minimum.
    Minimum,
    /// It is negative: the merchant owes.
    Negative,
    /// Payouts are held.
    Hold,
    /// More than the maximum: the rest is carried.
    Maximum,
    /// The channels' money has not arrived: the rest is carried.
    Float,
}

/// Money held back from a settlement until a day, or until it is no longer needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reserve {
    /// Its id.
    pub id: ReserveId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// The plan it belongs to.
    pub plan_id: SettlementPlanId,
    /// The rule that held it.
    pub kind: ReserveKind,
    /// The settlement it was held from.
    pub settlement_id: SettlementId,
    /// How much was held.
    pub money: Money,
    /// How much of it is still held, minor units.
    pub left: i64,
    /// When it is released; null where it is not a matter of time.
    pub release_at: Option<Timestamp>,
    /// Settlements it was released into, with minor units.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub released: Vec<(SettlementId, i64)>,
    /// When it was held.
    pub created_at: Timestamp,
}

const fn never() -> Timestamp {
    Timestamp::ZERO
}

impl Plan {
    /// A plan that nothing was settled by yet.
    pub fn new(id: SettlementPlanId, currency: Currency, terms: Terms, now: Timestamp) -> Plan {
        Plan {
            id,
            version: 0,
            currency,
            active: true,
            next_run: terms.next_run(now),
            terms,
            carried: 0,
            negative_since: None,
            overdue_days: 0,
            overdraft: 0,
            reserved: BTreeMap::new(),
            recent_sales: Vec::new(),
            sequence: 0,
            events: 0,
            open: None,
            last: None,
            settled_until: None,
            created_at: now,
            due_at: Timestamp::ZERO,
        }
    }
}

impl Settlement {
    /// What is to be paid out of it, in the currency of the payout; zero while it is not closed or not converted.
    pub fn payout(&self) -> Money {
        if let Some(conversion) = &self.conversion {
            return conversion.done.map_or(Money::zero(conversion.into), |done| done.exchange.bought);
        }
        let amount = self.statement.as_ref().map_or(0, |statement| -statement.amount(LineKind::Payout));
        Money::new(amount, self.currency)
    }

    /// What the transfer's purpose says: whose money of which period it is.
    pub fn memo(&self, merchant: impl std::fmt::Display) -> String {
        format!("{merchant} {}", self.number)
    }
}

impl Document for Plan {
    type Id = SettlementPlanId;
    const KIND: &'static str = "settlement_plan";

    fn id(&self) -> SettlementPlanId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn set_version(&mut self, version: i64) {
        self.version = version;
    }

    fn index(&self) -> Index {
        let status = if self.active { "active" } else { "paused" };
        Index {
            number: Some(self.currency.to_string()),
            due_at: self.due_at,
            at: self.created_at,
            ..Index::new(status)
        }
    }
}

impl Document for Settlement {
    type Id = SettlementId;
    const KIND: &'static str = "settlement";

    fn id(&self) -> SettlementId {
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
            number: Some(self.number.clone()),
            parent: Some(self.plan_id.to_string()),
            at: self.period.until,
            due_at: self.due_at,
            ..Index::new(self.status.text())
        }
    }
}

impl Document for Reserve {
    type Id = ReserveId;
    const KIND: &'static str = "reserve";

    fn id(&self) -> ReserveId {
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
            number: Some(format!("{}:{}", self.settlement_id, self.kind.text())),
            parent: Some(self.plan_id.to_string()),
            at: self.release_at.unwrap_or(Timestamp::MAX),
            ..Index::new(if self.left > 0 { "held" } else { "released" })
        }
    }
}
