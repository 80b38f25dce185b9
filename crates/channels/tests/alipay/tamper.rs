//! Messages that were damaged, forged, repeated or meant for somebody else.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// After the last of the recorded notifications.
fn then() -> Timestamp {
    NOW.plus(Duration::from_secs(65 * 60))
}

fn report(name: &str) -> Report {
    let mut verified = adapter().verify(&notice(name), &context(then())).unwrap();
    assert_eq!((verified.reply.status().as_u16(), verified.reply.body().as_ref()), (200, &b"success"[..]));
    verified.reports.remove(0)
}

fn verify(body: impl Into<Bytes>) -> Result<Vec<Report>, Fault> {
    support::verify(&posted(body))
}

fn alipay_signs(text: &[u8]) -> String {
    let theirs = settings("theirs.json");
    let signer = NativeKeyring.signer(theirs.value("alipay_private_key").unwrap()).unwrap();
    STANDARD.encode(signer.sign(Scheme::RsaSha256, text).unwrap())
}

/// The recorded notification with other fields, signed by Alipay's key.
fn signed(change: impl FnOnce(&mut BTreeMap<String, String>)) -> String {
    let (_, _, body) = message("notice_paid");
    let mut fields: BTreeMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    fields.remove("sign");
    let sign_type = fields.remove("sign_type").unwrap();
    change(&mut fields);
    let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sign = alipay_signs(text.join("&").as_bytes());
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(&fields).append_pair("sign_type", &sign_type).append_pair("sign", &sign).finish()
}

fn framed(method: &str, node: &str) -> Reply {
    let sign = alipay_signs(node.as_bytes());
    let body = format!("{{\"{}_response\":{node},\"sign\":\"{sign}\"}}", method.replace('.', "_"));
    Reply::new(Bytes::from(body))
}

fn decode(operation: &Operation, stage: Stage, reply: &Reply) -> Result<Step, Fault> {
    adapter().decode(operation, stage, reply, &context(NOW))
}

#[test]
fn a_notification_reports_the_payment_and_leaves_refunds_to_their_query() {
    let outcome = |verdict, at: &str| Outcome {
        channel_id: Some(TRADE_NO.into()),
        money: Some(cny(8888)),
        at: Some(at.parse().unwrap()),
        ..Outcome::new(verdict)
    };
    let paid = outcome(Verdict::Succeeded, "2026-11-23T00:01:02Z");
    for name in ["paid", "v2", "refund", "refunded_fully"] {
        let expected =
            Report { subject: Subject::Payment, reference: REFERENCE.into(), outcome: paid.clone() };
        assert_eq!(report(name), expected, "{name}");
    }
    assert_eq!(report("closed").outcome, outcome(Verdict::Closed, "2026-11-23T01:10:11Z"));
}

#[test]
fn every_flipped_bit_of_a_notification_is_refused() {
    let (adapter, cx) = (adapter(), context(then()));
    for name in ["paid", "v2"] {
        for (bit, damaged) in flips(notice(name).body()) {
            assert!(adapter.verify(&posted(damaged), &cx).is_err(), "bit {bit} of {name}");
        }
    }
}

#[test]
fn every_flipped_bit_of_a_reply_is_a_fault() {
    let (adapter, cx) = (adapter(), context(NOW));
    for (name, operation, stage) in
        [("precreate", pay_by("qr"), PRECREATE), ("query_waiting", query(), QUERY)]
    {
        for (bit, damaged) in flips(reply(name).body()) {
            let result = adapter.decode(&operation, stage, &Reply::new(damaged.into()), &cx);
            assert!(result.is_err(), "bit {bit} of {name}: {result:?}");
        }
    }
}

