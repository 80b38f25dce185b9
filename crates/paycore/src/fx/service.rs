//! Operations on rates, quotes and positions. Rates are set by the operator of the installation; a merchant converts what
//! is available to it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::{self, FxError};
use super::{Exchange, FxQuote, FxRate, FxRevaluation, FxSide, Pair, Position, QuoteStatus, Used};
use crate::currency::Currency;
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::{Booking, Event, EventKind, Movement, Part};
use crate::id::{FxQuoteId, FxRateId, FxRevaluationId, MerchantId};
use crate::ledger::Balance;
use crate::money::Money;
use crate::order::input::{self, Moment, text};
use crate::page::{List, ListInput};
use crate::rate::Rate;
use crate::store::{Changes, CommitError, Put};
use crate::time::Timestamp;

/// The account conversions take from and give to.
const AVAILABLE: &str = "merchant_available";
/// The account of the other side of every conversion.
const LIQUIDITY: &str = "fx_liquidity";
/// The account of what revaluations have booked.
const GAIN: &str = "fx_gain";
/// How long a quote holds where nothing is said, seconds, and the bounds of what may be said.
const TTL_DEFAULT: u32 = 60;
const TTL: std::ops::RangeInclusive<u32> = 30..=300;
/// The longest a quote is locked, seconds.
const LOCK_MAX: u32 = 86_400;
/// How old a rate may grow where nothing is said, seconds.
const AGE_DEFAULT: u32 = 300;

/// A rate as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "FxRate")]
pub struct RateView {
    /// Its id.
    pub id: FxRateId,
    /// Always `fx_rate`.
    pub object: &'static str,
    /// What is priced.
    pub base: Currency,
    /// What the price is in.
    pub quote: Currency,
    /// The price of one `base` in `quote` at the middle of the market.
    pub mid: Rate,
    /// What is kept of a conversion, as a part of it.
    pub spread: Rate,
    /// Where it comes from.
    pub source: String,
    /// When the market was so.
    pub at: Timestamp,
    /// From when nothing is quoted by it.
    pub stale_at: Timestamp,
}

impl FxRate {
    /// The rate as the API shows it.
    pub fn view(&self) -> RateView {
        RateView {
            id: self.id,
            object: "fx_rate",
            base: self.pair.base,
            quote: self.pair.quote,
            mid: self.mid,
            spread: self.spread,
            source: self.source.clone(),
            at: self.at,
            stale_at: self.at.plus(Duration::from_secs(u64::from(self.max_age))),
        }
    }
}

/// What `fx_rates.set` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRate {
    /// For whom.
    pub merchant_id: MerchantId,
    /// What is priced.
    pub base: Currency,
    /// What the price is in.
    pub quote: Currency,
    /// The price of one `base` in `quote`, above zero.
    pub mid: Rate,
    /// What is kept of a conversion, as a part of it, below `"0.5"`; nothing where absent.
    #[serde(default)]
    pub spread: Rate,
    /// Where it comes from, at most 100 characters.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub source: String,
    /// When the market was so; now where absent, and not later.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// Seconds until it is stale; 300 where absent.
    #[serde(default)]
    #[schemars(range(min = 1, max = 604_800))]
    pub max_age: Option<u32>,
}

/// Sets the middle of the market for a pair, in the place of what was set before.
pub async fn set_rate(engine: &Engine, caller: &Caller, input: SetRate) -> Result<RateView> {
    input.check()?;
    let merchant = engine.merchant(input.merchant_id).await.map_err(|error| match error.code {
        Code::NotFound => error.param("merchant_id"),
        _ => error,
    })?;
    let moment = engine.moment(&merchant);
    let at = input.at.unwrap_or(moment.now);
    if at > moment.now {
        return Err(Error::invalid("at", "Must not be in the future."));
    }
    let pair = Pair { base: input.base, quote: input.quote };
    let stored: Option<FxRate> = engine.document_by_number(merchant.id, &pair.to_string()).await?;
    let rate = FxRate {
        id: stored.as_ref().map_or_else(|| FxRateId::new(moment.now, &*engine.rng), |rate| rate.id),
        version: stored.map_or(0, |rate| rate.version),
        pair,
        mid: input.mid,
        spread: input.spread,
        source: input.source,
        at,
        max_age: input.max_age.unwrap_or(AGE_DEFAULT),
    };
    let mut changes = Changes::default();
    let (object, detail) = (Some(rate.id.to_string()), format!("{pair} {} {}", rate.mid, rate.spread));
    changes.audit.push(engine.audit(&caller.actor, "fx_rates.set", object, detail, moment));
    changes.put(Put::document(&rate));
    engine.commit(merchant.id, changes).await.map_err(|error| match error {
        // Two set the pair for the first time at the same time.
        CommitError::Duplicate(_) => CommitError::Stale.into(),
        other => Error::from(other),
    })?;
    Ok(rate.view())
}

