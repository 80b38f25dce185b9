//! One channel account and its simulator on an in-memory wire, with a clock that only the case moves.

use std::fmt::{Debug, Display, Write as _};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method as HttpMethod, Request, Response, Uri};

use super::Options;
use crate::channel::card::Usage;
use crate::channel::simulator::{Answer, BookLine, Maker, Notification, Provision, Simulator};
use crate::channel::{
    Action, Capability, CaptureMode, Card, Channel, Context, Driver, Expiry, Fault, Memo, Method, Operation,
    Outcome, Pay, Payer, Payment, Profile, Query, QueryMandate, QueryRefund, Refund, Refusal, Report,
    Settings, SignMandate, SigningScene, Step, Subject, Verdict, Verified,
};
use crate::crypto::Keyring;
use crate::currency::Currency;
use crate::money::Money;
use crate::secret::Secret;
use crate::time::{Clock, ManualClock, Rng, SeededRng, Timestamp};

pub(super) const BASE_URL: &str = "https://simulator.invalid/sandbox/1";
pub(super) const NOTIFY_URL: &str = "https://merchant.invalid/notify/cha_1";
/// 22 November 2025, 23:58:41 UTC: a Beijing day that is already the next.
const START: Timestamp = Timestamp::from_secs(1_763_855_921);
const STAGES_MAX: usize = 8;

/// Why a case stops.
#[derive(Debug)]
pub(super) enum Failure {
    /// Something did not hold.
    Broken(String),
    /// The channel does not claim it.
    NotClaimed,
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Failure::Broken(why)
    }
}

/// Why an operation has no outcome.
#[derive(Debug)]
pub(super) enum Trouble {
    Refused(Refusal),
    Fault(Fault),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Trouble::Refused(refusal)
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Trouble::Fault(fault)
    }
}

/// What all stands of a channel share: two provisioned accounts, ours and a stranger's.
pub(super) struct Wiring<'a> {
    driver: &'a dyn Driver,
    keyring: &'a dyn Keyring,
    maker: &'static dyn Maker,
    provision: Provision,
    stranger: Provision,
}

impl<'a> Wiring<'a> {
    pub(super) fn new(driver: &'a dyn Driver, keyring: &'a dyn Keyring) -> Result<Option<Self>, Failure> {
        let Some(maker) = driver.simulator() else { return Ok(None) };
        let provide = |seed| {
            let made = maker.provision(BASE_URL, keyring, &SeededRng::new(seed));
            made.map_err(|error| format!("provision: {error}"))
        };
        let (provision, stranger) = (provide(1)?, provide(2)?);
        Ok(Some(Wiring { driver, keyring, maker, provision, stranger }))
    }

