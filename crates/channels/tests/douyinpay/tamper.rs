//! Messages that were damaged, forged, repeated or meant for somebody else.

use std::time::Duration;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::channel::{Fault, Outcome, Report, Step, Subject, Verdict};
use paycore::crypto::{Keyring, Scheme};
use serde_json::{Value, json};

use super::*;

fn verify(notice: &Notice) -> Result<Vec<Report>, Fault> {
    adapter().verify(notice, &context(NOW)).map(|verified| verified.reports)
}

/// The four headers that the platform signs a body with.
fn platform(body: &[u8]) -> HeaderMap {
    let theirs = settings("theirs.json");
    let signer = NativeKeyring.signer(theirs.value("platform_private_key").unwrap()).unwrap();
    let timestamp = NOW.secs().to_string();
    let text = [timestamp.as_bytes(), b"\nnonce\n", body, b"\n"].concat();
    let signature = STANDARD.encode(signer.sign(Scheme::RsaSha256, &text).unwrap());
    let values = [&timestamp, "nonce", &signature, theirs.text("platform_serial", "")];
    let names = ["timestamp", "nonce", "signature", "serial"].map(|name| format!("douyinpay-{name}"));
    names.iter().zip(values).map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

/// A notification of the platform with this resource and this change to its envelope.
fn sealed(event: &str, clear: &Value, change: impl FnOnce(&mut Value)) -> Notice {
    let key = settings("theirs.json").text("encrypt_key", "").to_owned();
    let seal = Aes256Gcm::new_from_slice(key.as_bytes()).unwrap();
    let text = clear.to_string();
    let payload = Payload { msg: text.as_bytes(), aad: b"aad" };
    let ciphertext = STANDARD.encode(seal.encrypt(&Nonce::from(*b"twelve bytes"), payload).unwrap());
    let mut body = json!({
        "id": "1", "create_time": "2026-11-23T08:09:55+08:00", "resource_type": "encrypt-resource",
        "event_type": event, "summary": "",
        "resource": {"original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "ciphertext": ciphertext,
            "associated_data": "aad", "nonce": "twelve bytes"},
    });
    change(&mut body);
    let body = body.to_string();
    let headers = platform(body.as_bytes());
    let mut notice = http::Request::post("/notify").body(Bytes::from(body)).unwrap();
    *notice.headers_mut() = headers;
    notice
}

fn trade() -> Value {
    json!({
        "appid": "awtest0nly00001", "mchid": "602020240001", "out_trade_no": REFERENCE,
        "transaction_id": TRANSACTION, "trade_type": "NATIVE", "trade_state": "SUCCESS",
        "success_time": "2026-11-23T08:01:02+08:00", "amount": {"total": 8888, "currency": "CNY"},
    })
}

fn given() -> Value {
    json!({
        "mchid": "602020240001", "out_trade_no": REFERENCE, "transaction_id": TRANSACTION,
        "out_refund_no": REFUND, "refund_id": REFUND_ID, "refund_status": "SUCCESS",
        "success_time": "2026-11-23T08:09:11+08:00", "amount": {"total": 8888, "refund": 880},
    })
}

fn with(mut value: Value, pointer: &str, to: Value) -> Value {
    *value.pointer_mut(pointer).unwrap() = to;
    value
}

#[test]
fn each_notification_reports_its_own_subject() {
    let verified = adapter().verify(&notice("paid"), &context(NOW)).unwrap();
    let paid = Outcome::new(Verdict::Succeeded).channel_id(TRANSACTION).money(cny(8888));
    let paid = paid.at("2026-11-23T00:01:02Z".parse().unwrap());
    let paid = Report { subject: Subject::Payment, reference: REFERENCE.into(), outcome: paid };
    assert_eq!(verified.reports, vec![paid]);
    assert_eq!((verified.reply.status().as_u16(), verified.reply.body().len()), (204, 0));
    for (name, fits) in [
        ("refund_success", (|verdict| *verdict == Verdict::Succeeded) as fn(&Verdict) -> bool),
        ("refund_closed", |verdict| matches!(verdict, Verdict::Declined(_))),
        ("refund_abnormal", |verdict| *verdict == Verdict::Pending),
    ] {
        let report = verify(&notice(name)).unwrap().remove(0);
        assert_eq!((report.subject, report.reference.as_str()), (Subject::Refund, REFUND), "{name}");
        assert_eq!(report.outcome.money, Some(cny(880)));
        assert!(fits(&report.outcome.verdict), "{name}: {report:?}");
    }
    assert_eq!(adapter().reject().status().as_u16(), 400);
}

#[test]
fn flipped_bits_of_a_notification_or_its_signed_headers_are_refused() {
    let (adapter, cx) = (adapter(), context(NOW));
    for name in ["paid", "refund_success"] {
        let good = notice(name);
        for bit in (0..good.body().len() * 8).step_by(5) {
            let mut damaged = good.body().to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let mut changed = good.clone();
            *changed.body_mut() = damaged.into();
            assert!(adapter.verify(&changed, &cx).is_err(), "bit {bit} of the body of {name}");
        }
        let signed = good.headers().iter().filter(|(name, _)| name.as_str().starts_with("douyinpay"));
        for (header, value) in signed {
            for bit in 0..value.len() * 8 {
                let mut damaged = value.as_bytes().to_vec();
                damaged[bit / 8] ^= 1 << (bit % 8);
                let Ok(damaged) = HeaderValue::from_bytes(&damaged) else { continue };
                let mut changed = good.clone();
                changed.headers_mut().insert(header, damaged);
                assert!(adapter.verify(&changed, &cx).is_err(), "bit {bit} of {header} of {name}");
            }
        }
    }
}

#[test]
fn the_window_is_less_than_300_seconds_wide_to_both_sides() {
    let sent = NOW.minus(Duration::from_secs(5));
    for (seconds, believed) in [(0, true), (299, true), (300, false), (86_400, false)] {
        let span = Duration::from_secs(seconds);
        for now in [sent.plus(span), sent.minus(span)] {
            let noticed = adapter().verify(&notice("paid"), &context(now));
            let read = adapter().decode(&query(), 0, &reply("query_paid"), &context(now));
            assert_eq!((noticed.is_ok(), read.is_ok()), (believed, believed), "{seconds}");
        }
    }
    // The certificate ends with the year 2026.
    let late = Timestamp::from_secs(1_798_761_601);
    assert_eq!(adapter().verify(&notice("paid"), &context(late)).err(), Some(Fault::Signature));
}

#[test]
fn an_authentic_notification_with_a_broken_seal_is_refused() {
    let paid = |change: fn(&mut Value)| verify(&sealed("TRANSACTION.SUCCESS", &trade(), change));
    assert!(paid(|_| {}).is_ok());
    let broken: [fn(&mut Value); 9] = [
        |body| body["resource"]["nonce"] = "eleven byte".into(),
        |body| body["resource"]["nonce"] = "thirteen byte".into(),
        |body| body["resource"]["nonce"] = "".into(),
        |body| body["resource"]["nonce"] = "another nonc".into(),
        |body| body["resource"]["associated_data"] = "transaction".into(),
        |body| body["resource"]["ciphertext"] = "AAAA".into(),
        |body| body["resource"]["algorithm"] = "AEAD_SM4_GCM".into(),
        |body| body["resource_type"] = "clear-resource".into(),
        |body| body["event_type"] = "TRANSACTION.FAIL".into(),
    ];
    for (number, change) in broken.into_iter().enumerate() {
        assert!(paid(change).is_err(), "{number}");
    }
    assert!(verify(&sealed("TRANSACTION.SUCCESS", &given(), |_| {})).is_err());
    assert!(verify(&sealed("REFUND.SUCCESS", &trade(), |_| {})).is_err());
    assert!(verify(&sealed("REFUND.CLOSED", &given(), |_| {})).is_err());
}

#[test]
fn an_authentic_notification_for_somebody_else_or_about_nonsense_is_refused() {
    let paid = |pointer: &str, to: Value| {
        verify(&sealed("TRANSACTION.SUCCESS", &with(trade(), pointer, to), |_| {}))
    };
    for (pointer, to) in [
        ("/appid", json!("awother")),
        ("/appid", Value::Null),
        ("/mchid", json!("602020240002")),
        ("/amount/currency", json!("USD")),
    ] {
        assert!(matches!(paid(pointer, to.clone()), Err(Fault::Unacceptable(_))), "{pointer} {to}");
    }
    for (pointer, to) in [
        ("/out_trade_no", json!("")),
        ("/transaction_id", json!("")),
        ("/trade_state", json!("NOTPAY")),
        ("/success_time", json!("yesterday")),
        ("/amount/total", json!(0)),
        ("/amount/total", json!("8888")),
        ("/amount/total", json!(8888.0)),
    ] {
        assert!(matches!(paid(pointer, to.clone()), Err(Fault::Unexpected(_))), "{pointer} {to}");
    }
    let back =
        |pointer: &str, to: Value| verify(&sealed("REFUND.SUCCESS", &with(given(), pointer, to), |_| {}));
    assert!(matches!(back("/mchid", json!("602020240002")), Err(Fault::Unacceptable(_))));
    assert!(matches!(back("/amount/refund", json!(0)), Err(Fault::Unexpected(_))));
}

#[test]
fn an_authentic_reply_about_something_else_is_unacceptable() {
    let ask = |value: Value| {
        let body = value.to_string();
        let mut reply = Reply::new(Bytes::from(body.clone()));
        *reply.headers_mut() = platform(body.as_bytes());
        adapter().decode(&query(), 0, &reply, &context(NOW))
    };
    assert!(matches!(ask(trade()), Ok(Step::Done(_))));
    for (pointer, to) in [
        ("/appid", json!("awother")),
        ("/mchid", json!("602020240002")),
        ("/out_trade_no", json!("01kayb4h7pz8y3v5n2q6m9t4wy")),
        ("/amount/total", json!(8887)),
        ("/amount/currency", json!("HKD")),
    ] {
        let read = ask(with(trade(), pointer, to.clone()));
        assert!(matches!(read, Err(Fault::Unacceptable(_))), "{pointer} {to}: {read:?}");
    }
    let known = Payment { channel_id: Some("1".into()), ..payment("qr") };
    let known = Operation::Query(Query { payment: known });
    let read = adapter().decode(&known, 0, &reply("query_paid"), &context(NOW));
    assert!(matches!(read, Err(Fault::Unacceptable(_))), "{read:?}");
}
