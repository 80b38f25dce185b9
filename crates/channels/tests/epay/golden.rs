//! Requests byte for byte, and what each recorded reply means. The replies were signed by another implementation.

use super::*;

/// An outcome, a call or the kind of a fault in one line.
fn line(result: Result<Step, Fault>) -> String {
    match result {
        Err(Fault::Unacceptable(_)) => "Unacceptable".into(),
        Err(Fault::Unexpected(_)) => "Unexpected".into(),
        result => support::line(result, |call| call_named(call, call.request.uri().path())),
    }
}

#[test]
fn every_operation_is_sent_as_recorded() {
    for (name, version, operation, effect) in [
        ("v1_page", 1, pay_by("alipay.page"), Effect::None),
        ("v1_qr", 1, pay_by("wechatpay.qr"), Effect::Money),
        ("v1_query", 1, query(), Effect::None),
        ("v2_page", 2, pay_by("unionpay.page"), Effect::None),
        ("v2_qr", 2, pay_by("qq.qr"), Effect::Money),
        ("v2_query", 2, query(), Effect::None),
        ("v2_close", 2, close(), Effect::None),
        ("v2_refund", 2, refund(), Effect::Money),
        ("v2_refund_query", 2, query_refund(), Effect::None),
    ] {
        assert_sent(name, adapter(version).encode(&operation, &context(NOW)).unwrap(), effect);
    }
}

