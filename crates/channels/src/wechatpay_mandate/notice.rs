//! Notifications of contracts and of charges, to one address. Refunds are not notified; they are queried.

use std::time::Duration;

use http::{Method, StatusCode};
use paycore::channel::{
    Context, DeclineReason as Why, Fault, Notice, Outcome, Report, Subject, Verdict, Verified,
};
use paycore::time::Timestamp;

use super::config::Account;
use super::contract::{ended, instant, ours};
use crate::dialect::reply::declined;
use crate::dialect::v2::{about, answer, state, whole};
use crate::dialect::xml::Fields;

/// A notification has no instant of its own but that of what it tells. It is repeated for some hours; two days are for
/// outages, and what comes later is found by a query.
const AGE_MAX: Duration = Duration::from_secs(48 * 3600);
const AHEAD_MAX: Duration = Duration::from_secs(15 * 60);

pub(super) fn verify(account: &Account, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
    // White space around the document is not signed; the provider sends none.
    if notice.method() != Method::POST || !notice.body().ends_with(b">") {
        return Err(Fault::Unexpected("a notification is a POST of a document and nothing else".into()));
    }
    let fields = Fields::read(notice.body())?;
    account.party.authentic(&fields)?;
    if fields.required("return_code")? != "SUCCESS" {
        return Err(Fault::Unexpected("a notification that was not understood".into()));
    }
    let report = match fields.field("change_type") {
        Some(change) => contract(account, &fields, change, cx)?,
        None => charge(&fields, cx)?,
    };
    Ok(Verified { reports: vec![report], reply: answer(StatusCode::OK, "SUCCESS") })
}

/// A contract was signed or has ended.
fn contract(account: &Account, fields: &Fields, change: &str, cx: &Context<'_>) -> Result<Report, Fault> {
    let reference = fields.required("contract_code")?.to_owned();
    let id = ours(account, fields, (&reference, None))?;
    let id = id.ok_or_else(|| Fault::Unexpected("a contract without number".into()))?;
    let verdict = match (change, fields.required("result_code")?) {
        ("ADD", "SUCCESS") => Verdict::Succeeded,
        ("DELETE", "SUCCESS") => match ended(fields) {
            Verdict::Pending => declined(Why::Generic, "DELETE", "已解约").verdict,
            how => how,
        },
        other => return Err(Fault::Unexpected(format!("change_type and result_code {other:?}"))),
    };
    let at = recent("operate_time", instant("operate_time", fields.field("operate_time"))?, cx)?;
    let outcome = Outcome::new(verdict).channel_id(id).at(at);
    Ok(Report { subject: Subject::Mandate, reference, outcome })
}

/// A charge was carried out, or not.
fn charge(fields: &Fields, cx: &Context<'_>) -> Result<Report, Fault> {
    let reference = fields.required("out_trade_no")?.to_owned();
    let outcome = match (fields.required("result_code")?, fields.field("trade_state")) {
        ("SUCCESS" | "FAIL", Some(_)) => state(fields, Some(&reference), None, None)?,
        ("SUCCESS", None) => {
            let outcome = about(fields, Some(&reference), None, None)?;
            if !whole(&outcome) {
                return Err(Fault::Unexpected("a charge without number or amount".into()));
            }
            outcome
        }
        // Why stands in a code that no document lists; the query tells whether it is final.
        ("FAIL", None) => Outcome::new(Verdict::Pending),
        other => return Err(Fault::Unexpected(format!("result_code and trade_state {other:?}"))),
    };
    if outcome.verdict == Verdict::Succeeded {
        recent("time_end", outcome.at, cx)?;
    }
    Ok(Report { subject: Subject::Payment, reference, outcome })
}

fn recent(name: &str, at: Option<Timestamp>, cx: &Context<'_>) -> Result<Timestamp, Fault> {
    let within = at.filter(|at| *at >= cx.now.minus(AGE_MAX) && *at <= cx.now.plus(AHEAD_MAX));
    within.ok_or_else(|| Fault::Unacceptable(format!("{name} is {at:?}, outside the window")))
}
