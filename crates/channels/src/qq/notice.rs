//! Notifications of payments. Refunds are not notified; they are queried.

use std::time::Duration;

use http::{Method, StatusCode};
use paycore::channel::{Context, Fault, Notice, Report, Subject, Verdict, Verified};

use super::config::Account;
use super::decode::state;
pub(super) use crate::dialect::v2::answer;
use crate::dialect::xml::Fields;

/// A notification has no instant of its own but that of the payment. It is repeated for some hours; two days are for
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
    if fields.required("trade_state")? != "SUCCESS" {
        return Err(Fault::Unexpected("only payments are notified".into()));
    }
    let reference = fields.required("out_trade_no")?.to_owned();
    let outcome = state(&fields, None, None, None)?;
    let at = outcome.at.filter(|at| *at >= cx.now.minus(AGE_MAX) && *at <= cx.now.plus(AHEAD_MAX));
    if at.is_none() {
        return Err(Fault::Unacceptable(format!("time_end is {:?}, outside the window", outcome.at)));
    }
    debug_assert_eq!(outcome.verdict, Verdict::Succeeded, "the state was looked at");
    let reports = vec![Report { subject: Subject::Payment, reference, outcome }];
    Ok(Verified { reports, reply: answer(StatusCode::OK, "SUCCESS") })
}
