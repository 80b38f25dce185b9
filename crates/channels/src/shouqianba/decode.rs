//! Replies as outcomes.

use paycore::channel::{
    Action, Close, DeclineReason as Why, Fault, Method, Operation, Outcome, Pay, Payment, Refund, Reply,
    Stage, Step, Verdict,
};
use paycore::money::Money;
use paycore::time::Timestamp;
use serde_json::Value;

use super::UNITS;
use super::config::Account;
use super::encode::{CANCELLING, CONFIRM, FIRST, REFUSED, ask, ask_refund, cancel, number};
use super::envelope::{Business, Order, answer, text};
use crate::dialect::reply::{declined, done, not_sent, same, same_amount, started};

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
) -> Result<Step, Fault> {
    match (operation, stage) {
        (Operation::Pay(pay), FIRST) => taken(account, reply, pay),
        (Operation::Pay(pay), stage) => {
            let found = found(account, reply, &started(pay))?;
            done(if found.verdict == Verdict::Absent { refusal(PAY_DOUBTS, stage) } else { found })
        }
        (Operation::Query(query), _) => done(found(account, reply, &query.payment)?),
        (Operation::Close(what), FIRST) => {
            let outcome = found(account, reply, &what.payment)?;
            if outcome.verdict != Verdict::Pending {
                return done(outcome);
            }
            cancel(account, &what.payment.reference).map_err(not_sent)
        }
        (Operation::Close(what), CANCELLING) => cancelled(account, reply, what),
        (Operation::Close(what), _) => done(found(account, reply, &what.payment)?),
        (Operation::Refund(refund), FIRST) => given_back(account, reply, refund),
        (Operation::Refund(refund), stage) => {
            let (payment, money) = (&refund.payment, refund.money);
            let found = refund_found(account, reply, payment, &refund.reference, money)?;
            done(if found.verdict == Verdict::Absent { refusal(REFUND_DOUBTS, stage) } else { found })
        }
        (Operation::QueryRefund(query), _) => {
            done(refund_found(account, reply, &query.payment, &query.reference, query.money)?)
        }
        _ => Err(Fault::Unsupported),
    }
}

/// Codes that say that there is no such order or refund.
const ABSENT: &[&str] = &["UPAY_ORDER_NOT_EXISTS", "TRADE_NOT_EXIST"];

