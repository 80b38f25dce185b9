//! The sandbox offers every channel and scene: each row of every profile is paid over the API, by its own channel, and
//! what can be held is held and captured.

use http::header::CONTENT_TYPE;
use http::{Method, Request};
use paycore::channel::{Capability, CaptureMode, Driver};
use paycore_channels::REGISTRY;
use serde_json::{Value, json};

use crate::notices::reference;
use crate::stand::{Stand, order};

/// What a payer's wallet of this brand shows as a barcode.
fn auth_code(brand: &str) -> &'static str {
    match brand {
        "alipay" => "281234567890123456",
        "unionpay" => "6212345678901234567",
        "qq" => "911234567890123456",
        _ => "134500000000000001",
    }
}

fn input(row: &Capability) -> Value {
    let mut input = order(12_34, &format!("{}.{}", row.brand, row.scene));
    input["currency"] = json!(row.currencies.usual());
    input["return_url"] = json!("https://shop.example/thanks");
    input["payer"] = json!({"id": "payer-1", "ip": "203.0.113.7"});
    if row.scene == "barcode" {
        input["payer"]["auth_code"] = auth_code(row.brand).into();
    }
    if row.scene == "face" {
        input["payer"]["auth_code"] = "b713b5d2-666c-48".into();
    }
    input
}

/// The payer opens what the order shows, whatever it is.
async fn opens(stand: &Stand, sandbox: &str, action: &Value) {
    let opened = match action["type"].as_str() {
        Some("form") => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for field in action["fields"].as_array().unwrap() {
                form.append_pair(field[0].as_str().unwrap(), field[1].as_str().unwrap());
            }
            let url = action["url"].as_str().unwrap();
            let request = Request::post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            stand.send(request.body(form.finish().into()).unwrap()).await
        }
        Some("client") => {
            // What the wallet's own client does, where the order begins with it.
            let pairs = action["parameters"].as_array().unwrap();
            let Some(pair) = pairs.iter().find(|pair| pair[0] == "orderStr") else { return };
            stand.get(&format!("{sandbox}/gateway.do?{}", pair[1].as_str().unwrap())).await
        }
        _ => {
            let shown = action["content"].as_str().or_else(|| action["url"].as_str());
            stand.get(shown.unwrap_or_else(|| panic!("nothing to open: {action}"))).await
        }
    };
    assert!(opened.status < 400, "{action}: {} {:?}", opened.status, opened.bytes);
}

/// Pays an order to the end, and gives it back where the row can.
async fn pays(stand: &Stand, driver: &dyn Driver, row: &Capability, capture: CaptureMode) {
    let (id, what) = (driver.profile().id, format!("{}.{}", row.brand, row.scene));
    let mut input = input(row);
    let manual = capture == CaptureMode::Manual;
    if manual {
        input["capture_method"] = json!("manual");
    }
    if row.scene == "mandate" {
        input["mandate"] = crate::mandates::signed(stand, json!({})).await["id"].clone();
    }
    let mut made = stand.call("orders.create", input).await;
    assert_eq!(made.status, 200, "{id} {what}: {}", made.body);
    if row.brand == "card" {
        let token = crate::cards::token(stand, &made.body, "4242424242424242").await;
        let input = json!({"id": made.body["id"], "method": what, "card_token": token});
        made = stand.call("orders.pay", input).await;
    }
    let attempts = stand.ok("orders.attempts", json!({"id": made.body["id"]})).await;
    assert_eq!(attempts["data"][0]["channel"], id, "{what} is paid by another channel");
    let sandbox = format!("{}/sandbox/{}", stand.url, stand.account(id).await);
    if made.body["next_action"].is_object() {
        opens(stand, &sandbox, &made.body["next_action"]).await;
        let page = format!("{sandbox}/payer/{}/pay", reference(stand, &made.body).await);
        let pressed = stand.send(stand.request(Method::POST, &page, "")).await;
        assert!(pressed.status < 400, "{id} {what}: {} {:?}", pressed.status, pressed.bytes);
        if !driver.notifies(row) {
            stand.ok("sandbox.advance_clock", json!({"seconds": 60})).await;
        }
    }
    if manual {
        stand.order_becomes(&made.body["id"], "authorized").await;
        stand.ok("orders.capture", json!({"id": made.body["id"]})).await;
    }
    let paid = stand.order_becomes(&made.body["id"], "succeeded").await;
    assert_eq!(paid["amount_captured"], 12_34, "{id} {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_offers_every_channel_and_scene() {
    let stand = Stand::start().await;
    let mut paid = 0;
    for (turn, driver) in REGISTRY.iter().enumerate() {
        let account = stand.account(driver.profile().id).await;
        // Before all others, which take some of the same wallets.
        stand.ok("channel_accounts.update", json!({"id": account, "priority": 90 - turn})).await;
        for row in driver.profile().capabilities {
            for capture in row.captures {
                pays(&stand, *driver, row, *capture).await;
                paid += 1;
            }
        }
    }
    println!("{paid} kinds of payment over {} channels", REGISTRY.len());
    assert!(paid > 60, "{paid}");
    stand.verify().await;
}
