//! Cards as payers and merchants use them: the fields' frame, tokens, payments, stored cards, and that no digit is left
//! lying about.

use std::path::Path;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::stand::{Answer, Stand, set};

const GOOD: &str = "4242424242424242";
const DECLINED: &str = "4000000000000002";
const CHALLENGED: &str = "4000000000003220";

/// An order that is paid by a card, of a customer where one is named.
async fn card_order(stand: &Stand, customer: Option<&str>) -> Value {
    let mut input = json!({"amount": 1234, "currency": "CNY", "subject": "Tea", "methods": ["card.web"]});
    if let Some(customer) = customer {
        input["customer"] = json!(customer);
    }
    stand.ok("orders.create", input).await
}

fn card(number: &str) -> Value {
    json!({"number": number, "exp_month": 12, "exp_year": 2030, "cvc": "987"})
}

/// What the frame sends, with a header changed where one is named.
async fn types(stand: &Stand, order: &Value, body: &Value, header: Option<(&'static str, &str)>) -> Answer {
    let mut request = stand.request(Method::POST, "/checkout/tokens", body.to_string());
    let secret = order["client_secret"].as_str().expect("a client secret");
    set(&mut request, "authorization", &format!("Bearer {secret}"));
    set(&mut request, "content-type", "application/json");
    set(&mut request, "origin", &stand.url);
    set(&mut request, "sec-fetch-site", "same-origin");
    if let Some((name, value)) = header {
        match value {
            "" => drop(request.headers_mut().remove(name)),
            value => set(&mut request, name, value),
        }
    }
    stand.send(request).await
}

/// The token of a card that a payer types for an order.
pub async fn token(stand: &Stand, order: &Value, number: &str) -> Value {
    let typed = types(stand, order, &card(number), None).await;
    assert_eq!(typed.status, 200, "{}", typed.body);
    typed.body["id"].clone()
}

/// A call of the widget.
async fn checkout(stand: &Stand, order: &Value, path: &str, body: &Value) -> Answer {
    let method = if body.is_null() { Method::GET } else { Method::POST };
    let mut request = stand.request(method, &format!("/checkout/{path}"), body.to_string());
    let secret = order["client_secret"].as_str().expect("a client secret");
    set(&mut request, "authorization", &format!("Bearer {secret}"));
    set(&mut request, "content-type", "application/json");
    stand.send(request).await
}

async fn pays(stand: &Stand, order: &Value, after: &Value, with: Value) -> Answer {
    let mut body = json!({"method": "card.web", "after": after});
    body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    checkout(stand, order, "order/pay", &body).await
}

async fn attempts(stand: &Stand, order: &Value) -> Vec<Value> {
    let list = stand.ok("orders.attempts", json!({"id": order["id"]})).await;
    list["data"].as_array().unwrap().clone()
}

/// Pays once and lets the card be kept; the stored card.
async fn keeps(stand: &Stand, customer: &str) -> Value {
    let order = card_order(stand, Some(customer)).await;
    let token = token(stand, &order, GOOD).await;
    let paid = pays(stand, &order, &Value::Null, json!({"card_token": token, "save": "2026-11"})).await;
    assert_eq!(paid.body["status"], "succeeded", "{}", paid.body);
    let wanted = json!({"customer": customer, "status": "active"});
    let list = stand.becomes("cards.list", wanted, |list| list["data"][0].is_object()).await;
    list["data"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_card_pays_and_its_attempt_says_brand_and_four_digits() {
    let stand = Stand::start().await;
    let order = card_order(&stand, None).await;
    assert_eq!((&order["status"], attempts(&stand, &order).await.len()), (&json!("pending"), 0));
    let seen = checkout(&stand, &order, "order", &Value::Null).await.body;
    assert_eq!(seen["methods"], json!([{"method": "card.web", "form": "card"}]));
    assert!(seen["cards"].is_null(), "nobody's cards: {seen}");
    let token = token(&stand, &order, "4242 4242-4242 4242").await;
    let paid = pays(&stand, &order, &Value::Null, json!({"card_token": token})).await;
    assert_eq!((paid.status, &paid.body["status"]), (200, &json!("succeeded")), "{}", paid.body);
    let attempt = &attempts(&stand, &order).await[0];
    assert_eq!(attempt["card"], json!({"token_id": token, "brand": "visa", "last4": "4242"}));
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_pays_once() {
    let stand = Stand::start().await;
    let order = card_order(&stand, None).await;
    let bad = token(&stand, &order, DECLINED).await;
    let declined = pays(&stand, &order, &Value::Null, json!({"card_token": bad})).await.body;
    assert_eq!(
        (&declined["status"], &declined["attempt"]["status"], &declined["decline"]["reason"]),
        (&json!("pending"), &json!("declined"), &json!("generic")),
        "another card may pay it: {declined}"
    );
    let after = &declined["attempt"]["id"];
    let again = pays(&stand, &order, after, json!({"card_token": bad})).await;
    assert_eq!(again.problem(StatusCode::CONFLICT, "state_not_allowed")["param"], "card_token");
    let good = token(&stand, &order, GOOD).await;
    let with = || json!({"card_token": good});
    let (one, two, three) = tokio::join!(
        pays(&stand, &order, after, with()),
        pays(&stand, &order, after, with()),
        pays(&stand, &order, after, with()),
    );
    assert!([one, two, three].iter().all(|answer| answer.status == 200));
    let order = stand.order_becomes(&order["id"], "succeeded").await;
    assert_eq!((&order["amount_captured"], attempts(&stand, &order).await.len()), (&json!(1234), 2));
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_of_one_order_of_one_merchant_and_of_one_hour() {
    let stand = Stand::start().await;
    let (order, other) = (card_order(&stand, None).await, card_order(&stand, None).await);
    let foreign = token(&stand, &other, GOOD).await;
    let refused = pays(&stand, &order, &Value::Null, json!({"card_token": foreign})).await;
    assert_eq!(refused.problem(StatusCode::NOT_FOUND, "not_found")["param"], "card_token");
    let stranger = stand.another_merchant().await;
    let input = json!({"amount": 1, "currency": "CNY", "subject": "Tea", "methods": ["card.web"]});
    let theirs = stand.call_as(&stranger, "orders.create", input, Some("theirs")).await.body;
    let input = json!({"id": theirs["id"], "method": "card.web", "card_token": foreign});
    let refused = stand.call_as(&stranger, "orders.pay", input, Some("pay")).await;
    assert_eq!(refused.problem(StatusCode::NOT_FOUND, "not_found")["param"], "card_token");
    let late = token(&stand, &order, GOOD).await;
    stand.ok("sandbox.advance_clock", json!({"seconds": 3_601})).await;
    let refused = pays(&stand, &order, &Value::Null, json!({"card_token": late})).await;
    assert_eq!(refused.problem(StatusCode::CONFLICT, "state_not_allowed")["param"], "card_token");
    assert!(attempts(&stand, &order).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_wants_to_see_the_payer_is_visited() {
    let stand = Stand::start().await;
    let order = card_order(&stand, None).await;
    let token = token(&stand, &order, CHALLENGED).await;
    let waits = pays(&stand, &order, &Value::Null, json!({"card_token": token})).await.body;
    assert_eq!(
        (&waits["attempt"]["status"], &waits["next_action"]["type"]),
        (&json!("awaiting"), &json!("redirect")),
        "{waits}"
    );
    stand.payer_pays(&waits).await;
    stand.order_becomes(&order["id"], "succeeded").await;
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_are_taken_from_the_servers_own_page_only() {
    let stand = Stand::start().await;
    let order = card_order(&stand, None).await;
    for (name, value) in [
        ("origin", ""),
        ("origin", "null"),
        ("origin", "https://shop.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let refused = types(&stand, &order, &card(GOOD), Some((name, value))).await;
        refused.problem(StatusCode::FORBIDDEN, "forbidden");
    }
    let taken = types(&stand, &order, &card(GOOD), None).await;
    let preflight = stand.send(stand.request(Method::OPTIONS, "/checkout/tokens", "")).await;
    for answer in [&taken, &preflight] {
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{:?}", answer.headers);
    }
    assert_eq!(taken.headers["cache-control"], "no-store");
    let wrong = types(&stand, &order, &card(GOOD), Some(("authorization", "Bearer cs_test_x"))).await;
    assert_eq!(wrong.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_card_is_told_without_repeating_it() {
    let stand = Stand::start().await;
    let order = card_order(&stand, None).await;
    let with = |name: &str, value: Value| {
        let mut card = card(GOOD);
        card[name] = value;
        card
    };
    for (body, param, word) in [
        (with("number", json!("4242424242424241")), "number", "mistyped"),
        (with("number", json!("424242424242")), "number", "incomplete"),
        (with("exp_year", json!(2020)), "exp_month", "expired"),
        (with("exp_month", json!(13)), "exp_month", "not_a_number"),
        (with("cvc", json!("12")), "cvc", "incomplete"),
        (with("cvc", json!("1234")), "cvc", "incomplete"),
        (with("number", json!(4_242_424_242_424_242_u64)), "body", "number"),
        (with("4242424242424242", json!(1)), "body", "number"),
        (json!([GOOD]), "body", "number"),
        (json!([GOOD, 12, 2030]), "body", "number"),
    ] {
        let refused = types(&stand, &order, &body, None).await;
        assert_eq!(
            (refused.status, &refused.body["param"]),
            (400, &json!(param)),
            "{body}: {}",
            refused.body
        );
        let told = refused.body.to_string();
        assert!(told.contains(word) && !told.contains("424242"), "{told}");
    }
    let qr =
        json!({"amount": 1, "currency": "CNY", "subject": "Tea", "methods": ["testpay.qr", "alipay.qr"]});
    let qr = stand.ok("orders.create", qr).await;
    types(&stand, &qr, &card(GOOD), None).await.problem(StatusCode::CONFLICT, "state_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_cards_are_tried_on_one_order() {
    let stand = Stand::start().await;
    let order = card_order(&stand, None).await;
    for _ in 0..20 {
        token(&stand, &order, GOOD).await;
    }
    let refused = types(&stand, &order, &card(GOOD), None).await;
    refused.problem(StatusCode::TOO_MANY_REQUESTS, "rate_limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_card_pays_for_its_customer_until_it_is_deleted() {
    let stand = Stand::start().await;
    let kept = keeps(&stand, "customer-1").await;
    assert_eq!(
        (&kept["brand"], &kept["last4"], &kept["consent"]["version"]),
        (&json!("visa"), &json!("4242"), &json!("2026-11"))
    );
    let order = card_order(&stand, Some("customer-1")).await;
    let seen = checkout(&stand, &order, "order", &Value::Null).await.body;
    let stored =
        json!([{"id": kept["id"], "brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030}]);
    assert_eq!((&seen["cards"]["stored"], &seen["cards"]["consent_version"]), (&stored, &json!("2026-11")));
    let paid = pays(&stand, &order, &Value::Null, json!({"card": kept["id"]})).await.body;
    assert_eq!(paid["status"], "succeeded", "{paid}");
    assert_eq!(attempts(&stand, &order).await[0]["card"]["card_id"], kept["id"]);

    let other = card_order(&stand, Some("customer-2")).await;
    assert_eq!(checkout(&stand, &other, "order", &Value::Null).await.body["cards"]["stored"], json!([]));
    let refused = pays(&stand, &other, &Value::Null, json!({"card": kept["id"]})).await;
    assert_eq!((refused.status, &refused.body["param"]), (400, &json!("card")), "{}", refused.body);
    let refused = checkout(&stand, &other, "cards/delete", &json!({"card_id": kept["id"]})).await;
    refused.problem(StatusCode::NOT_FOUND, "not_found");

    let order = card_order(&stand, Some("customer-1")).await;
    let deleted = checkout(&stand, &order, "cards/delete", &json!({"card_id": kept["id"]})).await;
    assert_eq!((deleted.status, &deleted.body["cards"]["stored"]), (200, &json!([])), "{}", deleted.body);
    let refused = pays(&stand, &order, &Value::Null, json!({"card": kept["id"]})).await;
    refused.problem(StatusCode::CONFLICT, "state_not_allowed");
    let gone = stand.ok("cards.retrieve", json!({"id": kept["id"]})).await;
    assert_eq!((&gone["status"], gone.get("sealed")), (&json!("deleted"), None));
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_card_is_kept_once_and_a_declined_one_never() {
    let stand = Stand::start().await;
    let first = keeps(&stand, "customer-1").await;
    keeps(&stand, "customer-1").await;
    let wanted = json!({"customer": "customer-1"});
    let renewed = |list: &Value| list["data"][0]["consent"]["at"] != first["consent"]["at"];
    let list = stand.becomes("cards.list", wanted, renewed).await;
    let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|card| &card["id"]).collect();
    assert_eq!(ids, [&first["id"]]);
    let other = keeps(&stand, "customer-2").await;
    assert_eq!(other["fingerprint"], first["fingerprint"], "equal cards are recognised within a merchant");
    let order = card_order(&stand, Some("customer-3")).await;
    let bad = token(&stand, &order, DECLINED).await;
    pays(&stand, &order, &Value::Null, json!({"card_token": bad, "save": "2026-11"})).await;
    let nobody = card_order(&stand, None).await;
    let good = token(&stand, &nobody, GOOD).await;
    let refused = pays(&stand, &nobody, &Value::Null, json!({"card_token": good, "save": "2026-11"})).await;
    assert_eq!((refused.status, &refused.body["param"]), (400, &json!("save")), "{}", refused.body);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let none = stand.ok("cards.list", json!({"customer": "customer-3"})).await;
    assert_eq!(none["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_pays_with_a_kept_card_by_the_api() {
    let stand = Stand::start().await;
    let kept = keeps(&stand, "customer-1").await;
    let order = card_order(&stand, Some("customer-1")).await;
    let pay = |with: Value| {
        let mut input = json!({"id": order["id"], "method": "card.web"});
        input.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        input
    };
    for (with, param) in [
        (json!({"card": kept["id"], "card_token": "tok_01jd7xk3fz5v9b8m2q4r6t8w0y"}), "card"),
        (json!({"save": "1"}), "save"),
        (json!({"initiator": "merchant"}), "initiator"),
        (json!({}), "card_token"),
    ] {
        let refused = stand.call("orders.pay", pay(with)).await;
        assert_eq!((refused.status, &refused.body["param"]), (400, &json!(param)), "{}", refused.body);
    }
    let paid = stand.ok("orders.pay", pay(json!({"card": kept["id"], "initiator": "merchant"}))).await;
    assert_eq!(paid["status"], "succeeded", "{paid}");
    stand.verify().await;
}

/// Whether any file below a folder holds these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(holds(&entry, bytes));
        } else if std::fs::read(&entry).unwrap().windows(bytes.len()).any(|part| part == bytes) {
            found.push(entry.display().to_string());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_event_audit_row_or_answer_holds_a_number() {
    let stand = Stand::start().await;
    let kept = keeps(&stand, "customer-1").await;
    let order = card_order(&stand, Some("customer-1")).await;
    let bad = token(&stand, &order, DECLINED).await;
    pays(&stand, &order, &Value::Null, json!({"card_token": bad})).await;
    let unused = token(&stand, &order, CHALLENGED).await;
    stand.ok("orders.pay", json!({"id": order["id"], "method": "card.web", "card": kept["id"]})).await;
    let tenant = stand.tenant().await;
    let mut told = format!("{:?}{unused}", stand.audits(tenant).await);
    for list in ["events.list", "orders.list", "cards.list", "deliveries.list", "transactions.list"] {
        told += &stand.ok(list, json!({"limit": 100})).await.to_string();
    }
    told += &serde_json::to_string(&attempts(&stand, &order).await).unwrap();
    // What the files hold is looked for in the same way as what they must not hold.
    assert!(!holds(&stand.config.data_dir, kept["id"].as_str().unwrap().as_bytes()).is_empty());
    for number in [GOOD, DECLINED, CHALLENGED] {
        assert!(!told.contains(number), "{told}");
        assert_eq!(holds(&stand.config.data_dir, number.as_bytes()), Vec::<String>::new(), "{number}");
        assert_eq!(holds(&stand.config.data_dir, &number.as_bytes()[..12]), Vec::<String>::new());
    }
    assert_eq!(holds(&stand.config.data_dir, br#""cvc""#), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fields_are_framed_by_the_page_they_name_and_no_other() {
    let stand = Stand::start().await;
    let frame = stand.get("/checkout/card?parent=https%3A%2F%2Fshop.example&locale=ar").await;
    let policy = frame.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("frame-ancestors https://shop.example"), "{policy}");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe") && !frame.headers.contains_key("x-frame-options"));
    let page = String::from_utf8_lossy(&frame.bytes);
    assert!(page.contains(r#"lang="ar" dir="rtl""#) && page.contains("cc-number") && page.contains("cc-csc"));
    assert!(!page.contains('{') || page.contains("data-texts=\"{&quot;"), "{page}");
    for place in ["{number}", "{texts}", "{parent}", "{language}"] {
        assert!(!page.contains(place), "{place}");
    }
    for parent in [
        "",
        "null",
        "*",
        "shop.example",
        "https://shop.example/",
        "https://shop.example/page",
        "https://user@shop.example",
        "https://shop.example;script-src *",
        "https://shop.example;script-src",
        "https://shop.example,other",
        "https://*.example",
        "https://shop.example https://other.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://shop.example",
    ] {
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("parent", parent).finish();
        let refused = stand.get(&format!("/checkout/card?{query}")).await;
        assert_eq!((refused.status, &refused.body["param"]), (400, &json!("parent")), "{parent}");
    }
    for (file, kind) in
        [("card.js", "text/javascript; charset=utf-8"), ("card.css", "text/css; charset=utf-8")]
    {
        let answer = stand.get(&format!("/checkout/{file}")).await;
        assert_eq!((answer.status, &answer.headers["content-type"]), (200, &kind.parse().unwrap()));
    }
}
