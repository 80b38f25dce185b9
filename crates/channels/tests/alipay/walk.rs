//! The adapter against its simulator: every operation and every scripted amount.

use paycore::channel::simulator::BookLine;

use super::sandbox::at_the_sandbox;

use super::*;

fn payment(scene: &str, fen: i64) -> Operation {
    Operation::Pay(Pay { money: cny(fen), ..pay(scene) })
}

fn query_of(fen: i64) -> Operation {
    query_about(about(fen, None))
}

fn close_of(fen: i64) -> Operation {
    close_about(about(fen, None))
}

fn refund_of(reference: &str, fen: i64, captured: i64) -> Operation {
    Operation::Refund(Refund {
        reference: reference.into(),
        started_at: NOW,
        payment: about(captured, None),
        part: None,
        captured: cny(captured),
        money: cny(fen),
        reason: None,
    })
}

fn query_refund_of(reference: &str, fen: i64) -> Operation {
    Operation::QueryRefund(QueryRefund {
        reference: reference.into(),
        started_at: NOW,
        payment: about(8888, None),
        channel_id: None,
        money: cny(fen),
    })
}

/// A wire on which this amount has been paid by QR code.
fn paid(fen: i64) -> Wire {
    let mut wire = Wire::new();
    let page = wire.start(&payment("qr", fen));
    assert_eq!(wire.browse("POST", &format!("{page}/pay")).status(), 200);
    assert_eq!(wire.verdict(&query_of(fen)), Verdict::Succeeded);
    wire
}

fn verdicts(reports: Vec<Report>) -> Vec<Verdict> {
    reports
        .into_iter()
        .map(|report| {
            assert_eq!((report.subject, report.reference.as_str()), (Subject::Payment, REFERENCE));
            report.outcome.verdict
        })
        .collect()
}

fn refused(reason: DeclineReason, verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Declined(decline) if decline.reason == reason)
}

#[test]
fn a_payment_by_page_is_born_when_the_browser_arrives() {
    let mut wire = Wire::new();
    let pay = pay_by("page");
    let Verdict::Awaiting(Action::Redirect { url }) = wire.verdict(&pay) else { panic!() };
    assert_eq!(wire.verdict(&query()), Verdict::Absent);
    assert_eq!(wire.verdict(&close()), Verdict::Absent);
    let page = wire.browse("GET", &url).headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(wire.verdict(&query()), Verdict::Pending);
    let shown = wire.browse("GET", &page);
    let shown = String::from_utf8(shown.into_body().to_vec()).unwrap();
    for text in ["¥88.88", "红茶 2 盒 + 绿茶", "支付 Pay", "取消 Cancel"] {
        assert!(shown.contains(text), "{text}");
    }
    let back = wire.browse("POST", &format!("{page}/pay"));
    assert_eq!(
        (back.status().as_u16(), &back.headers()["location"]),
        (303, &"https://shop.example/done?order=42&lang=zh".parse::<http::HeaderValue>().unwrap())
    );
    assert_eq!(verdicts(wire.deliver()), [Verdict::Succeeded]);
    let outcome = wire.perform(&query()).unwrap();
    assert_eq!(
        (outcome.verdict, outcome.money, outcome.at),
        (Verdict::Succeeded, Some(cny(8888)), Some(NOW))
    );
    let book = [BookLine { reference: REFERENCE.into(), refund: None, money: cny(8888), at: NOW }];
    assert_eq!(wire.simulator.book(), book);
}

#[test]
fn the_same_precreate_again_is_the_same_code_and_other_particulars_are_not() {
    let mut wire = Wire::new();
    let first = wire.start(&pay_by("qr"));
    assert_eq!(wire.start(&pay_by("qr")), first);
    let other = wire.perform(&payment("qr", 8889));
    assert!(matches!(other, Err(Fault::Unacceptable(_))), "{other:?}");
    wire.browse("POST", &format!("{first}/pay"));
    assert_eq!(wire.verdict(&pay_by("qr")), Verdict::Succeeded);
    assert_eq!(wire.simulator.book().len(), 1);
}

