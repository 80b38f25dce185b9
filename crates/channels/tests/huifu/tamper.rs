//! Messages that were damaged, forged, repeated or meant for somebody else.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::*;

fn signature(text: &str) -> String {
    let signer = NativeKeyring.signer(settings("theirs.json").value("huifu_private_key").unwrap()).unwrap();
    STANDARD.encode(signer.sign(Scheme::RsaSha256, text.as_bytes()).unwrap())
}

fn posted(fields: &[(&str, &str)]) -> Notice {
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    http::Request::post("/notify").body(Bytes::from(body)).unwrap()
}

/// A notification with this data, signed as Huifu signs.
fn signed(data: &Value) -> Notice {
    let text = data.to_string();
    posted(&[("sign", &signature(&text)), ("resp_data", &text)])
}

fn trade() -> Value {
    json!({
        "resp_code": "00000000", "huifu_id": "6666000000000001", "req_seq_id": REFERENCE, "req_date": "20261123",
        "hf_seq_id": TRANSACTION, "trans_type": "A_NATIVE", "trans_amt": "88.88", "trans_stat": "S",
        "end_time": "20261123080102",
    })
}

fn given() -> Value {
    json!({
        "resp_code": "00000000", "huifu_id": "6666000000000001", "req_seq_id": REFUND, "hf_seq_id": REFUND_ID,
        "org_req_seq_id": REFERENCE, "trans_type": "TRANS_REFUND", "ord_amt": "8.80", "trans_stat": "S",
        "trans_finish_time": "20261123080911",
    })
}

fn with(mut data: Value, name: &str, to: Value) -> Value {
    data[name] = to;
    data
}

