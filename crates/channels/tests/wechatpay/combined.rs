//! Payments with parts: paid at once, given back part by part.

use serde_json::Value;

use super::*;

const PARTS: [&str; 2] = ["01kayb4h7pz8y3v5n2q6m9t4p1", "01kayb4h7pz8y3v5n2q6m9t4p2"];

/// Of these two merchants, 60.00 and 28.88 yuan.
fn parts(merchants: [&str; 2]) -> Vec<Part> {
    let part = |row: usize, fen| Part {
        reference: PARTS[row].into(),
        merchant: merchants[row].into(),
        money: cny(fen),
        subject: "红茶".into(),
    };
    vec![part(0, 6_000), part(1, 2_888)]
}

fn combined(scene: &str, mchid: &str) -> Operation {
    Operation::Pay(Pay { parts: parts([mchid, "1900000109"]), ..pay(scene) })
}

fn refund_of(part: Option<&str>, reference: &str, fen: i64) -> Operation {
    let Operation::Refund(refund) = refund() else { unreachable!() };
    let (reference, payment) = (reference.to_owned(), about(8888, None));
    Operation::Refund(Refund { reference, payment, part: part.map(Into::into), money: cny(fen), ..refund })
}

fn ask_refund_of(reference: &str, payment: Payment, fen: i64) -> Operation {
    let (reference, channel_id) = (reference.to_owned(), None);
    Operation::QueryRefund(QueryRefund { reference, started_at: NOW, payment, channel_id, money: cny(fen) })
}

#[test]
fn a_payment_with_parts_is_sent_as_recorded() {
    let step = adapter().encode(&combined("jsapi", "1688880001"), &context(NOW)).unwrap();
    let text = request(step).text;
    assert_recorded("combine_jsapi", &text);
    let body: Value = serde_json::from_str(text.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body["sub_orders"][1]["amount"]["total_amount"], 2_888);
}

#[test]
fn parts_that_do_not_fit_are_refused_before_anything_is_sent() {
    let with = |change: fn(&mut Pay)| {
        let Operation::Pay(pay) = combined("qr", "1688880001") else { unreachable!() };
        refused(pay, change)
    };
    for change in [
        (|pay| pay.parts.truncate(1)) as fn(&mut Pay),
        |pay| pay.parts[1].reference = pay.parts[0].reference.clone(),
        |pay| pay.parts[0].reference = pay.reference.clone(),
        |pay| pay.parts[0].merchant = "somebody".into(),
        |pay| pay.parts[0].subject = " ".into(),
    ] {
        assert!(matches!(with(change), Some(Refusal::Parameter { param: "parts", .. })));
    }
    assert!(matches!(with(|pay| pay.money = cny(8_889)), Some(Refusal::Amount(_))));
    let barcode = adapter().encode(&combined("barcode", "1688880001"), &context(NOW));
    assert!(matches!(barcode, Err(Refusal::Unsupported(_))));
}

#[test]
fn a_payment_with_parts_is_paid_at_once_and_given_back_part_by_part() {
    for scene in ["qr", "h5", "jsapi", "mini", "app"] {
        let mut wire = Wire::new();
        let mchid = wire.ours.text("mchid", "").to_owned();
        let Verdict::Awaiting(action) = wire.verdict(&combined(scene, &mchid)) else { panic!("{scene}") };
        assert!(!matches!(action, Action::Form { .. }));
        assert_eq!(wire.verdict(&query()), Verdict::Pending, "{scene}");
        wire.browse("POST", &format!("{BASE}/payer/{REFERENCE}/pay"));
        let paid = wire.perform(&query()).unwrap();
        assert_eq!((&paid.verdict, paid.money), (&Verdict::Succeeded, Some(cny(8888))));
        assert_eq!(wire.verdict(&close()), Verdict::Succeeded, "too late");
        let due = wire.simulator.due(wire.now);
        assert_eq!(due.len(), 1, "one notification for all parts");
        let told = wire.channel.verify(&due[0].request, &context(wire.now)).unwrap().reports.remove(0);
        assert_eq!((told.subject, told.reference.as_str()), (Subject::Payment, REFERENCE));
        assert_eq!((told.outcome.money, &told.outcome.channel_id), (Some(cny(8888)), &paid.channel_id));
        let given = wire.perform(&refund_of(Some(PARTS[0]), "partrefund1", 1_000)).unwrap();
        assert_eq!((given.verdict, given.money), (Verdict::Succeeded, Some(cny(1_000))));
        let asked = ask_refund_of("partrefund1", about(8888, None), 1_000);
        assert_eq!(wire.verdict(&asked), Verdict::Succeeded);
        let more = refund_of(Some(PARTS[0]), "partrefund2", 5_001);
        assert!(matches!(wire.verdict(&more), Verdict::Declined(_)), "more than the part");
        let others = refund_of(Some(PARTS[1]), "partrefund3", 1);
        assert!(matches!(wire.verdict(&others), Verdict::Declined(_)), "another merchant's part");
        let whole = refund_of(None, "partrefund4", 1);
        assert!(matches!(wire.verdict(&whole), Verdict::Declined(_)), "only parts are given back");
        let none = refund_of(Some("nosuchpart1"), "partrefund5", 1);
        assert!(matches!(wire.verdict(&none), Verdict::Declined(_)), "no part of it");
    }
}

