//! Foreign exchange: mid rates with an age, quotes that hold for a while, conversions in two legs through the liquidity
//! account, and the revaluation of what stands there.
//!
//! The merchant's rate is the mid less the spread, rounded against the merchant; the spread is an entry of its own, and
//! what is less than a minor unit goes to the rounding account. So no way of converting there and back gains anything.

pub mod rules;
#[cfg(feature = "engine")]
pub mod service;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::currency::Currency;
use crate::document::{Document, Index};
use crate::id::{FxQuoteId, FxRateId, FxRevaluationId};
use crate::money::Money;
use crate::rate::Rate;
use crate::time::Timestamp;

/// Two currencies: the rate is the price of one `base` in `quote`, in major units. USD/CNY at 7.12 says that one dollar
/// costs 7.12 yuan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FxPair")]
pub struct Pair {
    /// What is priced.
    pub base: Currency,
    /// What the price is in.
    pub quote: Currency,
}

impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.base, self.quote)
    }
}

/// The middle of the market for a pair at an instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FxRate {
    /// Its id.
    pub id: FxRateId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// The pair, unique per merchant.
    pub pair: Pair,
    /// The price of one `base` in `quote`, above zero.
    pub mid: Rate,
    /// What is kept of a conversion, as a part of it: `"0.005"` is half a percent.
    pub spread: Rate,
    /// Where it comes from, for people.
    pub source: String,
    /// When the market was so.
    pub at: Timestamp,
    /// Seconds after which it is stale and nothing is quoted by it.
    pub max_age: u32,
}

/// Which amount of a conversion is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FxSide {
    /// What is sold.
    Sell,
    /// What is bought.
    Buy,
}

/// A conversion reckoned through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FxExchange")]
pub struct Exchange {
    /// What the merchant gives.
    pub sold: Money,
    /// What the merchant gets.
    pub bought: Money,
    /// What is kept, in the currency that is bought.
    pub spread: Money,
    /// What is less than a minor unit on the way, in the currency that is bought; never against the liquidity account.
    pub rounding: Money,
    /// The mid of what is sold in what is bought.
    pub mid: Rate,
    /// The merchant's rate: the mid less the spread.
    pub rate: Rate,
}

/// An offer to convert, good until it expires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FxQuote {
    /// Its id.
    pub id: FxQuoteId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// Which amount was given.
    pub side: FxSide,
    /// What it comes to.
    pub exchange: Exchange,
    /// The rates it was made from: one, or two over a currency between.
    pub rates: Vec<Used>,
    /// Where it stands.
    pub status: QuoteStatus,
    /// When the offer ends.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the money was converted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converted_at: Option<Timestamp>,
}

/// A rate that a quote was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FxUsedRate")]
pub struct Used {
    /// The pair.
    pub pair: Pair,
    /// Its mid.
    pub mid: Rate,
    /// When the market was so.
    pub at: Timestamp,
}

/// What revaluations have booked in one currency; there is one such account of them per merchant and currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FxRevaluation {
    /// Its id.
    pub id: FxRevaluationId,
    /// 0 before it is first stored, then +1 per change: of two revaluations at the same time one is stale.
    #[serde(skip)]
    pub version: i64,
    /// What the liquidity account was worth when it was valued last; its currency is the one that gains are booked in.
    pub worth: Money,
    /// What stood there then, by currency.
    pub positions: Vec<Position>,
    /// Number of revaluations so far.
    pub sequence: i64,
    /// When it was valued last.
    pub valued_at: Timestamp,
}

/// What stands in one currency, and what that is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FxPosition")]
pub struct Position {
    /// What stands there; negative for what is owed.
    pub held: Money,
    /// Its worth in the currency of the valuation.
    pub worth: Money,
    /// The mid it was valued by.
    pub mid: Rate,
}

/// Where a quote stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "FxQuoteStatus")]
pub enum QuoteStatus {
    /// Good until it expires.
    Open,
    /// Held longer for the merchant (锁汇).
    Locked,
    /// The money was converted.
    Converted,
}

impl QuoteStatus {
    /// The word used in the API and the database.
    pub fn text(self) -> &'static str {
        match self {
            QuoteStatus::Open => "open",
            QuoteStatus::Locked => "locked",
            QuoteStatus::Converted => "converted",
        }
    }
}

impl Document for FxRate {
    type Id = FxRateId;
    const KIND: &'static str = "fx_rate";

    fn id(&self) -> FxRateId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn set_version(&mut self, version: i64) {
        self.version = version;
    }

    fn index(&self) -> Index {
        Index { number: Some(self.pair.to_string()), at: self.at, ..Index::new("set") }
    }
}

impl Document for FxQuote {
    type Id = FxQuoteId;
    const KIND: &'static str = "fx_quote";

    fn id(&self) -> FxQuoteId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn set_version(&mut self, version: i64) {
        self.version = version;
    }

    fn index(&self) -> Index {
        Index { at: self.expires_at, ..Index::new(self.status.text()) }
    }
}

impl Document for FxRevaluation {
    type Id = FxRevaluationId;
    const KIND: &'static str = "fx_revaluation";

    fn id(&self) -> FxRevaluationId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn set_version(&mut self, version: i64) {
        self.version = version;
    }

    fn index(&self) -> Index {
        let number = Some(self.worth.currency().code().to_owned());
        Index { number, at: self.valued_at, ..Index::new("booked") }
    }
}
