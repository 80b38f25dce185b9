//! Operations into signed requests.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method as HttpMethod, Request};
use paycore::channel::card::{Card, Expiry, Usage};
use paycore::channel::{
    Call, CaptureMode, Channel, Close, Context, Effect, Initiator, Operation, Pay, Query, Refusal, Step, Void,
};
use paycore::money::Money;
use serde::Serialize;

use crate::dialect::card::wanted;

use super::config::{ACCOUNT, Account, NONCE, Route, SIGNATURE, SIGNATURE_LEN, TIMESTAMP, hex};

const MONEY_TIMEOUT: Duration = Duration::from_secs(15);
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);
const REFERENCE_MAX: usize = 32;
const SUBJECT_MAX: usize = 127;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(super) fn encode(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    let (route, reference) = target(operation).ok_or(Refusal::Unsupported("this operation"))?;
    fits("reference", reference)?;
    let mut body = Body { reference, ..Body::default() };
    match operation {
        Operation::Pay(pay) => return pay_call(account, pay, cx),
        Operation::Query(Query { payment })
        | Operation::Close(Close { payment })
        | Operation::Void(Void { payment }) => body.id = payment.channel_id.as_deref(),
        Operation::Capture(capture) => {
            body.id = capture.payment.channel_id.as_deref();
            body.take(capture.money, capture.payment.money)?;
        }
        Operation::Refund(refund) => {
            body.payment_reference = Some(fits("payment.reference", &refund.payment.reference)?);
            body.take(refund.money, refund.captured)?;
            body.reason = refund.reason.as_deref();
            body.notify_url = Some(cx.notify_url);
        }
        Operation::QueryRefund(query) => {
            body.payment_reference = Some(fits("payment.reference", &query.payment.reference)?);
        }
        _ => return Err(Refusal::Unsupported("this operation")),
    }
    send(account, route, &body, cx)
}

/// The call of an operation and the reference that it, and its answer, are about.
pub(super) fn target(operation: &Operation) -> Option<(Route, &str)> {
    Some(match operation {
        Operation::Pay(pay) => (Route::Charges, &pay.reference),
        Operation::Query(query) => (Route::Query, &query.payment.reference),
        Operation::Close(close) => (Route::Close, &close.payment.reference),
        Operation::Capture(capture) => (Route::Capture, &capture.payment.reference),
        Operation::Void(void) => (Route::Void, &void.payment.reference),
        Operation::Refund(refund) => (Route::Refunds, &refund.reference),
        Operation::QueryRefund(query) => (Route::RefundQuery, &query.reference),
        _ => return None,
    })
}

fn pay_call(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    let capability = account
        .profile()
        .capability(&pay.method, pay.money.currency())
        .ok_or(Refusal::Unsupported("this method or currency"))?;
    if !capability.captures.contains(&pay.capture) {
        return Err(Refusal::Unsupported("this capture mode for the method"));
    }
    positive(pay.money)?;
    if pay.subject.chars().count() > SUBJECT_MAX {
        return Err(Refusal::Parameter { param: "subject", detail: "at most 127 characters".into() });
    }
    let card = wanted(pay)?.map(CardBody::of);
    let body = ChargeBody {
        reference: &pay.reference,
        method: if card.is_some() { "card" } else { pay.method.scene() },
        amount: pay.money.minor(),
        currency: pay.money.currency().code(),
        capture: match pay.capture {
            CaptureMode::Automatic => "automatic",
            CaptureMode::Manual => "manual",
        },
        subject: &pay.subject,
        description: pay.description.as_deref(),
        return_url: pay.return_url.as_deref(),
        notify_url: cx.notify_url,
        expires_at: pay.expires_at.map(|at| at.millis()),
        card,
    };
    send(account, Route::Charges, &body, cx)
}

/// The body that starts a payment.
#[derive(Serialize)]
struct ChargeBody<'a> {
    reference: &'a str,
    method: &'a str,
    amount: i64,
    currency: &'static str,
    capture: &'static str,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<&'a str>,
    notify_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<CardBody<'a>>,
}

/// The card of a payment, in clear on the wire and nowhere else.
#[derive(Serialize)]
struct CardBody<'a> {
    number: &'a str,
    expiry: Expiry,
    cvc: Option<&'a str>,
    cryptogram: Option<&'a str>,
    usage: &'static str,
}

