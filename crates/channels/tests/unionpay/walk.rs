//! The adapter against its simulator, in what the conformance suite does not ask.

use super::*;

/// A fresh sandbox; with a shared key instead of certificates where a method is given.
fn wire(method: Option<&str>) -> Wire {
    Wire::with(|ours, theirs| {
        for side in [ours, theirs] {
            if let Some(method) = method {
                side.set("sign_method", method);
                side.set("secure_key", "979da4cfccbae7923641daa5dd7047c2");
            }
        }
    })
}

fn post(wire: &mut Wire, url: &str, body: impl Into<Bytes>) -> Reply {
    wire.reply(http::Request::post(url).body(body.into()).unwrap())
}

fn press(wire: &mut Wire, button: &str) -> String {
    let page = wire.browse("POST", &format!("{BASE}/payer/{REFERENCE}/{button}"));
    String::from_utf8(page.into_body().to_vec()).unwrap()
}

#[test]
fn all_three_ways_to_sign_work_both_ways() {
    for method in [None, Some("11"), Some("12")] {
        let mut wire = wire(method);
        let paid = wire.perform(&Operation::Pay(pay("barcode"))).unwrap();
        assert_eq!((&paid.verdict, paid.money), (&Verdict::Succeeded, Some(cny(8888))), "{method:?}");
        let notices = wire.simulator.due(wire.now);
        assert!(wire.channel.verify(&notices[0].request, &context(wire.now)).is_ok(), "{method:?}");
    }
}

#[test]
fn a_page_leads_back_to_the_shop_with_an_authentic_front_notification() {
    let mut wire = wire(None);
    let Verdict::Awaiting(Action::Form { url, fields }) = wire.verdict(&Operation::Pay(pay("page"))) else {
        panic!()
    };
    assert_eq!(wire.verdict(&query()), Verdict::Absent, "the payer has not come yet");
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    assert_eq!(post(&mut wire, &url, body).status(), 302);
    assert_eq!(wire.verdict(&query()), Verdict::Pending);
    let page = press(&mut wire, "pay");
    assert!(page.contains("action='https://shop.example/done?order=42&amp;lang=zh'"), "{page}");
    let inputs = page.split("<input type=hidden name='").skip(1).map(|input| {
        let (name, rest) = input.split_once("' value='").unwrap();
        (name.to_owned(), rest.split_once("'>").unwrap().0.to_owned())
    });
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(inputs).finish();
    assert!(wire.channel.verify(&posted(body), &context(wire.now)).is_ok());
    assert_eq!(wire.verdict(&query()), Verdict::Succeeded);
}

#[test]
fn an_unpaid_payment_is_over_at_its_expiry() {
    let mut wire = wire(None);
    assert!(matches!(wire.verdict(&Operation::Pay(pay("qr"))), Verdict::Awaiting(Action::Qr { .. })));
    let asked = query_about(payment("qr", None));
    assert_eq!(wire.verdict(&asked), Verdict::Pending);
    wire.wait(1_800);
    let Verdict::Declined(decline) = wire.verdict(&asked) else { panic!() };
    assert_eq!(decline.reason, DeclineReason::Expired);
    press(&mut wire, "pay");
    assert!(wire.simulator.book().is_empty());
}

#[test]
fn the_simulator_refuses_what_the_provider_refuses() {
    let mut wire = wire(None);
    let (head, body) = wire.request(&query(), NOW).into_parts();
    let body = String::from_utf8(body.to_vec()).unwrap();
    for (what, body) in [
        ("another number", body.replace(REFERENCE, REFUND)),
        ("a field twice", format!("{body}&orderId={REFERENCE}")),
        ("a blank field", format!("{body}&accType=")),
        ("another certificate", body.replace("certId=7", "certId=8")),
    ] {
        let reply = wire.reply(http::Request::from_parts(head.clone(), body.into()));
        let text = String::from_utf8_lossy(reply.body()).into_owned();
        assert!(!text.contains("signature="), "{what}: {text}");
    }
    // A clock that believes to be in Beijing while it shows UTC plus sixteen hours.
    let ahead = Pay { started_at: NOW.plus(Duration::from_secs(8 * 3_600)), expires_at: None, ..pay("qr") };
    let verdict = wire.verdict(&Operation::Pay(ahead));
    assert!(matches!(verdict, Verdict::Declined(decline) if decline.code == "10"));
}
