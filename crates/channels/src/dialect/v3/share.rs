//! Sharing (分账): giving parts of a paid order to others, taking them back, and releasing the rest.
//!
//! A share is of a transaction by the gateway's own number. Where that is not known, the order is looked at first, and
//! its number is remembered over the next call.

use paycore::channel::{
    AccountKind, Context, DeclineReason as Why, Effect, Fault, Memo, Operation, Outcome, Payment,
    QueryReturn, Receiver, Refusal, Reply, ReturnShare, ShareOutcome, Stage, Step, Verdict,
};
use paycore::currency::Currency;
use paycore::money::Money;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answer, FIRST, Merchant, Trade, absent, carried, declined, done, fen, instant, not_sent, ours, reference,
    trade_state,
};
use crate::dialect::reply::same;
use crate::dialect::text::within;

/// The order that is shared, looked at for its number.
const LOCATE: Stage = 1;
const SHARES: &str = "/v3/profitsharing/orders";
const RETURNS: &str = "/v3/profitsharing/return-orders";
const RECEIVERS: &str = "/v3/profitsharing/receivers";
/// There is no such share or return.
const NONE: &[&str] = &["RESOURCENOTEXISTS", "ORDERNOTEXIST", "NOTFOUND"];

/// What a notification says of money that moved by sharing.
#[derive(Debug, Deserialize)]
pub(crate) struct Moved {
    #[serde(alias = "sp_mchid")]
    mchid: String,
    sub_mchid: Option<String>,
    /// Our number of the share.
    pub(crate) out_order_no: String,
}

impl Moved {
    /// Whether it is about this merchant.
    pub(crate) fn is_of(&self, merchant: &Merchant) -> Result<(), Fault> {
        merchant.is_ours(None, Some(&self.mchid), self.sub_mchid.as_deref())
    }
}

/// The first call of an operation about shares; nothing for any other.
pub(crate) fn share_request(
    merchant: &Merchant,
    operation: &Operation,
    orders: &str,
    cx: &Context<'_>,
) -> Option<Result<Step, Refusal>> {
    Some(match operation {
        Operation::Share(_) | Operation::QueryShare(_) | Operation::Release(_) => {
            let (payment, number) = of(operation)?;
            // Written even when the order is to be looked at first: what does not fit is refused before that.
            let written = write(merchant, operation, payment.channel_id.as_deref().unwrap_or("0"), FIRST, cx);
            if payment.channel_id.is_some() || written.is_err() {
                return Some(written);
            }
            let of = reference("reference", number).and(reference("payment.reference", &payment.reference));
            of.and_then(|of| {
                let path = format!("{orders}/out-trade-no/{of}?{}", merchant.asking());
                merchant.get(&path, LOCATE, cx)
            })
        }
        Operation::ReturnShare(back) => take_back(merchant, back, cx),
        Operation::QueryReturn(query) => ask_return(merchant, query, FIRST, cx),
        Operation::BindReceiver(receiver) => bind(merchant, receiver, "add", cx),
        Operation::UnbindReceiver(receiver) => bind(merchant, receiver, "delete", cx),
        _ => return None,
    })
}

/// The payment and our number of the share.
fn of(operation: &Operation) -> Option<(&Payment, &str)> {
    match operation {
        Operation::Share(share) => Some((&share.payment, &share.reference)),
        Operation::QueryShare(query) => Some((&query.payment, &query.reference)),
        Operation::Release(release) => Some((&release.payment, &release.reference)),
        _ => None,
    }
}