impl<'a> CardBody<'a> {
    fn of(card: &'a Card) -> Self {
        let usage = match card.usage {
            Usage::Typed { keep: false } => "typed",
            Usage::Typed { keep: true } => "typed_to_keep",
            Usage::Stored(Initiator::Customer) => "stored_by_customer",
            Usage::Stored(Initiator::Merchant) => "stored_by_merchant",
        };
        let (number, cvc, cryptogram) = (card.number().expose(), card.expose_cvc(), card.expose_cryptogram());
        CardBody { number, expiry: card.expiry, cvc, cryptogram, usage }
    }
}

/// The body of every other call.
#[derive(Default, Serialize)]
struct Body<'a> {
    reference: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_url: Option<&'a str>,
}

impl Body<'_> {
    /// A capture or refund: above zero, in the payment's currency and not more than the payment.
    fn take(&mut self, part: Money, whole: Money) -> Result<(), Refusal> {
        positive(part)?;
        if part.currency() != whole.currency() || part.minor() > whole.minor() {
            return Err(Refusal::Amount(format!("{part:?} is not a part of {whole:?}")));
        }
        self.amount = Some(part.minor());
        self.currency = Some(part.currency().code());
        Ok(())
    }
}

fn positive(money: Money) -> Result<(), Refusal> {
    if money.is_positive() { Ok(()) } else { Err(Refusal::Amount("it must be above zero".into())) }
}

fn fits<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    let plain = (1..=REFERENCE_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let refusal = || Refusal::Parameter { param, detail: "1 to 32 ASCII letters and digits".to_owned() };
    plain.then_some(text).ok_or_else(refusal)
}

fn send(account: &Account, route: Route, body: &impl Serialize, cx: &Context<'_>) -> Result<Step, Refusal> {
    let mut bytes = Vec::with_capacity(512);
    serde_json::to_writer(&mut bytes, body).map_err(|_| Refusal::Signing)?;
    let effect = match route {
        Route::Charges | Route::Capture | Route::Void | Route::Refunds => Effect::Money,
        // Closing the same payment again is free, and a close moves no money.
        Route::Query | Route::Close | Route::RefundQuery => Effect::None,
    };
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = HttpMethod::POST;
    *request.uri_mut() = account.endpoint(route);
    *request.headers_mut() = headers(account, route, &bytes, cx)?;
    *request.body_mut() = bytes.into();
    let timeout = if effect == Effect::Money { MONEY_TIMEOUT } else { QUERY_TIMEOUT };
    Ok(Step::send(Call { stage: 0, request, timeout, effect, identity: None }))
}

fn headers(account: &Account, route: Route, body: &[u8], cx: &Context<'_>) -> Result<HeaderMap, Refusal> {
    let timestamp = cx.now.millis().to_string();
    let nonce = nonce(cx);
    let nonce = std::str::from_utf8(&nonce).map_err(|_| Refusal::Signing)?;
    let signature = account.signature(&["POST", route.path(), &timestamp, nonce], body);
    // One buffer backs the three values.
    let mut values = Vec::with_capacity(SIGNATURE_LEN + nonce.len() + timestamp.len());
    values.extend_from_slice(&signature);
    values.extend_from_slice(nonce.as_bytes());
    values.extend_from_slice(timestamp.as_bytes());
    let values = Bytes::from(values);
    let value = |from: usize, until: usize| {
        HeaderValue::from_maybe_shared(values.slice(from..until)).map_err(|_| Refusal::Signing)
    };
    let timestamp_from = SIGNATURE_LEN + nonce.len();
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(ACCEPT, JSON);
    headers.insert(ACCOUNT, account.name_header.clone());
    headers.insert(SIGNATURE, value(0, SIGNATURE_LEN)?);
    headers.insert(NONCE, value(SIGNATURE_LEN, timestamp_from)?);
    headers.insert(TIMESTAMP, value(timestamp_from, values.len())?);
    Ok(headers)
}

/// 128 random bits in hexadecimal.
fn nonce(cx: &Context<'_>) -> [u8; 32] {
    let mut random = [0u8; 16];
    cx.rng.fill(&mut random);
    let mut text = [0u8; 32];
    hex(&random, &mut text);
    text
}
