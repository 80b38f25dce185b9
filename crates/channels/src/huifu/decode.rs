//! Replies as outcomes.

use paycore::channel::{
    Action, Close, Context, DeclineReason as Why, Fault, Operation, Outcome, Pay, Reply, Stage, Step, Verdict,
};
use paycore::money::Money;
use serde_json::Value;

use super::config::Account;
use super::encode::{CONFIRM, FIRST, ask, ask_refund};
use super::envelope::{Node, open};
use super::{CNY, UNITS};
use crate::dialect::doubt::{self, Doubt, refusal};
use crate::dialect::reply::{amount, beijing_compact, declined, done, not_sent, same};

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    _: &Context<'_>,
) -> Result<Step, Fault> {
    let node = open(account, reply)?;
    match (operation, stage) {
        (Operation::Pay(pay), FIRST) => started(account, &node, pay),
        (Operation::Pay(pay), stage) => {
            let found = found(account, &node, &pay.reference, None, pay.money)?;
            done(if found.verdict == Verdict::Absent { refusal(PAY_DOUBTS, stage) } else { found })
        }
        (Operation::Query(query), _) => {
            let payment = &query.payment;
            done(found(account, &node, &payment.reference, payment.channel_id.as_deref(), payment.money)?)
        }
        (Operation::Close(close), FIRST) => closed(account, &node, close),
        (Operation::Close(close), _) => {
            let payment = &close.payment;
            done(found(account, &node, &payment.reference, payment.channel_id.as_deref(), payment.money)?)
        }
        (Operation::Refund(refund), FIRST) => {
            if let Some(code) = node.refusal() {
                let stage = doubt::stage(REFUND_DOUBTS, code).ok_or_else(|| node.unknown())?;
                return ask_refund(account, &refund.reference, refund.started_at, stage).map_err(not_sent);
            }
            let numbers = (node.req_seq_id.as_deref(), node.hf_seq_id.as_deref());
            done(refund_state(account, &node, numbers, Some((&refund.reference, refund.money)))?)
        }
        (Operation::Refund(refund), stage) => match node.refusal() {
            Some(code) if ABSENT.contains(&code) => done(refusal(REFUND_DOUBTS, stage)),
            Some(_) => Err(node.unknown()),
            None => done(queried(account, &node, &refund.reference, refund.money)?),
        },
        (Operation::QueryRefund(query), _) => match node.refusal() {
            Some(code) if ABSENT.contains(&code) => done(Outcome::new(Verdict::Absent)),
            Some(_) => Err(node.unknown()),
            None => done(queried(account, &node, &query.reference, query.money)?),
        },
        _ => Err(Fault::Unsupported),
    }
}

/// Codes that say that there is no such payment or refund.
const ABSENT: &[&str] = &["23000001", "20000004"];
/// A request with this number and date was there already.
const REPEATED: &str = "20000000";
/// Codes of a close that comes too late: paid, failed or closed before.
const ENDED: &[&str] = &["10000016", "23000000"];

/// None of these says that the request is the first with its number, so they count when a query finds nothing.
const PAY_DOUBTS: &[Doubt] = &[
    (REPEATED, Why::InvalidRequest, "重复交易"),
    ("10000000", Why::InvalidRequest, "参数不符合要求"),
    ("21000000", Why::InvalidRequest, "参数逻辑校验不合法"),
    ("22000000", Why::NotPermitted, "产品号不存在或状态异常"),
    ("22000002", Why::NotPermitted, "商户不存在或状态异常"),
    ("22000003", Why::NotPermitted, "商户账户不存在"),
    ("22000004", Why::NotPermitted, "暂未开通权限"),
    ("22000005", Why::NotPermitted, "商户入驻或费率配置有误"),
    ("23000003", Why::InvalidRequest, "金额校验异常"),
    ("23000004", Why::NotPermitted, "交易类型不支持"),
    ("90000000", Why::Generic, "交易受限或存在风险"),
];

