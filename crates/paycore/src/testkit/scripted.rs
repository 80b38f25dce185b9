//! A channel without a wire, for tests of the services: what it answers is said beforehand, play by play.
//!
//! One [`Scripted`] is driver, channel and transport at once; clones share one script. An operation takes the next
//! play of its verb when it is encoded. Without a play everything goes well.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::BufRead;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::channel::{
    Action, Call, Capability, CaptureMode, Channel, Context, Currencies, Driver, Effect, Fault, Field,
    FieldKind, Line, Notice, Operation, Outcome, Profile, References, Refusal, Reply, Report, Settings,
    SettingsError, Stage, Step, Totals, Verb, Verdict, Verified,
};
use crate::crypto::Keyring;
use crate::money::Money;
use crate::transport::{Transport, TransportError};
use crate::units::UnitRule;

/// What happens to one operation.
#[derive(Debug, Clone)]
pub enum Play {
    /// It is sent and answered with this.
    Answer(Outcome),
    /// It has this outcome without a call, as a signed redirect has.
    Done(Outcome),
    /// It is not sent.
    Refuse(Refusal),
    /// It is sent, and the reply is not understood.
    Fault(Fault),
    /// It is sent, and no reply arrives.
    Lose(TransportError),
}

/// A channel that follows a script.
#[derive(Clone, Default)]
pub struct Scripted(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    plays: HashMap<Verb, VecDeque<Play>>,
    operations: Vec<Operation>,
    /// Plays that are on their way, by the ticket in the request and the reply.
    sent: BTreeMap<u64, Play>,
    reports: Vec<Report>,
    confirms: bool,
    meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

impl Scripted {
    /// A channel with an empty script.
    pub fn new() -> Self {
        Scripted::default()
    }

    /// The same channel for a registry, which holds its drivers for good; for tests only, as it is never freed.
    pub fn driver(&self) -> &'static dyn Driver {
        Box::leak(Box::new(self.clone()))
    }

    /// From now on what notifications say has to be confirmed by queries.
    pub fn confirming(&self) -> &Self {
        self.script().confirms = true;
        self
    }

    /// Adds a play for the next operation of this verb that has none yet.
    pub fn then(&self, verb: Verb, play: Play) -> &Self {
        self.script().plays.entry(verb).or_default().push_back(play);
        self
    }

    /// Adds a play that answers with a verdict, and with the amount and an id where money moves.
    pub fn says(&self, operation: &Operation, verdict: Verdict) -> &Self {
        self.then(operation.verb(), Play::Answer(told(operation, verdict)))
    }

    /// Runs `change` while the next operation is encoded: after the engine read, and before it writes.
    pub fn meanwhile(&self, change: impl FnOnce() + Send + 'static) {
        self.script().meanwhile = Some(Box::new(change));
    }

    /// Every operation that was encoded, in order, refused ones included.
    pub fn operations(&self) -> Vec<Operation> {
        self.script().operations.clone()
    }

    /// A notification that this channel verifies as exactly this report.
    pub fn notice(&self, report: Report) -> Notice {
        let mut script = self.script();
        script.reports.push(report);
        let mut notice = Notice::new(Bytes::from((script.reports.len() - 1).to_string()));
        *notice.method_mut() = http::Method::POST;
        notice
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        // A test that panicked while holding the script has failed already; the others may go on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sent(&self, ticket: &[u8]) -> Option<Play> {
        let ticket = std::str::from_utf8(ticket).ok()?.parse().ok()?;
        self.script().sent.get(&ticket).cloned()
    }
}

impl Driver for Scripted {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn open(&self, _settings: &Settings, _keyring: &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError> {
        Ok(Arc::new(self.clone()))
    }
}

impl Channel for Scripted {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn encode(&self, operation: &Operation, _cx: &Context<'_>) -> Result<Step, Refusal> {
        let change = self.script().meanwhile.take();
        if let Some(change) = change {
            change();
        }
        let mut script = self.script();
        script.operations.push(operation.clone());
        let next = script.plays.get_mut(&operation.verb()).and_then(VecDeque::pop_front);
        match next.unwrap_or_else(|| Play::Answer(all_well(operation))) {
            Play::Refuse(refusal) => Err(refusal),
            Play::Done(outcome) => Ok(Step::Done(outcome)),
            play => {
                let ticket = script.sent.len() as u64;
                script.sent.insert(ticket, play);
                Ok(Step::send(call(operation, ticket)))
            }
        }
    }

