//! The adapter against its simulator: contracts. What is charged by them is walked by the conformance suite.

use http::Request;
use paycore::channel::simulator::{Answer, Maker, Simulator};
use paycore::channel::{Action, Fault, Outcome, Report, Step, Subject, Verdict};
use paycore_channels::wechatpay_mandate::simulator::Sandbox;

use super::*;

const BASE: &str = "https://pay.example/sandbox/1";

struct Wire {
    channel: Arc<dyn Channel>,
    simulator: Box<dyn Simulator>,
    theirs: Settings,
}

impl Wire {
    fn new() -> Wire {
        let provision = Sandbox.provision(BASE, &NativeKeyring, &SeededRng::new(7)).unwrap();
        let channel = WechatPayMandate.open(&provision.ours, &NativeKeyring).unwrap();
        let simulator = Sandbox.open(&provision.theirs, &NativeKeyring).unwrap();
        Wire { channel, simulator, theirs: provision.theirs }
    }

    fn answer(&mut self, request: Request<Bytes>) -> http::Response<Bytes> {
        let (mut head, body) = request.into_parts();
        let uri = head.uri.to_string();
        head.uri = uri.strip_prefix(BASE).expect("an address of the simulator").parse().unwrap();
        match self.simulator.handle(&Request::from_parts(head, body), NOW) {
            Answer::Reply(reply) => reply,
            Answer::Silence => panic!("silence"),
        }
    }

    fn perform(&mut self, operation: &Operation) -> Result<Outcome, Fault> {
        let mut step = self.channel.encode(operation, &context(NOW)).unwrap();
        loop {
            let call = match step {
                Step::Done(outcome) => return Ok(outcome),
                Step::File(_) => unreachable!("no statement is asked for"),
                Step::Send(call) => call,
            };
            let reply = self.answer(call.request);
            step = self.channel.decode(operation, call.stage, &reply, &context(NOW))?;
        }
    }

    fn verdict(&mut self, operation: &Operation) -> Verdict {
        self.perform(operation).unwrap().verdict
    }

    fn browse(&mut self, method: &str, address: &str) -> http::Response<Bytes> {
        self.answer(Request::builder().method(method).uri(address).body(Bytes::new()).unwrap())
    }

    fn press(&mut self, button: &str) {
        let pressed = self.browse("POST", &format!("{BASE}/payer/{MANDATE}/{button}"));
        assert_eq!(pressed.status(), 200, "{button}");
    }

    /// Opens what the payer is handed.
    fn open(&mut self, scene: SigningScene) -> http::Response<Bytes> {
        match self.verdict(&sign(scene)) {
            Verdict::Awaiting(Action::Redirect { url }) => self.browse("GET", &url),
            Verdict::Awaiting(Action::Client { parameters }) => match self.simulator.client(&parameters, NOW)
            {
                Some(Answer::Reply(page)) => page,
                _ => self.browse("GET", &format!("{BASE}/payer/{MANDATE}")),
            },
            other => panic!("{other:?}"),
        }
    }

    fn reports(&mut self) -> Vec<Report> {
        let due = self.simulator.due(NOW).into_iter();
        let verify = |note: paycore::channel::simulator::Notification| {
            self.channel.verify(&note.request, &context(NOW)).unwrap().reports
        };
        due.flat_map(verify).collect()
    }
}

#[test]
fn a_contract_is_signed_in_every_scene_asked_about_and_ended() {
    for scene in [SigningScene::Jsapi, SigningScene::H5, SigningScene::App, SigningScene::Mini] {
        let mut wire = Wire::new();
        assert_eq!(wire.verdict(&query_mandate(None)), Verdict::Absent, "{scene:?}");
        assert!(wire.open(scene).status().as_u16() < 400, "{scene:?}");
        wire.press("cancel");
        assert_eq!(wire.verdict(&query_mandate(None)), Verdict::Absent, "nobody has signed it");
        // Opened once more, it is the same contract.
        assert!(wire.open(scene).status().as_u16() < 400);
        wire.press("sign");
        wire.press("sign");
        let active = wire.perform(&query_mandate(None)).unwrap();
        assert_eq!((&active.verdict, active.at), (&Verdict::Succeeded, Some(NOW)));
        let id = active.channel_id.clone().unwrap();
        assert_eq!(wire.perform(&query_mandate(Some(&id))).unwrap(), active);
        let told = wire.reports();
        assert_eq!(told.len(), 1, "signed once: {told:?}");
        assert_eq!((told[0].subject, &told[0].outcome), (Subject::Mandate, &active));
        assert_eq!(wire.perform(&revoke(Some(&id))).unwrap().verdict, Verdict::Closed);
        let again = wire.verdict(&revoke(None));
        assert!(matches!(&again, Verdict::Declined(how) if how.code == "3"), "{again:?}");
        let told = wire.reports();
        assert!(matches!(&told[0].outcome.verdict, Verdict::Declined(how) if how.code == "3"), "{told:?}");
    }
}

#[test]
fn what_is_signed_by_somebody_else_is_not_opened() {
    let mut wire = Wire::new();
    for scene in [SigningScene::Jsapi, SigningScene::H5] {
        let Verdict::Awaiting(Action::Redirect { url }) = wire.verdict(&sign(scene)) else { panic!() };
        let other = url.replace("customer-1", "customer-2");
        assert_ne!(other, url);
        assert_eq!(wire.browse("GET", &other).status(), 400, "{scene:?}");
        let elsewhere = url.replace("h5entrustweb", "x").replace("/entrustweb", "/h5entrustweb");
        assert_eq!(wire.browse("GET", &elsewhere).status(), 400, "the two pages are signed in two ways");
    }
    assert_eq!(wire.verdict(&query_mandate(None)), Verdict::Absent);
}

#[test]
fn a_contract_that_has_ended_or_is_nobodys_is_not_charged() {
    let mut wire = Wire::new();
    wire.open(SigningScene::Jsapi);
    wire.press("sign");
    let id = wire.perform(&query_mandate(None)).unwrap().channel_id.unwrap();
    let charge = |reference: &str, mandate: &str| {
        let (reference, mandate) = (reference.to_owned(), Some(mandate.to_owned()));
        Operation::Pay(Pay { reference, mandate, ..pay() })
    };
    assert_eq!(wire.verdict(&charge("a1", &id)), Verdict::Pending);
    let nobody = wire.verdict(&charge("a2", "Wx000"));
    assert!(matches!(&nobody, Verdict::Declined(why) if why.code == "CONTRACTNOTEXIST"), "{nobody:?}");
    // The records of the simulator outlive it.
    let records = wire.simulator.changed();
    wire.simulator = Sandbox.open(&wire.theirs, &NativeKeyring).unwrap();
    records.iter().for_each(|(key, value)| wire.simulator.restore(key, value));
    assert_eq!(wire.verdict(&charge("a3", &id)), Verdict::Pending);
    wire.press("end");
    let ended = wire.verdict(&charge("a4", &id));
    assert!(matches!(ended, Verdict::Declined(_)), "{ended:?}");
    // What was carried out before is asked about and stays what it was.
    assert_eq!(wire.verdict(&charge("a1", &id)), Verdict::Succeeded);
    assert_eq!(wire.simulator.book().len(), 2);
}
