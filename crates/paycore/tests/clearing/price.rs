//! Payments, refunds and months with a price.

use paycore::clearing::ItemKind;
use paycore::currency::Currency;
use paycore::fee::service as fees;
use paycore::store::Queue;
use serde_json::json;

use super::{Shop, code, read};

const CNY: Currency = Currency::CNY;

fn flat(rate: &str, refund: &str) -> serde_json::Value {
    json!({"rules": [{"name": "all", "refund": refund, "charge": {"kind": "flat", "rate": rate}}]})
}

#[tokio::test]
async fn a_hundred_yuan_are_booked_as_the_contract_says() {
    let shop = Shop::open().await;
    shop.schedule("price", "price", flat("0.004", "keep")).await;
    shop.schedule("cost", "cost", flat("0.001", "keep")).await;
    let order = shop.pay(10_000).await;
    let items = shop.items(&order).await;
    assert_eq!(items.len(), 1);
    let item = &items[0];
    assert_eq!((item.gross, item.fee, item.cost, item.net), (10_000, 40, 10, 9_960));
    assert_eq!((item.kind, item.status), (ItemKind::Payment, "pending"));
    assert_eq!((item.channel.as_deref(), item.method.as_deref()), (Some("scripted"), Some("scripted.card")));
    assert_eq!(shop.balance("merchant_pending", CNY).await, 9_960);
    let margin = shop.balance("fee_income", CNY).await + shop.balance("channel_cost", CNY).await;
    assert_eq!(margin, 30, "0.40 charged, 0.10 kept by the channel");
    assert_eq!(shop.balance("channel_receivable:scripted", CNY).await, -9_990);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_payment_without_a_schedule_costs_nothing_and_is_cleared_all_the_same() {
    let shop = Shop::open().await;
    let order = shop.pay(1_234).await;
    let items = shop.items(&order).await;
    assert_eq!((items[0].gross, items[0].fee, items[0].net), (1_234, 0, 1_234));
    assert!(items[0].priced_by.is_none() && items[0].fault.is_none());
    shop.close_the_books().await;
}

#[tokio::test]
async fn refunds_in_parts_give_the_fee_back_to_the_fen() {
    let shop = Shop::open().await;
    shop.schedule("price", "price", flat("0.0077", "pro_rata")).await;
    shop.schedule("cost", "cost", flat("0.0031", "return")).await;
    let order = shop.pay(999).await;
    for part in [333, 1, 332, 333] {
        shop.refund(&order, part).await;
    }
    let items = shop.items(&order).await;
    assert_eq!(items.len(), 5);
    let sum = |of: fn(&paycore::clearing::ItemView) -> i64| items.iter().map(of).sum::<i64>();
    assert_eq!((sum(|i| i.gross), sum(|i| i.fee), sum(|i| i.cost), sum(|i| i.net)), (0, 0, 0, 0));
    assert_eq!(items[0].fee, 8);
    for account in ["merchant_pending", "fee_income", "channel_cost", "channel_receivable:scripted"] {
        assert_eq!(shop.balance(account, CNY).await, 0, "{account}");
    }
    shop.close_the_books().await;
}

#[tokio::test]
async fn what_is_kept_stays_with_the_platform() {
    let shop = Shop::open().await;
    shop.schedule("price", "price", flat("0.006", "keep")).await;
    let order = shop.pay(10_000).await;
    shop.refund(&order, 10_000).await;
    assert_eq!(shop.balance("merchant_pending", CNY).await, -60);
    assert_eq!(shop.balance("fee_income", CNY).await, 60);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_new_revision_prices_what_comes_after_it_only() {
    let shop = Shop::open().await;
    let schedule = shop.schedule("price", "price", flat("0.006", "keep")).await;
    let first = shop.pay(10_000).await;
    let later = shop.engine.wall().plus(std::time::Duration::from_secs(100));
    let input = json!({
        "id": schedule.id, "merchant_id": shop.caller.tenant(),
        "terms": flat("0.003", "keep"), "effective_from": later,
    });
    let changed = fees::update(&shop.engine, &shop.operator, read(input.clone())).await.unwrap();
    assert_eq!(changed.revisions.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2]);
    let second = shop.pay(10_000).await;
    shop.pass(100).await;
    let third = shop.pay(10_000).await;
    for (order, fee, revision) in [(first, 60, 1), (second, 60, 1), (third, 30, 2)] {
        let item = shop.items(&order).await.remove(0);
        assert_eq!((item.fee, item.priced_by.unwrap().revision), (fee, revision));
    }
    shop.pass(100).await;
    let again = fees::update(&shop.engine, &shop.operator, read(input)).await;
    assert_eq!(again.unwrap_err().param.as_deref(), Some("effective_from"), "never in the past");
}

fn tiers() -> serde_json::Value {
    json!({"rules": [{"name": "flow", "match": {"currency": "CNY"}, "charge": {"kind": "volume", "tiers": [
        {"below": 10_000_000, "rate": "0.006"}, {"up_to": 50_000_000, "rate": "0.004"}, {"rate": "0.003"},
    ]}}]})
}

#[tokio::test]
async fn six_hundred_thousand_in_a_month_cost_1800_once_the_month_is_over() {
    let shop = Shop::open().await;
    shop.schedule("price", "price", tiers()).await;
    for amount in [30_000_000, 29_999_999, 1] {
        shop.pay(amount).await;
    }
    assert_eq!(shop.balance("fee_income", CNY).await, 360_000);
    let input = || read(json!({"merchant_id": shop.caller.tenant(), "month": "2026-11"}));
    assert_eq!(code(fees::true_up(&shop.engine, &shop.operator, input()).await), "state_not_allowed");
    // December begins in Beijing at 16:00 of the last of November, UTC.
    shop.pass(15 * 86_400 + 12 * 3_600 + 600).await;
    shop.pay(10_000).await;
    let settled = fees::true_up(&shop.engine, &shop.operator, input()).await.unwrap();
    assert_eq!(settled.items.len(), 1);
    assert_eq!((settled.items[0].kind, settled.items[0].fee), (ItemKind::Fee, -180_000));
    let again = fees::true_up(&shop.engine, &shop.operator, input()).await.unwrap();
    assert_eq!(again.items[0].id, settled.items[0].id, "a month is settled once");
    assert_eq!(shop.balance("fee_income", CNY).await, 180_000 + 60, "and December's payment is December's");
    assert_eq!(shop.balance("merchant_pending", CNY).await, 60_010_000 - 180_060);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_quote_says_what_the_payment_then_costs() {
    let shop = Shop::open().await;
    let ask = || read(json!({"amount": 10_000, "currency": "CNY", "method": "scripted.card"}));
    let free = fees::quote(&shop.engine, &shop.caller, ask()).await.unwrap();
    assert_eq!((free.fee, free.net, free.priced_by), (0, 10_000, None));
    let made = shop.schedule("price", "price", flat("0.0066", "keep")).await;
    shop.pass(2).await;
    let quoted = fees::quote(&shop.engine, &shop.caller, ask()).await.unwrap();
    let item = shop.items(&shop.pay(10_000).await).await.remove(0);
    assert_eq!((quoted.fee, quoted.net), (item.fee, item.net));
    assert_eq!((quoted.lines, quoted.priced_by), (item.lines, item.priced_by));
    assert_eq!(item.priced_by.unwrap().schedule_id, made.id);
}

#[tokio::test]
async fn simulation_and_margin_look_at_what_was_paid() {
    let shop = Shop::open().await;
    shop.schedule("price", "price", flat("0.006", "pro_rata")).await;
    shop.schedule("cost", "cost", flat("0.002", "keep")).await;
    let order = shop.pay(100_000).await;
    shop.pay(50_000).await;
    shop.refund(&order, 50_000).await;
    let period = json!({"merchant_id": shop.caller.tenant(), "from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"});
    let mut input = period.clone();
    input["terms"] = flat("0.01", "keep");
    let rows = fees::simulate(&shop.engine, &shop.operator, read(input)).await.unwrap().data;
    assert_eq!((rows[0].count, rows[0].charged, rows[0].proposed), (2, 900, 1_500));
    let rows = fees::margin(&shop.engine, &shop.operator, read(period)).await.unwrap().data;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].volume, rows[0].fee, rows[0].cost, rows[0].margin), (100_000, 600, 300, 300));
}

