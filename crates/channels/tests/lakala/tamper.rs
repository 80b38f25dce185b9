//! Messages that were damaged, forged, repeated or meant for somebody else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;

fn sign(text: &str) -> String {
    let signer =
        NativeKeyring.signer(settings("theirs.json").value("platform_private_key").unwrap()).unwrap();
    STANDARD.encode(signer.sign(Scheme::RsaSha256, text.as_bytes()).unwrap())
}

/// A notification of Lakala about this trade.
fn told(trade: &Value) -> Notice {
    let (body, timestamp) = (trade.to_string(), NOW.secs());
    let signature = sign(&format!("{timestamp}\nnonce\n{body}\n"));
    let authorization = format!(
        "LKLAPI-SHA256withRSA timestamp=\"{timestamp}\",nonce_str=\"nonce\",signature=\"{signature}\""
    );
    http::Request::post("/notify").header("authorization", authorization).body(body.into()).unwrap()
}

/// A reply of Lakala with this text.
fn answered(appid: &str, body: &str) -> Reply {
    let timestamp = NOW.secs().to_string();
    let signature = sign(&format!("{appid}\n018e\n{timestamp}\nnonce\n{body}\n"));
    let mut reply = Reply::new(Bytes::from(body.to_owned()));
    let names = ["appid", "serial", "timestamp", "nonce", "signature"].map(|name| format!("lklapi-{name}"));
    for (name, value) in names.iter().zip([appid, "018e", &timestamp, "nonce", &signature]) {
        let name: HeaderName = name.parse().unwrap();
        reply.headers_mut().insert(name, value.parse().unwrap());
    }
    reply
}

fn trade() -> Value {
    json!({
        "merchant_no": "82229007392000A", "out_trade_no": REFERENCE, "trade_no": TRANSACTION,
        "account_type": "ALIPAY", "trade_status": "SUCCESS", "total_amount": "8888",
        "trade_time": "20261123080102",
    })
}

fn with(mut value: Value, name: &str, to: Value) -> Value {
    value[name] = to;
    value
}

#[test]
fn a_notification_reports_its_payment() {
    let paid = Outcome::new(Verdict::Succeeded).channel_id(TRANSACTION).money(cny(8888));
    let paid = paid.at("2026-11-23T00:01:02Z".parse().unwrap());
    let paid = Report { subject: Subject::Payment, reference: REFERENCE.into(), outcome: paid };
    for name in ["ours.json", "ours_certificate.json"] {
        let verified = opened(name).verify(&notice("paid"), &context(NOW)).unwrap();
        assert_eq!(verified.reports, vec![paid.clone()], "{name}");
        let said: Value = serde_json::from_slice(verified.reply.body()).unwrap();
        assert_eq!((verified.reply.status().as_u16(), &said["code"]), (200, &json!("SUCCESS")));
    }
    assert_eq!(verify(&notice("closed")).unwrap()[0].outcome.verdict, Verdict::Closed);
    assert_eq!(adapter().reject().status().as_u16(), 400);
}

#[test]
fn flipped_bits_of_a_notification_or_its_header_are_refused() {
    assert_flips_refused(&*adapter(), &notice("paid"), 1, &["authorization"]);
}

#[test]
fn the_window_is_less_than_300_seconds_wide_to_both_sides() {
    assert_window_of_300_seconds(&query_of("alipay.qr"), "query_success");
    let keeper = opened("ours_certificate.json");
    // The certificate ends with the year 2026.
    let late = Timestamp::from_secs(1_798_761_601);
    assert_eq!(keeper.verify(&notice("paid"), &context(late)).err(), Some(Fault::Signature));
}

#[test]
fn an_authentic_notification_for_somebody_else_or_about_nonsense_is_refused() {
    assert!(verify(&told(&trade())).is_ok());
    for (name, to) in [("merchant_no", json!("82229007392000B")), ("merchant_no", Value::Null)] {
        assert!(matches!(verify(&told(&with(trade(), name, to))), Err(Fault::Unacceptable(_))), "{name}");
    }
    for (name, to) in [
        ("out_trade_no", json!("")),
        ("trade_status", json!("PAID")),
        ("trade_state", json!("CLOSE")),
        ("total_amount", json!("0")),
        ("total_amount", json!("-1")),
        ("total_amount", json!("88.88")),
        ("total_amount", json!(8888)),
        ("trade_time", json!("yesterday")),
    ] {
        let read = verify(&told(&with(trade(), name, to.clone())));
        assert!(matches!(read, Err(Fault::Unexpected(_))), "{name} {to}: {read:?}");
    }
    // A refund or a revocation must not pass for a payment.
    for kind in ["REFUND", "CANCEL"] {
        let read = verify(&told(&with(trade(), "trade_main_type", kind.into())));
        assert!(matches!(read, Err(Fault::Unacceptable(_))), "{kind}: {read:?}");
    }
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let mut notice = told(&trade());
    *notice.body_mut() = deep.into();
    assert_eq!(verify(&notice), Err(Fault::Signature));
}

#[test]
fn an_authentic_reply_about_something_else_is_unacceptable() {
    let query = query_of("alipay.qr");
    let ask = |appid: &str, value: Value| {
        let body = json!({"code": "BBS00000", "msg": "", "resp_data": value}).to_string();
        adapter().decode(&query, 0, &answered(appid, &body), &context(NOW))
    };
    assert!(matches!(ask("OP00000042", trade()), Ok(Step::Done(_))));
    assert!(matches!(ask("OP00000043", trade()), Err(Fault::Unacceptable(_))));
    for (name, to) in [
        ("merchant_no", json!("82229007392000B")),
        ("out_trade_no", json!("01kayb4h7pz8y3v5n2q6m9t4wy")),
        ("total_amount", json!("8887")),
        ("account_type", json!("WECHAT")),
        ("trade_main_type", json!("REFUND")),
    ] {
        let read = ask("OP00000042", with(trade(), name, to.clone()));
        assert!(matches!(read, Err(Fault::Unacceptable(_))), "{name} {to}: {read:?}");
    }
    let known = Payment { channel_id: Some("1".into()), ..payment_by("alipay.qr") };
    let read = adapter().decode(
        &Operation::Query(Query { payment: known }),
        0,
        &reply("query_success"),
        &context(NOW),
    );
    assert!(matches!(read, Err(Fault::Unacceptable(_))), "{read:?}");
}
