//! Settlement in another currency through the engine: what is paid is sold at a fresh rate with its spread apart, waits
//! where there is none, and is paid out in the other currency.

use paycore::currency::Currency;
use paycore::error::Code;
use paycore::event::EventKind;
use paycore::exception::service as exceptions;
use paycore::fx::service as fx;
use paycore::ledger::Ledger as _;
use paycore::payout::PayoutStatus;
use paycore::settlement::service as settlements;
use paycore::settlement::view::{SettlementView, StatementView};
use paycore::settlement::{Carried, LineKind, SettlementStatus, WaitsFor};
use serde_json::json;

use super::after::{approve, propose};
use super::engine::{Shop, line, read};

const CNY: Currency = Currency::CNY;
const USD: Currency = Currency::USD;

impl Shop {
    async fn in_dollars() -> Shop {
        let shop = Shop::open().await;
        shop.plan(json!({"settlement_currency": "USD"})).await;
        shop
    }

    /// A dollar costs so much, and half a percent is kept; good for a week.
    async fn rate(&self, mid: &str) {
        let input = json!({
            "merchant_id": self.caller.tenant(), "base": "USD", "quote": "CNY", "mid": mid, "spread": "0.005",
            "max_age": 604_800,
        });
        fx::set_rate(&self.engine, &self.operator, read(input)).await.unwrap();
    }

    async fn stands(&self, account: &str, currency: Currency) -> i64 {
        let balances = self.store.balances(self.caller.tenant()).await.unwrap();
        let found = balances.iter().find(|row| row.account == account && row.currency == currency);
        found.map_or(0, |row| row.credits - row.debits)
    }

    async fn exceptions(&self) -> usize {
        exceptions::list(&self.engine, &self.caller, read(json!({}))).await.unwrap().data.len()
    }
}

fn second(settlement: &SettlementView, kind: LineKind) -> i64 {
    let conversion = settlement.conversion.as_ref().expect("it is in another currency");
    let statement: &StatementView = conversion.statement.as_ref().expect("it is converted");
    statement.lines.iter().find(|line| line.line == kind).map_or(0, |line| line.amount)
}

fn waits(settlement: &SettlementView) -> (Option<SettlementStatus>, Option<WaitsFor>, i64) {
    let conversion = settlement.conversion.as_ref().expect("it is in another currency");
    (settlement.status, conversion.waits_for, settlement.payout)
}

#[tokio::test]
async fn what_is_paid_is_sold_at_the_rate_with_the_spread_apart_and_paid_in_the_other_currency() {
    let shop = Shop::in_dollars().await;
    shop.rate("8").await;
    shop.pay(50_000).await;
    shop.days(3).await;
    let made = shop.settlements().await.remove(0);
    // 500.00 yuan are 62.50 dollars at the middle; half a percent of that is 0.3125.
    assert_eq!((made.status, made.payout), (Some(SettlementStatus::Ready), 6_218));
    assert_eq!(made.payout_currency, USD);
    let first = made.statement.as_ref().unwrap();
    assert_eq!((line(&made, LineKind::Sales), line(&made, LineKind::Converted)), (50_000, -50_000));
    assert_eq!((line(&made, LineKind::Payout), first.opening, first.closing), (0, 0, 0));
    let lines = [LineKind::Proceeds, LineKind::Spread, LineKind::Rounding, LineKind::Payout];
    assert_eq!(lines.map(|kind| second(&made, kind)), [6_250, -31, -1, -6_218]);
    let exchange = made.conversion.as_ref().unwrap().exchange.unwrap();
    assert_eq!((exchange.mid.to_string(), exchange.rate.to_string()), ("0.125".into(), "0.124375".into()));
    for (account, currency, expected) in [
        ("merchant_available", CNY, 0),
        ("merchant_available", USD, 6_218),
        ("fx_liquidity", CNY, 50_000),
        ("fx_liquidity", USD, -6_250),
        ("fx_spread", USD, 31),
        ("rounding", USD, 1),
    ] {
        assert_eq!(shop.stands(account, currency).await, expected, "{account} {currency}");
    }
    let quote = read(json!({"id": made.conversion.as_ref().unwrap().quote_id}));
    let quote = fx::retrieve_quote(&shop.engine, &shop.caller, quote).await.unwrap();
    assert_eq!((quote.exchange, quote.rates[0].mid.to_string()), (exchange, "8".into()));

    let wrong = shop.draft(&made, json!({"amount": 50_000, "currency": "CNY"})).await.unwrap_err();
    assert_eq!((wrong.code, wrong.param.as_deref()), (Code::InvalidAmount, Some("amount")));
    let paid = shop.pays(&made).await;
    assert_eq!((paid.status, paid.amount, paid.currency), (PayoutStatus::Paid, 6_218, USD));
    assert_eq!(shop.settlement(made.id).await.status, Some(SettlementStatus::Paid));
    assert_eq!(shop.stands("merchant_available", USD).await, 0);
    assert_eq!((shop.count(EventKind::SettlementConverted).await, shop.exceptions().await), (1, 0));
    shop.close_the_books().await;
}

