//! What is agreed with a merchant about settlement.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::calendar::{Calendar, Weekday, Zone};
use crate::currency::Currency;
use crate::error::{Error, Result};
use crate::money::{Money, MoneyError, Rounding};

/// A whole, in basis points.
const WHOLE: u32 = 10_000;
/// The minimum of a payout where none is agreed, in major units.
const MINIMUM_DEFAULT: i64 = 100;
/// The largest amount in terms, minor units.
const AMOUNT_MAX: i64 = 99_999_999_999_999;
/// The longest a reserve is held or looks back, days.
const DAYS_MAX: u32 = 540;
const DRAW_AFTER_DEFAULT: u32 = 30;

/// When payments are settled. A *day* is a settlement day: from one cut-off to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "every", rename_all = "snake_case", deny_unknown_fields)]
pub enum Cycle {
    /// T+N: on the N-th working day after the day of the payment; T+0 at the cut-off of a working day itself.
    WorkingDays {
        /// N, 0 to 30.
        #[schemars(range(max = 30))]
        days: u8,
    },
    /// D+N: N days after the day of the payment, whether they are worked or not.
    CalendarDays {
        /// N, 0 to 365.
        #[schemars(range(max = 365))]
        days: u16,
    },
    /// Once a week, for all days before.
    Week {
        /// The day of the week.
        weekday: Weekday,
    },
    /// On the 1st and the 16th, for all days before.
    HalfMonth,
    /// Once a month, for all days before.
    Month {
        /// The day of the month, 1 to 31; the last in shorter months.
        #[schemars(range(min = 1, max = 31))]
        day: u8,
    },
    /// Only when `settlements.run` asks for it.
    Manual,
}

/// What becomes of a day of payment on which banks are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Roll {
    /// It stays.
    Unadjusted,
    /// The next working day takes its place.
    Following,
}

/// The time on the wall at which a settlement day ends, `00:01` to `24:00`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cutoff(u16);

/// Who bears the fee of the transfer to the merchant's bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Payer {
    /// The platform: the merchant gets the whole amount.
    Platform,
    /// The merchant: it is taken from the payout.
    Merchant,
}

/// What a transfer costs: a fixed part and a share of it, together at most `maximum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferFee {
    /// Who bears it.
    pub payer: Payer,
    /// Minor units per transfer.
    #[serde(default)]
    #[schemars(range(min = 0, max = 99_999_999_999_999_i64))]
    pub fixed: i64,
    /// Share of the transfer in basis points (1 is 0.01 %), 0 to 10,000.
    #[serde(default)]
    #[schemars(range(max = 10_000))]
    pub basis_points: u32,
    /// The most it can be, minor units.
    #[serde(default)]
    #[schemars(range(min = 0, max = 99_999_999_999_999_i64))]
    pub maximum: Option<i64>,
}

/// What it costs to get everything now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceleration {
    /// Share of what was not available yet, in basis points, 0 to 10,000.
    #[schemars(range(max = 10_000))]
    pub basis_points: u32,
    /// The least it costs, minor units.
    #[serde(default)]
    #[schemars(range(min = 0, max = 99_999_999_999_999_i64))]
    pub minimum: i64,
}

/// A kind of reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReserveKind {
    /// A share of the sales, each for a number of days.
    Rolling,
    /// Up to an amount.
    Fixed,
    /// As much as could come back.
    Exposure,
}

impl ReserveKind {
    /// The word used in the API.
    pub const fn text(self) -> &'static str {
        match self {
            ReserveKind::Rolling => "rolling",
            ReserveKind::Fixed => "fixed",
            ReserveKind::Exposure => "exposure",
        }
    }
}

/// What is held back. Of each kind there is at most one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ReserveRule {
    /// A share of each settlement's sales, released after a number of days.
    Rolling {
        /// The share in basis points, 1 to 10,000.
        #[schemars(range(min = 1, max = 10_000))]
        basis_points: u32,
        /// How long it is held, 1 to 540 days.
        #[schemars(range(min = 1, max = 540))]
        days: u32,
    },
    /// Up to an amount, which stays until the rule is taken away: up-front with 10,000 basis points, built up from a
    /// share of each settlement with fewer.
    Fixed {
        /// The amount, minor units.
        #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
        amount: i64,
        /// The share of a settlement's sales that may be taken for it, in basis points, 1 to 10,000.
        #[schemars(range(min = 1, max = 10_000))]
        basis_points: u32,
    },
    /// A share of the sales of the days in which payers can still take their money back; it grows and shrinks with
    /// them.
    Exposure {
        /// The share in basis points, 1 to 10,000.
        #[schemars(range(min = 1, max = 10_000))]
        basis_points: u32,
        /// How far back payers can go, 1 to 540 days.
        #[schemars(range(min = 1, max = 540))]
        days: u32,
    },
}

