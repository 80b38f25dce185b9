//! Replies as outcomes.

use std::collections::BTreeMap;

use paycore::channel::{
    Action, Close, Context, DeclineReason as Why, Fault, Operation, Outcome, Pay, Query, Refund, Reply,
    Stage, Step, Verdict,
};
use paycore::money::Money;

use super::UNITS;
use super::config::Account;
use super::encode::{CONFIRM, FILE, FIRST, ask};
use super::envelope::{self, Answer};
use crate::dialect::archive;
use crate::dialect::reply::{beijing_compact, declined, done, not_sent, same, same_amount};

/// Done.
const SUCCESS: &str = "0000";
/// Under way: ask again.
const UNDER_WAY: &[&str] = &["2000", "2008"];
const NO_TRANSACTION: &str = "1001";
/// Not paid in time, closed, revoked: no money moves any more.
const CLOSED: &[&str] = &["3088", "3045", "3050"];
/// The number was used before.
const REPEATED: &str = "3888";
/// Documented failures. Those that are not listed stay unknown.
const FAILURES: &[(&str, Why)] = &[
    ("3008", Why::InsufficientFunds),
    ("3014", Why::InvalidRequest),
    ("3031", Why::Risk),
    ("3099", Why::NotPermitted),
    ("3889", Why::NotPermitted),
    ("3999", Why::Generic),
];

/// The stage at which the first row of [`FAILURES`] waits for the query of a refund; the next ones follow.
const REFUSED: Stage = CONFIRM + 1;

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    if stage == FILE {
        return archive::file(reply);
    }
    let answer = envelope::open(account, reply)?;
    match (operation, stage) {
        (Operation::Statement(_), _) => fetch(account, &answer),
        (Operation::Pay(pay), FIRST) => started(account, &answer, pay, cx),
        (Operation::Pay(pay), _) => done(transaction(&answer, &pay.reference, pay.money)?),
        (Operation::Close(close), FIRST) if answer.field("trxstatus") != Some(SUCCESS) => {
            ask(account, &close.payment.reference, CONFIRM, cx).map_err(not_sent)
        }
        (Operation::Close(_), FIRST) => done(Outcome::new(Verdict::Closed)),
        (Operation::Query(Query { payment }) | Operation::Close(Close { payment }), _) => {
            if let (Some(id), Some(said)) = (&payment.channel_id, answer.field("trxid")) {
                same("trxid", Some(said), id)?;
            }
            done(transaction(&answer, &payment.reference, payment.money)?)
        }
        (Operation::Refund(refund), FIRST) => given(account, &answer, refund, cx),
        (Operation::Refund(refund), stage) => {
            let outcome = refunded(&answer, &refund.reference, refund.money)?;
            done(if outcome.verdict == Verdict::Absent { without_trace(stage) } else { outcome })
        }
        (Operation::QueryRefund(query), _) => done(refunded(&answer, &query.reference, query.money)?),
        _ => Err(Fault::Unsupported),
    }
}

/// The statement lies at an address that is good for two minutes. Nothing but the connection protects it.
fn fetch(account: &Account, answer: &Answer<'_>) -> Result<Step, Fault> {
    let safe = |url: &&str| url.starts_with("https://") || account.gateway.starts_with("http://");
    archive::fetch(answer.field("url").filter(safe), FILE)
}

fn started(account: &Account, answer: &Answer<'_>, pay: &Pay, cx: &Context<'_>) -> Result<Step, Fault> {
    let status = answer.field("trxstatus").unwrap_or_default();
    if status == REPEATED || CLOSED.contains(&status) {
        return ask(account, &pay.reference, CONFIRM, cx).map_err(not_sent);
    }
    if pay.method.scene() == "barcode" || status != SUCCESS {
        return done(transaction(answer, &pay.reference, pay.money)?);
    }
    same("reqsn", answer.field("reqsn"), &pay.reference)?;
    let text = answer.field("payinfo").filter(|text| text.len() <= 8192);
    let text = text.ok_or_else(|| Fault::Unexpected("no payinfo".into()))?.to_owned();
    let action = match (pay.method.scene(), pay.method.brand()) {
        ("qr", _) => Action::Qr { content: text },
        ("h5", _) | ("jsapi", "unionpay") => Action::Redirect { url: text },
        _ => Action::Client { parameters: parameters(text) },
    };
    let id = answer.field("trxid").map(str::to_owned);
    done(Outcome { channel_id: id, ..Outcome::new(Verdict::Awaiting(action)) })
}

