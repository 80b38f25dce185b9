//! A name for every request, and one line of log when it is answered. Headers, bodies and keys never get there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::Request;
use http::{HeaderMap, Method, StatusCode};
use paycore::error::Error;
use paycore::time::Rng;

use super::{REQUEST_ID, Told};

/// Names requests that come without a name of their own: a random start, then counting.
#[derive(Debug)]
pub struct RequestIds {
    process: u64,
    count: AtomicU64,
}

impl RequestIds {
    /// Ids that no other process makes.
    pub fn new(rng: &dyn Rng) -> Self {
        let mut random = [0u8; 8];
        rng.fill(&mut random);
        RequestIds { process: u64::from_le_bytes(random), count: AtomicU64::new(0) }
    }

    fn next(&self) -> String {
        format!("req_{:016x}{:010x}", self.process, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

/// What is remembered of a request until it is answered.
pub(super) struct About {
    pub(super) request_id: String,
    trace_id: Option<String>,
    method: Method,
}

impl About {
    pub(super) fn of(request: &Request, ids: &RequestIds) -> Self {
        let headers = request.headers();
        About {
            request_id: given_id(headers).map_or_else(|| ids.next(), str::to_owned),
            trace_id: trace_id(headers).map(str::to_owned),
            method: request.method().clone(),
        }
    }

    pub(super) fn log(&self, told: &Told, status: StatusCode, error: Option<&Error>, latency: Duration) {
        let merchant = told.merchant.map_or(String::new(), |id| id.to_string());
        let (request_id, operation) = (self.request_id.as_str(), told.operation);
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let trace_id = self.trace_id.as_deref().unwrap_or_default();
        let (method, status, replayed) = (self.method.as_str(), status.as_u16(), told.replayed);
        let code = error.map_or("ok", |error| error.code.text());
        match error.and_then(|error| error.internal.as_deref()) {
            None => tracing::info!(
                target: "paycore::request",
                request_id, trace_id, method, operation, merchant = merchant.as_str(), status, code, replayed, latency_us,
            ),
            Some(internal) => tracing::error!(
                target: "paycore::request",
                request_id, trace_id, method, operation, merchant = merchant.as_str(), status, code, replayed, latency_us,
                internal,
            ),
        }
    }
}

/// The caller's own name for the request, if it is a short plain word.
fn given_id(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(REQUEST_ID)?.to_str().ok()?;
    let plain = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    plain.then_some(text)
}

/// The trace id of a W3C `traceparent`.
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = text.split('-');
    let (version, trace, span, _flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, len| {
        text.len() == len && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let real = hex(version, 2) && version != "ff" && hex(trace, 32) && hex(span, 16);
    (real && trace.bytes().any(|b| b != b'0')).then_some(trace)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use paycore::time::SeededRng;

    use super::*;

    #[test]
    fn a_plain_id_is_kept_and_anything_else_is_not() {
        let given = |text: &'static str| {
            let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(text))]);
            given_id(&headers).map(str::to_owned)
        };
        assert_eq!(given("till-3_0001").as_deref(), Some("till-3_0001"));
        for wrong in [
            "",
            "a b",
            "a\"b",
            "{}",
            "0123456789012345678901234567890123456789012345678901234567890123456789",
        ] {
            assert_eq!(given(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn made_ids_differ() {
        let ids = RequestIds::new(&SeededRng::new(1));
        assert_ne!(ids.next(), ids.next());
        assert_ne!(ids.next(), RequestIds::new(&SeededRng::new(2)).next());
    }

    #[test]
    fn a_traceparent_gives_its_trace_id() {
        let trace = |text: &'static str| {
            let headers =
                HeaderMap::from_iter([("traceparent".parse().unwrap(), HeaderValue::from_static(text))]);
            trace_id(&headers).map(str::to_owned)
        };
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").as_deref(), Some(id));
        for wrong in
            ["", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4BF92F-00-01", "ff-x"]
        {
            assert_eq!(trace(wrong), None, "{wrong}");
        }
    }
}