#[test]
fn every_recorded_reply_means_one_thing() {
    let paid = format!("Succeeded {TRADE_NO} 88.88 CNY 2026-11-23T00:01:02.000Z");
    let ask = "stage 1 None /api/pay/query";
    let ask_refund = "stage 1 None /api/pay/refundquery";
    let qr = format!(r#"Awaiting(Qr {{ content: "https://qr.alipay.com/bax03431" }}) {TRADE_NO} - -"#);
    let jump = |url: &str| format!(r#"Awaiting(Redirect {{ url: "{url}" }}) {TRADE_NO} - -"#);
    let scheme = r#"Awaiting(Client { parameters: [("urlscheme", "weixin://dl/business/?ticket=x")] })"#;
    let poor =
        r#"Declined(Decline { reason: InsufficientFunds, code: "-1", message: "商户余额不足" }) - - -"#;
    let given = "Succeeded R1 8.80 CNY -";
    let pay = || pay_by("alipay.qr");
    let rows: &[(&str, Operation, Stage, &str)] = &[
        ("v2_create", pay(), 0, &qr),
        ("v2_create_jump", pay(), 0, &jump("https://pay.example/pay/qrcode/1/")),
        ("v2_create_scheme", pay(), 0, &format!("{scheme} {TRADE_NO} - -")),
        ("v2_create_script", pay(), 0, "Unexpected"),
        ("v2_create_paid", pay(), 0, ask),
        ("v2_create_error", pay(), 0, r#"Unknown { code: "-1", message: "支付通道不可用" }"#),
        ("v2_create_unsigned", pay(), 0, "Signature"),
        ("v2_create_md5", pay(), 0, "Signature"),
        ("v2_query_paid", pay(), 1, &paid),
        ("v2_query_paid", query(), 0, &paid),
        ("v2_query_number", query(), 0, &paid),
        ("v2_query_refunded", query(), 0, &paid),
        ("v2_query_waiting", query(), 0, &format!("Pending {TRADE_NO} 88.88 CNY -")),
        ("v2_query_closed", query(), 0, &format!("Closed {TRADE_NO} 88.88 CNY -")),
        ("v2_query_frozen", query(), 0, "Unexpected"),
        ("v2_query_contradiction", query(), 0, "Unexpected"),
        ("v2_query_stale", query(), 0, "Unacceptable"),
        ("v2_query_cheap", query(), 0, "Unacceptable"),
        ("v2_query_other", query(), 0, "Unacceptable"),
        ("v2_query_other_pid", query(), 0, "Unacceptable"),
        ("v2_query_absent", query(), 0, "Absent - - -"),
        ("v1_query_paid", query(), 0, "Signature_or_code"),
        ("v2_close", close(), 0, "Closed - - -"),
        ("v2_close_paid", close(), 0, ask),
        ("v2_query_absent", close(), 0, "Absent - - -"),
        ("v2_query_paid", close(), 1, &paid),
        ("v2_refund", refund(), 0, ask_refund),
        ("v2_refund_poor", refund(), 0, "stage 2 None /api/pay/refundquery"),
        (
            "v2_refund_poor_unsigned",
            refund(),
            0,
            r#"Unknown { code: "-1", message: "商户余额不足，无法退款" }"#,
        ),
        ("v2_refund_strange", refund(), 0, r#"Unknown { code: "-1", message: "请稍后" }"#),
        ("v2_refund_more", refund(), 0, "Unacceptable"),
        ("v2_refund_query", refund(), 1, given),
        ("v2_refund_query", refund(), 2, given),
        ("v2_refund_query_none", refund(), 1, "Pending - - -"),
        ("v2_refund_query_none", refund(), 2, poor),
        ("v2_refund_query", query_refund(), 0, given),
        ("v2_refund_query_none", query_refund(), 0, "Absent - - -"),
        ("v2_refund_query_failed", query_refund(), 0, r#"Unknown { code: "0", message: "退款成功" }"#),
    ];
    for (name, operation, stage, expected) in rows {
        // A reply of version 1 is an unsigned reply to an account of version 2, whatever its code.
        let expected = match *expected {
            "Signature_or_code" => r#"Unknown { code: "1", message: "succ" }"#,
            expected => expected,
        };
        let result = adapter(2).decode(operation, *stage, &read_reply(name), &context(NOW));
        assert_eq!(line(result), expected, "{name} at stage {stage} of {:?}", operation.verb());
    }
}

#[test]
fn every_recorded_reply_of_version_1_means_one_thing() {
    let paid = format!("Succeeded {TRADE_NO} 88.88 CNY 2026-11-23T00:01:02.000Z");
    let qr = format!(r#"Awaiting(Qr {{ content: "https://qr.alipay.com/bax03431" }}) {TRADE_NO} - -"#);
    let own = r#"Awaiting(Redirect { url: "https://pay.example/pay/alipay/1/" })"#;
    let pay = || pay_by("alipay.qr");
    for (name, operation, expected) in [
        ("v1_create", pay(), &qr),
        ("v1_create_path", pay(), &format!("{own} {TRADE_NO} - -")),
        ("v1_query_paid", query(), &paid),
        ("v1_query_waiting", query(), &format!("Pending {TRADE_NO} 88.88 CNY -")),
        ("v1_query_absent", query(), &"Absent - - -".to_owned()),
        ("v1_query_key", query(), &r#"Unknown { code: "-3", message: "商户密钥错误" }"#.to_owned()),
        ("v1_query_money_one", query(), &"Unexpected".to_owned()),
    ] {
        let result = adapter(1).decode(&operation, 0, &read_reply(name), &context(NOW));
        assert_eq!(&line(result), expected, "{name}");
    }
}

#[test]
fn an_amount_is_read_exactly_however_a_fork_writes_it() {
    let of = |fen| Operation::Query(Query { payment: payment(fen) });
    for name in ["v1_query_money_whole", "v1_query_money_short", "v1_query_money_full"] {
        let result = adapter(1).decode(&of(100), 0, &read_reply(name), &context(NOW));
        let Ok(Step::Done(outcome)) = result else { panic!("{name}: {result:?}") };
        assert_eq!((outcome.verdict, outcome.money), (Verdict::Succeeded, Some(cny(100))), "{name}");
        let result = adapter(1).decode(&of(101), 0, &read_reply(name), &context(NOW));
        assert!(matches!(result, Err(Fault::Unacceptable(_))), "{name}");
    }
}

#[test]
fn what_does_not_fit_the_channel_is_refused_before_anything_is_sent() {
    let encode = |version, operation: &Operation| adapter(version).encode(operation, &context(NOW)).err();
    for version in [1, 2] {
        for fen in [0, -1, 10_000_000_001] {
            let operation = Operation::Pay(Pay { money: cny(fen), ..pay("alipay.qr") });
            assert!(matches!(encode(version, &operation), Some(Refusal::Amount(_))), "{fen}");
        }
        let dollars = Pay { money: Money::new(1, Currency::USD), ..pay("alipay.qr") };
        assert!(matches!(encode(version, &Operation::Pay(dollars)), Some(Refusal::Amount(_))));
        for method in ["alipay.wap", "card.page", "epay.qr"] {
            assert!(matches!(encode(version, &pay_by(method)), Some(Refusal::Unsupported(_))), "{method}");
        }
        for (param, method, change) in [
            ("reference", "alipay.qr", (|pay| pay.reference = "a-b".into()) as fn(&mut Pay)),
            ("reference", "alipay.qr", |pay| pay.reference = "a".repeat(33)),
            ("subject", "alipay.qr", |pay| pay.subject = " ".into()),
            ("payer.ip", "alipay.qr", |pay| pay.payer.ip = None),
            ("return_url", "alipay.qr", |pay| pay.return_url = Some("javascript:alert(1)".into())),
            ("return_url", "alipay.qr", |pay| {
                pay.return_url = Some("https://a.example/?a=1&type=qqpay".into())
            }),
        ] {
            let mut pay = pay(method);
            change(&mut pay);
            let refused = encode(version, &Operation::Pay(pay));
            assert_parameter(refused, param);
        }
    }
    for operation in [refund(), query_refund()] {
        assert!(matches!(encode(1, &operation), Some(Refusal::Unsupported(_))), "a V1 refund has no number");
    }
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |version: u8, field: &str, value: &str| {
        field_at_fault(&format!("ours_v{version}.json"), field, value)
    };
    let own_key = settings("theirs.json").text("merchant_public_key", "").to_owned();
    for (version, field, value) in [
        (1, "protocol", "v3"),
        (1, "protocol", ""),
        (1, "key", " "),
        (1, "key", "short"),
        (1, "key", "with a space in it"),
        (1, "gateway", "http://pay.example"),
        (1, "gateway", "pay.example"),
        (1, "pid", "10 01"),
        (2, "private_key", "not a key"),
        (2, "platform_public_key", ""),
        (2, "platform_public_key", &own_key),
        (2, "gateway", "https://pay.example/?a=b"),
    ] {
        assert_eq!(with(version, field, value).as_deref(), Some(field), "{value}");
    }
    for (version, field, value) in [
        (1, "gateway", "http://127.0.0.1:8080/panel/"),
        (2, "gateway", "http://pay.example"),
        (2, "key", "Kq7vR2mX9cT4bN8z"),
        (1, "pid", "shop_7"),
    ] {
        assert_eq!(with(version, field, value), None, "{field} {value}");
    }
    let debug = format!("{:?}", Epay.open(&settings("ours_v1.json"), &NativeKeyring).map(|_| ()));
    assert!(!debug.contains(settings("ours_v1.json").text("key", "")));
}
