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
