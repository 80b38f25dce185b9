//! Replies as outcomes.

use bytes::Bytes;
use paycore::channel::{
    Action, Close, Context, DeclineReason as Why, Fault, Operation, Outcome, Pay, Payment, QueryRefund,
    Reply, Stage, Step, Verdict,
};
use paycore::money::Money;

use super::config::Account;
use super::encode::{CONFIRM, FIRST, REVERSING, ask, ask_refund, reverse};
use super::packet;
use crate::dialect::doubt::{self, Doubt, refusal};
use crate::dialect::reply::{beijing_compact, declined, done, not_sent, same};
use crate::dialect::v2::{Answer, Refused, fen};
use crate::dialect::wechat_login;
use crate::dialect::xml::Fields;

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    match (operation, stage) {
        (Operation::Pay(pay), FIRST) => match open(account, reply)? {
            // The reply to a charge has no state: it was carried out.
            Answer::Done(fields) => done(charged(&fields, pay)?),
            Answer::Refused(refused) => not_taken(account, refused, pay, cx),
        },
        (Operation::Pay(pay), stage) => {
            let found = found(account, reply, (&pay.reference, None), pay.money)?;
            done(if found.verdict == Verdict::Absent { refusal(PAY_DOUBTS, stage) } else { found })
        }
        (Operation::Query(query), _) => done(looked(account, reply, &query.payment)?),
        (Operation::Close(close), FIRST) => closable(account, reply, close, cx),
        (Operation::Close(close), REVERSING) => reversed(account, reply, close, cx),
        (Operation::Close(close), _) => done(looked(account, reply, &close.payment)?),
        (Operation::Refund(refund), FIRST) => {
            // What is accepted here is carried out later, or not; the query tells.
            let stage = match open(account, reply)? {
                Answer::Done(_) => CONFIRM,
                Answer::Refused(refused) => {
                    doubt::stage(REFUND_DOUBTS, &refused.code()).ok_or_else(|| refused.unknown())?
                }
            };
            ask_refund(account, &refund.reference, stage, cx).map_err(not_sent)
        }
        (Operation::Refund(refund), stage) => match open(account, reply)? {
            Answer::Done(fields) => {
                done(refund_state(&fields, &refund.payment.reference, &refund.reference, refund.money)?)
            }
            Answer::Refused(refused) => {
                refused.absent(NO_REFUND)?;
                let accepted = stage == CONFIRM;
                done(if accepted { Outcome::new(Verdict::Pending) } else { refusal(REFUND_DOUBTS, stage) })
            }
        },
        (Operation::QueryRefund(query), _) => queried(open(account, reply)?, query),
        (Operation::Transfer(transfer), stage) => packet::sent(account, transfer, (reply, stage), cx),
        (Operation::QueryTransfer(query), _) => packet::asked(account, query, reply),
        (Operation::AuthorizeDevice(_), _) => authorized(account, reply),
        (Operation::Identify(_), _) => wechat_login::told(reply),
        (Operation::Statement(_), _) => file(account, reply),
        _ => Err(Fault::Unsupported),
    }
}

/// Codes that say that there is no such order or refund.
const NO_ORDER: &[&str] = &["ORDERNOTEXIST"];
const NO_REFUND: &[&str] = &["REFUNDNOTEXIST", "ORDERNOTEXIST"];

/// Documented refusals of a charge after which no money moves under its reference.
const PAY_DECLINES: &[(&str, Why)] = &[
    ("NOTENOUGH", Why::InsufficientFunds),
    ("PARAMERROR", Why::InvalidRequest),
    ("NOAUTH", Why::NotPermitted),
    ("RULELIMIT", Why::Limit),
    ("MCHIDNOTEXIST", Why::NotPermitted),
    ("APPIDNOTEXIST", Why::NotPermitted),
    ("APPIDMCHIDNOTMATCH", Why::NotPermitted),
];

/// Each of these may be said of the repeat of a request that was carried out, with a code that the first one has used
/// up.
const PAY_DOUBTS: &[Doubt] = &[
    ("AUTHCODEEXPIRE", Why::Expired, "人脸凭证已过期"),
    ("AUTHCODEERROR", Why::InvalidRequest, "人脸凭证错误"),
    ("AUTHCODEINVALID", Why::InvalidRequest, "人脸凭证无效"),
    ("INVALIDREQUEST", Why::InvalidRequest, "无效请求"),
];

/// Refusals that tell of an order that exists already; the order itself knows what became of it.
const KNOWN_ORDER: &[&str] = &["ORDERPAID", "ORDERCLOSED", "ORDERREVERSED", "OUTTRADENOUSED"];