impl ReserveRule {
    /// Its kind.
    pub const fn kind(self) -> ReserveKind {
        match self {
            ReserveRule::Rolling { .. } => ReserveKind::Rolling,
            ReserveRule::Fixed { .. } => ReserveKind::Fixed,
            ReserveRule::Exposure { .. } => ReserveKind::Exposure,
        }
    }
}

/// How a merchant's money in one currency is settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// When payments are settled.
    pub cycle: Cycle,
    /// The time zone of its days, such as `Asia/Shanghai`.
    pub time_zone: Zone,
    /// Whose working days count.
    pub calendar: Calendar,
    /// When a day ends; `24:00` is midnight.
    #[serde(default)]
    pub cutoff: Cutoff,
    /// When a day ends for payments through a channel, by the channel's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channel_cutoffs: BTreeMap<String, Cutoff>,
    /// What becomes of a day of payment on which banks are closed; `unadjusted` for D+N, `following` otherwise, where
    /// absent. T+N falls on working days by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roll: Option<Roll>,
    /// ISO 4217 code of another currency that what is paid is converted into before it is paid, such as `USD`. Every amount
    /// of these terms and all that is carried stay in the plan's currency; only what is paid is converted, whole, at the
    /// merchant's rate of that moment (`fx_rates.set`). Without a fresh rate a settlement waits as `converting`. Paid in the
    /// plan's own currency where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement_currency: Option<Currency>,
    /// What is paid at least, minor units; less is carried. 100.00 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 99_999_999_999_999_i64))]
    pub minimum: Option<i64>,
    /// What is paid at most, minor units; the rest is carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub maximum: Option<i64>,
    /// Why nothing is paid for now; payouts go on once it is taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub hold: Option<String>,
    /// What is held back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    pub reserves: Vec<ReserveRule>,
    /// What a transfer costs, and whom; nothing where absent.
    #[serde(default)]
    pub transfer_fee: TransferFee,
    /// What it costs to get everything now; it cannot be had where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceleration: Option<Acceleration>,
    /// How many working days after a payment the channel's own money arrives, by the channel's name; at once where
    /// absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channel_days: BTreeMap<String, u8>,
    /// How much may be paid out before the channels' money arrives, minor units; any amount where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 99_999_999_999_999_i64))]
    pub float_limit: Option<i64>,
    /// After how many days a debt is taken from the reserve, 0 to 540; 30 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 540))]
    pub draw_after_days: Option<u32>,
}

impl Terms {
    /// A cycle with the usual calendar and time zone of a currency, and nothing else agreed.
    pub fn usual(cycle: Cycle, currency: Currency) -> Terms {
        let (calendar, zone) = Calendar::of(currency);
        Terms {
            cycle,
            time_zone: Zone::named(zone).unwrap_or(Zone::UTC),
            calendar,
            cutoff: Cutoff::default(),
            channel_cutoffs: BTreeMap::new(),
            roll: None,
            settlement_currency: None,
            minimum: None,
            maximum: None,
            hold: None,
            reserves: Vec::new(),
            transfer_fee: TransferFee::default(),
            acceleration: None,
            channel_days: BTreeMap::new(),
            float_limit: None,
            draw_after_days: None,
        }
    }

    /// What is paid at least, minor units.
    pub fn minimum(&self, currency: Currency) -> i64 {
        let default = || MINIMUM_DEFAULT * 10_i64.pow(u32::from(currency.exponent()));
        self.minimum.unwrap_or_else(default)
    }

    /// After how many days a debt is taken from the reserve.
    pub fn draw_after_days(&self) -> u32 {
        self.draw_after_days.unwrap_or(DRAW_AFTER_DEFAULT)
    }

    /// The rule of a kind.
    pub fn reserve(&self, kind: ReserveKind) -> Option<ReserveRule> {
        self.reserves.iter().copied().find(|rule| rule.kind() == kind)
    }

