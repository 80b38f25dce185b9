//! Replies as outcomes.

use paycore::channel::{
    Context, DeclineReason as Why, Fault, Operation, Outcome, Pay, Payment, Refund, Reply, Stage, Step,
    Verdict,
};

use super::config::Account;
use super::contract;
use super::encode::{CONFIRM, FIRST, ask, ask_refund};
use crate::dialect::doubt::{self, Doubt, refusal};
use crate::dialect::reply::{declined, done, not_sent};
use crate::dialect::v2::{
    Answer, KNOWN_ORDER, NO_ORDER, NO_REFUND, PAY_DECLINES, REFUND_DOUBTS, Refused, asked_refund,
    refund_state, state,
};

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
        Operation::Refund(refund) => given_back(account, (refund, stage), reply, cx),
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
    let code = refused.code();
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

fn given_back(
    account: &Account,
    (refund, stage): (&Refund, Stage),
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    match (account.party.open(reply)?, stage) {
        // What is accepted here is carried out later, or not; the query tells.
        (Answer::Done(_), FIRST) => ask_refund(account, &refund.reference, CONFIRM, cx).map_err(not_sent),
        (Answer::Refused(refused), FIRST) => {
            let stage = doubt::stage(REFUND_DOUBTS, &refused.code()).ok_or_else(|| refused.unknown())?;
            ask_refund(account, &refund.reference, stage, cx).map_err(not_sent)
        }
        (Answer::Done(fields), _) => {
            done(refund_state(&fields, &refund.payment.reference, &refund.reference, refund.money)?)
        }
        (Answer::Refused(refused), stage) => {
            refused.absent(NO_REFUND)?;
            let accepted = stage == CONFIRM;
            done(if accepted { Outcome::new(Verdict::Pending) } else { refusal(REFUND_DOUBTS, stage) })
        }
    }
}
