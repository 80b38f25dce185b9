//! Rates: exact decimal fractions with at most twelve places (a fee of 0.6 % is `0.006`, a price of one dollar is
//! `7.1245`), and what an amount times a rate comes to before anybody rounds it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::money::{MoneyError, Rounding};

/// Decimal places of a rate.
pub const PLACES: u32 = 12;
/// One, as [`Rate`] and [`Exact`] count it.
pub const ONE: i64 = 10_i64.pow(PLACES);

/// An exact decimal with at most twelve places, between -9,223,372 and 9,223,372.
///
/// In JSON a text such as `"0.006"`; a JSON number is refused, because readers of JSON make it a float.
#[derive(Copy, Clone, Default, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Rate(i64);

/// Why a text is not a rate.
#[derive(Debug, Clone, Copy, Eq, PartialEq, thiserror::Error)]
#[error(
    "expected a plain decimal of at most {PLACES} places between -9223372 and 9223372, as a text such as \"0.006\""
)]
pub struct RateError;

impl Rate {
    /// Nothing.
    pub const ZERO: Rate = Rate(0);
    /// The whole.
    pub const ONE: Rate = Rate(ONE);

    /// `units` times 10^-12.
    pub const fn from_units(units: i64) -> Rate {
        Rate(units)
    }

    /// In units of 10^-12.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Hundredths of a percent.
    pub const fn from_basis_points(points: i32) -> Rate {
        Rate(points as i64 * (ONE / 10_000))
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The same for serde's `skip_serializing_if`.
    pub(crate) fn is_zero_ref(&self) -> bool {
        self.is_zero()
    }

    /// The product of two rates, rounded to twelve places; none where it is out of range.
    pub fn times(self, other: Rate, rounding: Rounding) -> Option<Rate> {
        let product = i128::from(self.0) * i128::from(other.0);
        i64::try_from(divide(product, i128::from(ONE), rounding)).ok().map(Rate)
    }

    /// One divided by the rate, rounded to twelve places; none for nothing and where it is out of range.
    pub fn inverse(self, rounding: Rounding) -> Option<Rate> {
        let one = i128::from(ONE) * i128::from(ONE);
        let whole = (self.0 != 0).then(|| divide(one, i128::from(self.0), rounding))?;
        i64::try_from(whole).ok().map(Rate)
    }

    /// The sum; none where it is out of range.
    pub fn checked_add(self, other: Rate) -> Option<Rate> {
        self.0.checked_add(other.0).map(Rate)
    }

    /// The difference; none where it is out of range.
    pub fn checked_sub(self, other: Rate) -> Option<Rate> {
        self.0.checked_sub(other.0).map(Rate)
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Rate, RateError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, decimals) = match digits.split_once('.') {
            Some((_, "")) => return Err(RateError),
            Some(halves) => halves,
            None => (digits, ""),
        };
        let all_digits = whole.bytes().chain(decimals.bytes()).all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits || decimals.len() > PLACES as usize {
            return Err(RateError);
        }
        let padding = PLACES as usize - decimals.len();
        let units = whole
            .bytes()
            .chain(decimals.bytes())
            .chain(std::iter::repeat_n(b'0', padding))
            .try_fold(0_i64, |sum, byte| sum.checked_mul(10)?.checked_add(i64::from(byte - b'0')))
            .ok_or(RateError)?;
        Ok(Rate(if negative { -units } else { units }))
    }
}

/// As short as it goes: `0.006`, `7`, `-0.5`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / ONE as u64, self.0.unsigned_abs() % ONE as u64);
        if part == 0 {
            return write!(f, "{sign}{whole}");
        }
        let decimals = format!("{part:012}");
        write!(f, "{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rate, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Rate;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal as a text, such as \"0.006\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Rate, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^-?[0-9]{1,7}(\\.[0-9]{1,12})?$",
            "description": "An exact decimal as a text, at most 12 places: 0.6 % is \"0.006\".",
            "examples": ["0.006"],
        })
    }
}

/// An amount that is not rounded yet: minor units times 10^-12.
#[derive(Debug, Copy, Clone, Default, Eq, PartialEq, Ord, PartialOrd)]
pub struct Exact(i128);

impl Exact {
    /// Nothing.
    pub const ZERO: Exact = Exact(0);

    /// Whole minor units.
    pub fn whole(minor: i64) -> Exact {
        Exact(i128::from(minor) * i128::from(ONE))
    }

    /// `minor` minor units times a rate. The product of two 64-bit numbers always fits.
    pub fn of(minor: i64, rate: Rate) -> Exact {
        Exact(i128::from(minor) * i128::from(rate.0))
    }

    /// A part of a minor unit.
    pub fn part(residue: Rate) -> Exact {
        Exact(i128::from(residue.0))
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Exact) -> Result<Exact, MoneyError> {
        self.0.checked_add(other.0).map(Exact).ok_or(MoneyError::Overflow)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Exact) -> Result<Exact, MoneyError> {
        self.0.checked_sub(other.0).map(Exact).ok_or(MoneyError::Overflow)
    }

