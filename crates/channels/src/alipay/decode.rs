//! Replies as outcomes.

use paycore::channel::{
    Action, Context, Decline, DeclineReason, Fault, Operation, Outcome, Refund, Refusal, Reply, Stage, Step,
    Verdict,
};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::config::Account;
use super::encode::{CLOSE, CONFIRM, FIRST, PRECREATE, QUERY, REFUND, REFUND_QUERY, ask, ask_refund};
use super::envelope::{self, Node};
use super::{CNY, UNITS};

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let open = |method| envelope::open(account, method, reply);
    match operation {
        Operation::Pay(pay) if stage == FIRST => match precreated(&open(PRECREATE)?, &pay.reference)? {
            Some(outcome) => Ok(Step::Done(outcome)),
            None => ask(account, &pay.reference, CONFIRM, cx).map_err(not_sent),
        },
        Operation::Pay(pay) => trade(open(QUERY)?, &pay.reference, None, pay.money),
        Operation::Query(query) => {
            trade(open(QUERY)?, &query.reference, query.channel_id.as_deref(), query.money)
        }
        Operation::Close(close) if stage == FIRST => match closed(open(CLOSE)?, &close.reference)? {
            Some(outcome) => Ok(Step::Done(outcome)),
            None => ask(account, &close.reference, CONFIRM, cx).map_err(not_sent),
        },
        Operation::Close(close) => {
            trade(open(QUERY)?, &close.reference, close.channel_id.as_deref(), close.money)
        }
        Operation::Refund(refund) if stage == FIRST => match refunded(open(REFUND)?, refund)? {
            Given::Sure(outcome) => Ok(Step::Done(outcome)),
            Given::Ask(stage) => {
                ask_refund(account, &refund.reference, &refund.payment_reference, stage, cx).map_err(not_sent)
            }
        },
        Operation::Refund(refund) => {
            let given = refund_state(
                open(REFUND_QUERY)?,
                &refund.payment_reference,
                &refund.reference,
                refund.money,
            )?;
            Ok(Step::Done(given.unwrap_or_else(|| Outcome::new(without_trace(stage)))))
        }
        Operation::QueryRefund(query) => {
            let given =
                refund_state(open(REFUND_QUERY)?, &query.payment_reference, &query.reference, query.money)?;
            Ok(Step::Done(given.unwrap_or_else(|| Outcome::new(Verdict::Absent))))
        }
        _ => Err(Fault::Unsupported),
    }
}

/// Documented refusals of a precreate after which no money moves under its reference.
const PAY_DECLINES: &[(&str, DeclineReason)] = &[
    ("ACQ.TRADE_HAS_CLOSE", DeclineReason::Expired),
    ("ACQ.BUYER_BALANCE_NOT_ENOUGH", DeclineReason::InsufficientFunds),
    ("ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH", DeclineReason::InsufficientFunds),
    ("ACQ.TOTAL_FEE_EXCEED", DeclineReason::Limit),
    ("ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", DeclineReason::Limit),
    ("ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR", DeclineReason::Limit),
    ("ACQ.BEYOND_PAY_RESTRICTION", DeclineReason::Limit),
    ("ACQ.BEYOND_PER_RECEIPT_RESTRICTION", DeclineReason::Limit),
    ("ACQ.PAYMENT_REQUEST_HAS_RISK", DeclineReason::Risk),
    ("ACQ.RISK_MERCHANT_IP_NOT_EXIST", DeclineReason::Risk),
    ("ACQ.INVALID_PARAMETER", DeclineReason::InvalidRequest),
    ("ACQ.EXIST_FORBIDDEN_WORD", DeclineReason::InvalidRequest),
    ("ACQ.BUYER_SELLER_EQUAL", DeclineReason::InvalidRequest),
    ("ACQ.ACCESS_FORBIDDEN", DeclineReason::NotPermitted),
    ("ACQ.PARTNER_ERROR", DeclineReason::NotPermitted),
    ("isv.insufficient-isv-permissions", DeclineReason::NotPermitted),
];

