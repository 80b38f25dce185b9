//! Messages that were damaged, forged, repeated or meant for somebody else.

use serde_json::{Value, json};

use super::*;

fn platform(body: &[u8]) -> HeaderMap {
    let theirs = settings("theirs.json");
    let key = ["platform_private_key", theirs.text("public_key_id", "")];
    v3::proof("wechatpay", key, &NOW.secs().to_string(), body)
}

/// A notification of the platform with this resource and this change to its envelope.
fn sealed(event: &str, clear: &Value, change: impl FnOnce(&mut Value)) -> Notice {
    let body = v3::sealed_body("apiv3_key", event, clear, change);
    v3::posted_with(platform(body.as_bytes()), body)
}

fn trade() -> Value {
    json!({
        "appid": "wxfeedc0de00000001", "mchid": "1688880001", "out_trade_no": REFERENCE,
        "transaction_id": TRANSACTION, "trade_type": "JSAPI", "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功", "success_time": "2026-11-23T08:01:02+08:00",
        "amount": {"total": 8888, "payer_total": 8888, "currency": "CNY", "payer_currency": "CNY"},
    })
}

fn given() -> Value {
    json!({
        "mchid": "1688880001", "out_trade_no": REFERENCE, "transaction_id": TRANSACTION, "out_refund_no": REFUND,
        "refund_id": REFUND_ID, "refund_status": "SUCCESS", "success_time": "2026-11-23T08:09:11+08:00",
        "amount": {"total": 8888, "refund": 880},
    })
}