#[test]
fn an_authentic_notification_for_somebody_else_is_refused() {
    let set = |name: &'static str, value: &'static str| {
        signed(|fields| {
            fields.insert(name.into(), value.into());
        })
    };
    assert!(verify(signed(|_| {})).is_ok());
    for (name, value) in [
        ("app_id", "2021004199260009"),
        ("seller_id", "2088741199260009"),
        ("notify_type", "open_app_auth_notify"),
        // 26 hours before and 15 minutes after now are the last that are taken.
        ("notify_time", "2026-11-22 06:09:59"),
        ("notify_time", "2026-11-23 08:25:01"),
    ] {
        assert!(matches!(verify(set(name, value)), Err(Fault::Unacceptable(_))), "{name} {value}");
    }
    for (name, value) in [
        ("notify_time", ""),
        ("notify_time", "2026-11-23T08:01:03"),
        ("total_amount", "88.888"),
        ("total_amount", "-88.88"),
        ("total_amount", "0.00"),
        ("total_amount", "8.888e1"),
        ("total_amount", "８８.８８"),
        ("total_amount", " 88.88"),
        ("total_amount", "1,088.88"),
        ("trade_status", "TRADE_PAID"),
        ("trade_no", ""),
        ("out_trade_no", ""),
        ("gmt_payment", "yesterday"),
    ] {
        assert!(matches!(verify(set(name, value)), Err(Fault::Unexpected(_))), "{name} {value}");
    }
    for name in
        ["seller_id", "app_id", "notify_time", "total_amount", "trade_status", "out_trade_no", "trade_no"]
    {
        let without = signed(|fields| drop(fields.remove(name)));
        assert!(verify(without).is_err(), "without {name}");
    }
    assert!(verify(set("notify_time", "2026-11-22 06:10:00")).is_ok());
}

/// An authentic signed text cut into other fields: the attacker pays a cent for an order whose text he may word, and
/// wants it to read as a large payment.
#[test]
fn a_value_that_reads_as_several_fields_is_refused() {
    let smuggled = signed(|fields| {
        fields.insert(
            "subject".into(),
            "tea&total_amount=9999.00&trade_no=1&trade_status=TRADE_SUCCESS".into(),
        );
    });
    assert!(verify(smuggled).is_err());
    // The same signed text, cut where the attacker likes it: its own fields end up inside the last value.
    let text = "app_id=2021004199260001&notify_time=2026-11-23 08:01:03&notify_type=trade_status_sync\
        &out_trade_no=01kayb4h7pz8y3v5n2q6m9t4wx&seller_id=2088741199260002&subject=tea&total_amount=9999.00\
        &trade_no=1&trade_status=TRADE_SUCCESS&version=1.0&total_amount=0.01&trade_no=2&trade_status=WAIT_BUYER_PAY";
    let sign = alipay_signs(text.as_bytes());
    let (head, tail) = text.split_once("&version=").unwrap();
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(url::form_urlencoded::parse(head.as_bytes())).append_pair("version", tail);
    let body = form.append_pair("sign_type", "RSA2").append_pair("sign", &sign).finish();
    assert_eq!(verify(body), Err(Fault::Unexpected("the form: a value that reads as several fields".into())));
}

#[test]
fn a_notification_whose_form_or_signature_is_odd_is_refused() {
    let (_, _, body) = message("notice_paid");
    let body = String::from_utf8(body.to_vec()).unwrap();
    let odd = |from: &str, to: &str| {
        assert!(body.contains(from), "{from}");
        verify(body.replacen(from, to, 1))
    };
    let without_sign = body.split("&sign=").next().unwrap();
    for damaged in [
        odd("total_amount=", "total_amount=0.01&total_amount="),
        odd("total_amount=88.88", "total_amount=88.88&total_amount=88.88"),
        odd("total_amount=", "Total_amount="),
        odd("%3A", "%3a"),
        odd("sign_type=RSA2", "sign_type=RSA"),
        odd("&sign_type=RSA2", ""),
        odd("&sign=", "&sign=&x="),
        verify(without_sign.to_owned()),
        verify(format!("{without_sign}&sign=")),
        verify(format!("{without_sign}&sign=null")),
        verify(format!("{body}&extra=1")),
        verify(format!("{body}&")),
        verify(format!("\u{feff}{body}")),
        verify(""),
    ] {
        assert!(damaged.is_err(), "{damaged:?}");
    }
    let get = http::Request::get(format!("/notify?{body}")).body(Bytes::new()).unwrap();
    assert!(adapter().verify(&get, &context(NOW)).is_err());
    // Signed by the merchant's own key instead of Alipay's.
    let ours = settings("ours.json");
    let signer = NativeKeyring.signer(ours.value("private_key").unwrap()).unwrap();
    let fields: BTreeMap<String, String> =
        url::form_urlencoded::parse(without_sign.as_bytes()).into_owned().collect();
    let text: Vec<String> =
        fields.iter().filter(|(name, _)| *name != "sign_type").map(|(n, v)| format!("{n}={v}")).collect();
    let sign = STANDARD.encode(signer.sign(Scheme::RsaSha256, text.join("&").as_bytes()).unwrap());
    let sign: String = url::form_urlencoded::byte_serialize(sign.as_bytes()).collect();
    assert_eq!(verify(format!("{without_sign}&sign={sign}")), Err(Fault::Signature));
    let refusal = adapter().reject();
    assert_eq!((refusal.status().as_u16(), refusal.body().as_ref()), (400, &b"fail"[..]));
}