#[tokio::test]
async fn a_name_is_used_once_and_a_schedule_turned_off_is_not_applied() {
    let shop = Shop::open().await;
    let made = shop.schedule("price", "price", flat("0.006", "keep")).await;
    let input =
        json!({"merchant_id": shop.caller.tenant(), "name": "price", "side": "cost", "terms": {"rules": []}});
    assert_eq!(code(fees::create(&shop.engine, &shop.operator, read(input)).await), "duplicate_number");
    let off = json!({"id": made.id, "merchant_id": shop.caller.tenant(), "active": false});
    fees::update(&shop.engine, &shop.operator, read(off)).await.unwrap();
    let order = shop.pay(10_000).await;
    assert_eq!(shop.items(&order).await[0].fee, 0);
}

#[tokio::test]
async fn workers_settle_a_month_when_it_is_over() {
    let shop = Shop::open().await;
    shop.schedule("price", "price", tiers()).await;
    shop.pay(60_000_000).await;
    let work = async || shop.engine.work(Queue::Documents, 10).await.unwrap().taken;
    shop.pass(15 * 86_400 + 12 * 3_600 + 598).await;
    assert_eq!(work().await, 0, "November is not over");
    shop.pass(1).await;
    assert_eq!((work().await, work().await), (1, 0), "and it is settled once");
    assert_eq!(shop.balance("fee_income", CNY).await, 180_000);
    shop.pay(60_000_000).await;
    shop.pass(31 * 86_400).await;
    assert_eq!(work().await, 1);
    assert_eq!(shop.balance("fee_income", CNY).await, 360_000, "December too");
    shop.close_the_books().await;
}
