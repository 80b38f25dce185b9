//! Replies as outcomes.

use std::time::Duration;

use http::StatusCode;
use paycore::channel::{
    Action, Close, Context, DeclineReason as Why, Fault, Operation, Outcome, Pay, Payment, Query,
    QueryRefund, Refund, Reply, Stage, Step, Verdict,
};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::config::Account;
use super::encode::{CANCEL, CONFIRM, INQUIRE, INQUIRE_REFUND, PAY, REFUND, call_of};
use super::envelope::{Said, Status, known};
use super::seal::Age;
use crate::dialect::doubt::{self, Doubt};
use crate::dialect::reply::{declined, done, not_sent, same, started};
use crate::dialect::v3::{instant, read};

/// A reply names no question, only the call it answers, so an old one must not pass for a new one.
const REPLY: Age = Age { header: "response-time", oldest: Duration::from_secs(300) };

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    // Errors of the call are said with status 200, too.
    if reply.status() != StatusCode::OK {
        return Err(Fault::Unexpected(format!("HTTP status {}", reply.status().as_u16())));
    }
    let path = account.path(call_of(operation, stage));
    account.verify(reply.headers(), (&path, reply.body()), &REPLY, cx.now)?;
    let said: Said = read(reply.body())?;
    match (operation, stage) {
        (Operation::Pay(pay), PAY) => begun(account, &said, pay, cx),
        (Operation::Pay(pay), _) => done(settled(found(&said, &started(pay))?, PAY_DOUBTS, stage)),
        (Operation::Close(close), INQUIRE) => closable(account, &said, &close.payment, cx),
        (Operation::Close(close), CANCEL) => cancelled(account, &said, &close.payment, cx),
        (Operation::Query(Query { payment }) | Operation::Close(Close { payment }), _) => {
            done(found(&said, payment)?)
        }
        (Operation::Refund(refund), INQUIRE) => refundable(account, &said, refund, cx),
        (Operation::Refund(refund), REFUND) => refunded(account, &said, refund, cx),
        (Operation::Refund(Refund { reference, money, .. }), _)
        | (Operation::QueryRefund(QueryRefund { reference, money, .. }), INQUIRE_REFUND) => {
            done(settled(refund_found(&said, reference, *money)?, REFUND_DOUBTS, stage))
        }
        _ => Err(Fault::Unsupported),
    }
}

/// A listed refusal is believed only when an inquiry finds nothing; the inquiry does not carry its text.
const NOTHING: &str = "refused, and an inquiry finds nothing";

const PAY_DOUBTS: &[Doubt] = &[
    ("PARAM_ILLEGAL", Why::InvalidRequest, NOTHING),
    ("ACCESS_DENIED", Why::NotPermitted, NOTHING),
    ("CURRENCY_NOT_SUPPORT", Why::NotPermitted, NOTHING),
    ("PAYMENT_METHOD_NOT_SUPPORTED", Why::NotPermitted, NOTHING),
    ("CONTRACT_CHECK_FAIL", Why::NotPermitted, NOTHING),
    ("MERCHANT_NOT_REGISTERED", Why::NotPermitted, NOTHING),
    ("PAYMENT_AMOUNT_EXCEED_LIMIT", Why::Limit, NOTHING),
    ("RISK_REJECT", Why::Risk, NOTHING),
    ("USER_BALANCE_NOT_ENOUGH", Why::InsufficientFunds, NOTHING),
    ("ORDER_IS_CLOSED", Why::Expired, NOTHING),
    ("ORDER_IS_CANCELED", Why::Cancelled, NOTHING),
    ("REPEAT_REQ_INCONSISTENT", Why::InvalidRequest, NOTHING),
    ("PROCESS_FAIL", Why::Generic, NOTHING),
];

const REFUND_DOUBTS: &[Doubt] = &[
    ("PARAM_ILLEGAL", Why::InvalidRequest, NOTHING),
    ("ACCESS_DENIED", Why::NotPermitted, NOTHING),
    ("MERCHANT_BALANCE_NOT_ENOUGH", Why::InsufficientFunds, NOTHING),
    ("REFUND_AMOUNT_EXCEED", Why::InvalidRequest, NOTHING),
    ("REFUND_WINDOW_EXCEED", Why::Expired, NOTHING),
    ("ORDER_NOT_EXIST", Why::InvalidRequest, NOTHING),
    ("ORDER_STATUS_INVALID", Why::InvalidRequest, NOTHING),
    ("PARTIAL_REFUND_NOT_SUPPORTED", Why::NotPermitted, NOTHING),
    ("MULTIPLE_REFUNDS_NOT_SUPPORTED", Why::NotPermitted, NOTHING),
    ("REPEAT_REQ_INCONSISTENT", Why::InvalidRequest, NOTHING),
    ("RISK_REJECT", Why::Risk, NOTHING),
    ("PROCESS_FAIL", Why::Generic, NOTHING),
];

/// Why a payment that began came to nothing.
const FAILURES: &[(&str, Why)] = &[
    ("USER_BALANCE_NOT_ENOUGH", Why::InsufficientFunds),
    ("USER_AMOUNT_EXCEED_LIMIT", Why::Limit),
    ("PAYMENT_AMOUNT_EXCEED_LIMIT", Why::Limit),
    ("PAYMENT_COUNT_EXCEED_LIMIT", Why::Limit),
    ("RISK_REJECT", Why::Risk),
    ("FRAUD_REJECT", Why::Risk),
    ("ACCESS_DENIED", Why::NotPermitted),
    ("USER_CANCELED", Why::Cancelled),
];

