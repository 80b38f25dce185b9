//! The adapter against its simulator. Every operation and every scripted amount is walked by the conformance suite;
//! here stands what is QQ wallet's own.

use std::time::Duration;

use http::Request;
use paycore::channel::simulator::{Answer, Maker, Simulator};
use paycore::channel::{Action, Fault, Outcome, Step, Totals, Verdict};
use paycore_channels::qq::simulator::Sandbox;

use super::*;

const BASE: &str = "https://pay.example/sandbox/qq/1";

struct Wire {
    channel: Arc<dyn Channel>,
    simulator: Box<dyn Simulator>,
    now: Timestamp,
}

impl Wire {
    fn new() -> Wire {
        let provision = Sandbox.provision(BASE, &NativeKeyring, &SeededRng::new(7)).unwrap();
        let channel = Qq.open(&provision.ours, &NativeKeyring).unwrap();
        let simulator = Sandbox.open(&provision.theirs, &NativeKeyring).unwrap();
        Wire { channel, simulator, now: NOW }
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

#[test]
fn the_code_leads_to_a_page_where_the_payer_pays() {
    let mut wire = Wire::new();
    let Verdict::Awaiting(Action::Qr { content }) = wire.verdict(&pay_by("qr")) else { panic!() };
    let shown = String::from_utf8(wire.browse("GET", &content).into_body().to_vec()).unwrap();
    for text in ["¥88.88", "红茶 2 盒 + 绿茶", "支付 Pay", "取消 Cancel"] {
        assert!(shown.contains(text), "{text}");
    }
    wire.browse("POST", &format!("{content}/pay"));
    assert_eq!(wire.verdict(&query()), Verdict::Succeeded);
}

/// A close of a paid barcode payment must not give the money back, and one of a payment in progress must.
#[test]
fn a_barcode_is_reversed_only_while_it_is_not_paid() {
    let mut wire = Wire::new();
    let close = |fen| Operation::Close(Close { payment: about("barcode", fen, None) });
    assert_eq!(wire.verdict(&pay_by("barcode")), Verdict::Succeeded);
    assert_eq!(wire.verdict(&close(8888)), Verdict::Succeeded);
    assert_eq!(wire.simulator.book().len(), 1);
    let mut wire = Wire::new();
    let in_progress = Operation::Pay(Pay { money: cny(9002), ..pay("barcode") });
    assert_eq!(wire.verdict(&in_progress), Verdict::Pending);
    assert_eq!(wire.verdict(&close(9002)), Verdict::Closed);
    wire.now = wire.now.plus(Duration::from_secs(60));
    let query = Operation::Query(Query { payment: about("barcode", 9002, None) });
    assert_eq!(wire.verdict(&query), Verdict::Closed);
    assert!(wire.simulator.book().is_empty());
}

#[test]
fn the_same_reference_with_other_particulars_is_not_believed() {
    let mut wire = Wire::new();
    let first = wire.verdict(&pay_by("qr"));
    assert_eq!(wire.verdict(&pay_by("qr")), first, "the same order again is the same code");
    let other = wire.perform(&Operation::Pay(Pay { money: cny(8889), ..pay("qr") }));
    assert!(matches!(other, Err(Fault::Unacceptable(_))), "{other:?}");
}

#[test]
fn an_unpaid_order_expires_by_itself() {
    let mut wire = Wire::new();
    wire.verdict(&pay_by("qr"));
    wire.now = wire.now.plus(Duration::from_secs(1_800));
    assert_eq!(wire.verdict(&query()), Verdict::Closed);
}

#[test]
fn the_bill_of_a_day_is_fetched_and_read() {
    let mut wire = Wire::new();
    wire.verdict(&pay_by("barcode"));
    wire.verdict(&refund());
    let call = |day: Timestamp| Operation::Statement(Statement { kind: StatementKind::Trade, day });
    for (day, payments) in [(NOW, 1), (NOW.plus(Duration::from_secs(86_400)), 0)] {
        let Step::Send(sent) = wire.channel.encode(&call(day), &context(wire.now)).unwrap() else { panic!() };
        let Answer::Reply(reply) = wire.answer(sent.request) else { panic!() };
        let file = wire.channel.decode(&call(day), sent.stage, &reply, &context(wire.now)).unwrap();
        let Step::File(file) = file else { panic!("{file:?}") };
        let totals = wire.channel.parse(&mut file.as_ref(), &mut |_| {}).unwrap();
        assert_eq!(totals, Totals { payments, refunds: payments });
    }
}

#[test]
fn a_notification_is_repeated_on_schedule_until_it_is_acknowledged() {
    let mut wire = Wire::new();
    wire.verdict(&Operation::Pay(Pay { expires_at: None, ..pay("app") }));
    wire.browse("POST", &format!("{BASE}/payer/{REFERENCE}/pay"));
    let refused = wire.channel.reject();
    let mut waits = Vec::new();
    loop {
        let due = wire.simulator.due(wire.now);
        assert_eq!(due.len(), 1);
        assert!(wire.channel.verify(&due[0].request, &context(wire.now)).is_ok());
        wire.simulator.notified(due[0].id, Some(&refused), wire.now);
        let Some(next) = wire.simulator.next_due().filter(|at| *at > wire.now) else {
            break;
        };
        waits.push(next.since(wire.now).as_secs());
        wire.now = next;
    }
    assert_eq!(waits, [15, 15, 30, 180, 1_800, 1_800, 1_800, 1_800, 3_600]);
    assert!(wire.simulator.due(wire.now.plus(Duration::from_secs(86_400))).is_empty());
}

#[test]
fn the_simulator_refuses_what_the_provider_refuses() {
    let mut wire = Wire::new();
    let request = |operation: &Operation| match wire.channel.encode(operation, &context(NOW)).unwrap() {
        Step::Send(call) => call.request,
        other => panic!("{other:?}"),
    };
    let (head, body) = request(&pay_by("qr")).into_parts();
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
    // Another merchant's key, and another operator's password.
    let mut stranger = settings("ours.json");
    stranger.set("gateway", BASE);
    wire.channel = Qq.open(&stranger, &NativeKeyring).unwrap();
    let refusal = wire.perform(&pay_by("qr"));
    assert!(matches!(&refusal, Err(Fault::Unknown { code, .. }) if code == "FAIL"), "{refusal:?}");
    let mut provision = Sandbox.provision(BASE, &NativeKeyring, &SeededRng::new(7)).unwrap();
    provision.ours.set("op_user_passwd", "another");
    wire.channel = Qq.open(&provision.ours, &NativeKeyring).unwrap();
    wire.verdict(&pay_by("barcode"));
    let Verdict::Declined(decline) = wire.verdict(&refund()) else { panic!() };
    assert_eq!(decline.code, "OPUSERPASSWDERROR");
}
