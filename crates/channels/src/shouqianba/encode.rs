//! Operations as signed requests, or as an address for the payer.

use std::fmt::Write as _;
use std::time::Duration;

use paycore::channel::{
    Action, Call, Context, Effect, Operation, Outcome, Pay, Refund, Refusal, Stage, Step, Verdict,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded::Serializer;

use super::PROFILE;
use super::config::Account;
use crate::dialect::capability::{fen, in_time, simple};
use crate::dialect::text::{self, address, plain};

/// The first call of an operation.
pub(super) const FIRST: Stage = 0;
/// The cancellation of an order that its query has found open.
pub(super) const CANCELLING: Stage = 1;
/// A query that settles what another reply left open.
pub(super) const CONFIRM: Stage = 2;
/// As `CONFIRM`, after a refusal: one stage for each row of the table of refusals.
pub(super) const REFUSED: Stage = 3;

/// A hundred million yuan; dearer orders are not taken.
const FEN_MAX: i64 = 9_999_999_999;

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => start(account, pay, cx),
        Operation::Query(query) => ask(account, &query.payment.reference, FIRST),
        // A cancellation gives the money of a paid order back, so the order is looked at first.
        Operation::Close(close) => ask(account, &close.payment.reference, FIRST),
        Operation::Refund(refund) => give_back(account, refund),
        Operation::QueryRefund(query) => {
            ask_refund(account, &query.payment.reference, &query.reference, FIRST)
        }
        _ => Err(Refusal::Unsupported("this operation")),
    }
}

/// The wallet's number, and that of the scene where it is not the usual one.
fn wallet(brand: &str, scene: &str) -> Option<(&'static str, Option<&'static str>)> {
    match (brand, scene) {
        ("alipay", "qr" | "barcode") => Some(("1", None)),
        ("wechatpay", "qr" | "barcode" | "wap") => Some(("3", None)),
        ("unionpay", "qr" | "barcode") => Some(("17", None)),
        ("alipay", "jsapi") => Some(("1", Some("3"))),
        ("wechatpay", "jsapi") => Some(("3", Some("3"))),
        ("wechatpay", "mini") => Some(("3", Some("4"))),
        _ => None,
    }
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    let scene = pay.method.scene();
    let (payway, sub_payway) =
        wallet(pay.method.brand(), scene).ok_or(Refusal::Unsupported("this method"))?;
    simple(pay)?;
    let subject = plain(&pay.subject, 64);
    if subject.trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    in_time(pay, cx)?;
    let reference = reference("reference", &pay.reference)?;
    let (amount, notify_url) = (fen(pay.money, FEN_MAX)?, address("notify_url", cx.notify_url, &["sign"])?);
    if notify_url.len() > 128 {
        return Err(Refusal::Parameter {
            param: "notify_url",
            detail: "must be of at most 128 bytes".into(),
        });
    }
    if scene == "wap" {
        return page(account, pay, (&subject, amount, notify_url));
    }
    let mut order = json!({
        "terminal_sn": account.terminal_sn,
        "client_sn": reference,
        "total_amount": amount,
        "subject": subject,
        "operator": account.operator,
        "notify_url": notify_url,
    });
    if scene == "barcode" {
        // The provider tells the wallet by the barcode.
        let code = pay.payer.auth_code.as_deref().unwrap_or_default();
        let digits = (16..=32).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
        order["dynamic_id"] = digits.then_some(code).ok_or_else(|| missing("payer.auth_code"))?.into();
        return post(account, "pay", &order, (FIRST, Effect::Money));
    }
    order["payway"] = payway.into();
    if let Some(sub_payway) = sub_payway {
        order["sub_payway"] = sub_payway.into();
        let payer = pay.payer.id.as_deref().filter(|id| !id.trim().is_empty() && id.len() <= 64);
        order["payer_uid"] = payer.ok_or_else(|| missing("payer.id"))?.into();
    }
    post(account, "precreate", &order, (FIRST, Effect::Money))
}

