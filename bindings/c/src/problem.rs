//! Errors as the host sees them: RFC 9457 objects with the same codes as over HTTP.

use paycore::error::{Code, Error};
use serde::Serialize;

#[derive(Serialize)]
struct Failed<'a> {
    error: Problem<'a>,
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_id: Option<&'a str>,
    retryable: bool,
}

/// The answer that holds this error.
pub(crate) fn answer(error: &Error, chinese: bool) -> String {
    let code = error.code;
    let error = Problem {
        kind: format!("urn:paycore:error:{}", code.text()),
        title: if chinese { code.title_zh() } else { code.title() },
        status: code.status(),
        detail: &error.detail,
        code,
        param: error.param.as_deref(),
        object_id: error.object_id.as_deref(),
        retryable: error.retryable(),
    };
    serde_json::to_string(&Failed { error }).expect("a problem is a plain struct with string keys")
}