const REFUND_DOUBTS: &[Doubt] = &[
    (REPEATED, Why::InvalidRequest, "重复交易"),
    ("10000000", Why::InvalidRequest, "参数不符合要求"),
    ("10000001", Why::InvalidRequest, "原交易没有处理完成"),
    ("10000002", Why::InvalidRequest, "退款金额大于可退金额"),
    ("10000009", Why::InvalidRequest, "该交易不支持部分退款"),
    ("20000004", Why::InvalidRequest, "原交易不存在"),
    ("21000000", Why::InvalidRequest, "参数逻辑校验不合法"),
    ("22000000", Why::NotPermitted, "产品号不存在或状态异常"),
    ("22000004", Why::NotPermitted, "暂未开通退款权限"),
    ("23000001", Why::InvalidRequest, "原交易不存在"),
    ("23000002", Why::NotPermitted, "数据权限不足"),
    ("23000003", Why::InsufficientFunds, "可退金额或余额不足"),
    ("23000004", Why::NotPermitted, "不支持的交易"),
    ("90000000", Why::InsufficientFunds, "交易受限或余额不足"),
];

/// A payment that was begun, charged, or not taken.
fn started(account: &Account, node: &Node, pay: &Pay) -> Result<Step, Fault> {
    if let Some(code) = node.refusal() {
        let stage = if code == REPEATED { Some(CONFIRM) } else { doubt::stage(PAY_DOUBTS, code) };
        let stage = stage.ok_or_else(|| node.unknown())?;
        return ask(account, &pay.reference, pay.started_at, stage).map_err(not_sent);
    }
    let numbers = (node.req_seq_id.as_deref(), node.hf_seq_id.as_deref());
    let barcode = pay.method.scene() == "barcode";
    let outcome = state(account, node, numbers, barcode, Some((&pay.reference, pay.money)))?;
    if barcode || outcome.verdict != Verdict::Pending {
        return done(outcome);
    }
    let verdict = Verdict::Awaiting(if pay.method.scene() == "qr" {
        let fits =
            |code: &&String| (1..=1024).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_graphic());
        let code = node.qr_code.as_ref().filter(fits);
        Action::Qr { content: code.ok_or_else(|| Fault::Unexpected("no qr_code".into()))?.clone() }
    } else {
        client(node.pay_info.as_deref())?
    });
    done(Outcome { verdict, ..outcome })
}

/// What the wallet's own client is handed: an object of texts inside of a text.
fn client(info: Option<&str>) -> Result<Action, Fault> {
    let object = info.and_then(|info| serde_json::from_str::<serde_json::Map<String, Value>>(info).ok());
    let texts = object.and_then(|object| {
        let text = |(name, value): (String, Value)| Some((name, value.as_str()?.to_owned()));
        object.into_iter().map(text).collect::<Option<Vec<_>>>()
    });
    let parameters = texts.filter(|texts| !texts.is_empty());
    Ok(Action::Client { parameters: parameters.ok_or_else(|| Fault::Unexpected("no pay_info".into()))? })
}

/// The answer to a query of a payment.
fn found(
    account: &Account,
    node: &Node,
    reference: &str,
    channel_id: Option<&str>,
    money: Money,
) -> Result<Outcome, Fault> {
    match node.refusal() {
        Some(code) if ABSENT.contains(&code) => return Ok(Outcome::new(Verdict::Absent)),
        Some(_) => return Err(node.unknown()),
        None => {}
    }
    let numbers = (node.org_req_seq_id.as_deref(), node.org_hf_seq_id.as_deref());
    let barcode = node.trans_type.as_deref().is_some_and(|kind| kind.ends_with("MICROPAY"));
    let outcome = state(account, node, numbers, barcode, Some((reference, money)))?;
    if let (Some(known), Some(said)) = (channel_id, &outcome.channel_id) {
        same("org_hf_seq_id", Some(said), known)?;
    }
    Ok(outcome)
}