impl SetRate {
    fn check(&self) -> Result<()> {
        if self.base == self.quote {
            return Err(Error::invalid("quote", "Must be another currency than `base`."));
        }
        if self.mid <= Rate::ZERO {
            return Err(Error::invalid("mid", "Must be above zero."));
        }
        if !(Rate::ZERO..Rate::from_basis_points(5_000)).contains(&self.spread) {
            return Err(Error::invalid("spread", "Must be at least \"0\" and below \"0.5\"."));
        }
        if self.max_age.is_some_and(|seconds| !(1..=604_800).contains(&seconds)) {
            return Err(Error::invalid("max_age", "Must be 1 to 604800 seconds."));
        }
        text("source", &self.source, 0, 100)
    }
}

/// Which rates to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRates {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this rate.
    #[serde(default)]
    pub starting_after: Option<FxRateId>,
    /// Only rows listed before this rate.
    #[serde(default)]
    pub ending_before: Option<FxRateId>,
}

/// Rates, newest first.
pub async fn rates(engine: &Engine, caller: &Caller, input: ListRates) -> Result<List<RateView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let rows: Vec<FxRate> =
        engine.documents(caller.tenant(), &DocumentFilter::default(), &page.fetch()).await?;
    Ok(page.list(rows.iter().map(FxRate::view).collect(), |view: &RateView| view.id.to_string()))
}

/// A quote as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "FxQuote")]
pub struct QuoteView {
    /// Its id.
    pub id: FxQuoteId,
    /// Always `fx_quote`.
    pub object: &'static str,
    /// Which amount was given.
    pub side: FxSide,
    /// `open` and `locked` until it expires, `converted` after.
    pub status: QuoteStatus,
    /// What it comes to.
    #[serde(flatten)]
    pub exchange: Exchange,
    /// The rates it was made from.
    pub rates: Vec<Used>,
    /// When the offer ends.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the money was converted.
    pub converted_at: Option<Timestamp>,
}

impl FxQuote {
    /// The quote as the API shows it.
    pub fn view(&self) -> QuoteView {
        QuoteView {
            id: self.id,
            object: "fx_quote",
            side: self.side,
            status: self.status,
            exchange: self.exchange,
            rates: self.rates.clone(),
            expires_at: self.expires_at,
            created_at: self.created_at,
            converted_at: self.converted_at,
        }
    }
}

/// What `fx_quotes.create` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateQuote {
    /// What is to be sold or bought, minor units of its own currency.
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub amount: i64,
    /// Whether `amount` is what is sold or what is bought; `sell` where absent.
    #[serde(default = "sell")]
    pub side: FxSide,
    /// The currency that is sold.
    pub sell: Currency,
    /// The currency that is bought.
    pub buy: Currency,
    /// Seconds for which the offer holds; 60 where absent.
    #[serde(default)]
    #[schemars(range(min = 30, max = 300))]
    pub ttl: Option<u32>,
}

fn sell() -> FxSide {
    FxSide::Sell
}

/// Makes an offer to convert, at the mid less the spread.
pub async fn create_quote(engine: &Engine, caller: &Caller, input: CreateQuote) -> Result<QuoteView> {
    input::plausible("amount", Some(input.amount))?;
    let ttl = input.ttl.unwrap_or(TTL_DEFAULT);
    if !TTL.contains(&ttl) {
        return Err(Error::invalid("ttl", "Must be 30 to 300 seconds."));
    }
    let moment = engine.moment(&caller.merchant);
    let rates: Vec<FxRate> = engine.all_documents(caller.tenant(), &DocumentFilter::default()).await?;
    let (given, other) = match input.side {
        FxSide::Sell => (Money::new(input.amount, input.sell), input.buy),
        FxSide::Buy => (Money::new(input.amount, input.buy), input.sell),
    };
    let id = FxQuoteId::new(moment.now, &*engine.rng);
    let expires_at = moment.now.plus(Duration::from_secs(u64::from(ttl)));
    let quote = rules::offer(id, &rates, (input.side, given, other), (moment.now, expires_at));
    let quote = quote.map_err(refused)?;
    write(engine, caller, quote, Changes::default(), "fx_quotes.create", moment).await
}

/// What `fx_quotes.lock` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockQuote {
    /// The quote.
    pub id: FxQuoteId,
    /// Seconds from now for which it is to hold, at most a day.
    #[schemars(range(min = 30, max = 86_400))]
    pub seconds: u32,
}

