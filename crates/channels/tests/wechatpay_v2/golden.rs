//! Requests byte for byte, and what each recorded reply means. The replies were written and signed by another
//! implementation.

use super::*;

pub(super) fn by_name(call: &Call) -> String {
    call_named(call, call.request.uri().path().trim_start_matches('/'))
}

#[test]
fn every_request_is_sent_as_recorded() {
    let adapter = adapter();
    for (name, operation, effect, shows_who) in [
        ("facepay", charge(), Effect::Money, false),
        ("facepayquery", query(), Effect::None, false),
        ("refund", refund(), Effect::Money, true),
        ("refundquery", query_refund(), Effect::None, false),
        ("sendredpack", packet(), Effect::Money, true),
        ("gethbinfo", query_packet(), Effect::None, true),
        ("authinfo", device(), Effect::None, false),
        ("downloadbill", statement(), Effect::None, false),
        ("login", identify("0a1B2c"), Effect::None, false),
    ] {
        let sent = request(adapter.encode(&operation, &context(NOW)).unwrap());
        assert_eq!((sent.effect, sent.identified), (effect, shows_who), "{name}");
        assert_recorded(name, &sent.text);
    }
    let reversal = adapter.decode(&close(), 0, &reply("query_userpaying"), &context(NOW)).unwrap();
    let sent = request(reversal);
    assert_eq!((sent.effect, sent.identified), (Effect::Money, true));
    assert_recorded("facepayreverse", &sent.text);
    let mut provider = settings("ours.json");
    provider.set("sub_mch_id", "1688880077");
    provider.set("sub_appid", "wxfeedc0de00000077");
    let provider = open(&provider);
    for (name, operation) in [("partner_facepay", charge()), ("partner_sendredpack", packet())] {
        assert_recorded(name, &request(provider.encode(&operation, &context(NOW)).unwrap()).text);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_recorded_reply_means_one_thing() {
    let paid = format!("Succeeded {TRANSACTION} 88.88 CNY 2026-11-23T00:01:02.000Z");
    let given = |verdict: &str| format!("{verdict} {REFUND_ID} 8.80 CNY -");
    let ask = |stage: Stage| format!("stage {stage} None pay/facepayquery");
    let ask_refund = |stage: Stage| format!("stage {stage} None pay/refundquery");
    let ask_packet = |stage: Stage| format!("stage {stage} None mmpaymkttransfers/gethbinfo");
    let no = |reason: &str, code: &str, message: &str| {
        format!("Declined(Decline {{ reason: {reason}, code: {code:?}, message: {message:?} }})")
    };
    let no_order = |reason: &str, code: &str, message: &str| format!("{} - - -", no(reason, code, message));
    let unknown = |code: &str, message: &str| format!("Unknown {{ code: {code:?}, message: {message:?} }}");
    let packed = |verdict: &str, at: &str| format!("{verdict} {PACKET} 88.88 CNY {at}");
    let bill = reply("bill").body().len();
    let client = "Awaiting(Client { parameters: [(\"appid\", \"wxd678efh567hg6787\"), (\"mch_id\", \"1900000109\"), \
                  (\"authinfo\", \"qRsT+f0r/device==\"), (\"expires_in\", \"3600\")] }) - - -";
    let rows = [
        ("facepay_paid", charge(), 0, paid.clone()),
        ("facepay_userpaying", charge(), 0, "Pending - - -".into()),
        ("facepay_poor", charge(), 0, no_order("InsufficientFunds", "NOTENOUGH", "余额不足")),
        ("facepay_used", charge(), 0, ask(16)),
        ("orderpaid", charge(), 0, ask(2)),
        ("query_paid", charge(), 2, paid.clone()),
        ("query_absent", charge(), 2, "Absent - - -".into()),
        ("query_absent", charge(), 16, no_order("Expired", "AUTHCODEEXPIRE", "人脸凭证已过期")),
        ("param_error", charge(), 0, no_order("InvalidRequest", "PARAM_ERROR", "参数错误")),
        ("param_error_unsigned", charge(), 0, unknown("PARAM_ERROR", "参数错误")),
        ("sign_error", charge(), 0, unknown("FAIL", "签名错误")),
        ("system_error", charge(), 0, unknown("SYSTEMERROR", "系统错误")),
        ("undocumented", charge(), 0, unknown("NOT_IN_ANY_DOCUMENT", "?")),
        ("query_paid", query(), 0, paid.clone()),
        ("query_refund", query(), 0, paid.clone()),
        ("query_notpay", query(), 0, "Pending - 88.88 CNY -".into()),
        ("query_userpaying", query(), 0, "Pending - 88.88 CNY -".into()),
        ("query_revoked", query(), 0, "Closed - 88.88 CNY -".into()),
        (
            "query_payerror",
            query(),
            0,
            format!("{} - 88.88 CNY -", no("InsufficientFunds", "PAYERROR", "支付失败，余额不足")),
        ),
        ("query_absent", query(), 0, "Absent - - -".into()),
        ("query_paid", close(), 0, paid.clone()),
        ("query_revoked", close(), 0, "Closed - 88.88 CNY -".into()),
        ("query_absent", close(), 0, "Absent - - -".into()),
        ("query_userpaying", close(), 0, "stage 1 Money secapi/pay/facepayreverse".into()),
        ("query_payerror", close(), 0, "stage 1 Money secapi/pay/facepayreverse".into()),
        ("reverse", close(), 1, ask(2)),
        ("reverse_again", close(), 1, "Unexpected(\"recall Some(\\\"Y\\\")\")".into()),
        ("orderpaid", close(), 1, ask(2)),
        ("system_error", close(), 1, unknown("SYSTEMERROR", "系统错误")),
        ("query_revoked", close(), 2, "Closed - 88.88 CNY -".into()),
        ("query_paid", close(), 2, paid.clone()),
        ("refund", refund(), 0, ask_refund(2)),
        ("refund_success", refund(), 2, given("Succeeded")),
        ("refund_absent", refund(), 2, "Pending - - -".into()),
        ("refund_poor", refund(), 0, ask_refund(16)),
        ("refund_absent", refund(), 16, no_order("InsufficientFunds", "NOTENOUGH", "余额不足")),
        ("refund_success", refund(), 16, given("Succeeded")),
        ("system_error", refund(), 0, unknown("SYSTEMERROR", "系统错误")),
        ("refund_success", query_refund(), 0, given("Succeeded")),
        ("refund_processing", query_refund(), 0, given("Pending")),
        ("refund_change", query_refund(), 0, given("Pending")),
        ("refund_closed", query_refund(), 0, given(&no("Generic", "REFUNDCLOSE", "退款关闭"))),
        ("refund_absent", query_refund(), 0, "Absent - - -".into()),
        ("packet_sent", packet(), 0, packed("Pending", "-")),
        ("packet_notenough", packet(), 0, ask_packet(16)),
        ("packet_noauth", packet(), 0, ask_packet(17)),
        ("packet_systemerror", packet(), 0, ask_packet(2)),
        ("packet_absent", packet(), 2, "Absent - - -".into()),
        ("packet_absent", packet(), 16, no_order("InsufficientFunds", "NOTENOUGH", "商户余额不足")),
        ("packet_info_sent", packet(), 16, packed("Pending", "-")),
        ("packet_info_sent", query_packet(), 0, packed("Pending", "-")),
        ("packet_info_sending", query_packet(), 0, packed("Pending", "-")),
        ("packet_info_refunding", query_packet(), 0, packed("Pending", "-")),
        ("packet_info_received", query_packet(), 0, packed("Succeeded", "2026-11-23T00:01:02.000Z")),
        ("packet_info_failed", query_packet(), 0, packed(&no("Generic", "FAILED", "余额不足"), "-")),
        (
            "packet_info_refund",
            query_packet(),
            0,
            packed(&no("Expired", "REFUND", "红包超时未领取，已退回"), "-"),
        ),
        (
            "packet_info_unknown",
            query_packet(),
            0,
            "Unexpected(\"the status of a red packet \\\"LOST\\\"\")".into(),
        ),
        ("packet_absent", query_packet(), 0, "Absent - - -".into()),
        (
            "packet_systemerror",
            query_packet(),
            0,
            unknown("SYSTEMERROR", "请求已受理，请稍后使用原单号查询发放结果"),
        ),
        ("sign_error", query_packet(), 0, unknown("FAIL", "签名错误")),
        ("device", device(), 0, client.into()),
        ("sign_error", device(), 0, unknown("FAIL", "签名错误")),
        ("bill", statement(), 0, format!("file of {bill} bytes")),
        ("bill_error", statement(), 0, unknown("FAIL", "No Bill Exist")),
        ("login", identify("0a1B2c"), 0, "Succeeded oTest0nlyPayer - -".into()),
        ("login_spent", identify("0a1B2c"), 0, no_order("Expired", "40163", "code been used, rid: 0")),
        ("login_secret", identify("0a1B2c"), 0, unknown("40125", "invalid appsecret")),
        ("login_busy", identify("0a1B2c"), 0, unknown("-1", "system error")),
        ("login_empty", identify("0a1B2c"), 0, "Unexpected(\"no openid\")".into()),
    ];
    assert_read(&*adapter(), by_name, rows);
}

#[test]
fn what_does_not_fit_the_channel_is_refused_before_anything_is_sent() {
    let refused = |operation: Operation| adapter().encode(&operation, &context(NOW)).err();
    let pays = |change: fn(&mut Pay)| support::refused(pay(), change);
    let sends = |change: fn(&mut Transfer)| {
        let mut transfer = transfer();
        change(&mut transfer);
        refused(Operation::Transfer(transfer))
    };
    for change in [
        (|pay| pay.capture = CaptureMode::Manual) as fn(&mut Pay),
        |pay| pay.shared = true,
        |pay| pay.method = "wechatpay.qr".parse().unwrap(),
    ] {
        assert!(matches!(pays(change), Some(Refusal::Unsupported(_))));
    }
    for change in [(|transfer| transfer.payee.kind = AccountKind::Bank) as fn(&mut Transfer), |transfer| {
        transfer.payee.name = Some("某人".into())
    }] {
        assert!(matches!(sends(change), Some(Refusal::Unsupported(_))));
    }
    for (param, refusal) in [
        ("reference", pays(|pay| pay.reference = "a".repeat(29))),
        ("subject", pays(|pay| pay.subject = " ".into())),
        ("payer.auth_code", pays(|pay| pay.payer.auth_code = None)),
        ("payer.auth_code", pays(|pay| pay.payer.auth_code = Some("<face>".into()))),
        ("expires_at", pays(|pay| pay.expires_at = Some(NOW))),
        ("reference", sends(|transfer| transfer.reference = "a-b".into())),
        ("payee.account", sends(|transfer| transfer.payee.account = "某人".into())),
        ("purpose", sends(|transfer| transfer.purpose = Some("PRODUCT_9".into()))),
        ("purpose", sends(|transfer| transfer.purpose = Some("PRODUCT_10".into()))),
        (
            "purpose",
            sends(|transfer| {
                (transfer.purpose, transfer.money) = (None, cny(20_001));
            }),
        ),
        (
            "purpose",
            sends(|transfer| {
                (transfer.purpose, transfer.money) = (None, cny(99));
            }),
        ),
        ("title", sends(|transfer| transfer.title = String::new())),
        ("facts", sends(|transfer| transfer.facts.push(("act_name".into(), "twice".into())))),
        ("facts", sends(|transfer| transfer.facts.push(("total_amount".into(), "1".into())))),
        ("return_url", refused(sign_in("https://shop.example/?a=1&code=2", "s"))),
        ("return_url", refused(sign_in("javascript:alert(1)", "s"))),
        ("state", refused(sign_in("https://shop.example/", "a&b"))),
        ("code", refused(identify("a&secret=b"))),
        ("code", refused(identify(""))),
    ] {
        assert_parameter(refusal, param);
    }
    for money in [cny(0), cny(-1), cny(i64::from(i32::MAX) + 1), Money::new(100, Currency::USD)] {
        let pay = refused(Operation::Pay(Pay { money, ..pay() }));
        let packet = refused(Operation::Transfer(Transfer { money, ..transfer() }));
        assert!(matches!(pay, Some(Refusal::Amount(_))), "{pay:?}");
        assert!(matches!(packet, Some(Refusal::Amount(_))), "{packet:?}");
    }
}

#[test]
fn the_payer_is_sent_to_wechat_and_told_apart_by_the_right_app() {
    let page = |settings: &Settings| {
        open(settings).encode(
            &sign_in("https://pay.example/l/lnk_1?a=茶".replace('茶', "b").as_str(), "paycore"),
            &context(NOW),
        )
    };
    let url = |settings: &Settings| match page(settings) {
        Ok(Step::Done(Outcome { verdict: Verdict::Awaiting(Action::Redirect { url }), .. })) => url,
        other => panic!("{other:?}"),
    };
    let mut changed = settings("ours.json");
    assert_eq!(
        url(&changed),
        "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wxd678efh567hg6787\
         &redirect_uri=https%3A%2F%2Fpay.example%2Fl%2Flnk_1%3Fa%3Db&response_type=code&scope=snsapi_base\
         &state=paycore#wechat_redirect"
    );
    changed.set("sub_mch_id", "1688880077");
    changed.set("sub_appid", "wxfeedc0de00000077");
    assert!(url(&changed).contains("appid=wxfeedc0de00000077&"));
    changed.set("app_secret", "");
    assert!(matches!(page(&changed), Err(Refusal::Unsupported(_))));
}

#[test]
fn money_goes_out_only_with_a_certificate() {
    let without = |fields: &[&str], gateway: &str, operation: &Operation| {
        let mut changed = settings("ours.json");
        fields.iter().for_each(|field| changed.set(*field, ""));
        changed.set("gateway", gateway);
        open(&changed).encode(operation, &context(NOW)).map(|step| request(step).identified)
    };
    let certificate = &["client_certificate", "client_key"];
    for operation in [refund(), packet(), query_packet()] {
        assert_eq!(without(&[], "", &operation), Ok(true));
        assert!(matches!(without(certificate, "", &operation), Err(Refusal::Unsupported(_))));
        let terminated = without(certificate, "https://terminator.example", &operation);
        assert_eq!(terminated, Ok(false), "something else shows it");
    }
    assert_eq!(without(certificate, "", &charge()), Ok(false), "charging needs none");
    assert!(matches!(without(&["send_name"], "", &packet()), Err(Refusal::Unsupported(_))));
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |field: &str, value: &str| field_at_fault("ours.json", field, value);
    assert_eq!(with("gateway", "https://pay.example/wechat/"), None);
    for (field, value, fault) in [
        ("mch_id", "19000001x9", "mch_id"),
        ("appid", "wx 1", "appid"),
        ("key", "31characters000000000000000000t", "key"),
        ("key", " 2characters000000000000000000te", "key"),
        ("sub_appid", "wxfeedc0de00000077", "sub_mch_id"),
        ("sub_mch_id", "x", "sub_mch_id"),
        ("send_name", "一家名字很长很长很长的小店", "send_name"),
        ("app_secret", "short", "app_secret"),
        ("login_gateway", "open.weixin.qq.com", "login_gateway"),
        ("client_certificate", "", "client_certificate"),
        ("client_key", "aGVsbG8=", "client_key"),
        ("gateway", "api.mch.weixin.qq.com", "gateway"),
        ("face_gateway", "ftp://payapp.weixin.qq.com", "face_gateway"),
    ] {
        assert_eq!(with(field, value).as_deref(), Some(fault), "{field} {value}");
    }
}
