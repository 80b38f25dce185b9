//! Settlement in another currency (换汇结算): what a settlement pays is sold for the currency that the terms name, by a quote
//! that is made and converted in one step, and paid in that currency.
//!
//! Only what is paid is converted. The statement in the currency of the trade ends with the line `converted`; a second
//! one in the currency of the payout begins with what that is worth at the middle of the market and leads over the spread
//! and the rounding to the payout and zero. Without a fresh rate nothing is guessed: the settlement waits and says for what.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::state::{Illegal, SettlementEvent};
use super::statement::{Line, LineKind, Statement, Untied};
use super::{Settlement, SettlementStatus};
use crate::currency::Currency;
use crate::fx::rules::{self, FxError};
use crate::fx::{Exchange, FxQuote, FxRate, FxSide, QuoteStatus};
use crate::id::FxQuoteId;
use crate::money::{Money, Rounding};
use crate::time::Timestamp;

/// How far the conversion of a settlement is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conversion {
    /// What it is converted into, as the terms said when the settlement was closed.
    pub into: Currency,
    /// What it waits for; none once it is converted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitsFor>,
    /// What it came to; none while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Converted>,
}

/// Why nothing is converted for now. It is tried again by itself, about every minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ConversionWaitsFor")]
pub enum WaitsFor {
    /// A fresh rate between the currencies at which it comes to something: set one by `fx_rates.set`.
    Rate,
    /// The available balance: something else has drawn on it, and it is less than what is to be sold.
    Balance,
}

/// What a settlement was converted into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Converted {
    /// The quote that it was converted by.
    pub quote_id: FxQuoteId,
    /// What it came to.
    pub exchange: Exchange,
    /// When.
    pub at: Timestamp,
}

impl WaitsFor {
    /// The word used in the API.
    pub const fn text(self) -> &'static str {
        match self {
            WaitsFor::Rate => "rate",
            WaitsFor::Balance => "balance",
        }
    }
}

/// What selling an amount comes to now: a quote that is converted already, or what has to be waited for.
///
/// # Errors
/// [`FxError`] that waiting does not help against: the amount is in the currency it is to be converted into.
pub fn sale(
    id: FxQuoteId,
    sold: Money,
    into: Currency,
    (rates, available): (&[FxRate], i64),
    now: Timestamp,
) -> Result<Result<FxQuote, WaitsFor>, FxError> {
    if available < sold.minor() {
        return Ok(Err(WaitsFor::Balance));
    }
    match rules::offer(id, rates, (FxSide::Sell, sold, into), (now, now)) {
        Ok(quote) => Ok(Ok(FxQuote { status: QuoteStatus::Converted, converted_at: Some(now), ..quote })),
        Err(FxError::NoRate { .. } | FxError::Stale { .. } | FxError::Amount) => Ok(Err(WaitsFor::Rate)),
        Err(error) => Err(error),
    }
}

impl Converted {
    /// The statement in the currency of the payout: from what was sold, at the middle of the market, to zero.
    pub fn statement(&self) -> Statement {
        let Exchange { bought, spread, rounding, .. } = self.exchange;
        let out = |money: Money| money.minor().saturating_neg();
        let proceeds = self.exchange.at_mid().map_or(0, Money::minor);
        let lines = [
            (LineKind::Proceeds, proceeds),
            (LineKind::Spread, out(spread)),
            (LineKind::Rounding, out(rounding)),
            (LineKind::Payout, out(bought)),
        ];
        let lines = lines.into_iter().filter(|(_, amount)| *amount != 0);
        let lines: BTreeMap<_, _> = lines.map(|(kind, amount)| (kind, Line { count: 1, amount })).collect();
        Statement { currency: bought.currency(), opening: 0, lines, closing: 0 }
    }
}

impl Settlement {
    /// What of it is sold for another currency; zero where it is paid as it is.
    pub fn sold(&self) -> Money {
        let amount = self.statement.as_ref().map_or(0, |statement| -statement.amount(LineKind::Converted));
        Money::new(amount, self.currency)
    }

