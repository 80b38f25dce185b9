//! How a channel writes amounts: a rule per channel, exact in both directions.
//!
//! ISO 4217 says how many decimals a currency has; channels disagree in places. A [`UnitRule`] is the
//! constant data in which a channel states its own way. Converting either succeeds exactly or is refused;
//! nothing is ever rounded on the way out or on the way in.

use crate::currency::Currency;
use crate::money::{Money, ScaledError, excerpt, parse_scaled};

/// The way one channel writes amounts.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum UnitRule {
    /// An integer in ISO 4217 minor units.
    Minor,
    /// An integer in minor units, where the listed currencies have the channel's own number of decimals.
    MinorWith(&'static [(Currency, u8)]),
    /// As `MinorWith`, and amounts sent in the currencies of `steps` must be multiples of that many wire
    /// units: `(KWD, 10)` lets 1.230 through and refuses 1.234. Amounts received need not be.
    MinorStepped {
        /// The currencies with the channel's own number of decimals.
        exponents: &'static [(Currency, u8)],
        /// The currencies whose wire amount must be a multiple.
        steps: &'static [(Currency, u32)],
    },
    /// A decimal text with `places` decimals, or as many as the currency has for `None`.
    Decimal {
        /// The number of decimals in every currency, or `None` for the currency's own.
        places: Option<u8>,
    },
    /// A decimal text with the currency's own decimals, but the channel's for the listed currencies.
    DecimalWith(&'static [(Currency, u8)]),
}

/// Why an amount cannot be written for, or read from, a channel. Nothing was sent or believed.
#[derive(Debug, Clone, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// The amount has a part finer than the channel can write.
    #[error("this channel takes {} with {places} decimals, {amount} needs more", amount.currency())]
    TooFine {
        /// The amount to be sent.
        amount: Money,
        /// The decimals the channel takes.
        places: u8,
    },
    /// The amount is not a multiple of the channel's step.
    #[error("this channel takes {} in steps of {step} units, {amount} is not one", amount.currency())]
    NotAStep {
        /// The amount to be sent.
        amount: Money,
        /// The step in wire units.
        step: u32,
    },
    /// The channel's amount has a part finer than the currency's minor unit, so it is not this currency or
    /// the rule is wrong.
    #[error("the channel's amount {text:?} is finer than the minor unit of {currency}")]
    FinerThanCurrency {
        /// What the channel wrote.
        text: String,
        /// The currency it should be in.
        currency: Currency,
    },
    /// The channel's amount is not a number in the form the rule says.
    #[error("the channel's amount {text:?} is not a number of the expected form")]
    Malformed {
        /// The beginning of what the channel wrote.
        text: String,
    },
    /// The amount does not fit 64 bits on one side.
    #[error("the amount is out of range")]
    Overflow,
    /// An integer was asked of a rule that writes decimal text.
    #[error("this channel writes decimal amounts, not integers")]
    NotAnInteger,
}

impl UnitRule {
    /// The amount as the channel's text, integer or decimal.
    ///
    /// # Errors
    /// [`UnitError::TooFine`], [`UnitError::NotAStep`], [`UnitError::Overflow`]. Never rounds.
    pub fn to_wire(&self, money: Money) -> Result<String, UnitError> {
        let units = self.to_units(money)?;
        if self.is_integer() {
            return Ok(units.to_string());
        }
        Ok(decimal_text(units, self.places(money.currency())))
    }

    /// Reads the channel's text as money. Decimal text may have fewer decimals than the rule says (`88.8`),
    /// never more; integer text is digits with an optional leading `-`.
    ///
    /// # Errors
    /// [`UnitError::Malformed`], [`UnitError::FinerThanCurrency`], [`UnitError::Overflow`].
    pub fn from_wire(&self, text: &str, currency: Currency) -> Result<Money, UnitError> {
        let places = if self.is_integer() { 0 } else { self.places(currency) };
        let units = parse_scaled(text, places).map_err(|problem| match problem {
            ScaledError::Overflow => UnitError::Overflow,
            ScaledError::Malformed | ScaledError::TooManyDecimals { .. } => {
                UnitError::Malformed { text: excerpt(text) }
            }
        })?;
        self.from_units(units, currency).map_err(|error| match error {
            UnitError::FinerThanCurrency { currency, .. } => {
                UnitError::FinerThanCurrency { text: excerpt(text), currency }
            }
            other => other,
        })
    }

