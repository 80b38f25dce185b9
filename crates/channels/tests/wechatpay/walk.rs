//! The adapter against its simulator. Every operation and every scripted amount is walked by the conformance suite;
//! here stands what is WeChat Pay's own.

use std::time::Duration;

use http::Request;
use paycore::channel::simulator::{Answer, Maker, Simulator};
use paycore::channel::{Action, Fault, Memo, Outcome, Step, Verdict};
use paycore::testkit::channel_conformance::{Options, run};
use paycore_channels::wechatpay::simulator::Sandbox;

use super::*;

pub(super) const BASE: &str = "https://pay.example/sandbox/wechatpay/1";

pub(super) struct Wire {
    pub(super) channel: Arc<dyn Channel>,
    pub(super) simulator: Box<dyn Simulator>,
    pub(super) ours: Settings,
    pub(super) now: Timestamp,
}

impl Wire {
    fn new() -> Wire {
        Wire::with(|_, _| {})
    }

    /// With these changes to our settings and the provider's.
    pub(super) fn with(change: impl FnOnce(&mut Settings, &mut Settings)) -> Wire {
        let mut provision = Sandbox.provision(BASE, &NativeKeyring, &SeededRng::new(7)).unwrap();
        change(&mut provision.ours, &mut provision.theirs);
        let channel = WechatPay.open(&provision.ours, &NativeKeyring).unwrap();
        let simulator = Sandbox.open(&provision.theirs, &NativeKeyring).unwrap();
        Wire { channel, simulator, ours: provision.ours, now: NOW }
    }

    pub(super) fn answer(&mut self, request: Request<Bytes>) -> Answer {
        let (mut head, body) = request.into_parts();
        let uri = head.uri.to_string();
        head.uri = uri.strip_prefix(BASE).expect("an address of the simulator").parse().unwrap();
        self.simulator.handle(&Request::from_parts(head, body), self.now)
    }

    /// Carries an operation through all its calls.
    pub(super) fn perform(&mut self, operation: &Operation) -> Result<Outcome, Fault> {
        match self.carry(operation)? {
            Ok(outcome) => Ok(outcome),
            Err(_) => panic!("no statement is asked for"),
        }
    }

    /// To an outcome, or else to a file.
    pub(super) fn carry(&mut self, operation: &Operation) -> Result<Result<Outcome, Bytes>, Fault> {
        let mut step = self.channel.encode(operation, &context(self.now)).unwrap();
        loop {
            let call = match step {
                Step::Done(outcome) => return Ok(Ok(outcome)),
                Step::File(file) => return Ok(Err(file)),
                Step::Send(call) => call,
            };
            let memo = call.request.extensions().get().cloned();
            let Answer::Reply(mut reply) = self.answer(call.request) else {
                return Err(Fault::Transport("silence".into()));
            };
            Memo::hand_on(memo, &mut reply);
            step = self.channel.decode(operation, call.stage, &reply, &context(self.now))?;
        }
    }

    pub(super) fn verdict(&mut self, operation: &Operation) -> Verdict {
        self.perform(operation).unwrap().verdict
    }

    pub(super) fn browse(&mut self, method: &str, address: &str) -> http::Response<Bytes> {
        let request = Request::builder().method(method).uri(address).body(Bytes::new()).unwrap();
        match self.answer(request) {
            Answer::Reply(response) => response,
            Answer::Silence => panic!("no answer to the browser"),
        }
    }
}

#[test]
fn it_conforms_to_every_case_of_the_suite() {
    let readme = String::from_utf8(fixture("../README.md")).unwrap();
    let report = run(&WechatPay, &NativeKeyring, &Options { seed: 7, exhaustive: false, readme });
    assert_eq!(report.failures().collect::<Vec<_>>(), Vec::<&_>::new(), "{report}");
}

#[test]
fn a_browser_outside_the_app_comes_back_to_the_shop() {
    let mut wire = Wire::new();
    let Verdict::Awaiting(Action::Redirect { url }) = wire.verdict(&pay_by("h5")) else { panic!() };
    let shown = String::from_utf8(wire.browse("GET", &url).into_body().to_vec()).unwrap();
    for text in ["¥88.88", "红茶 2 盒 + 绿茶", "支付 Pay", "取消 Cancel"] {
        assert!(shown.contains(text), "{text}");
    }
    let back = wire.browse("POST", &format!("{}/pay", url.split('?').next().unwrap()));
    assert_eq!(
        (back.status().as_u16(), &back.headers()["location"]),
        (303, &pay("h5").return_url.unwrap().parse().unwrap())
    );
    assert_eq!(wire.verdict(&query()), Verdict::Succeeded);
}

