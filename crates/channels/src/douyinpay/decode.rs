//! Replies as outcomes.

use paycore::channel::{
    Action, Close, Context, DeclineReason as Why, Fault, Operation, Outcome, Pay, Refusal, Reply, Stage,
    Step, Verdict,
};
use paycore::money::Money;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::config::Account;
use super::encode::{CLOSING, CONFIRM, FIRST, REFUSED, ask, ask_refund, close};
use super::envelope::{Amount, Given, Trade};
use crate::dialect::reply::{declined, done, not_sent, same};
use crate::dialect::v3::{Answer, Refused, instant};

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let identity = &account.identity;
    let found = |reference: &str, id: Option<&str>, money| match identity.answer::<Trade>(reply, cx)? {
        Answer::Done(trade) => state(account, &trade, reference, id, Some(money)),
        Answer::Refused(refused) => absent(refused),
    };
    match (operation, stage) {
        (Operation::Pay(pay), FIRST) => match identity.answer::<Prepaid>(reply, cx)? {
            Answer::Done(prepaid) => {
                done(Outcome::new(Verdict::Awaiting(action(account, &prepaid, pay, cx)?)))
            }
            Answer::Refused(refused) => {
                let known = KNOWN_ORDER.contains(&refused.code().as_str()).then_some(CONFIRM);
                let stage = known.or_else(|| doubt(PAY_DOUBTS, &refused)).ok_or_else(|| refused.unknown())?;
                ask(account, &pay.reference, stage, cx).map_err(not_sent)
            }
        },
        (Operation::Pay(pay), stage) => {
            let found = found(&pay.reference, None, pay.money)?;
            done(if found.verdict == Verdict::Absent { refusal(PAY_DOUBTS, stage) } else { found })
        }
        (Operation::Query(query), _) => {
            let payment = &query.payment;
            done(found(&payment.reference, payment.channel_id.as_deref(), payment.money)?)
        }
        (Operation::Close(close), FIRST) => closable(account, identity.answer(reply, cx)?, close, cx),
        (Operation::Close(close), CLOSING) => closed(account, reply, close, cx),
        (Operation::Close(close), _) => {
            let payment = &close.payment;
            done(found(&payment.reference, payment.channel_id.as_deref(), payment.money)?)
        }
        (Operation::Refund(refund), _) => {
            let (payment, reference) = (&refund.payment.reference, &refund.reference);
            match identity.answer::<Given>(reply, cx)? {
                Answer::Done(given) => {
                    done(refund_state(account, &given, payment, reference, Some(refund.money))?)
                }
                Answer::Refused(refused) if stage == FIRST => {
                    let stage = doubt(REFUND_DOUBTS, &refused).ok_or_else(|| refused.unknown())?;
                    ask_refund(account, reference, stage, cx).map_err(not_sent)
                }
                Answer::Refused(refused) => {
                    absent(refused).map(|_| refusal(REFUND_DOUBTS, stage)).and_then(done)
                }
            }
        }
        (Operation::QueryRefund(query), _) => {
            let (payment, reference) = (&query.payment.reference, &query.reference);
            done(match identity.answer::<Given>(reply, cx)? {
                Answer::Done(given) => refund_state(account, &given, payment, reference, Some(query.money))?,
                Answer::Refused(refused) => absent(refused)?,
            })
        }
        _ => Err(Fault::Unsupported),
    }
}

/// Codes that say that there is no such order or refund. The provider publishes no complete list; taking one of these
/// for absence is safe, because absence settles nothing by itself.
const ABSENT: &[&str] =
    &["ORDERNOTEXIST", "ORDERNOTEXISTS", "ORDERNOTFOUND", "RESOURCENOTEXISTS", "REFUNDNOTEXIST"];

/// Refusals that tell of an order that exists already; the order itself knows what became of it.
const KNOWN_ORDER: &[&str] = &["ORDERPAID", "ORDERCLOSED", "OUTTRADENOUSED"];

/// A refusal that is believed only when a query finds nothing: its code, and what it then means.
type Doubt = (&'static str, Why, &'static str);

const PAY_DOUBTS: &[Doubt] = &[
    ("PARAMERROR", Why::InvalidRequest, "参数错误"),
    ("INVALIDREQUEST", Why::InvalidRequest, "无效请求"),
    ("NOAUTH", Why::NotPermitted, "商户无权限"),
    ("MCHNOTEXISTS", Why::NotPermitted, "商户号不存在"),
    ("APPIDMCHIDNOTMATCH", Why::NotPermitted, "AppID 和商户号不匹配"),
    ("RULELIMIT", Why::Limit, "业务规则限制"),
];

const REFUND_DOUBTS: &[Doubt] = &[
    ("NOTENOUGH", Why::InsufficientFunds, "余额不足"),
    ("INVALIDREQUEST", Why::InvalidRequest, "请求不符合规则"),
    ("PARAMERROR", Why::InvalidRequest, "参数错误"),
    ("RESOURCENOTEXISTS", Why::InvalidRequest, "订单不存在"),
    ("ORDERNOTEXIST", Why::InvalidRequest, "订单不存在"),
    ("NOAUTH", Why::NotPermitted, "没有退款权限"),
];

/// The stage at which a query settles this refusal.
fn doubt(doubts: &[Doubt], refused: &Refused) -> Option<Stage> {
    let code = refused.code();
    let found = (REFUSED..).zip(doubts).find(|(_, (known, ..))| *known == code);
    found.map(|(stage, _)| stage)
}