    /// Refuses what makes no sense for a plan in a currency, by the name of the parameter.
    ///
    /// # Errors
    /// The first parameter that is not right.
    pub fn check(&self, currency: Currency) -> Result<()> {
        check_cycle(self.cycle)?;
        if self.settlement_currency == Some(currency) {
            let detail =
                "Must be another currency than the plan's; leave it out to be paid in the plan's own.";
            return Err(Error::invalid("settlement_currency", detail));
        }
        for (name, amount) in
            [("minimum", self.minimum), ("maximum", self.maximum), ("float_limit", self.float_limit)]
        {
            check_amount(name, amount.unwrap_or(0))?;
        }
        if self.maximum.is_some_and(|maximum| maximum < self.minimum.unwrap_or(0).max(1)) {
            return Err(Error::invalid("maximum", "Must be at least 1 and at least `minimum`."));
        }
        if self.hold.as_ref().is_some_and(|reason| reason.is_empty() || reason.chars().count() > 200) {
            return Err(Error::invalid("hold", "Give the reason in 1 to 200 characters."));
        }
        self.check_fees()?;
        self.check_reserves()?;
        if self.channel_days.values().any(|days| *days > 30) {
            return Err(Error::invalid("channel_days", "Must be 0 to 30 working days."));
        }
        if self.draw_after_days.is_some_and(|days| days > DAYS_MAX) {
            return Err(Error::invalid("draw_after_days", format!("Must be 0 to {DAYS_MAX}.")));
        }
        Ok(())
    }

    fn check_fees(&self) -> Result<()> {
        let fee = self.transfer_fee;
        check_amount("transfer_fee.fixed", fee.fixed)?;
        check_amount("transfer_fee.maximum", fee.maximum.unwrap_or(0))?;
        check_share("transfer_fee.basis_points", fee.basis_points, 0)?;
        let Some(acceleration) = self.acceleration else { return Ok(()) };
        check_amount("acceleration.minimum", acceleration.minimum)?;
        check_share("acceleration.basis_points", acceleration.basis_points, 0)
    }

    fn check_reserves(&self) -> Result<()> {
        for (at, rule) in self.reserves.iter().enumerate() {
            let name = |field: &str| format!("reserves[{at}].{field}");
            if self.reserves[..at].iter().any(|earlier| earlier.kind() == rule.kind()) {
                return Err(Error::invalid(name("kind"), "Of each kind there is at most one reserve."));
            }
            let (share, days) = match *rule {
                ReserveRule::Rolling { basis_points, days }
                | ReserveRule::Exposure { basis_points, days } => (basis_points, days),
                ReserveRule::Fixed { amount, basis_points } => {
                    check_amount(&name("amount"), amount)?;
                    (basis_points, 1)
                }
            };
            check_share(&name("basis_points"), share, 1)?;
            if !(1..=DAYS_MAX).contains(&days) {
                return Err(Error::invalid(name("days"), format!("Must be 1 to {DAYS_MAX}.")));
            }
        }
        Ok(())
    }
}

fn check_cycle(cycle: Cycle) -> Result<()> {
    let (name, fits, range) = match cycle {
        Cycle::WorkingDays { days } => ("cycle.days", days <= 30, "0 to 30"),
        Cycle::CalendarDays { days } => ("cycle.days", days <= 365, "0 to 365"),
        Cycle::Month { day } => ("cycle.day", (1..=31).contains(&day), "1 to 31"),
        Cycle::Week { .. } | Cycle::HalfMonth | Cycle::Manual => return Ok(()),
    };
    if fits { Ok(()) } else { Err(Error::invalid(name, format!("Must be {range}."))) }
}

fn check_amount(name: &str, amount: i64) -> Result<()> {
    if (0..=AMOUNT_MAX).contains(&amount) {
        return Ok(());
    }
    Err(Error::invalid(name, format!("Must be 0 to {AMOUNT_MAX} minor units.")))
}

fn check_share(name: &str, basis_points: u32, least: u32) -> Result<()> {
    if (least..=WHOLE).contains(&basis_points) {
        return Ok(());
    }
    Err(Error::invalid(name, format!("Must be {least} to {WHOLE} basis points; 100 are one per cent.")))
}

/// A share of an amount in basis points, rounded half up to the minor unit.
///
/// # Errors
/// [`MoneyError::Overflow`].
pub fn share(money: Money, basis_points: u32) -> Result<Money, MoneyError> {
    money.apply_rate(rust_decimal::Decimal::new(i64::from(basis_points), 4), Rounding::HalfUp)
}

