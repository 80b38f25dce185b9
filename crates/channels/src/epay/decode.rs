//! Replies as outcomes.

use paycore::channel::{
    Action, Context, Decline, DeclineReason as Why, Fault, Operation, Outcome, Pay, Payment, Refund, Refusal,
    Reply, Stage, Step, Verdict,
};
use paycore::money::Money;

use super::UNITS;
use super::config::Account;
use super::encode::{CONFIRM, FIRST, ask, ask_refund};
use super::envelope::{Node, Said, open};
use crate::dialect::reply::{beijing, same, same_amount};

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let said = open(account, reply, cx.now)?;
    match (operation, stage) {
        (Operation::Pay(pay), FIRST) => created(account, said, pay, cx),
        (Operation::Pay(pay), _) => state(account, said, &payment(pay)),
        (Operation::Query(query), _) => state(account, said, &query.payment),
        (Operation::Close(close), FIRST) => match said {
            Said::Done(_) => Ok(Step::Done(Outcome::new(Verdict::Closed))),
            Said::Refused { node, .. } if absent(&node) => Ok(Step::Done(Outcome::new(Verdict::Absent))),
            // Paid, being paid or closed already: the order itself knows which.
            Said::Refused { .. } => ask(account, &close.payment, CONFIRM, cx).map_err(not_sent),
        },
        (Operation::Close(close), _) => state(account, said, &close.payment),
        (Operation::Refund(refund), FIRST) => refunded(account, said, refund, cx),
        (Operation::Refund(refund), _) => {
            let given = refund_state(said, &refund.payment, &refund.reference, refund.money)?;
            Ok(Step::Done(given.unwrap_or_else(|| Outcome::new(without_trace(stage)))))
        }
        (Operation::QueryRefund(query), _) => {
            let given = refund_state(said, &query.payment, &query.reference, query.money)?;
            Ok(Step::Done(given.unwrap_or_else(|| Outcome::new(Verdict::Absent))))
        }
        _ => Err(Fault::Unsupported),
    }
}

fn payment(pay: &Pay) -> Payment {
    Payment {
        reference: pay.reference.clone(),
        channel_id: None,
        method: pay.method.clone(),
        money: pay.money,
        started_at: pay.started_at,
        ending_at: None,
    }
}

/// What the payer has to do. No refusal is believed to be the end of it: panels have one code for all of them and
/// texts of their own, so the order stays unknown until the panel says that it has none.
fn created(account: &Account, said: Said<'_>, pay: &Pay, cx: &Context<'_>) -> Result<Step, Fault> {
    let node = match said {
        Said::Done(node) => node,
        // An earlier send of this reference did arrive, and was paid.
        Said::Refused { node, .. }
            if node.text("msg").is_some_and(|text| text.contains("支付完成") || text.contains("已支付")) =>
        {
            return ask(account, &payment(pay), CONFIRM, cx).map_err(not_sent);
        }
        Said::Refused { node, .. } => return Err(node.unknown()),
    };
    let kinds = [("qrcode", "qrcode"), ("payurl", "jump"), ("urlscheme", "urlscheme")];
    let given = match (node.text("pay_type"), node.text("pay_info")) {
        (Some(kind), Some(info)) => {
            kinds.iter().find(|(_, name)| *name == kind).map(|(kind, _)| (*kind, info))
        }
        _ => kinds.iter().find_map(|(name, _)| Some((*name, node.text(name)?))),
    };
    let unexpected = || Fault::Unexpected(format!("pay_type {:?}", node.text("pay_type")));
    let (kind, content) = given.ok_or_else(unexpected)?;
    let fits = (1..=2_000).contains(&content.len()) && !content.chars().any(char::is_control);
    let action = match kind {
        _ if !fits => None,
        "qrcode" => Some(Action::Qr { content: absolute(account, content) }),
        "payurl" => {
            let url = absolute(account, content);
            let http = url.starts_with("https://") || url.starts_with("http://");
            (http && url.bytes().all(|byte| byte.is_ascii_graphic())).then_some(Action::Redirect { url })
        }
        _ => Some(Action::Client { parameters: vec![("urlscheme".to_owned(), content.to_owned())] }),
    };
    let action = action.ok_or_else(|| Fault::Unexpected(format!("{kind} is not usable")))?;
    let outcome = Outcome::new(Verdict::Awaiting(action));
    Ok(Step::Done(Outcome { channel_id: node.text("trade_no").map(str::to_owned), ..outcome }))
}

/// Some panels answer with a path of their own.
fn absolute(account: &Account, url: &str) -> String {
    let own = url.starts_with('/') && !url.starts_with("//");
    let origin = url::Url::parse(&account.gateway).map(|gateway| gateway.origin().ascii_serialization());
    match origin {
        Ok(origin) if own => format!("{origin}{url}"),
        _ => url.to_owned(),
    }
}