    pub(super) fn stand(&self, options: &'a Options) -> Result<Stand<'_>, Failure> {
        self.stand_of(&self.provision, options)
    }

    fn stand_of(&self, provision: &Provision, options: &'a Options) -> Result<Stand<'_>, Failure> {
        let channel = self.driver.open(&provision.ours, self.keyring).map_err(|error| error.to_string())?;
        let simulator = self.simulator(provision)?;
        let (clock, rng) = (ManualClock::new(START), SeededRng::new(options.seed));
        let (checks, references, mandate) = (0, 0, None);
        Ok(Stand { wiring: self, options, channel, simulator, clock, rng, checks, references, mandate })
    }

    fn simulator(&self, provision: &Provision) -> Result<Box<dyn Simulator>, Failure> {
        Ok(self.maker.open(&provision.theirs, self.keyring).map_err(|error| format!("simulator: {error}"))?)
    }
}

/// A channel account, its simulator and a clock.
pub(super) struct Stand<'a> {
    wiring: &'a Wiring<'a>,
    pub(super) options: &'a Options,
    pub(super) channel: Arc<dyn Channel>,
    pub(super) simulator: Box<dyn Simulator>,
    clock: ManualClock,
    rng: SeededRng,
    /// How many things held so far.
    pub(super) checks: usize,
    references: u64,
    /// The channel's id of the mandate that payments are charged by, once it is signed.
    mandate: Option<String>,
}

/// Checks.
impl Stand<'_> {
    /// Counts a check and stops the case unless it holds.
    pub(super) fn ensure(&mut self, holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Failure> {
        if !holds {
            return Err(Failure::Broken(otherwise()));
        }
        self.checks += 1;
        Ok(())
    }

    pub(super) fn same<T: PartialEq + Debug>(
        &mut self,
        what: &str,
        left: T,
        right: T,
    ) -> Result<(), Failure> {
        let holds = left == right;
        self.ensure(holds, || format!("{what}: {left:?} instead of {right:?}"))
    }

    /// The outcome of an operation that has to have one.
    pub(super) fn outcome(&mut self, operation: &Operation) -> Result<Outcome, Failure> {
        let performed = self.perform(operation);
        performed.map_err(|trouble| Failure::Broken(format!("{:?}: {trouble:?}", operation.verb())))
    }

    /// Performs an operation and checks its verdict.
    pub(super) fn says(&mut self, operation: &Operation, verdict: &Verdict) -> Result<Outcome, Failure> {
        let outcome = self.outcome(operation)?;
        self.same(&format!("{:?}", operation.verb()), &outcome.verdict, verdict)?;
        Ok(outcome)
    }

    /// The provider's book holds exactly these amounts: payments, then refunds.
    pub(super) fn books(&mut self, payments: &[i64], refunds: &[i64]) -> Result<(), Failure> {
        let book = self.simulator.book();
        let amounts = |is_refund: bool| -> Vec<i64> {
            book.iter()
                .filter(|line| line.refund.is_some() == is_refund)
                .map(|line| line.money.minor())
                .collect()
        };
        self.same("payments in the book", amounts(false), payments.to_vec())?;
        self.same("refunds in the book", amounts(true), refunds.to_vec())
    }
}

/// The account and its surroundings.
impl<'a> Stand<'a> {
    pub(super) fn profile(&self) -> &'static Profile {
        self.channel.profile()
    }

    /// How many notifications of a payment of this kind arrive where a channel that notifies sends `count`.
    pub(super) fn notices(&self, row: &Capability, count: usize) -> usize {
        if self.wiring.driver.notifies(row) { count } else { 0 }
    }

    pub(super) fn signs_replies(&self) -> bool {
        self.wiring.driver.signs_replies()
    }

    pub(super) fn settings(&self) -> &'a Settings {
        &self.wiring.provision.ours
    }

    pub(super) fn open(
        &self,
        settings: &Settings,
    ) -> Result<Arc<dyn Channel>, crate::channel::SettingsError> {
        self.wiring.driver.open(settings, self.wiring.keyring)
    }

    /// Another merchant's account with the same channel.
    pub(super) fn stranger(&self) -> Result<Stand<'a>, Failure> {
        self.wiring.stand_of(&self.wiring.stranger, self.options)
    }

    /// A simulator of the same account that knows nothing yet.
    pub(super) fn fresh_simulator(&self) -> Result<Box<dyn Simulator>, Failure> {
        self.wiring.simulator(&self.wiring.provision)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(super) fn cx(&self) -> Context<'_> {
        Context { now: self.clock.now(), rng: &self.rng, notify_url: NOTIFY_URL }
    }

    /// A number below `bound`, for sampled positions.
    pub(super) fn pick(&self, bound: usize) -> usize {
        let mut random = [0u8; 8];
        self.rng.fill(&mut random);
        usize::try_from(u64::from_be_bytes(random) % bound.max(1) as u64).unwrap_or(0)
    }

    /// Positions below `count`: all of them, or about `sample` spread over all.
    pub(super) fn positions(&self, count: usize, sample: usize) -> impl Iterator<Item = usize> + use<> {
        let stride = if self.options.exhaustive { 1 } else { (count / sample).max(1) };
        (self.pick(stride)..count).step_by(stride)
    }
}