/// A refusal that is believed only when a query finds nothing: its code, and what it then means.
type Doubt = (&'static str, Why);

/// Each of these may be said of the repeat of a request that was carried out.
const PAY_DOUBTS: &[Doubt] = &[
    ("INVALID_PARAMS", Why::InvalidRequest),
    ("INVALID_PARAMETER", Why::InvalidRequest),
    ("INVALID_BARCODE", Why::InvalidRequest),
    ("EXPIRED_BARCODE", Why::Expired),
    ("INSUFFICIENT_FUND", Why::InsufficientFunds),
    ("BUYER_OVER_DAILY_LIMIT", Why::Limit),
    ("BUYER_OVER_TRANSACTION_LIMIT", Why::Limit),
    ("SELLER_OVER_DAILY_LIMIT", Why::Limit),
    ("UPAY_STORE_OVER_DAILY_LIMIT", Why::Limit),
    ("UPAY_TERMINAL_NOT_EXISTS", Why::NotPermitted),
    ("UPAY_TERMINAL_STATUS_ABNORMAL", Why::NotPermitted),
    ("TRADE_FAILED", Why::Generic),
];

/// Codes that tell of an order or refund that exists already; it knows itself what became of it.
const KNOWN: &[&str] =
    &["CLIENT_SN_CONFLICT", "TRADE_HAS_SUCCESS", "TRADE_TIMEOUT", "UPAY_REFUND_ORDER_NOOP"];

const REFUND_DOUBTS: &[Doubt] = &[
    ("INVALID_PARAMS", Why::InvalidRequest),
    ("INVALID_PARAMETER", Why::InvalidRequest),
    ("ACCOUNT_BALANCE_NOT_ENOUGH", Why::InsufficientFunds),
    ("SELLER_BALANCE_NOT_ENOUGH", Why::InsufficientFunds),
    ("REFUNDABLE_AMOUNT_NOT_ENOUGH", Why::InvalidRequest),
    ("REFUND_AMT_NOT_EQUAL_TOTAL", Why::InvalidRequest),
    ("UPAY_REFUND_INVALID_ORDER_STATE", Why::InvalidRequest),
    ("UPAY_ORDER_NOT_EXISTS", Why::InvalidRequest),
    ("TRADE_NOT_EXIST", Why::InvalidRequest),
    ("UPAY_TCP_ORDER_NOT_REFUNDABLE", Why::NotPermitted),
];

/// The stage at which a query settles a refusal with this code.
fn doubt(doubts: &[Doubt], code: &str) -> Option<Stage> {
    if KNOWN.contains(&code) {
        return Some(CONFIRM);
    }
    (REFUSED..).zip(doubts).find(|(_, (known, _))| *known == code).map(|(stage, _)| stage)
}

/// The refusal behind a stage; the query that found nothing does not carry its text.
fn refusal(doubts: &[Doubt], stage: Stage) -> Outcome {
    let row = stage.checked_sub(REFUSED).and_then(|row| doubts.get(usize::from(row)));
    let absent = Outcome::new(Verdict::Absent);
    row.map_or(absent, |&(code, reason)| declined(reason, code, ""))
}

/// An order that was created or a barcode that was charged, or not.
fn taken(account: &Account, reply: &Reply, pay: &Pay) -> Result<Step, Fault> {
    let code = match answer(reply)? {
        Ok(business) => match (business.result_code.as_str(), &business.data) {
            ("PAY_SUCCESS" | "PAY_IN_PROGRESS", Some(order)) => {
                return done(state(account, order, &business, &started(pay))?);
            }
            // Failed and taken back, as the order itself says.
            ("PAY_FAIL", Some(order)) if order.order_status == "PAY_CANCELED" => {
                return done(state(account, order, &business, &started(pay))?);
            }
            ("PRECREATE_SUCCESS", Some(order)) => {
                same("order_status", Some(&order.order_status), "CREATED")?;
                ours(account, order, &started(pay))?;
                return done(Outcome::new(Verdict::Awaiting(action(order, pay)?)));
            }
            ("PAY_FAIL" | "PRECREATE_FAIL" | "FAIL", _) => text(business.error_code.as_deref()),
            _ => return Err(unknown(&business)),
        },
        Err((code, _)) => code,
    };
    let stage = doubt(PAY_DOUBTS, &code);
    let stage = stage.ok_or(Fault::Unknown { code, message: String::new() })?;
    ask(account, &pay.reference, stage).map_err(not_sent)
}

fn action(order: &Order, pay: &Pay) -> Result<Action, Fault> {
    if pay.method.scene() == "qr" {
        let fits =
            |text: &&String| (1..=512).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        let content = order.qr_code.as_ref().filter(fits);
        let content = content.ok_or_else(|| Fault::Unexpected("no qr_code".into()))?.clone();
        return Ok(Action::Qr { content });
    }
    let wrong = || Fault::Unexpected("no wap_pay_request".into());
    // An object, or one written out once more.
    let request = match order.wap_pay_request.as_ref().ok_or_else(wrong)? {
        Value::String(text) => serde_json::from_str(text).map_err(|_| wrong())?,
        other => other.clone(),
    };
    let Value::Object(request) = request else { return Err(wrong()) };
    let parameter = |(name, value): (String, Value)| match value {
        Value::String(value) => Some((name, value)),
        Value::Number(value) => Some((name, value.to_string())),
        _ => None,
    };
    let parameters: Option<Vec<_>> = request.into_iter().map(parameter).collect();
    let parameters = parameters.filter(|parameters| !parameters.is_empty()).ok_or_else(wrong)?;
    Ok(Action::Client { parameters })
}

/// The answer to a query of a payment.
fn found(account: &Account, reply: &Reply, payment: &Payment) -> Result<Outcome, Fault> {
    let business = match answer(reply)? {
        Ok(business) => business,
        Err((code, message)) => return Err(Fault::Unknown { code, message }),
    };
    match (business.result_code.as_str(), &business.data) {
        ("SUCCESS", Some(order)) => state(account, order, &business, payment),
        _ => absent(&business),
    }
}

/// The reply is about this payment.
fn ours(account: &Account, order: &Order, payment: &Payment) -> Result<Money, Fault> {
    if let Some(terminal) = &order.terminal_sn {
        same("terminal_sn", Some(terminal), &account.terminal_sn)?;
    }
    same("client_sn", Some(&order.client_sn), &payment.reference)?;
    if let (Some(said), Some(known)) = (&order.sn, &payment.channel_id) {
        same("sn", Some(said), known)?;
    }
    same_amount("total_amount", Some(&order.total_amount), UNITS, payment.money)
}

/// What a payment came to, once it is the one that was asked for.
fn state(account: &Account, order: &Order, business: &Business, payment: &Payment) -> Result<Outcome, Fault> {
    let money = ours(account, order, payment)?;
    outcome(order, money, business.error_code.as_deref(), Some(&payment.method))
}

/// What an order came to. An order that failed is closed, or declined where it was a direct charge.
pub(super) fn outcome(
    order: &Order,
    money: Money,
    error: Option<&str>,
    method: Option<&Method>,
) -> Result<Outcome, Fault> {
    let verdict = match order.order_status.as_str() {
        // Refunds only tell that some of the money went back later, or perhaps did.
        "PAID" | "REFUNDED" | "PARTIAL_REFUNDED" | "REFUND_ERROR" if order.sn.is_some() => Verdict::Succeeded,
        "CREATED" => Verdict::Pending,
        "PAY_CANCELED" if method.is_some_and(|method| method.scene() == "barcode") => {
            let code = error.unwrap_or("PAY_CANCELED");
            let row = PAY_DOUBTS.iter().find(|(known, _)| *known == code);
            declined(row.map_or(Why::Generic, |(_, reason)| *reason), code, "").verdict
        }
        "PAY_CANCELED" | "CANCELED" => Verdict::Closed,
        other => return Err(Fault::Unexpected(format!("order_status {other:?}"))),
    };
    // Later transactions have times of their own.
    let time = order.channel_finish_time.as_deref().filter(|text| !text.is_empty());
    let time = time.or(order.finish_time.as_deref()).filter(|_| order.order_status == "PAID");
    let at = instant(time)?;
    Ok(Outcome { channel_id: order.sn.clone(), at, ..Outcome::new(verdict).money(money) })
}

fn cancelled(account: &Account, reply: &Reply, what: &Close) -> Result<Step, Fault> {
    let confirm = || ask(account, &what.payment.reference, CONFIRM).map_err(not_sent);
    let Ok(business) = answer(reply)? else { return confirm() };
    match (business.result_code.as_str(), &business.data) {
        ("CANCEL_SUCCESS" | "CANCEL_ABORT_SUCCESS", Some(order)) => {
            ours(account, order, &what.payment)?;
            same("order_status", Some(&order.order_status), "CANCELED")?;
            done(Outcome::new(Verdict::Closed))
        }
        ("FAIL", _) => confirm(),
        _ => Err(unknown(&business)),
    }
}

fn given_back(account: &Account, reply: &Reply, refund: &Refund) -> Result<Step, Fault> {
    let code = match answer(reply)? {
        Ok(business) => match (business.result_code.as_str(), &business.data) {
            ("REFUND_SUCCESS", Some(order)) => {
                ours(account, order, &Payment { money: refund.captured, ..refund.payment.clone() })?;
                if !matches!(order.order_status.as_str(), "REFUNDED" | "PARTIAL_REFUNDED") {
                    return Err(Fault::Unexpected(format!("order_status {:?}", order.order_status)));
                }
                let at = instant(order.finish_time.as_deref())?;
                return done(Outcome { at, ..Outcome::new(Verdict::Succeeded) });
            }
            ("REFUND_IN_PROGRESS", _) => return done(Outcome::new(Verdict::Pending)),
            ("FAIL" | "REFUND_FAIL", _) => text(business.error_code.as_deref()),
            _ => return Err(unknown(&business)),
        },
        Err((code, _)) => code,
    };
    let stage = doubt(REFUND_DOUBTS, &code);
    let stage = stage.ok_or(Fault::Unknown { code, message: String::new() })?;
    ask_refund(account, &refund.payment.reference, &refund.reference, stage).map_err(not_sent)
}

/// The answer to a query of a refund. It names the refund by its number; the amount is the one that this number was
/// used for.
fn refund_found(
    account: &Account,
    reply: &Reply,
    payment: &Payment,
    reference: &str,
    money: Money,
) -> Result<Outcome, Fault> {
    let business = match answer(reply)? {
        Ok(business) => business,
        Err((code, message)) => return Err(Fault::Unknown { code, message }),
    };
    let (code, Some(order)) = (business.result_code.as_str(), &business.data) else {
        return absent(&business);
    };
    same("result_code", Some(code), "SUCCESS")?;
    ours(account, order, payment)?;
    let wanted = format!("{}-{}", payment.reference, number(reference));
    let Some(transaction) = order.client_tsn.as_deref().filter(|tsn| *tsn != payment.reference) else {
        // The payment itself: its refunds are unknown unless nothing has gone back.
        let whole = order.net_amount.as_ref() == Some(&order.total_amount);
        return if whole { Ok(Outcome::new(Verdict::Absent)) } else { Err(unknown(&business)) };
    };
    same("client_tsn", Some(transaction), &wanted)?;
    let verdict = match order.status.as_deref() {
        Some("SUCCESS") => Verdict::Succeeded,
        Some("IN_PROG") => Verdict::Pending,
        Some("FAIL_CANCELED") => declined(Why::Generic, "FAIL_CANCELED", "退款失败").verdict,
        other => return Err(Fault::Unexpected(format!("status {other:?}"))),
    };
    let at = instant(order.finish_time.as_deref())?;
    Ok(Outcome { at, ..Outcome::new(verdict).channel_id(transaction).money(money) })
}

fn absent(business: &Business) -> Result<Outcome, Fault> {
    let code = business.error_code.as_deref().unwrap_or_default();
    if business.result_code == "FAIL" && ABSENT.contains(&code) {
        Ok(Outcome::new(Verdict::Absent))
    } else {
        Err(unknown(business))
    }
}

fn unknown(business: &Business) -> Fault {
    let code = business.error_code.as_deref().unwrap_or(&business.result_code);
    Fault::Unknown { code: text(Some(code)), message: text(business.error_message.as_deref()) }
}

/// Milliseconds of the epoch that may be missing or empty.
fn instant(text: Option<&str>) -> Result<Option<Timestamp>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let digits = text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit());
    let at = text.parse().ok().filter(|_| digits).map(std::time::Duration::from_millis);
    at.map(|at| Some(Timestamp::ZERO.plus(at))).ok_or_else(|| Fault::Unexpected(format!("the time {text:?}")))
}
