//! Replies as outcomes.

use paycore::channel::{
    Action, Close, Context, DeclineReason as Why, Fault, Operation, Outcome, Pay, Payment, Reply, Stage,
    Step, Verdict,
};
use paycore::money::Money;

use super::config::Account;
use super::encode::{CONFIRM, FIRST, REVERSING, ask, ask_refund, reverse};
use super::packet;
use crate::dialect::doubt::{Doubt, refusal};
use crate::dialect::reply::{done, not_sent, same};
use crate::dialect::v2::{
    self, Answer, KNOWN_ORDER, Left, NO_ORDER, REFUND_DOUBTS, Refused, about, asked_refund, state, whole,
};
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
            let stage = v2::refund_query(open(account, reply)?, REFUND_DOUBTS, CONFIRM)?;
            ask_refund(account, &refund.reference, stage, cx).map_err(not_sent)
        }
        (Operation::Refund(refund), stage) => {
            v2::refund_settled(open(account, reply)?, refund, REFUND_DOUBTS, (stage, CONFIRM))
        }
        (Operation::QueryRefund(query), _) => asked_refund(open(account, reply)?, query),
        (Operation::Transfer(transfer), stage) => packet::sent(account, transfer, (reply, stage), cx),
        (Operation::QueryTransfer(query), _) => packet::asked(account, query, reply),
        (Operation::AuthorizeDevice(_), _) => authorized(account, reply),
        (Operation::Identify(_), _) => wechat_login::told(reply),
        (Operation::Statement(_), _) => account.party.bill(reply),
        _ => Err(Fault::Unsupported),
    }
}

/// Each of these may be said of the repeat of a request that was carried out, with a code that the first one has used
/// up.
const PAY_DOUBTS: &[Doubt] = &[
    ("AUTHCODEEXPIRE", Why::Expired, "人脸凭证已过期"),
    ("AUTHCODEERROR", Why::InvalidRequest, "人脸凭证错误"),
    ("AUTHCODEINVALID", Why::InvalidRequest, "人脸凭证无效"),
    ("INVALIDREQUEST", Why::InvalidRequest, "无效请求"),
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
        Answer::Done(fields) => state(&fields, Some(reference), id, Some(money)),
        Answer::Refused(refused) => refused.absent(NO_ORDER),
    }
}

fn looked(account: &Account, reply: &Reply, payment: &Payment) -> Result<Outcome, Fault> {
    found(account, reply, (&payment.reference, payment.channel_id.as_deref()), payment.money)
}

fn charged(fields: &Fields, pay: &Pay) -> Result<Outcome, Fault> {
    let outcome = about(fields, Some(&pay.reference), None, Some(pay.money))?;
    if whole(&outcome) {
        Ok(outcome)
    } else {
        Err(Fault::Unexpected("a charge without number or amount".into()))
    }
}

/// A face that was not charged (yet).
fn not_taken(account: &Account, refused: Refused, pay: &Pay, cx: &Context<'_>) -> Result<Step, Fault> {
    match v2::not_taken(refused, PAY_DOUBTS, CONFIRM)? {
        Left::Outcome(outcome) => done(outcome),
        Left::Query(stage) => ask(account, &pay.reference, stage, cx).map_err(not_sent),
    }
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
