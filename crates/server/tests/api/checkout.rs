//! The checkout as a payer's browser uses it: one order by its client secret.

use http::{Method, Request};
use serde_json::{Value, json};

use crate::stand::{Answer, Stand, set};

/// An order with methods to choose from.
async fn open_order(stand: &Stand) -> Value {
    let methods = ["testpay.qr", "testpay.page", "testpay.card", "alipay.barcode"];
    stand
        .ok("orders.create", json!({"amount": 1234, "currency": "CNY", "subject": "Tea", "methods": methods}))
        .await
}

fn call(stand: &Stand, secret: &str, method: Method, path: &str, body: &Value) -> Request<bytes::Bytes> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut request = stand.request(method, path, body);
    set(&mut request, "authorization", &format!("Bearer {secret}"));
    set(&mut request, "content-type", "application/json");
    request
}

async fn look(stand: &Stand, secret: &str) -> Answer {
    stand.send(call(stand, secret, Method::GET, "/checkout/order", &Value::Null)).await
}

async fn pay(stand: &Stand, secret: &str, method: &str, after: &Value) -> Answer {
    let body = json!({"method": method, "after": after});
    stand.send(call(stand, secret, Method::POST, "/checkout/order/pay", &body)).await
}

fn secret_of(order: &Value) -> &str {
    order["client_secret"].as_str().expect("a client secret")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_sees_the_order_of_its_secret_and_nothing_of_the_merchants() {
    let stand = Stand::start().await;
    let order = open_order(&stand).await;
    let seen = look(&stand, secret_of(&order)).await;
    assert_eq!((seen.status, &seen.headers["access-control-allow-origin"]), (200, &"*".parse().unwrap()));
    assert_eq!((&seen.body["id"], &seen.body["amount"]), (&order["id"], &json!(1234)));
    let methods: Vec<_> = seen.body["methods"].as_array().unwrap().iter().map(|way| &way["method"]).collect();
    assert_eq!(methods, ["testpay.qr", "testpay.page", "testpay.card"], "nobody scans a payer's browser");
    for private in ["metadata", "notify_url", "client_secret", "out_trade_no"] {
        assert!(seen.body.get(private).is_none(), "{private}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_secret_or_a_key_opens_nothing() {
    let stand = Stand::start().await;
    let (order, other) = (open_order(&stand).await, open_order(&stand).await);
    let (secret, foreign) = (secret_of(&order), secret_of(&other));
    let mixed = format!("{}{}", &secret[..60], &foreign[60..]);
    let live = secret.replace("cs_test_", "cs_live_");
    for wrong in [mixed.as_str(), live.as_str(), &secret[..85], "cs_test_", stand.test_key.as_str()] {
        look(&stand, wrong).await.problem(http::StatusCode::UNAUTHORIZED, "unauthenticated");
    }
    assert_eq!(look(&stand, secret).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_and_a_second_tab_make_one_attempt() {
    let stand = Stand::start().await;
    let order = open_order(&stand).await;
    let secret = secret_of(&order);
    let none = Value::Null;
    let (one, two, three) = tokio::join!(
        pay(&stand, secret, "testpay.qr", &none),
        pay(&stand, secret, "testpay.qr", &none),
        pay(&stand, secret, "testpay.page", &none),
    );
    let ids: Vec<_> = [&one, &two, &three].iter().map(|answer| &answer.body["attempt"]["id"]).collect();
    assert!(ids.iter().all(|id| id.is_string() && *id == ids[0]), "{ids:?}");
    let attempts = stand.ok("orders.attempts", json!({"id": order["id"]})).await;
    assert_eq!(attempts["data"].as_array().unwrap().len(), 1);
    let paid = stand
        .becomes("orders.retrieve", json!({"id": order["id"]}), |order| !order["next_action"].is_null())
        .await;
    stand.payer_pays(&paid).await;
    stand.order_becomes(&order["id"], "succeeded").await;
    let again = pay(&stand, secret, "testpay.card", &none).await;
    assert_eq!((again.status, &again.body["status"]), (200, &json!("succeeded")));
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_is_given_up_for_another_and_paid_once() {
    let stand = Stand::start().await;
    let order = open_order(&stand).await;
    let secret = secret_of(&order);
    let first = pay(&stand, secret, "testpay.qr", &Value::Null).await.body;
    let refused = pay(&stand, secret, "testpay.card", &first["attempt"]["id"]).await;
    assert_eq!(refused.status, 409, "an open attempt comes first: {}", refused.body);
    let body = json!({"attempt_id": first["attempt"]["id"]});
    let given_up = stand.send(call(&stand, secret, Method::POST, "/checkout/order/release", &body)).await;
    assert_eq!(
        (&given_up.body["status"], &given_up.body["attempt"]["status"]),
        (&json!("pending"), &json!("closed"))
    );
    assert!(given_up.body["next_action"].is_null());
    let paid = pay(&stand, secret, "testpay.card", &first["attempt"]["id"]).await;
    assert_eq!((paid.status, &paid.body["status"]), (200, &json!("succeeded")), "{}", paid.body);
    let order = stand.ok("orders.retrieve", json!({"id": order["id"]})).await;
    assert_eq!(order["amount_captured"], 1234);
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publishable_key_gives_nothing_and_a_foreign_one_is_told() {
    let stand = Stand::start().await;
    let order = open_order(&stand).await;
    let input = json!({"name": "page", "scopes": ["checkout"], "publishable": true});
    let key = stand.ok("api_keys.create", input).await["key"].as_str().unwrap().to_owned();
    for (key, status) in [(key.as_str(), 200), ("pk_test_unknown", 401), (stand.test_key.as_str(), 401)] {
        let mut request = call(&stand, secret_of(&order), Method::GET, "/checkout/order", &Value::Null);
        set(&mut request, "paycore-publishable-key", key);
        assert_eq!(stand.send(request).await.status, status, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_holds_a_client_secret() {
    let stand = Stand::start().await;
    let order = open_order(&stand).await;
    let events = stand.ok("events.list", json!({"limit": 100})).await;
    assert!(events["data"].as_array().unwrap().len() == 1 && !events.to_string().contains("cs_test_"));
    let again = stand.ok("orders.retrieve", json!({"id": order["id"]})).await;
    assert_eq!(again["client_secret"], order["client_secret"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_of_an_order_that_is_over_tells_it_and_ends() {
    let stand = Stand::start().await;
    let order = open_order(&stand).await;
    let secret = secret_of(&order);
    let paid = pay(&stand, secret, "testpay.card", &Value::Null).await.body;
    let stream = |known: &str| {
        let mut request = call(&stand, secret, Method::GET, "/checkout/order/events", &Value::Null);
        set(&mut request, "last-event-id", known);
        stand.send(request)
    };
    let all = stream("0").await;
    let text = String::from_utf8_lossy(&all.bytes);
    assert_eq!(all.headers["content-type"], "text/event-stream");
    assert!(text.starts_with(&format!("id: {}\nevent: order\ndata: {{", paid["version"])), "{text}");
    assert!(text.ends_with("event: end\ndata: {}\n\n"), "{text}");
    let known = stream(&paid["version"].to_string()).await;
    assert_eq!(known.bytes, "event: end\ndata: {}\n\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_origins_may_ask_before_they_call() {
    let stand = Stand::start().await;
    let answer = stand.send(stand.request(Method::OPTIONS, "/checkout/order/pay", "")).await;
    assert_eq!((answer.status, &answer.headers["access-control-allow-origin"]), (204, &"*".parse().unwrap()));
    let allowed = answer.headers["access-control-allow-headers"].to_str().unwrap();
    assert!(allowed.contains("authorization") && allowed.contains("last-event-id"), "{allowed}");
}