/// Documented refusals of a refund. Each may also be said of the repeat of a refund that was already given, so
/// the refund is asked for before the no is believed; hence the text, which the second reply does not carry.
const REFUND_DECLINES: &[(&str, DeclineReason, &str)] = &[
    ("ACQ.SELLER_BALANCE_NOT_ENOUGH", DeclineReason::InsufficientFunds, "卖家余额不足"),
    ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", DeclineReason::InvalidRequest, "退款金额超限"),
    ("ACQ.REASON_TRADE_REFUND_FEE_ERR", DeclineReason::InvalidRequest, "退款金额无效"),
    ("ACQ.REFUND_FEE_ERROR", DeclineReason::InvalidRequest, "交易退款金额有误"),
    ("ACQ.INVALID_PARAMETER", DeclineReason::InvalidRequest, "参数无效"),
    ("ACQ.TRADE_NOT_EXIST", DeclineReason::InvalidRequest, "交易不存在"),
    ("ACQ.TRADE_HAS_FINISHED", DeclineReason::Expired, "交易已完结"),
    ("ACQ.TRADE_HAS_CLOSE", DeclineReason::Expired, "交易已关闭"),
    ("ACQ.TRADE_STATUS_ERROR", DeclineReason::Generic, "交易状态不合法"),
    ("ACQ.REASON_TRADE_BEEN_FREEZEN", DeclineReason::Generic, "请求退款的交易被冻结"),
    ("ACQ.BUYER_ERROR", DeclineReason::Generic, "买家状态异常"),
    ("ACQ.SELLER_ERROR", DeclineReason::Generic, "卖家状态异常"),
    ("ACQ.TRADE_NOT_ALLOW_REFUND", DeclineReason::NotPermitted, "当前交易不允许退款"),
    ("isv.insufficient-isv-permissions", DeclineReason::NotPermitted, "ISV权限不足"),
];

/// The first stage at which a refusal of [`REFUND_DECLINES`] waits for the refund query; the next rows follow.
const REFUSED: Stage = CONFIRM + 1;

/// What a precreate came to; `None` when the trade itself has to be asked.
fn precreated(node: &Node, reference: &str) -> Result<Option<Outcome>, Fault> {
    let Some(code) = refusal(node)? else {
        same("out_trade_no", node.out_trade_no.as_deref(), reference)?;
        let content = node.qr_code.as_deref().filter(|text| !text.is_empty() && text.len() <= 1024);
        let content = content.ok_or_else(|| Fault::Unexpected("no qr_code".into()))?.to_owned();
        return Ok(Some(Outcome::new(Verdict::Awaiting(Action::Qr { content }))));
    };
    // Paid already, or known with other particulars: an earlier send of this reference did arrive.
    if matches!(code, "ACQ.TRADE_HAS_SUCCESS" | "ACQ.CONTEXT_INCONSISTENT") {
        return Ok(None);
    }
    let Some((_, reason)) = PAY_DECLINES.iter().find(|(known, _)| *known == code) else {
        return Err(unknown(node));
    };
    let message = node.sub_msg.clone().unwrap_or_default();
    Ok(Some(Outcome::new(Verdict::Declined(Decline { reason: *reason, code: code.to_owned(), message }))))
}

