//! The hosted payment page and the receipt, as a browser without scripts uses them.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::stand::{Answer, Stand, set};

const METHODS: &[&str] = &["testpay.qr", "testpay.page", "testpay.card", "alipay.barcode"];

/// An order with methods to choose from.
async fn open_order(stand: &Stand) -> Value {
    let input = json!({
        "amount": 1234, "currency": "CNY", "subject": "Tea <b>茶叶</b>", "methods": METHODS,
        "cancel_url": "https://shop.example/basket",
    });
    stand.ok("orders.create", input).await
}

fn address(order: &Value) -> &str {
    order["checkout_url"].as_str().expect("an address")
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.bytes).into_owned()
}

async fn post(stand: &Stand, address: &str, fields: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = stand.request(Method::POST, address, body);
    set(&mut request, "content-type", "application/x-www-form-urlencoded");
    stand.send(request).await
}

/// The value of the first hidden field with this name.
fn hidden(html: &str, name: &str) -> String {
    let rest = html.split(&format!("name=\"{name}\" value=\"")).nth(1).expect("a field");
    rest.split('"').next().unwrap_or_default().to_owned()
}

fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", text(answer));
    answer.headers["location"].to_str().unwrap().to_owned()
}

/// The address of the receipt that a page leads to.
fn receipt_of(html: &str) -> String {
    let rest = html.split("href=\"/receipt/").nth(1).expect("a receipt");
    format!("/receipt/{}", rest.split('"').next().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_makes_a_page_that_tells_its_own_order_and_no_secret() {
    let stand = Stand::start().await;
    let (order, other) = (open_order(&stand).await, open_order(&stand).await);
    let page = stand.get(address(&order)).await;
    let html = text(&page);
    assert_eq!(
        (page.status, &page.headers["content-type"]),
        (200, &"text/html; charset=utf-8".parse().unwrap())
    );
    assert!(html.contains("Tea &lt;b&gt;茶叶&lt;/b&gt;") && html.contains("¥12.34"), "{html}");
    assert!(html.contains("value=\"testpay.qr\"") && !html.contains("alipay.barcode"), "{html}");
    assert!(html.contains("href=\"https://shop.example/basket\""), "{html}");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    for part in [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "frame-ancestors 'none'",
        "report-uri /",
    ] {
        assert!(policy.contains(part) && !policy.contains("unsafe-inline"), "{policy}");
    }
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["x-frame-options"], "DENY");
    let (own, foreign) = (order["client_secret"].as_str().unwrap(), other["client_secret"].as_str().unwrap());
    assert!(!address(&order).contains(&own[60..]), "the address does not tell the secret");
    assert!(!html.contains(foreign) && !html.contains(&address(&other)[30..]), "nothing of another order");
    let events = stand.ok("events.list", json!({"limit": 100})).await.to_string();
    assert!(!events.contains("/pay/") && !events.contains("cs_test_"), "events are kept and sent on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_posted_twice_is_one_payment() {
    let stand = Stand::start().await;
    let order = open_order(&stand).await;
    let page = address(&order);
    let (qr, card) = ([("after", ""), ("method", "testpay.qr")], [("after", ""), ("method", "testpay.card")]);
    let posts = tokio::join!(post(&stand, page, &qr), post(&stand, page, &qr), post(&stand, page, &card));
    for answer in [&posts.0, &posts.1, &posts.2] {
        assert!(page.ends_with(&location(answer)), "{}", location(answer));
    }
    let attempts = stand.ok("orders.attempts", json!({"id": order["id"]})).await;
    assert_eq!(attempts["data"].as_array().unwrap().len(), 1);
    let order = stand
        .becomes("orders.retrieve", json!({"id": order["id"]}), |order| {
            order["status"] == "succeeded" || !order["next_action"].is_null()
        })
        .await;
    if order["status"] != "succeeded" {
        let html = text(&stand.get(page).await);
        assert!(html.contains("<svg") && html.contains("<noscript><meta http-equiv=\"refresh\""), "{html}");
        stand.payer_pays(&order).await;
        stand.order_becomes(&order["id"], "succeeded").await;
    }
    let again = post(&stand, page, &card).await;
    assert!(page.ends_with(&location(&again)));
    let html = text(&stand.get(page).await);
    assert!(
        html.contains("Title good") && !html.contains("http-equiv") && !html.contains("basket"),
        "{html}"
    );
    let attempts = stand.ok("orders.attempts", json!({"id": order["id"]})).await;
    assert_eq!(attempts["data"].as_array().unwrap().len(), 1, "one charge");
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_goes_to_the_channels_page_comes_back_and_may_change_their_mind() {
    let stand = Stand::start().await;
    let order = open_order(&stand).await;
    let page = address(&order);
    let there = location(&post(&stand, page, &[("after", ""), ("method", "testpay.page")]).await);
    assert!(there.contains("/sandbox/"), "{there}");
    let html = text(&stand.get(page).await);
    let attempt = hidden(&html, "attempt_id");
    assert!(html.contains(&format!("href=\"{there}\"")), "{html}");
    let given_up = post(&stand, &format!("{page}/release"), &[("attempt_id", &attempt)]).await;
    assert!(page.ends_with(&location(&given_up)));
    let html = text(&stand.get(page).await);
    assert_eq!(hidden(&html, "after"), attempt);
    let there = location(&post(&stand, page, &[("after", &attempt), ("method", "testpay.page")]).await);
    let shown = text(&stand.get(&there).await);
    assert!(shown.contains(page), "the channel leads back to the page: {shown}");
    let pressed = stand.send(stand.request(Method::POST, &format!("{there}/pay"), "")).await;
    assert!(pressed.status < 400, "{}", text(&pressed));
    stand.order_becomes(&order["id"], "succeeded").await;
    assert!(text(&stand.get(page).await).contains("Title good"));
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_too_late_charges_nothing_and_then_is_gone() {
    let stand = Stand::start().await;
    let order = open_order(&stand).await;
    let page = address(&order);
    stand.ok("sandbox.advance_clock", json!({"seconds": 7_201})).await;
    let html = text(&stand.get(page).await);
    assert!(html.contains("This payment has expired") && !html.contains("name=\"method\""), "{html}");
    stand.order_becomes(&order["id"], "closed").await;
    let refused = post(&stand, page, &[("after", ""), ("method", "testpay.card")]).await;
    assert_eq!(refused.status, 409, "{}", text(&refused));
    let order = stand.ok("orders.retrieve", json!({"id": order["id"]})).await;
    assert_eq!((&order["status"], &order["amount_captured"]), (&json!("closed"), &json!(0)));
    stand.ok("sandbox.advance_clock", json!({"seconds": 86_400})).await;
    assert_eq!(stand.get(page).await.status, 404);
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_are_made_up_mixed_or_of_another_page_open_nothing() {
    let stand = Stand::start().await;
    let (order, other) = (open_order(&stand).await, open_order(&stand).await);
    let (own, foreign) = (address(&order), address(&other));
    let end = own.rsplit('/').next().unwrap();
    let mixed = format!("/pay/{}{}", &end[..52], &foreign[foreign.len() - 26..]);
    for wrong in [
        mixed.as_str(),
        "/pay/x",
        "/pay/%3Cscript%3E",
        &format!("/receipt/{end}"),
        &format!("/pay/{}", &end[..77]),
    ] {
        let answer = stand.get(wrong).await;
        let html = text(&answer);
        assert!(
            answer.status == 404 && html.contains("<!doctype html>") && !html.contains("12.34"),
            "{wrong}: {html}"
        );
    }
    let json = stand.send(stand.request(Method::POST, own, "{}")).await;
    assert_eq!(json.status, 400, "only a form of the page pays");
    let odd = post(&stand, own, &[("method", "nonsense")]).await;
    assert_eq!(odd.status, 400);
    let strange = post(&stand, own, &[("after", ""), ("method", "wechatpay.qr")]).await;
    assert_eq!(strange.status, 400, "a method that the order does not allow");
    let put = stand.send(stand.request(Method::PUT, own, "")).await;
    put.problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_speaks_the_payers_language() {
    let stand = Stand::start().await;
    let order = open_order(&stand).await;
    let read = async |query: &str, accepted: &str| {
        let mut request = stand.request(Method::GET, &format!("{}{query}", address(&order)), "");
        set(&mut request, "accept-language", accepted);
        text(&stand.send(request).await)
    };
    for (query, accepted, opening, said) in [
        ("", "zh-CN,zh;q=0.9,en;q=0.1", "<html lang=\"zh-CN\" dir=\"ltr\">", "选择支付方式"),
        ("", "zh-Hant", "<html lang=\"zh-TW\" dir=\"ltr\">", "付款"),
        ("?locale=ar", "de", "<html lang=\"ar\" dir=\"rtl\">", "الدفع"),
        ("", "pt", "<html lang=\"pt-BR\" dir=\"ltr\">", "Pagamento"),
        ("?locale=xx", "sv", "<html lang=\"en\" dir=\"ltr\">", "Choose how to pay"),
    ] {
        let html = read(query, accepted).await;
        assert!(html.contains(opening) && html.contains(said), "{query} {accepted}: {html}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_says_what_was_paid_and_given_back_and_pays_nothing() {
    let stand = Stand::start().await;
    let order = open_order(&stand).await;
    let page = address(&order);
    let unpaid = receipt_of(&text(&stand.get(page).await));
    assert!(text(&stand.get(&unpaid).await).contains("This order is not paid yet"));
    location(&post(&stand, page, &[("after", ""), ("method", "testpay.card")]).await);
    stand.order_becomes(&order["id"], "succeeded").await;
    let receipt = receipt_of(&text(&stand.get(page).await));
    assert_eq!(receipt, unpaid);
    stand.ok("refunds.create", json!({"order_id": order["id"], "amount": 234})).await;
    stand
        .becomes("orders.retrieve", json!({"id": order["id"]}), |order| order["amount_refunded"] == 234)
        .await;
    let english = text(&stand.get(&receipt).await);
    for said in
        ["¥12.34", "¥2.34", "¥10.00", order["out_trade_no"].as_str().unwrap(), "Refunded", "id=\"print\""]
    {
        assert!(english.contains(said), "{said}: {english}");
    }
    assert!(
        !english.contains("cs_test_") && !english.contains(address(&order).rsplit('/').next().unwrap()),
        "{english}"
    );
    let chinese = text(&stand.get(&format!("{receipt}?locale=zh-CN")).await);
    assert!(chinese.contains("收据") && chinese.contains("已退款"), "{chinese}");
    let posted = post(&stand, &receipt.replace("/receipt/", "/pay/"), &[("method", "testpay.card")]).await;
    assert_eq!(posted.status, 404, "who has the receipt cannot pay");
    stand.ok("sandbox.advance_clock", json!({"seconds": 40 * 86_400})).await;
    assert_eq!(stand.get(&receipt).await.status, 200, "a receipt is kept");
    stand.verify().await;
}