    /// Takes in what the conversion came to, or what it waits for. Whether anything is new.
    ///
    /// # Errors
    /// [`Illegal`] where it is not waiting to be converted.
    pub fn converted(&mut self, result: Result<&FxQuote, WaitsFor>, now: Timestamp) -> Result<bool, Illegal> {
        let status = self.status.apply(SettlementEvent::Convert)?;
        let Some(conversion) = &mut self.conversion else {
            return Err(Illegal { state: self.status, event: SettlementEvent::Convert });
        };
        match result {
            Ok(quote) => {
                conversion.waits_for = None;
                conversion.done = Some(Converted { quote_id: quote.id, exchange: quote.exchange, at: now });
                self.status = status;
                Ok(true)
            }
            Err(why) => Ok(conversion.waits_for.replace(why) != Some(why)),
        }
    }

    /// Checks that a settlement in another currency sells all that its statement says and nothing else, that what it comes
    /// to is what that is worth, and that its statement in the other currency ties.
    ///
    /// # Errors
    /// [`Untied`] with the figures.
    pub fn check_conversion(&self) -> Result<(), Untied> {
        let sold = self.sold();
        let Some(conversion) = &self.conversion else {
            return if sold.is_zero() {
                Ok(())
            } else {
                Err(Untied(format!("{sold} are converted into nothing")))
            };
        };
        let Some(Converted { exchange, .. }) = &conversion.done else {
            let waits = self.status == SettlementStatus::Converting && !sold.is_zero();
            let state = self.status.text();
            return if waits { Ok(()) } else { Err(Untied(format!("{state} with {sold} not converted"))) };
        };
        if exchange.sold != sold || exchange.bought.currency() != conversion.into {
            return Err(Untied(format!("{sold} were to be sold, {} were", exchange.sold)));
        }
        let worth = rules::worth(sold, exchange.mid, conversion.into, Rounding::Floor);
        let at_mid = exchange.at_mid();
        if worth.is_err() || worth != at_mid {
            return Err(Untied(format!("worth {worth:?} at {}, made of {at_mid:?}", exchange.mid)));
        }
        conversion.done.iter().try_for_each(|done| done.statement().check())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fx::Pair;
    use crate::id::FxRateId;
    use crate::rate::Rate;

    const NOW: Timestamp = Timestamp::from_secs(1_000);

    fn usd(mid: &str) -> FxRate {
        FxRate {
            id: FxRateId::from_bits(1),
            version: 1,
            pair: Pair { base: Currency::USD, quote: Currency::CNY },
            mid: mid.parse().unwrap(),
            spread: Rate::from_basis_points(50),
            source: String::new(),
            at: NOW,
            max_age: 300,
        }
    }

    fn sell(minor: i64, rates: &[FxRate], available: i64) -> Result<FxQuote, WaitsFor> {
        let sold = Money::new(minor, Currency::CNY);
        sale(FxQuoteId::from_bits(1), sold, Currency::USD, (rates, available), NOW).unwrap()
    }

    #[test]
    fn nothing_is_sold_without_a_rate_or_beyond_what_is_available() {
        let stale = FxRate { at: Timestamp::from_secs(600), ..usd("7.1") };
        assert_eq!(sell(50_000, &[], 50_000), Err(WaitsFor::Rate));
        assert_eq!(sell(50_000, &[stale], 50_000), Err(WaitsFor::Rate));
        assert_eq!(sell(3, &[usd("7.1")], 3), Err(WaitsFor::Rate), "less than a cent");
        assert_eq!(sell(50_000, &[usd("7.1")], 49_999), Err(WaitsFor::Balance));
        assert!(sell(50_000, &[usd("7.1")], 50_000).is_ok());
        let own = sale(
            FxQuoteId::from_bits(1),
            Money::new(1, Currency::USD),
            Currency::USD,
            (&[] as &[FxRate], 1),
            NOW,
        );
        assert_eq!(own, Err(FxError::SameCurrency));
    }

    #[test]
    fn the_second_statement_leads_from_the_middle_of_the_market_to_zero() {
        // 500.00 yuan at 1/8 are 62.50 dollars, and half a percent of that is 0.3125.
        let quote = sell(50_000, &[usd("8")], 50_000).unwrap();
        let done = Converted { quote_id: quote.id, exchange: quote.exchange, at: NOW };
        let statement = done.statement();
        statement.check().unwrap();
        let lines = [LineKind::Proceeds, LineKind::Spread, LineKind::Rounding, LineKind::Payout];
        assert_eq!(lines.map(|kind| statement.amount(kind)), [6_250, -31, -1, -6_218]);
        assert_eq!((statement.currency, statement.opening, statement.closing), (Currency::USD, 0, 0));
    }
}
