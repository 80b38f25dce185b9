//! Whole payments, from the order to the money given back.

use serde_json::{Value, json};

use crate::stand::{Stand, order};

/// Two refunds of 60 % at the same time: exactly one may pass.
async fn refunds_twice_at_once(stand: &Stand, paid: &Value) {
    let amount = paid["amount"].as_i64().unwrap();
    let input = json!({"order_id": paid["id"], "amount": amount * 6 / 10, "reason": "returned 退货"});
    let (one, two) =
        tokio::join!(stand.call("refunds.create", input.clone()), stand.call("refunds.create", input));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422], "{} {}", one.body, two.body);
    let refused = if one.status == 422 { &one } else { &two };
    let problem = refused.problem(http::StatusCode::UNPROCESSABLE_ENTITY, "refund_exceeds_capture");
    assert_eq!(problem["param"], "amount");
    let order = stand.order_becomes(&paid["id"], "partially_refunded").await;
    assert_eq!(order["amount_refunded"], amount * 6 / 10);
    let rest = stand.ok("refunds.create", json!({"order_id": paid["id"]})).await;
    assert_eq!(rest["amount"], amount - amount * 6 / 10);
    stand.order_becomes(&paid["id"], "refunded").await;
}

/// Every event of an object, in the order of the stream, numbered without gaps.
async fn events_of(stand: &Stand, id: &Value) -> Vec<String> {
    let events = stand.ok("events.list", json!({"limit": 100})).await;
    let all = events["data"].as_array().unwrap().iter();
    let own: Vec<&Value> = all.filter(|event| event["data"]["object"]["id"] == *id).collect();
    for (index, event) in own.iter().enumerate() {
        assert_eq!(event["sequence"], index + 1, "{event}");
    }
    own.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alipay_qr_order_is_paid_by_its_payer_and_given_back() {
    let stand = Stand::start().await;
    let created = stand.ok("orders.create", order(1_234, "alipay.qr")).await;
    assert_eq!((&created["status"], &created["next_action"]["type"]), (&json!("pending"), &json!("qr")));
    stand.payer_pays(&created).await;
    let paid = stand.order_becomes(&created["id"], "succeeded").await;
    assert_eq!(paid["amount_captured"], 1_234);
    assert!(paid["paid_at"].is_string());
    refunds_twice_at_once(&stand, &paid).await;
    let events = events_of(&stand, &paid["id"]).await;
    assert_eq!(events[..2], ["order.created", "order.succeeded"], "{events:?}");
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alipay_page_order_leads_the_payer_over_the_gateway() {
    let stand = Stand::start().await;
    let mut input = order(5_000, "alipay.page");
    input["return_url"] = json!("https://shop.example/thanks");
    let created = stand.ok("orders.create", input).await;
    assert_eq!(created["next_action"]["type"], "redirect", "{created}");
    stand.payer_pays(&created).await;
    let paid = stand.order_becomes(&created["id"], "succeeded").await;
    refunds_twice_at_once(&stand, &paid).await;
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_charged_at_once() {
    let stand = Stand::start().await;
    let paid = stand.paid(100_000).await;
    refunds_twice_at_once(&stand, &paid).await;
    let balances = stand.ok("balances.list", json!({})).await;
    let transactions = stand.ok("transactions.list", json!({"limit": 100})).await;
    assert!(!balances["data"].as_array().unwrap().is_empty());
    assert_eq!(
        transactions["data"].as_array().unwrap().len(),
        3,
        "a payment and two refunds: {transactions}"
    );
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_is_captured_in_part_and_the_rest_is_released() {
    let stand = Stand::start().await;
    let mut input = order(8_000, "testpay.card");
    input["capture_method"] = json!("manual");
    let authorized = stand.ok("orders.create", input).await;
    assert_eq!(
        (&authorized["status"], &authorized["amount_authorized"]),
        (&json!("authorized"), &json!(8_000))
    );
    let id = &authorized["id"];
    let over = stand.call("orders.capture", json!({"id": id, "amount": 8_001})).await;
    over.problem(http::StatusCode::UNPROCESSABLE_ENTITY, "capture_exceeds_authorization");
    let captured = stand.ok("orders.capture", json!({"id": id, "amount": 5_000})).await;
    assert_eq!((&captured["status"], &captured["amount_captured"]), (&json!("succeeded"), &json!(5_000)));
    let void = stand.call("orders.void", json!({"id": id})).await;
    void.problem(http::StatusCode::CONFLICT, "state_not_allowed");
    refunds_twice_at_once(&stand, &json!({"id": id, "amount": 5_000})).await;
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_is_given_back() {
    let stand = Stand::start().await;
    let mut input = order(8_000, "testpay.card");
    input["capture_method"] = json!("manual");
    let authorized = stand.ok("orders.create", input).await;
    let voided = stand.ok("orders.void", json!({"id": authorized["id"]})).await;
    assert_eq!((&voided["status"], &voided["amount_captured"]), (&json!("closed"), &json!(0)));
    let capture = stand.call("orders.capture", json!({"id": authorized["id"]})).await;
    capture.problem(http::StatusCode::CONFLICT, "state_not_allowed");
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_with_a_choice_is_paid_by_the_method_that_is_chosen() {
    let stand = Stand::start().await;
    let mut input = order(2_500, "testpay.card");
    input.as_object_mut().unwrap().remove("method");
    input["methods"] = json!(["alipay.qr", "testpay.card"]);
    input["out_trade_no"] = json!("order-77");
    let created = stand.ok("orders.create", input.clone()).await;
    assert_eq!((&created["status"], &created["next_action"]), (&json!("pending"), &Value::Null));
    let other = stand.call("orders.pay", json!({"id": created["id"], "method": "testpay.qr"})).await;
    assert_eq!(other.problem(http::StatusCode::BAD_REQUEST, "invalid_request")["param"], "method");
    let paid = stand.ok("orders.pay", json!({"id": created["id"], "method": "testpay.card"})).await;
    assert_eq!(paid["status"], "succeeded");
    let again = stand.call("orders.create", input).await;
    assert_eq!(again.problem(http::StatusCode::CONFLICT, "duplicate_number")["param"], "out_trade_no");
    let found = stand.ok("orders.list", json!({"out_trade_no": "order-77"})).await;
    assert_eq!(found["data"][0]["id"], created["id"]);
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_not_paid_is_closed() {
    let stand = Stand::start().await;
    let created = stand.ok("orders.create", order(1_000, "alipay.qr")).await;
    let closed = stand.ok("orders.close", json!({"id": created["id"]})).await;
    assert_eq!(closed["status"], "closed", "{closed}");
    let again = stand.ok("orders.close", json!({"id": created["id"]})).await;
    assert_eq!(again, closed, "closing again changes nothing");
    let paid = stand.paid(1_000).await;
    let refused = stand.call("orders.close", json!({"id": paid["id"]})).await;
    assert_eq!(refused.problem(http::StatusCode::CONFLICT, "state_not_allowed")["object_id"], paid["id"]);
    stand.verify().await;
}
