//! Requests byte for byte, and what each recorded reply means. The replies were signed by another implementation.

use super::*;

fn by_name(call: &Call) -> String {
    call_named(call, call.request.uri().path().strip_prefix("/cgi-bin/pay/qpay_").unwrap())
}

#[test]
fn every_operation_is_sent_as_recorded() {
    let first = |operation: &Operation| adapter().encode(operation, &context(NOW)).unwrap();
    let then = |name| adapter().decode(&close(), 0, &reply(name), &context(NOW)).unwrap();
    for (name, step, effect, identified) in [
        ("native", first(&pay_by("qr")), Effect::Money, false),
        ("jsapi", first(&pay_by("jsapi")), Effect::Money, false),
        ("app", first(&pay_by("app")), Effect::Money, false),
        ("mini", first(&pay_by("mini")), Effect::Money, false),
        ("micropay", first(&pay_by("barcode")), Effect::Money, false),
        ("query", first(&query()), Effect::None, false),
        ("close", then("query_notpay"), Effect::None, false),
        ("reverse", then("query_userpaying"), Effect::Money, true),
        ("refund", first(&refund()), Effect::Money, true),
        ("refund_query", first(&query_refund()), Effect::None, false),
        ("statement", first(&statement()), Effect::None, false),
    ] {
        let sent = request(step);
        assert_eq!((sent.effect, sent.identified), (effect, identified), "{name}");
        assert_recorded(name, &sent.text);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_recorded_reply_means_one_thing() {
    let paid = format!("Succeeded {TRANSACTION} 88.88 CNY 2026-11-23T00:01:02.000Z");
    let given = |verdict: &str| format!("{verdict} {REFUND_ID} 8.80 CNY -");
    let ask = |stage: Stage| format!("stage {stage} None order_query.cgi");
    let ask_refund = |stage: Stage| format!("stage {stage} None refund_query.cgi");
    let no = |reason: &str, code: &str, message: &str| {
        format!("Declined(Decline {{ reason: {reason}, code: {code:?}, message: {message:?} }}) - - -")
    };
    let unknown = |code: &str, message: &str| format!("Unknown {{ code: {code:?}, message: {message:?} }}");
    let payerror =
        "Declined(Decline { reason: Generic, code: \"PAYERROR\", message: \"支付失败\" }) - 88.88 CNY -";
    let bill = fixture("statement.csv").len();
    let rows = [
        (
            "native",
            pay_by("qr"),
            0,
            r#"Awaiting(Qr { content: "https://qpay.qq.com/qr/6a1b2c3d" }) - - -"#.into(),
        ),
        ("prepay", pay_by("qr"), 0, "Unexpected(\"the XML document: no code_url\")".into()),
        ("orderpaid", pay_by("qr"), 0, ask(3)),
        ("query_absent", pay_by("qr"), 3, "Absent - - -".into()),
        ("query_paid", pay_by("qr"), 3, paid.clone()),
        ("param_error", pay_by("qr"), 0, no("InvalidRequest", "PARAM_ERROR", "参数错误")),
        ("param_error_unsigned", pay_by("qr"), 0, unknown("PARAM_ERROR", "参数错误")),
        ("sign_error", pay_by("qr"), 0, unknown("FAIL", "签名错误")),
        ("system_error", pay_by("qr"), 0, unknown("SYSTEMERROR", "系统错误")),
        ("undocumented", pay_by("qr"), 0, unknown("NOT_IN_ANY_DOCUMENT", "?")),
        ("micropay_paid", pay_by("barcode"), 0, paid.clone()),
        ("micropay_userpaying", pay_by("barcode"), 0, "Pending - - -".into()),
        ("micropay_poor", pay_by("barcode"), 0, no("InsufficientFunds", "NOTENOUGH", "余额不足")),
        ("micropay_used_code", pay_by("barcode"), 0, ask(16)),
        ("query_paid", pay_by("barcode"), 16, paid.clone()),
        ("query_absent", pay_by("barcode"), 16, no("Expired", "AUTHCODEEXPIRE", "付款码已过期")),
        ("query_paid", query(), 0, paid.clone()),
        ("query_refund", query(), 0, paid.clone()),
        ("query_notpay", query(), 0, "Pending - 88.88 CNY -".into()),
        ("query_userpaying", query(), 0, "Pending - 88.88 CNY -".into()),
        ("query_closed", query(), 0, "Closed - 88.88 CNY -".into()),
        ("query_revoked", query(), 0, "Closed - 88.88 CNY -".into()),
        ("query_payerror", query(), 0, payerror.into()),
        ("query_absent", query(), 0, "Absent - - -".into()),
        ("system_error", query(), 0, unknown("SYSTEMERROR", "系统错误")),
        ("query_paid", close(), 0, paid.clone()),
        ("query_closed", close(), 0, "Closed - 88.88 CNY -".into()),
        ("query_absent", close(), 0, "Absent - - -".into()),
        ("query_notpay", close(), 0, "stage 1 None close_order.cgi".into()),
        ("query_userpaying", close(), 0, "stage 2 Money reverse.cgi".into()),
        ("query_payerror", close(), 0, "stage 2 Money reverse.cgi".into()),
        ("close", close(), 1, "Closed - - -".into()),
        ("reverse", close(), 2, "Closed - - -".into()),
        ("reverse_again", close(), 2, "Unexpected(\"recall Some(\\\"Y\\\")\")".into()),
        ("orderpaid", close(), 1, ask(3)),
        ("query_paid", close(), 3, paid.clone()),
        ("system_error", close(), 2, unknown("SYSTEMERROR", "系统错误")),
        ("refund", refund(), 0, ask_refund(3)),
        ("refund_success", refund(), 3, given("Succeeded")),
        ("refund_absent", refund(), 3, "Pending - - -".into()),
        ("refund_poor", refund(), 0, ask_refund(16)),
        ("refund_absent", refund(), 16, no("InsufficientFunds", "NOTENOUGH", "余额不足")),
        ("refund_success", refund(), 16, given("Succeeded")),
        ("system_error", refund(), 0, unknown("SYSTEMERROR", "系统错误")),
        ("refund_success", query_refund(), 0, given("Succeeded")),
        ("refund_second", query_refund(), 0, given("Succeeded")),
        ("refund_processing", query_refund(), 0, given("Pending")),
        ("refund_change", query_refund(), 0, given("Pending")),
        (
            "refund_fail",
            query_refund(),
            0,
            given("Declined(Decline { reason: Generic, code: \"FAIL\", message: \"退款失败\" })"),
        ),
        ("refund_absent", query_refund(), 0, "Absent - - -".into()),
        ("bill", statement(), 0, format!("file of {bill} bytes")),
        ("bill_error", statement(), 0, unknown("NOBILL", "账单不存在")),
        ("sign_error", statement(), 0, unknown("FAIL", "签名错误")),
    ];
    assert_read(&*adapter(), by_name, rows);
}

fn parameters(scene: &str) -> Vec<(String, String)> {
    client_parameters(&pay_by(scene), "prepay")
}

const PREPAY: &str = "6Vc7f6a1b2c3d4e5f60718293a4b5c6d";

#[test]
fn the_wallets_parameters_are_those_of_its_own_clients() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let info = "appid#1104606907|bargainor_id#1900000109|channel#wallet";
    assert_eq!(parameters("jsapi"), [pair("tokenId", PREPAY), pair("appInfo", info)]);
    let package = format!("prepay_id={PREPAY}");
    assert_eq!(parameters("mini"), [pair("package", &package), pair("bargainor_id", "1900000109")]);
    let app = parameters("app");
    let names: Vec<_> = app.iter().map(|(name, _)| name.as_str()).collect();
    let all = ["appId", "bargainorId", "tokenId", "nonce", "pubAcc", "timeStamp", "sigType", "sig"];
    assert_eq!(names, all);
    // Computed with Python's hmac over the text that the SDK's documentation prescribes.
    let (nonce, sig) = (app[3].1.as_str(), app[7].1.as_str());
    assert_eq!((nonce, sig), ("a64d09df2ab23c48bc22497a496dd4fd", "h7FZWY7qeHShWgYrghJ+Cz1uuiw="));
}

#[test]
fn what_does_not_fit_the_channel_is_refused_before_anything_is_sent() {
    let with = |scene: &str, change: fn(&mut Pay)| refused(pay(scene), change);
    assert_amounts_refused(&pay("qr"), i64::from(i32::MAX) + 1);
    assert!(matches!(with("qr", |pay| pay.money = Money::new(1, Currency::USD)), Some(Refusal::Amount(_))));
    assert!(matches!(with("qr", |pay| pay.capture = CaptureMode::Manual), Some(Refusal::Unsupported(_))));
    assert!(matches!(with("qr", |pay| pay.shared = true), Some(Refusal::Unsupported(_))));
    assert!(matches!(with("h5", |_| {}), Some(Refusal::Unsupported(_))));
    for (scene, param, change) in [
        ("qr", "reference", (|pay| pay.reference = "a-bcdef".into()) as fn(&mut Pay)),
        ("qr", "subject", |pay| pay.subject = " ".into()),
        ("qr", "expires_at", |pay| pay.expires_at = Some(NOW)),
        ("barcode", "payer.auth_code", |pay| pay.payer.auth_code = None),
        ("barcode", "payer.auth_code", |pay| pay.payer.auth_code = Some("91234567890123456".into())),
    ] {
        assert_parameter(with(scene, change), param);
    }
    // Whatever the payer reads, the signed text has one reading and the document no second element.
    let hostile = Operation::Pay(Pay {
        subject: "x]]></body><total_fee>1</total_fee>&total_fee=1".into(),
        ..pay("qr")
    });
    let text = request(adapter().encode(&hostile, &context(NOW)).unwrap()).text;
    assert_eq!(text.matches("]]]]><![CDATA[><／body>").count(), 1, "{text}");
    assert!(text.contains("＆total_fee＝1"), "{text}");
    let six = Operation::Pay(Pay {
        payer: Payer { ip: Some("2001:db8::1".into()), ..Payer::default() },
        ..pay("qr")
    });
    assert!(request(adapter().encode(&six, &context(NOW)).unwrap()).text.contains("127.0.0.1"));
}

#[test]
fn money_is_given_back_only_by_an_operator_with_a_certificate() {
    let without = |fields: &[&str], gateway: &str| {
        let mut changed = settings("ours.json");
        fields.iter().for_each(|field| changed.set(*field, ""));
        changed.set("gateway", gateway);
        open(&changed).encode(&refund(), &context(NOW)).map(|step| request(step).identified)
    };
    assert_eq!(without(&[], ""), Ok(true));
    let certificate = &["client_certificate", "client_key"];
    assert!(matches!(without(certificate, ""), Err(Refusal::Unsupported(_))));
    assert_eq!(without(certificate, "https://terminator.example"), Ok(false), "something else shows it");
    let operator = &["op_user_id", "op_user_passwd"];
    assert!(matches!(without(operator, ""), Err(Refusal::Unsupported(_))));
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |field: &str, value: &str| field_at_fault("ours.json", field, value);
    assert_eq!(with("gateway", "https://pay.example/qq/"), None);
    assert_eq!(with("appid", ""), None);
    for (field, value, fault) in [
        ("mch_id", "19000001x9", "mch_id"),
        ("appid", "wx 1", "appid"),
        ("key", "31characters000000000000000000t", "key"),
        ("key", "32 characters with blanks in it!", "key"),
        ("op_user_id", "", "op_user_id"),
        ("op_user_passwd", "", "op_user_passwd"),
        ("client_certificate", "", "client_certificate"),
        ("client_certificate", "aGVsbG8=", "client_certificate"),
        ("client_key", "", "client_key"),
        ("client_key", "-----BEGIN CERTIFICATE-----", "client_key"),
        ("gateway", "qpay.qq.com", "gateway"),
        ("mutual_gateway", "api.qpay.qq.com", "mutual_gateway"),
    ] {
        assert_eq!(with(field, value).as_deref(), Some(fault), "{field} {value}");
    }
}
