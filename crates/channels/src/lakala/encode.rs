//! Operations as signed requests.

use std::net::IpAddr;
use std::time::Duration;

use paycore::channel::{Call, Context, Effect, Operation, Pay, Refund, Refusal, Stage, Step};
use serde_json::{Value, json};

use super::PROFILE;
use super::config::Account;
use crate::dialect::capability::{fen, in_time, simple};
use crate::dialect::text::{self, address, plain, within};

/// The first call of an operation.
pub(super) const FIRST: Stage = 0;
/// The close or the revocation of an order that its query has found open.
pub(super) const CLOSING: Stage = 1;
pub(super) const REVOKING: Stage = 2;
/// A query that settles what another reply left open.
pub(super) const CONFIRM: Stage = 3;
/// As `CONFIRM`, after a refusal that is believed only when the query finds nothing.
pub(super) const REFUSED: Stage = 4;
/// A query of the revocation of a payment whose money has gone back.
pub(super) const REVOCATION: Stage = 5;

/// Twelve digits.
const FEN_MAX: i64 = 999_999_999_999;
/// Recommended at most.
const MINUTES_MAX: u64 = 15;

/// What a wallet is called, and by scene how its payer gets to an order.
pub(super) fn kind(brand: &str, scene: &str) -> Option<(&'static str, &'static str)> {
    Some(match (brand, scene) {
        ("alipay", "qr") => ("ALIPAY", "41"),
        ("alipay", "jsapi") => ("ALIPAY", "51"),
        ("unionpay", "qr") => ("UQRCODEPAY", "41"),
        ("unionpay", "jsapi") => ("UQRCODEPAY", "51"),
        ("wechatpay", "jsapi") => ("WECHAT", "51"),
        ("wechatpay", "app") => ("WECHAT", "61"),
        ("wechatpay", "mini") => ("WECHAT", "71"),
        // The barcode says whose it is.
        ("alipay" | "unionpay" | "wechatpay" | "ecny", "barcode") => ("", ""),
        _ => return None,
    })
}

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => start(account, pay, cx),
        Operation::Query(query) => ask(account, &query.payment.reference, FIRST, cx),
        // A revocation gives the money of a paid order back, so the order is looked at first.
        Operation::Close(close) => ask(account, &close.payment.reference, FIRST, cx),
        Operation::Refund(refund) => give_back(account, refund, cx),
        Operation::QueryRefund(query) => {
            reference("payment", &query.payment.reference)?;
            ask(account, &query.reference, FIRST, cx)
        }
        _ => Err(Refusal::Unsupported("this operation")),
    }
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    let (brand, scene) = (pay.method.brand(), pay.method.scene());
    let (wallet, kind) = kind(brand, scene).ok_or(Refusal::Unsupported("this method"))?;
    simple(pay)?;
    let subject = plain(&pay.subject, 42);
    if subject.trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    in_time(pay, cx)?;
    let mut order = json!({
        "out_trade_no": reference("reference", &pay.reference)?,
        "total_amount": fen(pay.money, FEN_MAX)?,
        "subject": subject,
        "location_info": location(account, pay.payer.ip.as_deref()),
    });
    if kind.is_empty() {
        let code = pay.payer.auth_code.as_deref().unwrap_or_default();
        let digits = (16..=32).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
        order["auth_code"] = digits.then_some(code).ok_or_else(|| missing("payer.auth_code"))?.into();
        return post(account, "trans/micropay", order, (FIRST, Effect::Money), cx);
    }
    order["account_type"] = wallet.into();
    order["trans_type"] = kind.into();
    order["notify_url"] = address("notify_url", cx.notify_url, &[])?.into();
    order["acc_busi_fields"] = wallet_fields(account, pay, kind, cx)?;
    post(account, "trans/preorder", order, (FIRST, Effect::Money), cx)
}

/// What the payer's wallet wants to know.
fn wallet_fields(account: &Account, pay: &Pay, kind: &str, cx: &Context<'_>) -> Result<Value, Refusal> {
    let minutes = pay.expires_at.map(|at| (at.since(cx.now).as_secs() / 60).clamp(1, MINUTES_MAX));
    let mut fields = json!({"timeout_express": minutes.unwrap_or(MINUTES_MAX).to_string()});
    if matches!(kind, "51" | "71") {
        let payer = pay.payer.id.as_deref().filter(|id| !id.trim().is_empty() && id.len() <= 64);
        fields["user_id"] = payer.ok_or_else(|| missing("payer.id"))?.into();
    }
    match (pay.method.brand(), &account.sub_appid) {
        ("wechatpay", Some(appid)) => fields["sub_appid"] = appid.as_str().into(),
        ("wechatpay", None) => return Err(Refusal::Unsupported("WeChat Pay without the setting sub_appid")),
        _ => {}
    }
    if pay.method.is("wechatpay", "jsapi") {
        fields["device_info"] = "WEB".into();
    }
    Ok(fields)
}

/// A query of any trade, as an operation of its own or to settle another.
pub(super) fn ask(account: &Account, of: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
    let data = json!({"out_trade_no": reference("reference", of)?});
    post(account, "query/tradequery", data, (stage, Effect::None), cx)
}

/// A query of the revocation of a payment.
pub(super) fn ask_revocation(account: &Account, of: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
    post(account, "query/tradequery", json!({"out_trade_no": revocation(of)}), (REVOCATION, Effect::None), cx)
}

pub(super) fn close(account: &Account, of: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
    let of = reference("reference", of)?;
    let data = json!({"origin_out_trade_no": of, "location_info": location(account, None)});
    post(account, "relation/close", data, (CLOSING, Effect::None), cx)
}

/// Ends a barcode payment; one that was paid in between is given back.
pub(super) fn revoke(account: &Account, of: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
    let data = json!({
        "out_trade_no": revocation(of),
        "origin_out_trade_no": reference("reference", of)?,
        "location_info": location(account, None),
    });
    post(account, "relation/revoked", data, (REVOKING, Effect::Money), cx)
}

/// The number of the one revocation a payment can have.
pub(super) fn revocation(of: &str) -> String {
    format!("V{of}")
}

fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    if refund.part.is_some() {
        return Err(Refusal::Unsupported("combined payments"));
    }
    fen(refund.captured, FEN_MAX)?;
    let reason = refund.reason.as_deref().filter(|text| !text.trim().is_empty());
    let data = json!({
        "out_trade_no": reference("reference", &refund.reference)?,
        "origin_out_trade_no": reference("payment", &refund.payment.reference)?,
        "refund_amount": fen(refund.money, FEN_MAX)?,
        "refund_reason": within(reason.unwrap_or("退款"), 32),
        "location_info": location(account, None),
    });
    post(account, "relation/refund", data, (FIRST, Effect::Money), cx)
}

fn location(account: &Account, payer: Option<&str>) -> Value {
    let payer: Option<IpAddr> = payer.and_then(|ip| ip.parse().ok());
    json!({"request_ip": payer.unwrap_or(account.request_ip).to_string()})
}

fn post(
    account: &Account,
    path: &str,
    data: Value,
    (stage, effect): (Stage, Effect),
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let request = account.request(path, data, cx)?;
    // A barcode may wait for the wallet.
    let timeout = Duration::from_secs(if effect == Effect::Money { 30 } else { 10 });
    Ok(Step::send(Call { stage, request, timeout, effect, identity: None }))
}

fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, PROFILE.references)
}

fn missing(param: &'static str) -> Refusal {
    Refusal::Parameter { param, detail: "is missing or not of the form of this scene".into() }
}
