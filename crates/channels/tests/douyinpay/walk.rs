//! The adapter against its simulator, in what the conformance suite does not ask.

use http::Request;

use super::*;

#[test]
fn the_simulator_refuses_what_the_provider_refuses() {
    let mut wire = Wire::new();
    let status = |wire: &mut Wire, request: Request<Bytes>| {
        let reply = wire.reply(request);
        (reply.status().as_u16(), reply.headers().contains_key("douyinpay-signature"))
    };
    let request = wire.request(&pay_by("qr"), NOW);
    assert_eq!(status(&mut wire, request.clone()), (200, true));
    let late = wire.request(&pay_by("qr"), NOW.minus(Duration::from_secs(301)));
    assert_eq!(status(&mut wire, late), (401, false));
    let (head, body) = request.clone().into_parts();
    let cheaper = String::from_utf8(body.to_vec()).unwrap().replace("8888", "8880");
    assert_eq!(status(&mut wire, Request::from_parts(head, cheaper.into())), (401, false));
    let mut elsewhere = request.clone();
    *elsewhere.uri_mut() = format!("{BASE}/v1/trade/transactions/app").parse().unwrap();
    assert_eq!(status(&mut wire, elsewhere), (401, false));
    let mut unsigned = request;
    unsigned.headers_mut().remove("authorization");
    assert_eq!(status(&mut wire, unsigned), (401, false));
}
