//! Replies as outcomes.

use std::time::Duration;

use paycore::channel::{
    Action, Close, Context, DeclineReason as Why, Fault, Operation, Outcome, Pay, Payment, Refund, Reply,
    Stage, StatementKind, Step, Verdict,
};
use paycore::money::Money;
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::config::Account;
use super::encode::{CLOSING, CONFIRM, REVERSING, ask, ask_refund, close, give_back, reverse};
use crate::dialect::reply::same;
use crate::dialect::v3::{
    Answer, CLOSING_PARTS, Doubt, FIRST, Given, Located, NO_ORDER, PARTS, Paid, Refused, SealedFiles, Trade,
    absent, ask_combined, ask_transfer, asked_refund, carried, client, close_combined, cost_of_part,
    declined, done, doubt, file, found_combined, not_sent, refund_state, refusal, sealed_file, share_reply,
    trade_state, transfer_state,
};
use crate::dialect::wechat_login;

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let identity = &account.merchant.identity;
    match (operation, stage) {
        (Operation::Pay(pay), FIRST) => paid(account, pay, reply, cx),
        (Operation::Pay(pay), stage) if !pay.parts.is_empty() => {
            let found = found_combined(&account.merchant, reply, (&pay.reference, None), pay.money, cx)?;
            done(if found.verdict == Verdict::Absent { refusal(PAY_DOUBTS, stage) } else { found })
        }
        (Operation::Pay(pay), stage) => {
            let found = found(account, reply, (&pay.reference, None), pay.money, cx)?;
            done(if found.verdict == Verdict::Absent { refusal(PAY_DOUBTS, stage) } else { found })
        }
        (Operation::Query(query), stage) => looked(account, (reply, stage), &query.payment, cx),
        (Operation::Close(close), PARTS) => close_combined(&account.merchant, reply, &close.payment, cx),
        (Operation::Close(close), FIRST) => closable(account, identity.answer(reply, cx)?, close, cx),
        (Operation::Close(close), CLOSING | REVERSING | CLOSING_PARTS) => {
            closed(account, stage, reply, close, cx)
        }
        (Operation::Close(close), stage) => looked(account, (reply, stage), &close.payment, cx),
        (Operation::Refund(refund), PARTS) => {
            let part = refund.part.as_deref().unwrap_or_default();
            match cost_of_part(&account.merchant, &refund.payment, part, reply, cx)? {
                Some(total) => give_back(account, refund, (part, total), cx).map_err(not_sent),
                None => done(declined(Why::InvalidRequest, "RESOURCENOTEXISTS", "订单不存在")),
            }
        }
        (Operation::Refund(refund), _) => given_back(account, refund, (reply, stage), cx),
        (Operation::QueryRefund(query), stage) => {
            asked_refund(&account.merchant, query, (reply, stage), NO_REFUND, cx)
        }
        (Operation::Transfer(transfer), _) => {
            let (reference, money) = (&transfer.reference, Some(transfer.money));
            let ask = |stage| ask_transfer(&account.merchant, reference, stage, cx);
            carried(&account.merchant, (reply, stage), NO_TRANSFER, cx, ask, |bill| {
                transfer_state(&account.merchant, bill, reference, money)
            })
        }
        (Operation::QueryTransfer(query), _) => done(match identity.answer::<Paid>(reply, cx)? {
            Answer::Done(bill) => {
                transfer_state(&account.merchant, &bill, &query.reference, Some(query.money))?
            }
            Answer::Refused(refused) => absent(refused, NO_TRANSFER)?,
        }),
        (Operation::Statement(statement), FIRST) => located(account, statement.kind, reply, cx),
        (Operation::Statement(statement), _) => {
            let sealed = statement.kind == StatementKind::Funds && account.merchant.sub.is_some();
            let file = if sealed { sealed_file(reply, &*account.decrypter) } else { file(reply) };
            file.map(Step::File)
        }
        (Operation::Identify(_), _) => wechat_login::told(reply),
        _ => share_reply(&account.merchant, operation, (reply, stage), cx).unwrap_or(Err(Fault::Unsupported)),
    }
}