/// The call itself, about this transaction. From the stage of a refusal on it is the query that settles it.
fn write(
    merchant: &Merchant,
    operation: &Operation,
    transaction: &str,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let word = |text: &str| (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
    if !word(transaction) {
        let detail = "must be the gateway's number of the order".into();
        return Err(Refusal::Parameter { param: "payment.channel_id", detail });
    }
    let (path, body) = match operation {
        Operation::Share(share) if stage == FIRST => {
            let mut receivers = Vec::with_capacity(share.shares.len());
            for (receiver, money) in &share.shares {
                let mut row = account(merchant, receiver, cx)?;
                row["amount"] = fen(*money)?.into();
                row["description"] = described(&share.description)?.into();
                receivers.push(row);
            }
            if !(1..=50).contains(&receivers.len()) {
                let detail = "must have 1 to 50 receivers".into();
                return Err(Refusal::Parameter { param: "shares", detail });
            }
            let mut body = json!({
                "appid": merchant.appid, "transaction_id": transaction, "receivers": receivers,
                "out_order_no": reference("reference", &share.reference)?, "unfreeze_unsplit": share.last,
            });
            if let Some(appid) = merchant.sub.as_ref().and_then(|sub| sub.appid.as_deref()) {
                body["sub_appid"] = appid.into();
            }
            (SHARES.to_owned(), body)
        }
        Operation::Release(release) if stage == FIRST => {
            let body = json!({
                "transaction_id": transaction, "out_order_no": reference("reference", &release.reference)?,
                "description": described(&release.description)?,
            });
            (format!("{SHARES}/unfreeze"), body)
        }
        other => {
            let number = of(other).ok_or(Refusal::Unsupported("this operation"))?.1;
            let number = reference("reference", number)?;
            let sub = merchant.asking_for('&');
            let step =
                merchant.get(&format!("{SHARES}/{number}?transaction_id={transaction}{sub}"), stage, cx)?;
            return Ok(remember(step, transaction));
        }
    };
    let step = merchant.post(&path, &merchant.with_sub(body), (stage, Effect::Money), cx)?;
    Ok(remember(step, transaction))
}

/// The number of the transaction comes back with the reply.
fn remember(mut step: Step, transaction: &str) -> Step {
    if let Step::Send(call) = &mut step {
        call.request.extensions_mut().insert(Memo(transaction.to_owned()));
    }
    step
}

fn described(text: &str) -> Result<String, Refusal> {
    let text = within(text, 80);
    if text.trim().is_empty() {
        return Err(Refusal::Parameter { param: "description", detail: "must not be empty".into() });
    }
    Ok(text)
}

/// A receiver by type, account and, encrypted, name.
fn account(merchant: &Merchant, receiver: &Receiver, cx: &Context<'_>) -> Result<Value, Refusal> {
    let kind = kind(merchant, receiver)?;
    let account = receiver.account.as_str();
    if !(1..=64).contains(&account.len()) || !account.bytes().all(|byte| byte.is_ascii_graphic()) {
        let detail = "must be 1 to 64 ASCII characters".into();
        return Err(Refusal::Parameter { param: "receiver.account", detail });
    }
    let mut row = json!({"type": kind, "account": account});
    if let Some(name) = receiver.name.as_deref().filter(|name| !name.trim().is_empty()) {
        row["name"] = merchant.identity.encrypt(name, cx)?.into();
    }
    Ok(row)
}

fn kind(merchant: &Merchant, receiver: &Receiver) -> Result<&'static str, Refusal> {
    match receiver.kind {
        AccountKind::Merchant => Ok("MERCHANT_ID"),
        AccountKind::Open if merchant.sub.as_ref().is_some_and(|sub| sub.appid.is_some()) => {
            Ok("PERSONAL_SUB_OPENID")
        }
        AccountKind::Open => Ok("PERSONAL_OPENID"),
        _ => Err(Refusal::Unsupported("receivers other than merchants and openids")),
    }
}

fn take_back(merchant: &Merchant, back: &ReturnShare, cx: &Context<'_>) -> Result<Step, Refusal> {
    if back.receiver.kind != AccountKind::Merchant {
        return Err(Refusal::Unsupported("taking shares back from persons"));
    }
    let body = json!({
        "out_order_no": reference("share", &back.share)?, "out_return_no": reference("reference", &back.reference)?,
        "return_mchid": account(merchant, &back.receiver, cx)?["account"], "amount": fen(back.money)?,
        "description": described(&back.description)?,
    });
    merchant.post(RETURNS, &merchant.with_sub(body), (FIRST, Effect::Money), cx)
}

fn ask_return(
    merchant: &Merchant,
    query: &QueryReturn,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let (number, share) = (reference("reference", &query.reference)?, reference("share", &query.share)?);
    let sub = merchant.asking_for('&');
    merchant.get(&format!("{RETURNS}/{number}?out_order_no={share}{sub}"), stage, cx)
}

fn bind(merchant: &Merchant, receiver: &Receiver, verb: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
    let mut body = account(merchant, receiver, cx)?;
    body["appid"] = merchant.appid.as_str().into();
    if let Some(appid) = merchant.sub.as_ref().and_then(|sub| sub.appid.as_deref()) {
        body["sub_appid"] = appid.into();
    }
    if verb == "add" {
        let relation = receiver.relation.as_deref().unwrap_or("PARTNER");
        if !relation.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') || relation.len() > 32 {
            let detail = "must be one of the gateway's words, such as SUPPLIER or STORE".into();
            return Err(Refusal::Parameter { param: "receiver.relation", detail });
        }
        body["relation_type"] = relation.into();
    } else if let Some(body) = body.as_object_mut() {
        body.remove("name");
    }
    merchant.post(&format!("{RECEIVERS}/{verb}"), &merchant.with_sub(body), (FIRST, Effect::None), cx)
}

