//! Money: a whole number of minor units and its currency, never a float.
//!
//! Nothing here rounds unless the caller names a [`Rounding`], nothing wraps, and amounts of two currencies
//! never meet. There are deliberately no `+`, `-` or `<` operators: each of them can fail, and the caller
//! has to look.

use std::cmp::Ordering;
use std::fmt;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::currency::Currency;

/// The most parts [`Money::allocate`] and [`Money::split`] make from one amount.
pub const PARTS_MAX: usize = 10_000;

/// An exact amount: `1234` minor units of CNY are 12.34 yuan, of JPY 1234 yen.
///
/// In JSON: `{"amount": 1234, "currency": "CNY"}`. The amount is an integer; `1234.0`, `1e3` and `"1234"`
/// are refused, and so are fields other than these two.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = Money::new(1234, Currency::CNY))]
pub struct Money {
    /// Minor units of the currency: fen for CNY, cents for USD, yen for JPY. Always an integer.
    #[serde(rename = "amount")]
    minor: i64,
    /// The currency of the amount.
    currency: Currency,
}

/// Why an operation on money was refused. Nothing was computed.
#[derive(Debug, Clone, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// The two amounts are in different currencies.
    #[error("amounts in {left} and {right} cannot be combined")]
    CurrencyMismatch {
        /// The currency of the first amount.
        left: Currency,
        /// The currency of the second amount.
        right: Currency,
    },
    /// The result does not fit 64 bits of minor units.
    #[error("the amount is out of range")]
    Overflow,
    /// The text has more decimals than the currency has.
    #[error("{currency} has {allowed} decimals, the amount has {found}")]
    TooManyDecimals {
        /// The currency of the amount.
        currency: Currency,
        /// How many decimals the currency has.
        allowed: u8,
        /// How many decimals the text has.
        found: usize,
    },
    /// The text is not a plain decimal number.
    #[error("{text:?} is not an amount: expected digits with an optional decimal point, such as 12.34")]
    Malformed {
        /// The beginning of what was given, at most 32 characters.
        text: String,
    },
    /// The weights are none at all or all zero, or an amount is to be split into no parts.
    #[error("an amount cannot be divided among no shares")]
    NoShares,
    /// More than [`PARTS_MAX`] parts are asked for.
    #[error("an amount cannot be divided into {parts} parts, the most is {PARTS_MAX}")]
    TooManyParts {
        /// How many parts were asked for.
        parts: usize,
    },
}

/// What to do with a fraction of a minor unit. There is no default: every rounding is somebody's money.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest; a tie to the even neighbour. 2.5 becomes 2, -2.5 becomes -2.
    HalfEven,
    /// To the nearest; a tie away from zero. 2.5 becomes 3, -2.5 becomes -3.
    HalfUp,
    /// Toward zero. 2.9 becomes 2, -2.9 becomes -2.
    Down,
    /// Away from zero. 2.1 becomes 3, -2.1 becomes -3.
    Up,
    /// Toward negative infinity. 2.9 becomes 2, -2.1 becomes -3.
    Floor,
    /// Toward positive infinity. 2.1 becomes 3, -2.9 becomes -2.
    Ceiling,
}

impl Money {
    /// `minor` minor units of `currency`; may be zero or negative.
    pub const fn new(minor: i64, currency: Currency) -> Money {
        Money { minor, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Money {
        Money::new(0, currency)
    }

    /// The amount in minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether the amount is zero.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether the amount is above zero.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Whether the amount is below zero.
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_add(other.minor))
    }