/// Operations.
impl Stand<'_> {
    /// A new reference that fits the channel.
    pub(super) fn reference(&mut self) -> String {
        self.references += 1;
        let rule = self.profile().references;
        let width = 26_usize.clamp(rule.min, rule.max);
        format!("R{:0width$}", self.references, width = width.saturating_sub(1))
    }

    pub(super) fn pay(&mut self, capability: &Capability, money: Money) -> Result<Pay, Failure> {
        let mandate = self.mandate(capability)?;
        Ok(Pay {
            reference: self.reference(),
            started_at: self.now(),
            money,
            method: method(capability)?,
            subject: "Tea & 茶 <1>".to_owned(),
            description: None,
            return_url: Some("https://merchant.invalid/thanks".to_owned()),
            expires_at: Some(self.now().plus(Duration::from_secs(3_600 * 24))),
            capture: CaptureMode::Automatic,
            payer: Payer {
                id: Some("payer-1".to_owned()),
                ip: Some("203.0.113.7".to_owned()),
                auth_code: Some(auth_code(capability.brand).to_owned()),
            },
            shared: false,
            parts: Vec::new(),
            card: card(capability),
            mandate,
        })
    }

    /// The mandate to charge by, signed by the payer before the first charge, for kinds of payment that need one.
    fn mandate(&mut self, capability: &Capability) -> Result<Option<String>, Failure> {
        if self.mandate.is_some() || !method(capability)?.by_mandate() {
            return Ok(self.mandate.clone());
        }
        let sign = sign_mandate(capability, self.reference(), self.now())?;
        let Verdict::Awaiting(action) = self.outcome(&Operation::SignMandate(sign.clone()))?.verdict else {
            return Err(Failure::Broken("the payer has nothing to sign".to_owned()));
        };
        let page = self.visit(&action)?;
        self.ensure(page.is_some_and(|page| page.status().as_u16() < 400), || {
            format!("the payer cannot open {action:?}")
        })?;
        self.press(&sign.reference, "sign")?;
        let signed = self.says(&query_mandate(&sign), &Verdict::Succeeded)?;
        for report in self.reports()? {
            self.same("what is told of it", report.subject, Subject::Mandate)?;
            self.same("reference", &report.reference, &sign.reference)?;
            self.same("verdict", report.outcome.verdict, Verdict::Succeeded)?;
            self.same("the mandate's id", &report.outcome.channel_id, &signed.channel_id)?;
        }
        self.ensure(signed.channel_id.is_some(), || "a mandate without an id".to_owned())?;
        self.mandate.clone_from(&signed.channel_id);
        Ok(signed.channel_id)
    }

    pub(super) fn perform(&mut self, operation: &Operation) -> Result<Outcome, Trouble> {
        let mut step = self.channel.encode(operation, &self.cx())?;
        for _ in 0..STAGES_MAX {
            let call = match step {
                Step::Done(outcome) => return Ok(outcome),
                Step::File(_) => return Err(Fault::Unexpected("a file is no outcome".to_owned()).into()),
                Step::Send(call) => call,
            };
            let reply = self.send(&call.request).ok_or(Fault::Transport("no answer".to_owned()))?;
            step = self.channel.decode(operation, call.stage, &reply, &self.cx())?;
        }
        Err(Trouble::Fault(Fault::Unexpected("the operation has no end".to_owned())))
    }

    /// Fetches a statement file.
    pub(super) fn fetch(&mut self, operation: &Operation) -> Result<Bytes, Trouble> {
        let mut step = self.channel.encode(operation, &self.cx())?;
        for _ in 0..STAGES_MAX {
            let call = match step {
                Step::Done(_) => return Err(Fault::Unexpected("no file".to_owned()).into()),
                Step::File(file) => return Ok(file),
                Step::Send(call) => call,
            };
            let reply = self.send(&call.request).ok_or(Fault::Transport("no answer".to_owned()))?;
            step = self.channel.decode(operation, call.stage, &reply, &self.cx())?;
        }
        Err(Trouble::Fault(Fault::Unexpected("the operation has no end".to_owned())))
    }

    /// Hands a request to the simulator; `None` when it stays silent or is not the one addressed.
    pub(super) fn send(&mut self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let relative = relative(request)?;
        match self.simulator.handle(&relative, self.now()) {
            Answer::Reply(mut reply) => {
                Memo::hand_on(request.extensions().get().cloned(), &mut reply);
                Some(reply)
            }
            Answer::Silence => None,
        }
    }

    /// Starts a payment and, where the payer has something to do, opens what the payer was given.
    pub(super) fn start(&mut self, pay: &Pay) -> Result<Verdict, Failure> {
        let outcome = self.outcome(&Operation::Pay(pay.clone()))?;
        if let Verdict::Awaiting(action) = &outcome.verdict {
            let page = self.visit(action)?;
            let opened =
                page.is_some_and(|page| page.status().is_success() || page.status().is_redirection());
            self.ensure(opened, || format!("the payer cannot open {action:?}"))?;
        }
        Ok(outcome.verdict)
    }

    /// Starts a payment and lets the payer pay it.
    pub(super) fn paid(&mut self, capability: &Capability, money: Money) -> Result<Pay, Failure> {
        let pay = self.pay(capability, money)?;
        if let Verdict::Awaiting(_) = self.start(&pay)? {
            self.press(&pay.reference, "pay")?;
        }
        Ok(pay)
    }

    /// The payer's browser opens what an action says; `None` when the simulator stays silent.
    pub(super) fn visit(&mut self, action: &Action) -> Result<Option<Response<Bytes>>, Failure> {
        let (method, url, body) = match action {
            Action::Redirect { url } | Action::Qr { content: url } => (HttpMethod::GET, url, String::new()),
            Action::Form { url, fields } => (HttpMethod::POST, url, form(fields)),
            // There is no page: the wallet's own client shows the payment.
            Action::Client { parameters } => {
                return match self.simulator.client(parameters, self.now()) {
                    None => Ok(Some(Response::new(Bytes::new()))),
                    Some(Answer::Reply(page)) => Ok(Some(page)),
                    Some(Answer::Silence) => Ok(None),
                };
            }
        };
        let target = below_base(url).ok_or_else(|| format!("the payer is sent elsewhere: {url}"))?;
        let mut request = Request::new(Bytes::from(body));
        if method == HttpMethod::POST {
            let kind = http::HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers_mut().insert(http::header::CONTENT_TYPE, kind);
        }
        (*request.method_mut(), *request.uri_mut()) = (method, target);
        match self.simulator.handle(&request, self.now()) {
            Answer::Reply(page) => Ok(Some(page)),
            Answer::Silence => Ok(None),
        }
    }

    /// The payer presses `pay` or `cancel`, and the page says that it is done.
    pub(super) fn press(&mut self, reference: &str, button: &str) -> Result<(), Failure> {
        let status = self.pressed(reference, button)?;
        self.ensure(status < 400, || format!("the button {button} answers {status}"))
    }

    /// The payer presses a button; the status of the page that follows, whatever it says.
    pub(super) fn pressed(&mut self, reference: &str, button: &str) -> Result<u16, Failure> {
        let path = format!("/payer/{reference}/{button}");
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = HttpMethod::POST;
        *request.uri_mut() = path.parse().map_err(|_| format!("{path} is not a path"))?;
        match self.simulator.handle(&request, self.now()) {
            Answer::Reply(page) => Ok(page.status().as_u16()),
            Answer::Silence => Err(Failure::Broken(format!("POST {path} is not answered"))),
        }
    }

    pub(super) fn lines_of(&self, reference: &str) -> Vec<BookLine> {
        self.simulator.book().into_iter().filter(|line| line.reference == reference).collect()
    }
}