#[derive(Deserialize)]
struct Shared {
    sub_mchid: Option<String>,
    transaction_id: String,
    out_order_no: String,
    order_id: String,
    state: String,
    #[serde(default)]
    receivers: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    account: String,
    amount: i64,
    result: String,
    fail_reason: Option<String>,
}

#[derive(Deserialize)]
struct Returned {
    out_order_no: String,
    out_return_no: String,
    return_id: String,
    return_mchid: String,
    amount: i64,
    result: String,
    fail_reason: Option<String>,
    finish_time: Option<String>,
}

/// What the reply to an operation about shares means; nothing for any other.
pub(crate) fn share_reply(
    merchant: &Merchant,
    operation: &Operation,
    (reply, stage): (&Reply, Stage),
    cx: &Context<'_>,
) -> Option<Result<Step, Fault>> {
    let at = (reply, stage);
    Some(match operation {
        Operation::Share(_) | Operation::QueryShare(_) | Operation::Release(_) => {
            let (payment, number) = of(operation)?;
            if stage == LOCATE {
                return Some(located(merchant, operation, payment, reply, cx));
            }
            let memo = reply.extensions().get::<Memo>().map(|memo| memo.0.as_str());
            let Some(transaction) = payment.channel_id.as_deref().or(memo) else {
                return Some(Err(Fault::Unexpected("which transaction this was about".into())));
            };
            let read = |shared: &Shared| state(merchant, shared, (transaction, number), operation);
            if matches!(operation, Operation::QueryShare(_)) {
                return Some(looked(merchant, reply, cx, read));
            }
            carried(merchant, at, NONE, cx, |stage| write(merchant, operation, transaction, stage, cx), read)
        }
        Operation::ReturnShare(back) => {
            let ask = |stage| {
                let (reference, share) = (back.reference.clone(), back.share.clone());
                let query =
                    QueryReturn { reference, share, payment: back.payment.clone(), money: back.money };
                ask_return(merchant, &query, stage, cx)
            };
            carried(merchant, at, NONE, cx, ask, |returned: &Returned| {
                same("return_mchid", Some(&returned.return_mchid), &back.receiver.account)?;
                returned_state(returned, (&back.reference, &back.share), back.money)
            })
        }
        Operation::QueryReturn(query) => looked(merchant, reply, cx, |returned: &Returned| {
            returned_state(returned, (&query.reference, &query.share), query.money)
        }),
        Operation::BindReceiver(receiver) | Operation::UnbindReceiver(receiver) => {
            bound(merchant, receiver, reply, cx)
        }
        _ => return None,
    })
}

fn looked<T: serde::de::DeserializeOwned>(
    merchant: &Merchant,
    reply: &Reply,
    cx: &Context<'_>,
    read: impl FnOnce(&T) -> Result<Outcome, Fault>,
) -> Result<Step, Fault> {
    done(match merchant.identity.answer::<T>(reply, cx)? {
        Answer::Done(said) => read(&said)?,
        Answer::Refused(refused) => absent(refused, NONE)?,
    })
}

/// The order was looked at: now the call about its transaction.
fn located(
    merchant: &Merchant,
    operation: &Operation,
    payment: &Payment,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let found = match merchant.identity.answer::<Trade>(reply, cx)? {
        Answer::Done(trade) => trade_state(merchant, &trade, &payment.reference, None, Some(payment.money))?,
        Answer::Refused(refused) => absent(refused, NONE)?,
    };
    match found {
        Outcome { verdict: Verdict::Succeeded, channel_id: Some(transaction), .. } => {
            write(merchant, operation, &transaction, FIRST, cx).map_err(not_sent)
        }
        // Nothing was sent, and of an order that is not paid there is nothing to share.
        _ if matches!(operation, Operation::QueryShare(_)) => done(Outcome::new(Verdict::Absent)),
        _ => done(declined(Why::InvalidRequest, "NOTPAY", "订单未支付，不能分账")),
    }
}