#[tokio::test]
async fn without_a_fresh_rate_a_settlement_waits_and_says_so_and_is_converted_once_there_is_one() {
    let shop = Shop::in_dollars().await;
    shop.rate("8").await;
    // The settlement comes ten days later, when the rate is stale.
    shop.days(10).await;
    shop.pay(50_000).await;
    shop.days(14).await;
    let made = shop.settlements().await.remove(0);
    assert_eq!(waits(&made), (Some(SettlementStatus::Converting), Some(WaitsFor::Rate), 0));
    assert_eq!((made.payout_currency, shop.exceptions().await), (USD, 1));
    let refused = shop.draft(&made, json!({"amount": 6_218})).await.unwrap_err();
    assert_eq!((refused.code, refused.param.as_deref()), (Code::StateNotAllowed, Some("settlement_id")));
    shop.days(1).await;
    assert_eq!(waits(&shop.settlement(made.id).await).1, Some(WaitsFor::Rate));
    assert_eq!((shop.exceptions().await, shop.stands("merchant_available", CNY).await), (1, 50_000));
    shop.rate("7.5").await;
    shop.days(1).await;
    let done = shop.settlement(made.id).await;
    assert_eq!(waits(&done), (Some(SettlementStatus::Ready), None, 6_633));
    assert_eq!((done.statement, shop.count(EventKind::SettlementConverted).await), (made.statement, 1));
    shop.days(1).await;
    assert_eq!(shop.stands("fx_liquidity", CNY).await, 50_000, "it is converted once");
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_debt_in_the_currency_of_the_trade_pauses_the_payout_and_what_waits_never_overdraws() {
    let shop = Shop::in_dollars().await;
    let order = shop.pay(50_000).await;
    shop.days(3).await;
    let first = shop.settlements().await.remove(0);
    shop.refund(&order, 20_000).await;
    shop.days(1).await;
    assert_eq!(shop.settlements().await[0].carried_for, Some(Carried::Negative));
    shop.rate("8").await;
    shop.days(1).await;
    assert_eq!(
        waits(&shop.settlement(first.id).await).1,
        Some(WaitsFor::Balance),
        "30,000 are left of 50,000"
    );
    // The next sale pays the debt first; then there is enough for both, and after the holidays a rate again.
    let sale = shop.pay(60_000).await;
    shop.days(12).await;
    shop.rate("8").await;
    shop.days(1).await;
    let second = shop.settlements().await.remove(0);
    assert_eq!(line(&second, LineKind::Converted), -40_000);
    assert_eq!(shop.settlement(first.id).await.status, Some(SettlementStatus::Ready));
    assert_eq!((shop.stands("merchant_available", CNY).await, shop.exceptions().await), (0, 3));
    shop.refund(&sale, 60_000).await;
    shop.days(1).await;
    let refused = shop.draft(&second, json!({})).await.unwrap_err();
    assert!(refused.detail.contains("paused"), "{}", refused.detail);
    shop.close_the_books().await;
}

#[tokio::test]
async fn what_is_below_the_minimum_is_carried_in_its_own_currency_and_a_correction_goes_with_the_next() {
    let shop = Shop::in_dollars().await;
    shop.rate("8").await;
    shop.pay(9_000).await;
    shop.days(3).await;
    let small = shop.settlements().await.remove(0);
    assert_eq!((small.status, small.carried_for), (Some(SettlementStatus::Carried), Some(Carried::Minimum)));
    assert_eq!((small.conversion, small.statement.as_ref().unwrap().closing), (None, 9_000));
    let small = shop.settlement(small.id).await;
    let correction = propose(&shop, &small, 1_000).await.unwrap();
    approve(&shop, &correction, "key_of_somebody_else").await.unwrap();
    shop.pay(70_000).await;
    shop.days(3).await;
    let next = shop.settlements().await.remove(0);
    let opening = next.statement.as_ref().unwrap().opening;
    assert_eq!(
        (opening, line(&next, LineKind::Adjustments), line(&next, LineKind::Converted)),
        (9_000, 1_000, -80_000)
    );
    assert_eq!((next.payout, second(&next, LineKind::Proceeds)), (9_950, 10_000));
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_preview_shows_the_rate_of_now_and_sells_nothing_and_the_own_currency_is_refused() {
    let shop = Shop::open().await;
    let plan = shop
        .plan(json!({"settlement_currency": "USD", "acceleration": {"basis_points": 0, "minimum": 0}}))
        .await;
    shop.pay(50_000).await;
    let input = || read(json!({"plan_id": plan.id, "accelerate": true}));
    let seen = settlements::preview(&shop.engine, &shop.caller, input()).await.unwrap();
    assert_eq!(waits(&seen), (None, Some(WaitsFor::Rate), 0));
    shop.rate("8").await;
    let seen = settlements::preview(&shop.engine, &shop.caller, input()).await.unwrap();
    let conversion = seen.conversion.as_ref().unwrap();
    assert_eq!((seen.payout, conversion.quote_id, conversion.converted_at), (6_218, None, None));
    assert_eq!(shop.stands("fx_liquidity", CNY).await, 0);
    let made = settlements::run(&shop.engine, &shop.caller, input()).await.unwrap();
    assert_eq!((made.status, made.payout), (Some(SettlementStatus::Ready), 6_218));
    let terms = json!({"cycle": {"every": "manual"}, "time_zone": "UTC", "calendar": "US", "settlement_currency": "USD"});
    let input = json!({"merchant_id": shop.caller.tenant(), "currency": "USD", "terms": terms});
    let refused = settlements::create(&shop.engine, &shop.operator, read(input)).await.unwrap_err();
    assert_eq!(refused.param.as_deref(), Some("settlement_currency"));
    shop.close_the_books().await;
}
