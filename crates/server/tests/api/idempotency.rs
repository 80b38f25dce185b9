//! The same key and the same request: the same answer and one effect.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;

use crate::stand::{Stand, fresh, order};

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_gets_the_same_bytes() {
    let stand = Stand::start().await;
    for (operation, input) in [
        ("orders.create", order(1_000, "testpay.card")),
        ("orders.create", order(1_000, "alipay.qr")),
        ("webhook_endpoints.create", json!({"url": "https://shop.example/hooks"})),
        ("api_keys.create", json!({"name": "till", "scopes": ["orders:read"]})),
        ("sandbox.advance_clock", json!({"seconds": 1})),
    ] {
        let key = fresh();
        let first = stand.call_as(&stand.test_key, operation, input.clone(), Some(&key)).await;
        assert_eq!(first.status, 200, "{operation}: {}", first.body);
        assert!(!first.headers.contains_key("idempotent-replayed"));
        let rows = stand.rows().await;
        let again = stand.call_as(&stand.test_key, operation, input, Some(&key)).await;
        assert_eq!((again.status, &again.bytes), (200, &first.bytes), "{operation}");
        assert_eq!(again.headers["idempotent-replayed"], "true");
        assert_eq!(stand.rows().await, rows, "{operation} wrote on a repeat");
    }
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_answered_although_the_state_has_moved_on() {
    let stand = Stand::start().await;
    let mut manual = order(8_000, "testpay.card");
    manual["capture_method"] = json!("manual");
    let mut choice = order(500, "testpay.card");
    choice["methods"] = json!([choice["method"].take(), "testpay.qr"]);
    choice.as_object_mut().unwrap().remove("method");
    let make = async |input: &serde_json::Value| stand.ok("orders.create", input.clone()).await["id"].clone();
    let (captured, voided, chosen) = (make(&manual).await, make(&manual).await, make(&choice).await);
    let (closed, refunded) = (make(&order(700, "alipay.qr")).await, make(&order(900, "testpay.card")).await);
    for (operation, input) in [
        ("orders.capture", json!({"id": captured, "amount": 5_000})),
        ("orders.void", json!({"id": voided})),
        ("orders.pay", json!({"id": chosen, "method": "testpay.card"})),
        ("orders.close", json!({"id": closed})),
        ("refunds.create", json!({"order_id": refunded})),
    ] {
        let key = fresh();
        let first = stand.call_as(&stand.test_key, operation, input.clone(), Some(&key)).await;
        assert_eq!(first.status, 200, "{operation}: {}", first.body);
        let again = stand.call_as(&stand.test_key, operation, input, Some(&key)).await;
        assert_eq!((again.status, &again.bytes), (200, &first.bytes), "{operation}");
        assert_eq!(again.headers["idempotent-replayed"], "true", "{operation}");
    }
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_with_another_request_is_refused() {
    let stand = Stand::start().await;
    let key = fresh();
    let first =
        stand.call_as(&stand.test_key, "orders.create", order(1_000, "testpay.card"), Some(&key)).await;
    assert_eq!(first.status, 200);
    for (operation, input) in [
        ("orders.create", order(1_001, "testpay.card")),
        ("orders.close", json!({"id": first.body["id"]})),
        ("refunds.create", json!({"order_id": first.body["id"]})),
    ] {
        let other = stand.call_as(&stand.test_key, operation, input, Some(&key)).await;
        let problem = other.problem(http::StatusCode::UNPROCESSABLE_ENTITY, "idempotency_mismatch");
        assert_eq!(problem["param"], "Idempotency-Key");
    }
    let orders = stand.ok("orders.list", json!({})).await;
    assert_eq!(orders["data"].as_array().unwrap().len(), 1);
    assert_eq!(orders["data"][0]["amount_refunded"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_two_merchants_do_not_meet() {
    let stand = Stand::start().await;
    let other = stand.another_merchant().await;
    let key = fresh();
    let one = stand.call_as(&stand.test_key, "orders.create", order(1_000, "testpay.card"), Some(&key)).await;
    let two = stand.call_as(&other, "orders.create", order(2_000, "testpay.card"), Some(&key)).await;
    assert_eq!((one.status, two.status), (200, 200), "{} {}", one.body, two.body);
    assert_ne!(one.body["id"], two.body["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_requests_at_once_with_one_key_have_one_effect() {
    let stand = Stand::start().await;
    let paid = stand.paid(100_000).await;
    for (operation, input) in [
        ("orders.create", order(1_000, "testpay.card")),
        ("orders.create", order(1_000, "alipay.qr")),
        ("refunds.create", json!({"order_id": paid["id"], "amount": 1})),
    ] {
        let key = fresh();
        let calls = (0..32).map(|_| stand.call_as(&stand.test_key, operation, input.clone(), Some(&key)));
        let answers = join_all(calls).await;
        let mut bodies = BTreeSet::new();
        for answer in &answers {
            match answer.status {
                200 => drop(bodies.insert(answer.bytes.clone())),
                _ => assert_eq!(
                    answer.problem(http::StatusCode::CONFLICT, "idempotency_in_flight")["retryable"],
                    true
                ),
            }
        }
        assert_eq!(bodies.len(), 1, "{operation}: one answer for all who got one");
        let last = stand.call_as(&stand.test_key, operation, input, Some(&key)).await;
        assert_eq!(bodies.first(), Some(&last.bytes));
    }
    let orders = stand.ok("orders.list", json!({})).await;
    let refunds = stand.ok("refunds.list", json!({})).await;
    let count = |list: &serde_json::Value| list["data"].as_array().unwrap().len();
    assert_eq!((count(&orders), count(&refunds)), (3, 1));
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_does_not_move_without_a_good_key() {
    let stand = Stand::start().await;
    let rows = stand.rows().await;
    let missing = stand.call_as(&stand.test_key, "orders.create", order(1_000, "testpay.card"), None).await;
    let problem = missing.problem(http::StatusCode::BAD_REQUEST, "idempotency_key_missing");
    assert_eq!(problem["param"], "Idempotency-Key");
    for bad in ["", "two words", &"k".repeat(256)] {
        let answer =
            stand.call_as(&stand.test_key, "orders.create", order(1_000, "testpay.card"), Some(bad)).await;
        answer.problem(http::StatusCode::BAD_REQUEST, "idempotency_key_invalid");
    }
    let mut twice = stand.post("/v1/orders", order(1_000, "testpay.card").to_string());
    twice.headers_mut().append("idempotency-key", "second".parse().unwrap());
    stand.send(twice).await.problem(http::StatusCode::BAD_REQUEST, "idempotency_key_invalid");
    let mut foreign = stand.post("/v1/orders", order(1_000, "testpay.card").to_string());
    foreign.headers_mut().insert("idempotency-key", http::HeaderValue::from_bytes("键".as_bytes()).unwrap());
    stand.send(foreign).await.problem(http::StatusCode::BAD_REQUEST, "idempotency_key_invalid");
    assert_eq!(stand.rows().await, rows);
}
