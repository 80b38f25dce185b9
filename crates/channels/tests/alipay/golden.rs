//! Requests byte for byte, and what each recorded reply means. The replies were signed by another implementation.

use super::*;

fn by_method(call: &Call) -> String {
    let mut form = url::form_urlencoded::parse(call.request.body());
    let method = form.find(|(name, _)| name == "method").map(|(_, value)| value);
    call_named(call, method.as_deref().unwrap_or("-"))
}

#[test]
fn every_operation_is_sent_as_recorded() {
    for (name, operation, effect) in [
        ("page", pay_by("page"), Effect::None),
        ("precreate", pay_by("qr"), Effect::Money),
        ("query", query(), Effect::None),
        ("close", close(), Effect::None),
        ("refund", refund(), Effect::Money),
        ("refund_query", query_refund(), Effect::None),
    ] {
        assert_sent(name, adapter().encode(&operation, &context(NOW)).unwrap(), effect);
    }
}

#[test]
fn every_recorded_reply_means_one_thing() {
    let trade = format!("{TRADE_NO} 88.88 CNY");
    let ask = "stage 3 None alipay.trade.query";
    let ask_refund = "alipay.trade.fastpay.refund.query";
    let poor = r#"Declined(Decline { reason: InsufficientFunds, code: "ACQ.SELLER_BALANCE_NOT_ENOUGH", message: "卖家余额不足" }) - - -"#;
    let rows = [
        (
            "precreate",
            pay_by("qr"),
            PRECREATE,
            r#"Awaiting(Qr { content: "https://qr.alipay.com/bax03431ljhokirwl38f00a7" }) - - -"#.into(),
        ),
        (
            "precreate_forbidden",
            pay_by("qr"),
            PRECREATE,
            r#"Declined(Decline { reason: NotPermitted, code: "ACQ.ACCESS_FORBIDDEN", message: "无权限使用接口" }) - - -"#
                .into(),
        ),
        ("precreate_paid", pay_by("qr"), PRECREATE, ask.into()),
        (
            "precreate_unknown",
            pay_by("qr"),
            PRECREATE,
            r#"Unknown { code: "isp.unknow-error", message: "系统繁忙" }"#.into(),
        ),
        (
            "precreate_unsigned",
            pay_by("qr"),
            PRECREATE,
            r#"Unknown { code: "isv.invalid-signature", message: "无效签名" }"#.into(),
        ),
        ("query_paid", pay_by("qr"), QUERY, format!("Succeeded {trade} 2026-11-23T00:01:02.000Z")),
        ("query_paid", query(), QUERY, format!("Succeeded {trade} 2026-11-23T00:01:02.000Z")),
        ("query_gbk", query(), QUERY, format!("Succeeded {trade} 2026-11-23T00:01:02.000Z")),
        ("query_refunded", query(), QUERY, format!("Succeeded {trade} 2026-11-23T00:01:02.000Z")),
        ("query_waiting", query(), QUERY, format!("Pending {trade} -")),
        ("query_closed", query(), QUERY, format!("Closed {trade} -")),
        ("query_absent", query(), QUERY, "stage 10 None alipay.fund.auth.operation.detail.query".into()),
        ("close", close(), CLOSE, format!("Closed {TRADE_NO} - -")),
        ("close_paid", close(), CLOSE, ask.into()),
        ("query_paid", close(), QUERY, format!("Succeeded {trade} 2026-11-23T00:01:02.000Z")),
        ("query_waiting", close(), QUERY, format!("Pending {trade} -")),
        ("refund", refund(), REFUND_FIRST, format!("Succeeded {TRADE_NO} 8.80 CNY 2026-11-23T01:10:11.000Z")),
        ("refund_second", refund(), REFUND_FIRST, format!("stage {REFUND_ASK} None {ask_refund}")),
        ("refund_repeat", refund(), REFUND_FIRST, format!("stage {REFUND_ASK} None {ask_refund}")),
        ("refund_poor", refund(), REFUND_FIRST, format!("stage {POOR} None {ask_refund}")),
        ("refund_query", refund(), REFUND_ASK, format!("Succeeded {TRADE_NO} 8.80 CNY 2026-11-23T01:10:11.000Z")),
        ("refund_query", refund(), POOR, format!("Succeeded {TRADE_NO} 8.80 CNY 2026-11-23T01:10:11.000Z")),
        ("refund_query_none", refund(), REFUND_ASK, "Pending - - -".into()),
        ("refund_query_none", refund(), POOR, poor.into()),
        ("refund_query", query_refund(), REFUND_ASK, format!("Succeeded {TRADE_NO} 8.80 CNY 2026-11-23T01:10:11.000Z")),
        ("refund_query_none", query_refund(), REFUND_ASK, "Absent - - -".into()),
    ];
    assert_read(&*adapter(), by_method, rows);
}

#[test]
fn what_does_not_fit_the_channel_is_refused_before_anything_is_sent() {
    let with = |change: fn(&mut Pay)| refused(pay("page"), change);
    assert_eq!(with(|_| {}), None);
    assert_amounts_refused(&pay("qr"), 10_000_000_001);
    assert!(matches!(with(|pay| pay.money = Money::new(1, Currency::USD)), Some(Refusal::Amount(_))));
    assert!(matches!(with(|pay| pay.method = "alipay.face".parse().unwrap()), Some(Refusal::Unsupported(_))));
    assert!(matches!(with(|pay| pay.capture = CaptureMode::Manual), Some(Refusal::Unsupported(_))));
    for (param, change) in [
        ("reference", (|pay| pay.reference = "a-b".into()) as fn(&mut Pay)),
        ("reference", |pay| pay.reference = "a".repeat(33)),
        ("subject", |pay| pay.subject = " ".into()),
        ("expires_at", |pay| pay.expires_at = Some(NOW)),
        ("return_url", |pay| pay.return_url = Some("javascript:alert(1)".into())),
        ("return_url", |pay| pay.return_url = Some("https://shop.example/?a=1&sign_type=RSA".into())),
    ] {
        assert_parameter(with(change), param);
    }
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |field: &str, value: &str| field_at_fault("ours.json", field, value);
    assert_eq!(with("gateway", "https://pay.example/gateway.do"), None);
    for (field, value) in [
        ("app_id", ""),
        ("app_id", "20210041992600x1"),
        ("private_key", "not a key"),
        ("alipay_public_key", " "),
        ("alipay_public_key", "aGVsbG8="),
        // The merchant's own public key in the place of Alipay's.
        ("alipay_public_key", settings("theirs.json").text("app_public_key", "")),
        ("seller_id", "2088"),
        ("gateway", "gateway.do"),
        ("gateway", "https://pay.example/gateway.do?charset=utf-8"),
    ] {
        assert_eq!(with(field, value).as_deref(), Some(field), "{value}");
    }
}