/// What the wallet's client library takes: the members of an object, or one text as it is.
fn parameters(text: String) -> Vec<(String, String)> {
    match serde_json::from_str::<BTreeMap<String, String>>(&text) {
        Ok(members) => members.into_iter().collect(),
        Err(_) => vec![("payinfo".to_owned(), text)],
    }
}

/// The state of a payment.
fn transaction(answer: &Answer<'_>, reference: &str, money: Money) -> Result<Outcome, Fault> {
    let status = answer.field("trxstatus").unwrap_or_default();
    let verdict = match status {
        NO_TRANSACTION => return Ok(Outcome::new(Verdict::Absent)),
        SUCCESS => Verdict::Succeeded,
        _ if UNDER_WAY.contains(&status) => Verdict::Pending,
        _ if CLOSED.contains(&status) => Verdict::Closed,
        _ => failure(answer).ok_or_else(|| answer.unknown())?.verdict,
    };
    same("reqsn", answer.field("reqsn"), reference)?;
    let mut outcome =
        Outcome { channel_id: answer.field("trxid").map(str::to_owned), ..Outcome::new(verdict) };
    if outcome.verdict == Verdict::Succeeded {
        // What was paid in the end may be less, where the wallet gave a discount; `initamt` is what was asked for.
        let said = answer.field("initamt").or(answer.field("trxamt"));
        outcome.money = Some(same_amount("initamt", said, UNITS, money)?);
        outcome.at = beijing_compact("fintime", answer.field("fintime"))?;
    }
    Ok(outcome)
}

fn given(account: &Account, answer: &Answer<'_>, refund: &Refund, cx: &Context<'_>) -> Result<Step, Fault> {
    let ask = |stage| ask(account, &refund.reference, stage, cx).map_err(not_sent);
    let status = answer.field("trxstatus").unwrap_or_default();
    if status == SUCCESS || status == REPEATED || UNDER_WAY.contains(&status) {
        // The reply does not name the amount; the query does.
        return ask(CONFIRM);
    }
    // The same refusal is said of the repeat of a refund that was given, so the refund is asked for first.
    let row = (REFUSED..).zip(FAILURES).find(|(_, (code, _))| *code == status);
    row.map_or_else(|| Err(answer.unknown()), |(stage, _)| ask(stage))
}

/// The state of a refund, which is a transaction of its own.
fn refunded(answer: &Answer<'_>, reference: &str, money: Money) -> Result<Outcome, Fault> {
    let status = answer.field("trxstatus").unwrap_or_default();
    if status == NO_TRANSACTION {
        return Ok(Outcome::new(Verdict::Absent));
    }
    same("reqsn", answer.field("reqsn"), reference)?;
    if UNDER_WAY.contains(&status) {
        return Ok(Outcome::new(Verdict::Pending));
    }
    if status != SUCCESS {
        return failure(answer).ok_or_else(|| answer.unknown());
    }
    let money = same_amount("trxamt", answer.field("trxamt"), UNITS, money)?;
    let at = beijing_compact("fintime", answer.field("fintime"))?;
    Ok(Outcome { at, ..Outcome::new(Verdict::Succeeded).money(money) })
}

/// What to say when the query after a refund finds no trace of it: the refusal that led to the query, or, where the refund
/// was accepted, that it is not done yet.
fn without_trace(stage: Stage) -> Outcome {
    let row = stage.checked_sub(REFUSED).and_then(|row| FAILURES.get(usize::from(row)));
    row.map_or(Outcome::new(Verdict::Pending), |(code, why)| declined(*why, code, "退款被拒绝"))
}

fn failure(answer: &Answer<'_>) -> Option<Outcome> {
    let status = answer.field("trxstatus")?;
    let (code, why) = FAILURES.iter().find(|(code, _)| *code == status)?;
    Some(declined(*why, code, answer.field("errmsg").unwrap_or_default()))
}
