//! Requests byte for byte, and what each recorded reply means. The requests were verified by another implementation.

use super::*;

#[test]
fn every_operation_is_sent_as_recorded() {
    let first = |operation: &Operation| adapter().encode(operation, &context(NOW)).unwrap();
    let then = |name| adapter().decode(&close_of("alipay.qr"), 0, &reply(name), &context(NOW)).unwrap();
    for (name, step, effect) in [
        ("alipay_qr", first(&pay_by("alipay.qr")), Effect::Money),
        ("alipay_jsapi", first(&pay_by("alipay.jsapi")), Effect::Money),
        ("wechatpay_qr", first(&pay_by("wechatpay.qr")), Effect::Money),
        ("wechatpay_jsapi", first(&pay_by("wechatpay.jsapi")), Effect::Money),
        ("wechatpay_mini", first(&pay_by("wechatpay.mini")), Effect::Money),
        ("unionpay_qr", first(&pay_by("unionpay.qr")), Effect::Money),
        ("barcode", first(&pay_by("unionpay.barcode")), Effect::Money),
        ("query", first(&query_of("alipay.qr")), Effect::None),
        ("cancel", then("query_created"), Effect::Money),
        ("refund", first(&refund()), Effect::Money),
        ("refund_query", first(&query_refund()), Effect::None),
    ] {
        assert_sent(name, step, effect);
    }
    assert_sent("wap", first(&pay_by("wechatpay.wap")), Effect::None);
}

