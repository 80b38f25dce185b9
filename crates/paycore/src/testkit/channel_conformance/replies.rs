//! Replies that were damaged on their way, or belong to something else.

use std::mem::discriminant;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};

use super::listed::operations;
use super::stand::{Failure, Stand, currency, query};
use crate::channel::{Fault, Operation, Stage, Step, Verdict};
use crate::money::Money;

/// One operation, the true reply to its first call, and what that reply means.
struct Sample {
    operation: Operation,
    stage: Stage,
    reply: Response<Bytes>,
    truth: Result<Step, Fault>,
}

pub(super) fn damaged(stand: &mut Stand<'_>) -> Result<(), Failure> {
    for sample in samples(stand)? {
        let reply = &sample.reply;
        let believed = matches!(sample.truth, Ok(Step::Done(_)));
        stand.ensure(believed, || format!("the true reply is not understood: {:?}", sample.truth))?;
        for length in stand.positions(reply.body().len(), 200) {
            sample.check(
                stand,
                &format!("cut at {length}"),
                with_body(reply, reply.body().slice(..length)),
            )?;
        }
        for bit in stand.positions(reply.body().len() * 8, 400) {
            let flipped = flip(reply.body(), bit);
            sample.check(stand, &format!("bit {bit} flipped"), with_body(reply, flipped))?;
        }
        for (what, reply) in strange(reply) {
            sample.check(stand, &what, reply)?;
        }
        for (what, reply) in headers_damaged(stand, reply) {
            sample.check(stand, &what, reply)?;
        }
    }
    Ok(())
}

/// The reply about one payment, taken for the reply about another.
pub(super) fn swapped(stand: &mut Stand<'_>) -> Result<(), Failure> {
    for row in stand.profile().capabilities {
        let money = Money::new(12_34, currency(row));
        let (one, other) = (stand.paid(row, money)?, stand.paid(row, money)?);
        let Ok(Step::Send(call)) = stand.channel.encode(&query(&one), &stand.cx()) else { continue };
        let Some(reply) = stand.send(&call.request) else { continue };
        let read = stand.channel.decode(&query(&other), call.stage, &reply, &stand.cx());
        stand.ensure(read.is_err(), || format!("the reply about {} gives {read:?}", one.reference))?;
    }
    Ok(())
}

impl Sample {
    /// A damaged reply is a fault, or says exactly what the true reply says. Where replies carry no signature, it says at
    /// least nothing else about the money.
    fn check(&self, stand: &mut Stand<'_>, what: &str, reply: Response<Bytes>) -> Result<(), Failure> {
        let read = stand.channel.decode(&self.operation, self.stage, &reply, &stand.cx());
        let harmless = match (&read, &self.truth) {
            (Err(_), _) => true,
            (Ok(Step::Done(read)), Ok(Step::Done(truth))) if stand.signs_replies() => read == truth,
            (Ok(Step::Done(read)), Ok(Step::Done(truth))) => {
                discriminant(&read.verdict) == discriminant(&truth.verdict) && read.money == truth.money
            }
            (Ok(_), _) => false,
        };
        let verb = self.operation.verb();
        stand.ensure(harmless, || format!("{verb:?} reply, {what}: {read:?} instead of {:?}", self.truth))
    }
}

/// A true reply for every verb of every capability, to a payment that exists.
fn samples(stand: &mut Stand<'_>) -> Result<Vec<Sample>, Failure> {
    let mut samples = Vec::new();
    for row in stand.profile().capabilities {
        let reference = stand.reference();
        let mut all = operations(stand, row, &reference)?;
        // The payment first, then queries before the calls that change it.
        all.sort_by_key(|operation| !matches!(operation, Operation::Pay(_)));
        for operation in all {
            if let Operation::Pay(_) = operation {
                samples.extend(sample(stand, &operation)?);
                if let Ok(outcome) = stand.perform(&operation)
                    && let Verdict::Awaiting(action) = &outcome.verdict
                {
                    stand.visit(action)?;
                    stand.press(&reference, "pay")?;
                }
                continue;
            }
            samples.extend(sample(stand, &operation)?);
        }
    }
    // Definite answers only: the others have nothing that damage could change into.
    samples.retain(|sample| matches!(sample.truth, Ok(Step::Done(_))));
    Ok(samples)
}