/// Notifications.
impl Stand<'_> {
    pub(super) fn due(&mut self) -> Vec<Notification> {
        self.simulator.due(self.clock.now())
    }

    pub(super) fn verify(&self, notice: &Request<Bytes>) -> Result<Verified, Fault> {
        self.channel.verify(notice, &self.cx())
    }

    /// Everything that is due now, verified, acknowledged and as reports.
    pub(super) fn reports(&mut self) -> Result<Vec<Report>, Failure> {
        let mut reports = Vec::new();
        for notification in self.due() {
            let verified =
                self.verify(&notification.request).map_err(|fault| format!("notification: {fault}"))?;
            reports.extend(verified.reports);
            self.simulator.notified(notification.id, Some(&verified.reply), self.clock.now());
        }
        Ok(reports)
    }
}

pub(super) fn method(capability: &Capability) -> Result<Method, Failure> {
    let text = format!("{}.{}", capability.brand, capability.scene);
    Ok(text.parse().map_err(|_| format!("{text} is not a method"))?)
}

/// A mandate that is begun where the payer's browser can sign it.
pub(super) fn sign_mandate(
    capability: &Capability,
    reference: String,
    started_at: Timestamp,
) -> Result<SignMandate, Failure> {
    Ok(SignMandate {
        reference,
        started_at,
        method: method(capability)?,
        scene: SigningScene::Jsapi,
        subject: "payer-1".to_owned(),
        return_url: Some("https://merchant.invalid/thanks".to_owned()),
        payer: Payer { ip: Some("203.0.113.7".to_owned()), ..Payer::default() },
    })
}

