//! The adapter against its simulator, in what the conformance suite does not ask.

use http::Request;

use super::*;

fn send(wire: &mut Wire, step: Step) -> (Stage, Reply) {
    let Step::Send(call) = step else { panic!("{step:?}") };
    (call.stage, wire.reply(call.request))
}

#[test]
fn a_cancellation_that_a_payer_overtook_gives_the_money_back() {
    let (mut wire, cx) = (Wire::new(), context(NOW));
    wire.verdict(&Operation::Pay(pay()));
    let asked = wire.channel.encode(&close(), &cx).unwrap();
    let (stage, reply) = send(&mut wire, asked);
    let cancel = wire.channel.decode(&close(), stage, &reply, &cx).unwrap();
    // The payer is quicker than the cancellation.
    wire.browse("POST", &format!("{BASE}/payer/{REFERENCE}/pay"));
    assert_eq!(wire.simulator.book().len(), 1);
    let (stage, reply) = send(&mut wire, cancel);
    let done = wire.channel.decode(&close(), stage, &reply, &cx).unwrap();
    assert!(matches!(done, Step::Done(Outcome { verdict: Verdict::Closed, .. })), "{done:?}");
    assert_eq!(wire.simulator.book(), Vec::new());
    assert!(wire.channel.confirms(), "the notification of that payment must not be booked unasked");
}

#[test]
fn the_simulator_refuses_what_the_provider_refuses() {
    let mut wire = Wire::new();
    let signed =
        |wire: &mut Wire, request: Request<Bytes>| wire.reply(request).headers().contains_key("signature");
    let request = wire.request(&Operation::Pay(pay()), NOW);
    assert!(signed(&mut wire, request.clone()));
    let late = wire.request(&Operation::Pay(pay()), NOW.minus(Duration::from_secs(301)));
    assert!(!signed(&mut wire, late));
    let (head, body) = request.clone().into_parts();
    let cheaper = String::from_utf8(body.to_vec()).unwrap().replace("8888", "8880");
    assert!(!signed(&mut wire, Request::from_parts(head, cheaper.into())));
    let mut elsewhere = request.clone();
    *elsewhere.uri_mut() = format!("{BASE}/ams/sandbox/api/v1/payments/refund").parse().unwrap();
    assert!(!signed(&mut wire, elsewhere));
    let mut unsigned = request;
    unsigned.headers_mut().remove("signature");
    assert!(!signed(&mut wire, unsigned));
}
