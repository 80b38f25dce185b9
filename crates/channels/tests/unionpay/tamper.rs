//! Forged, damaged and misdirected messages. Each is signed here, by the key that is named.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::secret::Secret;
use sha2::{Digest as _, Sha256};

use super::*;

type Fields = BTreeMap<String, String>;

fn hex(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn joined(fields: &Fields) -> String {
    fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn paid() -> Fields {
    let pairs = [
        ("version", "5.1.0"),
        ("encoding", "UTF-8"),
        ("signMethod", "01"),
        ("merId", MERCHANT),
        ("orderId", REFERENCE),
        ("txnTime", "20261123081000"),
        ("txnType", "01"),
        ("txnSubType", "01"),
        ("txnAmt", "8888"),
        ("currencyCode", "156"),
        ("queryId", QUERY_ID),
        ("traceTime", "1123081205"),
        ("respCode", "00"),
        ("respMsg", "成功[0000000]"),
        ("origRespCode", "00"),
        ("reqReserved", "{a=1&b=2==}"),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// Signs with this private key, and shows this certificate.
fn signed(mut fields: Fields, key: &str, certificate: &str) -> Fields {
    fields.insert("signPubKeyCert".into(), text(&format!("keys/{certificate}.pem")));
    let signer = NativeKeyring.signer(&Secret::new(text(&format!("keys/{key}.key")))).unwrap();
    let signature = signer.sign(Scheme::RsaSha256, hex(&joined(&fields)).as_bytes()).unwrap();
    fields.insert("signature".into(), STANDARD.encode(signature));
    fields
}

fn form(fields: &Fields) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn verdict(channel: &Arc<dyn Channel>, body: String) -> Result<Verdict, Fault> {
    match channel.decode(&query(), 0, &Reply::new(body.into()), &context(NOW))? {
        Step::Done(outcome) => Ok(outcome.verdict),
        other => panic!("{other:?}"),
    }
}

/// Whether a reply and a notification made of these fields are believed.
fn believed(channel: &Arc<dyn Channel>, fields: &Fields) -> (bool, bool) {
    let notice = channel.verify(&posted(form(fields)), &context(NOW));
    (verdict(channel, joined(fields)).is_ok(), notice.is_ok())
}

#[test]
fn only_a_certificate_of_unionpays_own_is_believed() {
    let channel = adapter();
    for (key, certificate, expected) in [
        ("sign", "sign", true),
        ("sign", "testname", true),
        ("stranger", "rogue", false),
        ("stranger", "forged", false),
        ("stranger", "issued", false),
        ("stranger", "stranger", false),
        ("stranger", "place", false),
        ("sign", "expired", false),
        ("sign", "future", false),
        ("stranger", "sign", false),
        ("merchant", "merchant", false),
        ("middle", "middle", false),
    ] {
        let fields = signed(paid(), key, certificate);
        assert_eq!(believed(&channel, &fields), (expected, expected), "{certificate} by {key}");
    }
    let mut bare = signed(paid(), "sign", "sign");
    for certificate in [None, Some(""), Some("/etc/ssl/cert.pem"), Some("-----BEGIN CERTIFICATE-----")] {
        bare.remove("signPubKeyCert");
        bare.extend(certificate.map(|text| ("signPubKeyCert".to_owned(), text.to_owned())));
        assert_eq!(believed(&channel, &bare), (false, false), "{certificate:?}");
    }
}

#[test]
fn the_name_of_the_test_environment_counts_nothing_in_production() {
    let mut production = settings();
    production.set("gateway", "");
    let production = open(&production);
    assert_eq!(believed(&production, &signed(paid(), "sign", "sign")), (true, true));
    assert_eq!(believed(&production, &signed(paid(), "sign", "testname")), (false, false));
}

#[test]
fn a_message_cannot_choose_how_it_is_checked() {
    let certificate = text("keys/sign.pem");
    for method in ["11", "12", "02", ""] {
        let mut fields = paid();
        fields.insert("signMethod".into(), method.into());
        fields.insert("signPubKeyCert".into(), certificate.clone());
        let keyed = hex(&format!("{}&{}", joined(&fields), hex(&certificate)));
        fields.insert("signature".into(), keyed);
        assert_eq!(believed(&adapter(), &fields), (false, false), "{method}");
        // Properly signed, but not by the account's method.
        fields.remove("signature");
        assert_eq!(believed(&adapter(), &signed(fields, "sign", "sign")), (false, false), "{method}");
    }
}

#[test]
fn a_shared_key_signs_both_ways() {
    let mut shared = settings();
    shared.set("sign_method", "11");
    shared.set("secure_key", "979da4cfccbae7923641daa5dd7047c2");
    let channel = open(&shared);
    let with = |key: &str| {
        let mut fields = paid();
        fields.insert("signMethod".into(), "11".into());
        let keyed = hex(&format!("{}&{}", joined(&fields), hex(key)));
        fields.insert("signature".into(), keyed);
        fields
    };
    assert_eq!(believed(&channel, &with("979da4cfccbae7923641daa5dd7047c2")), (true, true));
    assert_eq!(believed(&channel, &with("979da4cfccbae7923641daa5dd7047c3")), (false, false));
    assert_eq!(believed(&channel, &signed(paid(), "sign", "sign")), (false, false));
}

#[test]
fn a_reply_is_not_percent_encoded_and_has_one_reading() {
    let channel = adapter();
    let good = joined(&signed(paid(), "sign", "sign"));
    assert_eq!(verdict(&channel, good.clone()), Ok(Verdict::Succeeded));
    assert!(good.contains('+'), "the base64 in it has a plus");
    for (what, bad) in [
        ("plus as space", good.replace('+', " ")),
        ("percent-encoded", form(&signed(paid(), "sign", "sign"))),
        ("a field twice", format!("{good}&respCode=00")),
        ("a field twice, otherwise", format!("respCode=34&{good}")),
        ("the reserve opened", good.replace("{a=1&b=2==}", "a=1&b=2==")),
        ("an open brace", good.replace("{a=1&b=2==}", "{a=1&b=2==")),
        ("another amount", good.replace("txnAmt=8888", "txnAmt=88880")),
        ("the method upper-case", good.replace("signMethod=01", "SIGNMETHOD=01")),
        ("HTML", "<html><body>respCode=00&signature=x</body></html>".into()),
        ("nothing", String::new()),
        ("one long brace", format!("a={}", "{".repeat(1_000_000))),
        ("many fields", "a=1&".repeat(100_000)),
    ] {
        assert!(verdict(&channel, bad).is_err(), "{what}");
    }
}

#[test]
fn authentic_words_about_something_else_are_not_believed() {
    let channel = adapter();
    for (field, value) in [
        ("merId", "777290058110049"),
        ("orderId", "01kayb4h7pz8y3v5n2q6m9t4wy"),
        ("txnTime", "20261123081001"),
        ("txnAmt", "8889"),
        ("txnAmt", "-8888"),
        ("txnAmt", "88.88"),
        ("currencyCode", "840"),
        ("txnType", "04"),
        ("respCode", "06"),
        ("origRespCode", "42"),
        ("queryId", ""),
    ] {
        let mut fields = paid();
        fields.insert(field.into(), value.into());
        let read = verdict(&channel, joined(&signed(fields, "sign", "sign")));
        assert!(read.is_err(), "{field} {value}: {read:?}");
    }
}

#[test]
fn every_flipped_bit_of_a_recorded_notification_is_refused() {
    let (channel, paid) = (adapter(), notice("paid"));
    let verified = channel.verify(&paid, &context(NOW)).unwrap();
    let [Report { subject: Subject::Payment, reference, outcome }] = verified.reports.as_slice() else {
        panic!()
    };
    assert_eq!((reference.as_str(), outcome.money), (REFERENCE, Some(cny(8888))));
    assert_eq!((&outcome.verdict, verified.reply.status().as_u16()), (&Verdict::Succeeded, 200));
    assert!(channel.confirms(), "what it says has to be asked for");
    assert_flips_refused(&*channel, &paid, 7, &[]);
}

#[test]
fn a_notification_says_what_it_is_about() {
    let told = |kind: &str, order_id: &str| {
        let mut fields = paid();
        fields.extend([("txnType", kind), ("orderId", order_id)].map(|(n, v)| (n.to_owned(), v.to_owned())));
        let verified = adapter().verify(&posted(form(&signed(fields, "sign", "sign"))), &context(NOW))?;
        let report = verified.reports.into_iter().next().unwrap();
        Ok::<_, Fault>((report.subject, report.reference, report.outcome.verdict))
    };
    let reference = || REFERENCE.to_owned();
    let (captured, voided) = (format!("{REFERENCE}coxi9c"), format!("{REFERENCE}voxi9c"));
    assert_eq!(told("02", REFERENCE), Ok((Subject::Payment, reference(), Verdict::Authorized)));
    assert_eq!(told("03", &captured), Ok((Subject::Payment, reference(), Verdict::Succeeded)));
    assert_eq!(told("32", &voided), Ok((Subject::Payment, reference(), Verdict::Closed)));
    assert_eq!(told("04", REFUND), Ok((Subject::Refund, REFUND.to_owned(), Verdict::Succeeded)));
    assert!(told("03", &voided).is_err() && told("32", "c").is_err() && told("99", REFERENCE).is_err());
}
