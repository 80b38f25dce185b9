//! Messages that were damaged, forged, repeated or meant for somebody else.

use serde_json::{Value, json};

use super::*;

/// The headers that the platform signs a body with.
fn platform(body: &[u8]) -> HeaderMap {
    let theirs = settings("theirs.json");
    let key = ["platform_private_key", theirs.text("platform_serial", "")];
    v3::proof("douyinpay", key, &NOW.secs().to_string(), body)
}

/// A notification of the platform with this resource and this change to its envelope.
fn sealed(event: &str, clear: &Value, change: impl FnOnce(&mut Value)) -> Notice {
    let body = v3::sealed_body("encrypt_key", event, clear, change);
    v3::posted_with(platform(body.as_bytes()), body)
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
    for name in ["paid", "refund_success"] {
        assert_flips_refused(&*adapter(), &notice(name), 5, &["douyinpay"]);
    }
}

#[test]
fn the_window_is_less_than_300_seconds_wide_to_both_sides() {
    assert_window_of_300_seconds(&query(), "query_paid");
    // The certificate ends with the year 2026.
    let late = Timestamp::from_secs(1_798_761_601);
    assert_eq!(adapter().verify(&notice("paid"), &context(late)).err(), Some(Fault::Signature));
}

#[test]
fn an_authentic_notification_with_a_broken_seal_is_refused() {
    v3::assert_broken_seals_refused(|change| verify(&sealed("TRANSACTION.SUCCESS", &trade(), change)));
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
