//! Operations as signed forms.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use paycore::channel::{
    Action, Call, CaptureMode, Context, Effect, Method, Operation, Outcome, Pay, Payment, Refusal, Stage,
    Statement, StatementKind, Step, Verdict,
};
use paycore::money::Money;
use paycore::time::Timestamp;
use url::form_urlencoded::Serializer;

use super::config::Account;
use super::{CNY, PROFILE, UNITS};
use crate::dialect::acp::Fields;
use crate::dialect::text::{self, address};

/// The first call of an operation.
pub(super) const FIRST: Stage = 0;
/// A query that settles what was accepted.
pub(super) const CONFIRM: Stage = 1;
/// A query for the number of the transaction that is to be changed, and the call that it was for.
pub(super) const LOOKUP: Stage = 2;
pub(super) const CHANGE: Stage = 3;
/// Queries whether a held payment was captured, and whether it was voided.
pub(super) const CAPTURED: Stage = 4;
pub(super) const VOIDED: Stage = 5;
/// From here on: a query after a refusal, which is believed if there is nothing else.
pub(super) const REFUSED: Stage = 16;

const BACK: &str = "backTransReq";
/// UnionPay's amounts have at most 12 digits.
const FEN_MAX: i64 = 999_999_999_999;

/// One transaction, found by its number and time.
#[derive(Debug)]
pub(super) struct Deal<'a> {
    pub(super) method: &'a Method,
    /// The `txnType` it may have.
    pub(super) kinds: &'static [&'static str],
    pub(super) order_id: String,
    pub(super) at: Timestamp,
    /// Where it is known beforehand.
    pub(super) money: Option<Money>,
}

impl<'a> Deal<'a> {
    /// A payment that takes or holds money.
    pub(super) fn payment(payment: &'a Payment) -> Result<Self, Refusal> {
        let order_id = reference("payment", &payment.reference)?.to_owned();
        let (method, at, money) = (&payment.method, payment.started_at, Some(payment.money));
        Ok(Deal { method, kinds: &["01", "02"], order_id, at, money })
    }

    /// The capture (`c`) or void (`v`) of a held payment. Its number is that of the payment, the letter and the time, so
    /// that a second one after a refusal is another. With 26 characters of reference it fills the 32 that statements hold.
    pub(super) fn ending(payment: &'a Payment, letter: char, money: Option<Money>) -> Result<Self, Refusal> {
        let detail = || "has no time of its capture or void".to_owned();
        let deal = Deal::payment(payment)?;
        let at =
            payment.ending_at.ok_or_else(|| Refusal::Parameter { param: "payment", detail: detail() })?;
        let digits =
            (0..5).rev().map(|place| char::from_digit((at.secs() / 36_i64.pow(place) % 36) as u32, 36));
        let time: String = digits.map(|digit| digit.unwrap_or('0')).collect();
        let order_id = format!("{}{letter}{time}", deal.order_id);
        let kinds: &[&str] = if letter == 'c' { &["03"] } else { &["32"] };
        Ok(Deal { kinds, order_id, at, money, ..deal })
    }

