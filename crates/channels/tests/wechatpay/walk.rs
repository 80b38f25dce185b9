//! The adapter against its simulator. Every operation and every scripted amount is walked by the conformance suite;
//! here stands what is WeChat Pay's own.

use http::Request;

use super::*;

#[test]
fn a_browser_outside_the_app_comes_back_to_the_shop() {
    let mut wire = Wire::new();
    let Verdict::Awaiting(Action::Redirect { url }) = wire.verdict(&pay_by("h5")) else { panic!() };
    wire.assert_shows_the_payment(&url);
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
    let close = close_about(about(9002, None));
    assert_eq!(wire.verdict(&close), Verdict::Closed);
    wire.wait(60);
    let query = query_about(about(9002, None));
    assert_eq!(wire.verdict(&query), Verdict::Closed);
    assert!(wire.simulator.book().is_empty());
}

#[test]
fn the_same_reference_with_other_particulars_is_not_believed() {
    assert_same_reference_is_one_order(&pay("qr"));
}

#[test]
fn an_unpaid_order_expires_by_itself() {
    assert_unpaid_order_expires(pay_by("qr"), &query());
}

#[test]
fn a_notification_is_repeated_on_schedule_until_it_is_acknowledged() {
    let mut wire = Wire::new();
    wire.verdict(&Operation::Pay(Pay { expires_at: None, ..pay("app") }));
    wire.browse("POST", &format!("{BASE}/payer/{REFERENCE}/pay"));
    let (waits, bodies) = wire.refuse_notices();
    let minutes = [0, 0, 0, 3, 10, 20, 30, 30, 30, 60, 180, 180, 180, 360, 360];
    assert_eq!(waits.iter().map(|seconds| seconds / 60).collect::<Vec<_>>(), minutes);
    assert_eq!(waits.iter().sum::<u64>(), 24 * 3_600 + 4 * 60);
    assert!(bodies.windows(2).all(|two| two[0] == two[1]));
}

#[test]
fn the_simulator_refuses_what_the_provider_refuses() {
    let mut wire = Wire::new();
    let refused = |wire: &mut Wire, request: Request<Bytes>| {
        let reply = wire.reply(request);
        assert_eq!(reply.status().as_u16(), 401, "{reply:?}");
        assert!(reply.headers().get("wechatpay-signature").is_none());
    };
    let late = wire.request(&pay_by("qr"), NOW.minus(Duration::from_secs(301)));
    refused(&mut wire, late);
    let (head, body) = wire.request(&pay_by("qr"), NOW).into_parts();
    let cheaper = String::from_utf8(body.to_vec()).unwrap().replace("8888", "8880");
    refused(&mut wire, Request::from_parts(head.clone(), cheaper.into()));
    let mut elsewhere = Request::from_parts(head, body);
    *elsewhere.uri_mut() = format!("{BASE}/v3/pay/transactions/jsapi").parse().unwrap();
    refused(&mut wire, elsewhere);
    let mut unsigned = wire.request(&pay_by("qr"), NOW);
    unsigned.headers_mut().remove("authorization");
    refused(&mut wire, unsigned);
    // Another merchant's keys.
    let mut stranger = settings("ours.json");
    stranger.set("gateway", BASE);
    wire.channel = open(&stranger);
    let refusal = wire.perform(&pay_by("qr"));
    assert!(matches!(&refusal, Err(Fault::Unknown { code, .. }) if code == "SIGN_ERROR"), "{refusal:?}");
}
