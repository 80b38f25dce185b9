//! What only a whole month can tell: the tier it reached, what was free in its packages, its minimum, and what rounding
//! left over. A [`Tally`] takes the month's movements in the order in which they were cleared and ends in the lines that
//! settle the difference between what was charged and what is due.
//!
//! Volume counts what was paid; of rules that give a refund its part of the fee back, also what was refunded, in the
//! month in which it was refunded.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::rules::{self, Volume};
use super::terms::{Charge, RefundPolicy, Rule, Terms, Tiers};
use super::{FeeLine, Revision, Schedule};
use crate::currency::Currency;
use crate::money::{Money, MoneyError};
use crate::rate::{Exact, Rate};
use crate::time::{Civil, Timestamp};

/// The code of the line that settles what rounding left over in a month.
pub const ROUNDING: &str = "rounding";
/// The code of the line that brings a month to its minimum.
pub const MINIMUM: &str = "minimum";
/// The code of the line that brings a month to its maximum.
pub const MAXIMUM: &str = "maximum";

/// A calendar month, written `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i32,
    month: u8,
}

/// A text that is not a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a month is written `2026-11`, from 1970-01 to 9998-12")]
pub struct MonthError;

impl Month {
    /// The month of an instant where the clock is so many minutes ahead of UTC.
    pub fn of(at: Timestamp, utc_offset: i32) -> Month {
        let civil = at.to_civil(utc_offset * 60);
        Month { year: civil.year, month: civil.month }
    }

    /// Its first instant.
    pub fn start(self, utc_offset: i32) -> Timestamp {
        let first =
            Civil { year: self.year, month: self.month, day: 1, hour: 0, minute: 0, second: 0, micros: 0 };
        Timestamp::from_civil(first, utc_offset * 60).unwrap_or(Timestamp::MAX)
    }

    /// The first instant after it.
    pub fn end(self, utc_offset: i32) -> Timestamp {
        self.next().start(utc_offset)
    }

    /// Its last microsecond.
    pub fn last_instant(self, utc_offset: i32) -> Timestamp {
        Timestamp::from_micros(self.end(utc_offset).micros() - 1)
    }

    /// The month after it.
    pub fn next(self) -> Month {
        match self.month {
            12 => Month { year: self.year + 1, month: 1 },
            month => Month { year: self.year, month: month + 1 },
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = MonthError;
    fn from_str(text: &str) -> Result<Month, MonthError> {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let (year, month) = text.split_once('-').ok_or(MonthError)?;
        if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) {
            return Err(MonthError);
        }
        let (year, month) = (year.parse().map_err(|_| MonthError)?, month.parse().map_err(|_| MonthError)?);
        let fits = (1970..=9998).contains(&year) && (1..=12).contains(&month);
        fits.then_some(Month { year, month }).ok_or(MonthError)
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Month, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Month {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Month".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$", "examples": ["2026-11"] })
    }
}

/// What one rule of one revision has seen of a month in one currency.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    count: u32,
    volume: i64,
    charged: i64,
    /// What the payments of a package should have cost.
    due: i64,
}

/// What the lines of a month sum to in one currency.
#[derive(Debug, Clone, Copy, Default)]
struct Total {
    fee: i64,
    residue: Exact,
}

/// Counts one month of one schedule. Memory grows with its rules, not with its payments.
#[derive(Debug)]
pub struct Tally<'a> {
    schedule: &'a Schedule,
    month: Month,
    /// By currency, rule and revision, so that a rule's revisions stand in their order.
    seen: BTreeMap<(Currency, String, u32), Seen>,
    totals: BTreeMap<Currency, Total>,
}

impl<'a> Tally<'a> {
    /// Nothing counted yet.
    pub fn new(schedule: &'a Schedule, month: Month) -> Self {
        Tally { schedule, month, seen: BTreeMap::new(), totals: BTreeMap::new() }
    }

