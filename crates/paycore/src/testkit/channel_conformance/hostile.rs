//! Hostile input for one channel: what the fuzz targets feed, and the honest messages they start from.
//!
//! Signatures are believed here, because a fuzzer never finds one: so what it changes gets past the proof and into
//! the reading behind it. That no changed message passes the proof is another case of the suite.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};

use super::Options;
use super::listed::every_operation;
use super::stand::{Failure, Stand, Wiring, currency, query, query_refund, refund, relative};
use crate::channel::simulator::Answer;
use crate::channel::{Capability, Driver, LineKind, Memo, Operation, Stage, Step, Verdict};
use crate::crypto::{Decrypter, Encrypter, KeyError, KeyPair, Keyring, Scheme, Signer, Verifier};
use crate::money::Money;
use crate::secret::Secret;

/// A simulator that has been fed so often is replaced by a fresh one, so that it does not grow for ever.
const MEALS: usize = 256;
/// Steps of one operation, at most.
const STAGES_MAX: usize = 8;

/// What reads the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The adapter, a notification.
    Notice,
    /// The adapter, a reply to one of its calls.
    Reply,
    /// The adapter, a statement file.
    Statement,
    /// The simulator, a request.
    Request,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 4] = [Kind::Notice, Kind::Reply, Kind::Statement, Kind::Request];

    /// Its name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Notice => "notice",
            Kind::Reply => "reply",
            Kind::Statement => "statement",
            Kind::Request => "request",
        }
    }
}

/// One channel and its simulator, to be fed.
pub struct Prey {
    stand: Stand<'static>,
    operations: Vec<Operation>,
    /// What a call left for its reply, by operation and stage.
    memos: BTreeMap<(usize, Stage), Memo>,
    seeds: Vec<(Kind, Vec<u8>)>,
    meals: usize,
}

impl std::fmt::Debug for Prey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prey").field("channel", &self.stand.profile().id).finish_non_exhaustive()
    }
}

impl Prey {
    /// The channel after a walk through everything it claims; `None` where it has no simulator. It lives as long as
    /// the process does.
    ///
    /// # Errors
    /// What kept the walk from its end, as text.
    pub fn new(driver: &'static dyn Driver, keyring: &'static dyn Keyring) -> Result<Option<Prey>, String> {
        let gullible: &'static Gullible = Box::leak(Box::new(Gullible(keyring)));
        let options: &'static Options = Box::leak(Box::default());
        let told = |failure: Failure| format!("{}: {failure:?}", driver.profile().id);
        let Some(wiring) = Wiring::new(driver, gullible).map_err(told)? else { return Ok(None) };
        let wiring: &'static Wiring<'static> = Box::leak(Box::new(wiring));
        let stand = wiring.stand(options).map_err(told)?;
        let mut prey =
            Prey { stand, operations: Vec::new(), memos: BTreeMap::new(), seeds: Vec::new(), meals: 0 };
        for row in prey.stand.profile().capabilities {
            prey.walk(row).map_err(told)?;
        }
        prey.keep_statement();
        Ok(Some(prey))
    }

    /// The channel's id.
    pub fn channel(&self) -> &'static str {
        self.stand.profile().id
    }

    /// Honest messages of a kind, in the form that [`Prey::feed`] takes.
    pub fn seeds(&self, kind: Kind) -> impl Iterator<Item = &[u8]> {
        self.seeds.iter().filter(move |(of, _)| *of == kind).map(|(_, seed)| seed.as_slice())
    }

    /// Lets the channel or its simulator read anything. Whatever it says is right, as long as it says something and
    /// does not contradict itself.
    ///
    /// # Panics
    /// Where it does not, which is what a fuzzer looks for.
    pub fn feed(&mut self, kind: Kind, data: &[u8]) {
        match kind {
            Kind::Notice => {
                if let Some(notice) = read_request(data) {
                    let _ = self.stand.verify(&notice);
                }
            }
            Kind::Reply => self.feed_reply(data),
            Kind::Statement => self.feed_statement(data),
            Kind::Request => {
                if let Some(request) = read_request(data) {
                    let now = self.stand.now();
                    let _ = self.stand.simulator.handle(&request, now);
                    self.digest();
                }
            }
        }
    }

    /// The first byte picks the operation, the second the stage.
    fn feed_reply(&mut self, data: &[u8]) {
        let [operation, stage, rest @ ..] = data else { return };
        let number = usize::from(*operation) % self.operations.len().max(1);
        let (Some(operation), Some(mut reply)) = (self.operations.get(number), read_response(rest)) else {
            return;
        };
        Memo::hand_on(self.memos.get(&(number, stage % 4)).cloned(), &mut reply);
        let _ = self.stand.channel.decode(operation, stage % 4, &reply, &self.stand.cx());
    }

    fn feed_statement(&mut self, mut data: &[u8]) {
        let (mut payments, mut refunds) = (0, 0);
        let parsed = self.stand.channel.parse(&mut data, &mut |line| match line.kind {
            LineKind::Payment => payments += 1,
            LineKind::Refund => refunds += 1,
            _ => {}
        });
        if let Ok(totals) = parsed {
            assert_eq!((totals.payments, totals.refunds), (payments, refunds), "totals and lines");
        }
    }

    fn digest(&mut self) {
        self.meals += 1;
        if self.meals.is_multiple_of(MEALS)
            && let Ok(fresh) = self.stand.fresh_simulator()
        {
            self.stand.simulator = fresh;
        }
    }
}

