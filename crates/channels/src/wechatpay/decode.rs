//! Replies as outcomes.

use paycore::channel::{
    Action, Close, Context, Decline, DeclineReason as Why, Fault, Operation, Outcome, Pay, Refund, Refusal,
    Reply, Stage, Step, Verdict,
};
use paycore::money::Money;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use url::form_urlencoded::byte_serialize;

use super::config::Account;
use super::encode::{CLOSING, CONFIRM, FIRST, REFUSED, REVERSING, ask, ask_refund, close, reverse};
use super::envelope::{Answer, Given, Refused, Trade, instant, open};
use crate::dialect::reply::same;

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    match (operation, stage) {
        (Operation::Pay(pay), FIRST) if pay.method.scene() == "barcode" => {
            match open::<Trade>(account, reply, cx)? {
                Answer::Done(trade) => done(state(account, &trade, &pay.reference, None, Some(pay.money))?),
                Answer::Refused(refused) => not_taken(account, refused, pay, cx),
            }
        }
        (Operation::Pay(pay), FIRST) => match open::<Prepaid>(account, reply, cx)? {
            Answer::Done(prepaid) => {
                done(Outcome::new(Verdict::Awaiting(action(account, &prepaid, pay, cx)?)))
            }
            Answer::Refused(refused) => not_taken(account, refused, pay, cx),
        },
        (Operation::Pay(pay), stage) => {
            let found = order(account, reply, &pay.reference, None, pay.money, cx)?;
            let none = stage == REFUSED && found.verdict == Verdict::Absent;
            done(if none { declined(Why::InvalidRequest, "INVALID_REQUEST", "无效请求") } else { found })
        }
        (Operation::Query(query), _) => {
            done(order(account, reply, &query.reference, query.channel_id.as_deref(), query.money, cx)?)
        }
        (Operation::Close(what), FIRST) => closable(account, reply, what, cx),
        (Operation::Close(what), CLOSING | REVERSING) => closed(account, stage, reply, what, cx),
        (Operation::Close(what), _) => {
            done(order(account, reply, &what.reference, what.channel_id.as_deref(), what.money, cx)?)
        }
        (Operation::Refund(refund), FIRST) => match open::<Given>(account, reply, cx)? {
            Answer::Done(given) => done(given_back(account, &given, refund)?),
            Answer::Refused(refused) => not_given(account, refused, refund, cx),
        },
        (Operation::Refund(refund), stage) => done(match open::<Given>(account, reply, cx)? {
            Answer::Done(given) => given_back(account, &given, refund)?,
            Answer::Refused(refused) => without_refund(refused, stage)?,
        }),
        (Operation::QueryRefund(query), _) => done(match open::<Given>(account, reply, cx)? {
            Answer::Done(given) => {
                refund_state(account, &given, &query.payment_reference, &query.reference, Some(query.money))?
            }
            Answer::Refused(refused) => absent(refused, NO_REFUND)?,
        }),
        _ => Err(Fault::Unsupported),
    }
}

/// Codes that say that there is no such order or refund.
const NO_ORDER: &[&str] = &["ORDERNOTEXIST", "RESOURCENOTEXISTS"];
const NO_REFUND: &[&str] = &["RESOURCENOTEXISTS", "REFUNDNOTEXIST"];

/// Documented refusals of an order after which no money moves under its reference.
const PAY_DECLINES: &[(&str, Why)] = &[
    ("NOTENOUGH", Why::InsufficientFunds),
    ("PARAMERROR", Why::InvalidRequest),
    ("RULELIMIT", Why::Limit),
    ("NOAUTH", Why::NotPermitted),
    ("MCHNOTEXISTS", Why::NotPermitted),
    ("APPIDMCHIDNOTMATCH", Why::NotPermitted),
    ("AUTHCODEEXPIRE", Why::Expired),
    ("AUTHCODEERROR", Why::InvalidRequest),
    ("AUTHCODEINVALID", Why::InvalidRequest),
];

/// Refusals that tell of an order that exists already; the order itself knows what became of it.
const KNOWN_ORDER: &[&str] = &["ORDERPAID", "ORDERCLOSED", "OUTTRADENOUSED", "ORDERREVERSED"];

/// Documented refusals of a refund. A refund that was given is asked for before the no is believed; hence the text,
/// which the second reply does not carry.
const REFUND_DECLINES: &[(&str, Why, &str)] = &[
    ("NOTENOUGH", Why::InsufficientFunds, "余额不足"),
    ("INVALIDREQUEST", Why::InvalidRequest, "请求不符合规则"),
    ("PARAMERROR", Why::InvalidRequest, "参数错误"),
    ("RESOURCENOTEXISTS", Why::InvalidRequest, "订单不存在"),
    ("ORDERNOTEXIST", Why::InvalidRequest, "订单不存在"),
    ("USERACCOUNTABNORMAL", Why::Generic, "用户账户异常或注销"),
    ("NOAUTH", Why::NotPermitted, "没有退款权限"),
    ("MCHNOTEXISTS", Why::NotPermitted, "商户号不存在"),
];

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
        scene => client(account, scene, part("prepay_id", &prepaid.prepay_id)?, cx).map_err(not_sent),
    }
}