#[test]
fn each_notification_reports_its_own_subject() {
    let paid = Report {
        subject: Subject::Payment,
        reference: REFERENCE.into(),
        outcome: Outcome {
            channel_id: Some(TRANSACTION.into()),
            money: Some(cny(8888)),
            at: Some("2026-11-23T00:01:02Z".parse().unwrap()),
            ..Outcome::new(Verdict::Succeeded)
        },
    };
    let verified = adapter().verify(&notice("paid"), &context(NOW)).unwrap();
    assert_eq!(verified.reports, vec![paid.clone()]);
    assert_eq!((verified.reply.status().as_u16(), verified.reply.body().len()), (204, 0));
    let certificate = opened("ours_certificate.json");
    let verified = certificate.verify(&notice("paid_certificate"), &context(NOW)).unwrap();
    assert_eq!(verified.reports, vec![paid]);
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
    let refusal = adapter().reject();
    assert_eq!(refusal.status().as_u16(), 400);
    assert!(refusal.body().starts_with(br#"{"code":"FAIL","message":""#));
}

/// The plaintext is as WeChat documents it for a receiver (分账动账通知); what it says of money is not even read.
#[test]
fn a_share_that_arrived_is_reported_by_its_number_and_settles_nothing() {
    let said = json!({
        "mchid": "1688880001", "transaction_id": TRANSACTION, "order_id": "3008450740201411110007820472",
        "out_order_no": REFUND, "success_time": "2026-11-23T08:09:11+08:00",
        "receiver": {"type": "MERCHANT_ID", "account": "1900000109", "amount": 880, "description": "分账 share"},
    });
    let share = |said: &Value| {
        verify(&sealed("TRANSACTION.SUCCESS", said, |body| {
            body["resource"]["original_type"] = json!("profitsharing");
        }))
    };
    let outcome = Outcome::new(Verdict::Pending);
    let report = Report { subject: Subject::Share, reference: REFUND.into(), outcome };
    assert_eq!(share(&said).unwrap(), vec![report]);
    for (pointer, to) in
        [("/mchid", json!("1688880002")), ("/mchid", Value::Null), ("/out_order_no", json!(""))]
    {
        assert!(share(&with(said.clone(), pointer, to.clone())).is_err(), "{pointer} {to}");
    }
    let mut of_a_sub = said.clone();
    of_a_sub["sub_mchid"] = json!("1688880077");
    assert!(share(&of_a_sub).is_err(), "another merchant's");
    assert!(verify(&sealed("TRANSACTION.SUCCESS", &said, |_| {})).is_err(), "no payment");
}

#[test]
fn every_flipped_bit_of_a_notification_or_its_signed_headers_is_refused() {
    for name in ["paid", "refund_success"] {
        assert_flips_refused(&*adapter(), &notice(name), 1, &["wechatpay"]);
    }
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_reply_is_a_fault() {
    assert_damaged_replies_are_faults([
        ("native", pay_by("qr")),
        ("query_notpay", query()),
        ("query_absent", query()),
        ("refund_poor", refund()),
    ]);
}

#[test]
fn a_signature_that_is_missing_doubled_foreign_or_a_probe_is_refused() {
    let good = notice("paid");
    let changed = |change: &dyn Fn(&mut HeaderMap)| {
        let mut changed = good.clone();
        change(changed.headers_mut());
        verify(&changed)
    };
    for name in ["timestamp", "nonce", "signature", "serial"].map(|name| format!("wechatpay-{name}")) {
        let name: HeaderName = name.parse().unwrap();
        let own = good.headers()[&name].clone();
        assert_eq!(changed(&|headers| drop(headers.remove(&name))), Err(Fault::Signature), "no {name}");
        for value in ["", " ", "null", "0"] {
            let value = HeaderValue::from_static(value);
            assert!(
                changed(&|headers| drop(headers.insert(&name, value.clone()))).is_err(),
                "{value:?} as {name}"
            );
        }
        assert_eq!(changed(&|headers| assert!(headers.append(&name, own.clone()))), Err(Fault::Signature));
    }
    let set = |name: &'static str, value: &str| {
        let value: HeaderValue = value.parse().unwrap();
        changed(&|headers| drop(headers.insert(name, value.clone())))
    };
    assert_eq!(set("wechatpay-signature-type", "WECHATPAY2-SM2-WITH-SM3"), Err(Fault::Signature));
    let signature = good.headers()["wechatpay-signature"].to_str().unwrap().to_owned();
    for probe in [format!("WECHATPAY/SIGNTEST/{signature}"), "WECHATPAY/SIGNTEST/".into()] {
        assert_eq!(set("wechatpay-signature", &probe), Err(Fault::Signature));
    }
    // Whoever has the platform's certificate key is not the holder of its public key, and the other way round.
    assert_eq!(verify(&notice("paid_certificate")), Err(Fault::Signature));
    let certificate = opened("ours_certificate.json");
    assert_eq!(certificate.verify(&good, &context(NOW)).err(), Some(Fault::Signature));
    let theirs = settings("theirs.json");
    let body = String::from_utf8(good.body().to_vec()).unwrap();
    let now = NOW.secs().to_string();
    for (key, serial) in [
        ("certificate_private_key", theirs.text("public_key_id", "")),
        ("platform_private_key", theirs.text("certificate_serial", "")),
    ] {
        let crossed =
            v3::posted_with(v3::proof("wechatpay", [key, serial], &now, body.as_bytes()), body.clone());
        assert_eq!(verify(&crossed), Err(Fault::Signature), "{key} {serial}");
    }
    let get = {
        let mut get = good.clone();
        *get.method_mut() = http::Method::GET;
        get
    };
    assert!(verify(&get).is_err());
}

#[test]
fn the_window_is_less_than_300_seconds_wide_to_both_sides() {
    let sent = NOW.minus(Duration::from_secs(5));
    let at = |now: Timestamp| adapter().verify(&notice("paid"), &context(now)).map(drop);
    let query_at =
        |now: Timestamp| adapter().decode(&query(), 0, &reply("query_paid"), &context(now)).map(drop);
    for seconds in [0, 299] {
        let span = Duration::from_secs(seconds);
        for now in [sent.plus(span), sent.minus(span)] {
            assert_eq!((at(now), query_at(now)), (Ok(()), Ok(())), "{seconds}");
        }
    }
    for seconds in [300, 3_600, 86_400 * 400] {
        let span = Duration::from_secs(seconds);
        for now in [sent.plus(span), sent.minus(span)] {
            assert!(matches!(at(now), Err(Fault::Unacceptable(_))), "{seconds}");
            assert!(matches!(query_at(now), Err(Fault::Unacceptable(_))), "{seconds}");
        }
    }
    for timestamp in
        ["+1795392600", "1795392600 ", "99999999999999999999", "-1", "1.8e9", "１７９５３９２６００"]
    {
        let body = "{}".to_owned();
        let id = settings("theirs.json").text("public_key_id", "").to_owned();
        if let Ok(value) = HeaderValue::from_str(timestamp) {
            let key = ["platform_private_key", id.as_str()];
            let mut headers = v3::proof("wechatpay", key, "1795392600", body.as_bytes());
            headers.insert("wechatpay-timestamp", value);
            assert!(verify(&v3::posted_with(headers, body)).is_err(), "{timestamp}");
        }
    }
}

#[test]
fn a_platform_certificate_that_has_run_out_is_not_believed() {
    // It ends with the year 2026.
    let late = Timestamp::from_secs(1_798_761_601);
    let theirs = settings("theirs.json");
    let (body, certificate) = (notice("paid").body().clone(), opened("ours_certificate.json"));
    for (now, believed) in [(late.minus(Duration::from_secs(1)), true), (late, false)] {
        let serial = theirs.text("certificate_serial", "");
        let key = ["certificate_private_key", serial];
        let headers = v3::proof("wechatpay", key, &now.secs().to_string(), &body);
        let notice = v3::posted_with(headers, body.clone());
        assert_eq!(certificate.verify(&notice, &context(now)).is_ok(), believed, "{now}");
    }
}

#[test]
fn an_authentic_notification_with_a_broken_seal_is_refused() {
    v3::assert_broken_seals_refused(|change| verify(&sealed("TRANSACTION.SUCCESS", &trade(), change)));
    // A refund's resource in a payment's envelope, and the other way round.
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
        ("/appid", json!("wxfeedc0de00000002")),
        ("/appid", Value::Null),
        ("/mchid", json!("1688880002")),
        ("/amount/currency", json!("USD")),
    ] {
        assert!(matches!(paid(pointer, to.clone()), Err(Fault::Unacceptable(_))), "{pointer} {to}");
    }
    for (pointer, to) in [
        ("/mchid", Value::Null),
        ("/out_trade_no", json!("")),
        ("/out_trade_no", json!(1)),
        ("/transaction_id", json!("")),
        ("/trade_state", json!("NOTPAY")),
        ("/trade_state", json!("PAID")),
        ("/success_time", json!("yesterday")),
        ("/amount", Value::Null),
        ("/amount/total", json!(0)),
        ("/amount/total", json!(-8888)),
        ("/amount/total", json!("8888")),
        ("/amount/total", json!(8888.0)),
        ("/amount/total", json!(88.88)),
        ("/amount/total", json!(18_446_744_073_709_551_615_u64)),
    ] {
        assert!(matches!(paid(pointer, to.clone()), Err(Fault::Unexpected(_))), "{pointer} {to}");
    }
    let back =
        |pointer: &str, to: Value| verify(&sealed("REFUND.SUCCESS", &with(given(), pointer, to), |_| {}));
    assert!(matches!(back("/mchid", json!("1688880002")), Err(Fault::Unacceptable(_))));
    assert!(matches!(back("/mchid", Value::Null), Err(Fault::Unacceptable(_))));
    for (pointer, to) in [
        ("/refund_status", json!("PROCESSING")),
        ("/out_refund_no", json!("")),
        ("/amount/refund", json!(0)),
        ("/amount/refund", Value::Null),
    ] {
        assert!(matches!(back(pointer, to.clone()), Err(Fault::Unexpected(_))), "{pointer} {to}");
    }
    let other = report_amount(8889);
    assert_eq!(other, Some(cny(8889)), "the engine compares it with the order");
}

fn report_amount(fen: i64) -> Option<Money> {
    let notice = sealed("TRANSACTION.SUCCESS", &with(trade(), "/amount/total", fen.into()), |_| {});
    verify(&notice).unwrap().remove(0).outcome.money
}

/// A reply of the platform with this text.
fn answered(status: u16, body: &str) -> Reply {
    let mut reply = Reply::new(Bytes::from(body.to_owned()));
    *reply.status_mut() = http::StatusCode::from_u16(status).unwrap();
    *reply.headers_mut() = platform(body.as_bytes());
    reply
}

#[test]
fn an_authentic_reply_about_something_else_is_unacceptable() {
    let ask = |value: Value| adapter().decode(&query(), 0, &answered(200, &value.to_string()), &context(NOW));
    assert!(matches!(ask(trade()), Ok(Step::Done(_))));
    for (pointer, to) in [
        ("/appid", json!("wxfeedc0de00000002")),
        ("/mchid", json!("1688880002")),
        ("/out_trade_no", json!("01kayb4h7pz8y3v5n2q6m9t4wy")),
        ("/amount/total", json!(8887)),
        ("/amount/total", json!(888_800)),
        ("/amount/currency", json!("HKD")),
    ] {
        let read = ask(with(trade(), pointer, to.clone()));
        assert!(matches!(read, Err(Fault::Unacceptable(_))), "{pointer} {to}: {read:?}");
    }
    for text in [
        trade().to_string().replacen("\"mchid\"", "\"mchid\":\"1688880001\",\"mchid\"", 1),
        trade().to_string().replacen("8888,", "8888,\"total\":8888,", 1),
        trade().to_string().replace("\"SUCCESS\"", "\"ACCEPT\""),
        "{}".into(),
        "[]".into(),
        "null".into(),
    ] {
        let read = adapter().decode(&query(), 0, &answered(200, &text), &context(NOW));
        assert!(matches!(read, Err(Fault::Unexpected(_))), "{text}: {read:?}");
    }
    let known = Operation::Query(Query { payment: about(8888, Some("1".into())) });
    let read = adapter().decode(&known, 0, &reply("query_paid"), &context(NOW));
    assert!(matches!(read, Err(Fault::Unacceptable(_))), "{read:?}");
    let text = String::from_utf8(reply("refund_success").into_body().to_vec()).unwrap();
    for (from, to) in
        [(REFUND, "01kayc9r5d2e8f1g7h3j6k0m4x"), (REFERENCE, "other1"), ("\"refund\":880", "\"refund\":881")]
    {
        let read = adapter().decode(&refund(), 0, &answered(200, &text.replace(from, to)), &context(NOW));
        assert!(matches!(read, Err(Fault::Unacceptable(_))), "{to}: {read:?}");
    }
}

#[test]
fn the_status_of_a_server_in_trouble_decides_nothing_even_when_signed() {
    let body = r#"{"code":"PARAM_ERROR","message":"参数错误"}"#;
    for status in [429, 500, 502, 503, 504] {
        let read = adapter().decode(&pay_by("qr"), 0, &answered(status, body), &context(NOW));
        assert!(
            matches!(&read, Err(Fault::Unknown { code, .. }) if code == "PARAM_ERROR"),
            "{status}: {read:?}"
        );
    }
    for (status, body) in [(200, body), (204, ""), (301, body), (404, "<html>"), (400, "{}"), (200, "")] {
        let read = adapter().decode(&pay_by("qr"), 0, &answered(status, body), &context(NOW));
        assert!(read.is_err(), "{status} {body}: {read:?}");
    }
}