/// Holds an open quote for longer (锁汇), once.
pub async fn lock_quote(engine: &Engine, caller: &Caller, input: LockQuote) -> Result<QuoteView> {
    if !(*TTL.start()..=LOCK_MAX).contains(&input.seconds) {
        return Err(Error::invalid("seconds", "Must be 30 to 86400 seconds."));
    }
    let moment = engine.moment(&caller.merchant);
    let mut quote: FxQuote = engine.document(caller.tenant(), input.id).await?;
    rules::convertible(&quote, moment.now).map_err(refused)?;
    if quote.status == QuoteStatus::Locked {
        return Err(refused(FxError::Quote("locked already")));
    }
    quote.status = QuoteStatus::Locked;
    let until = moment.now.plus(Duration::from_secs(u64::from(input.seconds)));
    quote.expires_at = quote.expires_at.max(until);
    write(engine, caller, quote, Changes::default(), "fx_quotes.lock", moment).await
}

/// A quote named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteById {
    /// The quote.
    pub id: FxQuoteId,
}

/// Converts by a quote that still holds: what is sold leaves the available balance, what is bought enters it.
pub async fn convert(engine: &Engine, caller: &Caller, input: QuoteById) -> Result<QuoteView> {
    let moment = engine.moment(&caller.merchant);
    let mut quote: FxQuote = engine.document(caller.tenant(), input.id).await?;
    rules::convertible(&quote, moment.now).map_err(refused)?;
    let sold = quote.exchange.sold;
    let available = available(&engine.store.balances(caller.tenant()).await?, sold.currency());
    if available < sold.minor() {
        let detail =
            format!("{sold} is to be sold, {} is available.", Money::new(available, sold.currency()));
        return Err(Error::new(Code::InsufficientBalance, detail).object(quote.id));
    }
    quote.status = QuoteStatus::Converted;
    quote.converted_at = Some(moment.now);
    let booking = quote.exchange.booking();
    let mut changes = Changes::default();
    let merchant = &caller.merchant;
    let kind = EventKind::FxQuoteConverted;
    let event = engine.event(kind, quote.id.to_string(), 1, &quote.view(), merchant.livemode, moment);
    changes.events.push(Event { booking: Some(booking), ..event });
    write(engine, caller, quote, changes, "fx_quotes.convert", moment).await
}

fn available(balances: &[Balance], currency: Currency) -> i64 {
    standing(balances, AVAILABLE, currency)
}

/// Credits less debits of an account.
fn standing(balances: &[Balance], account: &str, currency: Currency) -> i64 {
    let found = balances.iter().find(|row| row.account == account && row.currency == currency);
    found.map_or(0, |row| row.credits - row.debits)
}

async fn write(
    engine: &Engine,
    caller: &Caller,
    quote: FxQuote,
    mut changes: Changes,
    action: &str,
    moment: Moment,
) -> Result<QuoteView> {
    let view = quote.view();
    changes.claim = caller.once(quote.id, &view, moment);
    let object = Some(quote.id.to_string());
    changes.audit.push(engine.audit(&caller.actor, action, object, String::new(), moment));
    changes.put(Put::document(&quote));
    engine.commit(caller.tenant(), changes).await?;
    Ok(view)
}

fn refused(error: FxError) -> Error {
    let code = match error {
        FxError::Quote(_) => Code::StateNotAllowed,
        FxError::Amount => Code::InvalidAmount,
        FxError::SameCurrency => Code::InvalidCurrency,
        FxError::NoRate { .. } | FxError::Stale { .. } => Code::NoRate,
    };
    let said = Error::new(code, capital(&error.to_string()));
    match error {
        FxError::Amount => said.param("amount"),
        FxError::SameCurrency | FxError::NoRate { .. } | FxError::Stale { .. } => said.param("buy"),
        FxError::Quote(_) => said,
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

/// One quote.
pub async fn retrieve_quote(engine: &Engine, caller: &Caller, input: QuoteById) -> Result<QuoteView> {
    Ok(engine.document::<FxQuote>(caller.tenant(), input.id).await?.view())
}

/// Which quotes to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuotes {
    /// Only in this state.
    #[serde(default)]
    pub status: Option<QuoteStatus>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this quote.
    #[serde(default)]
    pub starting_after: Option<FxQuoteId>,
    /// Only rows listed before this quote.
    #[serde(default)]
    pub ending_before: Option<FxQuoteId>,
}

/// Quotes, newest first.
pub async fn quotes(engine: &Engine, caller: &Caller, input: ListQuotes) -> Result<List<QuoteView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter = DocumentFilter {
        status: input.status.map(|status| status.text().to_owned()),
        ..DocumentFilter::default()
    };
    let rows: Vec<FxQuote> = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(page.list(rows.iter().map(FxQuote::view).collect(), |view: &QuoteView| view.id.to_string()))
}

