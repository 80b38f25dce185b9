//! Requests byte for byte, and what each recorded reply means. The replies were signed by another implementation.

use super::*;

fn by_name(call: &Call) -> String {
    call_named(call, call.request.uri().path().strip_prefix("/v3/trade/payment/").unwrap())
}

#[test]
fn every_operation_is_sent_as_recorded() {
    for (name, operation, effect) in [
        ("native", pay_by("alipay.qr"), Effect::Money),
        ("alipay_js", pay_by("alipay.jsapi"), Effect::Money),
        ("wechat_js", pay_by("wechatpay.jsapi"), Effect::Money),
        ("wechat_mini", pay_by("wechatpay.mini"), Effect::Money),
        ("wechat_app", pay_by("wechatpay.app"), Effect::Money),
        ("unionpay_native", pay_by("unionpay.qr"), Effect::Money),
        ("ecny_native", pay_by("ecny.qr"), Effect::Money),
        ("micropay", pay_by("alipay.barcode"), Effect::Money),
        ("query", query(), Effect::None),
        ("close", close(), Effect::None),
        ("refund", refund(), Effect::Money),
        ("refund_query", query_refund(), Effect::None),
    ] {
        assert_sent(name, adapter().encode(&operation, &context(NOW)).unwrap(), effect);
    }
    let sent = |method| request(adapter().encode(&pay_by(method), &context(NOW)).unwrap()).text;
    assert_eq!(sent("alipay.mini"), sent("alipay.jsapi"));
    assert_eq!(sent("ecny.barcode"), sent("alipay.barcode"));
}

/// A request's number counts together with its date, so a repeat after midnight must keep the date.
#[test]
fn a_repeat_on_another_day_is_the_same_request() {
    let late = context(NOW.plus(std::time::Duration::from_secs(86_400)));
    let mut pay = pay("alipay.qr");
    pay.expires_at = None;
    for operation in [Operation::Pay(pay), query(), refund(), query_refund()] {
        let sent = |cx| request(adapter().encode(&operation, cx).unwrap()).text;
        assert_eq!(sent(&context(NOW)), sent(&late));
    }
}

#[test]
fn every_recorded_reply_means_one_thing() {
    let paid = format!("Succeeded {TRANSACTION} 88.88 CNY 2026-11-23T00:01:02.000Z");
    let open = |verdict: &str| format!("{verdict} {TRANSACTION} 88.88 CNY -");
    let given = |verdict: &str, at: &str| format!("{verdict} {REFUND_ID} 8.80 CNY {at}");
    let done = "2026-11-23T00:09:11.000Z";
    let ask = |stage: Stage| format!("stage {stage} None scanpay/query");
    let ask_refund = |stage: Stage| format!("stage {stage} None scanpay/refundquery");
    let declined = |reason: &str, code: &str, message: &str| {
        format!("Declined(Decline {{ reason: {reason}, code: {code:?}, message: {message:?} }})")
    };
    let no = |reason: &str, code: &str, message: &str| format!("{} - - -", declined(reason, code, message));
    let unknown = |code: &str, message: &str| format!("Unknown {{ code: {code:?}, message: {message:?} }}");
    let poor = "用户余额不足[ACQ.BUYER_BALANCE_NOT_ENOUGH]";
    let code = r#"Awaiting(Qr { content: "https://qr.alipay.com/bax00000000000000000" })"#;
    let qr = || pay_by("alipay.qr");
    let barcode = || pay_by("alipay.barcode");
    let rows = [
        ("native", qr(), 0, open(code)),
        ("pay_info", qr(), 0, "Unexpected(\"no qr_code\")".into()),
        ("native", pay_by("alipay.jsapi"), 0, "Unexpected(\"no pay_info\")".into()),
        ("repeated", qr(), 0, ask(1)),
        ("query_paid", qr(), 1, paid.clone()),
        ("query_pending", qr(), 1, open("Pending")),
        ("absent", qr(), 1, "Absent - - -".into()),
        ("param", qr(), 0, ask(17)),
        ("absent", qr(), 17, no("InvalidRequest", "10000000", "参数不符合要求")),
        ("query_paid", qr(), 17, paid.clone()),
        ("limited", qr(), 0, ask(26)),
        ("param_unsigned", qr(), 0, unknown("10000000", "交易金额格式错误")),
        ("gateway_error", qr(), 0, unknown("20000003", "无权限")),
        ("system", qr(), 0, unknown("98888888", "系统错误")),
        ("undocumented", qr(), 0, unknown("77777777", "?")),
        ("micropay_paid", barcode(), 0, paid.clone()),
        ("micropay_paying", barcode(), 0, open("Pending")),
        ("micropay_poor", barcode(), 0, open(&declined("InsufficientFunds", "F", poor))),
        ("query_paid", query(), 0, paid.clone()),
        ("query_pending", query(), 0, open("Pending")),
        ("query_closed", query(), 0, open("Closed")),
        ("query_poor", query(), 0, open(&declined("InsufficientFunds", "F", "余额不足"))),
        ("absent", query(), 0, "Absent - - -".into()),
        ("system", query(), 0, unknown("98888888", "系统错误")),
        ("param", query(), 0, unknown("10000000", "交易金额格式错误")),
        ("close", close(), 0, "Closed - - -".into()),
        ("close_pending", close(), 0, "Pending - - -".into()),
        ("close_failed", close(), 0, ask(1)),
        ("close_ended", close(), 0, ask(1)),
        ("close_early", close(), 0, unknown("10000015", "不允许关闭一分钟以内的订单")),
        ("absent", close(), 0, "Absent - - -".into()),
        ("query_paid", close(), 1, paid.clone()),
        ("refund_accepted", refund(), 0, given("Pending", "-")),
        ("refund_success", refund(), 0, given("Succeeded", done)),
        ("refund_poor", refund(), 0, ask_refund(27)),
        ("absent", refund(), 27, no("InsufficientFunds", "23000003", "可退金额或余额不足")),
        ("refund_query_success", refund(), 27, given("Succeeded", done)),
        ("repeated", refund(), 0, ask_refund(16)),
        ("system", refund(), 0, unknown("98888888", "系统错误")),
        ("refund_query_success", query_refund(), 0, given("Succeeded", done)),
        ("refund_query_processing", query_refund(), 0, given("Pending", "-")),
        ("refund_query_failed", query_refund(), 0, given(&declined("Generic", "F", "退款失败"), "-")),
        ("absent", query_refund(), 0, "Absent - - -".into()),
    ];
    assert_read(&*adapter(), by_name, rows);
}

