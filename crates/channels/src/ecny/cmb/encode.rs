//! Operations as signed requests.

use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use md5::{Digest, Md5};
use paycore::channel::{Call, Context, Effect, Operation, Pay, Refund, Refusal, Stage, Step};
use paycore::crypto::Scheme;
use serde_json::{Value, json};

use super::super::encode::{amount, checked, goods, reference};
use super::config::Account;
use crate::dialect::form::text_to_sign;
use crate::dialect::text::{address, plain};

/// The first call of an operation.
pub(super) const FIRST: Stage = 0;
/// A query that settles what the first reply left open.
pub(super) const CONFIRM: Stage = 1;

const ORDER: &str = "ecny/unifiedOrder";
const QUERY: &str = "orderquery";
const CLOSE: &str = "close";
const REFUND: &str = "refund";
const REFUND_QUERY: &str = "refundquery";

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => start(account, pay, cx),
        Operation::Query(query) => ask(account, &query.payment.reference, FIRST, cx),
        Operation::Close(close) => {
            let content = json!({"orderId": reference("reference", &close.payment.reference)?});
            call(account, CLOSE, content, (FIRST, Effect::None), cx)
        }
        Operation::Refund(refund) => give_back(account, refund, cx),
        Operation::QueryRefund(query) => ask_refund(account, &query.reference, FIRST, cx),
        _ => Err(Refusal::Unsupported("this operation")),
    }
}

/// The bank's word for a scene.
pub(super) fn transaction_type(pay: &Pay) -> Option<&'static str> {
    let types = [("qr", "TT01"), ("app", "TT03"), ("h5", "TT04"), ("mini", "TT13")];
    types.into_iter().find(|(scene, _)| pay.method.is("ecny", scene)).map(|(_, kind)| kind)
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    let kind = transaction_type(pay).ok_or(Refusal::Unsupported("this method"))?;
    let expires = checked(pay, cx)?;
    let ip = pay.payer.ip.as_deref().filter(|ip| ip.parse::<std::net::IpAddr>().is_ok());
    let mut content = json!({
        "orderId": reference("reference", &pay.reference)?,
        "notifyUrl": address("notify_url", cx.notify_url, &[])?,
        "currencyCode": "156",
        "transactionType": kind,
        "txnAmt": amount(pay.money)?,
        "terminalNo": account.terminal_no,
        "terminalIp": ip.unwrap_or("127.0.0.1"),
        "goodsName": goods(&pay.subject),
        "tradePlace": account.trade_place,
        "orderTimeExpire": expires.beijing().replace(' ', "T"),
    });
    if let Some(text) = pay.description.as_deref().filter(|text| !text.trim().is_empty()) {
        content["orderDetails"] = plain(text, 256).into();
    }
    call(account, ORDER, content, (FIRST, Effect::Money), cx)
}

/// A query of the order, as an operation of its own or to settle another.
pub(super) fn ask(account: &Account, of: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
    call(account, QUERY, json!({"orderId": reference("reference", of)?}), (stage, Effect::None), cx)
}

/// A query of the refund, as an operation of its own or to settle a refund.
pub(super) fn ask_refund(
    account: &Account,
    of: &str,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    call(account, REFUND_QUERY, json!({"orderId": reference("reference", of)?}), (stage, Effect::None), cx)
}

fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    if refund.part.is_some() {
        return Err(Refusal::Unsupported("parts"));
    }
    let mut content = json!({
        "orderId": reference("reference", &refund.reference)?,
        "origOrderId": reference("reference", &refund.payment.reference)?,
        "txnAmt": amount(refund.payment.money)?,
        "refundAmt": amount(refund.money)?,
        "notifyUrl": address("notify_url", cx.notify_url, &[])?,
    });
    if let Some(text) = refund.reason.as_deref().filter(|text| !text.trim().is_empty()) {
        content["refundReason"] = plain(text, 32).into();
    }
    call(account, REFUND, content, (FIRST, Effect::Money), cx)
}

fn call(
    account: &Account,
    path: &'static str,
    mut content: Value,
    (stage, effect): (Stage, Effect),
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    content["merId"] = account.merchant_id.as_str().into();
    content["userId"] = account.cashier_id.as_str().into();
    let content = content.to_string();
    let sign = signature(
        account,
        &[("biz_content", &content), ("encoding", "UTF-8"), ("signMethod", "02"), ("version", "0.0.1")],
    )
    .ok_or(Refusal::Signing)?;
    let body = json!({
        "biz_content": content, "encoding": "UTF-8", "signMethod": "02", "version": "0.0.1", "sign": sign,
    });
    let now = cx.now.secs().to_string();
    let request = http::Request::post(format!("{}/polypay/v1.0/mchorders/{path}", account.gateway))
        .header(CONTENT_TYPE, "application/json")
        .header("appid", &account.app_id)
        .header("timestamp", &now)
        .header("apisign", head_digest(account, &sign, &now))
        .body(Bytes::from(body.to_string()))
        .map_err(|_| Refusal::Signing)?;
    Ok(Step::send(Call { stage, request, timeout: Duration::from_secs(15), effect, identity: None }))
}

/// Base64 of our signature over parameters that are sorted already.
pub(super) fn signature(account: &Account, sorted: &[(&str, &str)]) -> Option<String> {
    let signed = account.signer.sign(Scheme::Sm2Sm3Der, text_to_sign(sorted).as_bytes());
    signed.ok().map(|signature| STANDARD.encode(signature))
}

/// The header `apisign`. The bank knows no other digest for it; the body's signature is what protects the request.
fn head_digest(account: &Account, sign: &str, timestamp: &str) -> String {
    let (app_id, secret) = (&account.app_id, account.app_secret.expose());
    let text = format!("appid={app_id}&secret={secret}&sign={sign}&timestamp={timestamp}");
    Md5::digest(text).iter().fold(String::with_capacity(32), |mut hex, byte| {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
