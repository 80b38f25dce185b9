//! Requests byte for byte, and what each recorded reply means. The replies were signed by another implementation.

use super::*;

#[test]
fn every_operation_is_sent_as_recorded() {
    for (name, operation, effect) in [
        ("order_qr", pay_by("qr"), Effect::Money),
        ("order_app", pay_by("app"), Effect::Money),
        ("order_h5", pay_by("h5"), Effect::Money),
        ("order_mini", pay_by("mini"), Effect::Money),
        ("query", query(), Effect::None),
        ("close", close(), Effect::None),
        ("refund", refund(), Effect::Money),
        ("refund_query", query_refund(), Effect::None),
    ] {
        assert_sent(name, adapter().encode(&operation, &context(NOW)).unwrap(), effect);
    }
}

type Row = (&'static str, Operation, Stage, String);

#[test]
fn every_recorded_reply_means_one_thing() {
    assert_read(&*adapter(), call_by_last_segment, payments().into_iter().chain(refunds()));
}

fn declined(code: &str, text: &str) -> String {
    format!("Declined(Decline {{ reason: Generic, code: {code:?}, message: {text:?} }})")
}

const UNCLEAR: &str = r#"Unknown { code: "SYSTERM_ERROR", message: "系统异常，请稍后查询" }"#;

fn payments() -> Vec<Row> {
    let order = format!("{CMB_ORDER_ID} 88.88 CNY");
    let paid = format!("Succeeded {order} 2026-11-23T00:01:02.000Z");
    let qr = format!(r#"Awaiting(Qr {{ content: "https://ecny.example/q/1?a=1&b=2" }}) {CMB_ORDER_ID} - -"#);
    vec![
        ("order_qr", pay_by("qr"), 0, qr),
        (
            "order_app",
            pay_by("h5"),
            0,
            format!(r#"Awaiting(Redirect {{ url: "ecny://pay?o=1" }}) {CMB_ORDER_ID} - -"#),
        ),
        (
            "order_app",
            pay_by("app"),
            0,
            format!(
                "Awaiting(Client {{ parameters: {:?} }}) {CMB_ORDER_ID} - -",
                [
                    ("invokeUrl", "ecny://pay?o=1"),
                    ("creditorInstitutionId", "C1030844001138"),
                    ("merchantNo", "M1"),
                    ("encryptedKey", "a2V5"),
                    ("encryptedInfo", "aW5mbw=="),
                    ("encryptionSN", "40")
                ]
            ),
        ),
        ("order_app", pay_by("qr"), 0, r#"Unexpected("no qrCode")"#.into()),
        ("order_refused", pay_by("qr"), 0, "stage 1 None orderquery".into()),
        ("query_absent", pay_by("qr"), 1, format!("{} - - -", declined("FAIL", "下单被拒绝，且订单不存在"))),
        ("query_waiting", pay_by("qr"), 1, format!("Pending {order} -")),
        ("unclear", pay_by("qr"), 0, UNCLEAR.into()),
        ("unclear", query(), 0, UNCLEAR.into()),
        ("unclear", refund(), 0, UNCLEAR.into()),
        ("unsigned", pay_by("qr"), 0, r#"Unknown { code: "SIGN_ERROR", message: "验签失败" }"#.into()),
        ("query_paid", query(), 0, paid.clone()),
        ("query_refunded", query(), 0, paid.clone()),
        ("query_waiting", query(), 0, format!("Pending {order} -")),
        ("query_closed", query(), 0, format!("Closed {order} -")),
        ("query_failed", query(), 0, format!("{} {order} -", declined("F", "交易失败"))),
        ("query_absent", query(), 0, "Absent - - -".into()),
        (
            "order_refused",
            query(),
            0,
            r#"Unknown { code: "MER_FORBIDDEN", message: "商户未开通数字人民币" }"#.into(),
        ),
        ("close", close(), 0, format!("Closed {CMB_ORDER_ID} - -")),
        ("order_refused", close(), 0, "stage 1 None orderquery".into()),
        ("query_paid", close(), 1, paid),
    ]
}

fn refunds() -> Vec<Row> {
    let given = "Succeeded - 8.80 CNY 2026-11-23T01:10:11.000Z";
    vec![
        ("refund", refund(), 0, "stage 1 None refundquery".into()),
        ("order_refused", refund(), 0, "stage 2 None refundquery".into()),
        ("refund_query", refund(), 1, given.into()),
        ("query_absent", refund(), 1, "Pending - - -".into()),
        ("query_absent", refund(), 2, format!("{} - - -", declined("FAIL", "退款被拒绝，且退款不存在"))),
        ("refund_query", query_refund(), 0, given.into()),
        ("refund_failed", query_refund(), 0, format!("{} - 8.80 CNY -", declined("F", "退款失败"))),
        ("query_absent", query_refund(), 0, "Absent - - -".into()),
    ]
}

#[test]
fn what_does_not_fit_the_operator_is_refused_before_anything_is_sent() {
    let with = |change: fn(&mut Pay)| refused(pay("qr"), change);
    assert_eq!(with(|_| {}), None);
    assert_amounts_refused(&pay("qr"), 1_000_000_001);
    assert!(matches!(with(|pay| pay.money = Money::new(1, Currency::USD)), Some(Refusal::Amount(_))));
    assert!(matches!(
        with(|pay| pay.method = "ecny.barcode".parse().unwrap()),
        Some(Refusal::Unsupported(_))
    ));
    assert!(matches!(with(|pay| pay.capture = CaptureMode::Manual), Some(Refusal::Unsupported(_))));
    assert!(matches!(with(|pay| pay.shared = true), Some(Refusal::Unsupported(_))));
    for (param, change) in [
        ("reference", (|pay| pay.reference = "a-b".into()) as fn(&mut Pay)),
        ("reference", |pay| pay.reference = "a".repeat(33)),
        ("subject", |pay| pay.subject = " ".into()),
        ("expires_at", |pay| pay.expires_at = Some(NOW)),
    ] {
        assert_parameter(with(change), param);
    }
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |field: &str, value: &str| field_at_fault("ours.json", field, value);
    assert_eq!(with("gateway", ""), None);
    for (field, value) in [
        ("operator", ""),
        ("operator", "icbc"),
        ("merchant_id", "a&b=c"),
        ("cashier_id", "12345678901"),
        ("app_secret", " "),
        ("private_key", "0"),
        ("private_key", &"0".repeat(64)),
        ("operator_public_key", "aGVsbG8="),
        // The merchant's own public key in the place of the bank's.
        ("operator_public_key", settings("theirs.json").text("merchant_public_key", "")),
        ("terminal_no", "终端"),
        ("gateway", "api.example"),
    ] {
        assert_eq!(with(field, value).as_deref(), Some(field), "{value}");
    }
}
