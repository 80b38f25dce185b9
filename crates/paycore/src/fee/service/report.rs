//! What a payment would cost, what other terms would have earned, and what was earned.

use std::ops::ControlFlow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::report::{Margin, MarginRow, Simulated, Simulation, trial};
use super::super::rules::{self, Context};
use super::super::{Applied, CardType, FeeLine, Side, Terms, check};
use crate::channel::Method;
use crate::clearing::rules as clearing;
use crate::clearing::{Item, ItemKind};
use crate::currency::Currency;
use crate::engine::{Caller, Engine};
use crate::error::{Error, Result};
use crate::id::MerchantId;
use crate::money::Money;
use crate::order::input;
use crate::page::List;
use crate::time::Timestamp;

/// What `fees.quote` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteInput {
    /// What would be paid, minor units.
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: Currency,
    /// The method, such as `alipay.qr`.
    pub method: Method,
    /// The channel; the method's brand where absent.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64))]
    pub channel: Option<String>,
    /// The kind of card.
    #[serde(default)]
    pub card_type: Option<CardType>,
    /// Where the card or wallet is from.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64))]
    pub region: Option<String>,
}

/// What a payment costs. Amounts are minor units of `currency`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "FeeQuote")]
pub struct QuoteView {
    /// Always `fee_quote`.
    pub object: &'static str,
    /// The currency of all amounts.
    pub currency: Currency,
    /// What would be paid.
    pub amount: i64,
    /// What the merchant would be charged, tax included.
    pub fee: i64,
    /// The tax within it.
    pub tax: i64,
    /// What the merchant would get.
    pub net: i64,
    /// How the fee comes about.
    pub lines: Vec<FeeLine>,
    /// The schedule; null where no schedule knows the payment, and it costs nothing.
    pub priced_by: Option<Applied>,
}

/// What a payment would cost now.
pub async fn quote(engine: &Engine, caller: &Caller, input: QuoteInput) -> Result<QuoteView> {
    let money = input::amount("amount", input.amount, input.currency)?;
    let context = Context {
        money,
        channel: input.channel.as_deref().unwrap_or_else(|| input.method.brand()),
        method: input.method.as_str(),
        card_type: input.card_type,
        region: input.region.as_deref(),
        at: engine.moment(&caller.merchant).now,
        volume: None,
    };
    let schedules = engine.schedules(caller.tenant()).await?;
    let found = rules::price(&schedules, Side::Price, &context).map_err(Error::internal)?;
    let (priced_by, lines) = found.map_or((None, Vec::new()), |(applied, lines)| (Some(applied), lines));
    let (fee, tax) = rules::sum(&lines, Money::zero(input.currency)).map_err(Error::internal)?;
    Ok(QuoteView {
        object: "fee_quote",
        currency: input.currency,
        amount: input.amount,
        fee: fee.minor(),
        tax: tax.minor(),
        net: money.checked_sub(fee).map_err(Error::internal)?.minor(),
        lines,
        priced_by,
    })
}

/// What `fees.simulate` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulateInput {
    /// The merchant whose payments are tried.
    pub merchant_id: MerchantId,
    /// The proposed terms.
    pub terms: Terms,
    /// Payments from this instant on.
    pub from: Timestamp,
    /// Payments before this instant.
    pub until: Timestamp,
}

/// What proposed terms would have charged for past payments, by currency, beside what was charged. Refunds are left out
/// on both sides.
pub async fn simulate(engine: &Engine, _: &Caller, input: SimulateInput) -> Result<List<Simulated>> {
    let terms = check::terms(input.terms)?;
    period(input.from, input.until)?;
    let (merchant, _) = super::merchant(engine, input.merchant_id).await?;
    let trial = trial(terms);
    let mut simulation = Simulation::new(&trial);
    engine
        .each_item_since(merchant.id, input.from, |item| {
            if item.created_at >= input.until {
                return Ok(ControlFlow::Break(()));
            }
            try_on(&mut simulation, &item).map_err(Error::internal)?;
            Ok(ControlFlow::Continue(()))
        })
        .await?;
    Ok(whole(simulation.finish().map_err(Error::internal)?))
}

fn try_on(simulation: &mut Simulation<'_>, item: &Item) -> Result<(), crate::money::MoneyError> {
    match item.kind {
        ItemKind::Payment => simulation.add(&clearing::context(item), item.fee),
        ItemKind::Fee => simulation.add_charged(item.fee),
        _ => Ok(()),
    }
}

/// What `fees.margin` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarginInput {
    /// The merchant.
    pub merchant_id: MerchantId,
    /// Movements from this instant on.
    pub from: Timestamp,
    /// Movements before this instant.
    pub until: Timestamp,
}

/// What was earned with a merchant, by currency, channel and method: price less tax less cost.
pub async fn margin(engine: &Engine, _: &Caller, input: MarginInput) -> Result<List<MarginRow>> {
    period(input.from, input.until)?;
    let (merchant, _) = super::merchant(engine, input.merchant_id).await?;
    let mut margin = Margin::default();
    engine
        .each_item_since(merchant.id, input.from, |item| {
            if item.created_at >= input.until {
                return Ok(ControlFlow::Break(()));
            }
            if clearing::counts(&item) || item.kind == ItemKind::Fee {
                let amounts = (item.fee, item.tax, item.cost);
                let (channel, method) = (item.channel.as_deref(), item.method.as_deref());
                margin.add(channel, method, item.gross, amounts).map_err(Error::internal)?;
            }
            Ok(ControlFlow::Continue(()))
        })
        .await?;
    Ok(whole(margin.rows()))
}

fn period(from: Timestamp, until: Timestamp) -> Result<()> {
    if from < until {
        return Ok(());
    }
    Err(Error::invalid("until", "Must be after `from`."))
}

fn whole<T>(data: Vec<T>) -> List<T> {
    List { object: "list", data, has_more: false, next_cursor: None }
}
