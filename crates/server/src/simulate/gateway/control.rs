//! What stands under `/-/`: the payer's side, the clock, and what happened.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use paycore::channel::simulator::{Answer, BookLine};
use paycore::time::Timestamp;
use serde_json::{Value, json};

use super::Gateway;

/// The furthest the clock may be moved in one request: a year.
const SECONDS_MAX: u64 = 366 * 24 * 3600;

/// Why a control request is not carried out: status, text.
struct Refused(StatusCode, String);

type Result<T> = std::result::Result<T, Refused>;

fn refused<T>(status: StatusCode, text: impl Into<String>) -> Result<T> {
    Err(Refused(status, text.into()))
}

/// Answers a request for `/-/{what}`.
pub(super) fn answer(gateway: &Gateway, what: &str, request: &Request<Bytes>) -> Response<Bytes> {
    let done = match (request.method(), what) {
        (&Method::GET, "") => Ok(json(StatusCode::OK, &gateway.described())),
        (&Method::GET, "notifications") => Ok(json(StatusCode::OK, &Value::from(gateway.sent().clone()))),
        (&Method::GET, "book") => Ok(json(StatusCode::OK, &book(&gateway.simulator().book()))),
        (&Method::GET, "statement") => statement(gateway, request),
        (&Method::POST, "pay" | "cancel") => press(gateway, what, request),
        (&Method::POST, "clock") => advance(gateway, request),
        _ => refused(
            StatusCode::NOT_FOUND,
            "there are GET /-/, /-/notifications, /-/book, /-/statement?from=&until=, and POST /-/pay, /-/cancel, \
             /-/clock",
        ),
    };
    done.unwrap_or_else(|Refused(status, text)| json(status, &json!({"error": text})))
}

/// Presses a button of the payer's page.
fn press(gateway: &Gateway, button: &str, request: &Request<Bytes>) -> Result<Response<Bytes>> {
    let content = content(request)?;
    let reference = content["reference"].as_str().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-*.".contains(&byte);
    if reference.is_empty() || !reference.bytes().all(plain) {
        let text = "the body is to be {\"reference\": \"the merchant's order number\"}";
        return refused(StatusCode::BAD_REQUEST, text);
    }
    let page = Request::post(format!("/payer/{reference}/{button}"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::new());
    let Ok(page) = page else {
        return refused(StatusCode::BAD_REQUEST, "the reference does not fit an address");
    };
    match gateway.simulator().handle(&page, gateway.now()) {
        Answer::Reply(response) if response.status().as_u16() < 400 => {
            Ok(json(StatusCode::OK, &json!({"reference": reference, "status": response.status().as_u16()})))
        }
        Answer::Reply(response) => refused(
            response.status(),
            format!("the payer's page of `{reference}` does not let anybody {button}: {}", response.status()),
        ),
        Answer::Silence => refused(StatusCode::BAD_GATEWAY, "the provider stays silent"),
    }
}

fn advance(gateway: &Gateway, request: &Request<Bytes>) -> Result<Response<Bytes>> {
    let seconds = content(request)?["seconds"].as_u64().filter(|seconds| *seconds <= SECONDS_MAX);
    let Some(seconds) = seconds else {
        return refused(
            StatusCode::BAD_REQUEST,
            format!("the body is to be {{\"seconds\": 0 to {SECONDS_MAX}}}"),
        );
    };
    let micros = i64::try_from(seconds).unwrap_or_default().saturating_mul(1_000_000);
    gateway.ahead.fetch_add(micros, Ordering::SeqCst);
    Ok(json(StatusCode::OK, &json!({"now": gateway.now().to_rfc3339_seconds(0)})))
}

/// The statement file of what moved between two instants; everything up to now where they are left out.
fn statement(gateway: &Gateway, request: &Request<Bytes>) -> Result<Response<Bytes>> {
    let query = request.uri().query().unwrap_or_default();
    let instant = |name: &str, default: Timestamp| {
        let found = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
        found.map_or(Ok(default), |(_, text)| Timestamp::parse(&text)).or_else(|_| {
            refused(
                StatusCode::BAD_REQUEST,
                format!("`{name}` is to be an instant such as 2026-01-31T00:00:00Z"),
            )
        })
    };
    let from = instant("from", Timestamp::from_secs(0))?;
    let until = instant("until", gateway.now())?;
    match gateway.simulator().statement(from, until) {
        Some(file) => Ok(Response::new(file)),
        None => refused(StatusCode::NOT_FOUND, "this provider writes no statement files"),
    }
}

fn book(lines: &[BookLine]) -> Value {
    let line = |line: &BookLine| {
        json!({
            "reference": line.reference, "refund": line.refund, "amount": line.money.minor(),
            "currency": line.money.currency().to_string(), "at": line.at.to_rfc3339_seconds(0),
        })
    };
    lines.iter().map(line).collect()
}

fn content(request: &Request<Bytes>) -> Result<Value> {
    serde_json::from_slice(request.body())
        .or_else(|_| refused(StatusCode::BAD_REQUEST, "the body is to be a JSON object"))
}

fn json(status: StatusCode, value: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("{value}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