    /// Counts a payment (positive) or refund (negative) with the lines this revision charged or gave back for it.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn add(&mut self, revision: u32, gross: Money, lines: &[FeeLine]) -> Result<(), MoneyError> {
        let currency = gross.currency();
        for line in lines {
            let total = self.totals.entry(currency).or_default();
            if !line.provisional {
                total.residue = total.residue.checked_add(Exact::part(line.residue))?;
            }
            if !line.tax {
                total.fee = add(total.fee, line.amount.minor())?;
            }
            if line.provisional && (gross.is_positive() || line.refund == RefundPolicy::ProRata) {
                self.count(revision, gross, line)?;
            }
        }
        Ok(())
    }

    fn count(&mut self, revision: u32, gross: Money, line: &FeeLine) -> Result<(), MoneyError> {
        let terms = self.terms(revision);
        let package = terms.and_then(|terms| match &find(terms, &line.rule)?.charge {
            Charge::Package(package) => Some((*package, terms.rounding)),
            _ => None,
        });
        let due = match package {
            None => 0,
            Some((package, rounding)) => {
                let before = self.before(gross.currency(), &line.rule);
                rules::package_due(&package, gross.minor(), before, rounding.into())?
            }
        };
        let seen = self.seen.entry((gross.currency(), line.rule.clone(), revision)).or_default();
        seen.count = seen.count.saturating_add(u32::from(gross.is_positive()));
        seen.volume = add(seen.volume, gross.minor())?;
        seen.charged = add(seen.charged, line.amount.minor())?;
        seen.due = add(seen.due, due)?;
        Ok(())
    }

    /// What a rule has seen of the month so far, whatever its revision.
    fn before(&self, currency: Currency, rule: &str) -> Volume {
        let from = (currency, rule.to_owned(), 0);
        let to = (currency, rule.to_owned(), u32::MAX);
        self.seen.range(from..=to).fold(Volume::default(), |sum, (_, seen)| Volume {
            count: sum.count.saturating_add(seen.count),
            amount: sum.amount.saturating_add(seen.volume),
        })
    }

    /// What settles the month, by currency: what is due less what was charged. No line is zero.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn settle(&self) -> Result<BTreeMap<Currency, Vec<FeeLine>>, MoneyError> {
        let mut lines: BTreeMap<Currency, Vec<FeeLine>> = BTreeMap::new();
        let whole = self.whole_terms();
        for ((currency, name), seen) in self.by_rule() {
            let Some(terms) = seen.last().and_then(|(revision, _)| self.terms(*revision)) else { continue };
            let Some(rule) = find(terms, &name) else { continue };
            if let Some(line) = self.true_up(currency, rule, terms, &seen)? {
                let tax = rules::tax_on(rule, &line, terms.rounding.into())?;
                lines.entry(currency).or_default().extend([Some(line), tax].into_iter().flatten());
            }
        }
        if let Some(terms) = whole {
            for (rule, currency, monthly) in monthly(terms) {
                let line = flat(rule, Money::new(monthly, currency));
                let tax = rules::tax_on(rule, &line, terms.rounding.into())?;
                lines.entry(currency).or_default().extend([Some(line), tax].into_iter().flatten());
            }
        }
        self.round(&mut lines)?;
        if let Some(terms) = whole {
            self.limit(terms, &mut lines)?;
        }
        lines.retain(|_, lines| !lines.is_empty());
        Ok(lines)
    }

    /// What each rule has seen by revision, the oldest first.
    fn by_rule(&self) -> BTreeMap<(Currency, String), Vec<(u32, Seen)>> {
        let mut rules: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for ((currency, rule, revision), seen) in &self.seen {
            rules.entry((*currency, rule.clone())).or_default().push((*revision, *seen));
        }
        rules
    }

    /// The line that brings one rule from what was charged to what is due.
    fn true_up(
        &self,
        currency: Currency,
        rule: &Rule,
        terms: &Terms,
        seen: &[(u32, Seen)],
    ) -> Result<Option<FeeLine>, MoneyError> {
        let mut due = Exact::ZERO;
        let mut before = 0;
        let (mut volume, mut charged) = (0, 0);
        for (_, one) in seen {
            volume = add(volume, one.volume)?;
            charged = add(charged, one.charged)?;
        }
        if volume <= 0 {
            // A month of refunds alone gives back what it gave back.
            return Ok(None);
        }
        for (index, (revision, one)) in seen.iter().enumerate() {
            let charge = self.terms(*revision).and_then(|terms| Some(&find(terms, &rule.name)?.charge));
            let last = index + 1 == seen.len();
            let part = match charge {
                Some(Charge::Volume(tiers)) => volume_part(tiers, one.volume, volume, last)?,
                Some(Charge::Graduated(tiers)) => rules::graduated(tiers, add(before, one.volume)?)?
                    .checked_sub(rules::graduated(tiers, before)?)?,
                Some(Charge::Package(_)) => Exact::whole(one.due),
                _ => Exact::whole(one.charged),
            };
            due = due.checked_add(part)?;
            before = add(before, one.volume)?;
        }
        let (due, residue) = due.round(terms.rounding.into())?;
        let amount = due.checked_sub(charged).ok_or(MoneyError::Overflow)?;
        let rate = match &rule.charge {
            Charge::Volume(tiers) => rules::tier_rate(tiers, volume),
            _ => Rate::ZERO,
        };
        Ok((amount != 0).then(|| FeeLine {
            rate,
            residue,
            base: volume,
            ..flat(rule, Money::new(amount, currency))
        }))
    }

    /// The one rounding of a month whose terms round by the month.
    fn round(&self, lines: &mut BTreeMap<Currency, Vec<FeeLine>>) -> Result<(), MoneyError> {
        let Some(terms) = self.closing().map(|revision| &revision.terms) else { return Ok(()) };
        if !terms.round_by_month {
            return Ok(());
        }
        for (currency, total) in &self.totals {
            let (amount, residue) = total.residue.round(terms.rounding.into())?;
            if amount != 0 {
                let line = of_the_month(ROUNDING, Money::new(amount, *currency));
                lines.entry(*currency).or_default().push(FeeLine { residue, ..line });
            }
        }
        Ok(())
    }

    /// Minimum and maximum, on what was charged and what settles it, without tax.
    fn limit(&self, terms: &Terms, lines: &mut BTreeMap<Currency, Vec<FeeLine>>) -> Result<(), MoneyError> {
        for (limits, code) in [(&terms.monthly_minimum, MINIMUM), (&terms.monthly_maximum, MAXIMUM)] {
            for limit in limits {
                let lines = lines.entry(limit.currency()).or_default();
                let charged = self.totals.get(&limit.currency()).map_or(0, |total| total.fee);
                let settled = lines.iter().filter(|line| !line.tax).map(|line| line.amount.minor());
                let total = settled.into_iter().try_fold(charged, add)?;
                let missing = limit.minor().checked_sub(total).ok_or(MoneyError::Overflow)?;
                if (code == MINIMUM && missing > 0) || (code == MAXIMUM && missing < 0) {
                    lines.push(of_the_month(code, Money::new(missing, limit.currency())));
                }
            }
        }
        Ok(())
    }

    fn terms(&self, revision: u32) -> Option<&'a Terms> {
        self.schedule.revisions.iter().find(|one| one.number == revision).map(|one| &one.terms)
    }

    /// The revision that holds when the month ends.
    fn closing(&self) -> Option<&'a Revision> {
        self.schedule.at(self.month.last_instant(self.schedule.utc_offset()))
    }

    /// The closing terms, if the schedule held for the whole month: only then is there a minimum or a flat amount.
    fn whole_terms(&self) -> Option<&'a Terms> {
        let closing = self.closing()?;
        self.schedule.at(self.month.start(closing.terms.utc_offset))?;
        Some(&closing.terms)
    }
}

