//! Requests byte for byte, and what each recorded reply means. The replies were signed by another implementation.

use paycore::channel::{Effect, Fault, Operation, Outcome, Refusal, Stage, Step};

use super::*;

/// An outcome, a call or a fault in one line.
fn line(result: Result<Step, Fault>) -> String {
    match result {
        Ok(Step::Done(Outcome { verdict, channel_id, money, at, .. })) => {
            let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
            let money = or_dash(money.map(|money| money.to_string()));
            format!("{verdict:?} {} {money} {}", or_dash(channel_id), or_dash(at.map(|at| at.to_string())))
        }
        Ok(Step::Send(call)) => {
            let path = call.request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
            format!("stage {} {:?} {path}", call.stage, call.effect)
        }
        Ok(Step::File(file)) => format!("file of {} bytes", file.len()),
        Err(fault) => format!("{fault:?}"),
    }
}

/// With `PAYCORE_BLESS=1` the requests are recorded anew; check them with another implementation before a commit.
#[test]
fn every_operation_is_sent_as_recorded() {
    for (name, operation, effect) in [
        ("request_order_qr", pay_by("qr"), Effect::Money),
        ("request_order_app", pay_by("app"), Effect::Money),
        ("request_order_h5", pay_by("h5"), Effect::Money),
        ("request_order_mini", pay_by("mini"), Effect::Money),
        ("request_query", query(), Effect::None),
        ("request_close", close(), Effect::None),
        ("request_refund", refund(), Effect::Money),
        ("request_refund_query", query_refund(), Effect::None),
    ] {
        let Step::Send(call) = adapter().encode(&operation, &context()).unwrap() else { panic!("{name}") };
        assert_eq!(call.effect, effect, "{name}");
        let (head, body) = call.request.into_parts();
        let mut text = format!("{} {} HTTP/1.1\r\n", head.method, head.uri);
        for (name, value) in &head.headers {
            text += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        text += &format!("\r\n{}", String::from_utf8(body.to_vec()).unwrap());
        if std::env::var_os("PAYCORE_BLESS").is_some() {
            let path = format!("{}/src/ecny/fixtures/{name}.http", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(path, &text).unwrap();
        }
        assert_eq!(text, String::from_utf8(fixture(&format!("{name}.http"))).unwrap(), "{name}");
    }
}

type Row = (&'static str, Operation, Stage, String);

#[test]
fn every_recorded_reply_means_one_thing() {
    let adapter = adapter();
    for (name, operation, stage, expected) in payments().into_iter().chain(refunds()) {
        let result = adapter.decode(&operation, stage, &reply(name), &context());
        assert_eq!(line(result), expected, "{name} at stage {stage} of {:?}", operation.verb());
    }
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
        ("reply_order_qr", pay_by("qr"), 0, qr),
        (
            "reply_order_app",
            pay_by("h5"),
            0,
            format!(r#"Awaiting(Redirect {{ url: "ecny://pay?o=1" }}) {CMB_ORDER_ID} - -"#),
        ),
        (
            "reply_order_app",
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
        ("reply_order_app", pay_by("qr"), 0, r#"Unexpected("no qrCode")"#.into()),
        ("reply_order_refused", pay_by("qr"), 0, "stage 1 None orderquery".into()),
        (
            "reply_query_absent",
            pay_by("qr"),
            1,
            format!("{} - - -", declined("FAIL", "下单被拒绝，且订单不存在")),
        ),
        ("reply_query_waiting", pay_by("qr"), 1, format!("Pending {order} -")),
        ("reply_unclear", pay_by("qr"), 0, UNCLEAR.into()),
        ("reply_unclear", query(), 0, UNCLEAR.into()),
        ("reply_unclear", refund(), 0, UNCLEAR.into()),
        ("reply_unsigned", pay_by("qr"), 0, r#"Unknown { code: "SIGN_ERROR", message: "验签失败" }"#.into()),
        ("reply_query_paid", query(), 0, paid.clone()),
        ("reply_query_refunded", query(), 0, paid.clone()),
        ("reply_query_waiting", query(), 0, format!("Pending {order} -")),
        ("reply_query_closed", query(), 0, format!("Closed {order} -")),
        ("reply_query_failed", query(), 0, format!("{} {order} -", declined("F", "交易失败"))),
        ("reply_query_absent", query(), 0, "Absent - - -".into()),
        (
            "reply_order_refused",
            query(),
            0,
            r#"Unknown { code: "MER_FORBIDDEN", message: "商户未开通数字人民币" }"#.into(),
        ),
        ("reply_close", close(), 0, format!("Closed {CMB_ORDER_ID} - -")),
        ("reply_order_refused", close(), 0, "stage 1 None orderquery".into()),
        ("reply_query_paid", close(), 1, paid),
    ]
}

fn refunds() -> Vec<Row> {
    let given = "Succeeded - 8.80 CNY 2026-11-23T01:10:11.000Z";
    vec![
        ("reply_refund", refund(), 0, "stage 1 None refundquery".into()),
        ("reply_order_refused", refund(), 0, "stage 2 None refundquery".into()),
        ("reply_refund_query", refund(), 1, given.into()),
        ("reply_query_absent", refund(), 1, "Pending - - -".into()),
        (
            "reply_query_absent",
            refund(),
            2,
            format!("{} - - -", declined("FAIL", "退款被拒绝，且退款不存在")),
        ),
        ("reply_refund_query", query_refund(), 0, given.into()),
        ("reply_refund_failed", query_refund(), 0, format!("{} - 8.80 CNY -", declined("F", "退款失败"))),
        ("reply_query_absent", query_refund(), 0, "Absent - - -".into()),
    ]
}

#[test]
fn what_does_not_fit_the_operator_is_refused_before_anything_is_sent() {
    let with = |change: fn(&mut Pay)| {
        let mut pay = pay("qr");
        change(&mut pay);
        adapter().encode(&Operation::Pay(pay), &context()).err()
    };
    assert_eq!(with(|_| {}), None);
    for fen in [0, -1, 1_000_000_001] {
        let operation = Operation::Pay(Pay { money: cny(fen), ..pay("qr") });
        assert!(matches!(adapter().encode(&operation, &context()), Err(Refusal::Amount(_))), "{fen}");
    }
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
        assert!(matches!(with(change), Some(Refusal::Parameter { param: p, .. }) if p == param), "{param}");
    }
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |field: &str, value: &str| {
        let mut changed = settings("ours.json");
        changed.set(field, value);
        Ecny.open(&changed, &NativeKeyring).err().map(|error| error.field)
    };
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
