//! What terms would have earned, and what was earned: simulation of new terms on past payments, and the margin between
//! price and cost.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::month::{Month, Tally};
use super::rules::{self, Context};
use super::{Revision, Schedule, Side, Terms};
use crate::currency::Currency;
use crate::id::FeeScheduleId;
use crate::money::{Money, MoneyError};
use crate::time::Timestamp;

/// What proposed terms make of past payments in one currency, beside what was charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "FeeSimulation")]
pub struct Simulated {
    /// The currency of all amounts.
    pub currency: Currency,
    /// Payments.
    pub count: u64,
    /// What they paid, minor units.
    pub volume: i64,
    /// What was charged for them, tax included, minor units.
    pub charged: i64,
    /// What the proposed terms would have charged, tax and months' ends included, minor units.
    pub proposed: i64,
    /// `proposed` less `charged`.
    pub difference: i64,
}

/// A schedule that only a simulation applies: these checked terms, from the beginning of time.
pub fn trial(terms: Terms) -> Schedule {
    let revision = Revision { number: 1, effective_from: Timestamp::MIN, terms, created_at: Timestamp::ZERO };
    Schedule {
        id: FeeScheduleId::from_bits(0),
        version: 0,
        name: String::new(),
        side: Side::Price,
        priority: 0,
        active: true,
        revisions: vec![revision],
        settling: Month::of(Timestamp::ZERO, 0),
        due_at: Timestamp::ZERO,
        created_at: Timestamp::ZERO,
    }
}

/// Terms on trial.
#[derive(Debug)]
pub struct Simulation<'a> {
    trial: &'a Schedule,
    rows: BTreeMap<Currency, Simulated>,
    months: BTreeMap<Month, Tally<'a>>,
}

impl<'a> Simulation<'a> {
    /// Puts the schedule of [`trial`] on trial.
    pub fn new(trial: &'a Schedule) -> Self {
        Simulation { trial, rows: BTreeMap::new(), months: BTreeMap::new() }
    }

    /// Prices one past payment anew. Payments come in the order in which they were made.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn add(&mut self, context: &Context<'_>, charged: Money) -> Result<(), MoneyError> {
        let Some(revision) = self.trial.at(context.at) else { return Ok(()) };
        let lines = rules::quote(&revision.terms, context)?;
        let (fee, _) = rules::sum(&lines, Money::zero(context.money.currency()))?;
        let row = row(&mut self.rows, context.money.currency());
        row.count += 1;
        row.volume = add(row.volume, context.money.minor())?;
        row.charged = add(row.charged, charged.minor())?;
        row.proposed = add(row.proposed, fee.minor())?;
        let month = Month::of(context.at, revision.terms.utc_offset);
        let tally = self.months.entry(month).or_insert_with(|| Tally::new(self.trial, month));
        tally.add(revision.number, context.money, &lines)
    }

    /// Adds what was charged for no single payment, such as a month's true-up.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn add_charged(&mut self, charged: Money) -> Result<(), MoneyError> {
        let row = row(&mut self.rows, charged.currency());
        row.charged = add(row.charged, charged.minor())?;
        Ok(())
    }

    /// The result by currency.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn finish(mut self) -> Result<Vec<Simulated>, MoneyError> {
        for tally in self.months.values() {
            for (currency, lines) in tally.settle()? {
                let (fee, _) = rules::sum(&lines, Money::zero(currency))?;
                let row = row(&mut self.rows, currency);
                row.proposed = add(row.proposed, fee.minor())?;
            }
        }
        let mut rows: Vec<_> = self.rows.into_values().collect();
        for row in &mut rows {
            row.difference = row.proposed.checked_sub(row.charged).ok_or(MoneyError::Overflow)?;
        }
        Ok(rows)
    }
}

fn row(rows: &mut BTreeMap<Currency, Simulated>, currency: Currency) -> &mut Simulated {
    let empty = Simulated { currency, count: 0, volume: 0, charged: 0, proposed: 0, difference: 0 };
    rows.entry(currency).or_insert(empty)
}

/// What was earned in one currency through one channel and method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "FeeMargin")]
pub struct MarginRow {
    /// The currency of all amounts.
    pub currency: Currency,
    /// The channel; null for what belongs to none, such as a month's minimum.
    pub channel: Option<String>,
    /// The method.
    pub method: Option<String>,
    /// Movements.
    pub count: u64,
    /// Paid less refunded, minor units.
    pub volume: i64,
    /// Charged to the merchant, tax included, minor units.
    pub fee: i64,
    /// Tax within it.
    pub tax: i64,
    /// Kept by the channel.
    pub cost: i64,
    /// `fee` less `tax` less `cost`.
    pub margin: i64,
}

/// Sums what was earned.
#[derive(Debug, Default)]
pub struct Margin(BTreeMap<(Currency, Option<String>, Option<String>), MarginRow>);

impl Margin {
    /// Counts one movement.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn add(
        &mut self,
        channel: Option<&str>,
        method: Option<&str>,
        gross: Money,
        (fee, tax, cost): (Money, Money, Money),
    ) -> Result<(), MoneyError> {
        let currency = gross.currency();
        let (channel, method) = (channel.map(str::to_owned), method.map(str::to_owned));
        let row = self.0.entry((currency, channel.clone(), method.clone())).or_insert(MarginRow {
            currency,
            channel,
            method,
            count: 0,
            volume: 0,
            fee: 0,
            tax: 0,
            cost: 0,
            margin: 0,
        });
        row.count += 1;
        row.volume = add(row.volume, gross.minor())?;
        row.fee = add(row.fee, fee.minor())?;
        row.tax = add(row.tax, tax.minor())?;
        row.cost = add(row.cost, cost.minor())?;
        let margin = fee.checked_sub(tax)?.checked_sub(cost)?;
        row.margin = add(row.margin, margin.minor())?;
        Ok(())
    }

    /// The rows by currency, channel and method.
    pub fn rows(self) -> Vec<MarginRow> {
        self.0.into_values().collect()
    }
}

fn add(a: i64, b: i64) -> Result<i64, MoneyError> {
    a.checked_add(b).ok_or(MoneyError::Overflow)
}
