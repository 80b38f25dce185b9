//! What the provider reads and writes: signatures, JSON bodies, notifications and statement lines.

use std::borrow::Cow;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use paycore::crypto::KeyError;
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::secret::same;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::charge::{self, Note, Scene};
use crate::sandbox::issuer;

const HEADERS: [HeaderName; 4] = [
    HeaderName::from_static("testpay-account"),
    HeaderName::from_static("testpay-timestamp"),
    HeaderName::from_static("testpay-nonce"),
    HeaderName::from_static("testpay-signature"),
];
const FIVE_MINUTES: i64 = 300_000;

/// Why a call is not answered with 200.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) error: &'static str,
    pub(super) message: &'static str,
}

impl Problem {
    /// Not sent at all: the connection is left to time out.
    pub(super) const SILENCE: Problem = Problem::new(StatusCode::GATEWAY_TIMEOUT, "silence", "");
    pub(super) const SYSTEM: Problem = Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "system_error",
        "the outcome is not known, ask again",
    );
    pub(super) const NOT_FOUND: Problem =
        Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such payment or refund");
    pub(super) const PAYMENT_NOT_FOUND: Problem =
        Problem::new(StatusCode::NOT_FOUND, "payment_not_found", "there is no such payment");
    pub(super) const REUSED: Problem =
        Problem::new(StatusCode::CONFLICT, "reference_reused", "the reference was used with other values");

    const fn new(status: StatusCode, error: &'static str, message: &'static str) -> Problem {
        Problem { status, error, message }
    }
    pub(super) const fn invalid(message: &'static str) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }
    pub(super) const fn not_allowed(message: &'static str) -> Problem {
        Problem::new(StatusCode::CONFLICT, "not_allowed", message)
    }
    pub(super) const fn unauthenticated(message: &'static str) -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", message)
    }
}

/// The provider's end of the signature, for one account.
pub(super) struct Wire {
    account: HeaderValue,
    key: Hmac<Sha256>,
}

impl Wire {
    pub(super) fn new(account: &str, secret: &str) -> Result<Wire, KeyError> {
        let unusable = KeyError::Malformed { expected: "Testpay account and secret" };
        let key = Hmac::new_from_slice(secret.as_bytes()).map_err(|_| unusable.clone())?;
        Ok(Wire { account: HeaderValue::from_str(account).map_err(|_| unusable)?, key })
    }

