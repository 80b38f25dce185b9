//! Fee quotes per second on one core: each prices one payment by a schedule of the merchant's prices and one of the
//! channel's costs, as every commit of a payment does.

use std::time::Instant;

use paycore::clearing::{Item, ItemKind, rules};
use paycore::currency::Currency;
use paycore::fee::report::trial;
use paycore::fee::{Schedule, Side, check};
use paycore::id::ItemId;
use paycore::money::Money;
use paycore::time::Timestamp;
use serde_json::{Value, json};

use crate::Failure;
use crate::table::Row;

const PAYMENTS: u32 = 2_000_000;
const PER_SECOND_MIN: u64 = 1_000_000;

/// One row.
pub fn measure() -> Result<Row, Failure> {
    let schedules = schedules()?;
    let bare = payment();
    let (start, mut charged) = (Instant::now(), 0_i64);
    for index in 0..PAYMENTS {
        let minor = 100 + i64::from(index % 100_000) * 7;
        let context = rules::context(&bare);
        let context = paycore::fee::rules::Context { money: Money::new(minor, Currency::CNY), ..context };
        for side in [Side::Price, Side::Cost] {
            let (_, lines) = paycore::fee::rules::price(&schedules, side, &context)?.ok_or("not priced")?;
            charged += lines.iter().map(|line| line.amount.minor()).sum::<i64>();
        }
    }
    let quotes = u64::from(PAYMENTS) * 2;
    let micros = u64::try_from(start.elapsed().as_micros())?.max(1);
    let per_second = quotes * 1_000_000 / micros;
    let met = per_second >= PER_SECOND_MIN;
    Ok(Row {
        what: format!("fee quotes, {quotes} of two schedules, {charged} charged"),
        measured: format!("{per_second}/s on one core"),
        limit: String::new(),
        result: if met { "met" } else { "missed" }.to_owned(),
        target: format!(">= {PER_SECOND_MIN}/s"),
    })
}

fn payment() -> Item {
    let money = Money::new(100, Currency::CNY);
    let item = Item::new(ItemId::from_bits(1), ItemKind::Payment, "att", money, Timestamp::from_secs(1));
    Item { channel: Some("alipay".into()), method: Some("alipay.qr".into()), ..item }
}

/// Prices as a contract has them (a promotion, a method, tiers with tax), and the channel's cost.
fn schedules() -> Result<Vec<Schedule>, Failure> {
    let price = json!({"rules": [
        {"name": "cards", "priority": 2, "match": {"card_types": ["credit"]}, "charge": {"kind": "flat", "rate": "0.02"}},
        {"name": "wechat", "priority": 1, "match": {"methods": ["wechat.*"]}, "charge": {"kind": "flat", "rate": "0.006"}},
        {"name": "general", "match": {"currency": "CNY", "methods": ["alipay.*"]}, "tax": {"rate": "0.06"},
         "charge": {"kind": "volume", "tiers": [
            {"below": 10_000_000, "rate": "0.006"}, {"up_to": 50_000_000, "rate": "0.004"}, {"rate": "0.003"}]}},
    ]});
    let cost = json!({"rules": [
        {"name": "alipay", "match": {"channels": ["alipay"], "currency": "CNY"},
         "charge": {"kind": "flat", "rate": "0.001", "min": 1}},
    ]});
    let schedule = |side, terms: Value| -> Result<Schedule, Failure> {
        Ok(Schedule { side, ..trial(check::terms(serde_json::from_value(terms)?)?) })
    };
    Ok(vec![schedule(Side::Price, price)?, schedule(Side::Cost, cost)?])
}
