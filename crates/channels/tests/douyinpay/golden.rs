//! Requests byte for byte, and what each recorded reply means. The replies were signed by another implementation.

use super::*;

#[test]
fn every_operation_is_sent_as_recorded() {
    let first = |operation: &Operation| adapter().encode(operation, &context(NOW)).unwrap();
    let then = |name| adapter().decode(&close(), 0, &reply(name), &context(NOW)).unwrap();
    for (name, step, effect) in [
        ("native", first(&pay_by("qr")), Effect::Money),
        ("h5", first(&pay_by("h5")), Effect::Money),
        ("jsapi", first(&pay_by("jsapi")), Effect::Money),
        ("app", first(&pay_by("app")), Effect::Money),
        ("query", first(&query()), Effect::None),
        ("close", then("query_notpay"), Effect::None),
        ("refund", first(&refund()), Effect::Money),
        ("refund_query", first(&query_refund()), Effect::None),
    ] {
        assert_sent(name, step, effect);
    }
    assert_eq!(request(first(&pay_by("mini"))).text, request(first(&pay_by("jsapi"))).text);
}

#[test]
fn every_recorded_reply_means_one_thing() {
    let paid = format!("Succeeded {TRANSACTION} 88.88 CNY 2026-11-23T00:01:02.000Z");
    let given = |verdict: &str, at: &str| format!("{verdict} {REFUND_ID} 8.80 CNY {at}");
    let order = format!("/v1/trade/transactions/out-trade-no/{REFERENCE}");
    let (ask, ask_after) = (format!("stage 2 None GET {order}"), format!("stage 3 None GET {order}"));
    let ask_refund = format!("stage 3 None GET /v1/trade/refund/domestic/refunds/{REFUND}");
    let no = |reason: &str, code: &str, message: &str| {
        format!("Declined(Decline {{ reason: {reason}, code: {code:?}, message: {message:?} }}) - - -")
    };
    let unknown = |code: &str, message: &str| format!("Unknown {{ code: {code:?}, message: {message:?} }}");
    let rows = [
        (
            "native",
            pay_by("qr"),
            0,
            r#"Awaiting(Qr { content: "https://tp-pay.snssdk.com/native?token=p4lpSuKzz" }) - - -"#.into(),
        ),
        (
            "h5",
            pay_by("h5"),
            0,
            r#"Awaiting(Redirect { url: "https://tp-pay.snssdk.com/h5?prepay_id=dy1123" }) - - -"#.into(),
        ),
        ("prepay", pay_by("qr"), 0, "Unexpected(\"no code_url\")".into()),
        ("native", pay_by("jsapi"), 0, "Unexpected(\"no prepay_id\")".into()),
        ("order_paid", pay_by("qr"), 0, ask.clone()),
        ("order_closed", pay_by("qr"), 0, ask.clone()),
        ("param_error", pay_by("qr"), 0, ask_after),
        ("query_absent", pay_by("qr"), 2, "Absent - - -".into()),
        ("query_absent", pay_by("qr"), 3, no("InvalidRequest", "PARAMERROR", "参数错误")),
        ("query_paid", pay_by("qr"), 3, paid.clone()),
        ("param_error_unsigned", pay_by("qr"), 0, unknown("PARAM_ERROR", "参数错误")),
        ("system_error", pay_by("qr"), 0, unknown("SYSTEM_ERROR", "系统繁忙")),
        ("limited", pay_by("qr"), 0, unknown("FREQUENCY_LIMITED", "频率超限")),
        ("undocumented", pay_by("qr"), 0, unknown("NOT_IN_ANY_DOCUMENT", "?")),
        ("query_paid", query(), 0, paid.clone()),
        ("query_refund", query(), 0, paid.clone()),
        ("query_no_id", query(), 0, "Unexpected(\"trade_state \\\"SUCCESS\\\"\")".into()),
        ("query_notpay", query(), 0, "Pending - 88.88 CNY -".into()),
        ("query_payerror", query(), 0, "Pending - 88.88 CNY -".into()),
        ("query_closed", query(), 0, "Closed - 88.88 CNY -".into()),
        ("query_absent", query(), 0, "Absent - - -".into()),
        ("system_error", query(), 0, unknown("SYSTEM_ERROR", "系统繁忙")),
        ("query_paid", close(), 0, paid),
        ("query_closed", close(), 0, "Closed - 88.88 CNY -".into()),
        ("query_absent", close(), 0, "Absent - - -".into()),
        ("query_notpay", close(), 0, format!("stage 1 None POST {order}/close")),
        ("close", close(), 1, "Closed - - -".into()),
        ("close_204", close(), 1, "Closed - - -".into()),
        ("query_paid", close(), 1, "Unexpected(\"not the answer to this call\")".into()),
        ("order_paid", close(), 1, ask),
        ("system_error", close(), 1, unknown("SYSTEM_ERROR", "系统繁忙")),
        ("refund_success", refund(), 0, given("Succeeded", "2026-11-23T00:09:11.000Z")),
        ("refund_processing", refund(), 0, given("Pending", "-")),
        ("refund_abnormal", query_refund(), 0, given("Pending", "-")),
        (
            "refund_closed",
            query_refund(),
            0,
            given("Declined(Decline { reason: Generic, code: \"CLOSED\", message: \"退款关闭\" })", "-"),
        ),
        ("refund_poor", refund(), 0, ask_refund),
        ("refund_absent", refund(), 3, no("InsufficientFunds", "NOTENOUGH", "余额不足")),
        ("refund_success", refund(), 3, given("Succeeded", "2026-11-23T00:09:11.000Z")),
        ("system_error", refund(), 0, unknown("SYSTEM_ERROR", "系统繁忙")),
        ("refund_absent", query_refund(), 0, "Absent - - -".into()),
    ];
    assert_read(&*adapter(), call_by_path, rows);
}