#[test]
fn the_refund_of_a_part_of_another_payment_is_not_believed() {
    let mut wire = Wire::new();
    let mchid = wire.ours.text("mchid", "").to_owned();
    wire.verdict(&combined("qr", &mchid));
    wire.browse("POST", &format!("{BASE}/payer/{REFERENCE}/pay"));
    assert_eq!(wire.verdict(&refund_of(Some(PARTS[0]), "partrefund1", 1_000)), Verdict::Succeeded);
    let other = Pay { reference: "anotherorder1".into(), ..pay("barcode") };
    assert_eq!(wire.verdict(&Operation::Pay(other)), Verdict::Succeeded);
    let elsewhere = Payment { reference: "anotherorder1".into(), ..about(8888, None) };
    let read = wire.perform(&ask_refund_of("partrefund1", elsewhere, 1_000));
    assert!(matches!(read, Err(Fault::Unacceptable(_))), "{read:?}");
}

#[test]
fn an_unpaid_payment_with_parts_is_closed_for_good() {
    let mut wire = Wire::new();
    let mchid = wire.ours.text("mchid", "").to_owned();
    let first = wire.verdict(&combined("qr", &mchid));
    assert_eq!(wire.verdict(&combined("qr", &mchid)), first, "the same again");
    assert_eq!(wire.verdict(&close()), Verdict::Closed);
    wire.browse("POST", &format!("{BASE}/payer/{REFERENCE}/pay"));
    assert_eq!(wire.verdict(&query()), Verdict::Closed);
    assert_eq!(wire.verdict(&combined("qr", &mchid)), Verdict::Closed);
    assert!(wire.simulator.book().is_empty());
}

/// A provider's parts are those of merchants that it serves, and one account gives back what is its own merchant's.
#[test]
fn a_service_provider_combines_the_orders_of_merchants_it_serves() {
    const SUB: &str = "1688880077";
    let serves = || {
        Wire::with(|ours, theirs| {
            for settings in [ours, theirs] {
                settings.set("sub_mchid", SUB);
            }
        })
    };
    for scene in ["qr", "h5", "jsapi", "app"] {
        let mut wire = serves();
        let (mchid, appid) = (wire.ours.text("mchid", "").to_owned(), wire.ours.text("appid", "").to_owned());
        let text = request(wire.channel.encode(&combined(scene, SUB), &context(NOW)).unwrap()).text;
        let body: Value = serde_json::from_str(text.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        assert_eq!(body["combine_mchid"], mchid.as_str());
        assert_eq!(
            [&body["sub_orders"][1]["mchid"], &body["sub_orders"][1]["sub_mchid"]],
            [&mchid, "1900000109"]
        );
        let Verdict::Awaiting(action) = wire.verdict(&combined(scene, SUB)) else { panic!("{scene}") };
        if let Action::Client { parameters } = action {
            assert!(parameters.iter().any(|(_, value)| *value == appid), "the provider's own app pays");
            assert!(!parameters.iter().any(|(_, value)| *value == SUB), "{parameters:?}");
        }
        wire.browse("POST", &format!("{BASE}/payer/{REFERENCE}/pay"));
        let paid = wire.perform(&query()).unwrap();
        assert_eq!((paid.verdict, paid.money), (Verdict::Succeeded, Some(cny(8888))), "{scene}");
        let due = wire.simulator.due(wire.now);
        let told = wire.channel.verify(&due[0].request, &context(wire.now)).unwrap().reports.remove(0);
        assert_eq!((told.subject, told.outcome.money), (Subject::Payment, Some(cny(8888))));
        assert_eq!(wire.verdict(&refund_of(Some(PARTS[0]), "partrefund1", 1_000)), Verdict::Succeeded);
        let asked = ask_refund_of("partrefund1", about(8888, None), 1_000);
        assert_eq!(wire.verdict(&asked), Verdict::Succeeded);
        let others = refund_of(Some(PARTS[1]), "partrefund3", 1);
        assert!(matches!(wire.verdict(&others), Verdict::Declined(_)), "another merchant's part");
        let mut wire = serves();
        wire.verdict(&combined(scene, SUB));
        assert_eq!(wire.verdict(&close()), Verdict::Closed, "{scene}");
    }
    let mut settings = settings("ours.json");
    settings.set("sub_mchid", SUB);
    settings.set("sub_appid", "wxfeedc0de00000077");
    let channel = WechatPay.open(&settings, &NativeKeyring).unwrap();
    let by_their_app = channel.encode(&combined("jsapi", SUB), &context(NOW));
    assert!(matches!(by_their_app, Err(Refusal::Unsupported(_))));
}