    /// The nonce of a request that is authentic.
    pub(super) fn authenticate<'r>(&self, request: &'r Request<Bytes>, now: i64) -> Result<&'r str, Problem> {
        let [account, timestamp, nonce, signature] = HEADERS.map(|name| single(request.headers(), &name));
        let (Some(account), Some(timestamp), Some(nonce), Some(signature)) =
            (account, timestamp, nonce, signature)
        else {
            return Err(Problem::unauthenticated("a signature header is missing, empty or doubled"));
        };
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let ours = self.sign([request.method().as_str(), target, timestamp, nonce], request.body());
        if account.as_bytes() != self.account.as_bytes() || !same(ours.as_bytes(), signature.as_bytes()) {
            return Err(Problem::unauthenticated("the account or the signature is wrong"));
        }
        match timestamp.parse::<i64>() {
            Ok(sent) if (now - FIVE_MINUTES..=now + FIVE_MINUTES).contains(&sent) => Ok(nonce),
            _ => Err(Problem::unauthenticated("the timestamp is more than five minutes off")),
        }
    }

    /// `v1=` and the HMAC in hexadecimal over these lines, each with its line feed, and the body.
    fn sign(&self, lines: [&str; 4], body: &[u8]) -> String {
        let mut mac = self.key.clone();
        for line in lines {
            mac.update(line.as_bytes());
            mac.update(b"\n");
        }
        mac.update(body);
        let mut text = String::with_capacity(67);
        text.push_str("v1=");
        for byte in mac.finalize().into_bytes() {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }));
            }
        }
        text
    }

    pub(super) fn reply(
        &self,
        path: &str,
        nonce: &str,
        status: StatusCode,
        body: Vec<u8>,
        now: i64,
    ) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        *response.headers_mut() = self.headers([status.as_str(), path], nonce, &body, now);
        *response.body_mut() = body.into();
        response
    }

    pub(super) fn problem(&self, path: &str, nonce: &str, problem: Problem, now: i64) -> Response<Bytes> {
        #[derive(Serialize)]
        struct Body {
            error: &'static str,
            message: &'static str,
        }
        let body = write(&Body { error: problem.error, message: problem.message });
        self.reply(path, nonce, problem.status, body, now)
    }

    /// The notification, unless the merchant's address is none.
    pub(super) fn notification(
        &self,
        id: u64,
        charge: &charge::Charge,
        note: &Note,
        now: i64,
    ) -> Option<Request<Bytes>> {
        #[derive(Serialize)]
        struct Body<'a> {
            account: &'a str,
            kind: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            state: Option<State<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            dispute: Option<Case<'a>>,
        }
        let uri = Uri::try_from(&*charge.notify_url).ok()?;
        uri.authority()?;
        let (kind, state) = match note.refund {
            Some(position) => ("refund", State::refund(charge, position)),
            None => (
                "payment",
                State { status: note.state, amount: note.amount, at: note.at, ..State::charge(charge, None) },
            ),
        };
        let dispute = note.dispute.and_then(|stage| Case::of(charge, note, stage));
        let (kind, state) = if dispute.is_some() { ("dispute", None) } else { (kind, Some(state)) };
        let body = write(&Body { account: self.account.to_str().ok()?, kind, state, dispute });
        let nonce = format!("{id:016x}{:08x}", note.sent);
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = http::Method::POST;
        *request.headers_mut() = self.headers(["POST", target], &nonce, &body, now);
        *request.uri_mut() = uri;
        *request.body_mut() = body.into();
        Some(request)
    }

    fn headers(&self, first: [&str; 2], nonce: &str, body: &[u8], now: i64) -> HeaderMap {
        let timestamp = now.to_string();
        let signature = self.sign([first[0], first[1], &timestamp, nonce], body);
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let values = [Ok(self.account.clone()), timestamp.try_into(), nonce.try_into(), signature.try_into()];
        for (name, value) in HEADERS.into_iter().zip(values) {
            // Digits, hexadecimal and a nonce that came in a header are always header values.
            if let Ok(value) = value {
                headers.insert(name, value);
            }
        }
        headers
    }
}

fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut all = headers.get_all(name).into_iter();
    let value = all.next()?.to_str().ok()?;
    (all.next().is_none() && !value.is_empty()).then_some(value)
}

pub(super) fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|_| Problem::invalid("the body does not fit the call"))
}

pub(super) fn write(body: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    // Structs of texts and integers always serialise into memory.
    let written = serde_json::to_writer(&mut bytes, body);
    debug_assert!(written.is_ok());
    bytes
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CaptureMode {
    Automatic,
    Manual,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCharge<'b> {
    #[serde(borrow)]
    pub(super) reference: Cow<'b, str>,
    pub(super) method: Scene,
    pub(super) amount: i64,
    pub(super) currency: Currency,
    pub(super) capture: CaptureMode,
    #[serde(borrow)]
    pub(super) subject: Cow<'b, str>,
    #[serde(borrow)]
    description: Option<Cow<'b, str>>,
    #[serde(borrow)]
    pub(super) return_url: Option<Cow<'b, str>>,
    #[serde(borrow)]
    pub(super) notify_url: Cow<'b, str>,
    pub(super) expires_at: Option<i64>,
    #[serde(borrow)]
    pub(super) card: Option<issuer::Card<'b>>,
}

impl NewCharge<'_> {
    /// How it is paid: a card whose issuer wants to see the payer leads to a page.
    pub(super) fn scene(&self) -> Scene {
        let challenged = self.card.as_ref().is_some_and(issuer::Card::challenges);
        if challenged { Scene::Page } else { self.method }
    }

    pub(super) fn check(&self) -> Result<(), Problem> {
        check_reference(&self.reference)?;
        if self.amount <= 0 {
            return Err(Problem::invalid("the amount must be above zero"));
        }
        let by_card = self.capture == CaptureMode::Manual || self.card.is_some();
        if by_card && self.method != Scene::Card {
            return Err(Problem::invalid("only cards are captured by hand, and go with a card"));
        }
        if self.subject.len() > 512 || self.description.as_ref().is_some_and(|text| text.len() > 4_096) {
            return Err(Problem::invalid("the subject or description is too long"));
        }
        Ok(())
    }
}