#[test]
fn a_reply_that_is_no_answer_leaves_the_outcome_unknown() {
    let good = reply("precreate");
    let whole = good.body().clone();
    let body = |body: &'static str| Reply::new(Bytes::from_static(body.as_bytes()));
    let mut failed = good.clone();
    *failed.status_mut() = http::StatusCode::BAD_GATEWAY;
    let mut replies = vec![
        failed,
        body("<html><body>502 Bad Gateway</body></html>"),
        body("null"),
        body(
            "{\"alipay_trade_precreate_response\":{\"code\":\"10000\",\"qr_code\":\"https://evil.example\"}}",
        ),
        body("{\"error_response\":{\"code\":\"40002\",\"msg\":\"Invalid Arguments\"}}"),
        reply("query_paid"),
        framed("alipay.trade.precreate", r#"{"code":"10000","out_trade_no":"other","qr_code":"https://q"}"#),
        framed("alipay.trade.precreate", r#"{"code":"10000","qr_code":"https://q"}"#),
        framed("alipay.trade.precreate", &format!(r#"{{"code":"10000","out_trade_no":"{REFERENCE}"}}"#)),
        framed("alipay.trade.precreate", r#"{"code":"40004","sub_code":"ACQ.NOT_IN_ANY_DOCUMENT"}"#),
        framed("alipay.trade.precreate", r#"{"code":"40004"}"#),
        framed("alipay.trade.precreate", r#"{"code":"10003"}"#),
        framed("alipay.trade.precreate", r#"{"code":"40004","code":"10000"}"#),
        framed("alipay.trade.precreate", "[]"),
    ];
    replies.extend((0..whole.len()).map(|length| Reply::new(whole.slice(..length))));
    for reply in replies {
        let result = decode(&pay_by("qr"), 0, &reply);
        assert!(result.is_err(), "{result:?} for {reply:?}");
    }
    assert!(decode(&pay_by("qr"), 0, &good).is_ok());
}

#[test]
fn an_authentic_reply_about_something_else_is_unacceptable() {
    // Of a payment that cannot be held first: of the others a smaller amount may be a capture, and is asked about.
    let of = |channel_id: Option<String>| {
        let method = "alipay.page".parse().unwrap();
        Operation::Query(Query { payment: Payment { method, ..about(8888, channel_id) } })
    };
    let ask = |node: &str| decode(&of(None), QUERY, &framed("alipay.trade.query", node));
    let node = format!(
        r#"{{"code":"10000","out_trade_no":"{REFERENCE}","trade_no":"{TRADE_NO}","trade_status":"TRADE_SUCCESS","total_amount":"88.88"}}"#
    );
    assert!(ask(&node).is_ok());
    for (from, to) in [
        (r#""88.88""#, r#""88.87""#),
        (r#""88.88""#, r#""8888.00""#),
        (REFERENCE, "01kayb4h7pz8y3v5n2q6m9t4wy"),
        (r#""88.88""#, r#""88.88","trans_currency":"USD""#),
    ] {
        let result = ask(&node.replace(from, to));
        assert!(matches!(result, Err(Fault::Unacceptable(_))), "{to}: {result:?}");
    }
    for (from, to) in [
        (r#""88.88""#, "88.88"),
        (r#""88.88""#, r#""8.888e1""#),
        (r#""88.88""#, r#""88.88","total_amount":"88.88""#),
        ("TRADE_SUCCESS", "TRADE_PAID"),
        (r#""trade_status":"TRADE_SUCCESS","#, ""),
        (r#""total_amount""#, r#""amount""#),
    ] {
        let result = ask(&node.replace(from, to));
        assert!(matches!(result, Err(Fault::Unexpected(_))), "{to}: {result:?}");
    }
    let known = of(Some("1".into()));
    assert!(matches!(
        decode(&known, QUERY, &framed("alipay.trade.query", &node)),
        Err(Fault::Unacceptable(_))
    ));
    let given = |node: &str| decode(&refund(), REFUND_FIRST, &framed("alipay.trade.refund", node));
    for fee in ["8.79", "88.89"] {
        let node = format!(
            r#"{{"code":"10000","out_trade_no":"{REFERENCE}","fund_change":"Y","refund_fee":"{fee}"}}"#
        );
        assert!(matches!(given(&node), Err(Fault::Unacceptable(_))), "{fee}");
    }
}
