//! Requests byte for byte, and what each recorded reply means. The replies were signed by another implementation.

use super::*;

#[test]
fn every_operation_is_sent_as_recorded() {
    let first = |operation: &Operation| adapter().encode(operation, &context(NOW)).unwrap();
    let then =
        |operation: &Operation, name| adapter().decode(operation, 0, &reply(name), &context(NOW)).unwrap();
    let (close, revoke) = (close_of("alipay.qr"), close_of("alipay.barcode"));
    for (name, step, effect) in [
        ("alipay_qr", first(&pay_by("alipay.qr")), Effect::Money),
        ("alipay_jsapi", first(&pay_by("alipay.jsapi")), Effect::Money),
        ("wechatpay_jsapi", first(&pay_by("wechatpay.jsapi")), Effect::Money),
        ("wechatpay_mini", first(&pay_by("wechatpay.mini")), Effect::Money),
        ("wechatpay_app", first(&pay_by("wechatpay.app")), Effect::Money),
        ("unionpay_qr", first(&pay_by("unionpay.qr")), Effect::Money),
        ("unionpay_jsapi", first(&pay_by("unionpay.jsapi")), Effect::Money),
        ("barcode", first(&pay_by("ecny.barcode")), Effect::Money),
        ("query", first(&query_of("alipay.qr")), Effect::None),
        ("close", then(&close, "query_create"), Effect::None),
        ("revoked", then(&revoke, "query_deal"), Effect::Money),
        ("revocation_query", then(&query_of("alipay.barcode"), "query_refund"), Effect::None),
        ("refund", first(&refund()), Effect::Money),
        ("refund_query", first(&query_refund()), Effect::None),
    ] {
        assert_sent(name, step, effect);
    }
}

#[test]
fn every_recorded_reply_to_a_payment_means_one_thing() {
    let paid = format!("Succeeded {TRANSACTION} 88.88 CNY 2026-11-23T00:01:02.000Z");
    let ask = "stage 4 None POST /api/v3/labs/query/tradequery".to_owned();
    let unknown = |code: &str, message: &str| format!("Unknown {{ code: {code:?}, message: {message:?} }}");
    let poor = "Declined(Decline { reason: InsufficientFunds, code: \"FAIL\", message: \"余额不足\" })";
    let none = "Declined(Decline { reason: Generic, code: \"REFUSED\", message: \"交易被拒绝，且查询不到该交易\" }) - - -";
    let (qr, barcode) = (pay_by("alipay.qr"), pay_by("alipay.barcode"));
    let rows = [
        (
            "qr",
            &qr,
            0,
            r#"Awaiting(Qr { content: "https://qr.alipay.com/bax00069h45nvvfc3tu9803a" }) - - -"#.into(),
        ),
        ("alipay", &qr, 0, "Unexpected(\"no code\")".into()),
        (
            "alipay",
            &pay_by("alipay.jsapi"),
            0,
            r#"Awaiting(Client { parameters: [("tradeNO", "2026112322001449261431458662")] }) - - -"#.into(),
        ),
        (
            "unionpay",
            &pay_by("unionpay.jsapi"),
            0,
            r#"Awaiting(Redirect { url: "https://qr.95516.com/front?id=1" }) - - -"#.into(),
        ),
        (
            "other_order",
            &qr,
            0,
            format!(
                "Unacceptable({:?})",
                format!("out_trade_no is Some(\"01kayb4h7pz8y3v5n2q6m9t4wy\"), not {REFERENCE:?}")
            ),
        ),
        ("system", &qr, 0, unknown("BBS00001", "系统异常")),
        ("timeout", &qr, 0, unknown("BBS00101", "网络请求超时")),
        ("paying", &qr, 0, unknown("BBS10000", "交易处理中")),
        ("param", &qr, 0, ask.clone()),
        ("unsigned", &qr, 0, "Signature".into()),
        ("status_500", &qr, 0, "Unexpected(\"HTTP status 500\")".into()),
        ("absent", &qr, 4, none.into()),
        ("query_success", &qr, 4, paid.clone()),
        ("micropay", &barcode, 0, paid.clone()),
        ("paying", &barcode, 0, "Pending - - -".into()),
        ("refused", &barcode, 0, ask),
        ("query_fail", &barcode, 4, format!("{poor} {TRANSACTION} 88.88 CNY -")),
        ("system", &barcode, 0, unknown("BBS00001", "系统异常")),
    ];
    assert_read(&*adapter(), call_by_path, rows);
}