fn state(
    merchant: &Merchant,
    shared: &Shared,
    (transaction, number): (&str, &str),
    operation: &Operation,
) -> Result<Outcome, Fault> {
    if let (Some(sub), Some(said)) = (&merchant.sub, &shared.sub_mchid) {
        same("sub_mchid", Some(said), &sub.mchid)?;
    }
    same("transaction_id", Some(&shared.transaction_id), transaction)?;
    same("out_order_no", Some(&shared.out_order_no), number)?;
    let mut shares = Vec::with_capacity(shared.receivers.len());
    for row in &shared.receivers {
        let verdict = match row.result.as_str() {
            "PENDING" => Verdict::Pending,
            "SUCCESS" => Verdict::Succeeded,
            "CLOSED" => failed(row.fail_reason.as_deref()),
            other => return Err(Fault::Unexpected(format!("the result of a share {other:?}"))),
        };
        shares.push(ShareOutcome { account: row.account.clone(), money: yuan(row.amount)?, verdict });
    }
    if let Operation::Share(asked) = operation {
        let said = |(receiver, money): &(Receiver, Money)| {
            shares.iter().any(|share| share.account == receiver.account && share.money == *money)
        };
        if !asked.shares.iter().all(said) {
            return Err(Fault::Unacceptable("the shares are not the ones that were asked for".into()));
        }
        // The rest that goes to the merchant itself stands there, too.
        shares.retain(|share| asked.shares.iter().any(|(receiver, _)| receiver.account == share.account));
    }
    let closed = shares.iter().find(|share| matches!(share.verdict, Verdict::Declined(_)));
    let verdict = match (shared.state.as_str(), closed) {
        ("PROCESSING", _) => Verdict::Pending,
        // What became of each stands beside; nothing at all was shared only if every one was closed.
        ("FINISHED", Some(no))
            if shares.iter().all(|share| matches!(share.verdict, Verdict::Declined(_))) =>
        {
            no.verdict.clone()
        }
        ("FINISHED", _) if shares.iter().any(|share| share.verdict == Verdict::Pending) => Verdict::Pending,
        ("FINISHED", _) => Verdict::Succeeded,
        (other, _) => return Err(Fault::Unexpected(format!("the state of a share {other:?}"))),
    };
    Ok(Outcome { shares, ..Outcome::new(verdict).channel_id(&shared.order_id) })
}

fn returned_state(
    returned: &Returned,
    (number, share): (&str, &str),
    money: Money,
) -> Result<Outcome, Fault> {
    same("out_return_no", Some(&returned.out_return_no), number)?;
    same("out_order_no", Some(&returned.out_order_no), share)?;
    let said = yuan(returned.amount)?;
    ours("return", Some(said), Some(money))?;
    let verdict = match returned.result.as_str() {
        "PROCESSING" => Verdict::Pending,
        "SUCCESS" => Verdict::Succeeded,
        "FAILED" => failed(returned.fail_reason.as_deref()),
        other => return Err(Fault::Unexpected(format!("the result of a return {other:?}"))),
    };
    let at = instant("finish_time", returned.finish_time.as_deref())?;
    let at = at.filter(|_| verdict == Verdict::Succeeded);
    Ok(Outcome { at, ..Outcome::new(verdict).channel_id(&returned.return_id).money(said) })
}

/// Both calls may be repeated, and their refusals are definite: no money moves by them.
fn bound(merchant: &Merchant, receiver: &Receiver, reply: &Reply, cx: &Context<'_>) -> Result<Step, Fault> {
    match merchant.identity.answer::<Value>(reply, cx)? {
        Answer::Done(said) => {
            same("account", said["account"].as_str(), &receiver.account)?;
            same("type", said["type"].as_str(), kind(merchant, receiver).map_err(not_sent)?)?;
            done(Outcome::new(Verdict::Succeeded))
        }
        Answer::Refused(refused) => {
            let reason = match refused.code().as_str() {
                "PARAMERROR" | "INVALIDREQUEST" => Why::InvalidRequest,
                "NOAUTH" => Why::NotPermitted,
                "RULELIMIT" => Why::Limit,
                _ => return Err(refused.unknown()),
            };
            let (code, message) = refused.text();
            done(declined(reason, &code, &message))
        }
    }
}

fn failed(reason: Option<&str>) -> Verdict {
    let code = reason.unwrap_or("CLOSED");
    let why = match code {
        "BALANCE_NOT_ENOUGH" => Why::InsufficientFunds,
        "RECEIVER_HIGH_RISK" => Why::Risk,
        "RECEIVER_RECEIPT_LIMIT" => Why::Limit,
        "NO_AUTH" | "NO_RELATION" => Why::NotPermitted,
        _ => Why::Generic,
    };
    declined(why, code, "").verdict
}

fn yuan(fen: i64) -> Result<Money, Fault> {
    if fen > 0 {
        return Ok(Money::new(fen, Currency::CNY));
    }
    Err(Fault::Unexpected(format!("an amount of {fen} fen")))
}