/// The walk that finds honest messages.
impl Prey {
    fn walk(&mut self, row: &'static Capability) -> Result<(), Failure> {
        let pay = self.stand.pay(row, Money::new(12_34, currency(row)))?;
        let waits = matches!(self.perform(&Operation::Pay(pay.clone())), Some(Verdict::Awaiting(_)));
        self.perform(&query(&pay));
        if waits {
            self.stand.pressed(&pay.reference, "pay")?;
        }
        self.perform(&query(&pay));
        let given = refund(&pay, self.stand.reference(), 1_00);
        self.perform(&query_refund(&given));
        self.perform(&Operation::Refund(given.clone()));
        self.perform(&query_refund(&given));
        let reference = self.stand.reference();
        for operation in every_operation(&mut self.stand, row, &reference)? {
            self.perform(&operation);
        }
        for notification in self.stand.due() {
            self.seeds.push((Kind::Notice, write_request(&notification.request)));
        }
        Ok(())
    }

    /// Performs an operation as far as it goes and keeps every message of it.
    fn perform(&mut self, operation: &Operation) -> Option<Verdict> {
        let number = u8::try_from(self.operations.len()).ok()?;
        self.operations.push(operation.clone());
        let mut step = self.stand.channel.encode(operation, &self.stand.cx()).ok()?;
        for _ in 0..STAGES_MAX {
            let call = match step {
                Step::Send(call) => call,
                Step::Done(outcome) => return Some(outcome.verdict),
                Step::File(file) => {
                    self.seeds.push((Kind::Statement, file.to_vec()));
                    return None;
                }
            };
            if let Some(request) = relative(&call.request) {
                self.seeds.push((Kind::Request, write_request(&request)));
            }
            let reply = self.stand.send(&call.request)?;
            if let Some(memo) = reply.extensions().get::<Memo>() {
                self.memos.insert((number.into(), call.stage), memo.clone());
            }
            let seed = [&[number, call.stage], write_response(&reply).as_slice()].concat();
            self.seeds.push((Kind::Reply, seed));
            step = self.stand.channel.decode(operation, call.stage, &reply, &self.stand.cx()).ok()?;
        }
        None
    }

    fn keep_statement(&mut self) {
        let now = self.stand.now();
        let day = std::time::Duration::from_secs(24 * 3_600);
        if let Some(file) = self.stand.simulator.statement(now.minus(day), now.plus(day)) {
            self.seeds.push((Kind::Statement, file.to_vec()));
        }
        // What a payer's browser asks for.
        let page = Request::get("/payer/R1").body(Bytes::new());
        if let Ok(page) = page
            && let Answer::Reply(_) = self.stand.simulator.handle(&page, now)
        {
            self.seeds.push((Kind::Request, write_request(&page)));
        }
    }
}

fn write_request(request: &Request<Bytes>) -> Vec<u8> {
    let first = format!("{} {}", request.method(), request.uri());
    write(&first, request.headers(), request.body())
}

fn write_response(response: &Response<Bytes>) -> Vec<u8> {
    write(response.status().as_str(), response.headers(), response.body())
}

fn write(first: &str, headers: &http::HeaderMap, body: &[u8]) -> Vec<u8> {
    let mut text = first.as_bytes().to_vec();
    for (name, value) in headers {
        text.extend_from_slice(b"\n");
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
    }
    text.extend_from_slice(b"\n\n");
    text.extend_from_slice(body);
    text
}

/// The first line, the headers that are headers, the body.
fn read(data: &[u8]) -> Option<(&str, http::HeaderMap, Bytes)> {
    let end = data.windows(2).position(|pair| pair == b"\n\n")?;
    let (head, body) = (&data[..end], &data[end + 2..]);
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let mut headers = http::HeaderMap::new();
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        headers.try_append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?).ok()?;
    }
    Some((first, headers, Bytes::copy_from_slice(body)))
}

fn read_request(data: &[u8]) -> Option<Request<Bytes>> {
    let (first, headers, body) = read(data)?;
    let (method, uri) = first.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(uri).body(body).ok()?;
    *request.headers_mut() = headers;
    Some(request)
}

fn read_response(data: &[u8]) -> Option<Response<Bytes>> {
    let (first, headers, body) = read(data)?;
    let mut response = Response::builder().status(first).body(body).ok()?;
    *response.headers_mut() = headers;
    Some(response)
}

/// Keys that work, but whose verifiers believe everything.
struct Gullible(&'static dyn Keyring);

struct Believer;

impl Verifier for Believer {
    fn verify(&self, _: Scheme, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

impl Keyring for Gullible {
    fn shared(&self) -> Arc<dyn Keyring> {
        Arc::new(Gullible(self.0))
    }
    fn signer(&self, key: &Secret) -> Result<Box<dyn Signer>, KeyError> {
        self.0.signer(key)
    }
    fn verifier(&self, key: &str) -> Result<Box<dyn Verifier>, KeyError> {
        self.0.verifier(key).map(|_| -> Box<dyn Verifier> { Box::new(Believer) })
    }
    fn encrypter(&self, key: &str) -> Result<Box<dyn Encrypter>, KeyError> {
        self.0.encrypter(key)
    }
    fn decrypter(&self, key: &Secret) -> Result<Box<dyn Decrypter>, KeyError> {
        self.0.decrypter(key)
    }
    fn legacy_verifier(&self, key: &str) -> Result<Box<dyn Verifier>, KeyError> {
        self.0.legacy_verifier(key).map(|_| -> Box<dyn Verifier> { Box::new(Believer) })
    }
    fn generate(&self) -> Result<KeyPair, KeyError> {
        self.0.generate()
    }
    fn generate_sm2(&self) -> Result<KeyPair, KeyError> {
        self.0.generate_sm2()
    }
}
