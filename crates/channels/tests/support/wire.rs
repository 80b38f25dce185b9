//! A wire between the adapter and its simulator, without a network.

use http::Request;
use paycore::channel::simulator::{Notification, Provision};

use super::*;

/// Where the simulator is reached.
pub const BASE: &str = "https://pay.example/sandbox/1";

pub struct Wire {
    pub channel: Arc<dyn Channel>,
    pub simulator: Box<dyn Simulator>,
    pub ours: Settings,
    pub theirs: Settings,
    pub now: Timestamp,
    records: std::collections::BTreeMap<String, String>,
}

fn maker() -> &'static dyn Maker {
    DRIVER.simulator().expect("a channel with a simulator")
}

impl Wire {
    pub fn new() -> Wire {
        Wire::with(|_, _| {})
    }

    /// With these changes to our settings and the provider's.
    pub fn with(change: impl FnOnce(&mut Settings, &mut Settings)) -> Wire {
        let mut provision = maker().provision(BASE, &NativeKeyring, &SeededRng::new(7)).unwrap();
        change(&mut provision.ours, &mut provision.theirs);
        let Provision { ours, theirs } = provision;
        let simulator = maker().open(&theirs, &NativeKeyring).unwrap();
        Wire { channel: open(&ours), simulator, ours, theirs, now: NOW, records: Default::default() }
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    /// Forgets everything but the kept records, as after a restart of the shell.
    pub fn restart(&mut self) {
        self.records.extend(self.simulator.changed());
        self.simulator = maker().open(&self.theirs, &NativeKeyring).unwrap();
        for (key, value) in &self.records {
            self.simulator.restore(key, value);
        }
    }

    /// The first request of an operation, as it is sent at this time.
    pub fn request(&self, operation: &Operation, at: Timestamp) -> Request<Bytes> {
        match self.channel.encode(operation, &context(at)).unwrap() {
            Step::Send(call) => call.request,
            other => panic!("{other:?}"),
        }
    }

    pub fn answer(&mut self, request: Request<Bytes>) -> Answer {
        let (mut head, body) = request.into_parts();
        let uri = head.uri.to_string();
        head.uri = uri.strip_prefix(BASE).expect("an address of the simulator").parse().unwrap();
        self.simulator.handle(&Request::from_parts(head, body), self.now)
    }

    pub fn reply(&mut self, request: Request<Bytes>) -> Reply {
        match self.answer(request) {
            Answer::Reply(reply) => reply,
            Answer::Silence => panic!("no answer"),
        }
    }

    /// Carries an operation through all its calls, to an outcome.
    pub fn perform(&mut self, operation: &Operation) -> Result<Outcome, Fault> {
        match self.carry(operation)? {
            Step::Done(outcome) => Ok(outcome),
            other => panic!("{other:?}"),
        }
    }

    /// Through all its calls, of which one at the most may move money, to an outcome or a file.
    pub fn carry(&mut self, operation: &Operation) -> Result<Step, Fault> {
        let mut step = self.channel.encode(operation, &context(self.now)).unwrap();
        let mut moving = 0;
        while let Step::Send(call) = step {
            moving += usize::from(call.effect == Effect::Money);
            assert!(moving <= 1, "only one call may move money");
            let memo = call.request.extensions().get().cloned();
            let Answer::Reply(mut reply) = self.answer(call.request) else {
                return Err(Fault::Transport("silence".into()));
            };
            Memo::hand_on(memo, &mut reply);
            step = self.channel.decode(operation, call.stage, &reply, &context(self.now))?;
        }
        Ok(step)
    }

    pub fn verdict(&mut self, operation: &Operation) -> Verdict {
        self.perform(operation).unwrap().verdict
    }

    /// What the payer's browser gets.
    pub fn browse(&mut self, method: &str, address: &str) -> Reply {
        let request = Request::builder().method(method).uri(address).body(Bytes::new()).unwrap();
        self.reply(request)
    }

    /// Asserts that the payment's page shows what is paid for, and both buttons.
    pub fn assert_shows_the_payment(&mut self, page: &str) {
        let shown = String::from_utf8(self.browse("GET", page).into_body().to_vec()).unwrap();
        for text in ["¥88.88", "红茶 2 盒 + 绿茶", "支付 Pay", "取消 Cancel"] {
            assert!(shown.contains(text), "{text}");
        }
    }

    /// Sends what is due to the adapter, acknowledges it and says what was reported.
    pub fn deliver(&mut self) -> Vec<Report> {
        let mut reports = Vec::new();
        for Notification { id, request } in self.simulator.due(self.now) {
            assert_eq!(request.uri(), NOTIFY_URL);
            let verified = self.channel.verify(&request, &context(self.now)).unwrap();
            self.simulator.notified(id, Some(&verified.reply), self.now);
            reports.extend(verified.reports);
        }
        reports
    }

    /// Refuses the one notification that is due each time it comes, until the provider gives up: the seconds between
    /// the attempts, each of which is authentic, and their bodies.
    pub fn refuse_notices(&mut self) -> (Vec<u64>, Vec<Bytes>) {
        let refused = self.channel.reject();
        let (mut waits, mut bodies) = (Vec::new(), Vec::new());
        loop {
            let due = self.simulator.due(self.now);
            assert_eq!(due.len(), 1);
            assert!(
                self.channel.verify(&due[0].request, &context(self.now)).is_ok(),
                "signed anew each time"
            );
            bodies.push(due[0].request.body().clone());
            self.simulator.notified(due[0].id, Some(&refused), self.now);
            let Some(next) = self.simulator.next_due().filter(|at| *at > self.now) else { break };
            waits.push(next.since(self.now).as_secs());
            self.now = next;
        }
        self.wait(86_400);
        assert!(self.simulator.due(self.now).is_empty());
        (waits, bodies)
    }

    /// How many payments and refunds the statement of a day tells of, fetched and read.
    pub fn totals_of(&mut self, day: Timestamp) -> Totals {
        let fetch = Operation::Statement(Statement { kind: StatementKind::Trade, day });
        match self.carry(&fetch) {
            Ok(Step::File(file)) => parse_for(&*self.channel, &file).unwrap().1,
            other => panic!("{other:?}"),
        }
    }
}

/// Asserts that an order which is repeated with other particulars is not taken for the same.
pub fn assert_same_reference_is_one_order(pay: &Pay) {
    let mut wire = Wire::new();
    let first = wire.verdict(&Operation::Pay(pay.clone()));
    assert_eq!(wire.verdict(&Operation::Pay(pay.clone())), first, "the same order again is the same code");
    let other = wire.perform(&Operation::Pay(Pay { money: cny(8889), ..pay.clone() }));
    assert!(matches!(other, Err(Fault::Unacceptable(_))), "{other:?}");
}

/// Asserts that an order which nobody pays is closed at its expiry.
pub fn assert_unpaid_order_expires(pay: Operation, query: &Operation) {
    let mut wire = Wire::new();
    wire.verdict(&pay);
    wire.wait(1_800);
    assert_eq!(wire.verdict(query), Verdict::Closed);
}
