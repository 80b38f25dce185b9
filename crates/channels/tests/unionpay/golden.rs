//! Requests byte for byte, and what each recorded reply means. The replies were signed by another implementation.

use super::*;

#[test]
fn every_operation_is_sent_as_recorded() {
    let by = |scene| Operation::Pay(pay(scene));
    let held = Operation::Pay(Pay { capture: CaptureMode::Manual, ..pay("h5") });
    for (name, operation, effect) in [
        ("page", by("page"), Effect::None),
        ("h5_held", held, Effect::None),
        ("b2b", by("b2b"), Effect::None),
        ("app", by("app"), Effect::Money),
        ("qr", by("qr"), Effect::Money),
        ("barcode", by("barcode"), Effect::Money),
        ("query", query(), Effect::None),
        ("capture", capture(), Effect::Money),
        ("void", void(), Effect::Money),
        ("refund", refund(), Effect::Money),
        ("query_refund", query_refund(), Effect::None),
        ("statement", statement(), Effect::None),
    ] {
        assert_sent(name, adapter().encode(&operation, &context(NOW)).unwrap(), effect);
    }
}

fn by_number(call: &Call) -> String {
    let form: std::collections::BTreeMap<_, _> = url::form_urlencoded::parse(call.request.body()).collect();
    format!("stage {} {} {}", call.stage, form["txnType"], form["orderId"])
}

#[test]
fn every_recorded_reply_about_a_payment_means_one_thing() {
    let by = |scene| Operation::Pay(pay(scene));
    let paid = format!("{QUERY_ID} 88.88 CNY 2026-11-23T00:12:05.000Z");
    let qr = r#"Awaiting(Qr { content: "https://qr.95516.com/00010000/62211223344556677" }) - - -"#;
    let app = r#"Awaiting(Client { parameters: [("tn", "661278901123081012345")] }) - - -"#;
    let poor = r#"Declined(Decline { reason: InsufficientFunds, code: "64", message: "卡上的余额不足[1000064]" }) - - -"#;
    let busy = r#"Unknown { code: "06", message: "系统繁忙，请稍后再试" }"#;
    let strange = r#"Unknown { code: "42", message: "扣款成功但交易超过规定支付时间" }"#;
    assert_read(
        &*adapter(),
        by_number,
        [
            ("qr", by("qr"), 0, qr.into()),
            ("app", by("app"), 0, app.into()),
            ("accepted", by("barcode"), 0, format!("stage 1 00 {REFERENCE}")),
            ("repeated", by("qr"), 0, format!("stage 1 00 {REFERENCE}")),
            ("busy", by("barcode"), 0, busy.into()),
            ("query_paid", query(), 0, format!("Succeeded {paid}")),
            ("query_paid", by("barcode"), 1, format!("Succeeded {paid}")),
            ("query_defect", query(), 0, format!("Succeeded {paid}")),
            ("query_pending", query(), 0, "Pending - - -".into()),
            ("query_poor", query(), 0, poor.into()),
            ("query_absent", query(), 0, "Absent - - -".into()),
            ("query_absent", by("barcode"), 1, "Pending - - -".into()),
            ("query_strange", query(), 0, strange.into()),
            ("query_held", query(), 0, format!("Authorized {paid}")),
            ("no_statement", statement(), 0, "Absent - - -".into()),
        ],
    );
}

#[test]
fn every_recorded_reply_about_a_capture_or_void_means_one_thing() {
    let looking = Payment { channel_id: None, ..held() };
    let looking = Operation::Capture(Capture { payment: looking, money: cny(8000) });
    let standing = || Operation::Query(Query { payment: held() });
    let id = |letter: char| format!("{REFERENCE}{letter}oxi9c");
    let captured = || "Succeeded 202611230820000123459 80.00 CNY 2026-11-23T00:20:03.000Z".to_owned();
    let voided = || "Closed 202611230820000123460 88.88 CNY 2026-11-23T00:20:03.000Z".to_owned();
    assert_read(
        &*adapter(),
        by_number,
        [
            ("query_held", standing(), 0, format!("stage 4 00 {}", id('c'))),
            ("query_held", looking, 2, format!("stage 3 03 {}", id('c'))),
            ("capture_accepted", capture(), 0, format!("stage 1 00 {}", id('c'))),
            ("query_capture", capture(), 1, captured()),
            ("query_capture", standing(), 4, captured()),
            ("query_capture_absent", standing(), 4, format!("stage 5 00 {}", id('v'))),
            ("query_void", standing(), 5, voided()),
            ("query_void", void(), 1, voided()),
        ],
    );
}