    fn decode(&self, _: &Operation, _: Stage, reply: &Reply, _: &Context<'_>) -> Result<Step, Fault> {
        match self.sent(reply.body()) {
            Some(Play::Answer(outcome)) => Ok(Step::Done(outcome)),
            Some(Play::Fault(fault)) => Err(fault),
            _ => Err(Fault::Unexpected("the reply is not of this script".to_owned())),
        }
    }

    fn confirms(&self) -> bool {
        self.script().confirms
    }

    fn verify(&self, notice: &Notice, _cx: &Context<'_>) -> Result<Verified, Fault> {
        let place = std::str::from_utf8(notice.body()).ok().and_then(|text| text.parse::<usize>().ok());
        let report =
            place.and_then(|place| self.script().reports.get(place).cloned()).ok_or(Fault::Signature)?;
        Ok(Verified { reports: vec![report], reply: http::Response::new(Bytes::from_static(b"ok")) })
    }

    fn reject(&self) -> http::Response<Bytes> {
        let mut reply = http::Response::new(Bytes::from_static(b"refused"));
        *reply.status_mut() = http::StatusCode::BAD_REQUEST;
        reply
    }

    fn parse(&self, _: &mut dyn BufRead, _: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
        Err(Fault::Unsupported)
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: http::Request<Bytes>, _: Duration) -> Result<Reply, TransportError> {
        match self.sent(request.body()) {
            Some(Play::Lose(error)) => Err(error),
            Some(_) => Ok(Reply::new(request.into_body())),
            None => Err(TransportError::Broken("the request is not of this script".to_owned())),
        }
    }
}

fn call(operation: &Operation, ticket: u64) -> Call {
    let effect = match operation.verb() {
        Verb::Query | Verb::QueryRefund | Verb::QueryTransfer | Verb::Close => Effect::None,
        Verb::SignMandate | Verb::QueryMandate | Verb::RevokeMandate => Effect::None,
        _ => Effect::Money,
    };
    let mut request = http::Request::new(Bytes::from(ticket.to_string()));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = http::Uri::from_static("https://scripted.invalid/");
    Call { stage: 0, request, timeout: Duration::from_secs(1), effect, identity: None }
}

fn all_well(operation: &Operation) -> Outcome {
    let verdict = match operation {
        Operation::Pay(pay) if pay.capture == CaptureMode::Manual => Verdict::Authorized,
        Operation::Close(_) | Operation::Void(_) | Operation::RevokeMandate(_) => Verdict::Closed,
        Operation::SignMandate(_) => {
            Verdict::Awaiting(Action::Redirect { url: "https://scripted.invalid/sign".to_owned() })
        }
        _ => Verdict::Succeeded,
    };
    told(operation, verdict)
}

/// The verdict with the id and amount that a channel would name.
fn told(operation: &Operation, verdict: Verdict) -> Outcome {
    let (reference, money) = subject(operation);
    let outcome = Outcome::new(verdict);
    if matches!((operation, &outcome.verdict), (Operation::QueryMandate(_), Verdict::Succeeded)) {
        return outcome.channel_id(format!("scripted-{reference}"));
    }
    match (&outcome.verdict, money) {
        (Verdict::Succeeded | Verdict::Authorized, Some(money)) => {
            outcome.channel_id(format!("scripted-{reference}")).money(money)
        }
        _ => outcome,
    }
}

/// What an operation is about: its reference and amount.
fn subject(operation: &Operation) -> (&str, Option<Money>) {
    match operation {
        Operation::Pay(o) => (&o.reference, Some(o.money)),
        Operation::Query(o) => (&o.payment.reference, Some(o.payment.money)),
        Operation::Close(o) => (&o.payment.reference, Some(o.payment.money)),
        Operation::Capture(o) => (&o.payment.reference, Some(o.money)),
        Operation::Void(o) => (&o.payment.reference, Some(o.payment.money)),
        Operation::Refund(o) => (&o.reference, Some(o.money)),
        Operation::QueryRefund(o) => (&o.reference, Some(o.money)),
        Operation::Transfer(o) => (&o.reference, Some(o.money)),
        Operation::QueryTransfer(o) => (&o.reference, Some(o.money)),
        Operation::SignMandate(o) => (&o.reference, None),
        Operation::QueryMandate(o) => (&o.reference, None),
        Operation::RevokeMandate(o) => (&o.reference, None),
        _ => ("", None),
    }
}

const EVERY_VERB: &[Verb] =
    &[Verb::Pay, Verb::Query, Verb::Capture, Verb::Void, Verb::Refund, Verb::QueryRefund, Verb::Close];

/// What a method that charges by mandates can do.
#[rustfmt::skip]
const BY_MANDATE: &[Verb] = &[
    Verb::Pay, Verb::Query, Verb::Refund, Verb::QueryRefund, Verb::SignMandate, Verb::QueryMandate, Verb::RevokeMandate,
];

/// All but the last.
const NO_CLOSE: &[Verb] = EVERY_VERB.split_at(EVERY_VERB.len() - 1).0;

const fn row(brand: &'static str, scene: &'static str, verbs: &'static [Verb]) -> Capability {
    Capability {
        brand,
        scene,
        currencies: Currencies::Any,
        countries: &[],
        verbs,
        captures: &[CaptureMode::Automatic, CaptureMode::Manual],
        parts_max: 0,
    }
}

static PROFILE: Profile = Profile {
    id: "scripted",
    name: "Scripted",
    name_zh: "脚本渠道",
    capabilities: &[
        row("scripted", "card", EVERY_VERB),
        row("card", "web", EVERY_VERB),
        row("scripted", "qr", EVERY_VERB),
        row("scripted", "page", EVERY_VERB),
        row("scripted", "open", NO_CLOSE),
        Capability { captures: &[CaptureMode::Automatic], ..row("scripted", "mandate", BY_MANDATE) },
    ],
    verbs: &[Verb::Transfer, Verb::QueryTransfer],
    statements: &[],
    units: UnitRule::Minor,
    references: References { min: 1, max: 32 },
    fields: &[Field {
        key: "key",
        kind: FieldKind::Secret,
        required: false,
        label: "Key",
        label_zh: "密钥",
        help: "Not used: the script answers.",
        help_zh: "不使用：由脚本应答。",
    }],
    sources: &["https://github.com/paycore/paycore"],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::{Payment, Query, Subject};
    use crate::currency::Currency;
    use crate::time::{SeededRng, Timestamp};
    use crate::transport::exchange;

    fn query() -> Operation {
        let money = Money::new(100, Currency::CNY);
        let method = "scripted.card".parse().expect("a method");
        let payment = Payment {
            reference: "A1".to_owned(),
            channel_id: None,
            method,
            money,
            started_at: Timestamp::ZERO,
            ending_at: None,
        };
        Operation::Query(Query { payment })
    }

    async fn perform(scripted: &Scripted, operation: &Operation) -> Result<Outcome, Fault> {
        let rng = SeededRng::new(1);
        let cx = Context { now: Timestamp::ZERO, rng: &rng, notify_url: "" };
        let first = scripted.encode(operation, &cx).expect("the script does not refuse");
        exchange(scripted, scripted, operation, first, &cx).await
    }

    #[tokio::test]
    async fn the_plays_of_a_verb_come_in_order_and_then_all_goes_well() {
        let scripted = Scripted::new();
        let fault = Fault::Unexpected("?".to_owned());
        scripted.says(&query(), Verdict::Pending).then(Verb::Query, Play::Fault(fault.clone()));
        scripted.then(Verb::Query, Play::Lose(TransportError::Timeout));
        assert_eq!(perform(&scripted, &query()).await, Ok(Outcome::new(Verdict::Pending)));
        assert_eq!(perform(&scripted, &query()).await, Err(fault));
        assert!(matches!(perform(&scripted, &query()).await, Err(Fault::Transport(_))));
        let well = perform(&scripted, &query()).await.unwrap();
        assert_eq!((well.verdict, well.money), (Verdict::Succeeded, Some(Money::new(100, Currency::CNY))));
        assert_eq!(scripted.operations().len(), 4);
    }

    #[test]
    fn a_notice_says_what_it_was_given_and_others_are_refused() {
        let scripted = Scripted::new();
        let outcome = Outcome::new(Verdict::Closed);
        let report = Report { subject: Subject::Payment, reference: "A1".to_owned(), outcome };
        let rng = SeededRng::new(1);
        let cx = Context { now: Timestamp::ZERO, rng: &rng, notify_url: "" };
        let notice = scripted.notice(report.clone());
        assert_eq!(scripted.verify(&notice, &cx).unwrap().reports, vec![report]);
        assert_eq!(
            scripted.verify(&Notice::new(Bytes::from_static(b"7")), &cx).err(),
            Some(Fault::Signature)
        );
    }
}
