//! Messages that were damaged, forged or meant for somebody else, and the simulator in each way of signing.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore_channels::allinpay::simulator::Sandbox;

use super::*;

/// An example that the platform published with its SM2 code: text, key and signature.
#[test]
fn the_platforms_own_example_of_sm2_verifies_under_its_name() {
    let key = "MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAE/BnA8BawehBtH0ksPyayo4pmzL/u1FQ2sZcqwOp6bjVqQX4tjo930QAvHZPJ2eez\
               8sCz/RYghcqv4LvMq+kloQ==";
    let sign = "AovBKQGUe0xuJ0ox7FgIIX+yB3DzbudgUsnNvJmDV0IdHZtU2Y8vdeUY1pd2vmPUf08hNgdkoz+4WP/D/ktOcA==";
    let (verifier, sign) = (NativeKeyring.verifier(key).unwrap(), STANDARD.decode(sign).unwrap());
    let text = "返回待验签数据".as_bytes();
    assert!(verifier.verify_as(Scheme::Sm2Sm3, "Allinpay", text, &sign));
    assert!(!verifier.verify(Scheme::Sm2Sm3, text, &sign));
}

fn verify(account: &str, body: impl Into<Bytes>) -> Result<Vec<Report>, Fault> {
    opened(account).verify(&posted(body), &context(NOW)).map(|verified| verified.reports)
}

/// The recorded notification with one field changed, signed by the platform.
fn notified(name: &str, value: &str) -> Result<Vec<Report>, Fault> {
    let (_, _, body) = message("notice_paid_sm2");
    let mut fields: BTreeMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    fields.remove("sign");
    fields.insert(name.to_owned(), value.to_owned());
    let text: Vec<String> =
        fields.iter().filter(|(_, value)| !value.is_empty()).map(|(n, v)| format!("{n}={v}")).collect();
    let theirs = settings("theirs_sm2.json");
    let signer = NativeKeyring.signer(theirs.value("platform_private_key").unwrap()).unwrap();
    let sign = signer.sign_as(Scheme::Sm2Sm3, "Allinpay", text.join("&").as_bytes()).unwrap();
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    verify("ours_sm2.json", form.extend_pairs(&fields).append_pair("sign", &STANDARD.encode(sign)).finish())
}

#[test]
fn a_notification_reports_what_was_asked_for_in_each_way_of_signing() {
    let outcome = |fen, at: &str| Outcome::new(Verdict::Succeeded).money(cny(fen)).at(at.parse().unwrap());
    let paid = outcome(8888, "2026-11-23T00:01:02Z").channel_id(TRXID);
    let paid = Report { subject: Subject::Payment, reference: REFERENCE.into(), outcome: paid };
    for (account, name) in
        [("ours.json", "paid"), ("ours_sm2.json", "paid_sm2"), ("ours_md5.json", "paid_md5")]
    {
        let verified = opened(account).verify(&notice(name), &context(NOW)).unwrap();
        assert_eq!(verified.reports, std::slice::from_ref(&paid), "{name}");
        assert_eq!(verified.reply.body().as_ref(), b"success");
    }
    let given = outcome(880, "2026-11-23T01:10:11Z");
    let given = Report { subject: Subject::Refund, reference: REFUND.into(), outcome: given };
    assert_eq!(adapter().verify(&notice("refund"), &context(NOW)).unwrap().reports, [given]);
}

#[test]
fn no_flipped_bit_and_no_cut_of_a_notification_is_believed() {
    for (account, name) in
        [("ours.json", "paid"), ("ours_sm2.json", "paid_sm2"), ("ours_md5.json", "paid_md5")]
    {
        assert_flips_refused(&*opened(account), &notice(name), 7, &[]);
        assert_cuts_refused(&*opened(account), &notice(name), 3);
    }
}

#[test]
fn a_changed_reply_never_says_something_else() {
    assert_changed_reply_says_nothing_else("query_paid", &query());
}

