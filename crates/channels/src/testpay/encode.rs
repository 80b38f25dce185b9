//! Operations into signed requests.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method as HttpMethod, Request};
use paycore::channel::{Call, CaptureMode, Channel, Context, Effect, Operation, Pay, Refusal, Step};
use paycore::money::Money;
use serde::Serialize;

use super::config::{ACCOUNT, Account, NONCE, Route, SIGNATURE, SIGNATURE_LEN, TIMESTAMP};

const MONEY_TIMEOUT: Duration = Duration::from_secs(15);
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);
const REFERENCE_MAX: usize = 32;
const SUBJECT_MAX: usize = 127;
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HEX: &[u8; 16] = b"0123456789abcdef";

pub(super) fn encode(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => pay_call(account, pay, cx),
        Operation::Query(query) => {
            send(account, Route::Query, &Charge::known(&query.reference, &query.channel_id)?, cx)
        }
        Operation::Close(close) => {
            send(account, Route::Close, &Charge::known(&close.reference, &close.channel_id)?, cx)
        }
        Operation::Capture(capture) => {
            part_of(capture.money, capture.authorized)?;
            let charge = Charge::known(&capture.reference, &capture.channel_id)?;
            send(account, Route::Capture, &charge.with(capture.money), cx)
        }
        Operation::Void(void) => {
            send(account, Route::Void, &Charge::known(&void.reference, &void.channel_id)?, cx)
        }
        Operation::Refund(refund) => {
            part_of(refund.money, refund.captured)?;
            let body = RefundBody {
                reference: reference(&refund.reference)?,
                payment_reference: reference(&refund.payment_reference)?,
                amount: Some(refund.money.minor()),
                currency: Some(refund.money.currency().code()),
                reason: refund.reason.as_deref(),
                notify_url: Some(cx.notify_url),
            };
            send(account, Route::Refunds, &body, cx)
        }
        Operation::QueryRefund(query) => {
            let body = RefundBody {
                reference: reference(&query.reference)?,
                payment_reference: reference(&query.payment_reference)?,
                ..RefundBody::default()
            };
            send(account, Route::RefundQuery, &body, cx)
        }
        _ => Err(Refusal::Unsupported("this operation")),
    }
}

/// The call of an operation, if there is one.
pub(super) fn route(operation: &Operation) -> Option<Route> {
    Some(match operation {
        Operation::Pay(_) => Route::Charges,
        Operation::Query(_) => Route::Query,
        Operation::Close(_) => Route::Close,
        Operation::Capture(_) => Route::Capture,
        Operation::Void(_) => Route::Void,
        Operation::Refund(_) => Route::Refunds,
        Operation::QueryRefund(_) => Route::RefundQuery,
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
    let body = ChargeBody {
        reference: reference(&pay.reference)?,
        method: pay.method.scene(),
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
}

/// The body that speaks of a known payment; with an amount for a capture.
#[derive(Serialize)]
struct Charge<'a> {
    reference: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'static str>,
}

impl<'a> Charge<'a> {
    fn known(text: &'a str, id: &'a Option<String>) -> Result<Self, Refusal> {
        Ok(Charge { reference: reference(text)?, id: id.as_deref(), amount: None, currency: None })
    }

    fn with(self, money: Money) -> Self {
        Charge { amount: Some(money.minor()), currency: Some(money.currency().code()), ..self }
    }
}

/// The body that makes a refund, or without amount asks for one.
#[derive(Default, Serialize)]
struct RefundBody<'a> {
    reference: &'a str,
    payment_reference: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_url: Option<&'a str>,
}

fn positive(money: Money) -> Result<(), Refusal> {
    if money.is_positive() { Ok(()) } else { Err(Refusal::Amount("it must be above zero".into())) }
}

/// A capture or refund is above zero, in the payment's currency and not more than the payment.
fn part_of(part: Money, whole: Money) -> Result<(), Refusal> {
    positive(part)?;
    if part.currency() != whole.currency() {
        return Err(Refusal::Amount(format!("the payment is in {}", whole.currency())));
    }
    if part.minor() > whole.minor() {
        return Err(Refusal::Amount("it is more than the payment".into()));
    }
    Ok(())
}

fn reference(text: &str) -> Result<&str, Refusal> {
    let fits = (1..=REFERENCE_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let refusal =
        || Refusal::Parameter { param: "reference", detail: "1 to 32 ASCII letters and digits".to_owned() };
    fits.then_some(text).ok_or_else(refusal)
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
    Ok(Step::send(Call { stage: 0, request, timeout, effect }))
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
    for (pair, byte) in text.chunks_exact_mut(2).zip(random) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    text
}
