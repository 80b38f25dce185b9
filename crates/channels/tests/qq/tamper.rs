//! Messages that were damaged, forged, repeated or meant for somebody else.

use std::time::Instant;

use md5::{Digest as _, Md5};

use super::*;

/// A notification with these fields, signed as the provider signs.
fn signed(fields: &[(&str, &str)]) -> Notice {
    let key = settings("ours.json").value("key").unwrap().expose().to_owned();
    let mut sorted: Vec<_> = fields.iter().filter(|(_, value)| !value.is_empty()).collect();
    sorted.sort();
    let text: String = sorted.iter().map(|(name, value)| format!("{name}={value}&")).collect();
    let sign: String = Md5::digest(format!("{text}key={key}")).iter().map(|b| format!("{b:02X}")).collect();
    let cells: String = fields.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
    posted(format!("<xml>{cells}<sign>{sign}</sign></xml>"))
}

/// What the provider says of the payment, with one field changed, added or emptied.
fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("appid", "1104606907"),
        ("mch_id", "1900000109"),
        ("nonce_str", "b7ffb16a7150cf08639db472c5f5bdae"),
        ("out_trade_no", REFERENCE),
        ("transaction_id", TRANSACTION),
        ("trade_state", "SUCCESS"),
        ("total_fee", "8888"),
        ("fee_type", "CNY"),
        ("time_end", "20261123080102"),
    ];
    match fields.iter_mut().find(|(known, _)| *known == name) {
        Some(field) => field.1 = value,
        None => fields.push((name, value)),
    }
    fields
}

