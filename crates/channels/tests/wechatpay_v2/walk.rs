//! The adapter against its simulator. Every operation and every scripted amount of a payment is walked by the conformance
//! suite; here stand red packets, devices, signing in, and what a provider does.

use std::time::Duration;

use http::Request;
use paycore::channel::simulator::{Answer, Maker, Simulator};
use paycore::channel::{Action, Fault, Outcome, Step, Totals, Verdict};
use paycore_channels::wechatpay_v2::simulator::Sandbox;

use super::*;

const BASE: &str = "https://pay.example/sandbox/wechatpay_v2/1";
const DAY: Duration = Duration::from_secs(86_400);

struct Wire {
    channel: Arc<dyn Channel>,
    simulator: Box<dyn Simulator>,
    theirs: Settings,
    now: Timestamp,
}

impl Wire {
    fn new() -> Wire {
        Wire::with(|_, _| {})
    }

    fn with(change: impl FnOnce(&mut Settings, &mut Settings)) -> Wire {
        let mut provision = Sandbox.provision(BASE, &NativeKeyring, &SeededRng::new(7)).unwrap();
        change(&mut provision.ours, &mut provision.theirs);
        let channel = WechatPayV2.open(&provision.ours, &NativeKeyring).unwrap();
        let simulator = Sandbox.open(&provision.theirs, &NativeKeyring).unwrap();
        Wire { channel, simulator, theirs: provision.theirs, now: NOW }
    }

    fn answer(&mut self, request: Request<Bytes>) -> Answer {
        let (mut head, body) = request.into_parts();
        let uri = head.uri.to_string();
        head.uri = uri.strip_prefix(BASE).expect("an address of the simulator").parse().unwrap();
        self.simulator.handle(&Request::from_parts(head, body), self.now)
    }

    /// Carries an operation through all its calls.
    fn perform(&mut self, operation: &Operation) -> Result<Outcome, Fault> {
        let mut step = self.channel.encode(operation, &context(self.now)).unwrap();
        loop {
            let call = match step {
                Step::Done(outcome) => return Ok(outcome),
                Step::File(_) => unreachable!("no statement is asked for"),
                Step::Send(call) => call,
            };
            let Answer::Reply(reply) = self.answer(call.request) else {
                return Err(Fault::Transport("silence".into()));
            };
            step = self.channel.decode(operation, call.stage, &reply, &context(self.now))?;
        }
    }

    fn verdict(&mut self, operation: &Operation) -> Verdict {
        self.perform(operation).unwrap().verdict
    }

    fn browse(&mut self, method: &str, address: &str) -> http::Response<Bytes> {
        let request = Request::builder().method(method).uri(address).body(Bytes::new()).unwrap();
        match self.answer(request) {
            Answer::Reply(response) => response,
            Answer::Silence => panic!("no answer to the browser"),
        }
    }
}

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
    let records = wire.simulator.changed();
    wire.simulator = Sandbox.open(&wire.theirs, &NativeKeyring).unwrap();
    records.iter().for_each(|(key, value)| wire.simulator.restore(key, value));
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
    let close = |fen| Operation::Close(Close { payment: about(fen, None) });
    let mut wire = Wire::new();
    assert_eq!(wire.verdict(&charge()), Verdict::Succeeded);
    assert_eq!(wire.verdict(&close(8888)), Verdict::Succeeded);
    assert_eq!(wire.simulator.book().len(), 1);
    let mut wire = Wire::new();
    let slow = Operation::Pay(Pay { money: cny(9_002), ..pay() });
    assert_eq!(wire.verdict(&slow), Verdict::Pending);
    assert_eq!(wire.verdict(&close(9_002)), Verdict::Closed);
    wire.now = NOW.plus(Duration::from_secs(60));
    assert_eq!(wire.verdict(&Operation::Query(Query { payment: about(9_002, None) })), Verdict::Closed);
    assert!(wire.simulator.book().is_empty());
}

#[test]
fn a_device_is_let_in_with_a_clock_that_is_right() {
    let mut wire = Wire::new();
    let Verdict::Awaiting(Action::Client { parameters }) = wire.verdict(&device()) else { panic!() };
    let names: Vec<_> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["appid", "mch_id", "authinfo", "expires_in"]);
    let Step::Send(call) = wire.channel.encode(&device(), &context(NOW)).unwrap() else { panic!() };
    wire.now = NOW.plus(Duration::from_secs(301));
    let Answer::Reply(late) = wire.answer(call.request) else { panic!() };
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
    let call = |day: Timestamp| Operation::Statement(Statement { kind: StatementKind::Trade, day });
    for (day, payments) in [(NOW, 1), (NOW.plus(DAY), 0)] {
        let Step::Send(sent) = wire.channel.encode(&call(day), &context(wire.now)).unwrap() else { panic!() };
        let Answer::Reply(reply) = wire.answer(sent.request) else { panic!() };
        let file = wire.channel.decode(&call(day), sent.stage, &reply, &context(wire.now)).unwrap();
        let Step::File(file) = file else { panic!("{file:?}") };
        let totals = wire.channel.parse(&mut file.as_ref(), &mut |_| {}).unwrap();
        assert_eq!(totals, Totals { payments, refunds: payments });
    }
    let mut stranger = settings("ours.json");
    stranger.set("mch_id", "1900000108");
    let stranger = WechatPayV2.open(&stranger, &NativeKeyring).unwrap();
    let file = wire.simulator.statement(NOW.minus(DAY), NOW.plus(DAY)).unwrap();
    let read = stranger.parse(&mut file.as_ref(), &mut |_| {});
    assert!(matches!(read, Err(Fault::Unacceptable(_))), "the bill of another merchant: {read:?}");
}

#[test]
fn the_simulator_refuses_what_the_provider_refuses() {
    let mut wire = Wire::new();
    for operation in [charge(), packet()] {
        let Step::Send(call) = wire.channel.encode(&operation, &context(NOW)).unwrap() else { panic!() };
        let (head, body) = call.request.into_parts();
        let body = String::from_utf8(body.to_vec()).unwrap();
        for wrong in [
            body.replace("8888", "8880"),
            body.replace("<sign>", "<sign>0"),
            body.replace("</xml>", "<sign>0</sign></xml>"),
            String::new(),
        ] {
            let request = Request::from_parts(head.clone(), Bytes::from(wrong));
            let Answer::Reply(reply) = wire.answer(request) else { panic!() };
            let said = String::from_utf8(reply.body().to_vec()).unwrap();
            assert!(said.contains("FAIL") && !said.contains("<sign>"), "{said}");
        }
    }
}