/// Where a statement file is, and the call that fetches it.
fn located(account: &Account, kind: StatementKind, reply: &Reply, cx: &Context<'_>) -> Result<Step, Fault> {
    let (merchant, base) = (&account.merchant, &account.merchant.gateway);
    let sealed = kind == StatementKind::Funds && merchant.sub.is_some();
    let answer = if sealed {
        merchant.identity.answer::<SealedFiles>(reply, cx)?.map(|files| files.path(base))
    } else {
        merchant.identity.answer::<Located>(reply, cx)?.map(|file| file.path(base))
    };
    let (path, memo) = match answer {
        Answer::Done(found) => found?,
        Answer::Refused(refused) => return Err(refused.unknown()),
    };
    let mut step = merchant.get(&path, CONFIRM, cx).map_err(not_sent)?;
    if let Step::Send(call) = &mut step {
        // A file is larger than any other reply.
        call.timeout = Duration::from_secs(60);
        call.request.extensions_mut().insert(memo);
    }
    Ok(step)
}

/// What a query of the order says.
fn found(
    account: &Account,
    reply: &Reply,
    (reference, id): (&str, Option<&str>),
    money: Money,
    cx: &Context<'_>,
) -> Result<Outcome, Fault> {
    match account.merchant.identity.answer::<Trade>(reply, cx)? {
        Answer::Done(trade) => trade_state(&account.merchant, &trade, reference, id, Some(money)),
        Answer::Refused(refused) => absent(refused, NO_ORDER),
    }
}

/// An order is looked for without parts first, then with.
fn looked(
    account: &Account,
    (reply, stage): (&Reply, Stage),
    payment: &Payment,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let of = (payment.reference.as_str(), payment.channel_id.as_deref());
    if stage == PARTS {
        return done(found_combined(&account.merchant, reply, of, payment.money, cx)?);
    }
    let outcome = found(account, reply, of, payment.money, cx)?;
    if outcome.verdict == Verdict::Absent {
        return ask_combined(&account.merchant, of.0, PARTS, cx).map_err(not_sent);
    }
    done(outcome)
}

fn paid(account: &Account, pay: &Pay, reply: &Reply, cx: &Context<'_>) -> Result<Step, Fault> {
    let (merchant, refused) = (&account.merchant, |refused| not_taken(account, refused, pay, cx));
    if pay.method.scene() == "barcode" {
        return match merchant.identity.answer::<Trade>(reply, cx)? {
            Answer::Done(trade) => {
                done(trade_state(merchant, &trade, &pay.reference, None, Some(pay.money))?)
            }
            Answer::Refused(why) => refused(why),
        };
    }
    match merchant.identity.answer::<Prepaid>(reply, cx)? {
        Answer::Done(prepaid) => done(Outcome::new(Verdict::Awaiting(action(account, &prepaid, pay, cx)?))),
        Answer::Refused(why) => refused(why),
    }
}

fn given_back(
    account: &Account,
    refund: &Refund,
    (reply, stage): (&Reply, Stage),
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let payment = refund.part.as_ref().unwrap_or(&refund.payment.reference);
    let reference = &refund.reference;
    let ask = |stage| ask_refund(account, reference, stage, cx);
    carried(&account.merchant, (reply, stage), NO_REFUND, cx, ask, |given: &Given| {
        refund_state(&account.merchant, given, payment, reference, Some(refund.money))
    })
}

/// Codes that say that there is no such refund or transfer.
const NO_REFUND: &[&str] = &["RESOURCENOTEXISTS", "REFUNDNOTEXIST"];
const NO_TRANSFER: &[&str] = &["NOTFOUND", "RESOURCENOTEXISTS"];

/// Documented refusals of an order after which no money moves under its reference.
const PAY_DECLINES: &[(&str, Why)] = &[
    ("NOTENOUGH", Why::InsufficientFunds),
    ("PARAMERROR", Why::InvalidRequest),
    ("RULELIMIT", Why::Limit),
    ("NOAUTH", Why::NotPermitted),
    ("MCHNOTEXISTS", Why::NotPermitted),
    ("APPIDMCHIDNOTMATCH", Why::NotPermitted),
];

/// Each of these may be said of the repeat of a request that was carried out: with other particulars, or with a barcode
/// that the first one has used up.
const PAY_DOUBTS: &[Doubt] = &[
    ("INVALIDREQUEST", Why::InvalidRequest, "无效请求"),
    ("AUTHCODEEXPIRE", Why::Expired, "付款码已过期"),
    ("AUTHCODEERROR", Why::InvalidRequest, "付款码错误"),
    ("AUTHCODEINVALID", Why::InvalidRequest, "付款码无效"),
];

/// Refusals that tell of an order that exists already; the order itself knows what became of it.
const KNOWN_ORDER: &[&str] = &["ORDERPAID", "ORDERCLOSED", "OUTTRADENOUSED", "ORDERREVERSED"];

