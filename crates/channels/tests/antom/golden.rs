//! Requests byte for byte, and what each recorded reply means. The replies were signed by another implementation.

use super::*;

#[test]
fn every_operation_is_sent_as_recorded() {
    let first = |operation: &Operation| adapter().encode(operation, &context(NOW)).unwrap();
    let then = |name| adapter().decode(&close(), 1, &reply(name), &context(NOW)).unwrap();
    for (name, step, effect) in [
        ("pay", first(&Operation::Pay(pay())), Effect::Money),
        ("query", first(&query()), Effect::None),
        ("cancel", then("query_processing"), Effect::Money),
        ("refund", first(&refund(Some(PAYMENT_ID))), Effect::Money),
        ("refund_query", first(&query_refund()), Effect::None),
    ] {
        assert_sent(name, step, effect);
    }
    assert_eq!(request(first(&close())).text, request(first(&query())).text);
    // Without Antom's number the payment is looked up first, and what follows is the same.
    let asked = adapter().encode(&refund(None), &context(NOW)).unwrap();
    assert_eq!(request(asked).text, request(first(&query())).text);
    let found = adapter().decode(&refund(None), 1, &reply("query_paid"), &context(NOW)).unwrap();
    assert_eq!(request(found).text, request(first(&refund(Some(PAYMENT_ID)))).text);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_recorded_reply_means_one_thing() {
    let paid = format!("Succeeded {PAYMENT_ID} 88.88 HKD 2026-11-23T00:01:02.000Z");
    let state = |verdict: &str| format!("{verdict} {PAYMENT_ID} 88.88 HKD -");
    let given = |verdict: &str, at: &str| format!("{verdict} {REFUND_ID} 8.80 HKD {at}");
    let call = |stage: Stage, name: &str| {
        let effect = if matches!(name, "cancel" | "refund") { "Money" } else { "None" };
        format!("stage {stage} {effect} POST /ams/sandbox/api/v1/payments/{name}")
    };
    let said = "as the documents say";
    let no = |reason: &str, code: &str, message: &str| {
        format!("Declined(Decline {{ reason: {reason}, code: {code:?}, message: {message:?} }})")
    };
    let nothing = "refused, and an inquiry finds nothing";
    let unknown = |code: &str| format!("Unknown {{ code: {code:?}, message: {said:?} }}");
    let (pay, close) = (Operation::Pay(pay()), close());
    let rows = [
        (
            "pay",
            &pay,
            0,
            format!(
                "Awaiting(Redirect {{ url: \"https://open-sea-global.alipay.com/cashier?p=1&id=abc\" }}) \
                 {PAYMENT_ID} - -"
            ),
        ),
        ("pay_no_url", &pay, 0, "Unexpected(\"no normalUrl\")".into()),
        ("pay_other", &pay, 0, "Unacceptable(\"paymentAmount is 88.80 HKD, not 88.88 HKD\")".into()),
        ("pay_done", &pay, 0, call(5, "inquiryPayment")),
        ("pay_illegal", &pay, 0, call(16, "inquiryPayment")),
        ("pay_undocumented", &pay, 0, unknown("NOT_IN_ANY_DOCUMENT")),
        ("pay_unknown", &pay, 0, unknown("UNKNOWN_EXCEPTION")),
        ("pay_unsigned", &pay, 0, "Signature".into()),
        ("pay_500", &pay, 0, "Unexpected(\"HTTP status 500\")".into()),
        // A good signature, but over the path of another call.
        ("query_paid", &pay, 0, "Signature".into()),
        ("query_absent", &pay, 5, "Absent - - -".into()),
        ("query_absent", &pay, 16, no("InvalidRequest", "PARAM_ILLEGAL", nothing) + " - - -"),
        ("query_paid", &pay, 16, paid.clone()),
        ("query_paid", &query(), 1, paid.clone()),
        ("query_processing", &query(), 1, state("Pending")),
        ("query_pending", &query(), 1, state("Pending")),
        ("query_cancelled", &query(), 1, state("Closed")),
        ("query_expired", &query(), 1, state("Closed")),
        ("query_poor", &query(), 1, state(&no("InsufficientFunds", "USER_BALANCE_NOT_ENOUGH", said))),
        ("query_strange", &query(), 1, "Unexpected(\"paymentStatus Some(\\\"SETTLED\\\")\")".into()),
        ("query_absent", &query(), 1, "Absent - - -".into()),
        ("query_unknown", &query(), 1, unknown("UNKNOWN_EXCEPTION")),
        ("query_processing", &close, 1, call(2, "cancel")),
        // Paid, but not yet sure: a cancellation would give the money back.
        ("query_pending", &close, 1, state("Pending")),
        ("query_paid", &close, 1, paid.clone()),
        ("query_cancelled", &close, 1, state("Closed")),
        ("query_absent", &close, 1, "Absent - - -".into()),
        ("cancel", &close, 2, format!("Closed {PAYMENT_ID} - -")),
        ("cancel_late", &close, 2, call(5, "inquiryPayment")),
        ("cancel_unknown", &close, 2, unknown("UNKNOWN_EXCEPTION")),
        ("query_paid", &close, 5, paid),
        ("query_paid", &refund(None), 1, call(3, "refund")),
        ("query_absent", &refund(None), 1, call(21, "inquiryRefund")),
        ("query_cancelled", &refund(None), 1, call(22, "inquiryRefund")),
        ("refund", &refund(None), 3, given("Succeeded", "2026-11-23T00:09:11.000Z")),
        ("refund_process", &refund(None), 3, "Pending - - -".into()),
        ("refund_poor", &refund(None), 3, call(18, "inquiryRefund")),
        ("refund_unknown", &refund(None), 3, unknown("UNKNOWN_EXCEPTION")),
        (
            "refund_absent",
            &refund(None),
            18,
            no("InsufficientFunds", "MERCHANT_BALANCE_NOT_ENOUGH", nothing) + " - - -",
        ),
        ("refund_query", &refund(None), 18, given("Succeeded", "2026-11-23T00:09:11.000Z")),
        ("refund_query", &query_refund(), 4, given("Succeeded", "2026-11-23T00:09:11.000Z")),
        ("refund_processing", &query_refund(), 4, given("Pending", "-")),
        ("refund_failed", &query_refund(), 4, given(&no("Generic", "FAIL", "success"), "-")),
        ("refund_absent", &query_refund(), 4, "Absent - - -".into()),
    ];
    assert_read(&*adapter(), call_by_path, rows);
}

#[test]
fn what_does_not_fit_the_channel_is_refused_before_anything_is_sent() {
    let with = |change: fn(&mut Pay)| refused(pay(), change);
    assert_amounts_refused(&pay(), 10_000_000_000_000_000);
    assert!(matches!(with(|pay| pay.money = Money::new(1, Currency::USD)), Some(Refusal::Amount(_))));
    assert!(matches!(with(|pay| pay.capture = CaptureMode::Manual), Some(Refusal::Unsupported(_))));
    assert!(matches!(with(|pay| pay.shared = true), Some(Refusal::Unsupported(_))));
    assert!(matches!(with(|pay| pay.method = "alipayhk.qr".parse().unwrap()), Some(Refusal::Unsupported(_))));
    for (param, change) in [
        ("reference", (|pay| pay.reference = "a-bcdef".into()) as fn(&mut Pay)),
        ("subject", |pay| pay.subject = " ".into()),
        ("expires_at", |pay| pay.expires_at = Some(NOW)),
        ("return_url", |pay| pay.return_url = None),
        ("return_url", |pay| pay.return_url = Some("javascript:alert(1)".into())),
    ] {
        assert_parameter(with(change), param);
    }
}

#[test]
fn settings_name_the_field_at_fault() {
    let with = |field: &str, value: &str| field_at_fault("ours.json", field, value);
    assert_eq!(with("gateway", "https://open-na-global.alipay.com/"), None);
    assert_eq!(with("key_version", "2"), None);
    let theirs = settings("theirs.json");
    for (field, value) in [
        ("client_id", "SANDBOX 5Y"),
        ("client_id", "a\nb"),
        ("private_key", "not a key"),
        ("antom_public_key", "not a key"),
        ("antom_public_key", theirs.text("merchant_public_key", "")),
        ("key_version", "1,signature=x"),
        ("antom_key_version", "one"),
        ("settlement_currency", "dollars"),
        ("gateway", "open-sea-global.alipay.com"),
    ] {
        assert_eq!(with(field, value).as_deref(), Some(field), "{field} {value}");
    }
}
