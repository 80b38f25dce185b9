//! What a merchant's pages look like, and what browsers report of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::stand::{Answer, Stand, order, set};

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.bytes).into_owned()
}

async fn page(stand: &Stand, key: &str) -> Answer {
    let made =
        stand.call_as(key, "orders.create", order(700, "testpay.qr"), Some(&crate::stand::fresh())).await;
    stand.get(made.body["checkout_url"].as_str().expect("an address")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branding_dresses_the_pages_of_its_merchant_and_no_others() {
    let stand = Stand::start().await;
    let none = stand.ok("branding.retrieve", json!({})).await;
    assert!(none["updated_at"].is_null() && none["color_primary"].is_null(), "{none}");
    let picture = STANDARD.encode(b"\x89PNG\r\n\x1a\nnot much of one");
    let input = json!({
        "color_primary": "#7A1FA2", "note": "Thank you <3", "logo": picture,
        "frame_ancestors": ["https://shop.example", "http://localhost:3000"],
        "texts": {"en": {"scan": "Point {brand} here"}},
    });
    let made = stand.ok("branding.update", input).await;
    assert_eq!((&made["object"], &made["color_primary"]), (&json!("branding"), &json!("#7a1fa2")));
    let dressed = page(&stand, &stand.test_key).await;
    let html = text(&dressed);
    for part in ["colors.css?p=7a1fa2", "Thank you &lt;3", "/pay/logo/mer_", "Point Testpay here"] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let policy = dressed.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors https://shop.example http://localhost:3000;"), "{policy}");
    assert!(!dressed.headers.contains_key("x-frame-options"));
    let logo = stand.get(made["logo_url"].as_str().unwrap()).await;
    assert_eq!((logo.status, &logo.headers["content-type"]), (200, &"image/png".parse().unwrap()));
    assert_eq!(logo.headers["x-content-type-options"], "nosniff");
    let colors = text(&stand.get("/pay/assets/colors.css?p=7a1fa2&b=%22%7D*").await);
    assert!(
        colors.starts_with(":root{--primary:#7a1fa2;--on-primary:#ffffff}") && !colors.contains("--ground"),
        "{colors}"
    );
    let other = stand.another_merchant().await;
    let plain = text(&page(&stand, &other).await);
    assert!(!plain.contains("colors.css") && !plain.contains("Thank you"), "{plain}");
    let again = stand.ok("branding.update", json!({})).await;
    assert!(
        again["logo_url"].is_null() && again["frame_ancestors"] == json!([]),
        "it replaces the whole: {again}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_or_trusted_is_refused_by_name() {
    let stand = Stand::start().await;
    for (input, param) in [
        (json!({"color_primary": "#ffee00"}), "color_primary"),
        (json!({"color_background": "#222222"}), "color_background"),
        (json!({"color_primary": "red"}), "color_primary"),
        (json!({"logo_url": "http://shop.example/l.png"}), "logo_url"),
        (json!({"logo": STANDARD.encode("<svg onload=alert(1)>")}), "logo"),
        (json!({"frame_ancestors": ["https://shop.example", "*"]}), "frame_ancestors[1]"),
        (json!({"frame_ancestors": ["https://a;script-src *"]}), "frame_ancestors[0]"),
        (json!({"texts": {"xx": {"pay": "x"}}}), "texts.xx"),
        (json!({"texts": {"en": {"Pay": "x"}}}), "texts.en"),
    ] {
        let refused = stand.call("branding.update", input.clone()).await;
        assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_request")["param"], param, "{input}");
    }
    let live = json!({"frame_ancestors": ["http://localhost:3000"]});
    let refused = stand.call_as(&stand.live_key, "branding.update", live, None).await;
    assert_eq!(refused.status, 400, "plain http frames no live page");
}

fn report(stand: &Stand, query: &str, kind: &str, body: &Value) -> http::Request<bytes::Bytes> {
    let mut request = stand.request(Method::POST, &format!("/checkout/report{query}"), body.to_string());
    set(&mut request, "content-type", kind);
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_nobody_expected_is_an_alert_once_and_counted_after() {
    let stand = Stand::start().await;
    let query = format!("?page=pay&merchant={}", stand.tenant().await);
    let script =
        json!([{"type": "paycore-script", "body": {"source": "https://evil.example/x.js?card=4242"}}]);
    let violation = json!({"csp-report": {"violated-directive": "script-src", "blocked-uri": "inline"}});
    for (kind, body) in [
        ("application/reports+json", &script),
        ("application/reports+json", &script),
        ("application/csp-report", &violation),
    ] {
        assert_eq!(stand.send(report(&stand, &query, kind, body)).await.status, 204);
    }
    let alerts = stand.ok("page_alerts.list", json!({})).await;
    let rows = alerts["data"].as_array().unwrap();
    let found =
        |kind: &str| rows.iter().find(|row| row["kind"] == kind).unwrap_or_else(|| panic!("{alerts}"));
    let script = found("unexpected_script");
    assert_eq!((rows.len(), &script["count"], &script["page"]), (2, &json!(2), &json!("pay")));
    assert_eq!(script["source"], "https://evil.example/x.js", "no query is kept");
    assert_eq!(found("policy_violation")["directive"], "script-src");
    let events = stand.ok("events.list", json!({"limit": 100})).await.to_string();
    assert_eq!(events.matches("\"page_alert.opened\"").count(), 2, "{events}");
    let audits = stand.audits(stand.tenant().await).await;
    assert_eq!(audits.iter().filter(|row| row.action == "page_alerts.open").count(), 2);
    let other = stand.another_merchant().await;
    let theirs = stand.call_as(&other, "page_alerts.list", json!({}), None).await;
    assert_eq!(theirs.body["data"], json!([]));
}

/// The inventory that a page brings along, by the name of its part.
fn inventory(html: &str, part: &str) -> String {
    let start = format!("<meta name=\"paycore-{part}\" content=\"");
    let text =
        html.split(&start).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("{html}"));
    text.replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_that_takes_payments_says_what_it_is_made_with() {
    let stand = Stand::start().await;
    let input = json!({"amount": 500, "currency": "CNY", "subject": "Tea", "methods": ["testpay.page", "testpay.qr"]});
    let order = stand.ok("orders.create", input).await;
    let link =
        stand.ok("payment_links.create", json!({"amount": 500, "currency": "CNY", "subject": "Tea"})).await;
    let (pay, link) = (order["checkout_url"].as_str().unwrap(), link["url"].as_str().unwrap());
    let html = String::from_utf8_lossy(&stand.get(pay).await.bytes).into_owned();
    let receipt = format!("/receipt/{}", html.split("/receipt/").nth(1).unwrap().split('"').next().unwrap());
    let frame = "/checkout/card?parent=https%3A%2F%2Fshop.example";
    for (path, page) in
        [(pay, "pay"), (link, "link"), (&*receipt, "receipt"), ("/cashier", "cashier"), (frame, "card")]
    {
        let answer = stand.get(path).await;
        let again = stand.send(stand.request(Method::HEAD, path, "")).await;
        assert_eq!((answer.status, again.status, again.bytes.len()), (200, 200, 0), "{path}");
        let html = String::from_utf8_lossy(&answer.bytes).into_owned();
        let told: Value = serde_json::from_str(&inventory(&html, "headers")).unwrap();
        for name in ["content-security-policy", "referrer-policy", "cache-control", "x-content-type-options"]
        {
            assert!(told[name].is_string(), "{path}: {told}");
        }
        for (name, value) in told.as_object().unwrap() {
            for headers in [&answer.headers, &again.headers] {
                assert_eq!(headers[name.as_str()].to_str().unwrap(), value, "{path}: {name}");
            }
        }
        let scripts = inventory(&html, "scripts");
        for source in html.split("<script src=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let source =
                if source.starts_with('/') { source.to_owned() } else { format!("/checkout/{source}") };
            assert!(scripts.split(' ').any(|known| known == source), "{path}: {source} in {scripts}");
        }
        let report = inventory(&html, "report");
        assert!(report.starts_with(&format!("/checkout/report?page={page}")), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_came_differently_is_an_alert() {
    let stand = Stand::start().await;
    let query = format!("?page=pay&merchant={}", stand.tenant().await);
    let row = |header: &str, state: &str| json!({"type": "paycore-header", "body": {"header": header, "state": state}});
    let rows = json!([
        row("content-security-policy", "missing"),
        row("referrer-policy", "changed"),
        row("x-4242424242424242", "4242"),
    ]);
    assert_eq!(stand.send(report(&stand, &query, "application/reports+json", &rows)).await.status, 204);
    let alerts = stand.ok("page_alerts.list", json!({})).await;
    let mut found: Vec<_> = alerts["data"].as_array().unwrap().iter().collect();
    found.sort_by_key(|row| row["directive"].as_str().unwrap().to_owned());
    let read = |row: &Value| [row["kind"].clone(), row["directive"].clone(), row["source"].clone()];
    let wanted = |header: &str, state: &str| [json!("changed_header"), json!(header), json!(state)];
    assert_eq!(read(found[0]), wanted("content-security-policy", "missing"));
    assert_eq!(read(found[1]), wanted("other", "other"), "what nobody knows is not kept");
    assert_eq!(read(found[2]), wanted("referrer-policy", "changed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_small_rare_and_of_a_known_kind() {
    let stand = Stand::start().await;
    let body = json!({"csp-report": {"violated-directive": "script-src", "blocked-uri": "inline"}});
    let nobody = "?page=pay&merchant=mer_01jd7xk3fz5v9b8m2q4r6t8w0y";
    assert_eq!(stand.send(report(&stand, nobody, "application/csp-report", &body)).await.status, 204);
    assert_eq!(stand.send(report(&stand, "", "text/plain", &body)).await.status, 415);
    let mut bad = stand.request(Method::POST, "/checkout/report", "{");
    set(&mut bad, "content-type", "application/csp-report");
    assert_eq!(stand.send(bad).await.status, 400);
    let large = json!({"csp-report": {"blocked-uri": "x".repeat(20_000)}});
    assert_eq!(stand.send(report(&stand, "", "application/csp-report", &large)).await.status, 413);
    let mut refused = 0;
    for _ in 0..40 {
        let answer = stand.send(report(&stand, nobody, "application/csp-report", &body)).await;
        refused += u32::from(answer.status == 429);
    }
    assert!(refused > 5, "only {refused} of 40 were refused");
}