/// The address that makes the order when the payer's browser opens it.
fn page(account: &Account, pay: &Pay, parts: (&str, String, &str)) -> Result<Step, Refusal> {
    let (subject, amount, notify_url) = parts;
    let back = pay.return_url.as_deref().ok_or_else(|| missing("return_url"))?;
    let back = address("return_url", back, &["sign"])?;
    if back.len() > 128 {
        return Err(Refusal::Parameter {
            param: "return_url",
            detail: "must be of at most 128 bytes".into(),
        });
    }
    let parameters = [
        ("client_sn", pay.reference.clone()),
        ("notify_url", notify_url.to_owned()),
        ("operator", account.operator.clone()),
        ("payway", "3".to_owned()),
        ("return_url", back.to_owned()),
        ("subject", subject.to_owned()),
        ("terminal_sn", account.terminal_sn.clone()),
        ("total_amount", amount),
    ];
    let sign = account.sign_page(&parameters);
    let mut query = Serializer::new(String::new());
    query.extend_pairs(&parameters).append_pair("sign", &sign);
    let url = format!("{}?{}", account.wap_gateway, query.finish());
    Ok(Step::Done(Outcome::new(Verdict::Awaiting(Action::Redirect { url }))))
}

/// A query of the order, as an operation of its own or to settle another.
pub(super) fn ask(account: &Account, of: &str, stage: Stage) -> Result<Step, Refusal> {
    let body = json!({"terminal_sn": account.terminal_sn, "client_sn": reference("reference", of)?});
    post(account, "query", &body, (stage, Effect::None))
}

/// A query of the refund, as an operation of its own or to settle a refund.
pub(super) fn ask_refund(account: &Account, of: &str, refund: &str, stage: Stage) -> Result<Step, Refusal> {
    let body = json!({
        "terminal_sn": account.terminal_sn,
        "client_sn": reference("payment", of)?,
        "refund_request_no": number(reference("reference", refund)?),
    });
    post(account, "query", &body, (stage, Effect::None))
}

pub(super) fn cancel(account: &Account, of: &str) -> Result<Step, Refusal> {
    let body = json!({"terminal_sn": account.terminal_sn, "client_sn": reference("reference", of)?});
    post(account, "cancel", &body, (CANCELLING, Effect::Money))
}

fn give_back(account: &Account, refund: &Refund) -> Result<Step, Refusal> {
    if refund.part.is_some() {
        return Err(Refusal::Unsupported("combined payments"));
    }
    fen(refund.captured, FEN_MAX)?;
    let body = json!({
        "terminal_sn": account.terminal_sn,
        "client_sn": reference("payment", &refund.payment.reference)?,
        "refund_request_no": number(reference("reference", &refund.reference)?),
        "refund_amount": fen(refund.money, FEN_MAX)?,
        "operator": account.operator,
    });
    post(account, "refund", &body, (FIRST, Effect::Money))
}

/// Refunds have numbers of at most twenty characters: a longer reference becomes eighty bits of its digest.
pub(super) fn number(reference: &str) -> String {
    if reference.len() <= 20 {
        return reference.to_owned();
    }
    let mut number = String::with_capacity(20);
    for byte in Sha256::digest(reference).iter().take(10) {
        // Writing into a String cannot fail.
        let _ = write!(number, "{byte:02x}");
    }
    number
}

fn post(
    account: &Account,
    path: &str,
    body: &Value,
    (stage, effect): (Stage, Effect),
) -> Result<Step, Refusal> {
    let request = account.request(path, body)?;
    // A barcode may wait for the payer's password.
    let timeout = Duration::from_secs(if effect == Effect::Money { 50 } else { 10 });
    Ok(Step::send(Call { stage, request, timeout, effect, identity: None }))
}

fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, PROFILE.references)
}

fn missing(param: &'static str) -> Refusal {
    Refusal::Parameter { param, detail: "is missing or not of the form of this scene".into() }
}
