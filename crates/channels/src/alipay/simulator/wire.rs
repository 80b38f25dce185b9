//! The provider's own way to read forms, write JSON and make the texts that are signed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use paycore::crypto::Scheme;

use super::Gateway;

/// Parameters by name; the map keeps them in the order in which they are signed.
pub(super) type Parameters = BTreeMap<String, String>;

/// The parameters of the address and of the form together; none when one is given twice with different values.
pub(super) fn parameters(request: &Request<Bytes>) -> Option<Parameters> {
    let mut all = Parameters::new();
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let (query, form) = (url::form_urlencoded::parse(query), url::form_urlencoded::parse(request.body()));
    for (name, value) in query.chain(form) {
        if *all.entry(name.into_owned()).or_insert_with(|| value.to_string()) != *value {
            return None;
        }
    }
    Some(all)
}

/// `name=value` of every parameter that has a value, joined with `&`, without those named in `except`.
pub(super) fn joined(all: &Parameters, except: &[&str]) -> String {
    let signed = all.iter().filter(|(name, value)| !value.is_empty() && !except.contains(&name.as_str()));
    signed.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Members of a JSON object in the order in which they are sent.
pub(super) type Members = Vec<(&'static str, String)>;

/// JSON text with every `/` escaped, as the real gateway writes it.
pub(super) fn object(members: &Members) -> String {
    let member = |(name, value): &(&str, String)| {
        let value = serde_json::Value::from(value.as_str()).to_string().replace('/', "\\/");
        format!("\"{name}\":{value}")
    };
    format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
}

/// Fen as yuan with two decimals.
pub(super) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.unsigned_abs() / 100, fen.unsigned_abs() % 100)
}

/// Yuan with at most two decimals as fen, from 0.01 to 100,000,000.
pub(super) fn fen(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, max: usize| {
        (1..=max).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(whole, 9) || !digits(decimals, 2) {
        return None;
    }
    let fen = whole.parse::<i64>().ok()? * 100 + format!("{decimals:0<2}").parse::<i64>().ok()?;
    (1..=10_000_000_000).contains(&fen).then_some(fen)
}

impl Gateway {
    /// Base64 of our signature.
    pub(super) fn sign(&self, text: &str) -> String {
        STANDARD.encode(self.signer.sign(Scheme::RsaSha256, text.as_bytes()).unwrap_or_default())
    }

    /// Whether the merchant signed exactly these parameters.
    pub(super) fn merchant_signed(&self, parameters: &Parameters) -> bool {
        let sign = parameters.get("sign").and_then(|sign| STANDARD.decode(sign).ok()).unwrap_or_default();
        self.merchant.verify(Scheme::RsaSha256, joined(parameters, &["sign"]).as_bytes(), &sign)
    }

    /// The signed frame around an answer.
    pub(super) fn framed(&self, method: &str, node: &Members, signed: bool) -> Response<Bytes> {
        let node = object(node);
        let name = method.replace('.', "_");
        let sign = if signed { format!(",\"sign\":\"{}\"", self.sign(&node)) } else { String::new() };
        respond(
            200,
            (CONTENT_TYPE, "text/html;charset=utf-8"),
            format!("{{\"{name}_response\":{node}{sign}}}"),
        )
    }
}

/// A response with one header that matters.
pub(super) fn respond(code: u16, (name, value): (HeaderName, &str), body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}
