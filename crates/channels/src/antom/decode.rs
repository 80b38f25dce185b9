//! Replies as outcomes.

use std::time::Duration;

use paycore::channel::{
    Action, Close, Context, DeclineReason as Why, Fault, Operation, Outcome, Pay, Refund, Reply, Stage, Step,
    Verdict,
};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::config::Account;
use super::encode::{
    CANCEL, CONFIRM, INQUIRE, INQUIRE_REFUND, PAY, REFUND, REFUSED, call_of, cancel, inquire, inquire_refund,
    refund_of,
};
use super::envelope::{Said, Status, status_ok};
use super::seal::Age;
use crate::dialect::reply::{declined, done, not_sent, same};
use crate::dialect::v3::instant;

/// A reply names no question, only the call it answers, so an old one must not pass for a new one.
const REPLY: Age = Age { header: "response-time", oldest: Duration::from_secs(300) };

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    status_ok(reply)?;
    let path = account.path(call_of(operation, stage));
    account.verify(reply.headers(), (&path, reply.body()), &REPLY, cx.now)?;
    let said = Said::read(reply.body())?;
    match (operation, stage) {
        (Operation::Pay(pay), PAY) => begun(account, &said, pay, cx),
        (Operation::Pay(pay), _) => {
            let found = found(&said, &pay.reference, None, pay.money)?;
            done(if found.verdict == Verdict::Absent { refusal(PAY_DOUBTS, stage) } else { found })
        }
        (Operation::Query(query), _) => {
            let payment = &query.payment;
            done(found(&said, &payment.reference, payment.channel_id.as_deref(), payment.money)?)
        }
        (Operation::Close(close), INQUIRE) => closable(account, &said, close, cx),
        (Operation::Close(close), CANCEL) => cancelled(account, &said, close, cx),
        (Operation::Close(close), _) => {
            let payment = &close.payment;
            done(found(&said, &payment.reference, payment.channel_id.as_deref(), payment.money)?)
        }
        (Operation::Refund(refund), INQUIRE) => refundable(account, &said, refund, cx),
        (Operation::Refund(refund), REFUND) => refunded(account, &said, refund, cx),
        (Operation::Refund(refund), stage) => {
            let found = refund_found(&said, &refund.reference, refund.money)?;
            done(if found.verdict == Verdict::Absent { refusal(REFUND_DOUBTS, stage) } else { found })
        }
        (Operation::QueryRefund(query), INQUIRE_REFUND) => {
            done(refund_found(&said, &query.reference, query.money)?)
        }
        _ => Err(Fault::Unsupported),
    }
}