/// The question what became of it, its channel id not being known.
pub(super) fn query_mandate(sign: &SignMandate) -> Operation {
    Operation::QueryMandate(QueryMandate {
        reference: sign.reference.clone(),
        channel_id: None,
        method: sign.method.clone(),
        started_at: sign.started_at,
    })
}

/// The card for kinds of payment that take one.
fn card(capability: &Capability) -> Option<Box<Card>> {
    let takes_card = method(capability).is_ok_and(|method| method.takes_card());
    let expiry = Expiry { year: 2030, month: 12 };
    let card = Card::new(Secret::new("4242424242424242"), expiry, Usage::Typed { keep: false });
    takes_card.then(|| Box::new(card.cvc(Some(Secret::new("123")))))
}

/// What a payer's wallet of this brand shows as a barcode.
fn auth_code(brand: &str) -> &'static str {
    match brand {
        "alipay" => "281234567890123456",
        "unionpay" => "6212345678901234567",
        "qq" => "911234567890123456",
        _ => "134500000000000001",
    }
}

/// A currency of the capability: CNY where it takes it.
pub(super) fn currency(capability: &Capability) -> Currency {
    capability.currencies.usual()
}

pub(super) fn query(pay: &Pay) -> Operation {
    Operation::Query(Query { payment: payment(pay) })
}

/// What the operations after a payment say of it, its channel id not being known.
pub(super) fn payment(pay: &Pay) -> Payment {
    Payment {
        reference: pay.reference.clone(),
        channel_id: None,
        method: pay.method.clone(),
        money: pay.money,
        started_at: pay.started_at,
        ending_at: (pay.capture == CaptureMode::Manual).then_some(pay.started_at),
    }
}

pub(super) fn refund(pay: &Pay, reference: String, minor: i64) -> Refund {
    Refund {
        reference,
        started_at: pay.started_at,
        payment: payment(pay),
        part: None,
        captured: pay.money,
        money: Money::new(minor, pay.money.currency()),
        reason: Some("returned".to_owned()),
    }
}

pub(super) fn query_refund(refund: &Refund) -> Operation {
    Operation::QueryRefund(QueryRefund {
        reference: refund.reference.clone(),
        channel_id: None,
        started_at: refund.started_at,
        payment: refund.payment.clone(),
        money: refund.money,
    })
}

/// A request as the simulator sees it; `None` where it is not the one addressed.
pub(super) fn relative(request: &Request<Bytes>) -> Option<Request<Bytes>> {
    let mut relative = request.clone();
    *relative.uri_mut() = below_base(&request.uri().to_string())?;
    Some(relative)
}

/// The part of an address below the simulator's base URL.
fn below_base(url: &str) -> Option<Uri> {
    url.strip_prefix(BASE_URL).filter(|rest| rest.starts_with('/'))?.parse().ok()
}

fn form(fields: &[(String, String)]) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        let separator = if body.is_empty() { "" } else { "&" };
        // Writing into a String cannot fail.
        let _ = write!(body, "{separator}{}={}", escaped(name), escaped(value));
    }
    body
}

fn escaped(text: &str) -> impl Display {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            safe.push(char::from(byte));
        } else {
            let _ = write!(safe, "%{byte:02X}");
        }
    }
    safe
}