/// What the creation of an order answers: one of these by scene.
#[derive(Deserialize)]
struct Prepaid {
    code_url: Option<String>,
    h5_url: Option<String>,
    prepay_id: Option<String>,
}

fn action(account: &Account, prepaid: &Prepaid, pay: &Pay, cx: &Context<'_>) -> Result<Action, Fault> {
    let part = |name: &str, value: &Option<String>| {
        let fits =
            |text: &&String| (1..=512).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        value.as_ref().filter(fits).cloned().ok_or_else(|| Fault::Unexpected(format!("no {name}")))
    };
    match pay.method.scene() {
        "qr" => Ok(Action::Qr { content: part("code_url", &prepaid.code_url)? }),
        "h5" => {
            let mut url = part("h5_url", &prepaid.h5_url)?;
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return Err(Fault::Unexpected("h5_url is no address".into()));
            }
            if let Some(back) = &pay.return_url {
                url.push(if url.contains('?') { '&' } else { '?' });
                url.push_str("redirect_url=");
                url.extend(byte_serialize(back.as_bytes()));
            }
            Ok(Action::Redirect { url })
        }
        scene => {
            let prepaid = (part("prepay_id", &prepaid.prepay_id)?, !pay.parts.is_empty());
            client(&account.merchant, scene, prepaid, cx).map_err(not_sent)
        }
    }
}

/// An order that was not created, or a barcode that was not charged (yet).
fn not_taken(account: &Account, refused: Refused, pay: &Pay, cx: &Context<'_>) -> Result<Step, Fault> {
    let code = refused.code();
    if code == "USERPAYING" {
        return done(Outcome::new(Verdict::Pending));
    }
    let known = KNOWN_ORDER.contains(&code.as_str()).then_some(CONFIRM);
    if let Some(stage) = known.or_else(|| doubt(PAY_DOUBTS, &refused)) {
        let combined = !pay.parts.is_empty();
        let again = if combined {
            ask_combined(&account.merchant, &pay.reference, stage, cx)
        } else {
            ask(account, &pay.reference, stage, cx)
        };
        return again.map_err(not_sent);
    }
    let Some((_, reason)) = PAY_DECLINES.iter().find(|(known, _)| *known == code) else {
        return Err(refused.unknown());
    };
    let (code, message) = refused.text();
    done(declined(*reason, &code, &message))
}

/// Closes what the query has shown to be open.
fn closable(account: &Account, answer: Answer<Trade>, what: &Close, cx: &Context<'_>) -> Result<Step, Fault> {
    let trade = match answer {
        Answer::Done(trade) => trade,
        Answer::Refused(refused) => {
            absent(refused, NO_ORDER)?;
            return ask_combined(&account.merchant, &what.payment.reference, PARTS, cx).map_err(not_sent);
        }
    };
    let Payment { reference, channel_id, money, .. } = &what.payment;
    let outcome = trade_state(&account.merchant, &trade, reference, channel_id.as_deref(), Some(*money))?;
    if matches!(outcome.verdict, Verdict::Succeeded | Verdict::Closed) {
        return done(outcome);
    }
    // Only barcode payments have the states USERPAYING and PAYERROR.
    let barcode = trade.trade_type.as_deref() == Some("MICROPAY") || trade.trade_state != "NOTPAY";
    let next = if barcode { reverse } else { close };
    next(account, reference, cx).map_err(not_sent)
}

fn closed(
    account: &Account,
    stage: Stage,
    reply: &Reply,
    what: &Close,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let reference = &what.payment.reference;
    match account.merchant.identity.answer::<Value>(reply, cx)? {
        Answer::Done(Value::Null) if stage != REVERSING => done(Outcome::new(Verdict::Closed)),
        Answer::Done(reversed) if stage == REVERSING => {
            let text = |name: &str| reversed[name].as_str();
            let mchid = text("mchid").or(text("sp_mchid"));
            account.merchant.is_ours(None, mchid, text("sub_mchid"))?;
            same("out_trade_no", text("out_trade_no"), reference)?;
            done(Outcome::new(Verdict::Closed))
        }
        Answer::Done(_) => Err(Fault::Unexpected("not the answer to this call".into())),
        // Paid, being paid or closed in between.
        Answer::Refused(refused)
            if refused.code() == "USERPAYING" || KNOWN_ORDER.contains(&refused.code().as_str()) =>
        {
            ask(account, reference, CONFIRM, cx).map_err(not_sent)
        }
        Answer::Refused(refused) => Err(refused.unknown()),
    }
}