const REFUND_DOUBTS: &[Doubt] = &[
    ("NOTENOUGH", Why::InsufficientFunds, "余额不足"),
    ("PARAMERROR", Why::InvalidRequest, "参数错误"),
    ("INVALIDREQUEST", Why::InvalidRequest, "无效请求"),
    ("ORDERNOTEXIST", Why::InvalidRequest, "订单不存在"),
    ("TRADEOVERDUE", Why::Expired, "订单已经超过退款期限"),
    ("USERACCOUNTABNORMAL", Why::Generic, "用户账号异常，退款失败"),
    ("NOAUTH", Why::NotPermitted, "没有退款权限"),
];

/// A signed reply that is about this merchant, and about the one we act for.
fn open(account: &Account, reply: &Reply) -> Result<Answer, Fault> {
    let answer = account.party.open(reply)?;
    if let (Answer::Done(fields), Some((mch_id, _))) = (&answer, &account.sub) {
        same("sub_mch_id", fields.field("sub_mch_id"), mch_id)?;
    }
    Ok(answer)
}

/// What a query of the order says.
fn found(
    account: &Account,
    reply: &Reply,
    (reference, id): (&str, Option<&str>),
    money: Money,
) -> Result<Outcome, Fault> {
    match open(account, reply)? {
        Answer::Done(fields) => state(&fields, reference, id, money),
        Answer::Refused(refused) => refused.absent(NO_ORDER),
    }
}

fn looked(account: &Account, reply: &Reply, payment: &Payment) -> Result<Outcome, Fault> {
    found(account, reply, (&payment.reference, payment.channel_id.as_deref()), payment.money)
}

/// What an order that is named is about: the outcome of one that was paid.
fn about(fields: &Fields, reference: &str, channel_id: Option<&str>, money: Money) -> Result<Outcome, Fault> {
    same("out_trade_no", fields.field("out_trade_no"), reference)?;
    let id = fields.field("transaction_id");
    if let (Some(said), Some(known)) = (id, channel_id) {
        same("transaction_id", Some(said), known)?;
    }
    if let Some(currency) = fields.field("fee_type") {
        same("fee_type", Some(currency), "CNY")?;
    }
    let said = fen(fields, "total_fee", Some(money))?;
    let at = beijing_compact("time_end", fields.field("time_end"))?;
    let outcome = Outcome { channel_id: id.map(str::to_owned), ..Outcome::new(Verdict::Succeeded) };
    Ok(Outcome { money: said, at, ..outcome })
}

/// Whether a paid order says all it has to say.
fn whole(outcome: &Outcome) -> bool {
    outcome.channel_id.is_some() && outcome.money.is_some()
}

fn charged(fields: &Fields, pay: &Pay) -> Result<Outcome, Fault> {
    let outcome = about(fields, &pay.reference, None, pay.money)?;
    if whole(&outcome) {
        Ok(outcome)
    } else {
        Err(Fault::Unexpected("a charge without number or amount".into()))
    }
}

/// What an order came to, once it is the one that was asked for.
fn state(fields: &Fields, reference: &str, channel_id: Option<&str>, money: Money) -> Result<Outcome, Fault> {
    let outcome = about(fields, reference, channel_id, money)?;
    let verdict = match fields.required("trade_state")? {
        // REFUND only tells that some of the money went back later.
        "SUCCESS" | "REFUND" if whole(&outcome) => Verdict::Succeeded,
        "NOTPAY" | "USERPAYING" | "ACCEPT" => Verdict::Pending,
        "CLOSED" | "REVOKED" => Verdict::Closed,
        "PAYERROR" => {
            let why = fields.field("trade_state_desc").unwrap_or_default();
            let reason = if why.contains("余额不足") { Why::InsufficientFunds } else { Why::Generic };
            declined(reason, "PAYERROR", why).verdict
        }
        other => return Err(Fault::Unexpected(format!("trade_state {other:?}"))),
    };
    Ok(Outcome { verdict, ..outcome })
}

/// A face that was not charged (yet).
fn not_taken(account: &Account, refused: Refused, pay: &Pay, cx: &Context<'_>) -> Result<Step, Fault> {
    let code = refused.code();
    if code == "USERPAYING" {
        return done(Outcome::new(Verdict::Pending));
    }
    let known = KNOWN_ORDER.contains(&code.as_str()).then_some(CONFIRM);
    if let Some(stage) = known.or_else(|| doubt::stage(PAY_DOUBTS, &code)) {
        return ask(account, &pay.reference, stage, cx).map_err(not_sent);
    }
    let Some((_, reason)) = PAY_DECLINES.iter().find(|(known, _)| *known == code) else {
        return Err(refused.unknown());
    };
    let (code, message) = refused.text;
    done(declined(*reason, &code, &message))
}

