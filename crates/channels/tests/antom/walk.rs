//! The adapter against its simulator: every operation and every scripted amount is walked by the conformance suite.

use http::Request;
use paycore::channel::simulator::{Answer, Maker, Simulator};
use paycore::channel::{Outcome, Stage, Step, Verdict};
use paycore::testkit::channel_conformance::{Options, run};
use paycore_channels::antom::simulator::Sandbox;

use super::*;

const BASE: &str = "https://pay.example/sandbox/antom/1";

#[test]
fn it_conforms_to_every_case_of_the_suite() {
    let readme = String::from_utf8(fixture("../README.md")).unwrap();
    let report = run(&Antom, &NativeKeyring, &Options { seed: 7, exhaustive: false, readme });
    assert_eq!(report.failures().collect::<Vec<_>>(), Vec::<&_>::new(), "{report}");
}

fn send(simulator: &mut dyn Simulator, step: Step) -> (Stage, Reply) {
    let Step::Send(call) = step else { panic!("{step:?}") };
    let (mut head, body) = call.request.into_parts();
    head.uri = head.uri.to_string().strip_prefix(BASE).unwrap().parse().unwrap();
    match simulator.handle(&Request::from_parts(head, body), NOW) {
        Answer::Reply(reply) => (call.stage, reply),
        Answer::Silence => panic!("silence"),
    }
}

#[test]
fn a_cancellation_that_a_payer_overtook_gives_the_money_back() {
    let provision = Sandbox.provision(BASE, &NativeKeyring, &SeededRng::new(7)).unwrap();
    let channel = Antom.open(&provision.ours, &NativeKeyring).unwrap();
    let mut simulator = Sandbox.open(&provision.theirs, &NativeKeyring).unwrap();
    let cx = context(NOW);
    send(&mut *simulator, channel.encode(&Operation::Pay(pay()), &cx).unwrap());
    let (stage, reply) = send(&mut *simulator, channel.encode(&close(), &cx).unwrap());
    let cancel = channel.decode(&close(), stage, &reply, &cx).unwrap();
    // The payer is quicker than the cancellation.
    let press = format!("/payer/{REFERENCE}/pay");
    simulator.handle(&Request::post(press).body(Bytes::new()).unwrap(), NOW);
    assert_eq!(simulator.book().len(), 1);
    let (stage, reply) = send(&mut *simulator, cancel);
    let done = channel.decode(&close(), stage, &reply, &cx).unwrap();
    assert!(matches!(done, Step::Done(Outcome { verdict: Verdict::Closed, .. })), "{done:?}");
    assert_eq!(simulator.book(), Vec::new());
    assert!(channel.confirms(), "the notification of that payment must not be booked unasked");
}

#[test]
fn the_simulator_refuses_what_the_provider_refuses() {
    let provision = Sandbox.provision(BASE, &NativeKeyring, &SeededRng::new(7)).unwrap();
    let channel = Antom.open(&provision.ours, &NativeKeyring).unwrap();
    let mut simulator = Sandbox.open(&provision.theirs, &NativeKeyring).unwrap();
    let request = |now: Timestamp| match channel.encode(&Operation::Pay(pay()), &context(now)).unwrap() {
        Step::Send(call) => {
            let (mut head, body) = call.request.into_parts();
            head.uri = head.uri.to_string().strip_prefix(BASE).unwrap().parse().unwrap();
            Request::from_parts(head, body)
        }
        other => panic!("{other:?}"),
    };
    let mut signed = |request: Request<Bytes>| match simulator.handle(&request, NOW) {
        Answer::Reply(reply) => reply.headers().contains_key("signature"),
        Answer::Silence => panic!("no answer"),
    };
    assert!(signed(request(NOW)));
    assert!(!signed(request(NOW.minus(std::time::Duration::from_secs(301)))));
    let (head, body) = request(NOW).into_parts();
    let cheaper = String::from_utf8(body.to_vec()).unwrap().replace("8888", "8880");
    assert!(!signed(Request::from_parts(head.clone(), cheaper.into())));
    let mut elsewhere = Request::from_parts(head, body);
    *elsewhere.uri_mut() = "/ams/sandbox/api/v1/payments/refund".parse().unwrap();
    assert!(!signed(elsewhere));
    let mut unsigned = request(NOW);
    unsigned.headers_mut().remove("signature");
    assert!(!signed(unsigned));
}
