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
        ("codepay", first(&pay_by("barcode")), Effect::Money),
        ("query", first(&query()), Effect::None),
        ("close", then("query_notpay"), Effect::None),
        ("reverse", then("query_userpaying"), Effect::Money),
        ("refund", first(&refund()), Effect::Money),
        ("refund_query", first(&query_refund()), Effect::None),
    ] {
        assert_sent(name, step, effect);
    }
    assert_eq!(request(first(&pay_by("mini"))).text, request(first(&pay_by("jsapi"))).text);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_recorded_reply_means_one_thing() {
    let paid = format!("Succeeded {TRANSACTION} 88.88 CNY 2026-11-23T00:01:02.000Z");
    let given = |verdict: &str, at: &str| format!("{verdict} {REFUND_ID} 8.80 CNY {at}");
    let order = format!("/v3/pay/transactions/out-trade-no/{REFERENCE}");
    let (ask, ask_after) = (format!("stage 3 None GET {order}"), format!("stage 16 None GET {order}"));
    let ask_whole = format!("stage 4 None GET /v3/combine-transactions/out-trade-no/{REFERENCE}");
    let ask_refund = format!("stage 16 None GET /v3/refund/domestic/refunds/{REFUND}");
    let no = |reason: &str, code: &str, message: &str| {
        format!("Declined(Decline {{ reason: {reason}, code: {code:?}, message: {message:?} }}) - - -")
    };
    let unknown = |code: &str, message: &str| format!("Unknown {{ code: {code:?}, message: {message:?} }}");
    let payerror = "Declined(Decline { reason: Generic, code: \"PAYERROR\", message: \"支付失败，请重新下单支付\" }) - 88.88 CNY -";
    let rows = [
        ("native", pay_by("qr"), 0, r#"Awaiting(Qr { content: "weixin://wxpay/bizpayurl?pr=p4lpSuKzz" }) - - -"#.into()),
        (
            "h5",
            pay_by("h5"),
            0,
            "Awaiting(Redirect { url: \"https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=\
             wx2026112308100100000000000000010000&package=1&redirect_url=https%3A%2F%2Fshop.example%2Fdone%3Forder\
             %3D42%26lang%3Dzh\" }) - - -"
                .into(),
        ),
        ("prepay", pay_by("qr"), 0, "Unexpected(\"no code_url\")".into()),
        ("native", pay_by("jsapi"), 0, "Unexpected(\"no prepay_id\")".into()),
        ("orderpaid", pay_by("qr"), 0, ask.clone()),
        ("order_closed", pay_by("qr"), 0, ask.clone()),
        ("invalid_request", pay_by("qr"), 0, ask_after),
        ("query_absent", pay_by("qr"), 3, "Absent - - -".into()),
        ("query_absent", pay_by("qr"), 16, no("InvalidRequest", "INVALIDREQUEST", "无效请求")),
        ("query_paid", pay_by("qr"), 16, paid.clone()),
        ("param_error", pay_by("qr"), 0, no("InvalidRequest", "PARAM_ERROR", "参数错误")),
        ("param_error_unsigned", pay_by("qr"), 0, unknown("PARAM_ERROR", "参数错误")),
        ("system_error", pay_by("qr"), 0, unknown("SYSTEM_ERROR", "系统繁忙，请稍后重试")),
        ("limited", pay_by("qr"), 0, unknown("FREQUENCY_LIMITED", "频率超限")),
        ("undocumented", pay_by("qr"), 0, unknown("NOT_IN_ANY_DOCUMENT", "?")),
        ("codepay_paid", pay_by("barcode"), 0, paid.clone()),
        ("codepay_userpaying", pay_by("barcode"), 0, "Pending - - -".into()),
        ("codepay_poor", pay_by("barcode"), 0, no("InsufficientFunds", "NOTENOUGH", "用户账号余额不足")),
        ("codepay_used_code", pay_by("barcode"), 0, format!("stage 18 None GET {order}")),
        ("query_paid", pay_by("barcode"), 18, paid.clone()),
        ("query_absent", pay_by("barcode"), 18, no("InvalidRequest", "AUTHCODEERROR", "付款码错误")),
        ("query_paid", query(), 0, paid.clone()),
        ("query_refund", query(), 0, paid.clone()),
        ("query_notpay", query(), 0, "Pending - 88.88 CNY -".into()),
        ("query_userpaying", query(), 0, "Pending - 88.88 CNY -".into()),
        ("query_closed", query(), 0, "Closed - 88.88 CNY -".into()),
        ("query_revoked", query(), 0, "Closed - 88.88 CNY -".into()),
        ("query_payerror", query(), 0, payerror.into()),
        ("query_absent", query(), 0, ask_whole.clone()),
        ("query_absent", query(), 4, "Absent - - -".into()),
        ("query_absent_old", query(), 0, ask_whole.clone()),
        ("system_error", query(), 0, unknown("SYSTEM_ERROR", "系统繁忙，请稍后重试")),
        ("query_paid", close(), 0, paid.clone()),
        ("query_closed", close(), 0, "Closed - 88.88 CNY -".into()),
        ("query_absent", close(), 0, ask_whole),
        ("query_absent", close(), 4, "Absent - - -".into()),
        ("query_notpay", close(), 0, format!("stage 1 None POST {order}/close")),
        ("query_userpaying", close(), 0, format!("stage 2 Money POST {order}/reverse")),
        ("query_payerror", close(), 0, format!("stage 2 Money POST {order}/reverse")),
        ("close", close(), 1, "Closed - - -".into()),
        ("reverse", close(), 2, "Closed - - -".into()),
        ("close", close(), 2, "Unacceptable(\"mchid is None, not \\\"1688880001\\\"\")".into()),
        ("reverse", close(), 1, "Unexpected(\"not the answer to this call\")".into()),
        ("orderpaid", close(), 1, ask),
        ("system_error", close(), 2, unknown("SYSTEM_ERROR", "系统繁忙，请稍后重试")),
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
        ("refund_absent", refund(), 16, no("InsufficientFunds", "NOTENOUGH", "余额不足")),
        ("refund_success", refund(), 16, given("Succeeded", "2026-11-23T00:09:11.000Z")),
        ("system_error", refund(), 0, unknown("SYSTEM_ERROR", "系统繁忙，请稍后重试")),
        ("refund_absent", query_refund(), 0, "Absent - - -".into()),
    ];
    assert_read(&*adapter(), call_by_path, rows);
}

#[test]
fn the_wallets_parameters_are_signed_for_their_own_client() {
    for scene in ["jsapi", "mini", "app"] {
        let signed = v3::assert_client_parameters_signed(&pay_by(scene), scene);
        let (package, count) =
            if scene == "app" { ("Sign=WXPay".to_owned(), 7) } else { (format!("prepay_id={PREPAY}"), 6) };
        assert_eq!(signed, (package, count), "{scene}");
    }
}

const PREPAY: &str = "wx2026112308100100000000000000010000";

#[test]
fn what_does_not_fit_the_channel_is_refused_before_anything_is_sent() {
    let with = |scene: &str, change: fn(&mut Pay)| refused(pay(scene), change);
    assert_amounts_refused(&pay("qr"), i64::from(i32::MAX) + 1);
    assert!(matches!(with("qr", |pay| pay.money = Money::new(1, Currency::USD)), Some(Refusal::Amount(_))));
    assert!(matches!(with("qr", |pay| pay.capture = CaptureMode::Manual), Some(Refusal::Unsupported(_))));
    assert!(matches!(with("page", |_| {}), Some(Refusal::Unsupported(_))));
    for (scene, param, change) in [
        ("qr", "reference", (|pay| pay.reference = "a-bcdef".into()) as fn(&mut Pay)),
        ("qr", "reference", |pay| pay.reference = "abcde".into()),
        ("qr", "subject", |pay| pay.subject = " ".into()),
        ("qr", "expires_at", |pay| pay.expires_at = Some(NOW)),
        ("h5", "payer.ip", |pay| pay.payer.ip = None),
        ("h5", "payer.ip", |pay| pay.payer.ip = Some("localhost".into())),
        ("jsapi", "payer.id", |pay| pay.payer.id = None),
        ("mini", "payer.id", |pay| pay.payer.id = Some(" ".into())),
        ("barcode", "payer.auth_code", |pay| pay.payer.auth_code = None),
        ("barcode", "payer.auth_code", |pay| pay.payer.auth_code = Some("13450000000000000１".into())),
    ] {
        assert_parameter(with(scene, change), param);
    }
    let long = Operation::Pay(Pay { subject: "茶".repeat(127), ..pay("qr") });
    let text = request(adapter().encode(&long, &context(NOW)).unwrap()).text;
    assert!(text.contains(&format!("\"{}\"", "茶".repeat(42))), "cut to 127 bytes");
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |field: &str, value: &str| field_at_fault("ours.json", field, value);
    assert_eq!(with("gateway", "https://pay.example/wechat/"), None);
    let certificate = settings("ours_certificate.json");
    let certificate = certificate.value("platform_certificate").unwrap().expose();
    assert_eq!(with("platform_certificate", certificate), None, "both modes while moving");
    let theirs = settings("theirs.json");
    for (field, value, fault) in [
        ("mchid", "16888800x1", "mchid"),
        ("appid", "wx 1", "appid"),
        ("serial_no", "\"", "serial_no"),
        ("private_key", "not a key", "private_key"),
        ("apiv3_key", "31 characters are one too few!!", "apiv3_key"),
        ("apiv3_key", "33 characters are one too many!!!", "apiv3_key"),
        ("apiv3_key", "十一个汉字不是三十二字节", "apiv3_key"),
        ("public_key_id", "5A17E57C0FFEE", "public_key_id"),
        ("public_key_id", "", "public_key_id"),
        ("public_key", "aGVsbG8=", "public_key"),
        ("public_key", "", "public_key"),
        // The merchant's own public key in the place of the platform's.
        ("public_key", theirs.text("merchant_public_key", ""), "public_key"),
        (
            "platform_certificate",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "platform_certificate",
        ),
        ("gateway", "api.mch.weixin.qq.com", "gateway"),
    ] {
        assert_eq!(with(field, value).as_deref(), Some(fault), "{field} {value}");
    }
    let mut keyless = settings("ours.json");
    keyless.set("public_key_id", "");
    keyless.set("public_key", "");
    assert_eq!(WechatPay.open(&keyless, &NativeKeyring).err().unwrap().field, "public_key");
}
