//! Replies as outcomes.

use paycore::channel::{
    Action, Close, Context, Fault, Operation, Outcome, Pay, Query, Refund, Reply, Stage, Step, Verdict,
};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::super::UNITS;
use super::super::decode::{declined, not_sent, refused};
use super::config::Account;
use super::encode::{CONFIRM, FIRST, ask, ask_refund, transaction_type};
use super::envelope::{self, Answer, Content, unknown};
use crate::dialect::reply::{same, same_amount};

/// What the bank says of a number it does not have. Its list of codes is handed out with the contract only; these are
/// the spellings of its siblings, and every other one stays unknown.
const NO_ORDER: &[&str] = &["ORDER_NOT_EXIST", "ORDERID_NOT_EXIST", "ORDER_NOT_EXISTS"];

/// The stage at which the refusal of a refund waits for the refund's query.
const REFUSED: Stage = CONFIRM + 1;

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let answer = envelope::open(account, reply)?;
    match (operation, stage) {
        (Operation::Pay(pay), FIRST) => ordered(account, answer, pay, cx),
        (Operation::Pay(pay), _) => {
            let found = order(account, answer, &pay.reference, None, pay.money)?;
            Ok(Step::Done(found.unwrap_or_else(|| refused("下单被拒绝，且订单不存在"))))
        }
        (Operation::Close(close), FIRST) => closed(account, answer, close, cx),
        (Operation::Query(Query { payment: of }) | Operation::Close(Close { payment: of }), _) => {
            let found = order(account, answer, &of.reference, of.channel_id.as_deref(), of.money)?;
            Ok(Step::Done(found.unwrap_or_else(|| Outcome::new(Verdict::Absent))))
        }
        (Operation::Refund(refund), FIRST) => given(account, answer, refund, cx),
        (Operation::Refund(refund), stage) => {
            let found = refund_found(account, answer, &refund.reference, refund.money)?;
            let otherwise = || match stage {
                REFUSED => refused("退款被拒绝，且退款不存在"),
                _ => Outcome::new(Verdict::Pending),
            };
            Ok(Step::Done(found.unwrap_or_else(otherwise)))
        }
        (Operation::QueryRefund(query), _) => {
            let found = refund_found(account, answer, &query.reference, query.money)?;
            Ok(Step::Done(found.unwrap_or_else(|| Outcome::new(Verdict::Absent))))
        }
        _ => Err(Fault::Unsupported),
    }
}

fn ordered(account: &Account, answer: Answer, pay: &Pay, cx: &Context<'_>) -> Result<Step, Fault> {
    let content = match answer {
        Answer::Accepted(content) => content,
        // Refused, or known from an earlier send: the order itself knows.
        Answer::Refused { .. } => return ask(account, &pay.reference, CONFIRM, cx).map_err(not_sent),
    };
    ours(account, &content, &pay.reference)?;
    let action = action(&content, transaction_type(pay).unwrap_or_default())?;
    Ok(Step::Done(Outcome { channel_id: content.cmb_order_id, ..Outcome::new(Verdict::Awaiting(action)) }))
}

/// What the payer does next, by the kind of transaction.
fn action(content: &Content, kind: &str) -> Result<Action, Fault> {
    let text = |name: &str, text: &Option<String>| {
        let text = text.clone().filter(|text| (1..=2048).contains(&text.len()));
        text.ok_or_else(|| Fault::Unexpected(format!("no {name}")))
    };
    if kind == "TT01" {
        return Ok(Action::Qr { content: text("qrCode", &content.qr_code)? });
    }
    let url = text("invokeUrl", &content.invoke_url)?;
    if kind == "TT04" {
        return Ok(Action::Redirect { url });
    }
    let mut parameters = vec![("invokeUrl".to_owned(), url)];
    if let Some(wallet) = &content.context {
        let named = [
            ("creditorInstitutionId", &wallet.cdtr_pty_id),
            ("merchantNo", &wallet.mrchnt_no),
            ("encryptedKey", &wallet.encrypt_key),
            ("encryptedInfo", &wallet.encrypt_info),
            ("encryptionSN", &wallet.ncrptn_sn),
        ];
        let known = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        parameters.extend(known);
    }
    Ok(Action::Client { parameters })
}

fn closed(account: &Account, answer: Answer, close: &Close, cx: &Context<'_>) -> Result<Step, Fault> {
    match answer {
        Answer::Accepted(content) => {
            ours(account, &content, &close.payment.reference)?;
            Ok(Step::Done(Outcome { channel_id: content.cmb_order_id, ..Outcome::new(Verdict::Closed) }))
        }
        // Closed before, paid or being paid.
        Answer::Refused { .. } => ask(account, &close.payment.reference, CONFIRM, cx).map_err(not_sent),
    }
}

