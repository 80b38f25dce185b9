//! Replies as outcomes.

use paycore::channel::{
    Action, Close, Context, Decline, DeclineReason as Why, Fault, Operation, Outcome, Pay, Refund, Refusal,
    Reply, Stage, Step, Verdict,
};
use paycore::money::Money;

use super::config::Account;
use super::encode::{CLOSE, CONFIRM, FIRST, PRECREATE, QUERY, REFUND, REFUND_QUERY, ask, ask_refund};
use super::envelope::{self, Node};
use super::{CNY, UNITS};
use crate::dialect::reply::{amount, beijing, same, same_amount};

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let open = |method| envelope::open(account, method, reply);
    match (operation, stage) {
        (Operation::Pay(pay), FIRST) => precreated(account, &open(PRECREATE)?, pay, cx),
        (Operation::Pay(pay), _) => trade(open(QUERY)?, &pay.reference, None, pay.money),
        (Operation::Query(query), _) => trade(
            open(QUERY)?,
            &query.payment.reference,
            query.payment.channel_id.as_deref(),
            query.payment.money,
        ),
        (Operation::Close(close), FIRST) => closed(account, open(CLOSE)?, close, cx),
        (Operation::Close(close), _) => trade(
            open(QUERY)?,
            &close.payment.reference,
            close.payment.channel_id.as_deref(),
            close.payment.money,
        ),
        (Operation::Refund(refund), FIRST) => refunded(account, open(REFUND)?, refund, cx),
        (Operation::Refund(refund), _) => {
            let given = refund_state(
                open(REFUND_QUERY)?,
                &refund.payment.reference,
                &refund.reference,
                refund.money,
            )?;
            Ok(Step::Done(given.unwrap_or_else(|| Outcome::new(without_trace(stage)))))
        }
        (Operation::QueryRefund(query), _) => {
            let given =
                refund_state(open(REFUND_QUERY)?, &query.payment.reference, &query.reference, query.money)?;
            Ok(Step::Done(given.unwrap_or_else(|| Outcome::new(Verdict::Absent))))
        }
        _ => Err(Fault::Unsupported),
    }
}

/// Documented refusals of a precreate after which no money moves under its reference.
const PAY_DECLINES: &[(Why, &[&str])] = &[
    (Why::Expired, &["ACQ.TRADE_HAS_CLOSE"]),
    (Why::InsufficientFunds, &["ACQ.BUYER_BALANCE_NOT_ENOUGH", "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH"]),
    (
        Why::Limit,
        &["ACQ.TOTAL_FEE_EXCEED", "ACQ.BEYOND_PAY_RESTRICTION", "ACQ.BEYOND_PER_RECEIPT_RESTRICTION"],
    ),
    (Why::Limit, &["ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR"]),
    (Why::Risk, &["ACQ.PAYMENT_REQUEST_HAS_RISK"]),
    (Why::InvalidRequest, &["ACQ.INVALID_PARAMETER", "ACQ.EXIST_FORBIDDEN_WORD", "ACQ.BUYER_SELLER_EQUAL"]),
    (Why::NotPermitted, &["ACQ.ACCESS_FORBIDDEN", "ACQ.PARTNER_ERROR", "isv.insufficient-isv-permissions"]),
];

/// Refusals of a close that tell a trade closed, paid or being paid; the trade itself knows which.
const NOT_OPEN: &[&str] = &[
    "ACQ.TRADE_STATUS_ERROR",
    "ACQ.REASON_TRADE_STATUS_INVALID",
    "ACQ.TRADE_HAS_SUCCESS",
    "ACQ.TRADE_HAS_FINISHED",
    "ACQ.TRADE_HAS_CLOSE",
];