/// The parameters that start the wallet's own client, with our signature.
fn client(account: &Account, scene: &str, prepay_id: String, cx: &Context<'_>) -> Result<Action, Refusal> {
    let (appid, timestamp) = (account.appid.clone(), cx.now.secs().to_string());
    // Of the order and the instant, so that the same reply always means the same.
    let digest = Sha256::digest(format!("{prepay_id}\n{timestamp}"));
    let nonce: String = digest.iter().take(16).map(|byte| format!("{byte:02X}")).collect();
    let parameters = if scene == "app" {
        let sign = account.identity.sign(&[&appid, &timestamp, &nonce, &prepay_id])?;
        let partner = account.identity.mchid.clone();
        vec![
            ("appid", appid),
            ("partnerid", partner),
            ("prepayid", prepay_id),
            ("package", "Sign=WXPay".to_owned()),
            ("noncestr", nonce),
            ("timestamp", timestamp),
            ("sign", sign),
        ]
    } else {
        let package = format!("prepay_id={prepay_id}");
        let sign = account.identity.sign(&[&appid, &timestamp, &nonce, &package])?;
        vec![
            ("appId", appid),
            ("timeStamp", timestamp),
            ("nonceStr", nonce),
            ("package", package),
            ("signType", "RSA".to_owned()),
            ("paySign", sign),
        ]
    };
    let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(Action::Client { parameters })
}

/// An order that was not created, or a barcode that was not charged (yet).
fn not_taken(account: &Account, refused: Refused, pay: &Pay, cx: &Context<'_>) -> Result<Step, Fault> {
    let code = refused.code();
    match code.as_str() {
        "USERPAYING" => return done(Outcome::new(Verdict::Pending)),
        // Said of a request out of form, and of a known order that is sent again with other particulars.
        "INVALIDREQUEST" => return ask(account, &pay.reference, REFUSED, cx).map_err(not_sent),
        code if KNOWN_ORDER.contains(&code) => {
            return ask(account, &pay.reference, CONFIRM, cx).map_err(not_sent);
        }
        _ => {}
    }
    let Some((_, reason)) = PAY_DECLINES.iter().find(|(known, _)| *known == code) else {
        return Err(refused.unknown());
    };
    let (code, message) = refused.text();
    done(declined(*reason, &code, &message))
}

/// The state of an order, from a query.
fn order(
    account: &Account,
    reply: &Reply,
    reference: &str,
    channel_id: Option<&str>,
    money: Money,
    cx: &Context<'_>,
) -> Result<Outcome, Fault> {
    match open::<Trade>(account, reply, cx)? {
        Answer::Done(trade) => state(account, &trade, reference, channel_id, Some(money)),
        Answer::Refused(refused) => absent(refused, NO_ORDER),
    }
}

/// What an order came to, once it is the one that was asked for.
pub(super) fn state(
    account: &Account,
    trade: &Trade,
    reference: &str,
    channel_id: Option<&str>,
    money: Option<Money>,
) -> Result<Outcome, Fault> {
    same("mchid", Some(&trade.mchid), &account.identity.mchid)?;
    // Documented as optional.
    if let Some(appid) = &trade.appid {
        same("appid", Some(appid), &account.appid)?;
    }
    same("out_trade_no", Some(&trade.out_trade_no), reference)?;
    let id = trade.transaction_id.clone().filter(|id| !id.is_empty());
    if let (Some(said), Some(known)) = (&id, channel_id) {
        same("transaction_id", Some(said), known)?;
    }
    let said = trade.amount.as_ref().map(super::envelope::Amount::total).transpose()?;
    if let (Some(said), Some(ours)) = (said, money)
        && said != ours
    {
        return Err(Fault::Unacceptable(format!("the total is {said}, not {ours}")));
    }
    let verdict = match trade.trade_state.as_str() {
        // REFUND only tells that some of the money went back later.
        "SUCCESS" | "REFUND" if id.is_some() && said.is_some() => Verdict::Succeeded,
        "NOTPAY" | "USERPAYING" => Verdict::Pending,
        "CLOSED" | "REVOKED" => Verdict::Closed,
        "PAYERROR" => failed(trade.trade_state_desc.as_deref().unwrap_or_default()),
        other => return Err(Fault::Unexpected(format!("trade_state {other:?}"))),
    };
    let at = instant("success_time", trade.success_time.as_deref())?;
    Ok(Outcome { verdict, channel_id: id, money: said, at })
}

/// Barcode payments fail for good; why stands in the description only.
fn failed(description: &str) -> Verdict {
    let reason = if description.contains("余额不足") { Why::InsufficientFunds } else { Why::Generic };
    let message = description.chars().take(200).collect();
    Verdict::Declined(Decline { reason, code: "PAYERROR".to_owned(), message })
}

