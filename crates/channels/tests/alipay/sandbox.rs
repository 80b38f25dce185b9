//! A wire between the adapter and its simulator, without a network.

use std::time::Duration;

use http::Request;
use paycore::channel::simulator::{Answer, Maker, Notification, Simulator};
use paycore::channel::{Action, Effect, Fault, Outcome, Report, Step, Verdict};
use paycore_channels::alipay::simulator::Sandbox;

use super::*;

const BASE: &str = "https://pay.example/sandbox/alipay/1";

/// The same settings, pointed at the simulator.
pub(crate) fn at_the_sandbox(mut settings: Settings) -> Settings {
    settings.set("gateway", format!("{BASE}/gateway.do"));
    settings
}

pub(crate) struct Wire {
    pub(crate) channel: Arc<dyn Channel>,
    theirs: Settings,
    pub(crate) simulator: Box<dyn Simulator>,
    pub(crate) now: Timestamp,
    records: std::collections::BTreeMap<String, String>,
}

impl Wire {
    pub(crate) fn new() -> Wire {
        Wire::with(|_, _| ())
    }

    /// With the settings of both sides changed.
    pub(crate) fn with(change: impl FnOnce(&mut Settings, &Settings)) -> Wire {
        let mut provision = Sandbox.provision(BASE, &NativeKeyring, &SeededRng::new(7)).unwrap();
        change(&mut provision.ours, &provision.theirs);
        let channel = Alipay.open(&provision.ours, &NativeKeyring).unwrap();
        let simulator = Sandbox.open(&provision.theirs, &NativeKeyring).unwrap();
        Wire { channel, theirs: provision.theirs, simulator, now: NOW, records: Default::default() }
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    /// Forgets everything but the kept records, as after a restart of the shell.
    pub(crate) fn restart(&mut self) {
        self.records.extend(self.simulator.changed());
        self.simulator = Sandbox.open(&self.theirs, &NativeKeyring).unwrap();
        for (key, value) in &self.records {
            self.simulator.restore(key, value);
        }
    }

    pub(crate) fn answer(&mut self, request: Request<Bytes>) -> Answer {
        let (mut head, body) = request.into_parts();
        let uri = head.uri.to_string();
        head.uri = uri.strip_prefix(BASE).expect("an address of the simulator").parse().unwrap();
        self.simulator.handle(&Request::from_parts(head, body), self.now)
    }

    /// Carries an operation through all its calls.
    pub(crate) fn perform(&mut self, operation: &Operation) -> Result<Outcome, Fault> {
        let mut step = self.channel.encode(operation, &context(self.now)).unwrap();
        let mut moving = 0;
        loop {
            let call = match step {
                Step::Done(outcome) => return Ok(outcome),
                Step::File(_) => unreachable!("no statement is asked for"),
                Step::Send(call) => call,
            };
            moving += usize::from(call.effect == Effect::Money);
            assert!(moving <= 1, "only one call may move money");
            let Answer::Reply(reply) = self.answer(call.request) else {
                return Err(Fault::Transport("silence".into()));
            };
            step = self.channel.decode(operation, call.stage, &reply, &context(self.now))?;
        }
    }

    /// What the payer's browser gets.
    pub(crate) fn browse(&mut self, method: &str, address: &str) -> http::Response<Bytes> {
        let request = Request::builder().method(method).uri(address).body(Bytes::new()).unwrap();
        match self.answer(request) {
            Answer::Reply(response) => response,
            Answer::Silence => panic!("no answer to the browser"),
        }
    }

    /// Sends what is due to the adapter, acknowledges it and says what was reported.
    pub(crate) fn deliver(&mut self) -> Vec<Report> {
        let mut reports = Vec::new();
        for Notification { id, request } in self.simulator.due(self.now) {
            assert_eq!(request.uri(), NOTIFY_URL);
            let verified = self.channel.verify(&request, &context(self.now)).unwrap();
            self.simulator.notified(id, Some(&verified.reply), self.now);
            reports.extend(verified.reports);
        }
        reports
    }

    pub(crate) fn verdict(&mut self, operation: &Operation) -> Verdict {
        self.perform(operation).unwrap().verdict
    }

    /// Starts a payment and says where the payer goes: the page itself, past the gateway's redirect.
    pub(crate) fn start(&mut self, operation: &Operation) -> String {
        match self.verdict(operation) {
            Verdict::Awaiting(Action::Qr { content }) => {
                // The payer scans it.
                assert_eq!(self.browse("GET", &content).status(), 200);
                content
            }
            Verdict::Awaiting(Action::Redirect { url }) => {
                let response = self.browse("GET", &url);
                assert_eq!(response.status(), 302);
                response.headers()["location"].to_str().unwrap().to_owned()
            }
            other => panic!("{other:?}"),
        }
    }
}