/// Documented refusals of a refund. Each may also be said of the repeat of a refund that was already given, so
/// the refund is asked for before the no is believed; hence the text, which the second reply does not carry.
const REFUND_DECLINES: &[(&str, Why, &str)] = &[
    ("ACQ.SELLER_BALANCE_NOT_ENOUGH", Why::InsufficientFunds, "卖家余额不足"),
    ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", Why::InvalidRequest, "退款金额超限"),
    ("ACQ.REASON_TRADE_REFUND_FEE_ERR", Why::InvalidRequest, "退款金额无效"),
    ("ACQ.REFUND_FEE_ERROR", Why::InvalidRequest, "交易退款金额有误"),
    ("ACQ.INVALID_PARAMETER", Why::InvalidRequest, "参数无效"),
    ("ACQ.TRADE_NOT_EXIST", Why::InvalidRequest, "交易不存在"),
    ("ACQ.TRADE_HAS_FINISHED", Why::Expired, "交易已完结"),
    ("ACQ.TRADE_HAS_CLOSE", Why::Expired, "交易已关闭"),
    ("ACQ.TRADE_STATUS_ERROR", Why::Generic, "交易状态不合法"),
    ("ACQ.REASON_TRADE_BEEN_FREEZEN", Why::Generic, "请求退款的交易被冻结"),
    ("ACQ.TRADE_NOT_ALLOW_REFUND", Why::NotPermitted, "当前交易不允许退款"),
    ("isv.insufficient-isv-permissions", Why::NotPermitted, "ISV权限不足"),
];

/// The stage at which the first refusal of [`REFUND_DECLINES`] waits for the refund query; the next ones follow.
const REFUSED: Stage = CONFIRM + 1;

fn precreated(account: &Account, node: &Node, pay: &Pay, cx: &Context<'_>) -> Result<Step, Fault> {
    let Some(code) = refusal(node)? else {
        same("out_trade_no", node.out_trade_no.as_deref(), &pay.reference)?;
        let content = node.qr_code.clone().filter(|text| (1..=1024).contains(&text.len()));
        let content = content.ok_or_else(|| Fault::Unexpected("no qr_code".into()))?;
        return Ok(Step::Done(Outcome::new(Verdict::Awaiting(Action::Qr { content }))));
    };
    // Paid already, or known with other particulars: an earlier send of this reference did arrive.
    if matches!(code, "ACQ.TRADE_HAS_SUCCESS" | "ACQ.CONTEXT_INCONSISTENT") {
        return ask(account, &pay.reference, CONFIRM, cx).map_err(not_sent);
    }
    let known = PAY_DECLINES.iter().find(|(_, codes)| codes.contains(&code));
    let &(reason, _) = known.ok_or_else(|| node.unknown())?;
    let message = node.sub_msg.clone().unwrap_or_default();
    Ok(Step::Done(Outcome::new(Verdict::Declined(Decline { reason, code: code.to_owned(), message }))))
}

fn closed(account: &Account, node: Node, close: &Close, cx: &Context<'_>) -> Result<Step, Fault> {
    match refusal(&node)? {
        None => {
            same("out_trade_no", node.out_trade_no.as_deref(), &close.payment.reference)?;
            Ok(Step::Done(identified(Verdict::Closed, node.trade_no)))
        }
        Some("ACQ.TRADE_NOT_EXIST") => Ok(Step::Done(Outcome::new(Verdict::Absent))),
        Some(code) if NOT_OPEN.contains(&code) => {
            ask(account, &close.payment.reference, CONFIRM, cx).map_err(not_sent)
        }
        Some(_) => Err(node.unknown()),
    }
}

/// The state of a trade, from a query.
fn trade(node: Node, reference: &str, channel_id: Option<&str>, money: Money) -> Result<Step, Fault> {
    match refusal(&node)? {
        None => {}
        Some("ACQ.TRADE_NOT_EXIST") => return Ok(Step::Done(Outcome::new(Verdict::Absent))),
        Some(_) => return Err(node.unknown()),
    }
    same("out_trade_no", node.out_trade_no.as_deref(), reference)?;
    if let Some(id) = channel_id {
        same("trade_no", node.trade_no.as_deref(), id)?;
    }
    same("trans_currency", Some(node.trans_currency.as_deref().unwrap_or("CNY")), "CNY")?;
    let total = same_amount("total_amount", node.total_amount.as_deref(), UNITS, money)?;
    let at = beijing("send_pay_date", node.send_pay_date.as_deref())?;
    let verdict = state(node.trade_status.as_deref(), at.is_some())?;
    Ok(Step::Done(Outcome { at, ..identified(verdict, node.trade_no).money(total) }))
}

