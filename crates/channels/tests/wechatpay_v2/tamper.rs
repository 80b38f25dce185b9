//! Replies that were damaged, forged, meant for somebody else, or made to do harm.

use std::time::Instant;

use super::*;

#[test]
fn every_flipped_bit_and_every_cut_of_a_signed_reply_is_a_fault() {
    // White space between the fields is no part of what is said.
    let white = |one: &u8, other: &u8| one.is_ascii_whitespace() && other.is_ascii_whitespace();
    let replies = [
        ("facepay_paid", charge()),
        ("query_paid", query()),
        ("query_absent", query()),
        ("refund_success", query_refund()),
        ("device", device()),
    ];
    assert_damaged_replies_are_faults_but(white, replies);
}

#[test]
fn a_signature_by_the_other_kind_or_another_key_is_refused() {
    let mut stranger = settings("ours.json");
    stranger.set("key", "00000000000000000000000000000000");
    let stranger = open(&stranger);
    let read = stranger.decode(&query(), 0, &reply("query_paid"), &context(NOW));
    assert!(matches!(read, Err(Fault::Signature)), "{read:?}");
    // The same fields signed with MD5, as red packets are.
    use md5::{Digest as _, Md5};
    let body = String::from_utf8(reply("query_paid").body().to_vec()).unwrap();
    let fields = body.split("<![CDATA[").skip(1).map(|cell| {
        let (value, rest) = cell.split_once("]]></").unwrap();
        (rest.split('>').next().unwrap(), value)
    });
    let mut fields: Vec<_> = fields.filter(|(name, value)| *name != "sign" && !value.is_empty()).collect();
    fields.sort_unstable();
    let text: String = fields.iter().map(|(name, value)| format!("{name}={value}&")).collect();
    let key = settings("ours.json").value("key").unwrap().expose().to_owned();
    let sign: String = Md5::digest(format!("{text}key={key}")).iter().map(|b| format!("{b:02X}")).collect();
    let cells: String = fields.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
    let weak = Reply::new(Bytes::from(format!("<xml>{cells}<sign>{sign}</sign></xml>")));
    let read = adapter().decode(&query(), 0, &weak, &context(NOW));
    assert!(matches!(read, Err(Fault::Signature)), "{read:?}");
}

#[test]
fn a_reply_about_something_else_is_not_believed() {
    let decode =
        |operation: &Operation, name: &str| adapter().decode(operation, 0, &reply(name), &context(NOW));
    let other_sum = Operation::Query(Query { payment: about(8889, None) });
    let other_id = Operation::Query(Query { payment: about(8888, Some("another".into())) });
    let other_packet = Operation::QueryTransfer(QueryTransfer {
        reference: "another".into(),
        channel_id: None,
        started_at: NOW,
        money: cny(8888),
    });
    let other_money = Operation::QueryTransfer(QueryTransfer {
        reference: REFERENCE.into(),
        channel_id: None,
        started_at: NOW,
        money: cny(8887),
    });
    let other_person = Operation::Transfer(Transfer {
        payee: Receiver { account: "oSomebodyElse".into(), ..transfer().payee },
        ..transfer()
    });
    for (operation, name) in [
        (other_sum, "query_paid"),
        (other_id, "query_paid"),
        (other_packet, "packet_info_received"),
        (other_money, "packet_info_received"),
        (other_person, "packet_sent"),
    ] {
        let read = decode(&operation, name);
        assert!(matches!(read, Err(Fault::Unacceptable(_))), "{name}: {read:?}");
    }
    let mut provider = settings("ours.json");
    provider.set("sub_mch_id", "1688880077");
    let provider = open(&provider);
    let read = provider.decode(&query(), 0, &reply("query_paid"), &context(NOW));
    assert!(matches!(read, Err(Fault::Unacceptable(_))), "a merchant's own order: {read:?}");
    let mut other = settings("ours.json");
    other.set("mch_id", "1900000108");
    let other = open(&other);
    for (operation, name) in [(query_packet(), "packet_info_received"), (packet(), "packet_sent")] {
        let read = other.decode(&operation, 0, &reply(name), &context(NOW));
        assert!(matches!(read, Err(Fault::Unacceptable(_))), "{name}: {read:?}");
    }
}

#[test]
fn nothing_is_notified_so_nothing_is_believed_that_says_it_is() {
    let body = reply("query_paid").into_body();
    assert_eq!(verify(&posted(body)).err(), Some(Fault::Unsupported));
    assert_eq!(adapter().reject().status(), 400);
}

#[test]
fn hostile_bodies_are_refused_at_once() {
    let laughs: String =
        (1..60).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    for body in [
        format!("<!DOCTYPE xml [<!ENTITY l0 \"ha\">{laughs}]><xml><sign>&l59;</sign></xml>"),
        "<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><xml><return_code>&x;</return_code></xml>"
            .into(),
        format!("<xml>{}</xml>", "<hblist>".repeat(100_000)),
        format!("<xml><hblist>{}</hblist></xml>", "<hbinfo>".repeat(100_000)),
        format!("<xml {}></xml>", "a='1' ".repeat(100_000)),
        format!("<xml><a>{}</a></xml>", "x".repeat(16 << 20)),
        "\u{0}".repeat(1 << 20),
        "[".repeat(1 << 20),
    ] {
        let begin = Instant::now();
        let answered = Reply::new(Bytes::from(body));
        for operation in [query(), query_packet(), packet(), device(), identify("0a1B2c")] {
            assert!(adapter().decode(&operation, 0, &answered, &context(NOW)).is_err());
        }
        assert!(begin.elapsed() < Duration::from_millis(250), "{:?}", begin.elapsed());
    }
}