#[test]
fn each_notification_reports_its_own_subject() {
    for name in ["paid", "paid_wrapped"] {
        let verified = adapter().verify(&notice(name), &context(NOW)).unwrap();
        let report = &verified.reports[0];
        assert_eq!((report.subject, report.reference.as_str()), (Subject::Payment, REFERENCE));
        assert_eq!(report.outcome.verdict, Verdict::Succeeded);
        assert_eq!(report.outcome.money, Some(cny(8888)));
        assert_eq!(report.outcome.channel_id.as_deref(), Some(TRANSACTION));
        assert_eq!(verified.reply.status().as_u16(), 200);
        assert_eq!(verified.reply.body().as_ref(), format!("RECV_ORD_ID_{REFERENCE}").as_bytes());
    }
    let back = verify(&notice("refund")).unwrap().remove(0);
    assert_eq!((back.subject, back.reference.as_str()), (Subject::Refund, REFUND));
    assert_eq!((back.outcome.verdict, back.outcome.money), (Verdict::Succeeded, Some(cny(880))));
    let failed = verify(&notice("failed")).unwrap().remove(0);
    assert!(matches!(failed.outcome.verdict, Verdict::Declined(_)));
    assert_eq!(adapter().reject().status().as_u16(), 400);
    assert!(verify(&signed(&trade())).is_ok() && verify(&signed(&given())).is_ok());
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_notification_is_refused() {
    for name in ["paid", "refund"] {
        assert_damaged_notice_refused(&notice(name));
    }
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_reply_is_a_fault() {
    assert_damaged_replies_are_faults([
        ("native", pay_by("alipay.qr")),
        ("query_paid", query()),
        ("absent", query()),
        ("refund_success", refund()),
    ]);
}

#[test]
fn a_signature_that_is_missing_doubled_foreign_or_of_the_other_kind_is_refused() {
    let text = trade().to_string();
    let sign = signature(&text);
    let md5: String = {
        use md5::Digest as _;
        md5::Md5::digest(&text).iter().map(|byte| format!("{byte:02X}")).collect()
    };
    for fields in [
        vec![("resp_data", text.as_str())],
        vec![("sign", ""), ("resp_data", &text)],
        vec![("sign", "null"), ("resp_data", &text)],
        vec![("sign", &sign), ("sign", &sign), ("resp_data", &text)],
        vec![("sign", &sign), ("resp_data", &text), ("resp_data", &text)],
        vec![("sign", &sign), ("data", &text)],
        vec![("sign", &sign), ("resp_data", &text), ("trans_stat", "S")],
        vec![("sign", &md5), ("resp_data", &text)],
        vec![("sign", &sign), ("resp_data", "{}")],
    ] {
        assert!(verify(&posted(&fields)).is_err(), "{fields:?}");
    }
    // An event of the console: JSON with its signature in the address.
    let event = http::Request::post(format!("/notify?sign={md5}")).body(Bytes::from(text.clone())).unwrap();
    assert!(verify(&event).is_err());
    // The merchant's own key signs nothing that Huifu says.
    let own = NativeKeyring.signer(settings("ours.json").value("private_key").unwrap()).unwrap();
    let own = STANDARD.encode(own.sign(Scheme::RsaSha256, text.as_bytes()).unwrap());
    assert_eq!(verify(&posted(&[("sign", &own), ("resp_data", &text)])), Err(Fault::Signature));
}

#[test]
fn an_authentic_notification_for_somebody_else_or_about_nonsense_is_refused() {
    let paid = |name: &str, to: Value| verify(&signed(&with(trade(), name, to)));
    for to in [json!("6666000000000002"), json!(""), Value::Null] {
        let refused = paid("huifu_id", to.clone());
        assert!(matches!(refused, Err(Fault::Unacceptable(_))), "{to}: {refused:?}");
    }
    for (name, to) in [
        ("req_seq_id", Value::Null),
        ("req_seq_id", json!("")),
        ("req_seq_id", json!(1)),
        ("hf_seq_id", json!("")),
        ("trans_stat", Value::Null),
        ("trans_stat", json!("SUCCESS")),
        ("trans_amt", Value::Null),
        ("trans_amt", json!("0.00")),
        ("trans_amt", json!("-88.88")),
        ("trans_amt", json!("88.880")),
        ("trans_amt", json!("8,888.00")),
        ("trans_amt", json!("88.88 ")),
        ("trans_amt", json!(88.88)),
        ("trans_amt", json!("１.00")),
        ("end_time", json!("yesterday")),
        ("end_time", json!("20261323080102")),
    ] {
        assert!(matches!(paid(name, to.clone()), Err(Fault::Unexpected(_))), "{name} {to}");
    }
    let back = |name: &str, to: Value| verify(&signed(&with(given(), name, to)));
    for (name, to) in [("ord_amt", Value::Null), ("ord_amt", json!("-1.00")), ("trans_stat", json!("R"))] {
        assert!(matches!(back(name, to.clone()), Err(Fault::Unexpected(_))), "{name} {to}");
    }
    // Money that is released, which has no state.
    let unfrozen = json!({"huifu_id": "6666000000000001", "req_seq_id": REFERENCE, "notify_type": "3"});
    assert!(verify(&signed(&unfrozen)).is_err());
    // The reply to a query is bound to what was asked.
    for (name, operation) in [
        ("query_paid", Operation::Query(Query { payment: about("alipay.qr", 8889, None) })),
        ("query_paid", Operation::Query(Query { payment: about("alipay.qr", 8888, Some("another".into())) })),
        ("refund_query_success", query()),
        ("query_paid", query_refund()),
    ] {
        assert!(adapter().decode(&operation, 0, &reply(name), &context(NOW)).is_err(), "{name}");
    }
}

#[test]
fn a_payment_of_another_time_is_not_news() {
    let paid: Timestamp = "2026-11-23T00:01:02Z".parse().unwrap();
    let (late, early) = (Duration::from_secs(48 * 3_600), Duration::from_secs(15 * 60));
    let second = Duration::from_secs(1);
    for (now, believed) in [
        (paid.plus(late), true),
        (paid.plus(late + second), false),
        (paid.minus(early), true),
        (paid.minus(early + second), false),
    ] {
        assert_eq!(adapter().verify(&notice("paid"), &context(now)).is_ok(), believed, "{now}");
    }
}

#[test]
fn hostile_bodies_are_refused_at_once() {
    let deep = "[".repeat(1 << 20);
    let keys: String = (0..200_000).map(|n| format!("\"k{n}\":1,")).collect();
    for body in [
        deep.clone(),
        format!("{{\"data\":{deep}"),
        format!("{{\"data\":{{\"a\":{}1{}}},\"sign\":\"AAAA\"}}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{{{keys}\"data\":{{}}}}"),
        format!("{{\"data\":{{{keys}\"x\":1}},\"sign\":\"AAAA\"}}"),
        format!("resp_data={}", "%".repeat(1 << 20)),
        "a=1&".repeat(1 << 18),
        "\u{0}".repeat(1 << 20),
    ] {
        let begin = Instant::now();
        let posted = http::Request::post("/notify").body(Bytes::from(body.clone())).unwrap();
        assert!(verify(&posted).is_err());
        let answered = Reply::new(Bytes::from(body));
        assert!(adapter().decode(&query(), 0, &answered, &context(NOW)).is_err());
        assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
    }
    // Deep data is refused although its signature is good.
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(verify(&posted(&[("sign", &signature(&deep)), ("resp_data", &deep)])).is_err());
}