    /// The amount as the channel's integer.
    ///
    /// # Errors
    /// As [`UnitRule::to_wire`], and [`UnitError::NotAnInteger`] for a decimal rule.
    pub fn to_wire_minor(&self, money: Money) -> Result<i64, UnitError> {
        if !self.is_integer() {
            return Err(UnitError::NotAnInteger);
        }
        self.to_units(money)
    }

    /// Reads the channel's integer as money.
    ///
    /// # Errors
    /// As [`UnitRule::from_wire`], and [`UnitError::NotAnInteger`] for a decimal rule.
    pub fn from_wire_minor(&self, units: i64, currency: Currency) -> Result<Money, UnitError> {
        if !self.is_integer() {
            return Err(UnitError::NotAnInteger);
        }
        self.from_units(units, currency)
    }

    /// How many decimals this channel's amounts in `currency` have.
    pub fn places(&self, currency: Currency) -> u8 {
        let own = match *self {
            UnitRule::Minor | UnitRule::Decimal { places: None } => None,
            UnitRule::MinorWith(list) | UnitRule::DecimalWith(list) => listed(list, currency),
            UnitRule::MinorStepped { exponents, .. } => listed(exponents, currency),
            UnitRule::Decimal { places } => places,
        };
        own.unwrap_or(currency.exponent())
    }

    /// Whether the channel writes integers (otherwise decimal text).
    pub fn is_integer(&self) -> bool {
        match self {
            UnitRule::Minor | UnitRule::MinorWith(_) | UnitRule::MinorStepped { .. } => true,
            UnitRule::Decimal { .. } | UnitRule::DecimalWith(_) => false,
        }
    }

    fn to_units(self, money: Money) -> Result<i64, UnitError> {
        let places = self.places(money.currency());
        let units = rescale(money.minor(), money.currency().exponent(), places)
            .map_err(|lost| lost.or(UnitError::TooFine { amount: money, places }))?;
        if let Some(step) = self.step(money.currency())
            && units.checked_rem(i64::from(step)) != Some(0)
        {
            return Err(UnitError::NotAStep { amount: money, step });
        }
        Ok(units)
    }

    fn from_units(self, units: i64, currency: Currency) -> Result<Money, UnitError> {
        let minor = rescale(units, self.places(currency), currency.exponent())
            .map_err(|lost| lost.or(UnitError::FinerThanCurrency { text: units.to_string(), currency }))?;
        Ok(Money::new(minor, currency))
    }

    fn step(self, currency: Currency) -> Option<u32> {
        match self {
            UnitRule::MinorStepped { steps, .. } => listed(steps, currency),
            _ => None,
        }
    }
}

fn listed<T: Copy>(list: &[(Currency, T)], currency: Currency) -> Option<T> {
    list.iter().find(|(candidate, _)| *candidate == currency).map(|&(_, value)| value)
}

/// Why [`rescale`] found no exact integer.
enum Lost {
    Digits,
    Range,
}

impl Lost {
    fn or(self, digits: UnitError) -> UnitError {
        match self {
            Lost::Digits => digits,
            Lost::Range => UnitError::Overflow,
        }
    }
}

/// A whole number of `10^-from` as a whole number of `10^-to`, only if exact.
fn rescale(value: i64, from: u8, to: u8) -> Result<i64, Lost> {
    let factor = 10_i64.checked_pow(u32::from(from.abs_diff(to))).ok_or(Lost::Range)?;
    if to >= from {
        return value.checked_mul(factor).ok_or(Lost::Range);
    }
    if value % factor != 0 { Err(Lost::Digits) } else { Ok(value / factor) }
}

/// A whole number of `10^-places` as plain decimal text.
fn decimal_text(units: i64, places: u8) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", units.unsigned_abs(), width = usize::from(places) + 1);
    match digits.split_at(digits.len() - usize::from(places)) {
        (whole, "") => format!("{sign}{whole}"),
        (whole, decimals) => format!("{sign}{whole}.{decimals}"),
    }
}