#[test]
fn the_clients_parameters_are_signed() {
    for (scene, start) in [("jsapi", "prepay_id=dy20"), ("mini", "prepay_id=dy20"), ("app", "Sign=DYPay")] {
        let (package, _) = v3::assert_client_parameters_signed(&pay_by(scene), scene);
        assert!(package.starts_with(start), "{scene}");
    }
}

#[test]
fn what_does_not_fit_the_channel_is_refused_before_anything_is_sent() {
    let with = |scene: &str, change: fn(&mut Pay)| refused(pay(scene), change);
    assert_amounts_refused(&pay("qr"), i64::from(i32::MAX) + 1);
    assert!(matches!(with("qr", |pay| pay.money = Money::new(1, Currency::USD)), Some(Refusal::Amount(_))));
    assert!(matches!(with("qr", |pay| pay.capture = CaptureMode::Manual), Some(Refusal::Unsupported(_))));
    assert!(matches!(with("qr", |pay| pay.shared = true), Some(Refusal::Unsupported(_))));
    assert!(matches!(with("page", |_| {}), Some(Refusal::Unsupported(_))));
    for (scene, param, change) in [
        ("qr", "reference", (|pay| pay.reference = "a-bcdef".into()) as fn(&mut Pay)),
        ("qr", "reference", |pay| pay.reference = "abcde".into()),
        ("qr", "subject", |pay| pay.subject = " ".into()),
        ("qr", "expires_at", |pay| pay.expires_at = Some(NOW)),
        ("h5", "payer.ip", |pay| pay.payer.ip = None),
        ("h5", "payer.ip", |pay| pay.payer.ip = Some("localhost".into())),
    ] {
        assert_parameter(with(scene, change), param);
    }
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |field: &str, value: &str| field_at_fault("ours.json", field, value);
    assert_eq!(with("gateway", "https://pay.example/douyin/"), None);
    let theirs = settings("theirs.json");
    for (field, value, fault) in [
        ("mchid", "60202024x", "mchid"),
        ("appid", "aw 1", "appid"),
        ("serial_no", "\"", "serial_no"),
        ("private_key", "not a key", "private_key"),
        ("encrypt_key", "31 characters are one too few!!", "encrypt_key"),
        ("encrypt_key", "十一个汉字不是三十二字节", "encrypt_key"),
        ("platform_certificate", "", "platform_certificate"),
        ("platform_certificate", theirs.text("merchant_public_key", ""), "platform_certificate"),
        ("gateway", "api.douyinpay.com", "gateway"),
    ] {
        assert_eq!(with(field, value).as_deref(), Some(fault), "{field} {value}");
    }
    // The serial of the platform's certificate as our own.
    assert_eq!(
        with("serial_no", theirs.text("platform_serial", "")).as_deref(),
        Some("platform_certificate")
    );
}
