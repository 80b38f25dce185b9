//! Requests byte for byte, and what each recorded reply means. The replies were signed by other implementations.

use super::*;

#[test]
fn every_operation_is_sent_as_recorded() {
    for (name, account, operation, effect) in [
        ("pay_qr", "ours.json", pay_by("alipay.qr"), Effect::Money),
        ("pay_jsapi", "ours.json", pay_by("wechatpay.jsapi"), Effect::Money),
        ("pay_unionpay", "ours.json", pay_by("unionpay.jsapi"), Effect::Money),
        ("pay_ecny", "ours.json", pay_by("ecny.h5"), Effect::Money),
        ("pay_barcode", "ours.json", pay_by("wechatpay.barcode"), Effect::Money),
        ("query", "ours.json", query(), Effect::None),
        ("query_sm2", "ours_sm2.json", query(), Effect::None),
        ("query_md5", "ours_md5.json", query(), Effect::None),
        ("close", "ours.json", close(), Effect::None),
        ("refund", "ours.json", refund(), Effect::Money),
        ("refund_sm2", "ours_sm2.json", refund(), Effect::Money),
        ("refund_query", "ours.json", query_refund(), Effect::None),
    ] {
        assert_sent(name, opened(account).encode(&operation, &context(NOW)).unwrap(), effect);
    }
}

type Row = (&'static str, Operation, Stage, String);

#[test]
fn every_recorded_reply_means_one_thing() {
    assert_read(&*adapter(), call_by_last_segment, payments().into_iter().chain(refunds()));
}

#[test]
fn a_reply_is_believed_by_the_account_that_signs_in_the_same_way_only() {
    let paid = format!("Succeeded {TRXID} 88.88 CNY 2026-11-23T00:01:02.000Z");
    let names = [("ours.json", ""), ("ours_sm2.json", "_sm2"), ("ours_md5.json", "_md5")];
    for (account, ours) in names {
        for (_, kind) in names {
            let name = format!("query_paid{kind}");
            let read = opened(account).decode(&query(), 0, &reply(&name), &context(NOW));
            let said = line(read, call_by_last_segment);
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
        ("pay_qr", pay_by("alipay.qr"), 0, format!("Awaiting(Qr {{ content: {page:?} }}) {TRXID} - -")),
        ("pay_qr", pay_by("ecny.h5"), 0, format!("Awaiting(Redirect {{ url: {page:?} }}) {TRXID} - -")),
        (
            "pay_qr",
            pay_by("alipay.app"),
            0,
            format!("Awaiting(Client {{ parameters: {:?} }}) {TRXID} - -", [("payinfo", page)]),
        ),
        (
            "pay_jsapi",
            pay_by("wechatpay.jsapi"),
            0,
            format!("Awaiting(Client {{ parameters: {library:?} }}) {TRXID} - -"),
        ),
        ("repeated", pay_by("alipay.qr"), 0, "stage 1 None query".into()),
        ("query_paid", pay_by("alipay.qr"), 1, paid.clone()),
        ("query_paid", pay_by("alipay.barcode"), 0, paid.clone()),
        ("query_waiting", pay_by("alipay.barcode"), 0, format!("Pending {TRXID} - -")),
        ("query_poor", pay_by("alipay.barcode"), 0, format!("{} {TRXID} - -", declined("余额不足"))),
        ("fail", pay_by("alipay.qr"), 0, fail.into()),
        ("query_paid", query(), 0, paid.clone()),
        ("query_waiting", query(), 0, format!("Pending {TRXID} - -")),
        ("query_closed", query(), 0, format!("Closed {TRXID} - -")),
        ("query_absent", query(), 0, "Absent - - -".into()),
        ("query_strange", query(), 0, r#"Unknown { code: "3777", message: "未知" }"#.into()),
        ("fail", query(), 0, fail.into()),
        ("close", close(), 0, "Closed - - -".into()),
        ("query_strange", close(), 0, "stage 1 None query".into()),
        ("query_paid", close(), 1, paid),
    ]
}

fn refunds() -> Vec<Row> {
    let given = "Succeeded - 8.80 CNY 2026-11-23T01:10:11.000Z";
    vec![
        ("refund", refund(), 0, "stage 1 None query".into()),
        ("repeated", refund(), 0, "stage 1 None query".into()),
        ("refund_poor", refund(), 0, "stage 2 None query".into()),
        ("query_strange", refund(), 0, r#"Unknown { code: "3777", message: "未知" }"#.into()),
        ("refund_query", refund(), 1, given.into()),
        ("query_absent", refund(), 1, "Pending - - -".into()),
        ("refund_query", refund(), 2, given.into()),
        ("query_absent", refund(), 2, format!("{} - - -", declined("退款被拒绝"))),
        ("refund_query", query_refund(), 0, given.into()),
        ("refund_poor", query_refund(), 0, format!("{} - - -", declined("余额不足"))),
        ("query_absent", query_refund(), 0, "Absent - - -".into()),
    ]
}

#[test]
fn what_does_not_fit_the_channel_is_refused_before_anything_is_sent() {
    let with = |method: &str, change: fn(&mut Pay)| refused(pay(method), change);
    assert_eq!(with("alipay.qr", |_| {}), None);
    assert_amounts_refused(&pay("alipay.qr"), 1_000_000_001);
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
        assert_parameter(with(method, change), param);
    }
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = field_at_fault;
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