/// The state of an order, from a query.
fn state(account: &Account, said: Said<'_>, payment: &Payment) -> Result<Step, Fault> {
    let node = match said {
        Said::Done(node) => node,
        Said::Refused { node, .. } if absent(&node) => return Ok(Step::Done(Outcome::new(Verdict::Absent))),
        Said::Refused { node, .. } => return Err(node.unknown()),
    };
    same("out_trade_no", node.text("out_trade_no"), &payment.reference)?;
    if let Some(pid) = node.text("pid") {
        same("pid", Some(pid), &account.pid)?;
    }
    if let Some(id) = &payment.channel_id {
        same("trade_no", node.text("trade_no"), id)?;
    }
    let money = same_amount("money", node.text("money"), UNITS, payment.money)?;
    // 2 is said of an order that was paid and given back.
    let verdict = match (node.text("status"), node.text("trade_status")) {
        (Some("1" | "2"), None | Some("TRADE_SUCCESS" | "TRADE_FINISHED")) => Verdict::Succeeded,
        (None, Some("TRADE_SUCCESS" | "TRADE_FINISHED")) => Verdict::Succeeded,
        (Some("0") | None, Some("TRADE_CLOSED")) => Verdict::Closed,
        (Some("0"), None | Some("WAIT_BUYER_PAY")) | (None, Some("WAIT_BUYER_PAY")) => Verdict::Pending,
        (status, other) => {
            return Err(Fault::Unexpected(format!("status {status:?}, trade_status {other:?}")));
        }
    };
    let at = if verdict == Verdict::Succeeded { beijing("endtime", node.text("endtime"))? } else { None };
    let channel_id = node.text("trade_no").map(str::to_owned);
    Ok(Step::Done(Outcome { at, channel_id, ..Outcome::new(verdict).money(money) }))
}

/// Texts by which a panel says that it does not know the order or refund.
fn absent(node: &Node<'_>) -> bool {
    let subjects = ["订单", "退款", "记录", "交易"];
    let text = node.text("msg").unwrap_or_default();
    text.contains("不存在") && subjects.iter().any(|subject| text.contains(subject))
}

/// Words in refusals of a refund. Each is believed only with a signature, and only after a query found no trace of the
/// refund; hence the text, which the second reply does not carry.
const REFUND_DECLINES: &[(&str, Why, &str)] = &[
    ("余额不足", Why::InsufficientFunds, "商户余额不足"),
    ("金额", Why::InvalidRequest, "退款金额无效"),
    ("不支持", Why::NotPermitted, "支付通道不支持退款"),
    ("未开启", Why::NotPermitted, "未开启退款接口"),
    ("未支付", Why::InvalidRequest, "订单未支付"),
];

/// The stage at which the first refusal of [`REFUND_DECLINES`] waits for the refund query; the next ones follow.
const REFUSED: Stage = CONFIRM + 1;

/// An accepted refund is not yet a refund: the panel asks the wallet behind it, and says later what came of it.
fn refunded(account: &Account, said: Said<'_>, refund: &Refund, cx: &Context<'_>) -> Result<Step, Fault> {
    let stage = match said {
        Said::Done(node) => {
            same_amount("money", node.text("money"), UNITS, refund.money)?;
            if let Some(number) = node.text("out_refund_no") {
                same("out_refund_no", Some(number), &refund.reference)?;
            }
            CONFIRM
        }
        Said::Refused { node, signed: true } => {
            let text = node.text("msg").unwrap_or_default();
            let known = (REFUSED..).zip(REFUND_DECLINES).find(|(_, (word, ..))| text.contains(word));
            known.ok_or_else(|| node.unknown())?.0
        }
        Said::Refused { node, .. } => return Err(node.unknown()),
    };
    ask_refund(account, &refund.reference, stage, cx).map_err(not_sent)
}

/// The state of a refund, from a query; `None` when the panel has no trace of it.
fn refund_state(
    said: Said<'_>,
    payment: &Payment,
    reference: &str,
    money: Money,
) -> Result<Option<Outcome>, Fault> {
    let node = match said {
        Said::Done(node) => node,
        Said::Refused { node, .. } if absent(&node) => return Ok(None),
        Said::Refused { node, .. } => return Err(node.unknown()),
    };
    same("out_refund_no", node.text("out_refund_no"), reference)?;
    if let Some(number) = node.text("out_trade_no") {
        same("out_trade_no", Some(number), &payment.reference)?;
    }
    if let (Some(said), Some(id)) = (node.text("trade_no"), &payment.channel_id) {
        same("trade_no", Some(said), id)?;
    }
    let given = same_amount("money", node.text("money"), UNITS, money)?;
    match node.text("status") {
        Some("1") => {}
        // Said of a refund that failed, and by some panels of one that is still on its way.
        Some("0") => return Err(node.unknown()),
        other => return Err(Fault::Unexpected(format!("status {other:?}"))),
    }
    let channel_id = node.text("refund_no").map(str::to_owned);
    Ok(Some(Outcome { channel_id, ..Outcome::new(Verdict::Succeeded).money(given) }))
}

/// What to say when the query after a refund finds no trace of it: the refusal that led to the query, or, where the
/// refund was accepted, that it is not done yet.
fn without_trace(stage: Stage) -> Verdict {
    let row = stage.checked_sub(REFUSED).and_then(|row| REFUND_DECLINES.get(usize::from(row)));
    row.map_or(Verdict::Pending, |&(_, reason, message)| {
        Verdict::Declined(Decline { reason, code: "-1".to_owned(), message: message.to_owned() })
    })
}

/// The query that should have settled an answer could not even be written.
fn not_sent(refusal: Refusal) -> Fault {
    Fault::Unexpected(format!("the confirming query: {refusal}"))
}