/// What the tier that the whole month reached makes of one revision's part of it.
fn volume_part(tiers: &Tiers, part: i64, month: i64, last: bool) -> Result<Exact, MoneyError> {
    let rate = Exact::of(part, rules::tier_rate(tiers, month));
    if !last {
        return Ok(rate);
    }
    let tier = tiers.tiers.iter().find(|tier| tier.reaches(month));
    rate.checked_add(Exact::whole(tier.map_or(0, |tier| tier.fixed)))
}

/// The flat amounts of packages.
fn monthly(terms: &Terms) -> impl Iterator<Item = (&Rule, Currency, i64)> {
    terms.rules.iter().filter_map(|rule| match (&rule.charge, rule.fits.currency) {
        (Charge::Package(package), Some(currency)) if package.monthly > 0 => {
            Some((rule, currency, package.monthly))
        }
        _ => None,
    })
}

fn flat(rule: &Rule, amount: Money) -> FeeLine {
    FeeLine { code: rule.code.clone(), rule: rule.name.clone(), ..of_the_month("", amount) }
}

/// A line that belongs to a month: a fixed amount, not given back by any refund.
fn of_the_month(code: &str, amount: Money) -> FeeLine {
    FeeLine {
        code: code.to_owned(),
        rule: code.to_owned(),
        base: 0,
        rate: Rate::ZERO,
        fixed: amount.minor(),
        amount,
        residue: Rate::ZERO,
        refund: RefundPolicy::Keep,
        tax: false,
        provisional: false,
    }
}

fn find<'t>(terms: &'t Terms, rule: &str) -> Option<&'t Rule> {
    terms.rules.iter().find(|one| one.name == rule)
}

fn add(a: i64, b: i64) -> Result<i64, MoneyError> {
    a.checked_add(b).ok_or(MoneyError::Overflow)
}
