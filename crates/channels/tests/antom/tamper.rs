//! Messages that were damaged, forged, repeated or meant for somebody else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use super::*;

/// The headers that Antom signs a body with; `header` is that with the time.
fn antom(path: &str, header: &'static str, body: &str) -> HeaderMap {
    let theirs = settings("theirs.json");
    let signer = NativeKeyring.signer(theirs.value("antom_private_key").unwrap()).unwrap();
    let (client, time) = (theirs.text("client_id", ""), "2026-11-23T08:09:55+08:00");
    let text = format!("POST {path}\n{client}.{time}.{body}");
    let signature = STANDARD.encode(signer.sign(Scheme::RsaSha256, text.as_bytes()).unwrap());
    let escaped: String = byte_serialize(signature.as_bytes()).collect();
    let seal = format!("algorithm=RSA256,keyVersion=1,signature={escaped}");
    let mut headers = HeaderMap::new();
    headers.insert("client-id", client.parse().unwrap());
    headers.insert(header, time.parse().unwrap());
    headers.insert("signature", seal.parse().unwrap());
    headers
}

/// A notification that Antom really signed.
fn signed(body: &Value) -> Notice {
    let body = body.to_string();
    let headers = antom("/notify/antom/cha_1", "request-time", &body);
    let mut notice = http::Request::post("/notify/antom/cha_1").body(Bytes::from(body)).unwrap();
    *notice.headers_mut() = headers;
    notice
}

fn paid() -> Value {
    json!({
        "notifyType": "PAYMENT_RESULT",
        "result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"},
        "paymentRequestId": REFERENCE, "paymentId": PAYMENT_ID,
        "paymentAmount": {"currency": "HKD", "value": "8888"}, "paymentTime": "2026-11-23T08:01:02+08:00",
    })
}

fn refunded() -> Value {
    json!({
        "notifyType": "REFUND_RESULT", "refundStatus": "SUCCESS",
        "result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"},
        "refundRequestId": REFUND, "refundId": REFUND_ID,
        "refundAmount": {"currency": "HKD", "value": "880"}, "refundTime": "2026-11-23T08:09:11+08:00",
    })
}

#[test]
fn each_notification_reports_its_own_subject() {
    let verified = adapter().verify(&notice("paid"), &context(NOW)).unwrap();
    let outcome = Outcome::new(Verdict::Succeeded).channel_id(PAYMENT_ID).money(hkd(8888));
    let outcome = outcome.at("2026-11-23T00:01:02Z".parse().unwrap());
    let expected = Report { subject: Subject::Payment, reference: REFERENCE.into(), outcome };
    assert_eq!(verified.reports, vec![expected]);
    let answer: Value = serde_json::from_slice(verified.reply.body()).unwrap();
    assert_eq!((verified.reply.status().as_u16(), &answer["result"]["resultStatus"]), (200, &json!("S")));
    let report = verify(&notice("pending")).unwrap().remove(0);
    assert_eq!((report.subject, report.outcome.verdict), (Subject::Payment, Verdict::Pending));
    let report = verify(&notice("failed")).unwrap().remove(0);
    assert!(matches!(report.outcome.verdict, Verdict::Declined(_)), "{report:?}");
    let report = verify(&notice("refund")).unwrap().remove(0);
    assert_eq!((report.subject, report.reference.as_str()), (Subject::Refund, REFUND));
    assert_eq!((report.outcome.verdict, report.outcome.money), (Verdict::Succeeded, Some(hkd(880))));
    assert_eq!(adapter().reject().status().as_u16(), 400);
}

#[test]
fn flipped_bits_of_a_notification_or_its_signed_headers_are_refused() {
    for name in ["paid", "refund"] {
        assert_flips_refused(&*adapter(), &notice(name), 5, &["client-id", "request-time", "signature"]);
    }
}

#[test]
fn a_signature_has_one_spelling_and_one_path() {
    let good = notice("paid");
    let seal = good.headers()["signature"].to_str().unwrap().to_owned();
    let with_seal = |seal: &str| {
        let mut changed = good.clone();
        changed.headers_mut().insert("signature", seal.parse().unwrap());
        verify(&changed).is_ok()
    };
    let (start, escaped) = seal.rsplit_once('=').unwrap();
    let plain = escaped.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    assert!(with_seal(&seal) && with_seal(&format!("{start}={plain}")));
    for (number, other) in [
        seal.replace("%3D%3D", "%3D="),
        seal.replace("%3D", "%3d"),
        format!("{start}={}", escaped.trim_end_matches("%3D")),
        seal.replace("RSA256", "RSA"),
        seal.replace("keyVersion=1", "keyVersion=2"),
        seal.replace("algorithm=RSA256,", ""),
        format!("{seal},x=1"),
        format!("{start}="),
    ]
    .iter()
    .enumerate()
    {
        assert!(!with_seal(other), "{number}: {other}");
    }
    // Meant for another account of the same merchant.
    let elsewhere = Context { notify_url: "https://pay.example/notify/antom/cha_2", ..context(NOW) };
    assert_eq!(adapter().verify(&good, &elsewhere).err(), Some(Fault::Signature));
    // A proxy in front of us may well have changed the path on which it arrives, and the host.
    let mut moved = good.clone();
    *moved.uri_mut() = "/pay/notify/antom/cha_1".parse().unwrap();
    moved.headers_mut().insert("host", "localhost".parse().unwrap());
    assert!(verify(&moved).is_ok());
    // The host decides nothing for a forged one either.
    moved.headers_mut().remove("signature");
    assert_eq!(verify(&moved).err(), Some(Fault::Signature));
}

