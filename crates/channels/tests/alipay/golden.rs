//! Requests byte for byte, and what each recorded reply means. The replies were signed by another implementation.

use paycore::channel::{Action, Effect, Fault, Operation, Outcome, Refusal, Stage, Step, Verdict};

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
            let form: Vec<(String, String)> =
                url::form_urlencoded::parse(call.request.body()).into_owned().collect();
            let method = form.iter().find(|(name, _)| name == "method").map(|(_, value)| value.as_str());
            format!("stage {} {:?} {}", call.stage, call.effect, method.unwrap_or("-"))
        }
        Ok(Step::File(file)) => format!("file of {} bytes", file.len()),
        Err(fault) => format!("{fault:?}"),
    }
}

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
        Step::Done(Outcome { verdict: Verdict::Awaiting(Action::Redirect { url }), .. }) => {
            (format!("GET {url} HTTP/1.1\r\n\r\n"), Effect::None)
        }
        other => panic!("{other:?}"),
    }
}

/// With `PAYCORE_BLESS=1` the requests are recorded anew; check them with another implementation before a commit.
#[test]
fn every_operation_is_sent_as_recorded() {
    for (name, operation, effect) in [
        ("request_page", pay_by("page"), Effect::None),
        ("request_precreate", pay_by("qr"), Effect::Money),
        ("request_query", query(), Effect::None),
        ("request_close", close(), Effect::None),
        ("request_refund", refund(), Effect::Money),
        ("request_refund_query", query_refund(), Effect::None),
    ] {
        let (text, actual) = request(&operation);
        assert_eq!(actual, effect, "{name}");
        if std::env::var_os("PAYCORE_BLESS").is_some() {
            let path = format!("{}/src/alipay/fixtures/{name}.http", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(path, &text).unwrap();
        }
        assert_eq!(text, String::from_utf8(fixture(&format!("{name}.http"))).unwrap(), "{name}");
    }
}

#[test]
fn every_recorded_reply_means_one_thing() {
    let trade = format!("{TRADE_NO} 88.88 CNY");
    let ask = "stage 3 None alipay.trade.query";
    let ask_refund = "alipay.trade.fastpay.refund.query";
    let poor = r#"Declined(Decline { reason: InsufficientFunds, code: "ACQ.SELLER_BALANCE_NOT_ENOUGH", message: "卖家余额不足" }) - - -"#;
    let rows: &[(&str, Operation, Stage, String)] = &[
        (
            "reply_precreate",
            pay_by("qr"),
            PRECREATE,
            r#"Awaiting(Qr { content: "https://qr.alipay.com/bax03431ljhokirwl38f00a7" }) - - -"#.into(),
        ),
        (
            "reply_precreate_forbidden",
            pay_by("qr"),
            PRECREATE,
            r#"Declined(Decline { reason: NotPermitted, code: "ACQ.ACCESS_FORBIDDEN", message: "无权限使用接口" }) - - -"#
                .into(),
        ),
        ("reply_precreate_paid", pay_by("qr"), PRECREATE, ask.into()),
        (
            "reply_precreate_unknown",
            pay_by("qr"),
            PRECREATE,
            r#"Unknown { code: "isp.unknow-error", message: "系统繁忙" }"#.into(),
        ),
        (
            "reply_precreate_unsigned",
            pay_by("qr"),
            PRECREATE,
            r#"Unknown { code: "isv.invalid-signature", message: "无效签名" }"#.into(),
        ),
        ("reply_query_paid", pay_by("qr"), QUERY, format!("Succeeded {trade} 2026-11-23T00:01:02.000Z")),
        ("reply_query_paid", query(), QUERY, format!("Succeeded {trade} 2026-11-23T00:01:02.000Z")),
        ("reply_query_gbk", query(), QUERY, format!("Succeeded {trade} 2026-11-23T00:01:02.000Z")),
        ("reply_query_refunded", query(), QUERY, format!("Succeeded {trade} 2026-11-23T00:01:02.000Z")),
        ("reply_query_waiting", query(), QUERY, format!("Pending {trade} -")),
        ("reply_query_closed", query(), QUERY, format!("Closed {trade} -")),
        ("reply_query_absent", query(), QUERY, "stage 10 None alipay.fund.auth.operation.detail.query".into()),
        ("reply_close", close(), CLOSE, format!("Closed {TRADE_NO} - -")),
        ("reply_close_paid", close(), CLOSE, ask.into()),
        ("reply_query_paid", close(), QUERY, format!("Succeeded {trade} 2026-11-23T00:01:02.000Z")),
        ("reply_query_waiting", close(), QUERY, format!("Pending {trade} -")),
        ("reply_refund", refund(), REFUND_FIRST, format!("Succeeded {TRADE_NO} 8.80 CNY 2026-11-23T01:10:11.000Z")),
        ("reply_refund_second", refund(), REFUND_FIRST, format!("stage {REFUND_ASK} None {ask_refund}")),
        ("reply_refund_repeat", refund(), REFUND_FIRST, format!("stage {REFUND_ASK} None {ask_refund}")),
        ("reply_refund_poor", refund(), REFUND_FIRST, format!("stage {POOR} None {ask_refund}")),
        ("reply_refund_query", refund(), REFUND_ASK, format!("Succeeded {TRADE_NO} 8.80 CNY 2026-11-23T01:10:11.000Z")),
        ("reply_refund_query", refund(), POOR, format!("Succeeded {TRADE_NO} 8.80 CNY 2026-11-23T01:10:11.000Z")),
        ("reply_refund_query_none", refund(), REFUND_ASK, "Pending - - -".into()),
        ("reply_refund_query_none", refund(), POOR, poor.into()),
        ("reply_refund_query", query_refund(), REFUND_ASK, format!("Succeeded {TRADE_NO} 8.80 CNY 2026-11-23T01:10:11.000Z")),
        ("reply_refund_query_none", query_refund(), REFUND_ASK, "Absent - - -".into()),
    ];
    let adapter = adapter();
    for (name, operation, stage, expected) in rows {
        let result = adapter.decode(operation, *stage, &reply(name), &context(NOW));
        assert_eq!(&line(result), expected, "{name} at stage {stage} of {:?}", operation.verb());
    }
}

#[test]
fn what_does_not_fit_the_channel_is_refused_before_anything_is_sent() {
    let with = |change: fn(&mut Pay)| {
        let mut pay = pay("page");
        change(&mut pay);
        adapter().encode(&Operation::Pay(pay), &context(NOW)).err()
    };
    assert_eq!(with(|_| {}), None);
    for fen in [0, -1, 10_000_000_001] {
        let operation = Operation::Pay(Pay { money: cny(fen), ..pay("qr") });
        assert!(matches!(adapter().encode(&operation, &context(NOW)), Err(Refusal::Amount(_))), "{fen}");
    }
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
        assert!(matches!(with(change), Some(Refusal::Parameter { param: p, .. }) if p == param), "{param}");
    }
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |field: &str, value: &str| {
        let mut changed = settings("ours.json");
        changed.set(field, value);
        Alipay.open(&changed, &NativeKeyring).err().map(|error| error.field)
    };
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
