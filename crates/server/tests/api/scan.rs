//! 被扫: the shop's scanner reads the payer's barcode.

use http::StatusCode;
use serde_json::{Value, json};

use crate::stand::Stand;

fn scanned(amount: i64, code: &str) -> Value {
    json!({"amount": amount, "currency": "CNY", "subject": "Tea 茶", "payer": {"auth_code": code}})
}

/// What the provider took, less what it gave back, over all orders.
async fn held(stand: &Stand) -> i64 {
    let book = stand.engine.hub().book(stand.account("wechatpay").await);
    book.iter().map(|line| if line.refund.is_some() { -line.money.minor() } else { line.money.minor() }).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wallet_is_told_from_the_code() {
    let stand = Stand::start().await;
    let paid = stand.ok("orders.create", scanned(1_000, "134500000000000001")).await;
    assert_eq!((&paid["status"], &paid["methods"]), (&json!("succeeded"), &json!(["wechatpay.barcode"])));
    for (code, why) in [
        ("13450000000000000", "18 digits, not 17"),
        ("990000000000000000", "no wallet known here"),
        ("621234567890123456", "19 digits, not 18"),
    ] {
        let refused = stand.call("orders.create", scanned(1_000, code)).await;
        let problem = refused.problem(StatusCode::BAD_REQUEST, "invalid_request");
        assert_eq!(problem["param"], "payer.auth_code");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{problem:?}");
    }
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_who_types_the_password_is_waited_for() {
    let stand = Stand::start().await;
    let open = stand.ok("orders.create", scanned(9_002, "134500000000000001")).await;
    assert_eq!(open["status"], "processing", "{open}");
    stand.ok("sandbox.advance_clock", json!({"seconds": 31})).await;
    let paid = stand.order_becomes(&open["id"], "succeeded").await;
    assert_eq!((paid["amount_captured"].as_i64(), held(&stand).await), (Some(9_002), 9_002));
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_who_takes_too_long_is_not_charged_any_more() {
    let stand = Stand::start().await;
    let open = stand.ok("orders.create", scanned(9_002, "134500000000000001")).await;
    stand.ok("orders.close", json!({"id": open["id"]})).await;
    let closed = stand.order_becomes(&open["id"], "closed").await;
    assert_eq!(closed["amount_captured"], 0);
    stand.ok("sandbox.advance_clock", json!({"seconds": 3_600})).await;
    let still = stand.ok("orders.retrieve", json!({"id": open["id"]})).await;
    assert_eq!((&still["status"], held(&stand).await), (&json!("closed"), 0), "never both");
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_barcode_order_ends_with_the_minute() {
    let stand = Stand::start().await;
    let open = stand.ok("orders.create", scanned(9_003, "134500000000000001")).await;
    let lifetime = |order: &Value| -> Option<i64> {
        let time = |name: &str| order[name].as_str()?.parse::<paycore::time::Timestamp>().ok();
        Some(time("expires_at")?.secs() - time("created_at")?.secs())
    };
    assert_eq!(lifetime(&open), Some(60), "{open}");
    let paid = stand.order_becomes(&open["id"], "succeeded").await;
    assert_eq!(paid["amount_captured"], 9_003, "what was charged without an answer is found out");
    stand.verify().await;
}