#[test]
fn every_recorded_reply_about_a_refund_means_one_thing() {
    let given = || "Succeeded 202611230910000123461 8.80 CNY 2026-11-23T01:10:04.000Z".to_owned();
    let refused = r#"Declined(Decline { reason: InvalidRequest, code: "36", message: "银联应答码" }) - - -"#;
    assert_read(
        &*adapter(),
        by_number,
        [
            ("refund_accepted", refund(), 0, format!("stage 1 00 {REFUND}")),
            ("refund_refused", refund(), 0, format!("stage 24 00 {REFUND}")),
            ("query_refund", refund(), 1, given()),
            ("query_refund", refund(), 24, given()),
            ("query_refund_absent", refund(), 24, refused.into()),
            ("query_refund_absent", query_refund(), 0, "Absent - - -".into()),
            ("query_refund", query_refund(), 0, given()),
        ],
    );
}

#[test]
fn what_does_not_fit_the_channel_is_refused_before_anything_is_sent() {
    let refusal = |pay: Pay| adapter().encode(&Operation::Pay(pay), &context(NOW)).err();
    assert_eq!(refusal(pay("barcode")), None);
    for fen in [0, -1, 1_000_000_000_000] {
        assert!(matches!(refusal(Pay { money: cny(fen), ..pay("qr") }), Some(Refusal::Amount(_))), "{fen}");
    }
    let manual = Pay { capture: CaptureMode::Manual, ..pay("b2b") };
    assert!(matches!(refusal(manual), Some(Refusal::Unsupported(_))));
    assert!(matches!(refusal(Pay { shared: true, ..pay("qr") }), Some(Refusal::Unsupported(_))));
    let code = |code: &str| Payer { auth_code: Some(code.into()), ..Payer::default() };
    for (param, wrong) in [
        ("reference", Pay { reference: "abc-efgh".into(), ..pay("qr") }),
        ("reference", Pay { reference: "abcdefg".into(), ..pay("qr") }),
        ("expires_at", Pay { expires_at: Some(NOW), ..pay("qr") }),
        ("return_url", Pay { return_url: Some("javascript:alert(1)".into()), ..pay("page") }),
        ("payer.auth_code", Pay { payer: code("62123x"), ..pay("barcode") }),
        ("payer.auth_code", Pay { payer: Payer::default(), ..pay("barcode") }),
    ] {
        assert_parameter(refusal(wrong), param);
    }
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |pairs: &[(&str, &str)]| {
        let mut changed = settings();
        for (field, value) in pairs {
            changed.set(*field, *value);
        }
        UnionPay.open(&changed, &NativeKeyring).err().map(|error| error.field)
    };
    assert_eq!(with(&[]), None);
    assert_eq!(with(&[("sign_method", "11"), ("secure_key", "979da4cfccbae7923641daa5dd7047c2")]), None);
    for (field, value) in [
        ("mer_id", "7772900581100"),
        ("sign_method", "02"),
        ("private_key", text("keys/stranger.key").as_str()),
        ("certificate", "not a certificate"),
        ("root_certificate", text("keys/rogue.pem").as_str()),
        ("middle_certificate", text("keys/sign.pem").as_str()),
        ("gateway", "gateway.95516.com"),
        ("term_id", "1"),
    ] {
        let field_named = if matches!(field, "private_key") { "certificate" } else { field };
        let field_named = if field == "root_certificate" { "middle_certificate" } else { field_named };
        assert_eq!(with(&[(field, value)]).as_deref(), Some(field_named), "{value}");
    }
    let certificate = text("keys/sign.pem");
    for key in ["", "short", certificate.as_str()] {
        let refused = with(&[("sign_method", "11"), ("secure_key", key)]);
        assert_eq!(refused.as_deref(), Some("secure_key"), "{key:?}");
    }
}