    /// Whole minor units, and what the exact amount has beyond them: above -1 and below 1.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn round(self, rounding: Rounding) -> Result<(i64, Rate), MoneyError> {
        let whole = divide(self.0, i128::from(ONE), rounding);
        let residue = self.0 - whole * i128::from(ONE);
        let residue = i64::try_from(residue).expect("less than one is below 10^12 in size");
        Ok((i64::try_from(whole).map_err(|_| MoneyError::Overflow)?, Rate(residue)))
    }
}

/// `dividend / divisor` as a whole number. The divisor is not zero.
pub fn divide(dividend: i128, divisor: i128, rounding: Rounding) -> i128 {
    let (whole, rest) = (dividend / divisor, dividend % divisor);
    if rest == 0 {
        return whole;
    }
    let negative = (dividend < 0) != (divisor < 0);
    let half = (rest.unsigned_abs()).cmp(&(divisor.unsigned_abs() - rest.unsigned_abs()));
    let away = match rounding {
        Rounding::Down => false,
        Rounding::Up => true,
        Rounding::Floor => negative,
        Rounding::Ceiling => !negative,
        Rounding::HalfUp => half.is_ge(),
        Rounding::HalfEven => half.is_gt() || (half.is_eq() && whole % 2 != 0),
    };
    match (away, negative) {
        (false, _) => whole,
        (true, false) => whole + 1,
        (true, true) => whole - 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().expect("a test writes valid rates")
    }

    #[test]
    fn a_rate_reads_back_what_it_prints() {
        for text in ["0", "0.006", "7", "-0.5", "7.1245", "0.000000000001", "9223372.036854775807"] {
            assert_eq!(rate(text).to_string(), text);
            assert_eq!(serde_json::from_str::<Rate>(&format!("{text:?}")).expect("a rate"), rate(text));
        }
        assert_eq!(rate("0.60"), Rate::from_basis_points(6_000));
        assert_eq!(rate("-0"), Rate::ZERO);
    }

    #[test]
    fn what_is_no_plain_decimal_is_refused() {
        for text in ["", "-", ".5", "5.", "1e3", "+1", " 1", "0.0000000000001", "9223373", "1,5", "NaN", "٣"]
        {
            assert_eq!(text.parse::<Rate>(), Err(RateError), "{text}");
        }
        assert!(serde_json::from_str::<Rate>("0.006").is_err(), "a JSON number is a float to others");
    }

    #[test]
    fn each_rounding_does_what_its_name_says() {
        use Rounding::{Ceiling, Down, Floor, HalfEven, HalfUp, Up};
        for (tenths, expected) in [
            (25, [2, 3, 2, 3, 2, 3]),
            (35, [4, 4, 3, 4, 3, 4]),
            (-25, [-2, -3, -2, -3, -3, -2]),
            (24, [2, 2, 2, 3, 2, 3]),
            (26, [3, 3, 2, 3, 2, 3]),
            (-26, [-3, -3, -2, -3, -3, -2]),
            (30, [3, 3, 3, 3, 3, 3]),
        ] {
            let got = [HalfEven, HalfUp, Down, Up, Floor, Ceiling].map(|how| divide(tenths, 10, how));
            assert_eq!(got, expected, "{tenths} tenths");
        }
    }

    #[test]
    fn what_rounding_left_over_is_kept() {
        let (whole, residue) = Exact::of(1_234, rate("0.006")).round(Rounding::HalfUp).expect("small");
        assert_eq!((whole, residue), (7, rate("0.404")));
        let (whole, residue) = Exact::of(-1_260, rate("0.006")).round(Rounding::HalfUp).expect("small");
        assert_eq!((whole, residue), (-8, rate("0.44")));
        assert_eq!(
            Exact::whole(i64::MAX).checked_add(Exact::whole(1)).expect("wide").round(Rounding::Down),
            Err(MoneyError::Overflow)
        );
    }

    #[test]
    fn an_inverse_is_rounded_the_way_it_is_asked() {
        assert_eq!(rate("3").inverse(Rounding::Floor), Some(rate("0.333333333333")));
        assert_eq!(rate("3").inverse(Rounding::Ceiling), Some(rate("0.333333333334")));
        assert_eq!(Rate::ZERO.inverse(Rounding::Floor), None);
        assert_eq!(rate("0.00000001").inverse(Rounding::Floor), None, "out of range");
        assert_eq!(rate("1.5").times(rate("-0.5"), Rounding::Floor), Some(rate("-0.75")));
    }

    proptest! {
        #[test]
        fn whole_and_residue_are_the_exact_amount(minor in any::<i64>(), units in -ONE..ONE) {
            let exact = Exact::of(minor, Rate::from_units(units));
            for how in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Up, Rounding::Down] {
                let (whole, residue) = exact.round(how).expect("not more than the amount");
                prop_assert_eq!(Exact::whole(whole).checked_add(Exact::part(residue)), Ok(exact));
                prop_assert!(residue.units().abs() < ONE);
            }
        }

        #[test]
        fn text_round_trips(units in any::<i64>()) {
            prop_assume!(units != i64::MIN);
            let rate = Rate::from_units(units);
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }
    }
}