#[test]
fn authentic_but_wrong_content_is_refused() {
    assert!(notified("bankcode", "").is_ok());
    for (name, value) in [
        ("cusid", "990581007426002"),
        ("appid", "00000052"),
        ("trxstatus", "2008"),
        ("trxcode", "VSP502"),
        ("trxcode", ""),
        ("cusorderid", ""),
        ("initamt", "88.88"),
        ("initamt", "0"),
        ("initamt", "-1"),
        ("paytime", "20261131080102"),
        ("bankcode", "x&trxamt=1"),
    ] {
        assert!(notified(name, value).is_err(), "{name} {value}");
    }
    let with = |change: fn(&mut Payment)| {
        let mut payment = payment();
        change(&mut payment);
        let query = Operation::Query(Query { payment });
        adapter().decode(&query, 0, &reply("query_paid"), &context(NOW))
    };
    assert!(with(|_| {}).is_ok());
    assert!(matches!(with(|payment| payment.money = cny(8887)), Err(Fault::Unacceptable(_))));
    assert!(matches!(with(|payment| payment.reference = "other".into()), Err(Fault::Unacceptable(_))));
    assert!(matches!(with(|payment| payment.channel_id = Some("1".into())), Err(Fault::Unacceptable(_))));
}

#[test]
fn hostile_bodies_are_refused() {
    let deep = "[".repeat(1 << 20);
    for body in ["", "{}", "null", "<html>", "{\"sign\":\"\"}", "{\"sign\":1,\"sign\":2}", &deep] {
        let said = adapter().decode(&query(), 0, &Reply::new(Bytes::from(body.to_owned())), &context(NOW));
        assert!(said.is_err(), "{body:.20}");
        assert!(verify("ours.json", body.to_owned()).is_err(), "{body:.20}");
    }
}

/// The simulator with keys of ours, in each way of signing: a QR code is made and asked for.
#[test]
fn the_simulator_speaks_all_three_ways_of_signing() {
    let rsa = (NativeKeyring.generate().unwrap(), NativeKeyring.generate().unwrap());
    let sm2 = (NativeKeyring.generate_sm2().unwrap(), NativeKeyring.generate_sm2().unwrap());
    for (kind, pairs) in [("RSA", Some(&rsa)), ("SM2", Some(&sm2)), ("MD5", None)] {
        let both =
            [("cusid", "990581007426001"), ("appid", "00000051"), ("sign_type", kind), ("md5_key", "k")];
        let (mut ours, mut theirs) = (Settings::from_pairs(both), Settings::from_pairs(both));
        ours.set("gateway", "https://sandbox.example/apiweb");
        theirs.set("base_url", "https://sandbox.example");
        if let Some((merchant, platform)) = pairs {
            ours.set("private_key", merchant.private.expose());
            ours.set("platform_public_key", &platform.public);
            theirs.set("merchant_public_key", &merchant.public);
            theirs.set("platform_private_key", platform.private.expose());
        }
        let channel = Allinpay.open(&ours, &NativeKeyring).unwrap();
        let mut simulator = Sandbox.open(&theirs, &NativeKeyring).unwrap();
        for (operation, expected) in [(pay_by("alipay.qr"), "Awaiting"), (query_of_anyone(), "Pending")] {
            let Step::Send(call) = channel.encode(&operation, &context(NOW)).unwrap() else {
                panic!("{kind}")
            };
            let (mut head, body) = call.request.into_parts();
            head.uri = head.uri.path().parse().unwrap();
            let Answer::Reply(reply) = simulator.handle(&http::Request::from_parts(head, body), NOW) else {
                panic!("{kind} is silent")
            };
            let step = channel.decode(&operation, 0, &reply, &context(NOW));
            assert!(format!("{step:?}").contains(expected), "{kind}: {step:?}");
        }
    }
}

fn query_of_anyone() -> Operation {
    Operation::Query(Query { payment: Payment { channel_id: None, ..payment() } })
}