    /// What a capture, void or refund is itself.
    pub(super) fn of(operation: &'a Operation) -> Result<Self, Refusal> {
        let refund = |id: &str, method: &'a Method, at, money| {
            let order_id = reference("reference", id)?.to_owned();
            Ok(Deal { method, kinds: &["04"], order_id, at, money: Some(money) })
        };
        match operation {
            Operation::Capture(capture) => Deal::ending(&capture.payment, 'c', Some(capture.money)),
            Operation::Void(void) => Deal::ending(&void.payment, 'v', Some(void.payment.money)),
            Operation::Refund(r) => refund(&r.reference, &r.payment.method, r.started_at, r.money),
            Operation::QueryRefund(r) => refund(&r.reference, &r.payment.method, r.started_at, r.money),
            _ => Err(Refusal::Unsupported("this operation")),
        }
    }

    /// What a capture, void or refund changes.
    pub(super) fn origin(operation: &'a Operation) -> Result<Self, Refusal> {
        let (payment, kinds): (_, &[&str]) = match operation {
            Operation::Capture(capture) => (&capture.payment, &["02"]),
            Operation::Void(void) => (&void.payment, &["02"]),
            Operation::Refund(refund) if refund.payment.ending_at.is_some() => {
                return Deal::ending(&refund.payment, 'c', Some(refund.captured));
            }
            Operation::Refund(refund) => (&refund.payment, &["01"]),
            _ => return Err(Refusal::Unsupported("this operation")),
        };
        Ok(Deal { kinds, ..Deal::payment(payment)? })
    }

    /// A query of it.
    pub(super) fn ask(self, account: &Account, stage: Stage) -> Result<Step, Refusal> {
        let fields = transaction(("00", "00"), &scene(self.method)?, self.order_id, self.at);
        // A lookup begins an operation that moves money; when it is lost, that is as if the rest were.
        let effect = if stage == LOOKUP { Effect::Money } else { Effect::None };
        send(account, &url(account, "queryTrans"), fields, stage, effect)
    }

    /// The request that makes it, by changing the transaction that UnionPay knows as `origin`.
    pub(super) fn make(
        self,
        account: &Account,
        origin: &str,
        stage: Stage,
        cx: &Context<'_>,
    ) -> Result<Step, Refusal> {
        if origin.len() > 32 || !origin.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let detail = "is not a number of UnionPay's".to_owned();
            return Err(Refusal::Parameter { param: "channel_id", detail });
        }
        let mut fields = transaction((self.kinds[0], "00"), &scene(self.method)?, self.order_id, self.at);
        fields.extend(money(self.money, cx)?);
        fields.push(("origQryId", origin.to_owned()));
        send(account, &url(account, BACK), fields, stage, Effect::Money)
    }
}

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    let payment = match operation {
        Operation::Pay(pay) => return start(account, pay, cx),
        Operation::Query(query) => return Deal::payment(&query.payment)?.ask(account, FIRST),
        Operation::QueryRefund(query) => {
            reference("payment", &query.payment.reference)?;
            return Deal::of(operation)?.ask(account, FIRST);
        }
        Operation::Statement(statement) => return fetch(account, *statement, cx),
        Operation::Capture(capture) => &capture.payment,
        Operation::Void(void) => &void.payment,
        Operation::Refund(refund) => &refund.payment,
        _ => return Err(Refusal::Unsupported("this operation")),
    };
    let deal = Deal::of(operation)?;
    reference("payment", &payment.reference)?;
    match &payment.channel_id {
        Some(origin) => deal.make(account, origin, FIRST, cx),
        None => {
            // Before anything is sent, so that what cannot be done is not looked up.
            money(deal.money, cx)?;
            Deal::origin(operation)?.ask(account, LOOKUP)
        }
    }
}