#[test]
fn a_notification_reports_its_payment() {
    let verified = adapter().verify(&notice("paid"), &context(NOW)).unwrap();
    let report = &verified.reports[0];
    assert_eq!((report.subject, report.reference.as_str()), (Subject::Payment, REFERENCE));
    assert_eq!(report.outcome.verdict, Verdict::Succeeded);
    assert_eq!(report.outcome.money, Some(cny(8888)));
    assert_eq!(report.outcome.channel_id.as_deref(), Some(TRANSACTION));
    assert_eq!(verified.reply.body().as_ref(), b"<xml><return_code>SUCCESS</return_code></xml>");
    let refusal = adapter().reject();
    assert_eq!(refusal.status().as_u16(), 400);
    assert_eq!(refusal.body().as_ref(), b"<xml><return_code>FAIL</return_code></xml>");
    assert!(verify(&signed(&with("attach", ""))).is_ok(), "the helper of these tests signs well");
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_notification_is_refused() {
    assert_damaged_notice_refused(&notice("paid"));
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_reply_is_a_fault() {
    assert_damaged_replies_are_faults([
        ("native", pay_by("qr")),
        ("query_paid", query()),
        ("query_absent", query()),
        ("refund_success", query_refund()),
    ]);
}

#[test]
fn a_signature_that_is_missing_doubled_or_by_another_key_is_refused() {
    let good = String::from_utf8(notice("paid").body().to_vec()).unwrap();
    let (before, sign) = good.split_once("<sign>").unwrap();
    for wrong in [
        format!("{before}</xml>"),
        format!("{before}<sign></sign></xml>"),
        format!("{before}<sign><![CDATA[ ]]></sign></xml>"),
        format!("{before}<sign>null</sign></xml>"),
        format!("{before}<sign>{}", sign.to_lowercase()),
        format!("{before}<sign>{sign}").replace("</xml>", "<sign>0</sign></xml>"),
        good.replace("8888</total_fee>", "8888</total_fee><refund_fee>1</refund_fee>"),
        good.replace("<total_fee>8888</total_fee>", "<total_fee>8888</total_fee><total_fee>8888</total_fee>"),
        good.replace("<total_fee>", "<Total_fee>").replace("</total_fee>", "</Total_fee>"),
        good.replace("<coupon_fee>0</coupon_fee>", ""),
    ] {
        assert_ne!(wrong, good);
        assert!(verify(&posted(wrong.clone())).is_err(), "{wrong}");
    }
    let mut stranger = settings("ours.json");
    stranger.set("key", "00000000000000000000000000000000");
    let stranger = Qq.open(&stranger, &NativeKeyring).unwrap();
    assert_eq!(stranger.verify(&notice("paid"), &context(NOW)).err(), Some(Fault::Signature));
}

#[test]
fn an_authentic_notification_for_somebody_else_or_about_nonsense_is_refused() {
    for (name, value) in
        [("appid", "1104606908"), ("mch_id", "1900000108"), ("fee_type", "USD"), ("mch_id", "")]
    {
        let refused = verify(&signed(&with(name, value)));
        assert!(matches!(refused, Err(Fault::Unacceptable(_))), "{name} {value}: {refused:?}");
    }
    for (name, value) in [
        ("out_trade_no", ""),
        ("transaction_id", ""),
        ("trade_state", ""),
        ("trade_state", "NOTPAY"),
        ("trade_state", "REFUND"),
        ("trade_state", "PAID"),
        ("total_fee", ""),
        ("total_fee", "0"),
        ("total_fee", "-8888"),
        ("total_fee", "88.88"),
        ("total_fee", "8,888"),
        ("total_fee", "8888 "),
        ("total_fee", "８８８８"),
        ("total_fee", "18446744073709551615"),
        ("time_end", "yesterday"),
        ("time_end", "20261323080102"),
    ] {
        let refused = verify(&signed(&with(name, value)));
        assert!(matches!(refused, Err(Fault::Unexpected(_))), "{name} {value:?}: {refused:?}");
    }
    // The amount and the order are bound by the engine, but the reply to a query is bound here.
    for (name, operation) in [
        ("query_paid", Operation::Query(Query { payment: about("qr", 8889, None) })),
        ("query_paid", Operation::Query(Query { payment: about("qr", 8888, Some("another".into())) })),
        ("refund", Operation::Query(Query { payment: about("qr", 8888, None) })),
    ] {
        assert!(adapter().decode(&operation, 0, &reply(name), &context(NOW)).is_err(), "{name}");
    }
}

#[test]
fn a_payment_of_another_time_is_not_news() {
    let paid: Timestamp = "2026-11-23T00:01:02Z".parse().unwrap();
    let at = |now: Timestamp| adapter().verify(&notice("paid"), &context(now)).map(drop);
    let (late, early) = (Duration::from_secs(48 * 3_600), Duration::from_secs(15 * 60));
    let second = Duration::from_secs(1);
    for (now, believed) in [
        (paid.plus(late), true),
        (paid.plus(late + second), false),
        (paid.minus(early), true),
        (paid.minus(early + second), false),
        (paid.plus(late * 200), false),
    ] {
        assert_eq!(at(now).is_ok(), believed, "{now}");
    }
    assert!(matches!(verify(&signed(&with("time_end", ""))), Err(Fault::Unacceptable(_))));
}

#[test]
fn hostile_bodies_are_refused_at_once() {
    let laughs: String =
        (1..60).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    for body in [
        format!("<!DOCTYPE xml [<!ENTITY l0 \"ha\">{laughs}]><xml><sign>&l59;</sign></xml>"),
        "<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><xml><sign>&x;</sign></xml>".into(),
        format!("<xml>{}</xml>", "<a>".repeat(100_000)),
        format!("<xml {}></xml>", "a='1' ".repeat(100_000)),
        format!("<xml><a>{}</a></xml>", "x".repeat(16 << 20)),
        "\u{0}".repeat(1 << 20),
    ] {
        let begin = Instant::now();
        assert!(verify(&posted(body.clone())).is_err());
        let mut answered = Reply::new(Bytes::from(body));
        *answered.status_mut() = http::StatusCode::OK;
        assert!(adapter().decode(&query(), 0, &answered, &context(NOW)).is_err());
        assert!(begin.elapsed() < Duration::from_millis(100), "{:?}", begin.elapsed());
    }
}
