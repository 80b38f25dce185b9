//! The adapter against its simulator. Every operation and every scripted amount of a payment is walked by the conformance
//! suite; here stand red packets, devices, signing in, and what a provider does.

use http::Request;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

fn packet_of(fen: i64) -> Operation {
    Operation::Transfer(Transfer { money: cny(fen), ..transfer() })
}

fn ask(fen: i64) -> Operation {
    let Operation::QueryTransfer(query) = query_packet() else { unreachable!() };
    Operation::QueryTransfer(QueryTransfer { money: cny(fen), ..query })
}

#[test]
fn a_red_packet_is_sent_once_and_lies_there_until_it_is_opened() {
    let mut wire = Wire::new();
    assert_eq!(wire.verdict(&query_packet()), Verdict::Absent);
    let first = wire.perform(&packet()).unwrap();
    assert_eq!((&first.verdict, first.money), (&Verdict::Pending, Some(cny(8888))));
    let again = wire.perform(&packet()).unwrap();
    assert_eq!(again.channel_id, first.channel_id, "the same packet");
    assert_eq!(wire.verdict(&query_packet()), Verdict::Pending);
    let page = format!("{BASE}/payer/{REFERENCE}");
    let shown = String::from_utf8(wire.browse("GET", &page).into_body().to_vec()).unwrap();
    assert!(shown.contains("¥88.88") && shown.contains("恭喜发财") && shown.contains("拆红包"), "{shown}");
    // The records of the simulator outlive it.
    wire.restart();
    wire.browse("POST", &format!("{page}/pay"));
    let opened = wire.perform(&query_packet()).unwrap();
    assert_eq!((opened.verdict, opened.at, opened.money), (Verdict::Succeeded, Some(NOW), Some(cny(8888))));
    assert_eq!(opened.channel_id, first.channel_id);
    wire.now = NOW.plus(DAY * 2);
    assert_eq!(wire.verdict(&query_packet()), Verdict::Succeeded, "it does not go back any more");
}

#[test]
fn a_red_packet_that_nobody_opens_goes_back_after_a_day() {
    let mut wire = Wire::new();
    wire.verdict(&packet());
    wire.now = NOW.plus(DAY - Duration::from_secs(1));
    assert_eq!(wire.verdict(&query_packet()), Verdict::Pending);
    wire.now = NOW.plus(DAY);
    let Verdict::Declined(back) = wire.verdict(&query_packet()) else { panic!() };
    assert_eq!(back.code, "REFUND");
    wire.browse("POST", &format!("{BASE}/payer/{REFERENCE}/pay"));
    assert!(matches!(wire.verdict(&query_packet()), Verdict::Declined(_)), "too late to open it");
}

#[test]
fn a_no_is_believed_only_when_there_is_no_packet() {
    let mut wire = Wire::new();
    let Verdict::Declined(poor) = wire.verdict(&packet_of(9_001)) else { panic!() };
    assert_eq!(poor.code, "NOTENOUGH");
    // The system says that it is busy, and yet the packet is there.
    let mut wire = Wire::new();
    assert_eq!(wire.verdict(&packet_of(9_007)), Verdict::Pending);
    assert_eq!(wire.verdict(&ask(9_007)), Verdict::Pending);
    // Nothing is heard at all, and the query tells.
    let mut wire = Wire::new();
    assert!(matches!(wire.perform(&packet_of(9_003)), Err(Fault::Transport(_))));
    assert_eq!(wire.verdict(&ask(9_003)), Verdict::Pending);
    assert_eq!(wire.verdict(&packet_of(9_003)), Verdict::Pending, "and the repeat sends no second one");
    // Another sum under the same number is not what was asked for.
    let other = wire.perform(&packet_of(9_004));
    assert!(matches!(other, Err(Fault::Unacceptable(_))), "{other:?}");
}

#[test]
fn a_face_that_is_not_settled_is_reversed_and_a_paid_one_is_not() {
    let close = |fen| close_about(about(fen, None));
    let mut wire = Wire::new();
    assert_eq!(wire.verdict(&charge()), Verdict::Succeeded);
    assert_eq!(wire.verdict(&close(8888)), Verdict::Succeeded);
    assert_eq!(wire.simulator.book().len(), 1);
    let mut wire = Wire::new();
    let slow = Operation::Pay(Pay { money: cny(9_002), ..pay() });
    assert_eq!(wire.verdict(&slow), Verdict::Pending);
    assert_eq!(wire.verdict(&close(9_002)), Verdict::Closed);
    wire.now = NOW.plus(Duration::from_secs(60));
    assert_eq!(wire.verdict(&query_about(about(9_002, None))), Verdict::Closed);
    assert!(wire.simulator.book().is_empty());
}

