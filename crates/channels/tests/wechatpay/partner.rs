//! A service provider acting for a merchant, and platform certificates.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use serde_json::Value;

use super::*;

const SUB: &str = "1688880077";

fn provider(appid: Option<&str>) -> Settings {
    let mut settings = settings("ours.json");
    settings.set("sub_mchid", SUB);
    settings.set("sub_appid", appid.unwrap_or_default());
    settings
}

fn walked(appid: Option<&str>) -> Wire {
    let appid = appid.map(str::to_owned);
    Wire::with(move |ours, theirs| {
        for settings in [ours, theirs] {
            settings.set("sub_mchid", SUB);
            if let Some(appid) = &appid {
                settings.set("sub_appid", appid);
            }
        }
    })
}

#[test]
fn a_service_provider_names_the_merchant_it_acts_for() {
    let channel = open(&provider(None));
    for (name, operation) in [
        ("partner_jsapi", Operation::Pay(Pay { shared: true, ..pay("jsapi") })),
        ("partner_query", query()),
        ("partner_refund", refund()),
        ("partner_refund_query", query_refund()),
    ] {
        assert_recorded(name, &request(channel.encode(&operation, &context(NOW)).unwrap()).text);
    }
    let own = open(&provider(Some("wxfeedc0de00000077")));
    let text = request(own.encode(&pay_by("jsapi"), &context(NOW)).unwrap()).text;
    assert!(
        text.contains(r#""sub_openid":"oTest0nlyPayer""#)
            && text.contains(r#""sub_appid":"wxfeedc0de00000077""#)
    );
}

fn funds() -> Operation {
    Operation::Statement(Statement { kind: StatementKind::Funds, day: NOW })
}

fn transfer(fen: i64) -> Operation {
    Operation::Transfer(Transfer {
        reference: REFUND.into(),
        started_at: NOW,
        payee: Receiver {
            kind: AccountKind::Open,
            account: "oReceiver0nly".into(),
            name: None,
            relation: None,
        },
        money: cny(fen),
        title: "退押金".into(),
        purpose: Some("1005".into()),
        facts: Vec::new(),
    })
}

#[test]
fn a_service_provider_pays_out_for_the_merchant_that_authorized_it() {
    for appid in [None, Some("wxfeedc0de00000077")] {
        let mut wire = walked(appid);
        let ask = Operation::QueryTransfer(QueryTransfer {
            reference: REFUND.into(),
            channel_id: None,
            started_at: NOW,
            money: cny(700),
        });
        assert_eq!(wire.verdict(&ask), Verdict::Absent);
        let text = request(wire.channel.encode(&transfer(700), &context(NOW)).unwrap()).text;
        assert!(
            text.starts_with(&format!("POST {BASE}/v3/fund-app/mch-transfer/partner/transfer-bills ")),
            "{text}"
        );
        let Verdict::Awaiting(Action::Client { parameters }) = wire.verdict(&transfer(700)) else { panic!() };
        let named =
            |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!((named("subMchId"), named("subAppId")), (Some(SUB), appid));
        wire.browse("POST", &format!("{BASE}/payer/{REFUND}/pay"));
        let paid = wire.perform(&ask).unwrap();
        assert_eq!((paid.verdict, paid.money), (Verdict::Succeeded, Some(cny(700))));
        let due = wire.simulator.due(wire.now);
        let told = wire.channel.verify(&due[0].request, &context(wire.now)).unwrap();
        assert_eq!(told.reports[0].outcome.verdict, Verdict::Succeeded);
        let mut wire = walked(appid);
        let Verdict::Declined(poor) = wire.verdict(&transfer(9_001)) else { panic!() };
        assert_eq!(poor.reason, DeclineReason::InsufficientFunds);
    }
}

/// The bill of funds of the merchant that is acted for comes sealed for the provider.
#[test]
fn the_sealed_bill_of_funds_is_opened_checked_and_read() {
    let mut wire = walked(None);
    assert_eq!(wire.verdict(&pay_by("barcode")), Verdict::Succeeded);
    assert_eq!(wire.verdict(&refund_unlocated()), Verdict::Succeeded);
    let Step::Send(first) = wire.channel.encode(&funds(), &context(NOW)).unwrap() else { panic!() };
    let Answer::Reply(located) = wire.answer(first.request) else { panic!() };
    let next = wire.channel.decode(&funds(), first.stage, &located, &context(NOW)).unwrap();
    let Step::Send(mut second) = next else { panic!("{next:?}") };
    let memo: Option<Memo> = second.request.extensions_mut().remove();
    let Answer::Reply(mut sealed) = wire.answer(second.request) else { panic!() };
    Memo::hand_on(memo.clone(), &mut sealed);
    let open = |wire: &Wire, reply: &Reply| wire.channel.decode(&funds(), second.stage, reply, &context(NOW));
    let Step::File(file) = open(&wire, &sealed).unwrap() else { panic!() };
    let (mut lines, mut count) = (Vec::new(), 0);
    wire.channel.parse(&mut file.as_ref(), &mut |line| lines.push(line)).unwrap();
    for line in &lines {
        count += usize::from(line.kind == LineKind::Payment || line.kind == LineKind::Refund);
    }
    assert_eq!((count, lines.len()), (2, 3), "a payment, its fee and a refund: {lines:?}");
    let step = (sealed.body().len() / 64).max(1);
    for at in (0..sealed.body().len()).step_by(step) {
        let mut damaged = sealed.body().to_vec();
        damaged[at] ^= 1;
        let mut other = Reply::new(damaged.into());
        Memo::hand_on(memo.clone(), &mut other);
        assert!(matches!(open(&wire, &other), Err(Fault::Unacceptable(_))), "byte {at}");
    }
    let Memo(said) = memo.unwrap();
    let words: Vec<&str> = said.split(' ').collect();
    let other_hash = format!("{} {} {}", "0".repeat(40), words[1], words[2]);
    let short = format!("{} {} {}", words[0], words[1], &words[2][1..]);
    let no_key = format!("{} {} {}", words[0], "AAAA", words[2]);
    for wrong in [other_hash, short, no_key, words[0].to_owned()] {
        let mut other = sealed.clone();
        Memo::hand_on(Some(Memo(wrong.clone())), &mut other);
        assert!(matches!(open(&wire, &other), Err(Fault::Unacceptable(_))), "{wrong}");
    }
}

#[test]
fn a_reply_about_another_merchant_of_the_provider_is_not_believed() {
    let paid = reply("partner_paid");
    let read =
        |settings: &Settings| line(open(settings).decode(&query(), 0, &paid, &context(NOW)), call_by_path);
    assert!(read(&provider(None)).starts_with("Succeeded"));
    let mut other = provider(None);
    other.set("sub_mchid", "1688880078");
    assert!(read(&other).starts_with("Unacceptable"), "{}", read(&other));
    assert!(read(&settings("ours.json")).starts_with("Unacceptable"), "we act for nobody");
    let read = open(&provider(None)).decode(&query(), 0, &reply("query_paid"), &context(NOW));
    assert!(matches!(read, Err(Fault::Unacceptable(_))), "a merchant's own order: {read:?}");
}

#[test]
fn every_scene_works_for_a_service_provider() {
    for appid in [None, Some("wxfeedc0de00000077")] {
        for scene in ["qr", "h5", "jsapi", "mini", "app"] {
            let mut wire = walked(appid);
            let Verdict::Awaiting(action) = wire.verdict(&pay_by(scene)) else { panic!("{scene}") };
            if let Action::Client { parameters } = action {
                let app = parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case("appid")).unwrap();
                assert_eq!(app.1 == "wxfeedc0de00000077", appid.is_some(), "the payer's app signs in");
            }
            wire.browse("POST", &format!("{BASE}/payer/{REFERENCE}/pay"));
            assert_eq!(wire.verdict(&query()), Verdict::Succeeded, "{scene}");
            assert_eq!(wire.verdict(&close()), Verdict::Succeeded, "{scene}");
            assert_eq!(wire.verdict(&refund_unlocated()), Verdict::Succeeded, "{scene}");
            assert_eq!(wire.verdict(&refund_query_unlocated()), Verdict::Succeeded, "{scene}");
            for due in wire.simulator.due(wire.now) {
                assert!(wire.channel.verify(&due.request, &context(wire.now)).is_ok(), "{scene}");
            }
        }
        let mut wire = walked(appid);
        assert_eq!(wire.verdict(&pay_by("qr")).clone(), wire.verdict(&pay_by("qr")));
        assert_eq!(wire.verdict(&close()), Verdict::Closed);
        let mut wire = walked(appid);
        let slow = Operation::Pay(Pay { money: cny(9002), ..pay("barcode") });
        assert_eq!(wire.verdict(&slow), Verdict::Pending);
        let end = Operation::Close(Close { payment: about(9002, None) });
        assert_eq!(wire.verdict(&end), Verdict::Closed, "reversed");
    }
}

fn refund_unlocated() -> Operation {
    let Operation::Refund(refund) = refund() else { unreachable!() };
    Operation::Refund(Refund { payment: about(8888, None), ..refund })
}

fn refund_query_unlocated() -> Operation {
    let Operation::QueryRefund(query) = query_refund() else { unreachable!() };
    Operation::QueryRefund(QueryRefund { payment: about(8888, None), ..query })
}

/// The provider's certificates instead of its public key, with or without the root that issued them.
fn certified(root: bool) -> Wire {
    Wire::with(|ours, theirs| {
        ours.set("public_key", "");
        ours.set("public_key_id", "");
        ours.set("platform_certificate", theirs.text("certificate", ""));
        if root {
            ours.set("platform_root", theirs.text("root_certificate", ""));
        }
    })
}

#[test]
fn a_merchant_with_certificates_is_answered_by_them() {
    for root in [false, true] {
        let mut wire = certified(root);
        assert_eq!(wire.verdict(&pay_by("barcode")), Verdict::Succeeded);
        assert_eq!(wire.verdict(&query()), Verdict::Succeeded);
        let other = Operation::Pay(Pay { reference: "anotherorder1".into(), ..pay("qr") });
        assert!(matches!(wire.verdict(&other), Verdict::Awaiting(_)));
        wire.browse("POST", &format!("{BASE}/payer/anotherorder1/pay"));
        let due = wire.simulator.due(wire.now);
        assert!(wire.channel.verify(&due[0].request, &context(wire.now)).is_ok());
        wire.now = "2045-01-01T00:00:00Z".parse().unwrap();
        let late = wire.channel.encode(&query(), &context(wire.now)).unwrap();
        let Step::Send(call) = late else { panic!() };
        assert!(
            call.request.headers().get("wechatpay-serial").is_none(),
            "none of them is in force any more"
        );
        let Answer::Reply(reply) = wire.answer(call.request) else { panic!() };
        let read = wire.channel.decode(&query(), 0, &reply, &context(wire.now));
        assert!(matches!(read, Err(Fault::Signature)), "{read:?}");
    }
}

/// A certificate of a fresh sandbox, and the root that issued it.
fn issued() -> (String, String) {
    let (mut certificate, mut root) = (String::new(), String::new());
    Wire::with(|_, theirs| {
        theirs.text("certificate", "").clone_into(&mut certificate);
        theirs.text("root_certificate", "").clone_into(&mut root);
    });
    (certificate, root)
}

#[test]
fn only_certificates_of_the_configured_root_are_taken() {
    let ((certificate, root), (_, of_the_same_name)) = (issued(), issued());
    let refused = |certificate: &str, root: &str| {
        let mut settings = settings("ours.json");
        settings.set("platform_certificate", certificate);
        settings.set("platform_root", root);
        WechatPay.open(&settings, &NativeKeyring).err().map(|error| error.field)
    };
    assert_eq!(refused(&certificate, &root), None);
    let own = settings("ours_certificate.json");
    let own = own.text("platform_certificate", "");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    for (certificate, root, field) in [
        (certificate.as_str(), of_the_same_name.as_str(), "platform_certificate"),
        (own, &root, "platform_certificate"),
        (&format!("{certificate}{own}"), &root, "platform_certificate"),
        (&certificate, &certificate, "platform_certificate"),
        (&certificate, broken, "platform_root"),
        (&certificate, &format!("{root}{root}"), "platform_root"),
    ] {
        assert_eq!(refused(certificate, root).as_deref(), Some(field));
    }
}

/// What other clients fetch by themselves: the list, sealed with the APIv3 key.
#[test]
fn the_list_of_certificates_opens_with_the_seal() {
    let (mut seal, mut pem) = (String::new(), String::new());
    let mut wire = Wire::with(|ours, theirs| {
        ours.text("apiv3_key", "").clone_into(&mut seal);
        theirs.text("certificate", "").clone_into(&mut pem);
    });
    let listed = wire.certificates();
    let sealed = &listed["data"][0]["encrypt_certificate"];
    let text = |name: &str| sealed[name].as_str().unwrap();
    let key = Aes256Gcm::new_from_slice(seal.as_bytes()).unwrap();
    let nonce = Nonce::from(<[u8; 12]>::try_from(text("nonce").as_bytes()).unwrap());
    let ciphertext = STANDARD.decode(text("ciphertext")).unwrap();
    let payload = Payload { msg: &ciphertext, aad: text("associated_data").as_bytes() };
    assert_eq!(key.decrypt(&nonce, payload).unwrap(), pem.as_bytes());
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
}

#[test]
fn settings_of_a_service_provider_name_the_field_at_fault() {
    for (field, value, fault) in
        [("sub_mchid", "x", "sub_mchid"), ("sub_mchid", "", "sub_mchid"), ("sub_appid", "wx 1", "sub_appid")]
    {
        let mut settings = provider(Some("wxfeedc0de00000077"));
        settings.set(field, value);
        let refused = WechatPay.open(&settings, &NativeKeyring).err().map(|error| error.field);
        assert_eq!(refused.as_deref(), Some(fault), "{field} {value}");
    }
}

impl Wire {
    /// The list as the provider shows it to the merchant, who signs the request here: the adapter never fetches it.
    fn certificates(&mut self) -> Value {
        let (timestamp, nonce) = (self.now.secs(), "list");
        let signer = NativeKeyring.signer(self.ours.value("private_key").unwrap()).unwrap();
        let text = format!("GET\n/v3/certificates\n{timestamp}\n{nonce}\n\n");
        let signature = STANDARD.encode(signer.sign(Scheme::RsaSha256, text.as_bytes()).unwrap());
        let (mchid, serial) = (self.ours.text("mchid", ""), self.ours.text("serial_no", ""));
        let header = format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{mchid}\",nonce_str=\"{nonce}\",signature=\"{signature}\",\
             timestamp=\"{timestamp}\",serial_no=\"{serial}\""
        );
        let request = Request::get(format!("{BASE}/v3/certificates")).header("authorization", header);
        let Answer::Reply(reply) = self.answer(request.body(Bytes::new()).unwrap()) else { panic!() };
        assert_eq!(reply.status().as_u16(), 200);
        serde_json::from_slice(reply.body()).unwrap()
    }
}
