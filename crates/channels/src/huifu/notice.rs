//! Notifications of payments and refunds: a form with the data as JSON and its signature. What the console's own
//! event subscriptions send is another thing with another signature and is not read here.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response};
use paycore::channel::{Context, Fault, Notice, Report, Subject, Verified};

use super::config::Account;
use super::decode::{refund_state, state};
use super::envelope::{read, verify as signed};
use crate::dialect::form::Form;

/// A notification has no instant of its own but that of what it reports. It is repeated within minutes; two days are
/// for outages, and what comes later is found by a query.
const AGE_MAX: Duration = Duration::from_secs(48 * 3600);
const AHEAD_MAX: Duration = Duration::from_secs(15 * 60);
/// Of these only the last two are signed or a signature; the others decide nothing.
const NAMES: &[&str] = &["resp_code", "resp_desc", "resp_data", "sign"];

pub(super) fn verify(account: &Account, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
    if notice.method() != Method::POST {
        return Err(Fault::Unexpected("a notification is a POST".into()));
    }
    let form = Form::read_apart(notice.body())?;
    if !form.names().all(|name| NAMES.contains(&name)) {
        return Err(Fault::Unexpected("the form has a field that is not known".into()));
    }
    let data = form.required("resp_data")?;
    signed(account, data, form.field("sign").unwrap_or_default())?;
    let node = read(data)?;
    let reference = node.req_seq_id.clone().filter(|number| !number.is_empty());
    let reference = reference.ok_or_else(|| Fault::Unexpected("no req_seq_id".into()))?;
    let numbers = (Some(reference.as_str()), node.hf_seq_id.as_deref());
    let kind = node.trans_type.as_deref().unwrap_or_default();
    let (subject, outcome) = if kind == "TRANS_REFUND" {
        (Subject::Refund, refund_state(account, &node, numbers, None)?)
    } else {
        let barcode = kind.ends_with("MICROPAY");
        (Subject::Payment, state(account, &node, numbers, barcode, None)?)
    };
    if outcome.money.is_none() {
        return Err(Fault::Unexpected("no amount".into()));
    }
    if outcome.at.is_some_and(|at| at < cx.now.minus(AGE_MAX) || at > cx.now.plus(AHEAD_MAX)) {
        return Err(Fault::Unacceptable(format!("it was at {:?}, outside the window", outcome.at)));
    }
    // The words Huifu waits for repeat the number of the request.
    let mut answer = Response::new(Bytes::from(format!("RECV_ORD_ID_{reference}")));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok(Verified { reports: vec![Report { subject, reference, outcome }], reply: answer })
}
