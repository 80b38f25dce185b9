//! The adapter against its simulator: every operation and every scripted amount is walked by the conformance suite.

use http::Request;
use paycore::channel::Step;
use paycore::channel::simulator::{Answer, Maker};
use paycore::testkit::channel_conformance::{Options, run};
use paycore_channels::douyinpay::simulator::Sandbox;

use super::*;

const BASE: &str = "https://pay.example/sandbox/douyinpay/1";

#[test]
fn it_conforms_to_every_case_of_the_suite() {
    let readme = String::from_utf8(fixture("../README.md")).unwrap();
    let report = run(&DouyinPay, &NativeKeyring, &Options { seed: 7, exhaustive: false, readme });
    assert_eq!(report.failures().collect::<Vec<_>>(), Vec::<&_>::new(), "{report}");
}

#[test]
fn the_simulator_refuses_what_the_provider_refuses() {
    let provision = Sandbox.provision(BASE, &NativeKeyring, &SeededRng::new(7)).unwrap();
    let channel = DouyinPay.open(&provision.ours, &NativeKeyring).unwrap();
    let mut simulator = Sandbox.open(&provision.theirs, &NativeKeyring).unwrap();
    let request = |now: Timestamp| match channel.encode(&pay_by("qr"), &context(now)).unwrap() {
        Step::Send(call) => {
            let (mut head, body) = call.request.into_parts();
            head.uri = head.uri.to_string().strip_prefix(BASE).unwrap().parse().unwrap();
            Request::from_parts(head, body)
        }
        other => panic!("{other:?}"),
    };
    let mut status = |request: Request<Bytes>| match simulator.handle(&request, NOW) {
        Answer::Reply(reply) => {
            (reply.status().as_u16(), reply.headers().contains_key("douyinpay-signature"))
        }
        Answer::Silence => panic!("no answer"),
    };
    assert_eq!(status(request(NOW)), (200, true));
    assert_eq!(status(request(NOW.minus(std::time::Duration::from_secs(301)))), (401, false));
    let (head, body) = request(NOW).into_parts();
    let cheaper = String::from_utf8(body.to_vec()).unwrap().replace("8888", "8880");
    assert_eq!(status(Request::from_parts(head.clone(), cheaper.into())), (401, false));
    let mut elsewhere = Request::from_parts(head, body);
    *elsewhere.uri_mut() = "/v1/trade/transactions/app".parse().unwrap();
    assert_eq!(status(elsewhere), (401, false));
    let mut unsigned = request(NOW);
    unsigned.headers_mut().remove("authorization");
    assert_eq!(status(unsigned), (401, false));
}