/// The refusal behind a stage; the query that found nothing does not carry its text.
fn refusal(doubts: &[Doubt], stage: Stage) -> Outcome {
    let row = stage.checked_sub(REFUSED).and_then(|row| doubts.get(usize::from(row)));
    let absent = Outcome::new(Verdict::Absent);
    row.map_or(absent, |&(code, reason, message)| declined(reason, code, message))
}

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
            |text: &&String| (1..=1024).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        value.as_ref().filter(fits).cloned().ok_or_else(|| Fault::Unexpected(format!("no {name}")))
    };
    match pay.method.scene() {
        "qr" => Ok(Action::Qr { content: part("code_url", &prepaid.code_url)? }),
        "h5" => {
            let url = part("h5_url", &prepaid.h5_url)?;
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return Err(Fault::Unexpected("h5_url is no address".into()));
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
    let partner = account.identity.mchid.clone();
    let parameters = if scene == "app" {
        let sign = account.identity.sign(&[&appid, &timestamp, &nonce, &prepay_id])?;
        let names = ["appid", "partnerid", "prepayid", "package", "noncestr", "timestamp", "sign"];
        named(names, [appid, partner, prepay_id, "Sign=DYPay".to_owned(), nonce, timestamp, sign])
    } else {
        let package = format!("prepay_id={prepay_id}");
        let sign = account.identity.sign(&[&appid, &timestamp, &nonce, &package])?;
        let names = ["appId", "timeStamp", "nonceStr", "package", "signType", "paySign"];
        named(names, [appid, timestamp, nonce, package, "DouyinPay-RSA".to_owned(), sign])
    };
    Ok(Action::Client { parameters })
}

fn named<const N: usize>(names: [&str; N], values: [String; N]) -> Vec<(String, String)> {
    names.map(str::to_owned).into_iter().zip(values).collect()
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
    let said = trade.amount.as_ref().map(Amount::total).transpose()?;
    ours("total", said, money)?;
    let verdict = match trade.trade_state.as_str() {
        // REFUND only tells that some of the money went back later.
        "SUCCESS" | "REFUND" if id.is_some() && said.is_some() => Verdict::Succeeded,
        // A payer whose payment failed may try again until the order is closed.
        "NOTPAY" | "USERPAYING" | "PAYERROR" => Verdict::Pending,
        "CLOSED" => Verdict::Closed,
        other => return Err(Fault::Unexpected(format!("trade_state {other:?}"))),
    };
    let at = instant("success_time", trade.success_time.as_deref())?;
    Ok(Outcome { channel_id: id, money: said, at, ..Outcome::new(verdict) })
}

/// The amount that was said, if any, has to be ours, if that is known.
fn ours(what: &str, said: Option<Money>, ours: Option<Money>) -> Result<(), Fault> {
    match (said, ours) {
        (Some(said), Some(ours)) if said != ours => {
            Err(Fault::Unacceptable(format!("the {what} is {said}, not {ours}")))
        }
        _ => Ok(()),
    }
}

/// Closes what the query has shown to be open.
fn closable(account: &Account, answer: Answer<Trade>, what: &Close, cx: &Context<'_>) -> Result<Step, Fault> {
    let trade = match answer {
        Answer::Done(trade) => trade,
        Answer::Refused(refused) => return done(absent(refused)?),
    };
    let payment = &what.payment;
    let id = payment.channel_id.as_deref();
    let outcome = state(account, &trade, &payment.reference, id, Some(payment.money))?;
    if matches!(outcome.verdict, Verdict::Succeeded | Verdict::Closed) {
        return done(outcome);
    }
    close(account, &payment.reference, cx).map_err(not_sent)
}

fn closed(account: &Account, reply: &Reply, what: &Close, cx: &Context<'_>) -> Result<Step, Fault> {
    match account.identity.answer::<Value>(reply, cx)? {
        Answer::Done(Value::Null) => done(Outcome::new(Verdict::Closed)),
        Answer::Done(_) => Err(Fault::Unexpected("not the answer to this call".into())),
        // Paid or closed in between.
        Answer::Refused(refused) if KNOWN_ORDER.contains(&refused.code().as_str()) => {
            ask(account, &what.payment.reference, CONFIRM, cx).map_err(not_sent)
        }
        Answer::Refused(refused) => Err(refused.unknown()),
    }
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
    ours("refund", Some(said), money)?;
    let verdict = match given.status.as_str() {
        "SUCCESS" => Verdict::Succeeded,
        // An abnormal refund waits for the merchant or the provider to mend it.
        "PROCESSING" | "ABNORMAL" => Verdict::Pending,
        "CLOSED" => declined(Why::Generic, "CLOSED", "退款关闭").verdict,
        other => return Err(Fault::Unexpected(format!("refund status {other:?}"))),
    };
    let at = instant("success_time", given.success_time.as_deref())?;
    Ok(Outcome { at, ..Outcome::new(verdict).channel_id(&given.refund_id).money(said) })
}

fn absent(refused: Refused) -> Result<Outcome, Fault> {
    if ABSENT.contains(&refused.code().as_str()) {
        Ok(Outcome::new(Verdict::Absent))
    } else {
        Err(refused.unknown())
    }
}
