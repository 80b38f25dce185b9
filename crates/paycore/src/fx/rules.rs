//! Pure exchange: cross rates, what a conversion comes to, what a position is worth.

use super::{Exchange, FxQuote, FxRate, FxSide, Position, QuoteStatus, Used};
use crate::currency::Currency;
use crate::event::{Booking, Movement, Part};
use crate::id::FxQuoteId;
use crate::money::{Money, MoneyError, Rounding};
use crate::rate::{ONE, Rate, divide};
use crate::time::Timestamp;

/// Why nothing is converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FxError {
    /// There is no rate between the currencies, not even over a third one.
    #[error(
        "there is no rate between {from} and {to}; set one, or one of each against the same third currency"
    )]
    NoRate {
        /// What is to be sold.
        from: Currency,
        /// What is to be bought.
        to: Currency,
    },
    /// There is a rate, but it is too old.
    #[error("the rate between {from} and {to} is stale; it has to be set anew")]
    Stale {
        /// What is to be sold.
        from: Currency,
        /// What is to be bought.
        to: Currency,
    },
    /// So little is sold that nothing is bought, or a rate is out of range.
    #[error("the amount is too small or too large to be converted at this rate")]
    Amount,
    /// The same currency twice.
    #[error("an amount is converted into another currency, not into its own")]
    SameCurrency,
    /// The quote is converted already, or over.
    #[error("the quote is {0}")]
    Quote(&'static str),
}

impl From<MoneyError> for FxError {
    fn from(_: MoneyError) -> Self {
        FxError::Amount
    }
}

/// A mid with its spread and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cross {
    /// The price of one unit sold in what is bought, at the middle, rounded against the merchant.
    pub mid: Rate,
    /// The part that is kept: the larger of the spreads on the way.
    pub spread: Rate,
    /// The rates on the way.
    pub rates: Vec<Used>,
}

/// The mid between two currencies: a rate between them if there is a fresh one, or two fresh rates over a third
/// currency; of several ways the one whose older rate is youngest, and of equal ones the first in the order of the code
/// between.
///
/// # Errors
/// [`FxError`].
pub fn cross(rates: &[FxRate], from: Currency, to: Currency, now: Timestamp) -> Result<Cross, FxError> {
    if from == to {
        return Err(FxError::SameCurrency);
    }
    let mut stale = false;
    let mut best: Option<(Timestamp, Cross)> = None;
    for way in ways(rates, from, to) {
        if !way.iter().all(|(rate, _)| fresh(rate, now)) {
            stale = true;
            continue;
        }
        let oldest = way.iter().map(|(rate, _)| rate.at).min().unwrap_or(Timestamp::ZERO);
        if best.as_ref().is_none_or(|(at, found)| way.len() == found.rates.len() && oldest > *at) {
            best = Some((oldest, along(&way)?));
        }
    }
    match best {
        Some((_, cross)) => Ok(cross),
        None if stale => Err(FxError::Stale { from, to }),
        None => Err(FxError::NoRate { from, to }),
    }
}

/// A rate, and whether it is used the other way round.
type Leg<'a> = (&'a FxRate, bool);

/// Every way from one currency to another of one or two rates, the short ones first.
fn ways(rates: &[FxRate], from: Currency, to: Currency) -> Vec<Vec<Leg<'_>>> {
    let legs = |a: Currency, b: Currency| {
        rates.iter().filter_map(move |rate| match (rate.pair.base, rate.pair.quote) {
            (base, quote) if (base, quote) == (a, b) => Some((rate, false)),
            (base, quote) if (base, quote) == (b, a) => Some((rate, true)),
            _ => None,
        })
    };
    let mut ways: Vec<Vec<Leg<'_>>> = legs(from, to).map(|leg| vec![leg]).collect();
    let mut between: Vec<Currency> =
        rates.iter().flat_map(|rate| [rate.pair.base, rate.pair.quote]).collect();
    between.sort_unstable();
    between.dedup();
    for middle in between.into_iter().filter(|middle| *middle != from && *middle != to) {
        for first in legs(from, middle) {
            ways.extend(legs(middle, to).map(|second| vec![first, second]));
        }
    }
    ways
}

/// Whether a rate may be quoted by.
pub fn fresh(rate: &FxRate, now: Timestamp) -> bool {
    rate.at <= now && now.since(rate.at).as_secs() < u64::from(rate.max_age)
}