/// What a close came to; `None` when the trade itself has to be asked.
fn closed(node: Node, reference: &str) -> Result<Option<Outcome>, Fault> {
    match refusal(&node)? {
        None => {
            same("out_trade_no", node.out_trade_no.as_deref(), reference)?;
            Ok(Some(identified(Verdict::Closed, node.trade_no)))
        }
        Some("ACQ.TRADE_NOT_EXIST") => Ok(Some(Outcome::new(Verdict::Absent))),
        Some(
            "ACQ.TRADE_STATUS_ERROR"
            | "ACQ.REASON_TRADE_STATUS_INVALID"
            | "ACQ.REASON_ILLEGAL_STATUS"
            | "ACQ.TRADE_HAS_SUCCESS"
            | "ACQ.TRADE_HAS_FINISHED"
            | "ACQ.TRADE_HAS_CLOSE",
        ) => Ok(None),
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
    let total = yuan("total_amount", node.total_amount.as_deref())?;
    if total != money {
        return Err(Fault::Unacceptable(format!("total_amount is {total}, not {money}")));
    }
    let paid_at = instant("send_pay_date", node.send_pay_date.as_deref())?;
    let verdict = state(node.trade_status.as_deref(), paid_at.is_some())?;
    let mut outcome = identified(verdict, node.trade_no).money(total);
    outcome.at = paid_at;
    Ok(Step::Done(outcome))
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

/// What the reply to a refund is worth.
enum Given {
    Sure(Outcome),
    Ask(Stage),
}

fn refunded(node: Node, refund: &Refund) -> Result<Given, Fault> {
    if let Some(code) = refusal(&node)? {
        return match REFUND_DECLINES.iter().position(|(known, ..)| *known == code) {
            Some(row) => Ok(Given::Ask(REFUSED + Stage::try_from(row).unwrap_or(Stage::MAX - REFUSED))),
            None => Err(node.unknown()),
        };
    }
    same("out_trade_no", node.out_trade_no.as_deref(), &refund.payment_reference)?;
    // Everything given back of this trade so far, not what this refund gave.
    let total = yuan("refund_fee", node.refund_fee.as_deref())?;
    let (low, high) = (refund.money.minor(), refund.captured.minor());
    if !(low..=high).contains(&total.minor()) {
        return Err(Fault::Unacceptable(format!("refund_fee is {total}, refunding {}", refund.money)));
    }
    // "N" is said of a repeat and of a refund that did not move money (yet).
    if node.fund_change.as_deref() != Some("Y") || total != refund.money {
        return Ok(Given::Ask(CONFIRM));
    }
    let mut outcome = identified(Verdict::Succeeded, node.trade_no).money(total);
    outcome.at = instant("gmt_refund_pay", node.gmt_refund_pay.as_deref())?;
    Ok(Given::Sure(outcome))
}

/// The state of a refund, from a query; `None` when Alipay has no trace of a refund that succeeded.
fn refund_state(node: Node, payment: &str, reference: &str, money: Money) -> Result<Option<Outcome>, Fault> {
    match refusal(&node)? {
        None => {}
        Some("ACQ.TRADE_NOT_EXIST") => return Ok(None),
        Some(_) => return Err(node.unknown()),
    }
    // Documented: without this field the refund was not received or failed, and may be sent again.
    let Some(status) = node.refund_status.as_deref().filter(|status| !status.is_empty()) else {
        return Ok(None);
    };
    if status != "REFUND_SUCCESS" {
        return Err(Fault::Unexpected(format!("refund_status {status:?}")));
    }
    same("out_trade_no", node.out_trade_no.as_deref(), payment)?;
    same("out_request_no", node.out_request_no.as_deref(), reference)?;
    let given = yuan("refund_amount", node.refund_amount.as_deref())?;
    if given != money {
        return Err(Fault::Unacceptable(format!("refund_amount is {given}, not {money}")));
    }
    let mut outcome = identified(Verdict::Succeeded, node.trade_no).money(given);
    outcome.at = instant("gmt_refund_pay", node.gmt_refund_pay.as_deref())?;
    Ok(Some(outcome))
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
        _ => Err(unknown(node)),
    }
}

fn unknown(node: &Node) -> Fault {
    let (code, sub_code) = (node.code.clone(), node.sub_code.clone());
    Node { code, sub_code, msg: node.msg.clone(), sub_msg: node.sub_msg.clone(), ..Node::default() }.unknown()
}

fn same(name: &str, said: Option<&str>, ours: &str) -> Result<(), Fault> {
    match said {
        Some(said) if said == ours => Ok(()),
        _ => Err(Fault::Unacceptable(format!("{name} is {said:?}, not {ours:?}"))),
    }
}

fn yuan(name: &str, text: Option<&str>) -> Result<Money, Fault> {
    let wrong = || Fault::Unexpected(format!("{name} {text:?}"));
    UNITS.from_wire(text.ok_or_else(wrong)?, CNY).map_err(|_| wrong())
}

fn instant(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    Timestamp::parse_beijing(text).map(Some).map_err(|_| Fault::Unexpected(format!("{name} {text:?}")))
}

fn identified(verdict: Verdict, trade_no: Option<String>) -> Outcome {
    Outcome { channel_id: trade_no, ..Outcome::new(verdict) }
}

/// The query that should have settled an answer could not even be written.
fn not_sent(refusal: Refusal) -> Fault {
    Fault::Unexpected(format!("the confirming query: {refusal}"))
}
