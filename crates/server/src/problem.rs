//! Every error leaves the server as RFC 9457 `application/problem+json`, whatever raised it.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{
    ALLOW, CONNECTION, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use paycore::error::{Code, Error};
use serde::Serialize;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What the caller is told. Fields without a value are left out.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Problem<'a> {
    /// Identifies the kind of error: the address of its page in the reference.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// A short title, in Chinese where `Accept-Language` prefers it.
    pub title: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time and how to mend it.
    pub detail: &'a str,
    /// The stable code to act on.
    pub code: Code,
    /// The parameter at fault, as a path such as `line_items[0].quantity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub param: Option<&'a str>,
    /// The object the error is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_id: Option<&'a str>,
    /// Name it when you ask for help.
    pub request_id: &'a str,
    /// Where the code is explained.
    pub doc_url: &'a str,
    /// Whether the same request may succeed later without any change.
    pub retryable: bool,
}

/// A response that is still only an error: a handler answers with it, and [`render`] gives it its body when the
/// request's id and language are at hand.
#[derive(Debug, Clone)]
pub struct Refused(pub Box<Error>);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Refused(Box::new(error))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(self.0.code.status()).unwrap_or_default();
        response.extensions_mut().insert(self);
        response
    }
}

/// Fills the body of a response that is an error.
pub fn render(response: &mut Response, error: &Error, request_id: &str, base_url: &str, chinese: bool) {
    let code = error.code;
    let doc_url = format!("{base_url}/docs/errors#{}", code.text());
    let problem = Problem {
        kind: &doc_url,
        title: if chinese { code.title_zh() } else { code.title() },
        status: code.status(),
        detail: &error.detail,
        code,
        param: error.param.as_deref(),
        object_id: error.object_id.as_deref(),
        request_id,
        doc_url: &doc_url,
        retryable: error.retryable(),
    };
    let body = serde_json::to_vec(&problem).expect("a problem is a plain struct with string keys");
    *response.body_mut() = Body::from(body);
    let headers = response.headers_mut();
    // The router wrote down the length of the empty body.
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, PROBLEM_JSON);
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(if chinese { "zh" } else { "en" }));
    headers.insert(VARY, HeaderValue::from_static("accept-language"));
    advise(headers, code);
}

/// The headers that tell a program what to do about an error.
fn advise(headers: &mut HeaderMap, code: Code) {
    match code {
        Code::Unauthenticated => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"paycore\""));
        }
        Code::Unavailable | Code::IdempotencyInFlight if !headers.contains_key(RETRY_AFTER) => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        // The rest of the body is thrown away, and not all of it: nothing that follows on this connection would be
        // understood.
        Code::BodyTooLarge => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
}

/// The path exists, but not with this method.
pub fn method_not_allowed(allowed: &str) -> Response {
    let detail = format!("This address answers {allowed}.");
    let mut response = Refused::from(Error::new(Code::MethodNotAllowed, detail)).into_response();
    if let Ok(value) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

/// Whether a caller prefers Chinese to English: the first of the two by weight, the first named where equal.
pub fn prefers_chinese(headers: &HeaderMap) -> bool {
    let text = headers.get(http::header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut best = (0, false);
    for choice in text.unwrap_or_default().split(',').take(20) {
        let mut parts = choice.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default();
        let thousandths = parts.find_map(|part| part.strip_prefix("q=")).map_or(1_000, weight);
        let chinese = match tag.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "zh" => true,
            "en" | "*" => false,
            _ => continue,
        };
        if thousandths > best.0 {
            best = (thousandths, chinese);
        }
    }
    best.1
}

/// `0.8` as 800; anything else that is not a weight counts nothing.
pub(crate) fn weight(text: &str) -> u32 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    match (whole, format!("{fraction:0<3}").parse::<u32>()) {
        ("0", Ok(thousandths)) if digits => thousandths,
        ("1", Ok(0)) => 1_000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn chinese(header: &str, expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::ACCEPT_LANGUAGE, HeaderValue::from_str(header).unwrap());
        assert_eq!(prefers_chinese(&headers), expected, "{header}");
    }

    #[test]
    fn the_heavier_of_chinese_and_english_wins() {
        chinese("zh-CN,zh;q=0.9,en;q=0.8", true);
        chinese("en-GB,en;q=0.9,zh;q=0.8", false);
        chinese("de, zh;q=0.5, en;q=0.4", true);
        chinese("en;q=0.1, zh-Hant;q=0.101", true);
        chinese("zh;q=0, en;q=0", false);
        chinese("zh;q=2, en", false);
        chinese("", false);
        assert!(!prefers_chinese(&HeaderMap::new()));
    }
}
