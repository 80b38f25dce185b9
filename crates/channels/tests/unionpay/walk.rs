//! The adapter against its simulator, in what the conformance suite does not ask.

use std::time::Duration;

use paycore::channel::simulator::{Answer, Maker, Simulator};
use paycore::channel::{Action, DeclineReason, Outcome, Step, Verdict};
use paycore_channels::unionpay::simulator::Sandbox;

use super::*;

const BASE: &str = "https://sandbox.example/1";

struct Wire {
    channel: Arc<dyn Channel>,
    simulator: Box<dyn Simulator>,
    now: Timestamp,
}

impl Wire {
    /// A fresh sandbox; with a shared key instead of certificates where a method is given.
    fn new(method: Option<&str>) -> Wire {
        let provision = Sandbox.provision(BASE, &NativeKeyring, &SeededRng::new(7)).unwrap();
        let (mut ours, mut theirs) = (provision.ours, provision.theirs);
        for side in [&mut ours, &mut theirs] {
            if let Some(method) = method {
                side.set("sign_method", method);
                side.set("secure_key", "979da4cfccbae7923641daa5dd7047c2");
            }
        }
        let channel = UnionPay.open(&ours, &NativeKeyring).unwrap();
        Wire { channel, simulator: Sandbox.open(&theirs, &NativeKeyring).unwrap(), now: NOW }
    }

    fn post(&mut self, url: &str, body: Bytes) -> http::Response<Bytes> {
        let path = url.strip_prefix(BASE).unwrap();
        let request = http::Request::post(path).body(body).unwrap();
        match self.simulator.handle(&request, self.now) {
            Answer::Reply(reply) => reply,
            Answer::Silence => panic!("no answer"),
        }
    }

    fn perform(&mut self, operation: &Operation) -> Outcome {
        let mut step = self.channel.encode(operation, &context(self.now)).unwrap();
        loop {
            let call = match step {
                Step::Done(outcome) => return outcome,
                Step::Send(call) => call,
                Step::File(_) => panic!("a file"),
            };
            let reply = self.post(&call.request.uri().to_string(), call.request.body().clone());
            step = self.channel.decode(operation, call.stage, &reply, &context(self.now)).unwrap();
        }
    }

    fn press(&mut self, button: &str) -> String {
        let page = self.post(&format!("{BASE}/payer/{REFERENCE}/{button}"), Bytes::new());
        String::from_utf8(page.into_body().to_vec()).unwrap()
    }
}

#[test]
fn all_three_ways_to_sign_work_both_ways() {
    for method in [None, Some("11"), Some("12")] {
        let mut wire = Wire::new(method);
        let paid = wire.perform(&Operation::Pay(pay("barcode")));
        assert_eq!((&paid.verdict, paid.money), (&Verdict::Succeeded, Some(cny(8888))), "{method:?}");
        let notices = wire.simulator.due(wire.now);
        assert!(wire.channel.verify(&notices[0].request, &context(wire.now)).is_ok(), "{method:?}");
    }
}

#[test]
fn a_page_leads_back_to_the_shop_with_an_authentic_front_notification() {
    let mut wire = Wire::new(None);
    let Verdict::Awaiting(Action::Form { url, fields }) = wire.perform(&Operation::Pay(pay("page"))).verdict
    else {
        panic!()
    };
    assert_eq!(wire.perform(&query()).verdict, Verdict::Absent, "the payer has not come yet");
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    assert_eq!(wire.post(&url, body.into()).status(), 302);
    assert_eq!(wire.perform(&query()).verdict, Verdict::Pending);
    let page = wire.press("pay");
    assert!(page.contains("action='https://shop.example/done?order=42&amp;lang=zh'"), "{page}");
    let inputs = page.split("<input type=hidden name='").skip(1).map(|input| {
        let (name, rest) = input.split_once("' value='").unwrap();
        (name.to_owned(), rest.split_once("'>").unwrap().0.to_owned())
    });
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(inputs).finish();
    assert!(wire.channel.verify(&notice_of(body), &context(wire.now)).is_ok());
    assert_eq!(wire.perform(&query()).verdict, Verdict::Succeeded);
}

#[test]
fn an_unpaid_payment_is_over_at_its_expiry() {
    let mut wire = Wire::new(None);
    assert!(matches!(wire.perform(&Operation::Pay(pay("qr"))).verdict, Verdict::Awaiting(Action::Qr { .. })));
    let asked = Operation::Query(Query { payment: payment("qr", None) });
    assert_eq!(wire.perform(&asked).verdict, Verdict::Pending);
    wire.now = wire.now.plus(Duration::from_secs(1_800));
    let Verdict::Declined(decline) = wire.perform(&asked).verdict else { panic!() };
    assert_eq!(decline.reason, DeclineReason::Expired);
    wire.press("pay");
    assert!(wire.simulator.book().is_empty());
}

#[test]
fn the_simulator_refuses_what_the_provider_refuses() {
    let mut wire = Wire::new(None);
    let Step::Send(call) = wire.channel.encode(&query(), &context(NOW)).unwrap() else { panic!() };
    let url = call.request.uri().to_string();
    let body = String::from_utf8(call.request.body().to_vec()).unwrap();
    for (what, body) in [
        ("another number", body.replace(REFERENCE, REFUND)),
        ("a field twice", format!("{body}&orderId={REFERENCE}")),
        ("a blank field", format!("{body}&accType=")),
        ("another certificate", body.replace("certId=7", "certId=8")),
    ] {
        let reply = wire.post(&url, body.into());
        let text = String::from_utf8_lossy(reply.body()).into_owned();
        assert!(!text.contains("signature="), "{what}: {text}");
    }
    // A clock that believes to be in Beijing while it shows UTC plus sixteen hours.
    let ahead = Pay { started_at: NOW.plus(Duration::from_secs(8 * 3_600)), expires_at: None, ..pay("qr") };
    let outcome = wire.perform(&Operation::Pay(ahead));
    assert!(matches!(outcome.verdict, Verdict::Declined(decline) if decline.code == "10"));
}