/// A refusal that is believed only when an inquiry finds nothing, or nothing else: its code, and what it then means.
type Doubt = (&'static str, Why);

const PAY_DOUBTS: &[Doubt] = &[
    ("PARAM_ILLEGAL", Why::InvalidRequest),
    ("ACCESS_DENIED", Why::NotPermitted),
    ("CURRENCY_NOT_SUPPORT", Why::NotPermitted),
    ("PAYMENT_METHOD_NOT_SUPPORTED", Why::NotPermitted),
    ("CONTRACT_CHECK_FAIL", Why::NotPermitted),
    ("MERCHANT_NOT_REGISTERED", Why::NotPermitted),
    ("PAYMENT_AMOUNT_EXCEED_LIMIT", Why::Limit),
    ("RISK_REJECT", Why::Risk),
    ("USER_BALANCE_NOT_ENOUGH", Why::InsufficientFunds),
    ("ORDER_IS_CLOSED", Why::Expired),
    ("ORDER_IS_CANCELED", Why::Cancelled),
    ("REPEAT_REQ_INCONSISTENT", Why::InvalidRequest),
    ("PROCESS_FAIL", Why::Generic),
];

const REFUND_DOUBTS: &[Doubt] = &[
    ("PARAM_ILLEGAL", Why::InvalidRequest),
    ("ACCESS_DENIED", Why::NotPermitted),
    ("MERCHANT_BALANCE_NOT_ENOUGH", Why::InsufficientFunds),
    ("REFUND_AMOUNT_EXCEED", Why::InvalidRequest),
    ("REFUND_WINDOW_EXCEED", Why::Expired),
    ("ORDER_NOT_EXIST", Why::InvalidRequest),
    ("ORDER_STATUS_INVALID", Why::InvalidRequest),
    ("PARTIAL_REFUND_NOT_SUPPORTED", Why::NotPermitted),
    ("MULTIPLE_REFUNDS_NOT_SUPPORTED", Why::NotPermitted),
    ("REPEAT_REQ_INCONSISTENT", Why::InvalidRequest),
    ("RISK_REJECT", Why::Risk),
    ("PROCESS_FAIL", Why::Generic),
];

/// Why a payment that began came to nothing.
const FAILURES: &[Doubt] = &[
    ("USER_BALANCE_NOT_ENOUGH", Why::InsufficientFunds),
    ("USER_AMOUNT_EXCEED_LIMIT", Why::Limit),
    ("PAYMENT_AMOUNT_EXCEED_LIMIT", Why::Limit),
    ("PAYMENT_COUNT_EXCEED_LIMIT", Why::Limit),
    ("RISK_REJECT", Why::Risk),
    ("FRAUD_REJECT", Why::Risk),
    ("ACCESS_DENIED", Why::NotPermitted),
    ("USER_CANCELED", Why::Cancelled),
];

/// Codes that say that there is no such payment or refund.
const ABSENT: &[&str] = &["ORDER_NOT_EXIST", "REFUND_NOT_EXIST"];

/// The stage at which an inquiry settles this refusal.
fn doubt(doubts: &[Doubt], code: &str) -> Option<Stage> {
    (REFUSED..).zip(doubts).find(|(_, (known, _))| *known == code).map(|(stage, _)| stage)
}

/// The refusal behind a stage.
fn refusal(doubts: &[Doubt], stage: Stage) -> Outcome {
    let row = stage.checked_sub(REFUSED).and_then(|row| doubts.get(usize::from(row)));
    let absent = Outcome::new(Verdict::Absent);
    row.map_or(absent, |(code, reason)| declined(*reason, code, "refused, and an inquiry finds nothing"))
}

/// A payment that waits for its payer at the cashier.
fn begun(account: &Account, said: &Said, pay: &Pay, cx: &Context<'_>) -> Result<Step, Fault> {
    let ask = |stage| inquire(account, &pay.reference, stage, cx).map_err(not_sent);
    match (said.result.result_status, said.result.result_code.as_str()) {
        // Paid before: this is a repeat.
        (Status::Succeeded, _) => ask(CONFIRM),
        (Status::Failed, code) => ask(doubt(PAY_DOUBTS, code).ok_or_else(|| said.unknown())?),
        (Status::Unknown, "PAYMENT_IN_PROCESS") => {
            same("paymentRequestId", said.payment_request_id.as_deref(), &pay.reference)?;
            agreed("paymentAmount", said, pay.money)?;
            let id = said.payment_id.as_deref().filter(|id| !id.is_empty());
            let id = id.ok_or_else(|| Fault::Unexpected("no paymentId".into()))?;
            let url = said.normal_url.clone().ok_or_else(|| Fault::Unexpected("no normalUrl".into()))?;
            let fits = url.starts_with("https://") || url.starts_with("http://");
            if !fits || url.len() > 2048 || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(Fault::Unexpected("normalUrl is no address".into()));
            }
            done(Outcome::new(Verdict::Awaiting(Action::Redirect { url })).channel_id(id))
        }
        (Status::Unknown, _) => Err(said.unknown()),
    }
}

/// The amount of the payment, if it is said, has to be ours.
fn agreed(what: &str, said: &Said, ours: Money) -> Result<Option<Money>, Fault> {
    let Some(amount) = &said.payment_amount else { return Ok(None) };
    let money = amount.money()?;
    if money != ours {
        return Err(Fault::Unacceptable(format!("{what} is {money}, not {ours}")));
    }
    Ok(Some(money))
}

/// What an inquiry found, once it is the payment that was asked for.
fn found(said: &Said, reference: &str, channel_id: Option<&str>, money: Money) -> Result<Outcome, Fault> {
    if said.result.result_status == Status::Failed && ABSENT.contains(&said.result.result_code.as_str()) {
        return Ok(Outcome::new(Verdict::Absent));
    }
    if said.result.result_status != Status::Succeeded {
        return Err(said.unknown());
    }
    same("paymentRequestId", said.payment_request_id.as_deref(), reference)?;
    let id = said.payment_id.clone().filter(|id| !id.is_empty());
    if let (Some(said), Some(known)) = (&id, channel_id) {
        same("paymentId", Some(said), known)?;
    }
    let money = agreed("paymentAmount", said, money)?;
    let (code, message) = (said.payment_result_code.as_deref(), said.payment_result_message.as_deref());
    let verdict = match said.payment_status.as_deref() {
        Some("SUCCESS") if id.is_some() && money.is_some() => Verdict::Succeeded,
        // Pending is paid, but not yet sure.
        Some("PROCESSING" | "PENDING") => Verdict::Pending,
        Some("CANCELLED") => Verdict::Closed,
        Some("FAIL") => failed(code.unwrap_or_default(), message.unwrap_or_default()),
        other => return Err(Fault::Unexpected(format!("paymentStatus {other:?}"))),
    };
    let at = instant("paymentTime", said.payment_time.as_deref())?;
    Ok(Outcome { channel_id: id, money, at, ..Outcome::new(verdict) })
}

/// A payment that failed for good. One nobody paid in time is closed rather than declined.
pub(super) fn failed(code: &str, message: &str) -> Verdict {
    if code == "ORDER_IS_CLOSED" {
        return Verdict::Closed;
    }
    let row = FAILURES.iter().find(|(known, _)| *known == code);
    declined(row.map_or(Why::Generic, |(_, reason)| *reason), code, message).verdict
}