#[test]
fn replies_are_of_now_and_notifications_of_the_last_day() {
    let sent = NOW.minus(Duration::from_secs(5));
    for (seconds, noticed, read) in [
        (0, true, true),
        (299, true, true),
        (300, true, false),
        (93_599, true, false),
        (93_600, false, false),
    ] {
        let now = sent.plus(Duration::from_secs(seconds));
        let notice = adapter().verify(&notice("paid"), &context(now)).is_ok();
        let reply = adapter().decode(&query(), 1, &reply("query_paid"), &context(now)).is_ok();
        assert_eq!((notice, reply), (noticed, read), "{seconds}");
    }
    let early = sent.minus(Duration::from_secs(300));
    assert!(adapter().verify(&notice("paid"), &context(early)).is_err());
}

#[test]
fn an_authentic_notification_about_nonsense_is_refused() {
    assert!(verify(&signed(&paid())).is_ok());
    for (pointer, to) in [
        ("/notifyType", json!("CAPTURE_RESULT")),
        ("/notifyType", Value::Null),
        ("/result/resultStatus", json!("U")),
        ("/result/resultStatus", json!("s")),
        ("/paymentRequestId", json!("")),
        ("/paymentId", json!("")),
        ("/paymentTime", json!("yesterday")),
        ("/paymentAmount/value", json!("0")),
        ("/paymentAmount/value", json!("-8888")),
        ("/paymentAmount/value", json!("88.88")),
        ("/paymentAmount/value", json!(8888)),
        ("/paymentAmount/currency", json!("HK$")),
        ("/paymentAmount", Value::Null),
    ] {
        assert!(verify(&signed(&with(paid(), pointer, to.clone()))).is_err(), "{pointer} {to}");
    }
    for (pointer, to) in [
        ("/refundStatus", json!("PAID")),
        ("/refundRequestId", Value::Null),
        ("/refundAmount/value", json!("0")),
        ("/notifyType", json!("PAYMENT_RESULT")),
    ] {
        assert!(verify(&signed(&with(refunded(), pointer, to.clone()))).is_err(), "{pointer} {to}");
    }
    // Deep, or not JSON at all.
    for body in ["[".repeat(100_000), String::new(), "{\"result\":1}".into()] {
        let headers = antom("/notify/antom/cha_1", "request-time", &body);
        let mut notice = http::Request::post("/notify").body(Bytes::from(body)).unwrap();
        *notice.headers_mut() = headers;
        assert!(matches!(verify(&notice), Err(Fault::Unexpected(_))));
    }
}

#[test]
fn an_authentic_reply_about_something_else_is_unacceptable() {
    let truth = json!({
        "result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"},
        "paymentStatus": "SUCCESS", "paymentRequestId": REFERENCE, "paymentId": PAYMENT_ID,
        "paymentAmount": {"currency": "HKD", "value": "8888"},
    });
    let ask = |value: Value| {
        let body = value.to_string();
        let headers = antom("/ams/sandbox/api/v1/payments/inquiryPayment", "response-time", &body);
        let mut reply = Reply::new(Bytes::from(body));
        *reply.headers_mut() = headers;
        adapter().decode(&query(), 1, &reply, &context(NOW))
    };
    assert!(matches!(ask(truth.clone()), Ok(Step::Done(_))));
    for (pointer, to) in [
        ("/paymentRequestId", json!("01kayb4h7pz8y3v5n2q6m9t4wy")),
        ("/paymentAmount/value", json!("8887")),
        ("/paymentAmount/currency", json!("USD")),
    ] {
        let read = ask(with(truth.clone(), pointer, to.clone()));
        assert!(matches!(read, Err(Fault::Unacceptable(_))), "{pointer} {to}: {read:?}");
    }
    for pointer in ["/paymentAmount", "/paymentId"] {
        let read = ask(with(truth.clone(), pointer, Value::Null));
        assert!(matches!(read, Err(Fault::Unexpected(_))), "{pointer}: {read:?}");
    }
    let known = Operation::Query(Query { payment: payment(Some("1")) });
    let read = adapter().decode(&known, 1, &reply("query_paid"), &context(NOW));
    assert!(matches!(read, Err(Fault::Unacceptable(_))), "{read:?}");
}
