//! Requests byte for byte, and what each recorded reply means. The replies were signed by other implementations.

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
    for (name, account, operation, effect) in [
        ("request_pay_qr", "ours.json", pay_by("alipay.qr"), Effect::Money),
        ("request_pay_jsapi", "ours.json", pay_by("wechatpay.jsapi"), Effect::Money),
        ("request_pay_unionpay", "ours.json", pay_by("unionpay.jsapi"), Effect::Money),
        ("request_pay_ecny", "ours.json", pay_by("ecny.h5"), Effect::Money),
        ("request_pay_barcode", "ours.json", pay_by("wechatpay.barcode"), Effect::Money),
        ("request_query", "ours.json", query(), Effect::None),
        ("request_query_sm2", "ours_sm2.json", query(), Effect::None),
        ("request_query_md5", "ours_md5.json", query(), Effect::None),
        ("request_close", "ours.json", close(), Effect::None),
        ("request_refund", "ours.json", refund(), Effect::Money),
        ("request_refund_sm2", "ours_sm2.json", refund(), Effect::Money),
        ("request_refund_query", "ours.json", query_refund(), Effect::None),
    ] {
        let step = adapter_of(account).encode(&operation, &context()).unwrap();
        let Step::Send(call) = step else { panic!("{name}") };
        assert_eq!(call.effect, effect, "{name}");
        let (head, body) = call.request.into_parts();
        let mut text = format!("{} {} HTTP/1.1\r\n", head.method, head.uri);
        for (name, value) in &head.headers {
            text += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        text += &format!("\r\n{}", String::from_utf8(body.to_vec()).unwrap());
        if std::env::var_os("PAYCORE_BLESS").is_some() {
            let path = format!("{}/src/allinpay/fixtures/{name}.http", env!("CARGO_MANIFEST_DIR"));
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

#[test]
fn a_reply_is_believed_by_the_account_that_signs_in_the_same_way_only() {
    let paid = format!("Succeeded {TRXID} 88.88 CNY 2026-11-23T00:01:02.000Z");
    let names = [("ours.json", ""), ("ours_sm2.json", "_sm2"), ("ours_md5.json", "_md5")];
    for (account, ours) in names {
        for (_, kind) in names {
            let name = format!("reply_query_paid{kind}");
            let said = line(adapter_of(account).decode(&query(), 0, &reply(&name), &context()));
            let expected = if kind == ours { paid.as_str() } else { "Signature" };
            assert_eq!(said, expected, "{account} {name}");
        }
    }
}

fn declined(text: &str) -> String {
    format!("Declined(Decline {{ reason: InsufficientFunds, code: \"3008\", message: {text:?} }})")
}

fn payments() -> Vec<Row> {
    let paid = format!("Succeeded {TRXID} 88.88 CNY 2026-11-23T00:01:02.000Z");
    let fail = r#"Unknown { code: "FAIL", message: "验签失败" }"#;
    let page = "https://qr.alipay.com/bax0343?a=1&b=2";
    let library = [
        ("appId", "wx0123456789abcdef"),
        ("nonceStr", "n"),
        ("package", "prepay_id=wx1"),
        ("paySign", "c2ln"),
        ("signType", "RSA"),
        ("timeStamp", "1795392600"),
    ];
    vec![
        ("reply_pay_qr", pay_by("alipay.qr"), 0, format!("Awaiting(Qr {{ content: {page:?} }}) {TRXID} - -")),
        ("reply_pay_qr", pay_by("ecny.h5"), 0, format!("Awaiting(Redirect {{ url: {page:?} }}) {TRXID} - -")),
        (
            "reply_pay_qr",
            pay_by("alipay.app"),
            0,
            format!("Awaiting(Client {{ parameters: {:?} }}) {TRXID} - -", [("payinfo", page)]),
        ),
        (
            "reply_pay_jsapi",
            pay_by("wechatpay.jsapi"),
            0,
            format!("Awaiting(Client {{ parameters: {library:?} }}) {TRXID} - -"),
        ),
        ("reply_repeated", pay_by("alipay.qr"), 0, "stage 1 None query".into()),
        ("reply_query_paid", pay_by("alipay.qr"), 1, paid.clone()),
        ("reply_query_paid", pay_by("alipay.barcode"), 0, paid.clone()),
        ("reply_query_waiting", pay_by("alipay.barcode"), 0, format!("Pending {TRXID} - -")),
        ("reply_query_poor", pay_by("alipay.barcode"), 0, format!("{} {TRXID} - -", declined("余额不足"))),
        ("reply_fail", pay_by("alipay.qr"), 0, fail.into()),
        ("reply_query_paid", query(), 0, paid.clone()),
        ("reply_query_waiting", query(), 0, format!("Pending {TRXID} - -")),
        ("reply_query_closed", query(), 0, format!("Closed {TRXID} - -")),
        ("reply_query_absent", query(), 0, "Absent - - -".into()),
        ("reply_query_strange", query(), 0, r#"Unknown { code: "3777", message: "未知" }"#.into()),
        ("reply_fail", query(), 0, fail.into()),
        ("reply_close", close(), 0, "Closed - - -".into()),
        ("reply_query_strange", close(), 0, "stage 1 None query".into()),
        ("reply_query_paid", close(), 1, paid),
    ]
}

fn refunds() -> Vec<Row> {
    let given = "Succeeded - 8.80 CNY 2026-11-23T01:10:11.000Z";
    vec![
        ("reply_refund", refund(), 0, "stage 1 None query".into()),
        ("reply_repeated", refund(), 0, "stage 1 None query".into()),
        ("reply_refund_poor", refund(), 0, "stage 2 None query".into()),
        ("reply_query_strange", refund(), 0, r#"Unknown { code: "3777", message: "未知" }"#.into()),
        ("reply_refund_query", refund(), 1, given.into()),
        ("reply_query_absent", refund(), 1, "Pending - - -".into()),
        ("reply_refund_query", refund(), 2, given.into()),
        ("reply_query_absent", refund(), 2, format!("{} - - -", declined("退款被拒绝"))),
        ("reply_refund_query", query_refund(), 0, given.into()),
        ("reply_refund_poor", query_refund(), 0, format!("{} - - -", declined("余额不足"))),
        ("reply_query_absent", query_refund(), 0, "Absent - - -".into()),
    ]
}

#[test]
fn what_does_not_fit_the_channel_is_refused_before_anything_is_sent() {
    let with = |method: &str, change: fn(&mut Pay)| {
        let mut pay = pay(method);
        change(&mut pay);
        adapter().encode(&Operation::Pay(pay), &context()).err()
    };
    assert_eq!(with("alipay.qr", |_| {}), None);
    for fen in [0, -1, 1_000_000_001] {
        let operation = Operation::Pay(Pay { money: cny(fen), ..pay("alipay.qr") });
        assert!(matches!(adapter().encode(&operation, &context()), Err(Refusal::Amount(_))), "{fen}");
    }
    assert!(matches!(with("alipay.page", |_| {}), Some(Refusal::Unsupported(_))));
    assert!(matches!(with("alipay.qr", |pay| pay.shared = true), Some(Refusal::Unsupported(_))));
    for (method, param, change) in [
        ("alipay.qr", "reference", (|pay| pay.reference = "a-b".into()) as fn(&mut Pay)),
        ("alipay.qr", "subject", |pay| pay.subject = " ".into()),
        ("alipay.qr", "expires_at", |pay| pay.expires_at = Some(NOW)),
        ("alipay.jsapi", "payer.id", |pay| pay.payer.id = None),
        ("alipay.jsapi", "payer.id", |pay| pay.payer.id = Some("1&trxamt=1".into())),
        ("qq.barcode", "payer.auth_code", |pay| pay.payer.auth_code = None),
        ("unionpay.jsapi", "return_url", |pay| {
            pay.return_url = Some("https://a.example/?a=1&trxamt=1".into())
        }),
    ] {
        let refused = with(method, change);
        assert!(matches!(&refused, Some(Refusal::Parameter { param: p, .. }) if *p == param), "{refused:?}");
    }
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |account: &str, field: &str, value: &str| {
        let mut changed = settings(account);
        changed.set(field, value);
        Allinpay.open(&changed, &NativeKeyring).err().map(|error| error.field)
    };
    assert_eq!(with("ours.json", "sign_type", "RSA"), None);
    for (account, field, value) in [
        ("ours.json", "cusid", "a&b"),
        ("ours.json", "appid", "123456789"),
        ("ours.json", "private_key", ""),
        ("ours.json", "platform_public_key", "aGVsbG8="),
        ("ours.json", "platform_public_key", settings("theirs.json").text("merchant_public_key", "")),
        ("ours.json", "sign_type", "rsa2"),
        ("ours_sm2.json", "platform_public_key", settings("theirs_sm2.json").text("merchant_public_key", "")),
        ("ours_md5.json", "md5_key", " "),
        ("ours.json", "gateway", "vsp.example"),
    ] {
        assert_eq!(with(account, field, value).as_deref(), Some(field), "{value}");
    }
    // Keys of the other kind: a short RSA key, and one that is not RSA at all.
    assert_eq!(with("ours.json", "sign_type", "SM2").as_deref(), Some("platform_public_key"));
    assert_eq!(with("ours_sm2.json", "sign_type", "RSA").as_deref(), Some("platform_public_key"));
}