/// Reverses what the query has shown to be open.
fn closable(account: &Account, reply: &Reply, close: &Close, cx: &Context<'_>) -> Result<Step, Fault> {
    let outcome = looked(account, reply, &close.payment)?;
    if matches!(outcome.verdict, Verdict::Succeeded | Verdict::Closed | Verdict::Absent) {
        return done(outcome);
    }
    reverse(account, &close.payment.reference, cx).map_err(not_sent)
}

/// The reply to a reversal does not name the order, so the order is asked.
fn reversed(account: &Account, reply: &Reply, close: &Close, cx: &Context<'_>) -> Result<Step, Fault> {
    match open(account, reply)? {
        Answer::Done(fields) if matches!(fields.field("recall"), None | Some("N")) => {}
        Answer::Done(fields) => {
            return Err(Fault::Unexpected(format!("recall {:?}", fields.field("recall"))));
        }
        // Paid, being paid or closed in between.
        Answer::Refused(refused)
            if refused.code() == "USERPAYING" || KNOWN_ORDER.contains(&refused.code().as_str()) => {}
        Answer::Refused(refused) => return Err(refused.unknown()),
    }
    ask(account, &close.payment.reference, CONFIRM, cx).map_err(not_sent)
}

fn queried(answer: Answer, query: &QueryRefund) -> Result<Step, Fault> {
    done(match answer {
        Answer::Done(fields) => {
            refund_state(&fields, &query.payment.reference, &query.reference, query.money)?
        }
        Answer::Refused(refused) => refused.absent(NO_REFUND)?,
    })
}

/// What a refund came to. The reply may list several refunds of the order, numbered in the names of their fields.
fn refund_state(fields: &Fields, payment: &str, reference: &str, money: Money) -> Result<Outcome, Fault> {
    same("out_trade_no", fields.field("out_trade_no"), payment)?;
    let number = |row: &u8| fields.field(&format!("out_refund_no_{row}")) == Some(reference);
    let row = (0..50_u8).find(number).ok_or_else(|| Fault::Unacceptable("not about this refund".into()))?;
    let said = fen(fields, &format!("refund_fee_{row}"), Some(money))?;
    let said = said.ok_or_else(|| Fault::Unexpected("no refund_fee".into()))?;
    let verdict = match fields.required(&format!("refund_status_{row}"))? {
        "SUCCESS" => Verdict::Succeeded,
        // A refund that changed its way waits for the merchant.
        "PROCESSING" | "CHANGE" => Verdict::Pending,
        "REFUNDCLOSE" => declined(Why::Generic, "REFUNDCLOSE", "退款关闭").verdict,
        other => return Err(Fault::Unexpected(format!("refund_status {other:?}"))),
    };
    Ok(Outcome::new(verdict).channel_id(fields.required(&format!("refund_id_{row}"))?).money(said))
}

/// What the device's own client takes. The reply has only the outer of the two codes.
fn authorized(account: &Account, reply: &Reply) -> Result<Step, Fault> {
    if reply.status() != http::StatusCode::OK {
        return Err(Fault::Unexpected(format!("HTTP status {}", reply.status().as_u16())));
    }
    let fields = Fields::read(reply.body())?;
    if fields.required("return_code")? != "SUCCESS" {
        let message = fields.field("return_msg").unwrap_or("?").chars().take(200).collect();
        return Err(Fault::Unknown { code: "FAIL".into(), message });
    }
    account.party.authentic(&fields)?;
    let names = ["appid", "mch_id", "sub_appid", "sub_mch_id", "authinfo", "expires_in"];
    fields.required("authinfo")?;
    let named = |name: &str| Some((name.to_owned(), fields.field(name)?.to_owned()));
    let parameters = names.into_iter().filter_map(named).collect();
    done(Outcome::new(Verdict::Awaiting(Action::Client { parameters })))
}

/// The bill comes as it is, without a signature; what goes wrong comes as XML.
fn file(account: &Account, reply: &Reply) -> Result<Step, Fault> {
    if reply.status() == http::StatusCode::OK && !reply.body().trim_ascii_start().starts_with(b"<") {
        return Ok(Step::File(Bytes::clone(reply.body())));
    }
    match open(account, reply)? {
        Answer::Refused(refused) => Err(refused.unknown()),
        Answer::Done(_) => Err(Fault::Unexpected("no bill".into())),
    }
}