/// What a scene is in UnionPay's words: `bizType` and `channelType`, `txnSubType` of a payment and of one that is held,
/// and where it is sent.
type Scene = ((&'static str, &'static str), (&'static str, Option<&'static str>), &'static str);

fn scene(method: &Method) -> Result<Scene, Refusal> {
    match (method.brand(), method.scene()) {
        ("unionpay", "page") => Ok((("000201", "07"), ("01", Some("01")), "frontTransReq")),
        ("unionpay", "h5") => Ok((("000201", "08"), ("01", Some("01")), "frontTransReq")),
        ("unionpay", "b2b") => Ok((("000202", "07"), ("01", None), "frontTransReq")),
        ("unionpay", "app") => Ok((("000201", "08"), ("01", Some("01")), "appTransReq")),
        ("unionpay", "qr") => Ok((("000000", "08"), ("07", Some("05")), BACK)),
        ("unionpay", "barcode") => Ok((("000000", "08"), ("06", Some("04")), BACK)),
        _ => Err(Refusal::Unsupported("this method")),
    }
}

/// Fields that every transaction has.
fn transaction((kind, sub_type): (&str, &str), scene: &Scene, order_id: String, at: Timestamp) -> Fields {
    let fixed =
        [("txnType", kind), ("txnSubType", sub_type), ("bizType", scene.0.0), ("channelType", scene.0.1)];
    let mut fields: Fields = fixed.map(|(name, value)| (name, value.to_owned())).into();
    fields.extend([("orderId", order_id), ("txnTime", at.beijing_compact())]);
    fields
}

/// Fields of everything that moves money.
fn money(money: Option<Money>, cx: &Context<'_>) -> Result<[(&'static str, String); 3], Refusal> {
    let fits = |money: &Money| money.currency() == CNY && (1..=FEN_MAX).contains(&money.minor());
    let fits = money.filter(fits).and_then(|money| UNITS.to_wire(money).ok());
    let wrong = || Refusal::Amount("must be between 0.01 and 9999999999.99 CNY".to_owned());
    let back_url = address("notify_url", cx.notify_url, &[])?.to_owned();
    Ok([("txnAmt", fits.ok_or_else(wrong)?), ("currencyCode", "156".to_owned()), ("backUrl", back_url)])
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    let scene = scene(&pay.method)?;
    let kind = match pay.capture {
        CaptureMode::Automatic => ("01", scene.1.0),
        CaptureMode::Manual => ("02", scene.1.1.ok_or(Refusal::Unsupported("manual capture"))?),
    };
    if pay.shared || !pay.parts.is_empty() {
        return Err(Refusal::Unsupported("shares and parts"));
    }
    let id = reference("reference", &pay.reference)?.to_owned();
    let mut fields = transaction(kind, &scene, id, pay.started_at);
    fields.extend(money(Some(pay.money), cx)?);
    if let Some(at) = pay.expires_at {
        if at <= cx.now {
            return Err(Refusal::Parameter { param: "expires_at", detail: "must be in the future".into() });
        }
        fields.push(("payTimeout", at.beijing_compact()));
    }
    if scene.2 != BACK {
        // Braces would begin a value of several fields.
        let text = text::plain(&pay.subject, 32).replace(['{', '}', '[', ']'], " ");
        fields.push(("orderDesc", text::within(&text, 32).trim().to_owned()));
    }
    if pay.method.scene() == "barcode" {
        let code = pay.payer.auth_code.as_deref().unwrap_or_default();
        if !(6..=20).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            let detail = "must be the 6 to 20 digits of the payer's code".to_owned();
            return Err(Refusal::Parameter { param: "payer.auth_code", detail });
        }
        fields.extend([("qrNo", code.to_owned()), ("termId", account.term_id.clone())]);
    }
    if scene.2 != "frontTransReq" {
        return send(account, &url(account, scene.2), fields, FIRST, Effect::Money);
    }
    if let Some(url) = &pay.return_url {
        fields.push(("frontUrl", address("return_url", url, &[])?.to_owned()));
    }
    let fields = sign(account, fields)?.into_iter().map(|(name, value)| (name.to_owned(), value));
    let action = Action::Form { url: url(account, scene.2), fields: fields.collect() };
    Ok(Step::Done(Outcome::new(Verdict::Awaiting(action))))
}

fn fetch(account: &Account, statement: Statement, cx: &Context<'_>) -> Result<Step, Refusal> {
    if statement.kind != StatementKind::Trade {
        return Err(Refusal::Unsupported("this kind of statement"));
    }
    let fixed = [("txnType", "76"), ("txnSubType", "01"), ("bizType", "000000"), ("fileType", "00")];
    let mut fields: Fields = fixed.map(|(name, value)| (name, value.to_owned())).into();
    fields.extend([("txnTime", cx.now.beijing_compact()), ("settleDate", settle_date(statement))]);
    send(account, &account.file_gateway, fields, FIRST, Effect::None)
}

/// Month and day.
pub(super) fn settle_date(statement: Statement) -> String {
    statement.day.beijing_compact()[4..8].to_owned()
}

fn url(account: &Account, name: &str) -> String {
    format!("{}/gateway/api/{name}.do", account.gateway)
}

fn sign(account: &Account, mut fields: Fields) -> Result<Fields, Refusal> {
    fields.extend([("accessType", "0".to_owned()), ("merId", account.mer_id.clone())]);
    account.seal.sign(fields)
}

fn send(account: &Account, url: &str, fields: Fields, stage: Stage, effect: Effect) -> Result<Step, Refusal> {
    let body = Serializer::new(String::new()).extend_pairs(sign(account, fields)?).finish();
    let request = http::Request::post(url)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded;charset=UTF-8")
        .body(Bytes::from(body))
        .map_err(|_| Refusal::Signing)?;
    let timeout = Duration::from_secs(if effect == Effect::Money { 30 } else { 20 });
    Ok(Step::send(Call { stage, request, timeout, effect, identity: None }))
}

fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, PROFILE.references)
}
