//! Mandates over the API and the sandbox: signed by the payer on WeChat Pay's page, charged without the payer, given back,
//! revoked, and what is refused.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::stand::{Answer, Stand, order};

fn input(more: Value) -> Value {
    let mut input = json!({
        "method": "wechatpay.mandate", "currency": "CNY", "amount_limit": 50_000, "description": "Monthly tea 每月茶叶",
        "customer": "customer-1", "return_url": "https://shop.example/thanks",
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

/// A button on the payer's page of a mandate.
async fn press(stand: &Stand, mandate: &Value, button: &str) -> Answer {
    let account = stand.account("wechatpay_mandate").await;
    let page = format!("{}/sandbox/{account}/payer/{}", stand.url, mandate["reference"].as_str().unwrap());
    let pressed = stand.send(stand.request(Method::POST, &format!("{page}/{button}"), "")).await;
    assert!(pressed.status < 400, "{button}: {} {:?}", pressed.status, pressed.bytes);
    pressed
}

async fn becomes(stand: &Stand, mandate: &Value, status: &str) -> Value {
    stand.becomes("mandates.retrieve", json!({"id": mandate["id"]}), |now| now["status"] == status).await
}

/// A mandate that the payer has signed.
pub async fn signed(stand: &Stand, more: Value) -> Value {
    let made = stand.ok("mandates.create", input(more)).await;
    assert_eq!((&made["status"], &made["channel_mandate_id"]), (&json!("pending"), &Value::Null), "{made}");
    let opened = stand.get(made["next_action"]["url"].as_str().unwrap()).await;
    assert_eq!(opened.status, 303, "{:?}", opened.bytes);
    let page = stand.get(opened.headers["location"].to_str().unwrap()).await;
    let text = String::from_utf8_lossy(&page.bytes).into_owned();
    assert!(text.contains("同意并签约") && text.contains("customer-1"), "{text}");
    press(stand, &made, "sign").await;
    let active = becomes(stand, &made, "active").await;
    assert_eq!((&active["next_action"], active["signed_at"].is_string()), (&Value::Null, true), "{active}");
    active
}

fn charge(mandate: &Value, amount: i64) -> Value {
    let mut input = order(amount, "wechatpay.mandate");
    input["mandate"] = mandate["id"].clone();
    input
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_signs_once_and_is_charged_given_back_and_let_go() {
    let stand = Stand::start().await;
    let mandate = signed(&stand, json!({})).await;
    for amount in [1_234, 50_000] {
        let made = stand.ok("orders.create", charge(&mandate, amount)).await;
        assert_eq!((&made["mandate"], &made["next_action"]), (&mandate["id"], &Value::Null), "{made}");
        let paid = stand.order_becomes(&made["id"], "succeeded").await;
        assert_eq!(paid["amount_captured"], amount);
        let back = stand.ok("refunds.create", json!({"order_id": paid["id"], "amount": 234})).await;
        stand
            .becomes("refunds.retrieve", json!({"id": back["id"]}), |now| now["status"] == "succeeded")
            .await;
    }
    let revoked =
        stand.ok("mandates.revoke", json!({"id": mandate["id"], "reason": "moved away 已搬走"})).await;
    assert_eq!((&revoked["status"], revoked["ended_at"].is_string()), (&json!("ended"), true), "{revoked}");
    let again = stand.ok("mandates.revoke", json!({"id": mandate["id"]})).await;
    assert_eq!((&again["status"], &again["ended_at"]), (&json!("ended"), &revoked["ended_at"]));
    let refused = stand.call("orders.create", charge(&mandate, 100)).await;
    let problem = refused.problem(StatusCode::CONFLICT, "state_not_allowed");
    assert_eq!(problem["param"], "mandate");
    let events = stand.ok("events.list", json!({"limit": 100})).await;
    let own = events["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["data"]["object"]["id"] == mandate["id"]);
    let own: Vec<(&Value, &Value)> = own.map(|event| (&event["type"], &event["sequence"])).collect();
    assert_eq!(own, [(&json!("mandate.active"), &json!(1)), (&json!("mandate.ended"), &json!(2))]);
    let listed = stand.ok("mandates.list", json!({"customer": "customer-1", "status": "ended"})).await;
    assert_eq!(listed["data"][0]["id"], mandate["id"]);
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_who_ends_it_in_the_wallet_is_charged_no_more_and_one_who_refuses_never() {
    let stand = Stand::start().await;
    let mandate = signed(&stand, json!({})).await;
    press(&stand, &mandate, "end").await;
    let ended = becomes(&stand, &mandate, "ended").await;
    assert_eq!(ended["decline"]["code"], "2", "{ended}");
    stand
        .call("orders.create", charge(&mandate, 100))
        .await
        .problem(StatusCode::CONFLICT, "state_not_allowed");
    let made = stand.ok("mandates.create", input(json!({"expires_in": 300}))).await;
    stand.get(made["next_action"]["url"].as_str().unwrap()).await;
    press(&stand, &made, "cancel").await;
    stand.ok("sandbox.advance_clock", json!({"seconds": 301})).await;
    becomes(&stand, &made, "expired").await;
    // Signed too late: it is revoked at the channel at once.
    press(&stand, &made, "sign").await;
    let late = becomes(&stand, &made, "ended").await;
    assert!(late["channel_mandate_id"].is_string() && late["signed_at"].is_null(), "{late}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_payer_did_not_agree_to_is_refused_by_name() {
    let stand = Stand::start().await;
    let mandate = signed(&stand, json!({})).await;
    let rows = stand.rows().await;
    let refused = async |input: Value, status: StatusCode, code: &str, param: &str| {
        let answer = stand.call("orders.create", input).await;
        assert_eq!(answer.problem(status, code)["param"], param, "{}", answer.body);
    };
    let bad = StatusCode::BAD_REQUEST;
    refused(charge(&mandate, 50_001), bad, "invalid_amount", "amount").await;
    let mut dollars = charge(&mandate, 100);
    dollars["currency"] = json!("USD");
    refused(dollars, bad, "invalid_currency", "currency").await;
    refused(order(100, "wechatpay.mandate"), bad, "missing_parameter", "mandate").await;
    let mut other = charge(&mandate, 100);
    other["method"] = json!("wechatpay.qr");
    refused(other, bad, "invalid_request", "mandate").await;
    let mut several = charge(&mandate, 100);
    several.as_object_mut().unwrap().remove("method");
    several["methods"] = json!(["wechatpay.qr", "wechatpay.mandate"]);
    refused(several, bad, "invalid_request", "methods[1]").await;
    let mut unknown = charge(&mandate, 100);
    unknown["mandate"] = json!("mdt_01jd7xk3fz5v9b8m2q4r6t8w0y");
    refused(unknown, StatusCode::NOT_FOUND, "not_found", "mandate").await;
    let waiting =
        stand.ok("mandates.create", input(json!({"scene": "h5", "payer": {"ip": "203.0.113.7"}}))).await;
    refused(charge(&waiting, 100), StatusCode::CONFLICT, "state_not_allowed", "mandate").await;
    let answer = stand.call("mandates.create", input(json!({"scene": "h5"}))).await;
    let problem = answer.problem(StatusCode::UNPROCESSABLE_ENTITY, "channel_refused");
    assert_eq!(problem["param"], "payer.ip");
    let answer = stand.call("mandates.create", input(json!({"method": "wechatpay.qr"}))).await;
    assert_eq!(answer.problem(bad, "invalid_request")["param"], "method");
    assert_eq!(stand.rows().await["attempts"], rows["attempts"], "nobody was charged");
    // Another merchant's account is asked for another merchant's mandate.
    let stranger = stand.another_merchant().await;
    let answer = stand.call_as(&stranger, "orders.create", charge(&mandate, 100), Some("m-1")).await;
    assert_eq!(answer.problem(StatusCode::NOT_FOUND, "not_found")["param"], "mandate");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_is_refused_or_not_answered_ends_as_what_it_was() {
    let stand = Stand::start().await;
    let mandate = signed(&stand, json!({})).await;
    // The scripts of the sandbox: too little money, carried out without an answer, and although the answer says otherwise.
    let poor = stand.ok("orders.create", charge(&mandate, 19_001)).await;
    assert_eq!(
        (&poor["status"], &poor["decline"]["reason"]),
        (&json!("failed"), &json!("insufficient_funds"))
    );
    for amount in [19_003, 19_007, 19_002] {
        let made = stand.ok("orders.create", charge(&mandate, amount)).await;
        // The notification may come before the request is given up; what is not known is never a refusal.
        assert!(made["status"] == "processing" || made["status"] == "succeeded", "{made}");
        if amount == 19_002 {
            stand.ok("sandbox.advance_clock", json!({"seconds": 60})).await;
        }
        let paid = stand.order_becomes(&made["id"], "succeeded").await;
        assert_eq!(paid["amount_captured"], amount);
    }
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_and_a_mini_program_get_what_their_clients_open() {
    let stand = Stand::start().await;
    for (scene, parameter) in [("app", "pre_entrustweb_id"), ("mini", "contract_code")] {
        let made = stand.ok("mandates.create", input(json!({ "scene": scene }))).await;
        let parameters = made["next_action"]["parameters"].as_array().unwrap();
        assert!(parameters.iter().any(|pair| pair[0] == parameter), "{made}");
    }
}