/// A close of a paid barcode payment must not give the money back, and one of a payment in progress must.
#[test]
fn a_barcode_is_reversed_only_while_it_is_not_paid() {
    let mut wire = Wire::new();
    assert_eq!(wire.verdict(&pay_by("barcode")), Verdict::Succeeded);
    assert_eq!(wire.verdict(&close()), Verdict::Succeeded);
    assert_eq!(wire.simulator.book().len(), 1);
    let mut wire = Wire::new();
    let in_progress = Operation::Pay(Pay { money: cny(9002), ..pay("barcode") });
    assert_eq!(wire.verdict(&in_progress), Verdict::Pending);
    let close = Operation::Close(Close { payment: about(9002, None) });
    assert_eq!(wire.verdict(&close), Verdict::Closed);
    wire.now = wire.now.plus(Duration::from_secs(60));
    let query = Operation::Query(Query { payment: about(9002, None) });
    assert_eq!(wire.verdict(&query), Verdict::Closed);
    assert!(wire.simulator.book().is_empty());
}

#[test]
fn the_same_reference_with_other_particulars_is_not_believed() {
    let mut wire = Wire::new();
    let first = wire.verdict(&pay_by("qr"));
    assert_eq!(wire.verdict(&pay_by("qr")), first, "the same order again is the same code");
    let other = wire.perform(&Operation::Pay(Pay { money: cny(8889), ..pay("qr") }));
    assert!(matches!(other, Err(Fault::Unacceptable(_))), "{other:?}");
}

#[test]
fn an_unpaid_order_expires_by_itself() {
    let mut wire = Wire::new();
    wire.verdict(&pay_by("qr"));
    wire.now = wire.now.plus(Duration::from_secs(1_800));
    assert_eq!(wire.verdict(&query()), Verdict::Closed);
}

#[test]
fn a_notification_is_repeated_on_schedule_until_it_is_acknowledged() {
    let mut wire = Wire::new();
    wire.verdict(&Operation::Pay(Pay { expires_at: None, ..pay("app") }));
    wire.browse("POST", &format!("{BASE}/payer/{REFERENCE}/pay"));
    let refused = wire.channel.reject();
    let mut waits = Vec::new();
    let mut bodies = Vec::new();
    loop {
        let due = wire.simulator.due(wire.now);
        assert_eq!(due.len(), 1);
        assert!(wire.channel.verify(&due[0].request, &context(wire.now)).is_ok(), "signed anew each time");
        bodies.push(due[0].request.body().clone());
        wire.simulator.notified(due[0].id, Some(&refused), wire.now);
        let Some(next) = wire.simulator.next_due().filter(|at| *at > wire.now) else {
            break;
        };
        waits.push(next.since(wire.now).as_secs());
        wire.now = next;
    }
    let minutes = [0, 0, 0, 3, 10, 20, 30, 30, 30, 60, 180, 180, 180, 360, 360];
    assert_eq!(waits.iter().map(|seconds| seconds / 60).collect::<Vec<_>>(), minutes);
    assert_eq!(waits.iter().sum::<u64>(), 24 * 3_600 + 4 * 60);
    assert!(bodies.windows(2).all(|two| two[0] == two[1]));
    assert!(wire.simulator.due(wire.now.plus(Duration::from_secs(86_400))).is_empty());
}

#[test]
fn the_simulator_refuses_what_the_provider_refuses() {
    let mut wire = Wire::new();
    let request = |wire: &Wire, now| match wire.channel.encode(&pay_by("qr"), &context(now)).unwrap() {
        Step::Send(call) => call.request,
        other => panic!("{other:?}"),
    };
    let now = wire.now;
    let refused = |wire: &mut Wire, request: Request<Bytes>| {
        let Answer::Reply(reply) = wire.answer(request) else { panic!() };
        assert_eq!(reply.status().as_u16(), 401, "{reply:?}");
        assert!(reply.headers().get("wechatpay-signature").is_none());
    };
    let late = request(&wire, now.minus(Duration::from_secs(301)));
    refused(&mut wire, late);
    let (head, body) = request(&wire, now).into_parts();
    let cheaper = String::from_utf8(body.to_vec()).unwrap().replace("8888", "8880");
    refused(&mut wire, Request::from_parts(head.clone(), cheaper.into()));
    let mut elsewhere = Request::from_parts(head, body);
    *elsewhere.uri_mut() = format!("{BASE}/v3/pay/transactions/jsapi").parse().unwrap();
    refused(&mut wire, elsewhere);
    let mut unsigned = request(&wire, now);
    unsigned.headers_mut().remove("authorization");
    refused(&mut wire, unsigned);
    // Another merchant's keys.
    let mut stranger = settings("ours.json");
    stranger.set("gateway", BASE);
    wire.channel = WechatPay.open(&stranger, &NativeKeyring).unwrap();
    let refusal = wire.perform(&pay_by("qr"));
    assert!(matches!(&refusal, Err(Fault::Unknown { code, .. }) if code == "SIGN_ERROR"), "{refusal:?}");
}