#[test]
fn the_wallets_parameters_are_handed_on() {
    let parameters = |method: &str, name: &str| client_parameters(&pay_by(method), name);
    let trade = ("tradeNO".to_owned(), "2026112322001400000000000001".to_owned());
    assert_eq!(parameters("alipay.jsapi", "pay_info"), [trade]);
    let wechat = parameters("wechatpay.jsapi", "pay_info_wechat");
    let value = |name: &str| wechat.iter().find(|(known, _)| known == name).unwrap().1.as_str();
    assert_eq!(value("package"), "prepay_id=wx23081000000000000000000000000000");
    assert_eq!((value("signType"), wechat.len()), ("RSA", 6));
}

#[test]
fn what_does_not_fit_the_channel_is_refused_before_anything_is_sent() {
    let with = |method: &str, change: fn(&mut Pay)| refused(pay(method), change);
    assert_amounts_refused(&pay("alipay.qr"), 10_000_000_001);
    let usd = with("alipay.qr", |pay| pay.money = Money::new(1, Currency::USD));
    assert!(matches!(usd, Some(Refusal::Amount(_))));
    for (method, change) in [
        ("alipay.qr", (|pay| pay.capture = CaptureMode::Manual) as fn(&mut Pay)),
        ("alipay.qr", |pay| pay.shared = true),
        ("alipay.page", |_| {}),
        ("wechatpay.qr", |_| {}),
        ("unionpay.jsapi", |_| {}),
    ] {
        assert!(matches!(with(method, change), Some(Refusal::Unsupported(_))), "{method}");
    }
    for (method, param, change) in [
        ("alipay.qr", "reference", (|pay| pay.reference = "a-b".into()) as fn(&mut Pay)),
        ("alipay.qr", "subject", |pay| pay.subject = " ".into()),
        ("alipay.qr", "expires_at", |pay| pay.expires_at = Some(NOW)),
        ("alipay.jsapi", "payer.id", |pay| pay.payer.id = None),
        ("wechatpay.mini", "payer.id", |pay| pay.payer.id = Some(" ".into())),
        ("ecny.barcode", "payer.auth_code", |pay| pay.payer.auth_code = None),
        ("alipay.barcode", "payer.auth_code", |pay| pay.payer.auth_code = Some("28012345678901234x".into())),
    ] {
        assert_parameter(with(method, change), param);
    }
    for method in ["unionpay.qr", "ecny.barcode"] {
        let close = Operation::Close(Close { payment: about(method, 8888, None) });
        assert!(matches!(adapter().encode(&close, &context(NOW)), Err(Refusal::Unsupported(_))), "{method}");
    }
    // Quotation marks and whatever else JSON has a sign for stay inside of their text.
    let hostile = Operation::Pay(Pay { subject: "茶\",\"trans_amt\":\"0.01\\".into(), ..pay("alipay.qr") });
    let text = request(adapter().encode(&hostile, &context(NOW)).unwrap()).text;
    let body: serde_json::Value = serde_json::from_str(text.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body["data"]["trans_amt"], "88.88");
    assert_eq!(body["data"]["goods_desc"], "茶\",\"trans_amt\":\"0.01\\");
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |field: &str, value: &str| field_at_fault("ours.json", field, value);
    assert_eq!(with("gateway", "https://pay.example/huifu/"), None);
    assert_eq!(with("huifu_id", "6666000000000002"), None);
    let theirs = settings("theirs.json");
    for (field, value) in [
        ("sys_id", "66660000x0000001"),
        ("product_id", "YY\"ZY"),
        ("huifu_id", "6666"),
        ("private_key", "not a key"),
        ("huifu_public_key", "aGVsbG8="),
        // The merchant's own public key in the place of Huifu's.
        ("huifu_public_key", theirs.text("merchant_public_key", "")),
        ("wx_appid", "wx 1"),
        ("gateway", "api.huifu.com"),
    ] {
        assert_eq!(with(field, value).as_deref(), Some(field), "{value}");
    }
}