/// The state of an order, from a query; `None` when the bank does not have it.
fn order(
    account: &Account,
    answer: Answer,
    reference: &str,
    channel_id: Option<&str>,
    money: Money,
) -> Result<Option<Outcome>, Fault> {
    let Some(content) = found(answer)? else { return Ok(None) };
    ours(account, &content, reference)?;
    if let Some(id) = channel_id {
        same("cmbOrderId", content.cmb_order_id.as_deref(), id)?;
    }
    let money = same_amount("txnAmt", content.txn_amt.as_deref(), UNITS, money)?;
    payment(&content, money).map(Some)
}

/// What the state of an order says, in a reply or a notification that was checked to be about it.
pub(super) fn payment(content: &Content, money: Money) -> Result<Outcome, Fault> {
    let verdict = match content.trade_state.as_deref() {
        // R: given back, all or part of it, so it was paid.
        Some("S" | "R") => Verdict::Succeeded,
        Some("P") => Verdict::Pending,
        Some("C" | "D") => Verdict::Closed,
        Some("F") => declined("F", "交易失败"),
        other => return Err(Fault::Unexpected(format!("tradeState {other:?}"))),
    };
    let at = if verdict == Verdict::Succeeded { ended(content)? } else { None };
    Ok(Outcome { at, channel_id: content.cmb_order_id.clone(), ..Outcome::new(verdict).money(money) })
}

fn given(account: &Account, answer: Answer, refund: &Refund, cx: &Context<'_>) -> Result<Step, Fault> {
    let ask = |stage| ask_refund(account, &refund.reference, stage, cx).map_err(not_sent);
    let Answer::Accepted(content) = answer else { return ask(REFUSED) };
    ours(account, &content, &refund.reference)?;
    // The reply's state is not always there, and an accepted refund is not yet a given one.
    match content.refund_state.as_deref() {
        Some("S" | "F") => {
            let money = same_amount("refundAmt", content.refund_amt.as_deref(), UNITS, refund.money)?;
            Ok(Step::Done(refund_outcome(&content, money)?))
        }
        None | Some("" | "P") => ask(CONFIRM),
        other => Err(Fault::Unexpected(format!("refundState {other:?}"))),
    }
}

/// The state of a refund, from a query; `None` when the bank does not have it.
fn refund_found(
    account: &Account,
    answer: Answer,
    reference: &str,
    money: Money,
) -> Result<Option<Outcome>, Fault> {
    let Some(content) = found(answer)? else { return Ok(None) };
    ours(account, &content, reference)?;
    let money = same_amount("refundAmt", content.refund_amt.as_deref(), UNITS, money)?;
    refund_outcome(&content, money).map(Some)
}

/// What the state of a refund says. A query calls it `tradeState`, a notification `refundState`.
pub(super) fn refund_outcome(content: &Content, money: Money) -> Result<Outcome, Fault> {
    let verdict = match content.refund_state.as_deref().or(content.trade_state.as_deref()) {
        Some("S") => Verdict::Succeeded,
        Some("P") => Verdict::Pending,
        Some("F") => declined("F", "退款失败"),
        other => return Err(Fault::Unexpected(format!("the refund's state {other:?}"))),
    };
    let at = if verdict == Verdict::Succeeded { ended(content)? } else { None };
    Ok(Outcome { at, ..Outcome::new(verdict).money(money) })
}

fn found(answer: Answer) -> Result<Option<Box<Content>>, Fault> {
    match answer {
        Answer::Accepted(content) => Ok(Some(content)),
        Answer::Refused { code, .. } if NO_ORDER.contains(&code.as_str()) => Ok(None),
        Answer::Refused { code, message } => Err(unknown(Some(&code), Some(&message))),
    }
}

/// Whether it is about this merchant's order or refund, in yuan of the central bank.
pub(super) fn ours(account: &Account, content: &Content, reference: &str) -> Result<(), Fault> {
    same("merId", content.mer_id.as_deref(), &account.merchant_id)?;
    same("orderId", content.order_id.as_deref(), reference)?;
    same("currencyCode", Some(content.currency_code.as_deref().unwrap_or("156")), "156")?;
    same("payType", Some(content.pay_type.as_deref().unwrap_or("EC")), "EC")
}

/// When the money moved: date and time stand apart.
fn ended(content: &Content) -> Result<Option<Timestamp>, Fault> {
    let (Some(date), Some(time)) = (&content.end_date, &content.end_time) else { return Ok(None) };
    let at = Timestamp::parse_beijing_compact(&format!("{date}{time}"));
    at.map(Some).map_err(|_| Fault::Unexpected(format!("endDate {date:?} endTime {time:?}")))
}