pub(super) fn check_reference(reference: &str) -> Result<(), Problem> {
    let plain = reference.chars().all(|c| c.is_ascii_alphanumeric());
    if plain && !reference.is_empty() && reference.len() <= 32 {
        return Ok(());
    }
    Err(Problem::invalid("a reference is 1 to 32 letters and digits"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Charge<'b> {
    #[serde(borrow)]
    pub(super) reference: Cow<'b, str>,
    #[serde(borrow)]
    pub(super) id: Option<Cow<'b, str>>,
    amount: Option<i64>,
    currency: Option<Currency>,
}

impl Charge<'_> {
    pub(super) fn money(&self) -> Result<Money, Problem> {
        money(self.amount, self.currency)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refund<'b> {
    #[serde(borrow)]
    pub(super) reference: Cow<'b, str>,
    #[serde(borrow)]
    pub(super) payment_reference: Cow<'b, str>,
    amount: Option<i64>,
    currency: Option<Currency>,
    #[serde(borrow, rename = "reason")]
    _reason: Option<Cow<'b, str>>,
    #[serde(borrow, rename = "notify_url")]
    _notify_url: Option<Cow<'b, str>>,
}

impl Refund<'_> {
    pub(super) fn money(&self) -> Result<Money, Problem> {
        money(self.amount, self.currency)
    }
}

fn money(amount: Option<i64>, currency: Option<Currency>) -> Result<Money, Problem> {
    let (Some(amount), Some(currency)) = (amount, currency) else {
        return Err(Problem::invalid("amount and currency are wanted"));
    };
    Ok(Money::new(amount, currency))
}

/// The state of a payment or refund as it is written.
#[derive(Serialize)]
pub(super) struct State<'a> {
    reference: &'a str,
    id: String,
    status: charge::State,
    amount: i64,
    currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    show: Option<Scene>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

impl<'a> State<'a> {
    pub(super) fn charge(charge: &'a charge::Charge, page: Option<&'a str>) -> Self {
        let code = charge.code.as_deref();
        State {
            reference: &charge.reference,
            id: charge.id(),
            status: charge.state,
            amount: charge.stated_amount(),
            currency: charge.currency,
            at: charge.at,
            show: page.map(|_| charge.scene),
            url: page,
            code,
            message: code.map(message),
        }
    }

    pub(super) fn refund(charge: &'a charge::Charge, position: usize) -> Self {
        let refund = &charge.refunds[position];
        let code = refund.is_refused.then_some("refund_refused");
        State {
            reference: &refund.reference,
            id: refund.id(),
            status: if refund.is_refused { charge::State::Declined } else { charge::State::Succeeded },
            amount: refund.amount,
            currency: charge.currency,
            at: (!refund.is_refused).then_some(refund.at),
            show: None,
            url: None,
            code,
            message: code.map(message),
        }
    }
}

/// A dispute as it is written.
#[derive(Serialize)]
struct Case<'a> {
    number: String,
    reference: &'a str,
    status: charge::Dispute,
    reason: &'static str,
    amount: i64,
    fee: i64,
    currency: Currency,
    respond_by: i64,
}

impl<'a> Case<'a> {
    fn of(charge: &'a charge::Charge, note: &Note, status: charge::Dispute) -> Option<Case<'a>> {
        let (_, respond_by) = charge.disputed()?;
        Some(Case {
            number: format!("case-{}", charge.id()),
            reference: &charge.reference,
            status,
            reason: "not_received",
            amount: note.amount,
            fee: 1_500,
            currency: charge.currency,
            respond_by,
        })
    }
}

fn message(code: &str) -> &'static str {
    match code {
        "insufficient_funds" => "not enough money",
        "payer_cancelled" => "the payer gave up",
        "expired" => "the payment came too late",
        "refund_refused" => "the refund is refused",
        _ => "declined",
    }
}
