//! The adapter against its simulator. Every operation and every scripted amount is walked by the conformance suite;
//! here stands what is QQ wallet's own.

use http::Request;

use super::*;

#[test]
fn the_code_leads_to_a_page_where_the_payer_pays() {
    let mut wire = Wire::new();
    let Verdict::Awaiting(Action::Qr { content }) = wire.verdict(&pay_by("qr")) else { panic!() };
    wire.assert_shows_the_payment(&content);
    wire.browse("POST", &format!("{content}/pay"));
    assert_eq!(wire.verdict(&query()), Verdict::Succeeded);
}

/// A close of a paid barcode payment must not give the money back, and one of a payment in progress must.
#[test]
fn a_barcode_is_reversed_only_while_it_is_not_paid() {
    let mut wire = Wire::new();
    let close = |fen| close_about(about("barcode", fen, None));
    assert_eq!(wire.verdict(&pay_by("barcode")), Verdict::Succeeded);
    assert_eq!(wire.verdict(&close(8888)), Verdict::Succeeded);
    assert_eq!(wire.simulator.book().len(), 1);
    let mut wire = Wire::new();
    let in_progress = Operation::Pay(Pay { money: cny(9002), ..pay("barcode") });
    assert_eq!(wire.verdict(&in_progress), Verdict::Pending);
    assert_eq!(wire.verdict(&close(9002)), Verdict::Closed);
    wire.wait(60);
    let query = query_about(about("barcode", 9002, None));
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
fn the_bill_of_a_day_is_fetched_and_read() {
    let mut wire = Wire::new();
    wire.verdict(&pay_by("barcode"));
    wire.verdict(&refund());
    assert_eq!(wire.totals_of(NOW), Totals { payments: 1, refunds: 1 });
    assert_eq!(wire.totals_of(NOW.plus(Duration::from_secs(86_400))), Totals { payments: 0, refunds: 0 });
}

#[test]
fn a_notification_is_repeated_on_schedule_until_it_is_acknowledged() {
    let mut wire = Wire::new();
    wire.verdict(&Operation::Pay(Pay { expires_at: None, ..pay("app") }));
    wire.browse("POST", &format!("{BASE}/payer/{REFERENCE}/pay"));
    let (waits, _) = wire.refuse_notices();
    assert_eq!(waits, [15, 15, 30, 180, 1_800, 1_800, 1_800, 1_800, 3_600]);
}

#[test]
fn the_simulator_refuses_what_the_provider_refuses() {
    let mut wire = Wire::new();
    let (head, body) = wire.request(&pay_by("qr"), NOW).into_parts();
    let body = String::from_utf8(body.to_vec()).unwrap();
    for wrong in [
        body.replace("8888", "8880"),
        body.replace("<sign>", "<sign>0"),
        body.replace("</xml>", "<sign>0</sign></xml>"),
        String::new(),
    ] {
        let reply = wire.reply(Request::from_parts(head.clone(), Bytes::from(wrong)));
        let said = String::from_utf8(reply.body().to_vec()).unwrap();
        assert!(said.contains("FAIL") && !said.contains("<sign>"), "{said}");
    }
    // Another merchant's key, and another operator's password.
    let mut stranger = settings("ours.json");
    stranger.set("gateway", BASE);
    wire.channel = open(&stranger);
    let refusal = wire.perform(&pay_by("qr"));
    assert!(matches!(&refusal, Err(Fault::Unknown { code, .. }) if code == "FAIL"), "{refusal:?}");
    let mut wire = Wire::with(|ours, _| ours.set("op_user_passwd", "another"));
    wire.verdict(&pay_by("barcode"));
    let Verdict::Declined(decline) = wire.verdict(&refund()) else { panic!() };
    assert_eq!(decline.code, "OPUSERPASSWDERROR");
}
