//! Scripted outcomes, the test clock, and what becomes of payments whose outcome is not known at once.

use serde_json::json;

use crate::stand::{Stand, order};

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_fails_the_order() {
    let stand = Stand::start().await;
    let failed = stand.ok("orders.create", order(9_001, "testpay.card")).await;
    assert_eq!(failed["status"], "failed", "{failed}");
    assert!(failed["decline"].is_object());
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_was_never_answered_is_found_by_the_sweep() {
    let stand = Stand::start().await;
    let open = stand.ok("orders.create", order(9_003, "testpay.card")).await;
    assert_eq!(open["status"], "processing", "an unknown outcome is not a failure: {open}");
    stand.ok("sandbox.advance_clock", json!({"seconds": 120})).await;
    let paid = stand.order_becomes(&open["id"], "succeeded").await;
    assert_eq!(paid["amount_captured"], 9_003);
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_closes_by_itself_when_its_time_is_over() {
    let stand = Stand::start().await;
    let mut input = order(1_000, "alipay.qr");
    input["expires_in"] = json!(60);
    let open = stand.ok("orders.create", input).await;
    stand.ok("sandbox.advance_clock", json!({"seconds": 61})).await;
    stand.order_becomes(&open["id"], "closed").await;
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_arrives_after_the_close_is_given_back() {
    let stand = Stand::start().await;
    let open = stand.ok("orders.create", order(9_006, "testpay.qr")).await;
    stand.ok("orders.close", json!({"id": open["id"]})).await;
    stand.ok("sandbox.advance_clock", json!({"seconds": 10})).await;
    let wanted = |order: &serde_json::Value| order["amount_refunded"] == 9_006;
    stand.becomes("orders.retrieve", json!({"id": open["id"]}), wanted).await;
    let refunds = stand.ok("refunds.list", json!({"order_id": open["id"]})).await;
    assert_eq!(refunds["data"][0]["amount"], 9_006);
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_notifications_of_one_payment_count_once() {
    let stand = Stand::start().await;
    let open = stand.ok("orders.create", order(9_004, "alipay.qr")).await;
    stand.payer_pays(&open).await;
    let paid = stand.order_becomes(&open["id"], "succeeded").await;
    stand.ok("sandbox.advance_clock", json!({"seconds": 3_600})).await;
    let transactions = stand.ok("transactions.list", json!({"limit": 100})).await;
    assert_eq!(transactions["data"].as_array().unwrap().len(), 1);
    assert_eq!(paid["amount_captured"], 9_004);
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_whose_answer_is_lost_is_settled_once() {
    let stand = Stand::start().await;
    let paid = stand.paid(9_009).await;
    let refund = stand.ok("refunds.create", json!({"order_id": paid["id"], "amount": 9_000})).await;
    assert_ne!(refund["status"], "failed", "{refund}");
    stand.ok("sandbox.advance_clock", json!({"seconds": 300})).await;
    let wanted = |refund: &serde_json::Value| refund["status"] == "succeeded";
    stand.becomes("refunds.retrieve", json!({"id": refund["id"]}), wanted).await;
    stand.order_becomes(&paid["id"], "partially_refunded").await;
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_merchant_has_no_test_clock_and_no_simulator() {
    let stand = Stand::start().await;
    let clock = stand.call_as(&stand.live_key, "sandbox.advance_clock", json!({"seconds": 10}), None).await;
    clock.problem(http::StatusCode::FORBIDDEN, "forbidden");
    let account =
        stand.call_as(&stand.live_key, "channel_accounts.create", json!({"channel": "alipay"}), None).await;
    assert_eq!(account.problem(http::StatusCode::BAD_REQUEST, "missing_parameter")["param"], "settings");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_sandbox_its_keys_and_pages_are_closed() {
    let stand = Stand::start_with(|config| config.sandbox = false).await;
    let refused = stand.call("orders.list", json!({})).await;
    refused.problem(http::StatusCode::FORBIDDEN, "forbidden");
    let page = stand.get("/sandbox/cha_01jd7xk3fz5v9b8m2q4r6t8w0y/payer/x").await;
    page.problem(http::StatusCode::NOT_FOUND, "not_found");
    let live = stand.call_as(&stand.live_key, "orders.list", json!({}), None).await;
    assert_eq!(live.status, 200);
}
