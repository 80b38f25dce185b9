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
        self.money_of(units, currency).map_err(|error| match error {
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
        self.money_of(units, currency)
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

    fn money_of(self, units: i64, currency: Currency) -> Result<Money, UnitError> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STRIPE: UnitRule = UnitRule::MinorStepped {
        exponents: &[(Currency::ISK, 2), (Currency::UGX, 2), (Currency::MGA, 0)],
        steps: &[
            (Currency::BHD, 10),
            (Currency::JOD, 10),
            (Currency::KWD, 10),
            (Currency::OMR, 10),
            (Currency::TND, 10),
        ],
    };
    const ADYEN: UnitRule = UnitRule::MinorWith(&[
        (Currency::CLP, 2),
        (Currency::ISK, 2),
        (Currency::CVE, 0),
        (Currency::IDR, 0),
    ]);
    const PAYPAL: UnitRule =
        UnitRule::DecimalWith(&[(Currency::HUF, 0), (Currency::JPY, 0), (Currency::TWD, 0)]);
    const DECIMAL: UnitRule = UnitRule::Decimal { places: None };
    const TWO_PLACES: UnitRule = UnitRule::Decimal { places: Some(2) };
    const RULES: [UnitRule; 6] = [UnitRule::Minor, STRIPE, ADYEN, PAYPAL, DECIMAL, TWO_PLACES];

    fn any_currency() -> impl Strategy<Value = Currency> {
        prop::sample::select(Currency::all().collect::<Vec<_>>())
    }

    fn any_rule() -> impl Strategy<Value = UnitRule> {
        prop::sample::select(RULES.to_vec())
    }

    #[test]
    fn amounts_are_written_the_way_of_the_channel_and_read_back() {
        for (rule, minor, currency, wire) in [
            (UnitRule::Minor, 1234, Currency::CNY, "1234"),
            (UnitRule::Minor, 500, Currency::ISK, "500"),
            (STRIPE, 500, Currency::ISK, "50000"),
            (STRIPE, 500, Currency::UGX, "50000"),
            (STRIPE, 500, Currency::JPY, "500"),
            (STRIPE, 1_230, Currency::KWD, "1230"),
            (STRIPE, 50_000, Currency::MGA, "500"),
            (STRIPE, 1234, Currency::USD, "1234"),
            (ADYEN, 500, Currency::CLP, "50000"),
            (ADYEN, 500, Currency::ISK, "50000"),
            (ADYEN, 12_300, Currency::IDR, "123"),
            (ADYEN, 12_300, Currency::CVE, "123"),
            (ADYEN, 1_234, Currency::KWD, "1234"),
            (PAYPAL, 12_00, Currency::HUF, "12"),
            (PAYPAL, -12_34, Currency::USD, "-12.34"),
            (DECIMAL, 1, Currency::CNY, "0.01"),
            (DECIMAL, 1, Currency::KWD, "0.001"),
            (DECIMAL, 100, Currency::JPY, "100"),
            (TWO_PLACES, 100, Currency::JPY, "100.00"),
            (TWO_PLACES, 1_230, Currency::KWD, "1.23"),
            (TWO_PLACES, -1, Currency::CNY, "-0.01"),
        ] {
            let money = Money::new(minor, currency);
            assert_eq!(rule.to_wire(money).as_deref(), Ok(wire), "{rule:?} {money}");
            assert_eq!(rule.from_wire(wire, currency), Ok(money), "{rule:?} {wire}");
        }
    }

    #[test]
    fn what_the_channel_cannot_write_is_refused_not_rounded() {
        for (rule, minor, currency, places) in [
            (STRIPE, 12_345, Currency::MGA, 0),
            (ADYEN, 12_345, Currency::IDR, 0),
            (ADYEN, 1, Currency::CVE, 0),
            (PAYPAL, 12_34, Currency::HUF, 0),
            (PAYPAL, -1, Currency::TWD, 0),
            (TWO_PLACES, 1_234, Currency::KWD, 2),
            (TWO_PLACES, 1, Currency::CLF, 2),
        ] {
            let amount = Money::new(minor, currency);
            assert_eq!(rule.to_wire(amount), Err(UnitError::TooFine { amount, places }));
        }
    }

    #[test]
    fn a_step_binds_what_is_sent_and_not_what_is_received() {
        let amount = Money::new(1_234, Currency::KWD);
        assert_eq!(STRIPE.to_wire(amount), Err(UnitError::NotAStep { amount, step: 10 }));
        assert_eq!(STRIPE.to_wire_minor(amount), Err(UnitError::NotAStep { amount, step: 10 }));
        assert_eq!(STRIPE.from_wire("1234", Currency::KWD), Ok(amount));
        let zero_step = UnitRule::MinorStepped { exponents: &[], steps: &[(Currency::KWD, 0)] };
        assert_eq!(zero_step.to_wire(amount), Err(UnitError::NotAStep { amount, step: 0 }));
    }

    #[test]
    fn a_wire_amount_finer_than_the_currency_is_refused() {
        for (rule, wire, currency) in [
            (STRIPE, "50001", Currency::ISK),
            (ADYEN, "150", Currency::CLP),
            (TWO_PLACES, "100.50", Currency::JPY),
        ] {
            let refused = UnitError::FinerThanCurrency { text: wire.to_owned(), currency };
            assert_eq!(rule.from_wire(wire, currency), Err(refused));
        }
        let refused = UnitError::FinerThanCurrency { text: "50001".to_owned(), currency: Currency::ISK };
        assert_eq!(STRIPE.from_wire_minor(50_001, Currency::ISK), Err(refused));
    }

    #[test]
    fn a_wire_text_of_another_form_is_refused() {
        for (rule, wire) in [
            (UnitRule::Minor, "12.34"),
            (UnitRule::Minor, "12."),
            (UnitRule::Minor, ""),
            (UnitRule::Minor, "+12"),
            (UnitRule::Minor, "1e2"),
            (DECIMAL, "12.345"),
            (DECIMAL, "12.340"),
            (DECIMAL, "1,234.00"),
            (DECIMAL, "12.34 "),
            (DECIMAL, ".34"),
            (DECIMAL, "null"),
        ] {
            let refused = UnitError::Malformed { text: wire.to_owned() };
            assert_eq!(rule.from_wire(wire, Currency::CNY), Err(refused), "{rule:?} {wire:?}");
        }
    }

    #[test]
    fn decimal_text_may_have_fewer_decimals_than_the_rule_says() {
        for (wire, minor) in [("88.8", 8_880), ("88", 8_800), ("88.80", 8_880)] {
            assert_eq!(TWO_PLACES.from_wire(wire, Currency::CNY), Ok(Money::new(minor, Currency::CNY)));
        }
    }

    #[test]
    fn amounts_out_of_range_are_refused_in_both_directions() {
        assert_eq!(STRIPE.to_wire(Money::new(i64::MAX / 10, Currency::ISK)), Err(UnitError::Overflow));
        assert_eq!(ADYEN.from_wire_minor(i64::MIN, Currency::IDR), Err(UnitError::Overflow));
        assert_eq!(UnitRule::Minor.from_wire("9223372036854775808", Currency::CNY), Err(UnitError::Overflow));
        let absurd = UnitRule::Decimal { places: Some(u8::MAX) };
        assert_eq!(absurd.to_wire(Money::new(1, Currency::CNY)), Err(UnitError::Overflow));
        assert_eq!(absurd.from_wire("1", Currency::CNY), Err(UnitError::Overflow));
    }

    #[test]
    fn integers_are_refused_by_rules_that_write_decimals() {
        let money = Money::new(1234, Currency::CNY);
        for rule in [DECIMAL, TWO_PLACES, PAYPAL] {
            assert_eq!(rule.to_wire_minor(money), Err(UnitError::NotAnInteger));
            assert_eq!(rule.from_wire_minor(1234, Currency::CNY), Err(UnitError::NotAnInteger));
        }
        for rule in [UnitRule::Minor, STRIPE, ADYEN] {
            assert_eq!(rule.to_wire_minor(money), Ok(1234));
            assert_eq!(rule.from_wire_minor(1234, Currency::CNY), Ok(money));
        }
    }

    #[test]
    fn every_currency_can_be_written_by_every_rule() {
        for rule in RULES {
            for currency in Currency::all() {
                let money = Money::new(1_230_000, currency);
                let wire = rule.to_wire(money);
                assert_eq!(wire.and_then(|wire| rule.from_wire(&wire, currency)), Ok(money), "{rule:?}");
            }
        }
    }

    /// The value of a wire text times 10^8, read with none of the code under test.
    fn value_e8(wire: &str) -> i128 {
        let (whole, decimals) = wire.split_once('.').unwrap_or((wire, ""));
        format!("{whole}{decimals:0<8}").parse().expect("the wire text is a number")
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(rule in any_rule(), minor in any::<i64>(), currency in any_currency()) {
            let money = Money::new(minor, currency);
            if let Ok(wire) = rule.to_wire(money) {
                prop_assert_eq!(rule.from_wire(&wire, currency), Ok(money));
            }
        }

        #[test]
        fn the_value_on_the_wire_is_the_amount(
            rule in any_rule(), units in -1_000_000_000_i64..1_000_000_000, currency in any_currency()
        ) {
            // A multiple of 10,000 minor units is expressible under each of the rules.
            let money = Money::new(units * 10_000, currency);
            let wire = rule.to_wire(money).expect("round amounts can be written");
            let unit = if rule.is_integer() { u32::from(rule.places(currency)) } else { 0 };
            prop_assert_eq!(
                value_e8(&wire) / 10_i128.pow(unit),
                i128::from(money.minor()) * 10_i128.pow(8 - u32::from(currency.exponent()))
            );
            prop_assert_eq!(value_e8(&wire) % 10_i128.pow(unit), 0);
        }

        #[test]
        fn what_is_read_is_written_back_as_the_same_number(
            rule in any_rule(), units in any::<i64>(), currency in any_currency()
        ) {
            let wire = if rule.is_integer() { units.to_string() } else { decimal_text(units, rule.places(currency)) };
            let again = rule.from_wire(&wire, currency).and_then(|money| rule.to_wire(money));
            let refused_for_a_reason = matches!(
                again,
                Err(UnitError::NotAStep { .. } | UnitError::FinerThanCurrency { .. } | UnitError::Overflow)
            );
            prop_assert!(refused_for_a_reason || again == Ok(wire));
        }
    }
}