#[test]
fn a_closed_payment_cannot_be_paid_and_a_paid_one_cannot_be_closed() {
    let mut wire = Wire::new();
    let page = wire.start(&pay_by("qr"));
    assert_eq!(wire.verdict(&close()), Verdict::Closed);
    assert_eq!(wire.verdict(&close()), Verdict::Closed);
    wire.browse("POST", &format!("{page}/pay"));
    assert_eq!(wire.verdict(&query()), Verdict::Closed);
    assert!(refused(DeclineReason::Expired, &wire.verdict(&pay_by("qr"))));
    assert!(wire.simulator.book().is_empty() && wire.deliver().is_empty());
    assert_eq!(paid(8888).verdict(&close()), Verdict::Succeeded);
}

#[test]
fn a_payer_who_gives_up_and_a_code_that_expires_end_closed() {
    let mut wire = Wire::new();
    let page = wire.start(&pay_by("qr"));
    wire.browse("POST", &format!("{page}/cancel"));
    assert_eq!(verdicts(wire.deliver()), [Verdict::Closed]);
    let mut wire = Wire::new();
    wire.start(&pay_by("qr"));
    assert_eq!(wire.simulator.next_due(), Some(NOW.plus(Duration::from_secs(1_800))));
    wire.wait(1_800);
    assert_eq!(verdicts(wire.deliver()), [Verdict::Closed]);
    assert_eq!(wire.verdict(&query()), Verdict::Closed);
}

#[test]
fn refunds_in_parts_are_told_apart_and_never_exceed_the_payment() {
    let mut wire = paid(8888);
    wire.deliver();
    let (first, second) = (refund_of("r1", 3000, 8888), refund_of("r2", 5888, 8888));
    assert_eq!(wire.verdict(&query_refund_of("r1", 3000)), Verdict::Absent);
    assert_eq!(wire.perform(&first).unwrap().money, Some(cny(3000)));
    assert_eq!(wire.verdict(&first), Verdict::Succeeded, "the same refund again");
    assert!(matches!(wire.perform(&refund_of("r1", 3001, 8888)), Err(Fault::Unknown { .. })));
    assert!(refused(DeclineReason::InvalidRequest, &wire.verdict(&refund_of("r3", 5889, 8888))));
    assert_eq!(wire.perform(&second).unwrap().money, Some(cny(5888)), "although the sum of both is reported");
    assert!(refused(DeclineReason::Expired, &wire.verdict(&refund_of("r4", 1, 8888))));
    assert_eq!(wire.verdict(&second), Verdict::Succeeded, "although the trade is closed now");
    assert!(matches!(wire.perform(&query_refund_of("r2", 5887)), Err(Fault::Unacceptable(_))));
    assert_eq!(verdicts(wire.deliver()), [Verdict::Succeeded, Verdict::Succeeded]);
    assert_eq!(wire.verdict(&query()), Verdict::Succeeded, "paid, although TRADE_CLOSED");
    let refunds: Vec<i64> =
        wire.simulator.book().iter().filter(|l| l.refund.is_some()).map(|l| l.money.minor()).collect();
    assert_eq!(refunds, [3000, 5888]);
}

#[test]
fn a_refund_of_what_was_not_paid_is_refused() {
    let mut wire = Wire::new();
    assert!(refused(DeclineReason::InvalidRequest, &wire.verdict(&refund_of("r1", 1, 8888))));
    wire.start(&pay_by("qr"));
    assert!(refused(DeclineReason::Generic, &wire.verdict(&refund_of("r1", 1, 8888))));
}

#[test]
fn amount_9000_pays_itself_after_a_second() {
    let mut wire = Wire::new();
    wire.start(&payment("qr", 19_000));
    assert_eq!(wire.verdict(&query_of(19_000)), Verdict::Pending);
    assert!(wire.deliver().is_empty());
    wire.wait(1);
    assert_eq!(verdicts(wire.deliver()), [Verdict::Succeeded]);
}

