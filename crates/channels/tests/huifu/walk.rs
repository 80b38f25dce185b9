//! The adapter against its simulator. Every operation and every scripted amount is walked by the conformance suite;
//! here stands what is Huifu's own.

use http::Request;

use super::*;

#[test]
fn the_code_leads_to_a_page_where_the_payer_pays() {
    for method in ["alipay.qr", "unionpay.qr", "ecny.qr"] {
        let mut wire = Wire::new();
        let Verdict::Awaiting(Action::Qr { content }) = wire.verdict(&pay_by(method)) else { panic!() };
        wire.assert_shows_the_payment(&content);
        wire.browse("POST", &format!("{content}/pay"));
        assert_eq!(wire.verdict(&query()), Verdict::Succeeded);
    }
}

#[test]
fn a_paid_barcode_is_not_closed() {
    let mut wire = Wire::new();
    let close = |fen| close_about(about("alipay.barcode", fen, None));
    assert_eq!(wire.verdict(&pay_by("alipay.barcode")), Verdict::Succeeded);
    assert_eq!(wire.verdict(&close(8888)), Verdict::Succeeded);
    assert_eq!(wire.simulator.book().len(), 1);
    let mut wire = Wire::new();
    let in_progress = Operation::Pay(Pay { money: cny(9002), ..pay("alipay.barcode") });
    assert_eq!(wire.verdict(&in_progress), Verdict::Pending);
    assert_eq!(wire.verdict(&close(9002)), Verdict::Closed);
    wire.wait(60);
    let query = query_about(about("alipay.barcode", 9002, None));
    assert!(matches!(wire.verdict(&query), Verdict::Declined(_)));
    assert!(wire.simulator.book().is_empty());
}

#[test]
fn the_same_reference_with_other_particulars_is_not_believed() {
    assert_same_reference_is_one_order(&pay("alipay.qr"));
}

#[test]
fn an_unpaid_order_expires_by_itself() {
    assert_unpaid_order_expires(pay_by("wechatpay.app"), &query());
}

#[test]
fn a_notification_is_repeated_three_times_unless_it_is_acknowledged_by_its_number() {
    let mut wire = Wire::new();
    wire.verdict(&Operation::Pay(Pay { expires_at: None, ..pay("alipay.jsapi") }));
    wire.browse("POST", &format!("{BASE}/payer/{REFERENCE}/pay"));
    let other = http::Response::new(Bytes::from("RECV_ORD_ID_another"));
    let mut sent = 0;
    while let Some(next) = wire.simulator.next_due() {
        wire.now = next;
        let due = wire.simulator.due(wire.now);
        assert!(wire.channel.verify(&due[0].request, &context(wire.now)).is_ok());
        wire.simulator.notified(due[0].id, Some(&other), wire.now);
        sent += due.len();
    }
    assert_eq!(sent, 4);
}

#[test]
fn the_simulator_refuses_what_the_provider_refuses() {
    let mut wire = Wire::new();
    let (head, body) = wire.request(&pay_by("alipay.qr"), NOW).into_parts();
    let body = String::from_utf8(body.to_vec()).unwrap();
    for wrong in [
        body.replace("88.88", "88.80"),
        body.replace("\"sign\":\"", "\"sign\":\"A"),
        body.replace("YYZY", "YYZZ"),
        body.replace("\"data\"", "\"date\""),
        String::new(),
    ] {
        assert_ne!(wrong, body);
        let reply = wire.reply(Request::from_parts(head.clone(), Bytes::from(wrong)));
        let said = String::from_utf8(reply.body().to_vec()).unwrap();
        assert!(said.contains("10000000") && !said.contains("sign"), "{said}");
    }
    // Another merchant's keys.
    let mut stranger = settings("ours.json");
    stranger.set("gateway", BASE);
    wire.channel = open(&stranger);
    let refusal = wire.perform(&pay_by("alipay.qr"));
    assert!(matches!(&refusal, Err(Fault::Unknown { code, .. }) if code == "10000000"), "{refusal:?}");
}

#[test]
fn a_file_whose_columns_nobody_documents_is_not_guessed_at() {
    let read = adapter().parse(&mut "a,b\n1,2\n".as_bytes(), &mut |line| panic!("{line:?}"));
    assert_eq!(read.err(), Some(Fault::Unsupported));
    assert!(Wire::new().simulator.statement(NOW, NOW).is_none());
}