#[test]
fn a_device_is_let_in_with_a_clock_that_is_right() {
    let mut wire = Wire::new();
    let Verdict::Awaiting(Action::Client { parameters }) = wire.verdict(&device()) else { panic!() };
    let names: Vec<_> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["appid", "mch_id", "authinfo", "expires_in"]);
    let request = wire.request(&device(), NOW);
    wire.now = NOW.plus(Duration::from_secs(301));
    let late = wire.reply(request);
    let read = wire.channel.decode(&device(), 0, &late, &context(wire.now));
    assert!(matches!(&read, Err(Fault::Unknown { code, .. }) if code == "FAIL"), "{read:?}");
}

/// The code in an address that a payer's browser is sent back to.
fn code_of(address: &str) -> String {
    address.split("code=").nth(1).and_then(|rest| rest.split('&').next()).unwrap().to_owned()
}

#[test]
fn a_code_tells_who_it_is_once_and_for_five_minutes() {
    let mut wire = Wire::new();
    let ask = sign_in("https://shop.example/pay?order=7", "abc");
    let Verdict::Awaiting(Action::Redirect { url }) = wire.verdict(&ask) else { panic!() };
    let mut come = || {
        let back = wire.browse("GET", url.trim_end_matches("#wechat_redirect"));
        assert_eq!(back.status(), 302);
        back.headers()["location"].to_str().unwrap().to_owned()
    };
    let (first, second) = (come(), come());
    assert!(
        first.starts_with("https://shop.example/pay?order=7&code=") && first.ends_with("&state=abc"),
        "{first}"
    );
    let told = wire.perform(&identify(&code_of(&first))).unwrap();
    assert_eq!((told.verdict, told.channel_id.is_some()), (Verdict::Succeeded, true));
    let expired = |verdict: Verdict| matches!(verdict, Verdict::Declined(no) if no.code == "40029" || no.code == "42003");
    assert!(expired(wire.verdict(&identify(&code_of(&first)))), "it is spent");
    wire.now = NOW.plus(Duration::from_secs(300));
    assert!(expired(wire.verdict(&identify(&code_of(&second)))), "it is too old");
    let mut other = Wire::with(|ours, _| ours.set("app_secret", "00000000000000000000000000000000"));
    let refused = other.perform(&identify("0a1B2c"));
    assert!(matches!(&refused, Err(Fault::Unknown { code, .. }) if code == "40125"), "{refused:?}");
}

#[test]
fn a_provider_acts_for_its_merchant_only() {
    let sub = |settings: &mut Settings| settings.set("sub_mch_id", "1688880077");
    let mut wire = Wire::with(|ours, theirs| {
        sub(ours);
        sub(theirs);
    });
    assert_eq!(wire.verdict(&charge()), Verdict::Succeeded);
    assert_eq!(wire.verdict(&refund()), Verdict::Succeeded);
    assert_eq!(wire.verdict(&packet()), Verdict::Pending);
    let mut alone = Wire::with(|_, theirs| sub(theirs));
    assert!(matches!(alone.verdict(&charge()), Verdict::Declined(no) if no.code == "NO_AUTH"));
}

#[test]
fn the_bill_of_a_day_is_fetched_and_read() {
    let mut wire = Wire::new();
    wire.verdict(&charge());
    wire.verdict(&refund());
    assert_eq!(wire.totals_of(NOW), Totals { payments: 1, refunds: 1 });
    assert_eq!(wire.totals_of(NOW.plus(DAY)), Totals { payments: 0, refunds: 0 });
    let mut stranger = settings("ours.json");
    stranger.set("mch_id", "1900000108");
    let stranger = open(&stranger);
    let file = wire.simulator.statement(NOW.minus(DAY), NOW.plus(DAY)).unwrap();
    let read = parse_for(&*stranger, &file);
    assert!(matches!(read, Err(Fault::Unacceptable(_))), "the bill of another merchant: {read:?}");
}

#[test]
fn the_simulator_refuses_what_the_provider_refuses() {
    let mut wire = Wire::new();
    for operation in [charge(), packet()] {
        let (head, body) = wire.request(&operation, NOW).into_parts();
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
    }
}
