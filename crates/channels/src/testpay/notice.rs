//! Notifications: verified, then read.

use std::borrow::Cow;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use paycore::channel::{
    Case, Context, Decline, DeclineReason, DisputeReason, Fault, Notice, Outcome, Report, Subject, Verdict,
    Verified,
};
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::Timestamp;
use serde::Deserialize;

use super::config::Account;
use super::decode::State;
use crate::dialect::reply::plain;

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
    if &*body.kind == "dispute" {
        let reports = vec![body.dispute.ok_or_else(|| Fault::Unexpected("no dispute".into()))?.report()?];
        return Ok(Verified { reports, reply: plain(StatusCode::OK, "ok") });
    }
    let state = body.state.ok_or_else(|| Fault::Unexpected("no state".into()))?;
    let subject = match &*body.kind {
        "payment" => Subject::Payment,
        "refund" => Subject::Refund,
        other => return Err(Fault::Unexpected(format!("kind {other:?}"))),
    };
    let outcome = state.outcome(subject == Subject::Refund)?;
    let report = Report { subject, reference: state.reference.into_owned(), outcome };
    Ok(Verified { reports: vec![report], reply: plain(StatusCode::OK, "ok") })
}

pub(super) fn reject() -> Response<Bytes> {
    plain(StatusCode::BAD_REQUEST, "refused")
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    kind: Cow<'a, str>,
    state: Option<State<'a>>,
    dispute: Option<Dispute<'a>>,
}

/// A dispute, as notifications carry it.
#[derive(Deserialize)]
struct Dispute<'a> {
    #[serde(borrow)]
    number: Cow<'a, str>,
    reference: Cow<'a, str>,
    status: Cow<'a, str>,
    reason: DisputeReason,
    amount: i64,
    fee: i64,
    currency: Currency,
    respond_by: i64,
}

impl Dispute<'_> {
    fn report(self) -> Result<Report, Fault> {
        let money = Money::new(self.amount, self.currency);
        let verdict = match &*self.status {
            "opened" => Verdict::Pending,
            "won" => Verdict::Succeeded,
            "lost" => Verdict::Declined(Decline {
                reason: DeclineReason::Generic,
                code: "dispute_lost".to_owned(),
                message: String::new(),
            }),
            other => return Err(Fault::Unexpected(format!("the status of a dispute {other:?}"))),
        };
        let case = Case {
            reason: self.reason,
            fee: Money::new(self.fee, self.currency),
            respond_by: Timestamp::from_millis(self.respond_by),
        };
        if money.is_negative() || case.fee.is_negative() {
            return Err(Fault::Unacceptable("an amount of the dispute is negative".into()));
        }
        let outcome = Outcome::new(verdict).channel_id(&*self.number).money(money);
        Ok(Report { subject: Subject::Dispute(case), reference: self.reference.into_owned(), outcome })
    }
}