/// What a payment came to, once it is the one that was asked for. The numbers are those of the request and of the
/// payment, whose names differ between replies.
pub(super) fn state(
    account: &Account,
    node: &Node,
    (number, id): (Option<&str>, Option<&str>),
    barcode: bool,
    ours: Option<(&str, Money)>,
) -> Result<Outcome, Fault> {
    let said = settled(account, node, "trans_amt", node.trans_amt.as_deref(), number, ours)?;
    let id = id.filter(|id| !id.is_empty());
    let verdict = match node.trans_stat.as_deref() {
        Some("S") if id.is_some() && said.is_some() => Verdict::Succeeded,
        Some("P" | "I") => Verdict::Pending,
        // A code that nobody paid ends like one that was closed; a barcode fails.
        Some("F") if barcode => failed(node),
        Some("F") => Verdict::Closed,
        other => return Err(Fault::Unexpected(format!("trans_stat {other:?}"))),
    };
    let at = beijing_compact("end_time", node.end_time.as_deref())?;
    Ok(Outcome { channel_id: id.map(str::to_owned), money: said, at, ..Outcome::new(verdict) })
}

/// Who is meant, and how much.
fn settled(
    account: &Account,
    node: &Node,
    name: &str,
    text: Option<&str>,
    number: Option<&str>,
    ours: Option<(&str, Money)>,
) -> Result<Option<Money>, Fault> {
    same("huifu_id", node.huifu_id.as_deref(), &account.huifu_id)?;
    let said =
        text.filter(|text| !text.is_empty()).map(|text| amount(name, Some(text), UNITS, CNY)).transpose()?;
    if said.is_some_and(|money| !money.is_positive()) {
        return Err(Fault::Unexpected(format!("{name} {text:?}")));
    }
    let Some((reference, money)) = ours else { return Ok(said) };
    same("req_seq_id", number, reference)?;
    match said {
        Some(said) if said != money => Err(Fault::Unacceptable(format!("{name} is {said}, not {money}"))),
        said => Ok(said),
    }
}

fn failed(node: &Node) -> Verdict {
    let text = node.bank_message.as_deref().unwrap_or_default();
    let reason = if text.contains("余额不足") { Why::InsufficientFunds } else { Why::Generic };
    declined(reason, "F", text).verdict
}

fn closed(account: &Account, node: &Node, close: &Close) -> Result<Step, Fault> {
    let payment = &close.payment;
    match node.refusal() {
        Some(code) if ABSENT.contains(&code) => return done(Outcome::new(Verdict::Absent)),
        Some(code) if !ENDED.contains(&code) => return Err(node.unknown()),
        Some(_) => {}
        None => {
            same("huifu_id", node.huifu_id.as_deref(), &account.huifu_id)?;
            same("org_req_seq_id", node.org_req_seq_id.as_deref(), &payment.reference)?;
            match node.trans_stat.as_deref() {
                Some("S") => return done(Outcome::new(Verdict::Closed)),
                Some("P") => return done(Outcome::new(Verdict::Pending)),
                Some("F") => {}
                other => return Err(Fault::Unexpected(format!("trans_stat {other:?} of a close"))),
            }
        }
    }
    ask(account, &payment.reference, payment.started_at, CONFIRM).map_err(not_sent)
}

fn queried(account: &Account, node: &Node, reference: &str, money: Money) -> Result<Outcome, Fault> {
    let numbers = (node.org_req_seq_id.as_deref(), node.org_hf_seq_id.as_deref());
    refund_state(account, node, numbers, Some((reference, money)))
}

/// What a refund came to, once it is the one that was asked for.
pub(super) fn refund_state(
    account: &Account,
    node: &Node,
    (number, id): (Option<&str>, Option<&str>),
    ours: Option<(&str, Money)>,
) -> Result<Outcome, Fault> {
    let said = settled(account, node, "ord_amt", node.ord_amt.as_deref(), number, ours)?;
    let verdict = match node.trans_stat.as_deref() {
        Some("S") if said.is_some() => Verdict::Succeeded,
        Some("P" | "I") => Verdict::Pending,
        Some("F") => failed(node),
        other => return Err(Fault::Unexpected(format!("trans_stat {other:?} of a refund"))),
    };
    let at = beijing_compact("trans_finish_time", node.trans_finish_time.as_deref())?;
    let id = id.filter(|id| !id.is_empty()).map(str::to_owned);
    Ok(Outcome { channel_id: id, money: said, at, ..Outcome::new(verdict) })
}