/// The verdict behind a `trade_status`. `TRADE_CLOSED` is said of a trade that was never paid and of one that was
/// paid and given back in full; only traces of the payment tell them apart.
pub(super) fn state(status: Option<&str>, was_paid: bool) -> Result<Verdict, Fault> {
    match status {
        Some("TRADE_SUCCESS" | "TRADE_FINISHED") => Ok(Verdict::Succeeded),
        Some("TRADE_CLOSED") if was_paid => Ok(Verdict::Succeeded),
        Some("TRADE_CLOSED") => Ok(Verdict::Closed),
        Some("WAIT_BUYER_PAY") => Ok(Verdict::Pending),
        other => Err(Fault::Unexpected(format!("trade_status {other:?}"))),
    }
}

fn refunded(account: &Account, node: Node, refund: &Refund, cx: &Context<'_>) -> Result<Step, Fault> {
    let ask = |stage| {
        ask_refund(account, &refund.reference, &refund.payment.reference, stage, cx).map_err(not_sent)
    };
    if let Some(code) = refusal(&node)? {
        let stages = REFUSED..;
        let known = stages.zip(REFUND_DECLINES).find(|(_, (known, ..))| *known == code);
        return known.map_or_else(|| Err(node.unknown()), |(stage, _)| ask(stage));
    }
    same("out_trade_no", node.out_trade_no.as_deref(), &refund.payment.reference)?;
    // Everything given back of this trade so far, not what this refund gave.
    let total = amount("refund_fee", node.refund_fee.as_deref(), UNITS, CNY)?;
    if !(refund.money.minor()..=refund.captured.minor()).contains(&total.minor()) {
        return Err(Fault::Unacceptable(format!("refund_fee is {total}, refunding {}", refund.money)));
    }
    // "N" is said of a repeat and of a refund that did not move money (yet).
    if node.fund_change.as_deref() != Some("Y") || total != refund.money {
        return ask(CONFIRM);
    }
    let at = beijing("gmt_refund_pay", node.gmt_refund_pay.as_deref())?;
    Ok(Step::Done(Outcome { at, ..identified(Verdict::Succeeded, node.trade_no).money(total) }))
}

/// The state of a refund, from a query; `None` when Alipay has no trace of a refund that succeeded.
fn refund_state(node: Node, payment: &str, reference: &str, money: Money) -> Result<Option<Outcome>, Fault> {
    match refusal(&node)? {
        None => {}
        Some("ACQ.TRADE_NOT_EXIST") => return Ok(None),
        Some(_) => return Err(node.unknown()),
    }
    match node.refund_status.as_deref() {
        Some("REFUND_SUCCESS") => {}
        // Documented: without this field the refund was not received or failed, and may be sent again.
        None | Some("") => return Ok(None),
        Some(other) => return Err(Fault::Unexpected(format!("refund_status {other:?}"))),
    }
    same("out_trade_no", node.out_trade_no.as_deref(), payment)?;
    same("out_request_no", node.out_request_no.as_deref(), reference)?;
    let given = same_amount("refund_amount", node.refund_amount.as_deref(), UNITS, money)?;
    let at = beijing("gmt_refund_pay", node.gmt_refund_pay.as_deref())?;
    Ok(Some(Outcome { at, ..identified(Verdict::Succeeded, node.trade_no).money(given) }))
}

/// What to say when the query after a refund finds no trace of it: the refusal that led to the query, or, where the
/// refund was accepted, that it is not done yet.
fn without_trace(stage: Stage) -> Verdict {
    let row = stage.checked_sub(REFUSED).and_then(|row| REFUND_DECLINES.get(usize::from(row)));
    row.map_or(Verdict::Pending, |&(code, reason, message)| {
        Verdict::Declined(Decline { reason, code: code.to_owned(), message: message.to_owned() })
    })
}

/// The `sub_code` of a signed definite answer, or `None` for success. 20000, 10003 and every code that is not
/// documented as an answer leave the outcome unknown.
fn refusal(node: &Node) -> Result<Option<&str>, Fault> {
    match (node.code.as_str(), node.sub_code.as_deref()) {
        ("10000", None | Some("")) => Ok(None),
        ("40001" | "40002" | "40004" | "40006", Some(code)) => Ok(Some(code)),
        _ => Err(node.unknown()),
    }
}

fn identified(verdict: Verdict, trade_no: Option<String>) -> Outcome {
    Outcome { channel_id: trade_no, ..Outcome::new(verdict) }
}

/// The query that should have settled an answer could not even be written.
fn not_sent(refusal: Refusal) -> Fault {
    Fault::Unexpected(format!("the confirming query: {refusal}"))
}
