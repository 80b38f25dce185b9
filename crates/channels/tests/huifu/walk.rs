//! The adapter against its simulator. Every operation and every scripted amount is walked by the conformance suite;
//! here stands what is Huifu's own.

use std::time::Duration;

use http::Request;
use paycore::channel::simulator::{Answer, Maker, Simulator};
use paycore::channel::{Action, Fault, Outcome, Step, Verdict};
use paycore_channels::huifu::simulator::Sandbox;

use super::*;

const BASE: &str = "https://pay.example/sandbox/huifu/1";

struct Wire {
    channel: Arc<dyn Channel>,
    simulator: Box<dyn Simulator>,
    now: Timestamp,
}

impl Wire {
    fn new() -> Wire {
        let provision = Sandbox.provision(BASE, &NativeKeyring, &SeededRng::new(7)).unwrap();
        let channel = Huifu.open(&provision.ours, &NativeKeyring).unwrap();
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
    for method in ["alipay.qr", "unionpay.qr", "ecny.qr"] {
        let mut wire = Wire::new();
        let Verdict::Awaiting(Action::Qr { content }) = wire.verdict(&pay_by(method)) else { panic!() };
        let shown = String::from_utf8(wire.browse("GET", &content).into_body().to_vec()).unwrap();
        for text in ["¥88.88", "红茶 2 盒 + 绿茶", "支付 Pay", "取消 Cancel"] {
            assert!(shown.contains(text), "{text}");
        }
        wire.browse("POST", &format!("{content}/pay"));
        assert_eq!(wire.verdict(&query()), Verdict::Succeeded);
    }
}

#[test]
fn a_paid_barcode_is_not_closed() {
    let mut wire = Wire::new();
    let close = |fen| Operation::Close(Close { payment: about("alipay.barcode", fen, None) });
    assert_eq!(wire.verdict(&pay_by("alipay.barcode")), Verdict::Succeeded);
    assert_eq!(wire.verdict(&close(8888)), Verdict::Succeeded);
    assert_eq!(wire.simulator.book().len(), 1);
    let mut wire = Wire::new();
    let in_progress = Operation::Pay(Pay { money: cny(9002), ..pay("alipay.barcode") });
    assert_eq!(wire.verdict(&in_progress), Verdict::Pending);
    assert_eq!(wire.verdict(&close(9002)), Verdict::Closed);
    wire.now = wire.now.plus(Duration::from_secs(60));
    let query = Operation::Query(Query { payment: about("alipay.barcode", 9002, None) });
    assert!(matches!(wire.verdict(&query), Verdict::Declined(_)));
    assert!(wire.simulator.book().is_empty());
}

#[test]
fn the_same_reference_with_other_particulars_is_not_believed() {
    let mut wire = Wire::new();
    let first = wire.verdict(&pay_by("alipay.qr"));
    assert_eq!(wire.verdict(&pay_by("alipay.qr")), first, "the same order again is the same code");
    let other = wire.perform(&Operation::Pay(Pay { money: cny(8889), ..pay("alipay.qr") }));
    assert!(matches!(other, Err(Fault::Unacceptable(_))), "{other:?}");
}

#[test]
fn an_unpaid_order_expires_by_itself() {
    let mut wire = Wire::new();
    wire.verdict(&pay_by("wechatpay.app"));
    wire.now = wire.now.plus(Duration::from_secs(1_800));
    assert_eq!(wire.verdict(&query()), Verdict::Closed);
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
    let Step::Send(call) = wire.channel.encode(&pay_by("alipay.qr"), &context(NOW)).unwrap() else {
        panic!()
    };
    let (head, body) = call.request.into_parts();
    let body = String::from_utf8(body.to_vec()).unwrap();
    for wrong in [
        body.replace("88.88", "88.80"),
        body.replace("\"sign\":\"", "\"sign\":\"A"),
        body.replace("YYZY", "YYZZ"),
        body.replace("\"data\"", "\"date\""),
        String::new(),
    ] {
        assert_ne!(wrong, body);
        let Answer::Reply(reply) = wire.answer(Request::from_parts(head.clone(), Bytes::from(wrong))) else {
            panic!()
        };
        let said = String::from_utf8(reply.body().to_vec()).unwrap();
        assert!(said.contains("10000000") && !said.contains("sign"), "{said}");
    }
    // Another merchant's keys.
    let mut stranger = settings("ours.json");
    stranger.set("gateway", BASE);
    wire.channel = Huifu.open(&stranger, &NativeKeyring).unwrap();
    let refusal = wire.perform(&pay_by("alipay.qr"));
    assert!(matches!(&refusal, Err(Fault::Unknown { code, .. }) if code == "10000000"), "{refusal:?}");
}

#[test]
fn a_file_whose_columns_nobody_documents_is_not_guessed_at() {
    let read = adapter().parse(&mut "a,b\n1,2\n".as_bytes(), &mut |line| panic!("{line:?}"));
    assert_eq!(read.err(), Some(Fault::Unsupported));
    assert!(Wire::new().simulator.statement(NOW, NOW).is_none());
}
