//! Requests byte for byte, and what each recorded reply means. The replies were signed by another implementation.

use paycore::channel::{Action, Effect, Fault, Outcome, Refusal, Stage, Step, Verdict};

use super::*;

fn request(operation: &Operation) -> (String, Effect) {
    match adapter().encode(operation, &context(NOW)).unwrap() {
        Step::Send(call) => {
            let (head, body) = call.request.into_parts();
            let mut text = format!("{} {} HTTP/1.1\r\n", head.method, head.uri);
            for (name, value) in &head.headers {
                text += &format!("{name}: {}\r\n", value.to_str().unwrap());
            }
            (format!("{text}\r\n{}", String::from_utf8(body.to_vec()).unwrap()), call.effect)
        }
        Step::Done(Outcome { verdict: Verdict::Awaiting(Action::Form { url, fields }), .. }) => {
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            (format!("POST {url} HTTP/1.1\r\n\r\n{body}"), Effect::None)
        }
        other => panic!("{other:?}"),
    }
}

/// With `PAYCORE_BLESS=1` the requests are recorded anew; check them with another implementation before a commit.
#[test]
fn every_operation_is_sent_as_recorded() {
    let by = |scene| Operation::Pay(pay(scene));
    let held = Operation::Pay(Pay { capture: CaptureMode::Manual, ..pay("h5") });
    for (name, operation, effect) in [
        ("request_page", by("page"), Effect::None),
        ("request_h5_held", held, Effect::None),
        ("request_b2b", by("b2b"), Effect::None),
        ("request_app", by("app"), Effect::Money),
        ("request_qr", by("qr"), Effect::Money),
        ("request_barcode", by("barcode"), Effect::Money),
        ("request_query", query(), Effect::None),
        ("request_capture", capture(), Effect::Money),
        ("request_void", void(), Effect::Money),
        ("request_refund", refund(), Effect::Money),
        ("request_query_refund", query_refund(), Effect::None),
        ("request_statement", fetch(), Effect::None),
    ] {
        let (text, actual) = request(&operation);
        assert_eq!(actual, effect, "{name}");
        if std::env::var_os("PAYCORE_BLESS").is_some() {
            std::fs::write(path(&format!("{name}.http")), &text).unwrap();
        }
        assert_eq!(text, self::text(&format!("{name}.http")), "{name}");
    }
}

/// An outcome, a call or a fault in one line.
fn line(result: Result<Step, Fault>) -> String {
    match result {
        Ok(Step::Done(Outcome { verdict, channel_id, money, at, .. })) => {
            let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
            let (money, at) = (or_dash(money.map(|m| m.to_string())), or_dash(at.map(|at| at.to_string())));
            format!("{verdict:?} {} {money} {at}", or_dash(channel_id))
        }
        Ok(Step::Send(call)) => {
            let form = url::form_urlencoded::parse(call.request.body()).into_owned();
            let form: std::collections::BTreeMap<String, String> = form.collect();
            format!("stage {} {} {}", call.stage, form["txnType"], form["orderId"])
        }
        Ok(Step::File(file)) => format!("{} bytes", file.len()),
        Err(fault) => format!("{fault:?}"),
    }
}

type Row = (&'static str, Operation, Stage, String);

fn check(rows: &[Row]) {
    let adapter = adapter();
    for (name, operation, stage, expected) in rows {
        let result = adapter.decode(operation, *stage, &reply_of(body(name)), &context(NOW));
        assert_eq!(&line(result), expected, "{name} at stage {stage} of {:?}", operation.verb());
    }
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
    check(&[
        ("reply_qr", by("qr"), 0, qr.into()),
        ("reply_app", by("app"), 0, app.into()),
        ("reply_accepted", by("barcode"), 0, format!("stage 1 00 {REFERENCE}")),
        ("reply_repeated", by("qr"), 0, format!("stage 1 00 {REFERENCE}")),
        ("reply_busy", by("barcode"), 0, busy.into()),
        ("reply_query_paid", query(), 0, format!("Succeeded {paid}")),
        ("reply_query_paid", by("barcode"), 1, format!("Succeeded {paid}")),
        ("reply_query_defect", query(), 0, format!("Succeeded {paid}")),
        ("reply_query_pending", query(), 0, "Pending - - -".into()),
        ("reply_query_poor", query(), 0, poor.into()),
        ("reply_query_absent", query(), 0, "Absent - - -".into()),
        ("reply_query_absent", by("barcode"), 1, "Pending - - -".into()),
        ("reply_query_strange", query(), 0, strange.into()),
        ("reply_query_held", query(), 0, format!("Authorized {paid}")),
        ("reply_no_statement", fetch(), 0, "Absent - - -".into()),
    ]);
}

#[test]
fn every_recorded_reply_about_a_capture_or_void_means_one_thing() {
    let looking = Payment { channel_id: None, ..held() };
    let looking = Operation::Capture(Capture { payment: looking, money: cny(8000) });
    let standing = || Operation::Query(Query { payment: held() });
    let id = |letter: char| format!("{REFERENCE}{letter}oxi9c");
    let captured = || "Succeeded 202611230820000123459 80.00 CNY 2026-11-23T00:20:03.000Z".to_owned();
    let voided = || "Closed 202611230820000123460 88.88 CNY 2026-11-23T00:20:03.000Z".to_owned();
    check(&[
        ("reply_query_held", standing(), 0, format!("stage 4 00 {}", id('c'))),
        ("reply_query_held", looking, 2, format!("stage 3 03 {}", id('c'))),
        ("reply_capture_accepted", capture(), 0, format!("stage 1 00 {}", id('c'))),
        ("reply_query_capture", capture(), 1, captured()),
        ("reply_query_capture", standing(), 4, captured()),
        ("reply_query_capture_absent", standing(), 4, format!("stage 5 00 {}", id('v'))),
        ("reply_query_void", standing(), 5, voided()),
        ("reply_query_void", void(), 1, voided()),
    ]);
}

#[test]
fn every_recorded_reply_about_a_refund_means_one_thing() {
    let given = || "Succeeded 202611230910000123461 8.80 CNY 2026-11-23T01:10:04.000Z".to_owned();
    let refused = r#"Declined(Decline { reason: InvalidRequest, code: "36", message: "银联应答码" }) - - -"#;
    check(&[
        ("reply_refund_accepted", refund(), 0, format!("stage 1 00 {REFUND}")),
        ("reply_refund_refused", refund(), 0, format!("stage 24 00 {REFUND}")),
        ("reply_query_refund", refund(), 1, given()),
        ("reply_query_refund", refund(), 24, given()),
        ("reply_query_refund_absent", refund(), 24, refused.into()),
        ("reply_query_refund_absent", query_refund(), 0, "Absent - - -".into()),
        ("reply_query_refund", query_refund(), 0, given()),
    ]);
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
        assert!(matches!(refusal(wrong), Some(Refusal::Parameter { param: p, .. }) if p == param), "{param}");
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