#[test]
fn every_recorded_reply_to_another_call_means_one_thing() {
    let paid = format!("Succeeded {TRANSACTION} 88.88 CNY 2026-11-23T00:01:02.000Z");
    let open = |verdict: &str| format!("{verdict} {TRANSACTION} 88.88 CNY -");
    let given = |verdict: &str, at: &str| format!("{verdict} {REFUND_ID} 8.80 CNY {at}");
    let ask = |stage: Stage| format!("stage {stage} None POST /api/v3/labs/query/tradequery");
    let unknown = |code: &str, message: &str| format!("Unknown {{ code: {code:?}, message: {message:?} }}");
    let (query, barcode) = (query_of("alipay.qr"), query_of("alipay.barcode"));
    let (close, revoke) = (close_of("alipay.qr"), close_of("alipay.barcode"));
    let (refund, query_refund) = (refund(), query_refund());
    let rows = [
        ("query_success", &query, 0, paid.clone()),
        ("query_part_refund", &query, 0, paid.clone()),
        ("query_refund", &query, 0, paid.clone()),
        ("query_create", &query, 0, open("Pending")),
        ("query_deal", &query, 0, open("Pending")),
        ("query_close", &query, 0, open("Closed")),
        ("query_unknown", &query, 0, "Unexpected(\"trade_state \\\"UNKNOWN\\\"\")".into()),
        ("absent", &query, 0, "Absent - - -".into()),
        ("timeout", &query, 0, unknown("BBS00101", "网络请求超时")),
        ("query_refund", &barcode, 0, ask(5)),
        ("revocation", &barcode, 5, "Closed - - -".into()),
        ("absent", &barcode, 5, "Succeeded - 88.88 CNY -".into()),
        (
            "query_success",
            &query_of("wechatpay.jsapi"),
            0,
            "Unacceptable(\"account_type is Some(\\\"ALIPAY\\\"), not \\\"WECHAT\\\"\")".into(),
        ),
        ("query_success", &close, 0, paid),
        ("query_create", &close, 0, "stage 1 None POST /api/v3/labs/relation/close".into()),
        ("query_deal", &revoke, 0, "stage 2 Money POST /api/v3/labs/relation/revoked".into()),
        ("close", &close, 1, "Closed - - -".into()),
        ("revoked", &revoke, 2, "Closed - - -".into()),
        ("refused", &close, 1, ask(3)),
        ("system", &revoke, 2, unknown("BBS00001", "系统异常")),
        ("refund", &refund, 0, given("Succeeded", "2026-11-23T00:09:11.000Z")),
        ("paying", &refund, 0, "Pending - - -".into()),
        ("refused", &refund, 0, ask(4)),
        ("system", &refund, 0, unknown("BBS00001", "系统异常")),
        ("refund_query_success", &refund, 4, given("Succeeded", "2026-11-23T00:09:11.000Z")),
        ("refund_query_success", &query_refund, 0, given("Succeeded", "2026-11-23T00:09:11.000Z")),
        ("refund_query_deal", &query_refund, 0, given("Pending", "-")),
        (
            "refund_query_fail",
            &query_refund,
            0,
            given("Declined(Decline { reason: Generic, code: \"FAIL\", message: \"\" })", "-"),
        ),
        ("absent", &query_refund, 0, "Absent - - -".into()),
    ];
    assert_read(&*adapter(), call_by_path, rows);
}

#[test]
fn the_wallets_parameters_are_handed_on_by_their_own_names() {
    let names = |method: &str, name: &str| {
        let text = line(adapter().decode(&pay_by(method), 0, &reply(name), &context(NOW)), call_by_path);
        let names = [
            "appId",
            "appid",
            "partnerid",
            "paySign",
            "sign\"",
            "package",
            "signType",
            "timeStamp",
            "timestamp",
        ];
        names.into_iter().filter(|name| text.contains(&format!("(\"{name}"))).collect::<Vec<_>>()
    };
    let page = ["appId", "paySign", "package", "signType", "timeStamp"];
    assert_eq!(names("wechatpay.jsapi", "wechat"), page);
    assert_eq!(names("wechatpay.mini", "wechat"), page);
    let app = ["appid", "partnerid", "sign\"", "package", "timestamp"];
    assert_eq!(names("wechatpay.app", "wechat_app"), app);
}

#[test]
fn what_does_not_fit_the_channel_is_refused_before_anything_is_sent() {
    let with = |method: &str, change: fn(&mut Pay)| refused(pay(method), change);
    assert_amounts_refused(&pay("alipay.qr"), 1_000_000_000_000);
    for method in ["wechatpay.qr", "ecny.qr", "alipay.app", "bestpay.barcode"] {
        assert!(matches!(with(method, |_| {}), Some(Refusal::Unsupported(_))), "{method}");
    }
    assert!(matches!(with("alipay.qr", |pay| pay.shared = true), Some(Refusal::Unsupported(_))));
    for (method, param, change) in [
        ("alipay.qr", "reference", (|pay| pay.reference = "a-bcdef".into()) as fn(&mut Pay)),
        ("alipay.qr", "reference", |pay| pay.reference = "a".repeat(32)),
        ("alipay.qr", "subject", |pay| pay.subject = " ".into()),
        ("alipay.qr", "expires_at", |pay| pay.expires_at = Some(NOW)),
        ("alipay.jsapi", "payer.id", |pay| pay.payer.id = None),
        ("alipay.barcode", "payer.auth_code", |pay| pay.payer.auth_code = None),
        ("alipay.barcode", "payer.auth_code", |pay| pay.payer.auth_code = Some("28123456789012345x".into())),
    ] {
        assert_parameter(with(method, change), param);
    }
    let mut bare = settings("ours.json");
    bare.set("sub_appid", "");
    let bare = open(&bare);
    let refused = bare.encode(&pay_by("wechatpay.jsapi"), &context(NOW));
    assert!(matches!(refused, Err(Refusal::Unsupported(_))), "{refused:?}");
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |field: &str, value: &str| field_at_fault("ours.json", field, value);
    assert_eq!(with("gateway", "https://test.wsmsd.cn/sit"), None);
    let theirs = settings("theirs.json");
    for (field, value, fault) in [
        ("appid", "OP 1", "appid"),
        ("serial_no", "\"", "serial_no"),
        ("private_key", "not a key", "private_key"),
        ("platform_key", "aGVsbG8=", "platform_key"),
        ("platform_key", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "platform_key"),
        // The merchant's own public key in the place of Lakala's.
        ("platform_key", theirs.text("merchant_public_key", ""), "platform_key"),
        ("request_ip", "localhost", "request_ip"),
        ("sub_appid", "wx 1", "sub_appid"),
        ("gateway", "s2.lakala.com", "gateway"),
    ] {
        assert_eq!(with(field, value).as_deref(), Some(fault), "{field} {value}");
    }
}