/// What an inquiry says of a refusal that led to it: the refusal counts when nothing is found.
fn settled(found: Outcome, doubts: &[Doubt], stage: Stage) -> Outcome {
    if found.verdict == Verdict::Absent { doubt::refusal(doubts, stage) } else { found }
}

/// A payment that waits for its payer at the cashier.
fn begun(account: &Account, said: &Said, pay: &Pay, cx: &Context<'_>) -> Result<Step, Fault> {
    let ask = |stage| account.inquire(&pay.reference, stage, cx).map_err(not_sent);
    match (said.result.result_status, said.result.result_code.as_str()) {
        // Paid before: this is a repeat.
        (Status::Succeeded, _) => ask(CONFIRM),
        (Status::Failed, code) => ask(doubt::stage(PAY_DOUBTS, code).ok_or_else(|| said.unknown())?),
        (Status::Unknown, "PAYMENT_IN_PROCESS") => {
            same("paymentRequestId", said.payment_request_id.as_deref(), &pay.reference)?;
            agreed(said, pay.money)?;
            let id = known("paymentId", said.payment_id.as_deref())?;
            let url = known("normalUrl", said.normal_url.as_deref())?.to_owned();
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
fn agreed(said: &Said, ours: Money) -> Result<Option<Money>, Fault> {
    let Some(amount) = &said.payment_amount else { return Ok(None) };
    let money = amount.money()?;
    if money != ours {
        return Err(Fault::Unacceptable(format!("paymentAmount is {money}, not {ours}")));
    }
    Ok(Some(money))
}

/// What an inquiry found, once it is the payment that was asked for.
fn found(said: &Said, payment: &Payment) -> Result<Outcome, Fault> {
    match said.result.result_status {
        Status::Succeeded => {}
        Status::Failed if said.absent() => return Ok(Outcome::new(Verdict::Absent)),
        _ => return Err(said.unknown()),
    }
    same("paymentRequestId", said.payment_request_id.as_deref(), &payment.reference)?;
    let id = said.payment_id.clone().filter(|id| !id.is_empty());
    if let (Some(said), Some(known)) = (&id, &payment.channel_id) {
        same("paymentId", Some(said), known)?;
    }
    let money = agreed(said, payment.money)?;
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
fn closable(account: &Account, said: &Said, payment: &Payment, cx: &Context<'_>) -> Result<Step, Fault> {
    let outcome = found(said, payment)?;
    if said.payment_status.as_deref() != Some("PROCESSING") {
        return done(outcome);
    }
    account.cancel(&payment.reference, cx).map_err(not_sent)
}

fn cancelled(account: &Account, said: &Said, payment: &Payment, cx: &Context<'_>) -> Result<Step, Fault> {
    match said.result.result_status {
        Status::Succeeded => {
            same("paymentRequestId", said.payment_request_id.as_deref(), &payment.reference)?;
            done(Outcome { channel_id: said.payment_id.clone(), ..Outcome::new(Verdict::Closed) })
        }
        // Ended otherwise in between; the payment itself knows how.
        Status::Failed => account.inquire(&payment.reference, CONFIRM, cx).map_err(not_sent),
        Status::Unknown => Err(said.unknown()),
    }
}

/// Refunds a payment whose number the inquiry has told. What was not paid cannot be refunded, but an earlier request
/// with this number may have been carried out, so the refund itself is asked for.
fn refundable(account: &Account, said: &Said, refund: &Refund, cx: &Context<'_>) -> Result<Step, Fault> {
    let outcome = found(said, &refund.payment)?;
    let code = match (outcome.verdict, outcome.channel_id) {
        (Verdict::Succeeded, Some(id)) => return account.refund(refund, &id, cx).map_err(not_sent),
        (Verdict::Absent, _) => "ORDER_NOT_EXIST",
        _ => "ORDER_STATUS_INVALID",
    };
    let stage = doubt::stage(REFUND_DOUBTS, code).unwrap_or(CONFIRM);
    account.inquire_refund(&refund.reference, stage, cx).map_err(not_sent)
}

fn refunded(account: &Account, said: &Said, refund: &Refund, cx: &Context<'_>) -> Result<Step, Fault> {
    let Refund { reference, money, .. } = refund;
    match (said.result.result_status, said.result.result_code.as_str()) {
        (Status::Succeeded, _) => done(refund_state(said, reference, *money, Verdict::Succeeded)?),
        (Status::Unknown, "REFUND_IN_PROCESS") => done(Outcome::new(Verdict::Pending)),
        (Status::Failed, code) => {
            let stage = doubt::stage(REFUND_DOUBTS, code).ok_or_else(|| said.unknown())?;
            account.inquire_refund(reference, stage, cx).map_err(not_sent)
        }
        (Status::Unknown, _) => Err(said.unknown()),
    }
}

fn refund_found(said: &Said, reference: &str, money: Money) -> Result<Outcome, Fault> {
    match said.result.result_status {
        Status::Succeeded => refund_state(said, reference, money, refund_verdict(said)?),
        Status::Failed if said.absent() => Ok(Outcome::new(Verdict::Absent)),
        _ => Err(said.unknown()),
    }
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