impl TransferFee {
    /// What a transfer of this amount costs.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn of(self, money: Money) -> Result<Money, MoneyError> {
        let full = share(money, self.basis_points)?.checked_add(Money::new(self.fixed, money.currency()))?;
        let most = self.maximum.unwrap_or(i64::MAX);
        Ok(Money::new(full.minor().min(most), money.currency()))
    }
}

impl Default for TransferFee {
    fn default() -> Self {
        TransferFee { payer: Payer::Platform, fixed: 0, basis_points: 0, maximum: None }
    }
}

impl Cutoff {
    /// Midnight.
    pub const MIDNIGHT: Cutoff = Cutoff(24 * 60);

    /// Seconds after midnight, 60 to 86,400.
    pub fn seconds(self) -> u32 {
        u32::from(self.0) * 60
    }
}

impl Default for Cutoff {
    fn default() -> Self {
        Cutoff::MIDNIGHT
    }
}

impl fmt::Display for Cutoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Debug for Cutoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no cut-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cut-off is a time from 00:01 to 24:00, such as 22:00")]
pub struct CutoffError;

impl FromStr for Cutoff {
    type Err = CutoffError;

    fn from_str(text: &str) -> Result<Cutoff, CutoffError> {
        let two = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse::<u16>().ok()).flatten().ok_or(CutoffError)
        };
        let (hours, minutes) = text.split_once(':').ok_or(CutoffError)?;
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        let all = hours * 60 + minutes;
        if minutes < 60 && (1..=24 * 60).contains(&all) { Ok(Cutoff(all)) } else { Err(CutoffError) }
    }
}

impl Serialize for Cutoff {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cutoff {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cutoff, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Cutoff {
    fn schema_name() -> Cow<'static, str> {
        "Cutoff".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "The time on the wall at which a settlement day ends, 00:01 to 24:00.",
            "pattern": "^([01][0-9]|2[0-4]):[0-5][0-9]$",
            "examples": ["22:00"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cutoff_is_a_time_of_a_day_and_nothing_else() {
        for text in ["00:01", "22:00", "24:00"] {
            assert_eq!(text.parse::<Cutoff>().unwrap().to_string(), text);
        }
        for text in ["00:00", "24:01", "2:00", "22:60", "22.00", "+1:00", "99:00"] {
            assert_eq!(text.parse::<Cutoff>(), Err(CutoffError), "{text}");
        }
    }

    #[test]
    fn a_transfer_costs_its_parts_up_to_the_most() {
        let cny = |minor| Money::new(minor, Currency::CNY);
        let fee = TransferFee { payer: Payer::Merchant, fixed: 100, basis_points: 10, maximum: Some(5_000) };
        assert_eq!(fee.of(cny(1_000_000)).unwrap(), cny(1_100));
        assert_eq!(fee.of(cny(100_000_000)).unwrap(), cny(5_000));
    }

    #[test]
    fn terms_that_make_no_sense_are_refused_by_name() {
        let terms = |change: fn(&mut Terms)| {
            let mut terms = Terms::usual(Cycle::WorkingDays { days: 1 }, Currency::CNY);
            change(&mut terms);
            terms.check(Currency::CNY).err().and_then(|error| error.param)
        };
        assert_eq!(terms(|_| ()), None);
        assert_eq!(terms(|t| t.cycle = Cycle::Month { day: 0 }).as_deref(), Some("cycle.day"));
        assert_eq!(terms(|t| t.minimum = Some(-1)).as_deref(), Some("minimum"));
        assert_eq!(terms(|t| (t.minimum, t.maximum) = (Some(5), Some(4))).as_deref(), Some("maximum"));
        assert_eq!(terms(|t| t.settlement_currency = Some(Currency::USD)), None);
        let own = terms(|t| t.settlement_currency = Some(Currency::CNY));
        assert_eq!(own.as_deref(), Some("settlement_currency"));
        assert_eq!(
            terms(|t| t.reserves = vec![ReserveRule::Rolling { basis_points: 500, days: 0 }]).as_deref(),
            Some("reserves[0].days")
        );
        assert_eq!(
            terms(|t| t.reserves = vec![ReserveRule::Rolling { basis_points: 500, days: 9 }; 2]).as_deref(),
            Some("reserves[1].kind")
        );
    }
}