/// Closes what the query has shown to be open.
fn closable(account: &Account, reply: &Reply, what: &Close, cx: &Context<'_>) -> Result<Step, Fault> {
    let trade = match open::<Trade>(account, reply, cx)? {
        Answer::Done(trade) => trade,
        Answer::Refused(refused) => return done(absent(refused, NO_ORDER)?),
    };
    let outcome = state(account, &trade, &what.reference, what.channel_id.as_deref(), Some(what.money))?;
    match outcome.verdict {
        Verdict::Succeeded | Verdict::Closed => return done(outcome),
        _ => {}
    }
    // Only barcode payments have the states USERPAYING and PAYERROR.
    let barcode = trade.trade_type.as_deref() == Some("MICROPAY") || trade.trade_state != "NOTPAY";
    let next = if barcode { reverse } else { close };
    next(account, &what.reference, cx).map_err(not_sent)
}

/// What the reversal of a barcode payment answers.
#[derive(Deserialize)]
struct Reversed {
    mchid: String,
    out_trade_no: String,
}

fn closed(
    account: &Account,
    stage: Stage,
    reply: &Reply,
    what: &Close,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    match open::<Option<Reversed>>(account, reply, cx)? {
        Answer::Done(Some(reversed)) if stage == REVERSING => {
            same("mchid", Some(&reversed.mchid), &account.identity.mchid)?;
            same("out_trade_no", Some(&reversed.out_trade_no), &what.reference)?;
            done(Outcome::new(Verdict::Closed))
        }
        Answer::Done(None) if stage == CLOSING => done(Outcome::new(Verdict::Closed)),
        Answer::Done(_) => Err(Fault::Unexpected("not the answer to this call".into())),
        // Paid, being paid or closed in between.
        Answer::Refused(refused)
            if refused.code() == "USERPAYING" || KNOWN_ORDER.contains(&refused.code().as_str()) =>
        {
            ask(account, &what.reference, CONFIRM, cx).map_err(not_sent)
        }
        Answer::Refused(refused) => Err(refused.unknown()),
    }
}

fn given_back(account: &Account, given: &Given, refund: &Refund) -> Result<Outcome, Fault> {
    refund_state(account, given, &refund.payment_reference, &refund.reference, Some(refund.money))
}

/// What a refund came to, once it is the one that was asked for.
pub(super) fn refund_state(
    account: &Account,
    given: &Given,
    payment: &str,
    reference: &str,
    money: Option<Money>,
) -> Result<Outcome, Fault> {
    if let Some(mchid) = &given.mchid {
        same("mchid", Some(mchid), &account.identity.mchid)?;
    }
    same("out_trade_no", Some(&given.out_trade_no), payment)?;
    same("out_refund_no", Some(&given.out_refund_no), reference)?;
    let said = given.amount.refund()?;
    if let Some(ours) = money.filter(|ours| *ours != said) {
        return Err(Fault::Unacceptable(format!("the refund is {said}, not {ours}")));
    }
    let verdict = match given.status.as_str() {
        "SUCCESS" => Verdict::Succeeded,
        // An abnormal refund waits for the merchant to name another account.
        "PROCESSING" | "ABNORMAL" => Verdict::Pending,
        "CLOSED" => declined(Why::Generic, "CLOSED", "退款关闭").verdict,
        other => return Err(Fault::Unexpected(format!("refund status {other:?}"))),
    };
    let at = instant("success_time", given.success_time.as_deref())?;
    Ok(Outcome { at, ..Outcome::new(verdict).channel_id(&given.refund_id).money(said) })
}

fn not_given(account: &Account, refused: Refused, refund: &Refund, cx: &Context<'_>) -> Result<Step, Fault> {
    let (stages, code) = (REFUSED.., refused.code());
    let known = stages.zip(REFUND_DECLINES).find(|(_, (known, ..))| *known == code);
    let Some((stage, _)) = known else { return Err(refused.unknown()) };
    ask_refund(account, &refund.reference, stage, cx).map_err(not_sent)
}

/// What to say when the query after a refusal finds no refund: the refusal that led to the query.
fn without_refund(refused: Refused, stage: Stage) -> Result<Outcome, Fault> {
    let outcome = absent(refused, NO_REFUND)?;
    let row = stage.checked_sub(REFUSED).and_then(|row| REFUND_DECLINES.get(usize::from(row)));
    Ok(row.map_or(outcome, |&(code, reason, message)| declined(reason, code, message)))
}

fn absent(refused: Refused, codes: &[&str]) -> Result<Outcome, Fault> {
    if codes.contains(&refused.code().as_str()) {
        Ok(Outcome::new(Verdict::Absent))
    } else {
        Err(refused.unknown())
    }
}

fn declined(reason: Why, code: &str, message: &str) -> Outcome {
    let (code, message) = (code.to_owned(), message.to_owned());
    Outcome::new(Verdict::Declined(Decline { reason, code, message }))
}

fn done(outcome: Outcome) -> Result<Step, Fault> {
    Ok(Step::Done(outcome))
}

/// The next call could not even be written.
fn not_sent(refusal: Refusal) -> Fault {
    Fault::Unexpected(format!("the next call: {refusal}"))
}
