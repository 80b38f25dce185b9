//! Quotes, conversions and revaluations through the engine.

use paycore::currency::Currency;
use paycore::fx::service as fx;
use paycore::id::{EventId, TransactionId};
use paycore::ledger::{Entry, Side, Transaction};
use paycore::money::Money;
use paycore::store::{Changes, Store};
use serde_json::{Value, json};

use super::{Shop, code, read};

const CNY: Currency = Currency::CNY;
const USD: Currency = Currency::USD;

impl Shop {
    async fn rate(&self, mid: &str) {
        let input = json!({
            "merchant_id": self.caller.tenant(), "base": "USD", "quote": "CNY", "mid": mid, "spread": "0.005",
        });
        fx::set_rate(&self.engine, &self.operator, read(input)).await.unwrap();
    }

    /// Money that settlement has made available.
    async fn available(&self, money: Money) {
        let entry = |account: &str, side| Entry { account: account.into(), side, money };
        let transaction = Transaction {
            id: TransactionId::from_bits(1),
            kind: paycore::event::Movement::Payment,
            event_id: EventId::from_bits(1),
            order_id: None,
            refund_id: None,
            effective_at: self.engine.wall(),
            reverses: None,
            money,
            created_at: self.engine.wall(),
            entries: vec![
                entry("channel_receivable:scripted", Side::Debit),
                entry("merchant_available", Side::Credit),
            ],
        };
        let changes = Changes { transactions: vec![transaction], ..Changes::default() };
        self.store.commit(self.caller.tenant(), changes).await.unwrap();
    }

    async fn quote(&self, extra: Value) -> paycore::error::Result<fx::QuoteView> {
        let mut input = json!({"amount": 10_000, "sell": "USD", "buy": "CNY"});
        extra.as_object().unwrap().iter().for_each(|(key, value)| input[key] = value.clone());
        fx::create_quote(&self.engine, &self.caller, read(input)).await
    }

    async fn convert(&self, quote: &fx::QuoteView) -> paycore::error::Result<fx::QuoteView> {
        fx::convert(&self.engine, &self.caller, read(json!({"id": quote.id}))).await
    }
}

#[tokio::test]
async fn a_conversion_is_two_legs_with_the_spread_apart() {
    let shop = Shop::open().await;
    shop.rate("7.1234").await;
    shop.available(Money::new(10_000, USD)).await;
    let quote = shop.quote(json!({})).await.unwrap();
    // 100.00 USD are 712.34 CNY at the middle; half a percent of it is 3.5617.
    assert_eq!(quote.exchange.bought, Money::new(70_877, CNY));
    assert_eq!(quote.exchange.spread, Money::new(356, CNY));
    assert_eq!(quote.exchange.rounding, Money::new(1, CNY));
    shop.convert(&quote).await.unwrap();
    for (account, currency, expected) in [
        ("merchant_available", USD, 0),
        ("merchant_available", CNY, 70_877),
        ("fx_liquidity", USD, 10_000),
        ("fx_liquidity", CNY, -71_234),
        ("fx_spread", CNY, 356),
        ("rounding", CNY, 1),
    ] {
        assert_eq!(shop.balance(account, currency).await, expected, "{account} {currency}");
    }
    assert_eq!(code(shop.convert(&quote).await), "state_not_allowed", "a quote is converted once");
}

#[tokio::test]
async fn more_than_is_available_is_not_converted() {
    let shop = Shop::open().await;
    shop.rate("7.1234").await;
    shop.available(Money::new(9_999, USD)).await;
    let quote = shop.quote(json!({})).await.unwrap();
    assert_eq!(code(shop.convert(&quote).await), "insufficient_balance");
    assert_eq!(shop.balance("merchant_available", USD).await, 9_999);
}

#[tokio::test]
async fn a_quote_ends_and_a_locked_one_ends_later() {
    let shop = Shop::open().await;
    shop.rate("7.1234").await;
    shop.available(Money::new(30_000, USD)).await;
    let (open, locked) =
        (shop.quote(json!({})).await.unwrap(), shop.quote(json!({"ttl": 30})).await.unwrap());
    let lock = || read(json!({"id": locked.id, "seconds": 3_600}));
    fx::lock_quote(&shop.engine, &shop.caller, lock()).await.unwrap();
    assert_eq!(code(fx::lock_quote(&shop.engine, &shop.caller, lock()).await), "state_not_allowed");
    shop.pass(60).await;
    assert_eq!(code(shop.convert(&open).await), "state_not_allowed");
    shop.pass(3_539).await;
    shop.rate("6.0").await;
    let done = shop.convert(&locked).await.unwrap();
    assert_eq!(done.exchange.bought, Money::new(70_877, CNY), "at the rate it was locked at");
}

#[tokio::test]
async fn nothing_is_quoted_by_a_stale_rate_or_without_one() {
    let shop = Shop::open().await;
    assert_eq!(code(shop.quote(json!({})).await), "no_rate");
    shop.rate("7.1234").await;
    assert!(shop.quote(json!({"side": "buy"})).await.is_ok());
    assert_eq!(code(shop.quote(json!({"buy": "EUR"})).await), "no_rate");
    assert_eq!(code(shop.quote(json!({"buy": "USD"})).await), "invalid_currency");
    shop.pass(300).await;
    assert_eq!(code(shop.quote(json!({})).await), "no_rate");
    shop.rate("7.2").await;
    assert!(shop.quote(json!({})).await.is_ok());
}

#[tokio::test]
async fn a_revaluation_books_what_the_rate_has_earned_and_the_next_only_the_rest() {
    let shop = Shop::open().await;
    shop.rate("7.0").await;
    shop.available(Money::new(10_000, USD)).await;
    let quote = shop.quote(json!({})).await.unwrap();
    shop.convert(&quote).await.unwrap();
    let revalue = || async {
        let input = read(json!({"merchant_id": shop.caller.tenant(), "currency": "CNY"}));
        fx::revalue(&shop.engine, &shop.operator, input).await.unwrap().worth
    };
    assert_eq!(revalue().await, Money::new(0, CNY), "opened at the middle");
    for (mid, gain) in [("7.1", 1_000), ("7.1", 1_000), ("6.95", -500), ("7.0", 0)] {
        shop.rate(mid).await;
        assert_eq!(revalue().await, Money::new(gain, CNY), "{mid}");
        assert_eq!(shop.balance("fx_gain", CNY).await, gain, "{mid}");
        assert_eq!(shop.balance("fx_revaluation", CNY).await, -gain, "{mid}");
    }
}