fn along(way: &[Leg<'_>]) -> Result<Cross, FxError> {
    let mut cross = Cross { mid: Rate::ONE, spread: Rate::ZERO, rates: Vec::new() };
    for (rate, inverted) in way {
        let mid = match inverted {
            true => rate.mid.inverse(Rounding::Floor).ok_or(FxError::Amount)?,
            false => rate.mid,
        };
        cross.mid = cross.mid.times(mid, Rounding::Floor).ok_or(FxError::Amount)?;
        cross.spread = cross.spread.max(rate.spread);
        cross.rates.push(Used { pair: rate.pair, mid: rate.mid, at: rate.at });
    }
    if cross.mid <= Rate::ZERO {
        return Err(FxError::Amount);
    }
    Ok(cross)
}

/// The merchant's rate: the mid less its spread, rounded against the merchant.
fn offered(cross: &Cross) -> Result<Rate, FxError> {
    let kept = Rate::ONE.checked_sub(cross.spread).ok_or(FxError::Amount)?;
    let rate = cross.mid.times(kept, Rounding::Floor).filter(|rate| *rate > Rate::ZERO);
    rate.ok_or(FxError::Amount)
}

/// What selling an amount, or buying one, comes to. The other currency is `other`.
///
/// # Errors
/// [`FxError`].
pub fn exchange(side: FxSide, given: Money, other: Currency, cross: &Cross) -> Result<Exchange, FxError> {
    if given.currency() == other {
        return Err(FxError::SameCurrency);
    }
    if !given.is_positive() {
        return Err(FxError::Amount);
    }
    let rate = offered(cross)?;
    let (sold, bought) = match side {
        FxSide::Sell => (given, worth(given, rate, other, Rounding::Floor)?),
        FxSide::Buy => (price_of(given, rate, other)?, given),
    };
    if !bought.is_positive() || !sold.is_positive() {
        return Err(FxError::Amount);
    }
    let at_mid = worth(sold, cross.mid, bought.currency(), Rounding::Floor)?;
    let kept = at_mid.checked_sub(bought)?;
    let difference = cross.mid.checked_sub(rate).ok_or(FxError::Amount)?;
    // Whatever lies between the mid and what the merchant gets is spread, but for what rounding moved.
    let spread = worth(sold, difference, bought.currency(), Rounding::Floor)?.min(kept)?;
    let rounding = kept.checked_sub(spread)?;
    Ok(Exchange { sold, bought, spread, rounding, mid: cross.mid, rate })
}

/// What an amount is worth at a rate in another currency. The rate is in major units, so the decimals of the currencies
/// come in: 1000 yen at 0.05 are 50.00 yuan.
///
/// # Errors
/// [`FxError::Amount`].
pub fn worth(money: Money, rate: Rate, into: Currency, rounding: Rounding) -> Result<Money, FxError> {
    let (up, down) = scales(money.currency(), into);
    // A rate and an amount fill 126 bits; the difference of the decimals may need more.
    let exact = (i128::from(money.minor()) * i128::from(rate.units())).checked_mul(up);
    let minor = divide(exact.ok_or(FxError::Amount)?, i128::from(ONE) * down, rounding);
    Ok(Money::new(i64::try_from(minor).map_err(|_| FxError::Amount)?, into))
}

/// The least amount of another currency that is worth a given one.
fn price_of(bought: Money, rate: Rate, from: Currency) -> Result<Money, FxError> {
    let (up, down) = scales(from, bought.currency());
    let exact = (i128::from(bought.minor()) * i128::from(ONE)).checked_mul(down).ok_or(FxError::Amount)?;
    let per_unit = i128::from(rate.units()).checked_mul(up).ok_or(FxError::Amount)?;
    let minor = divide(exact, per_unit, Rounding::Ceiling);
    Ok(Money::new(i64::try_from(minor).map_err(|_| FxError::Amount)?, from))
}

/// By what minor units are multiplied and divided from one currency to another.
fn scales(from: Currency, to: Currency) -> (i128, i128) {
    let power = |by: u8| 10_i128.pow(u32::from(by));
    (
        power(to.exponent().saturating_sub(from.exponent())),
        power(from.exponent().saturating_sub(to.exponent())),
    )
}

/// An offer at the rates of now that holds until `expires_at`; `given` is what `side` says, the other currency is `other`.
///
/// # Errors
/// [`FxError`].
pub fn offer(
    id: FxQuoteId,
    rates: &[FxRate],
    (side, given, other): (FxSide, Money, Currency),
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<FxQuote, FxError> {
    let (from, to) = match side {
        FxSide::Sell => (given.currency(), other),
        FxSide::Buy => (other, given.currency()),
    };
    let cross = cross(rates, from, to, now)?;
    let exchange = exchange(side, given, other, &cross)?;
    Ok(FxQuote {
        id,
        version: 0,
        side,
        exchange,
        rates: cross.rates,
        status: QuoteStatus::Open,
        expires_at,
        created_at: now,
        converted_at: None,
    })
}

impl Exchange {
    /// What the ledger books: both legs, the spread and the rest.
    pub fn booking(&self) -> Booking {
        Booking::new(Movement::Conversion, Part::Sold, self.sold)
            .with(Part::Bought, self.bought)
            .with(Part::Spread, self.spread)
            .with(Part::Rounding, self.rounding)
    }

    /// What is sold at the middle: what is bought, kept and lost to rounding together.
    ///
    /// # Errors
    /// [`FxError::Amount`] where the parts are in several currencies or out of range.
    pub fn at_mid(&self) -> Result<Money, FxError> {
        Ok(self.bought.checked_add(self.spread)?.checked_add(self.rounding)?)
    }
}

/// Whether a quote may still be converted.
///
/// # Errors
/// [`FxError::Quote`] saying where it stands.
pub fn convertible(quote: &FxQuote, now: Timestamp) -> Result<(), FxError> {
    match quote.status {
        QuoteStatus::Converted => Err(FxError::Quote("converted already")),
        _ if now >= quote.expires_at => Err(FxError::Quote("expired; ask for a new one")),
        _ => Ok(()),
    }
}

/// Values balances in one currency at the mids. Each is rounded half up.
///
/// # Errors
/// [`FxError`].
pub fn value(
    held: &[Money],
    home: Currency,
    rates: &[FxRate],
    now: Timestamp,
) -> Result<(Vec<Position>, Money), FxError> {
    let mut total = Money::zero(home);
    let mut positions = Vec::new();
    for money in held.iter().filter(|money| !money.is_zero()) {
        let mid = match money.currency() == home {
            true => Rate::ONE,
            false => cross(rates, money.currency(), home, now)?.mid,
        };
        let worth = worth(*money, mid, home, Rounding::HalfUp)?;
        total = total.checked_add(worth)?;
        positions.push(Position { held: *money, worth, mid });
    }
    Ok((positions, total))
}
