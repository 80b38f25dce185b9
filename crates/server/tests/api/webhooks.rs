//! Events on their way to merchants: signed, retried, logged, and never into a private network.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;

use crate::stand::{Stand, order};

/// What a receiver got.
type Got = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A receiver that answers with statuses in turn, the last one for ever.
async fn receiver(statuses: &'static [u16]) -> (String, Got) {
    let got = Got::default();
    let take = move |State(got): State<Got>, headers: HeaderMap, body: Bytes| async move {
        let mut got = got.lock().unwrap();
        let status = statuses[got.len().min(statuses.len() - 1)];
        got.push((headers, body));
        StatusCode::from_u16(status).unwrap()
    };
    let router = Router::new().fallback(take).with_state(Arc::clone(&got));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, got)
}

async fn wait_for(got: &Got, count: usize) -> Vec<(HeaderMap, Bytes)> {
    for _ in 0..400 {
        let all = got.lock().unwrap().clone();
        if all.len() >= count {
            return all;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{} of {count} deliveries came", got.lock().unwrap().len());
}

/// Standard Webhooks, written here from the specification: base64 of HMAC-SHA256 over `id.timestamp.body`.
fn signed_with(secret: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let text = |name: &str| headers[name].to_str().unwrap();
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{}.{}.", text("webhook-id"), text("webhook-timestamp")).as_bytes());
    mac.update(body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    text("webhook-signature").split(' ').any(|signature| signature == expected)
}

async fn stand() -> Stand {
    Stand::start_with(|config| config.outbound_allow = vec!["127.0.0.0/8".into()]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_told_to_the_endpoint_signed_and_logged() {
    let stand = stand().await;
    let (url, got) = receiver(&[200]).await;
    let endpoint =
        stand.ok("webhook_endpoints.create", json!({"url": url, "events": ["order.succeeded"]})).await;
    let secret = endpoint["secret"].as_str().expect("shown once").to_owned();
    let paid = stand.paid(1_234).await;
    let (headers, body) = wait_for(&got, 1).await.remove(0);
    assert!(signed_with(&secret, &headers, &body));
    assert!(!signed_with(&secret, &headers, b"{}"), "the check itself has to be able to fail");
    let event: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&event["type"], &event["data"]["object"]["id"]), (&json!("order.succeeded"), &paid["id"]));
    assert_eq!(event["id"].as_str(), headers["webhook-id"].to_str().ok());
    let pulled = stand.ok("events.retrieve", json!({"id": event["id"]})).await;
    assert_eq!(pulled, event, "what is pulled is what was sent");
    let done = |list: &Value| list["data"][0]["status"] == "succeeded";
    let log = stand.becomes("deliveries.list", json!({"event_id": event["id"]}), done).await;
    assert_eq!(log["data"][0]["tries"][0]["status"], 200);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(got.lock().unwrap().len(), 1, "only the wanted type, and once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_delivery_is_tried_again_with_the_same_bytes() {
    let stand = stand().await;
    let (url, got) = receiver(&[500, 302, 200]).await;
    stand.ok("webhook_endpoints.create", json!({"url": url, "events": ["order.succeeded"]})).await;
    stand.paid(1_000).await;
    for tries in 1..=3 {
        let all = wait_for(&got, tries).await;
        assert_eq!(all[0].1, all[tries - 1].1);
        assert_eq!(all[0].0["webhook-id"], all[tries - 1].0["webhook-id"]);
        let logged = |list: &Value| list["data"][0]["tries"].as_array().is_some_and(|all| all.len() == tries);
        stand.becomes("deliveries.list", json!({}), logged).await;
        stand.ok("sandbox.advance_clock", json!({"seconds": 86_400})).await;
    }
    let log = stand.ok("deliveries.list", json!({})).await;
    let statuses: Vec<_> =
        log["data"][0]["tries"].as_array().unwrap().iter().map(|row| row["status"].clone()).collect();
    assert_eq!(statuses, [500, 302, 200], "a redirect is not followed");
    stand.ok("deliveries.resend", json!({"id": log["data"][0]["id"]})).await;
    wait_for(&got, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn during_a_roll_both_secrets_sign() {
    let stand = stand().await;
    let (url, got) = receiver(&[200]).await;
    let endpoint =
        stand.ok("webhook_endpoints.create", json!({"url": url, "events": ["order.succeeded"]})).await;
    let rolled = stand.ok("webhook_endpoints.roll_secret", json!({"id": endpoint["id"]})).await;
    let (old, new) = (endpoint["secret"].as_str().unwrap(), rolled["secret"].as_str().unwrap());
    assert_ne!(old, new);
    stand.paid(1_000).await;
    let (headers, body) = wait_for(&got, 1).await.remove(0);
    assert!(signed_with(old, &headers, &body) && signed_with(new, &headers, &body));
    stand.ok("sandbox.advance_clock", json!({"seconds": 90_000})).await;
    stand.paid(1_000).await;
    let (headers, body) = wait_for(&got, 2).await.remove(1);
    assert!(!signed_with(old, &headers, &body) && signed_with(new, &headers, &body));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orders_own_address_is_told_too() {
    let stand = stand().await;
    let (url, got) = receiver(&[200]).await;
    let secret = stand.ok("webhook_endpoints.notify_secret", json!({})).await;
    let mut input = order(1_000, "testpay.card");
    input["notify_url"] = json!(url);
    stand.ok("orders.create", input).await;
    let all = wait_for(&got, 2).await;
    assert!(all.iter().all(|(headers, body)| signed_with(secret["secret"].as_str().unwrap(), headers, body)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_disabled() {
    let stand = stand().await;
    let (url, got) = receiver(&[410]).await;
    let endpoint =
        stand.ok("webhook_endpoints.create", json!({"url": url, "events": ["order.succeeded"]})).await;
    stand.paid(1_000).await;
    wait_for(&got, 1).await;
    let disabled =
        |list: &Value| list["data"][0]["id"] == endpoint["id"] && list["data"][0]["enabled"] == false;
    stand.becomes("webhook_endpoints.list", json!({}), disabled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_in_any_spelling_are_never_called() {
    let stand = Stand::start().await;
    let (url, got) = receiver(&[200]).await;
    let port = url.rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap();
    let hosts = [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "[::]",
        "localhost.",
        "127.0.0.1.",
        "①②⑦.⓪.⓪.①",
    ];
    let mut endpoints = 0;
    for host in hosts {
        let made = stand
            .call("webhook_endpoints.create", json!({"url": format!("http://{host}:{port}/hook")}))
            .await;
        match made.status {
            200 => endpoints += 1,
            _ => {
                assert_eq!(made.problem(StatusCode::BAD_REQUEST, "invalid_request")["param"], "url", "{host}")
            }
        }
    }
    assert!(endpoints >= 8, "{endpoints}");
    let mut input = order(1_000, "testpay.card");
    input["notify_url"] = json!("http://169.254.169.254/latest/meta-data/");
    stand.ok("orders.create", input).await;
    let tried = |list: &Value| {
        let rows = list["data"].as_array().unwrap();
        rows.len() > endpoints
            && rows.iter().all(|row| row["tries"].as_array().is_some_and(|tries| !tries.is_empty()))
    };
    let log = stand.becomes("deliveries.list", json!({"limit": 100}), tried).await;
    for row in log["data"].as_array().unwrap() {
        assert_eq!((&row["status"], &row["tries"][0]["status"]), (&json!("pending"), &Value::Null), "{row}");
    }
    assert!(got.lock().unwrap().is_empty(), "a private address was called");
}