/// Cancels what the inquiry has shown to be unpaid. A payer who has paid already, even if it is not sure yet, keeps
/// the payment: a cancellation would give the money back.
fn closable(account: &Account, said: &Said, close: &Close, cx: &Context<'_>) -> Result<Step, Fault> {
    let payment = &close.payment;
    let outcome = found(said, &payment.reference, payment.channel_id.as_deref(), payment.money)?;
    if said.payment_status.as_deref() != Some("PROCESSING") {
        return done(outcome);
    }
    cancel(account, &payment.reference, cx).map_err(not_sent)
}

fn cancelled(account: &Account, said: &Said, close: &Close, cx: &Context<'_>) -> Result<Step, Fault> {
    let payment = &close.payment;
    match said.result.result_status {
        Status::Succeeded => {
            same("paymentRequestId", said.payment_request_id.as_deref(), &payment.reference)?;
            done(Outcome { channel_id: said.payment_id.clone(), ..Outcome::new(Verdict::Closed) })
        }
        // Ended otherwise in between; the payment itself knows how.
        Status::Failed => inquire(account, &payment.reference, CONFIRM, cx).map_err(not_sent),
        Status::Unknown => Err(said.unknown()),
    }
}

/// Refunds a payment whose number the inquiry has told. What was not paid cannot be refunded, but an earlier request
/// with this number may have been carried out, so the refund itself is asked for.
fn refundable(account: &Account, said: &Said, refund: &Refund, cx: &Context<'_>) -> Result<Step, Fault> {
    let payment = &refund.payment;
    let outcome = found(said, &payment.reference, None, payment.money)?;
    let step = match (outcome.verdict, outcome.channel_id) {
        (Verdict::Succeeded, Some(id)) => refund_of(account, refund, &id, cx),
        (verdict, _) => {
            let absent = verdict == Verdict::Absent;
            let code = if absent { "ORDER_NOT_EXIST" } else { "ORDER_STATUS_INVALID" };
            let stage = doubt(REFUND_DOUBTS, code).unwrap_or(CONFIRM);
            inquire_refund(account, &refund.reference, stage, cx)
        }
    };
    step.map_err(not_sent)
}

fn refunded(account: &Account, said: &Said, refund: &Refund, cx: &Context<'_>) -> Result<Step, Fault> {
    match (said.result.result_status, said.result.result_code.as_str()) {
        (Status::Succeeded, _) => {
            done(refund_state(said, &refund.reference, refund.money, Verdict::Succeeded)?)
        }
        (Status::Unknown, "REFUND_IN_PROCESS") => done(Outcome::new(Verdict::Pending)),
        (Status::Failed, code) => {
            let stage = doubt(REFUND_DOUBTS, code).ok_or_else(|| said.unknown())?;
            inquire_refund(account, &refund.reference, stage, cx).map_err(not_sent)
        }
        (Status::Unknown, _) => Err(said.unknown()),
    }
}

fn refund_found(said: &Said, reference: &str, money: Money) -> Result<Outcome, Fault> {
    if said.result.result_status == Status::Failed && ABSENT.contains(&said.result.result_code.as_str()) {
        return Ok(Outcome::new(Verdict::Absent));
    }
    if said.result.result_status != Status::Succeeded {
        return Err(said.unknown());
    }
    refund_state(said, reference, money, refund_verdict(said)?)
}

/// What a `refundStatus` means.
pub(super) fn refund_verdict(said: &Said) -> Result<Verdict, Fault> {
    match said.refund_status.as_deref() {
        Some("SUCCESS") => Ok(Verdict::Succeeded),
        Some("PROCESSING") => Ok(Verdict::Pending),
        Some("FAIL") => Ok(declined(Why::Generic, "FAIL", &said.result.result_message).verdict),
        other => Err(Fault::Unexpected(format!("refundStatus {other:?}"))),
    }
}

/// A refund, once it is the one that was asked for.
fn refund_state(said: &Said, reference: &str, money: Money, verdict: Verdict) -> Result<Outcome, Fault> {
    same("refundRequestId", said.refund_request_id.as_deref(), reference)?;
    let (given, at) = refund_facts(said)?;
    if given != money {
        return Err(Fault::Unacceptable(format!("refundAmount is {given}, not {money}")));
    }
    Ok(Outcome { channel_id: said.refund_id.clone(), money: Some(given), at, ..Outcome::new(verdict) })
}

/// How much a refund gives back, and when.
pub(super) fn refund_facts(said: &Said) -> Result<(Money, Option<Timestamp>), Fault> {
    let amount = said.refund_amount.as_ref().ok_or_else(|| Fault::Unexpected("no refundAmount".into()))?;
    Ok((amount.money()?, instant("refundTime", said.refund_time.as_deref())?))
}