fn sample(stand: &mut Stand<'_>, operation: &Operation) -> Result<Option<Sample>, Failure> {
    let step = stand.channel.encode(operation, &stand.cx());
    let call = match step {
        Ok(Step::Send(call)) => call,
        Ok(Step::Done(_) | Step::File(_)) => return Ok(None),
        Err(refusal) => return Err(Failure::Broken(format!("{:?}: {refusal}", operation.verb()))),
    };
    let Some(reply) = stand.send(&call.request) else { return Ok(None) };
    let truth = stand.channel.decode(operation, call.stage, &reply, &stand.cx());
    Ok(Some(Sample { operation: operation.clone(), stage: call.stage, reply, truth }))
}

fn with_body(reply: &Response<Bytes>, body: Bytes) -> Response<Bytes> {
    let mut changed = reply.clone();
    *changed.body_mut() = body;
    changed
}

pub(super) fn flip(bytes: &Bytes, bit: usize) -> Bytes {
    let mut flipped = bytes.to_vec();
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped.into()
}

/// What proxies, gateways and broken servers answer.
fn strange(reply: &Response<Bytes>) -> Vec<(String, Response<Bytes>)> {
    let page = Bytes::from_static(b"<!doctype html><html><body><h1>Success</h1></body></html>");
    let bodies = [
        ("HTML", page),
        ("empty", Bytes::new()),
        ("null", Bytes::from_static(b"null")),
        ("{}", Bytes::from_static(b"{}")),
        ("[]", Bytes::from_static(b"[]")),
        ("zeros", Bytes::from_static(&[0; 64])),
        ("not UTF-8", Bytes::from_static(b"{\"status\":\"\xff\xfe\"}")),
        ("deep", Bytes::from("[".repeat(100_000))),
    ];
    let mut replies = Vec::new();
    for status in [200, 201, 204, 301, 400, 401, 403, 404, 409, 429, 500, 502, 503, 504] {
        let Ok(status) = StatusCode::from_u16(status) else { continue };
        for (name, body) in &bodies {
            let mut bare = Response::new(body.clone());
            *bare.status_mut() = status;
            let mut dressed = with_body(reply, body.clone());
            *dressed.status_mut() = status;
            replies.push((format!("{status} {name} without headers"), bare));
            replies.push((format!("{status} {name}"), dressed));
        }
        let mut same_body = reply.clone();
        *same_body.status_mut() = status;
        replies.push((format!("{status} with the true body"), same_body));
    }
    for kind in ["text/html", "application/xml", "application/octet-stream"] {
        let mut mistyped = reply.clone();
        mistyped.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        replies.push((format!("as {kind}"), mistyped));
    }
    let doubled = [reply.body().as_ref(), reply.body().as_ref()].concat();
    replies.push(("body twice".to_owned(), with_body(reply, doubled.into())));
    replies
}

/// Each header lost, empty, doubled or with a flipped bit.
fn headers_damaged(stand: &Stand<'_>, reply: &Response<Bytes>) -> Vec<(String, Response<Bytes>)> {
    let mut replies = Vec::new();
    for (name, value) in reply.headers() {
        let changed = |value: Option<HeaderValue>| {
            let mut changed = reply.clone();
            changed.headers_mut().remove(name);
            changed.headers_mut().extend(value.map(|value| (name.clone(), value)));
            changed
        };
        replies.push((format!("without {name}"), changed(None)));
        replies.push((format!("with empty {name}"), changed(Some(HeaderValue::from_static("")))));
        let mut doubled = reply.clone();
        doubled.headers_mut().append(name.clone(), value.clone());
        replies.push((format!("with {name} twice"), doubled));
        let bytes = Bytes::copy_from_slice(value.as_bytes());
        for bit in stand.positions(bytes.len() * 8, 40) {
            if let Ok(flipped) = HeaderValue::from_bytes(&flip(&bytes, bit)) {
                replies.push((format!("with bit {bit} of {name} flipped"), changed(Some(flipped))));
            }
        }
    }
    replies
}
