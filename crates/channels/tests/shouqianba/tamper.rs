//! Notifications that were damaged, forged or meant for somebody else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;

/// A notification of Shouqianba about this order.
fn told(order: &Value) -> Notice {
    let body = order.to_string();
    let theirs = settings("theirs.json");
    let signer = NativeKeyring.signer(theirs.value("platform_private_key").unwrap()).unwrap();
    let signature = STANDARD.encode(signer.sign(Scheme::RsaSha256, body.as_bytes()).unwrap());
    http::Request::post("/notify").header("authorization", signature).body(body.into()).unwrap()
}

fn order() -> Value {
    json!({
        "terminal_sn": "100010170024530001", "sn": TRANSACTION, "client_sn": REFERENCE, "status": "SUCCESS",
        "order_status": "PAID", "total_amount": "8888", "net_amount": "8888", "finish_time": "1795392063000",
    })
}

#[test]
fn a_notification_reports_its_payment() {
    let paid = Outcome::new(Verdict::Succeeded).channel_id(TRANSACTION).money(cny(8888));
    let paid = paid.at("2026-11-23T00:01:02Z".parse().unwrap());
    let paid = Report { subject: Subject::Payment, reference: REFERENCE.into(), outcome: paid };
    for name in ["paid", "paid_with_terminal"] {
        let verified = adapter().verify(&notice(name), &context(NOW)).unwrap();
        assert_eq!(verified.reports, vec![paid.clone()], "{name}");
        assert_eq!(
            (verified.reply.status().as_u16(), verified.reply.body().as_ref()),
            (200, &b"success"[..])
        );
    }
    assert_eq!(verify(&notice("canceled")).unwrap()[0].outcome.verdict, Verdict::Closed);
    assert_eq!(verify(&notice("paid_forged")), Err(Fault::Signature));
    assert_eq!(adapter().reject().status().as_u16(), 403);
}

#[test]
fn without_the_providers_key_nothing_is_believed() {
    let mut keyless = settings("ours.json");
    keyless.set("public_key", "");
    assert_eq!(open(&keyless).verify(&notice("paid"), &context(NOW)).err(), Some(Fault::Unsupported));
}

#[test]
fn flipped_bits_of_a_notification_or_its_header_are_refused() {
    for name in ["paid", "paid_with_terminal"] {
        assert_flips_refused(&*adapter(), &notice(name), 1, &["authorization"]);
    }
}

#[test]
fn an_authentic_notification_for_somebody_else_or_about_nonsense_is_refused() {
    let with = |name: &str, to: Value| {
        let mut order = order();
        order[name] = to;
        verify(&told(&order))
    };
    assert!(verify(&told(&order())).is_ok());
    for to in [json!("100010170024530002"), Value::Null] {
        assert!(matches!(with("terminal_sn", to), Err(Fault::Unacceptable(_))));
    }
    for (name, to) in [
        ("client_sn", json!("")),
        ("client_sn", json!(1)),
        ("sn", Value::Null),
        ("order_status", json!("PAY_ERROR")),
        ("order_status", json!("SUCCESS")),
        ("total_amount", json!("0")),
        ("total_amount", json!("88.88")),
        ("total_amount", json!(8888)),
        ("finish_time", json!("yesterday")),
        ("finish_time", json!("99999999999999999999")),
    ] {
        let read = with(name, to.clone());
        assert!(matches!(read, Err(Fault::Unexpected(_))), "{name} {to}: {read:?}");
    }
    let mut get = told(&order());
    *get.method_mut() = http::Method::GET;
    assert!(verify(&get).is_err());
}