/// What stands in the liquidity account and what it is worth.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "FxPositions")]
pub struct PositionsView {
    /// Always `fx_positions`.
    pub object: &'static str,
    /// What stands there, by currency.
    pub positions: Vec<Position>,
    /// What it is worth in all: what the changes of the rates have earned since the conversions.
    pub worth: Money,
    /// What of that is booked by revaluations.
    pub booked: Money,
    /// When it was valued.
    pub at: Timestamp,
}

/// What `fx_positions.retrieve` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PositionsIn {
    /// The currency to value in.
    pub currency: Currency,
}

/// Values what stands in the liquidity account of the merchant's conversions at the mids of now.
pub async fn positions(engine: &Engine, caller: &Caller, input: PositionsIn) -> Result<PositionsView> {
    let moment = engine.moment(&caller.merchant);
    valued(engine, caller.tenant(), input.currency, moment.now).await
}

async fn valued(
    engine: &Engine,
    tenant: MerchantId,
    home: Currency,
    now: Timestamp,
) -> Result<PositionsView> {
    let balances = engine.store.balances(tenant).await?;
    let rates: Vec<FxRate> = engine.all_documents(tenant, &DocumentFilter::default()).await?;
    let own = balances.iter().filter(|row| row.account == LIQUIDITY);
    let held: Vec<Money> = own.map(|row| Money::new(row.credits - row.debits, row.currency)).collect();
    let (positions, worth) =
        rules::value(&held, home, &rates, now).map_err(|error| refused(error).param("currency"))?;
    let booked = Money::new(standing(&balances, GAIN, home), home);
    Ok(PositionsView { object: "fx_positions", positions, worth, booked, at: now })
}

/// What `fx_positions.revalue` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revalue {
    /// Whose conversions.
    pub merchant_id: MerchantId,
    /// The currency to value in, always the same one: gains are booked in it.
    pub currency: Currency,
}

/// Books what the changes of the rates have earned or cost since the last revaluation. A second one at the same rates
/// books nothing.
pub async fn revalue(engine: &Engine, caller: &Caller, input: Revalue) -> Result<PositionsView> {
    let merchant = engine.merchant(input.merchant_id).await.map_err(|error| match error.code {
        Code::NotFound => error.param("merchant_id"),
        _ => error,
    })?;
    let moment = engine.moment(&merchant);
    // Read before the balances: whoever revalues in between makes what is committed below stale.
    let currency = input.currency.code();
    let stored: Option<FxRevaluation> = engine.document_by_number(merchant.id, currency).await?;
    let valued = valued(engine, merchant.id, input.currency, moment.now).await?;
    let change = valued.worth.checked_sub(valued.booked).map_err(Error::internal)?;
    if change.is_zero() {
        return Ok(valued);
    }
    let revaluation = FxRevaluation {
        id: stored.as_ref().map_or_else(|| FxRevaluationId::new(moment.now, &*engine.rng), |row| row.id),
        version: stored.as_ref().map_or(0, |row| row.version),
        worth: valued.worth,
        positions: valued.positions.clone(),
        sequence: stored.map_or(0, |row| row.sequence) + 1,
        valued_at: moment.now,
    };
    let view = PositionsView { booked: valued.worth, ..valued };
    let mut changes = Changes::default();
    let (kind, id, livemode) = (EventKind::FxRevalued, revaluation.id.to_string(), merchant.livemode);
    let event = engine.event(kind, id.clone(), revaluation.sequence, &view, livemode, moment);
    changes.events.push(Event { booking: Some(gained(change)?), ..event });
    let object = Some(id);
    changes.audit.push(engine.audit(
        &caller.actor,
        "fx_positions.revalue",
        object,
        change.to_string(),
        moment,
    ));
    changes.put(Put::document(&revaluation));
    engine.commit(merchant.id, changes).await.map_err(|error| match error {
        CommitError::Duplicate(_) => CommitError::Stale.into(),
        other => Error::from(other),
    })?;
    Ok(view)
}

fn gained(change: Money) -> Result<Booking> {
    Ok(match change.is_positive() {
        true => Booking::new(Movement::Revaluation, Part::Gain, change),
        false => {
            Booking::new(Movement::Revaluation, Part::Loss, change.checked_neg().map_err(Error::internal)?)
        }
    })
}
