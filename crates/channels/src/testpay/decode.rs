//! Signed replies into outcomes. Only a reply that is authentic, fresh, of the call that was made and about the
//! reference that was asked for becomes an answer; everything else is a fault.

use std::borrow::Cow;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use paycore::channel::{
    Action, Context, Decline, DeclineReason, Fault, Operation, Outcome, Reply, Stage, Step, Verdict,
};
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::Timestamp;
use serde::Deserialize;

use super::config::{Account, SIGNATURE};
use super::encode::target;

pub(super) fn decode(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let (route, reference) = target(operation).filter(|_| stage == 0).ok_or(Fault::Unsupported)?;
    let status = reply.status();
    if !is_json(reply) || (status.is_server_error() && !reply.headers().contains_key(SIGNATURE)) {
        return Err(Fault::Unexpected(format!("HTTP {status} without a signed JSON body")));
    }
    account.check((status.as_str(), route.path()), reply.headers(), reply.body(), cx.now)?;
    let unreadable = |error: serde_json::Error| Fault::Unexpected(format!("HTTP {status}: {error}"));
    if status != StatusCode::OK {
        let problem: Problem<'_> = serde_json::from_slice(reply.body()).map_err(unreadable)?;
        return refused(operation, status, &problem).map(Step::Done);
    }
    let state: State<'_> = serde_json::from_slice(reply.body()).map_err(unreadable)?;
    if state.reference != reference {
        return Err(Fault::Unacceptable("it is about another reference".into()));
    }
    let refund = matches!(operation, Operation::Refund(_) | Operation::QueryRefund(_));
    state.outcome(refund).map(Step::Done)
}

/// The state of a payment or refund, as replies and notifications carry it.
#[derive(Deserialize)]
pub(super) struct State<'a> {
    #[serde(borrow)]
    pub(super) reference: Cow<'a, str>,
    id: Cow<'a, str>,
    status: Cow<'a, str>,
    amount: i64,
    currency: Cow<'a, str>,
    at: Option<i64>,
    show: Option<Cow<'a, str>>,
    url: Option<Cow<'a, str>>,
    code: Option<Cow<'a, str>>,
    message: Option<Cow<'a, str>>,
}

impl State<'_> {
    pub(super) fn outcome(&self, refund: bool) -> Result<Outcome, Fault> {
        let verdict = match (&*self.status, refund) {
            ("succeeded", _) => Verdict::Succeeded,
            ("pending", _) => Verdict::Pending,
            ("declined", _) => Verdict::Declined(self.decline()),
            ("authorized", false) => Verdict::Authorized,
            ("awaiting", false) => Verdict::Awaiting(self.action()?),
            ("closed", false) => Verdict::Closed,
            (other, _) => return Err(Fault::Unexpected(format!("status {other:?}"))),
        };
        let currency = Currency::parse(&self.currency)
            .ok()
            .filter(|currency| currency.code() == self.currency)
            .ok_or_else(|| Fault::Unexpected(format!("currency {:?}", self.currency)))?;
        let outcome = Outcome::new(verdict).channel_id(&*self.id).money(Money::new(self.amount, currency));
        Ok(Outcome { at: self.at.map(Timestamp::from_millis), ..outcome })
    }

    fn action(&self) -> Result<Action, Fault> {
        match (self.show.as_deref(), self.url.as_deref()) {
            (Some("qr"), Some(url)) => Ok(Action::Qr { content: url.to_owned() }),
            (Some("page"), Some(url)) => Ok(Action::Redirect { url: url.to_owned() }),
            _ => Err(Fault::Unexpected("awaiting without something to show".into())),
        }
    }

    fn decline(&self) -> Decline {
        let code = self.code.as_deref().unwrap_or("declined");
        let reason = match code {
            "insufficient_funds" => DeclineReason::InsufficientFunds,
            "payer_cancelled" => DeclineReason::Cancelled,
            "expired" => DeclineReason::Expired,
            _ => DeclineReason::Generic,
        };
        let message = self.message.as_deref().unwrap_or_default().to_owned();
        Decline { reason, code: code.to_owned(), message }
    }
}

/// The body of every reply but 200.
#[derive(Deserialize)]
struct Problem<'a> {
    #[serde(borrow)]
    error: Cow<'a, str>,
    message: Cow<'a, str>,
}

/// What a refused call means. Only the pairs named here are definite, and only for calls that act: a refused query
/// says nothing about the payment, and a reused reference nothing about what its first use did.
fn refused(operation: &Operation, status: StatusCode, problem: &Problem<'_>) -> Result<Outcome, Fault> {
    let pay = matches!(operation, Operation::Pay(_));
    let refund = matches!(operation, Operation::Refund(_));
    let acts = pay || refund || matches!(operation, Operation::Capture(_) | Operation::Void(_));
    let verdict = match (status.as_u16(), &*problem.error) {
        (404, "not_found") if !pay && !refund => Verdict::Absent,
        (404, "payment_not_found") if refund => declined(problem),
        (400, "invalid_request") | (409, "not_allowed") if acts => declined(problem),
        (_, code) => {
            let (code, message) = (code.to_owned(), problem.message.clone().into_owned());
            return Err(Fault::Unknown { code, message });
        }
    };
    Ok(Outcome::new(verdict))
}

fn declined(problem: &Problem<'_>) -> Verdict {
    Verdict::Declined(Decline {
        reason: DeclineReason::InvalidRequest,
        code: problem.error.clone().into_owned(),
        message: problem.message.clone().into_owned(),
    })
}

fn is_json(reply: &Reply) -> bool {
    let kind = reply.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
