//! Notifications: verified, then read.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};
use paycore::channel::{Context, Fault, Notice, Report, Subject, Verified};
use serde::Deserialize;

use super::config::Account;
use super::decode::State;

pub(super) fn verify(account: &Account, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
    if notice.method() != Method::POST {
        return Err(Fault::Signature);
    }
    let path = notice.uri().path_and_query().map_or("/", |path| path.as_str());
    account.check(("POST", path), notice.headers(), notice.body(), cx.now)?;
    let body: Body<'_> =
        serde_json::from_slice(notice.body()).map_err(|error| Fault::Unexpected(error.to_string()))?;
    if body.account != account.name {
        return Err(Fault::Unacceptable("it is for another account".into()));
    }
    let subject = match &*body.kind {
        "payment" => Subject::Payment,
        "refund" => Subject::Refund,
        other => return Err(Fault::Unexpected(format!("kind {other:?}"))),
    };
    let outcome = body.state.outcome(subject == Subject::Refund)?;
    let report = Report { subject, reference: body.state.reference.into_owned(), outcome };
    Ok(Verified { reports: vec![report], reply: text(StatusCode::OK, "ok") })
}

pub(super) fn reject() -> Response<Bytes> {
    text(StatusCode::BAD_REQUEST, "refused")
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    kind: Cow<'a, str>,
    state: State<'a>,
}

fn text(status: StatusCode, body: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
