//! Replies as outcomes.

use paycore::channel::{
    Context, DeclineReason as Why, Fault, Operation, Outcome, Pay, Payment, Reply, Stage, Step, Verdict,
};

use super::config::Account;
use super::contract;
use super::encode::{CONFIRM, FIRST, ask, ask_refund};
use crate::dialect::doubt::{Doubt, refusal};
use crate::dialect::reply::{done, not_sent};
use crate::dialect::v2::{self, Answer, Left, NO_ORDER, REFUND_DOUBTS, Refused, asked_refund, state};

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    match operation {
        Operation::Pay(pay) if stage == FIRST => match account.party.open(reply)? {
            // Accepted; it is carried out later, or not.
            Answer::Done(_) => done(Outcome::new(Verdict::Pending)),
            Answer::Refused(refused) => not_charged(account, refused, pay, cx),
        },
        Operation::Pay(pay) => {
            let payment = crate::dialect::reply::started(pay);
            let found = looked(account, reply, &payment)?;
            done(if found.verdict == Verdict::Absent { refusal(PAY_DOUBTS, stage) } else { found })
        }
        Operation::Query(query) => done(looked(account, reply, &query.payment)?),
        Operation::Refund(refund) if stage == FIRST => {
            let stage = v2::refund_query(account.party.open(reply)?, REFUND_DOUBTS, CONFIRM)?;
            ask_refund(account, &refund.reference, stage, cx).map_err(not_sent)
        }
        Operation::Refund(refund) => {
            v2::refund_settled(account.party.open(reply)?, refund, REFUND_DOUBTS, (stage, CONFIRM))
        }
        Operation::QueryRefund(query) => asked_refund(account.party.open(reply)?, query),
        Operation::Statement(_) => account.party.bill(reply),
        Operation::SignMandate(_) => contract::prepared(account, reply),
        Operation::QueryMandate(query) => {
            done(contract::found(account, reply, (&query.reference, query.channel_id.as_deref()))?)
        }
        Operation::RevokeMandate(revoke) => contract::revoked(account, (revoke, stage), reply),
        _ => Err(Fault::Unsupported),
    }
}

/// Each of these may be said of the repeat of a request that was carried out, by a contract that has ended since.
const PAY_DOUBTS: &[Doubt] = &[
    ("CONTRACTNOTEXIST", Why::NotPermitted, "代扣协议不存在或已解约"),
    ("CONTRACTERROR", Why::NotPermitted, "代扣协议异常"),
    ("USERNOTEXIST", Why::NotPermitted, "用户不存在"),
    ("USERACCOUNTABNORMAL", Why::Generic, "用户账号异常"),
    ("INVALIDREQUEST", Why::InvalidRequest, "无效请求"),
];

fn looked(account: &Account, reply: &Reply, payment: &Payment) -> Result<Outcome, Fault> {
    match account.party.open(reply)? {
        Answer::Done(fields) => {
            state(&fields, Some(&payment.reference), payment.channel_id.as_deref(), Some(payment.money))
        }
        Answer::Refused(refused) => refused.absent(NO_ORDER),
    }
}

/// A charge that was not accepted (again).
fn not_charged(account: &Account, refused: Refused, pay: &Pay, cx: &Context<'_>) -> Result<Step, Fault> {
    match v2::not_taken(refused, PAY_DOUBTS, CONFIRM)? {
        Left::Outcome(outcome) => done(outcome),
        Left::Query(stage) => ask(account, &pay.reference, stage, cx).map_err(not_sent),
    }
}