    /// The difference `self - other`.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_sub(other.minor))
    }

    /// The amount with the other sign.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for the one amount without a counterpart, `i64::MIN`.
    pub fn checked_neg(self) -> Result<Money, MoneyError> {
        self.with(self.minor.checked_neg())
    }

    /// The amount times a whole number, such as a quantity.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_mul(self, factor: i64) -> Result<Money, MoneyError> {
        self.with(self.minor.checked_mul(factor))
    }

    /// Compares two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    pub fn cmp_same(&self, other: Money) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    /// The smaller of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    pub fn min(self, other: Money) -> Result<Money, MoneyError> {
        Ok(if self.cmp_same(other)?.is_le() { self } else { other })
    }

    /// The larger of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    pub fn max(self, other: Money) -> Result<Money, MoneyError> {
        Ok(if self.cmp_same(other)?.is_ge() { self } else { other })
    }

    /// Divides the amount in proportion to `weights`, one part per weight in the same order.
    ///
    /// The parts sum exactly to the amount, none differs from its exact share by a whole minor unit, and a
    /// zero weight gets zero. The rule is the largest remainder: every part is first cut toward zero, then
    /// the units left over go one each to the parts that lost most; of parts that lost equally the larger
    /// weight comes first, and of equal weights the earlier one. So which *weight* gets how much does not
    /// depend on the order of the weights, except that equal weights may differ by one minor unit.
    /// A negative amount is divided like its positive counterpart.
    ///
    /// # Errors
    /// [`MoneyError::NoShares`] when the weights sum to zero, [`MoneyError::TooManyParts`].
    pub fn allocate(self, weights: &[u64]) -> Result<Vec<Money>, MoneyError> {
        if weights.len() > PARTS_MAX {
            return Err(MoneyError::TooManyParts { parts: weights.len() });
        }
        let total: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
        if total == 0 {
            return Err(MoneyError::NoShares);
        }
        let whole = i128::from(self.minor).unsigned_abs();
        // The amount is at most 2^63 and a weight below 2^64, so a product fits 127 bits.
        let exact = |weight: u64| whole * u128::from(weight);
        let mut parts: Vec<u128> = weights.iter().map(|&weight| exact(weight) / total).collect();
        let left_over = usize::try_from(whole - parts.iter().sum::<u128>())
            .expect("cutting loses less than one unit per part");
        let mut order: Vec<usize> = (0..weights.len()).collect();
        // A stable sort: equal weights keep their order.
        order.sort_by(|&a, &b| {
            let key = |i: usize| (exact(weights[i]) % total, weights[i]);
            key(b).cmp(&key(a))
        });
        for &lucky in &order[..left_over] {
            parts[lucky] += 1;
        }
        parts.into_iter().map(|part| self.with_magnitude(part, self.is_negative())).collect()
    }

    /// Divides the amount into `parts` equal parts; the earlier ones are one minor unit larger (further from
    /// zero) where it does not come out even.
    ///
    /// # Errors
    /// [`MoneyError::NoShares`] for no parts, [`MoneyError::TooManyParts`].
    pub fn split(self, parts: usize) -> Result<Vec<Money>, MoneyError> {
        if parts > PARTS_MAX {
            return Err(MoneyError::TooManyParts { parts });
        }
        self.allocate(&vec![1; parts])
    }

    /// The amount times a rate (a fee, a tax, a share), in the same currency. Exact up to the one rounding
    /// at the end; a negative rate turns the sign.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn apply_rate(self, rate: Decimal, rounding: Rounding) -> Result<Money, MoneyError> {
        let negative = self.is_negative() != rate.is_sign_negative();
        let (whole, fraction) = multiply(i128::from(self.minor).unsigned_abs(), rate)?;
        let rounded = whole + u128::from(rounding.moves_away_from_zero(negative, whole, fraction));
        self.with_magnitude(rounded, negative)
    }

    /// The amount as a plain decimal with exactly the currency's decimals: `12.34` (CNY), `1234` (JPY),
    /// `1.234` (KWD), `-0.05`.
    pub fn to_decimal_string(self) -> String {
        let sign = if self.is_negative() { "-" } else { "" };
        let (whole, fraction) = self.whole_and_fraction();
        format!("{sign}{whole}{fraction}")
    }

    /// Reads a plain decimal: ASCII digits, an optional leading `-`, at most one decimal point with digits
    /// on both sides. No `+`, exponent, separator or space. Fewer decimals than the currency has are fine,
    /// more are refused even when they are zeros.
    ///
    /// # Errors
    /// [`MoneyError::Malformed`], [`MoneyError::TooManyDecimals`], [`MoneyError::Overflow`].
    pub fn parse_decimal(text: &str, currency: Currency) -> Result<Money, MoneyError> {
        let scaled = parse_scaled(text, currency.exponent()).map_err(|problem| match problem {
            ScaledError::Malformed => MoneyError::Malformed { text: excerpt(text) },
            ScaledError::Overflow => MoneyError::Overflow,
            ScaledError::TooManyDecimals { found } => {
                MoneyError::TooManyDecimals { currency, allowed: currency.exponent(), found }
            }
        })?;
        Ok(Money::new(scaled, currency))
    }

    /// The amount for people: the currency's distinct sign and grouped digits, the same in Chinese and in
    /// English: `¥1,234.50`, `-US$0.99`, `JP¥1,000`, `CHF 12.00`. Not for machines.
    pub fn display(self) -> String {
        let sign = if self.is_negative() { "-" } else { "" };
        let symbol = self.currency.symbol();
        let gap = if symbol == self.currency.code() { " " } else { "" };
        let (whole, fraction) = self.whole_and_fraction();
        format!("{sign}{symbol}{gap}{}{fraction}", grouped(&whole))
    }

    /// The digits before the point, and the point with the decimals (empty without decimals).
    fn whole_and_fraction(self) -> (String, String) {
        let exponent = self.currency.exponent();
        let unit = 10_u64.pow(u32::from(exponent));
        let magnitude = self.minor.unsigned_abs();
        let fraction = match exponent {
            0 => String::new(),
            digits => format!(".{:0width$}", magnitude % unit, width = usize::from(digits)),
        };
        ((magnitude / unit).to_string(), fraction)
    }

    fn same_currency(self, other: Money) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
    }

    fn with(self, minor: Option<i64>) -> Result<Money, MoneyError> {
        minor.map(|minor| Money::new(minor, self.currency)).ok_or(MoneyError::Overflow)
    }

    fn with_magnitude(self, magnitude: u128, negative: bool) -> Result<Money, MoneyError> {
        let magnitude = i128::try_from(magnitude).map_err(|_| MoneyError::Overflow)?;
        self.with(i64::try_from(if negative { -magnitude } else { magnitude }).ok())
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_decimal_string(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Rounding {
    /// Whether `whole` and a fraction (out of [`ONE`]) become `whole + 1` in magnitude.
    fn moves_away_from_zero(self, negative: bool, whole: u128, fraction: u128) -> bool {
        match self {
            Rounding::Down => false,
            Rounding::Up => fraction > 0,
            Rounding::Floor => negative && fraction > 0,
            Rounding::Ceiling => !negative && fraction > 0,
            Rounding::HalfUp => fraction >= ONE / 2,
            Rounding::HalfEven => fraction > ONE / 2 || (fraction == ONE / 2 && whole % 2 == 1),
        }
    }
}

/// The scale of a fraction: as many decimals as a [`Decimal`] can have.
const ONE: u128 = 10_u128.pow(28);
/// Half of those decimals, so that an amount times a half fits 128 bits.
const HALF_DIGITS: u128 = 10_u128.pow(14);

/// `amount` (at most 2^63) times the magnitude of `rate`: the whole part, and the fraction out of [`ONE`].
///
/// The full product can need 160 bits. The rate is therefore taken apart into its whole part and two groups
/// of fourteen decimals, as one multiplies on paper.
fn multiply(amount: u128, rate: Decimal) -> Result<(u128, u128), MoneyError> {
    let mantissa = rate.mantissa().unsigned_abs();
    let unit = 10_u128.pow(rate.scale());
    let decimals = (mantissa % unit) * (ONE / unit);
    let low = amount * (decimals % HALF_DIGITS);
    let high = amount * (decimals / HALF_DIGITS) + low / HALF_DIGITS;
    let fraction = (high % HALF_DIGITS) * HALF_DIGITS + low % HALF_DIGITS;
    let whole = amount.checked_mul(mantissa / unit).and_then(|whole| whole.checked_add(high / HALF_DIGITS));
    Ok((whole.ok_or(MoneyError::Overflow)?, fraction))
}

/// Why [`parse_scaled`] refused a text.
pub(crate) enum ScaledError {
    Malformed,
    Overflow,
    TooManyDecimals { found: usize },
}

/// Reads a plain decimal as a whole number of `10^-places`, exactly.
pub(crate) fn parse_scaled(text: &str, places: u8) -> Result<i64, ScaledError> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = match unsigned.split_once('.') {
        Some((_, "")) => return Err(ScaledError::Malformed),
        Some(halves) => halves,
        None => (unsigned, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(decimals.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(ScaledError::Malformed);
    }
    let padding = usize::from(places)
        .checked_sub(decimals.len())
        .ok_or(ScaledError::TooManyDecimals { found: decimals.len() })?;
    let digits = whole.bytes().chain(decimals.bytes()).chain(std::iter::repeat_n(b'0', padding));
    // Counted below zero, where the range is one larger, so that the smallest amount can be read too.
    let below_zero = digits
        .map(|byte| i64::from(byte - b'0'))
        .try_fold(0_i64, |sum, digit| sum.checked_mul(10)?.checked_sub(digit))
        .ok_or(ScaledError::Overflow)?;
    if negative { Ok(below_zero) } else { below_zero.checked_neg().ok_or(ScaledError::Overflow) }
}

/// The beginning of a refused text, short enough for a message.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(32).collect()
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn rate(text: &str) -> Decimal {
        text.parse().expect("a test writes valid rates")
    }

    fn any_currency() -> impl Strategy<Value = Currency> {
        prop::sample::select(Currency::all().collect::<Vec<_>>())
    }

    fn minors(parts: Result<Vec<Money>, MoneyError>) -> Vec<i64> {
        parts.expect("the shares are valid").into_iter().map(Money::minor).collect()
    }

    #[test]
    fn sums_and_differences_are_exact_or_refused() {
        assert_eq!(cny(1).checked_add(cny(2)), Ok(cny(3)));
        assert_eq!(cny(1).checked_sub(cny(2)), Ok(cny(-1)));
        assert_eq!(cny(-7).checked_mul(3), Ok(cny(-21)));
        assert_eq!(cny(5).checked_neg(), Ok(cny(-5)));
        let overflow = Err(MoneyError::Overflow);
        assert_eq!(cny(i64::MAX).checked_add(cny(1)), overflow);
        assert_eq!(cny(i64::MIN).checked_sub(cny(1)), overflow);
        assert_eq!(cny(i64::MIN).checked_neg(), overflow);
        assert_eq!(cny(i64::MIN).checked_mul(-1), overflow);
    }

    #[test]
    fn two_currencies_never_meet() {
        let (left, right) = (cny(1), Money::new(1, Currency::HKD));
        let mismatch = MoneyError::CurrencyMismatch { left: Currency::CNY, right: Currency::HKD };
        assert_eq!(left.checked_add(right), Err(mismatch.clone()));
        assert_eq!(left.checked_sub(right), Err(mismatch.clone()));
        assert_eq!(left.min(right), Err(mismatch.clone()));
        assert_eq!(left.max(right), Err(mismatch.clone()));
        assert_eq!(left.cmp_same(right), Err(mismatch));
        assert_ne!(left, right);
        assert_ne!(Money::zero(Currency::CNY), Money::zero(Currency::HKD));
    }

    #[test]
    fn order_and_sign_are_those_of_the_minor_units() {
        assert_eq!(cny(1).cmp_same(cny(2)), Ok(Ordering::Less));
        assert_eq!((cny(1).min(cny(2)), cny(1).max(cny(2))), (Ok(cny(1)), Ok(cny(2))));
        let signs = |m: Money| (m.is_negative(), m.is_zero(), m.is_positive());
        assert_eq!(signs(cny(-1)), (true, false, false));
        assert_eq!(signs(cny(0)), (false, true, false));
        assert_eq!(signs(cny(1)), (false, false, true));
    }

    #[test]
    fn shares_follow_the_largest_remainder() {
        for (amount, weights, expected) in [
            (100, &[1, 1, 1][..], &[34, 33, 33][..]),
            (-100, &[1, 1, 1], &[-34, -33, -33]),
            (100, &[0, 1, 0], &[0, 100, 0]),
            (5, &[3, 7], &[1, 4]), // 1.5 and 3.5 lose the same: the larger weight first
            (5, &[7, 3], &[4, 1]), // and the same in the other order
            (1, &[1, 2, 3], &[0, 0, 1]),
            (10, &[1, 2, 3], &[2, 3, 5]),
            (0, &[1, 2], &[0, 0]),
            (2, &[1, 1, 1, 1], &[1, 1, 0, 0]),
            (i64::MAX, &[u64::MAX, u64::MAX], &[i64::MAX / 2 + 1, i64::MAX / 2]),
            (i64::MIN, &[u64::MAX], &[i64::MIN]),
        ] {
            assert_eq!(minors(cny(amount).allocate(weights)), expected, "{amount} by {weights:?}");
        }
    }

    #[test]
    fn an_amount_is_not_divided_among_nobody_or_too_many() {
        for weights in [&[][..], &[0], &[0, 0]] {
            assert_eq!(cny(100).allocate(weights), Err(MoneyError::NoShares));
        }
        assert_eq!(cny(100).split(0), Err(MoneyError::NoShares));
        let parts = PARTS_MAX + 1;
        assert_eq!(cny(100).split(parts), Err(MoneyError::TooManyParts { parts }));
        assert_eq!(cny(100).split(usize::MAX), Err(MoneyError::TooManyParts { parts: usize::MAX }));
        assert_eq!(cny(100).allocate(&vec![1; parts]), Err(MoneyError::TooManyParts { parts }));
        assert_eq!(minors(cny(100).split(PARTS_MAX)).iter().sum::<i64>(), 100);
        assert_eq!(minors(cny(-10).split(4)), [-3, -3, -2, -2]);
    }

    #[test]
    fn every_rounding_does_what_its_name_says() {
        use Rounding::{Ceiling, Down, Floor, HalfEven, HalfUp, Up};
        // One row per product; the columns are half-even, half-up, down, up, floor, ceiling.
        for (product, expected) in [
            ("2.5", [2, 3, 2, 3, 2, 3]),
            ("3.5", [4, 4, 3, 4, 3, 4]),
            ("2.4999999999999999999999999999", [2, 2, 2, 3, 2, 3]),
            ("2.5000000000000000000000000001", [3, 3, 2, 3, 2, 3]),
            ("0.0000000000000000000000000001", [0, 0, 0, 1, 0, 1]),
            ("2", [2; 6]),
            ("2.0000", [2; 6]),
            ("0", [0; 6]),
            ("-0", [0; 6]),
            ("-2.5", [-2, -3, -2, -3, -3, -2]),
            ("-3.5", [-4, -4, -3, -4, -4, -3]),
            ("-0.1", [0, 0, 0, -1, -1, 0]),
        ] {
            for (rounding, minor) in [HalfEven, HalfUp, Down, Up, Floor, Ceiling].into_iter().zip(expected) {
                assert_eq!(
                    cny(1).apply_rate(rate(product), rounding),
                    Ok(cny(minor)),
                    "{product} {rounding:?}"
                );
            }
        }
    }

    #[test]
    fn rates_apply_at_the_edges_of_the_range() {
        let down = |minor, text: &str| cny(minor).apply_rate(rate(text), Rounding::Down);
        assert_eq!(down(10_000, "0.0038"), Ok(cny(38)));
        assert_eq!(down(i64::MAX, "1"), Ok(cny(i64::MAX)));
        assert_eq!(down(i64::MIN, "1"), Ok(cny(i64::MIN)));
        assert_eq!(down(i64::MIN, "-1"), Err(MoneyError::Overflow));
        assert_eq!(down(i64::MAX, "1.0000000000000000001"), Ok(cny(i64::MAX)));
        assert_eq!(down(i64::MAX, "1.000000000000000001"), Err(MoneyError::Overflow));
        assert_eq!(down(i64::MAX, "0.9999999999999999999999999999"), Ok(cny(i64::MAX - 1)));
        assert_eq!(down(i64::MAX, "79228162514264337593543950335"), Err(MoneyError::Overflow));
        assert_eq!(down(0, "79228162514264337593543950335"), Ok(cny(0)));
    }

    #[test]
    fn decimal_text_has_exactly_the_decimals_of_the_currency() {
        for (minor, currency, text) in [
            (1234, Currency::CNY, "12.34"),
            (-5, Currency::CNY, "-0.05"),
            (0, Currency::CNY, "0.00"),
            (1234, Currency::JPY, "1234"),
            (-1, Currency::JPY, "-1"),
            (1234, Currency::KWD, "1.234"),
            (1, Currency::CLF, "0.0001"),
            (i64::MAX, Currency::USD, "92233720368547758.07"),
            (i64::MIN, Currency::USD, "-92233720368547758.08"),
            (i64::MIN, Currency::JPY, "-9223372036854775808"),
        ] {
            let money = Money::new(minor, currency);
            assert_eq!(money.to_decimal_string(), text);
            assert_eq!(Money::parse_decimal(text, currency), Ok(money), "{text}");
            assert_eq!(money.to_string(), format!("{text} {currency}"));
        }
    }

    #[test]
    fn fewer_decimals_and_leading_zeros_are_read() {
        for (text, minor) in [("12", 1200), ("12.3", 1230), ("-12.3", -1230), ("0012.30", 1230), ("-0.00", 0)]
        {
            assert_eq!(Money::parse_decimal(text, Currency::CNY), Ok(cny(minor)), "{text}");
        }
    }

    #[test]
    fn text_that_is_not_a_plain_decimal_is_refused() {
        for text in [
            "",
            "-",
            ".",
            "-.",
            "1.",
            ".5",
            "-.5",
            "+1",
            "--1",
            "1-",
            "1.2.3",
            "1..2",
            " 1",
            "1 ",
            "1 000",
            "1,000.00",
            "1_000",
            "1e3",
            "1E3",
            "0x10",
            "NaN",
            "inf",
            "¥1",
            "１２",
            "1.２",
            "٣",
            "1\n",
            "\u{2212}1",
            "1.-5",
            "1\0",
        ] {
            let refused = Money::parse_decimal(text, Currency::CNY);
            assert!(matches!(refused, Err(MoneyError::Malformed { .. })), "{text:?} gave {refused:?}");
        }
        let Err(MoneyError::Malformed { text }) = Money::parse_decimal(&"x".repeat(9_999), Currency::CNY)
        else {
            panic!("letters are not an amount");
        };
        assert_eq!(text.len(), 32);
    }

    #[test]
    fn decimals_beyond_the_currency_are_refused_even_when_zero() {
        for (text, currency, allowed, found) in [
            ("1.000", Currency::CNY, 2, 3),
            ("1.001", Currency::CNY, 2, 3),
            ("1.0", Currency::JPY, 0, 1),
            ("1.2345", Currency::KWD, 3, 4),
        ] {
            let refused = MoneyError::TooManyDecimals { currency, allowed, found };
            assert_eq!(Money::parse_decimal(text, currency), Err(refused));
        }
    }

    #[test]
    fn text_out_of_range_is_refused() {
        for text in
            ["92233720368547758.08", "-92233720368547758.09", "92233720368547759", "99999999999999999999999"]
        {
            assert_eq!(Money::parse_decimal(text, Currency::CNY), Err(MoneyError::Overflow), "{text}");
        }
        let endless = "9".repeat(100_000);
        assert_eq!(Money::parse_decimal(&endless, Currency::CNY), Err(MoneyError::Overflow));
    }

    #[test]
    fn people_see_a_distinct_sign_and_grouped_digits() {
        for (minor, currency, text) in [
            (123_450, Currency::CNY, "¥1,234.50"),
            (-99, Currency::USD, "-US$0.99"),
            (1_000, Currency::JPY, "JP¥1,000"),
            (999, Currency::JPY, "JP¥999"),
            (1_200, Currency::CHF, "CHF 12.00"),
            (i64::MIN, Currency::CNY, "-¥92,233,720,368,547,758.08"),
        ] {
            assert_eq!(Money::new(minor, currency).display(), text);
        }
    }

    #[test]
    fn json_is_an_integer_and_a_code() {
        let money = Money::new(-1234, Currency::CNY);
        assert_eq!(serde_json::to_string(&money).unwrap(), r#"{"amount":-1234,"currency":"CNY"}"#);
        let read = |text: &str| serde_json::from_str::<Money>(text);
        assert_eq!(read(r#"{"currency":"cny","amount":-1234}"#).unwrap(), money);
        assert_eq!(read(r#"{"amount":-9223372036854775808,"currency":"CNY"}"#).unwrap(), cny(i64::MIN));
    }

    #[test]
    fn json_that_is_not_an_integer_and_a_code_is_refused() {
        let amounts = [
            "1234.0",
            "12.34",
            "1e3",
            "1E3",
            "\"1234\"",
            "null",
            "true",
            "-0.0",
            "9223372036854775808",
            "18446744073709551616",
            "[1]",
            "0x1",
            "01",
            "+1",
            "NaN",
        ];
        for amount in amounts {
            let text = format!(r#"{{"amount":{amount},"currency":"CNY"}}"#);
            assert!(serde_json::from_str::<Money>(&text).is_err(), "{text}");
        }
        for text in [
            r#"{"amount":1}"#,
            r#"{"currency":"CNY"}"#,
            r#"{"amount":1,"currency":"XAU"}"#,
            r#"{"amount":1,"amount":2,"currency":"CNY"}"#,
            r#"{"amount":1,"currency":"CNY","cents":2}"#,
            "1234",
            "\"12.34 CNY\"",
        ] {
            assert!(serde_json::from_str::<Money>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_schema_says_integer_and_currency_and_nothing_else() {
        let schema = schemars::schema_for!(Money).to_value();
        assert_eq!(schema["properties"]["amount"]["type"], "integer");
        assert_eq!(schema["properties"]["currency"]["$ref"], "#/$defs/Currency");
        assert_eq!(schema["required"], serde_json::json!(["amount", "currency"]));
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["examples"], serde_json::json!([{"amount": 1234, "currency": "CNY"}]));
    }

    proptest! {
        #[test]
        fn decimal_text_round_trips(minor in any::<i64>(), currency in any_currency()) {
            let money = Money::new(minor, currency);
            prop_assert_eq!(Money::parse_decimal(&money.to_decimal_string(), currency), Ok(money));
            let json = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
        }

        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_means_the_same(text in "-?[0-9.]{0,24}|\\PC{0,8}") {
            if let Ok(money) = Money::parse_decimal(&text, Currency::CNY) {
                let read: Decimal = text.parse().expect("what we read is a number");
                prop_assert_eq!(Decimal::new(money.minor(), 2), read);
            }
        }

        #[test]
        fn parts_sum_to_the_amount_and_stay_within_one_unit_of_fair(
            minor in any::<i64>(), weights in prop::collection::vec(any::<u64>(), 1..12)
        ) {
            prop_assume!(weights.iter().any(|&weight| weight > 0));
            let parts = minors(cny(minor).allocate(&weights));
            prop_assert_eq!(parts.iter().map(|&p| i128::from(p)).sum::<i128>(), i128::from(minor));
            let total: i128 = weights.iter().map(|&w| i128::from(w)).sum();
            for (&part, &weight) in parts.iter().zip(&weights) {
                // The fair share cut toward zero, or one further from zero if anything was cut off.
                let product = i128::from(minor) * i128::from(weight);
                let extra = (i128::from(part) - product / total) * i128::from(minor.signum());
                prop_assert!(extra == 0 || (extra == 1 && product % total != 0));
            }
        }

        #[test]
        fn the_order_of_the_weights_does_not_change_who_gets_what(
            minor in any::<i64>(),
            (weights, shuffled) in prop::collection::vec(0_u64..20, 1..12)
                .prop_flat_map(|weights| (Just(weights.clone()), Just(weights).prop_shuffle())),
        ) {
            prop_assume!(weights.iter().any(|&weight| weight > 0));
            let shares = |weights: &[u64]| {
                let parts = minors(cny(minor).allocate(weights));
                let mut shares: Vec<_> = weights.iter().copied().zip(parts).collect();
                shares.sort_unstable();
                shares
            };
            prop_assert_eq!(shares(&weights), shares(&shuffled));
        }

        #[test]
        fn a_debt_is_divided_like_a_credit(minor in 0..i64::MAX, weights in prop::collection::vec(1_u64..99, 1..9)) {
            let mirrored: Vec<_> = minors(cny(-minor).allocate(&weights)).iter().map(|part| -part).collect();
            prop_assert_eq!(minors(cny(minor).allocate(&weights)), mirrored);
        }

        /// The product can exceed 128 bits, so it is compared modulo 2^128 and modulo a prime, which
        /// together tell apart any two numbers of this size.
        #[test]
        fn multiplying_by_a_rate_loses_nothing(
            amount in 0..=1_u128 << 63, mantissa in 0..1_i128 << 96, scale in 0_u32..=28
        ) {
            let rate = Decimal::try_from_i128_with_scale(mantissa, scale).expect("96 bits and 28 decimals fit");
            let Ok((whole, fraction)) = multiply(amount, rate) else {
                prop_assert!(amount.checked_mul(mantissa.unsigned_abs() / 10_u128.pow(scale)).is_none());
                return Ok(());
            };
            prop_assert!(fraction < ONE);
            let scaled_up = 10_u128.pow(28 - scale);
            prop_assert_eq!(
                whole.wrapping_mul(ONE).wrapping_add(fraction),
                amount.wrapping_mul(mantissa.unsigned_abs()).wrapping_mul(scaled_up)
            );
            const PRIME: u128 = (1 << 61) - 1;
            let times = |a: u128, b: u128| (a % PRIME) * (b % PRIME) % PRIME;
            prop_assert_eq!(
                (times(whole, ONE) + fraction) % PRIME,
                times(times(amount, mantissa.unsigned_abs()), scaled_up)
            );
        }
    }
}