#[test]
fn amount_9001_is_declined_when_the_payer_presses_pay() {
    let mut wire = Wire::new();
    let page = wire.start(&payment("qr", 9001));
    let shown = wire.browse("POST", &format!("{page}/pay"));
    assert!(String::from_utf8_lossy(shown.body()).contains("余额不足"));
    assert_eq!(wire.verdict(&query_of(9001)), Verdict::Pending);
    assert!(wire.simulator.book().is_empty());
}

#[test]
fn amount_9002_is_in_progress_for_half_a_minute() {
    let mut wire = Wire::new();
    let page = wire.start(&payment("qr", 9002));
    wire.browse("POST", &format!("{page}/pay"));
    assert_eq!(wire.verdict(&query_of(9002)), Verdict::Pending);
    assert_eq!(wire.verdict(&close_of(9002)), Verdict::Pending, "what is being paid cannot be closed");
    wire.wait(30);
    assert_eq!(verdicts(wire.deliver()), [Verdict::Succeeded]);
    assert_eq!(wire.verdict(&query_of(9002)), Verdict::Succeeded);
}

#[test]
fn amount_9003_is_paid_although_nothing_was_answered() {
    let mut wire = Wire::new();
    assert!(matches!(wire.perform(&payment("qr", 9003)), Err(Fault::Transport(_))));
    assert_eq!(wire.verdict(&query_of(9003)), Verdict::Succeeded);
    assert_eq!(
        wire.verdict(&payment("qr", 9003)),
        Verdict::Succeeded,
        "sent again, it does not charge twice"
    );
    assert_eq!(wire.simulator.book().len(), 1);
}

#[test]
fn amounts_9004_9005_and_9008_notify_thrice_late_and_never() {
    let mut wire = paid(9004);
    assert_eq!(verdicts(wire.deliver()), vec![Verdict::Succeeded; 3]);
    let mut wire = paid(9005);
    assert!(wire.deliver().is_empty());
    wire.wait(3_600);
    assert_eq!(verdicts(wire.deliver()), [Verdict::Succeeded]);
    let mut wire = paid(9008);
    wire.wait(86_400 * 30);
    assert!(wire.deliver().is_empty());
}

#[test]
fn amount_9006_turns_out_paid_after_it_was_closed() {
    let mut wire = Wire::new();
    wire.start(&payment("qr", 9006));
    assert_eq!(wire.verdict(&close_of(9006)), Verdict::Closed);
    assert_eq!(wire.verdict(&query_of(9006)), Verdict::Closed);
    wire.wait(5);
    assert_eq!(verdicts(wire.deliver()), [Verdict::Succeeded]);
    let outcome = wire.perform(&query_of(9006)).unwrap();
    assert_eq!(outcome.verdict, Verdict::Succeeded);
    assert!(outcome.at < Some(NOW), "paid before the close");
}

#[test]
fn amount_9007_answers_unknown_although_executed() {
    let mut wire = Wire::new();
    assert!(matches!(wire.perform(&payment("qr", 9007)), Err(Fault::Unknown { .. })));
    assert_eq!(wire.verdict(&query_of(9007)), Verdict::Pending);
    let page = wire.start(&payment("qr", 9007));
    wire.browse("POST", &format!("{page}/pay"));
    assert_eq!(wire.verdict(&query_of(9007)), Verdict::Succeeded);
}

#[test]
fn amounts_9009_and_9010_trouble_the_refund() {
    let mut wire = paid(9009);
    assert!(matches!(wire.perform(&refund_of("r1", 9, 9009)), Err(Fault::Unknown { .. })));
    assert_eq!(wire.verdict(&query_refund_of("r1", 9)), Verdict::Succeeded);
    assert_eq!(wire.verdict(&refund_of("r1", 9, 9009)), Verdict::Succeeded);
    let mut wire = paid(9010);
    assert!(refused(DeclineReason::InsufficientFunds, &wire.verdict(&refund_of("r1", 9, 9010))));
    assert_eq!(wire.verdict(&query_refund_of("r1", 9)), Verdict::Absent);
}

