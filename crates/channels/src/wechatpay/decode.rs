//! Replies as outcomes.

use std::time::Duration;

use paycore::channel::{
    Action, Close, Context, DeclineReason as Why, Fault, Operation, Outcome, Pay, Payment, Refund, Reply,
    Stage, Step, Verdict,
};
use paycore::money::Money;
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::config::Account;
use super::encode::{CLOSING, CONFIRM, REVERSING, ask, ask_refund, close, reverse};
use crate::dialect::reply::same;
use crate::dialect::v3::{
    Answer, Doubt, FIRST, Given, Located, Paid, Refused, Trade, absent, ask_transfer, carried, client,
    declined, done, doubt, file, not_sent, refund_state, refusal, share_reply, trade_state, transfer_state,
};

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
        (Operation::Pay(pay), stage) => {
            let found = found(account, reply, (&pay.reference, None), pay.money, cx)?;
            done(if found.verdict == Verdict::Absent { refusal(PAY_DOUBTS, stage) } else { found })
        }
        (Operation::Query(query), _) => looked(account, reply, &query.payment, cx),
        (Operation::Close(close), FIRST) => closable(account, identity.answer(reply, cx)?, close, cx),
        (Operation::Close(close), CLOSING | REVERSING) => closed(account, stage, reply, close, cx),
        (Operation::Close(close), _) => looked(account, reply, &close.payment, cx),
        (Operation::Refund(refund), _) => given_back(account, refund, (reply, stage), cx),
        (Operation::QueryRefund(query), _) => {
            let (payment, reference) = (&query.payment.reference, &query.reference);
            done(match identity.answer::<Given>(reply, cx)? {
                Answer::Done(given) => {
                    refund_state(&account.merchant, &given, payment, reference, Some(query.money))?
                }
                Answer::Refused(refused) => absent(refused, NO_REFUND)?,
            })
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
        (Operation::Statement(_), FIRST) => match identity.answer::<Located>(reply, cx)? {
            Answer::Done(located) => {
                let (path, hash) = located.path(&account.merchant.gateway)?;
                let mut step = account.merchant.get(&path, CONFIRM, cx).map_err(not_sent)?;
                if let Step::Send(call) = &mut step {
                    // A file is larger than any other reply.
                    call.timeout = Duration::from_secs(60);
                    call.request.extensions_mut().insert(hash);
                }
                Ok(step)
            }
            Answer::Refused(refused) => Err(refused.unknown()),
        },
        (Operation::Statement(_), _) => file(reply).map(Step::File),
        _ => share_reply(&account.merchant, operation, (reply, stage), cx).unwrap_or(Err(Fault::Unsupported)),
    }
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

fn looked(account: &Account, reply: &Reply, payment: &Payment, cx: &Context<'_>) -> Result<Step, Fault> {
    let of = (payment.reference.as_str(), payment.channel_id.as_deref());
    done(found(account, reply, of, payment.money, cx)?)
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
    let (payment, reference) = (&refund.payment.reference, &refund.reference);
    let ask = |stage| ask_refund(account, reference, stage, cx);
    carried(&account.merchant, (reply, stage), NO_REFUND, cx, ask, |given: &Given| {
        refund_state(&account.merchant, given, payment, reference, Some(refund.money))
    })
}

/// Codes that say that there is no such order or refund.
const NO_ORDER: &[&str] = &["ORDERNOTEXIST", "RESOURCENOTEXISTS"];
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
            client(&account.merchant, scene, part("prepay_id", &prepaid.prepay_id)?, cx).map_err(not_sent)
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
        return ask(account, &pay.reference, stage, cx).map_err(not_sent);
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
        Answer::Refused(refused) => return done(absent(refused, NO_ORDER)?),
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
        Answer::Done(Value::Null) if stage == CLOSING => done(Outcome::new(Verdict::Closed)),
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