#[test]
fn every_recorded_reply_to_a_payment_means_one_thing() {
    let paid = format!("Succeeded {TRANSACTION} 88.88 CNY 2026-11-23T00:01:02.000Z");
    let ask = |stage: Stage| format!("stage {stage} None POST /upay/v2/query");
    let unknown = |code: &str, message: &str| format!("Unknown {{ code: {code:?}, message: {message:?} }}");
    let no = |reason: &str, code: &str| {
        format!("Declined(Decline {{ reason: {reason}, code: {code:?}, message: \"\" }})")
    };
    let (qr, barcode) = (pay_by("alipay.qr"), pay_by("alipay.barcode"));
    let (page, wallet) = (pay_by("wechatpay.jsapi"), pay_by("alipay.jsapi"));
    let rows = [
        ("precreate", &qr, 0, r#"Awaiting(Qr { content: "https://qr.alipay.com/bax8z75ihyoqpgkv5f" }) - - -"#.into()),
        ("precreate_page", &qr, 0, "Unexpected(\"no qr_code\")".into()),
        ("precreate", &page, 0, "Unexpected(\"no wap_pay_request\")".into()),
        (
            "precreate_page",
            &page,
            0,
            r#"Awaiting(Client { parameters: [("appId", "wx1"), ("package", "prepay_id=1"), ("paySign", "AB")] }) - - -"#
                .into(),
        ),
        (
            "precreate_text",
            &wallet,
            0,
            r#"Awaiting(Client { parameters: [("tradeNO", "2026112322001")] }) - - -"#.into(),
        ),
        ("precreate_fail", &qr, 0, ask(14)),
        ("precreate_doubt", &qr, 0, unknown("UNEXPECTED_PROVIDER_ERROR", "不认识的支付通道")),
        ("conflict", &qr, 0, ask(2)),
        ("params", &qr, 0, ask(3)),
        ("sign", &qr, 0, unknown("ILLEGAL_SIGN", "签名错误")),
        ("system", &qr, 0, unknown("UNKNOWN_SYSTEM_ERROR", "系统错误")),
        ("html", &qr, 0, "Unexpected(\"HTTP status 500\")".into()),
        ("absent", &qr, 2, "Absent - - -".into()),
        ("absent", &qr, 3, format!("{} - - -", no("InvalidRequest", "INVALID_PARAMS"))),
        ("query_paid", &qr, 2, paid.clone()),
        ("query_created", &qr, 2, format!("Pending {TRANSACTION} 88.88 CNY -")),
        ("pay", &barcode, 0, paid),
        ("pay_in_progress", &barcode, 0, format!("Pending {TRANSACTION} 88.88 CNY -")),
        (
            "pay_poor",
            &barcode,
            0,
            format!("{} {TRANSACTION} 88.88 CNY -", no("InsufficientFunds", "INSUFFICIENT_FUND")),
        ),
        ("pay_expired", &barcode, 0, ask(6)),
        ("absent", &barcode, 6, format!("{} - - -", no("Expired", "EXPIRED_BARCODE"))),
        ("pay_doubt", &barcode, 0, unknown("TRADE_FAILED", "交易失败")),
    ];
    assert_read(&*adapter(), call_by_path, rows);
}

#[test]
fn every_recorded_reply_to_another_call_means_one_thing() {
    let paid = format!("Succeeded {TRANSACTION} 88.88 CNY 2026-11-23T00:01:02.000Z");
    let open = |verdict: &str| format!("{verdict} {TRANSACTION} 88.88 CNY -");
    let ask = |stage: Stage| format!("stage {stage} None POST /upay/v2/query");
    let unknown = |code: &str, message: &str| format!("Unknown {{ code: {code:?}, message: {message:?} }}");
    let given = format!("{REFERENCE}-{REFUND_NO} 8.80 CNY");
    let at = "2026-11-23T00:09:11.000Z";
    let (query, close) = (query_of("alipay.qr"), close_of("alipay.qr"));
    let (refund, query_refund) = (refund(), query_refund());
    let odd = |state: &str| format!("Unexpected({:?})", format!("order_status {state:?}"));
    let rows = [
        ("query_paid", &query, 0, paid.clone()),
        ("query_refunded", &query, 0, open("Succeeded")),
        ("query_refund_error", &query, 0, open("Succeeded")),
        ("query_no_sn", &query, 0, odd("PAID")),
        ("query_created", &query, 0, open("Pending")),
        ("query_canceled", &query, 0, open("Closed")),
        ("query_pay_canceled", &query, 0, open("Closed")),
        (
            "query_pay_canceled",
            &query_of("alipay.barcode"),
            0,
            open("Declined(Decline { reason: Generic, code: \"PAY_CANCELED\", message: \"\" })"),
        ),
        ("query_pay_error", &query, 0, odd("PAY_ERROR")),
        ("query_cancel_error", &query, 0, odd("CANCEL_ERROR")),
        ("absent", &query, 0, "Absent - - -".into()),
        ("sign", &query, 0, unknown("ILLEGAL_SIGN", "签名错误")),
        ("query_paid", &close, 0, paid),
        ("query_created", &close, 0, "stage 1 Money POST /upay/v2/cancel".into()),
        ("cancel", &close, 1, "Closed - - -".into()),
        ("cancel_refused", &close, 1, ask(2)),
        ("cancel_doubt", &close, 1, unknown("UPAY_TCP_ORDER_NOT_REFUNDABLE", "订单参与了活动并且无法撤销")),
        ("refund", &refund, 0, format!("Succeeded - - {at}")),
        ("refund_in_progress", &refund, 0, "Pending - - -".into()),
        ("refund_doubt", &refund, 0, unknown("REFUND_ERROR", "")),
        ("refund_poor", &refund, 0, ask(5)),
        (
            "absent",
            &refund,
            5,
            "Declined(Decline { reason: InsufficientFunds, code: \"ACCOUNT_BALANCE_NOT_ENOUGH\", message: \"\" }) - - -"
                .into(),
        ),
        ("refund_known", &refund, 0, ask(2)),
        ("refund_query", &refund, 2, format!("Succeeded {given} {at}")),
        ("refund_query", &query_refund, 0, format!("Succeeded {given} {at}")),
        ("refund_query_busy", &query_refund, 0, format!("Pending {given} -")),
        (
            "refund_query_other",
            &query_refund,
            0,
            format!(
                "Unacceptable({:?})",
                format!(
                    "client_tsn is Some(\"{REFERENCE}-another\"), not \"{REFERENCE}-{REFUND_NO}\""
                )
            ),
        ),
        ("refund_query_whole", &query_refund, 0, "Absent - - -".into()),
        ("refund_query_part", &query_refund, 0, unknown("SUCCESS", "")),
        ("absent", &query_refund, 0, "Absent - - -".into()),
    ];
    assert_read(&*adapter(), call_by_path, rows);
}

#[test]
fn a_reply_about_something_else_is_unacceptable() {
    let text = String::from_utf8(reply("query_paid").into_body().to_vec()).unwrap();
    for (from, to) in [
        ("100010170024530001", "100010170024530002"),
        (REFERENCE, "01kayb4h7pz8y3v5n2q6m9t4wy"),
        ("\"8888\"", "\"8887\""),
    ] {
        let read = Reply::new(Bytes::from(text.replace(from, to)));
        let read = adapter().decode(&query_of("alipay.qr"), 0, &read, &context(NOW));
        assert!(matches!(read, Err(Fault::Unacceptable(_))), "{to}: {read:?}");
    }
    let known = Payment { channel_id: Some("1".into()), ..payment_by("alipay.qr") };
    let known = Operation::Query(Query { payment: known });
    let read = adapter().decode(&known, 0, &reply("query_paid"), &context(NOW));
    assert!(matches!(read, Err(Fault::Unacceptable(_))), "{read:?}");
}

#[test]
fn what_does_not_fit_the_channel_is_refused_before_anything_is_sent() {
    let with = |method: &str, change: fn(&mut Pay)| {
        let mut pay = pay(method);
        change(&mut pay);
        adapter().encode(&Operation::Pay(pay), &context(NOW)).err()
    };
    for fen in [0, -1, 10_000_000_000, i64::MAX, i64::MIN] {
        let operation = Operation::Pay(Pay { money: cny(fen), ..pay("alipay.qr") });
        assert!(matches!(adapter().encode(&operation, &context(NOW)), Err(Refusal::Amount(_))), "{fen}");
    }
    for method in ["alipay.wap", "ecny.qr", "alipay.app", "unionpay.jsapi"] {
        assert!(matches!(with(method, |_| {}), Some(Refusal::Unsupported(_))), "{method}");
    }
    for (method, param, change) in [
        ("alipay.qr", "reference", (|pay| pay.reference = "a-bcdef".into()) as fn(&mut Pay)),
        ("alipay.qr", "subject", |pay| pay.subject = " ".into()),
        ("alipay.qr", "expires_at", |pay| pay.expires_at = Some(NOW)),
        ("alipay.jsapi", "payer.id", |pay| pay.payer.id = None),
        ("alipay.barcode", "payer.auth_code", |pay| pay.payer.auth_code = Some("28123456789012345x".into())),
        ("wechatpay.wap", "return_url", |pay| pay.return_url = None),
        ("wechatpay.wap", "return_url", |pay| pay.return_url = Some("https://a.example/?a=1&sign=2".into())),
    ] {
        let refused = with(method, change);
        assert!(matches!(refused, Some(Refusal::Parameter { param: p, .. }) if p == param), "{param}");
    }
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |field: &str, value: &str| field_at_fault("ours.json", field, value);
    assert_eq!(with("gateway", "https://vsi-api.shouqianba.com"), None);
    assert_eq!(with("public_key", ""), None, "payments are queried then");
    for (field, value) in [
        ("terminal_sn", "1 2"),
        ("terminal_key", "\""),
        ("public_key", "aGVsbG8="),
        ("operator", "a b"),
        ("gateway", "api.shouqianba.com"),
        ("wap_gateway", "https://qr.shouqianba.com/gateway?a=1"),
    ] {
        assert_eq!(with(field, value).as_deref(), Some(field), "{field} {value}");
    }
}
