//! Notifications of payments and refunds.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use paycore::channel::{Context, Fault, Notice, Outcome, Report, Subject, Verdict, Verified};
use url::Url;

use super::config::Account;
use super::decode::{failed, refund_facts, refund_verdict};
use super::envelope::{Said, Status, known};
use super::seal::Age;
use crate::dialect::reply::json;
use crate::dialect::v3::{instant, read};

/// Antom repeats a notification for a little more than a day; whether it signs it anew is not said.
const NOTICE: Age = Age { header: "request-time", oldest: Duration::from_secs(26 * 3_600) };

pub(super) fn verify(account: &Account, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
    if notice.method() != Method::POST {
        return Err(Fault::Unexpected("a notification is a POST".into()));
    }
    // The path that was signed is that of the address we gave, whatever proxies made of it since.
    let ours = Url::parse(cx.notify_url).map_err(|_| Fault::Unexpected("notify_url".into()))?;
    account.verify(notice.headers(), (ours.path(), notice.body()), &NOTICE, cx.now)?;
    let said: Said = read(notice.body())?;
    let report = match said.notify_type.as_deref() {
        Some("PAYMENT_RESULT") => payment(&said, result(&said)?)?,
        Some("PAYMENT_PENDING") => payment(&said, Verdict::Pending)?,
        Some("REFUND_RESULT") => refund(&said)?,
        other => return Err(Fault::Unexpected(format!("notifyType {other:?}"))),
    };
    Ok(Verified { reports: vec![report], reply: json(StatusCode::OK, ACKNOWLEDGED) })
}

/// To a notification that was refused.
pub(super) fn reject() -> Response<Bytes> {
    let body = r#"{"result":{"resultCode":"PROCESS_FAIL","resultStatus":"F","resultMessage":"refused"}}"#;
    json(StatusCode::BAD_REQUEST, body)
}

const ACKNOWLEDGED: &str =
    r#"{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}"#;

fn result(said: &Said) -> Result<Verdict, Fault> {
    match said.result.result_status {
        Status::Succeeded => Ok(Verdict::Succeeded),
        Status::Failed => Ok(failed(&said.result.result_code, &said.result.result_message)),
        Status::Unknown => Err(said.unknown()),
    }
}

/// The engine binds the reference and the amount.
fn payment(said: &Said, verdict: Verdict) -> Result<Report, Fault> {
    let amount = said.payment_amount.as_ref().ok_or_else(|| Fault::Unexpected("no paymentAmount".into()))?;
    let id = known("paymentId", said.payment_id.as_deref())?;
    let at = instant("paymentTime", said.payment_time.as_deref())?;
    let outcome = Outcome { at, ..Outcome::new(verdict).channel_id(id).money(amount.money()?) };
    let reference = known("paymentRequestId", said.payment_request_id.as_deref())?.to_owned();
    Ok(Report { subject: Subject::Payment, reference, outcome })
}

fn refund(said: &Said) -> Result<Report, Fault> {
    let (money, at) = refund_facts(said)?;
    let id = known("refundId", said.refund_id.as_deref())?;
    let outcome = Outcome { at, ..Outcome::new(refund_verdict(said)?).channel_id(id).money(money) };
    let reference = known("refundRequestId", said.refund_request_id.as_deref())?.to_owned();
    Ok(Report { subject: Subject::Refund, reference, outcome })
}