#[test]
fn a_notification_is_repeated_on_schedule_until_it_is_acknowledged() {
    let mut wire = paid(8888);
    let (wrong, right) =
        (http::Response::new(Bytes::from("SUCCESS")), http::Response::new(Bytes::from("success")));
    let mut waits = Vec::new();
    for attempt in 0.. {
        let due = wire.simulator.due(wire.now);
        assert_eq!(due.len(), 1, "attempt {attempt}");
        assert!(wire.channel.verify(&due[0].request, &context(wire.now)).is_ok());
        wire.simulator.notified(due[0].id, if attempt % 2 == 0 { None } else { Some(&wrong) }, wire.now);
        let Some(next) = wire.simulator.next_due().filter(|at| at.since(NOW).as_secs() > 0) else { break };
        waits.push(next.since(wire.now).as_secs() / 60);
        assert!(wire.simulator.due(wire.now).is_empty());
        wire.now = next;
        if attempt % 3 == 1 {
            wire.restart();
        }
    }
    assert_eq!(waits, [4, 10, 10, 60, 120, 360, 900]);
    let mut wire = paid(8888);
    let due = wire.simulator.due(wire.now);
    wire.simulator.notified(due[0].id, Some(&right), wire.now);
    wire.wait(86_400 * 2);
    assert!(wire.simulator.due(wire.now).is_empty());
}

#[test]
fn the_simulator_remembers_over_a_restart() {
    let mut wire = Wire::new();
    let page = wire.start(&payment("qr", 9002));
    wire.restart();
    wire.browse("POST", &format!("{page}/pay"));
    wire.restart();
    wire.wait(30);
    assert_eq!(verdicts(wire.deliver()), [Verdict::Succeeded]);
    let before = wire.simulator.book();
    wire.restart();
    assert_eq!(wire.simulator.book(), before);
    assert!(wire.deliver().is_empty(), "an acknowledged notification stays done with");
}

#[test]
fn the_simulator_refuses_what_the_provider_refuses() {
    let mut wire = Wire::new();
    // A clock in UTC instead of Beijing time is eight hours off.
    let now = wire.now;
    let request = |wire: &Wire, at| match wire.channel.encode(&pay_by("qr"), &context(at)).unwrap() {
        Step::Send(call) => call.request,
        other => panic!("{other:?}"),
    };
    let late = request(&wire, now.minus(Duration::from_secs(8 * 3_600)));
    let Answer::Reply(reply) = wire.answer(late) else { panic!() };
    assert!(String::from_utf8_lossy(reply.body()).contains("isv.invalid-timestamp"));
    let (head, body) = request(&wire, now).into_parts();
    let damaged = String::from_utf8(body.to_vec()).unwrap().replace("88.88", "88.80");
    let answer = wire.answer(http::Request::from_parts(head, Bytes::from(damaged)));
    let Answer::Reply(reply) = answer else { panic!() };
    let text = String::from_utf8_lossy(reply.body()).into_owned();
    assert!(text.contains("isv.invalid-signature") && !text.contains("\"sign\":"), "{text}");
    // Another merchant's app and key.
    wire.channel = open(&at_the_sandbox(settings("ours.json")));
    let refusal = wire.perform(&pay_by("qr"));
    assert!(
        matches!(&refusal, Err(Fault::Unknown { code, .. }) if code == "isv.invalid-app-id"),
        "{refusal:?}"
    );
    let mut wire = Wire::new();
    let subject = Operation::Pay(Pay { subject: "a/b=c&d".into(), ..pay("qr") });
    assert!(
        matches!(wire.verdict(&subject), Verdict::Awaiting(_)),
        "special signs are sent in a form it takes"
    );
}
