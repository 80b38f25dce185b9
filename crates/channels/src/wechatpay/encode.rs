//! Operations as signed requests.

use std::time::Duration;

use http::Method;
use paycore::channel::{Call, CaptureMode, Context, Effect, Operation, Pay, Refund, Refusal, Stage, Step};
use paycore::money::Money;
use serde_json::{Value, json};

use super::config::Account;
use super::{CNY, PROFILE};
use crate::dialect::text::{self, address, within};

/// The first call of an operation.
pub(super) const FIRST: Stage = 0;
/// The close or the reversal of an order that its query has found open.
pub(super) const CLOSING: Stage = 1;
pub(super) const REVERSING: Stage = 2;
/// A query that settles what another reply left open.
pub(super) const CONFIRM: Stage = 3;
/// As `CONFIRM`, after a refusal: one stage for each row of the table of refusals.
pub(super) const REFUSED: Stage = 4;

/// The dearest order: the provider's own libraries hold a total in 32 bits.
const FEN_MAX: i64 = i32::MAX as i64;
const BEIJING: i32 = 8 * 3600;
const ORDERS: &str = "/v3/pay/transactions";
const REFUNDS: &str = "/v3/refund/domestic/refunds";

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => start(account, pay, cx),
        Operation::Query(query) => ask(account, &query.payment.reference, FIRST, cx),
        // A close is answered without naming an order, even for one that does not exist, and a barcode payment is
        // reversed instead, which gives the money back. So the order is looked at first.
        Operation::Close(close) => ask(account, &close.payment.reference, FIRST, cx),
        Operation::Refund(refund) => give_back(account, refund, cx),
        Operation::QueryRefund(query) => ask_refund(account, &query.reference, FIRST, cx),
        _ => Err(Refusal::Unsupported("this operation")),
    }
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    if pay.method.brand() != "wechatpay" {
        return Err(Refusal::Unsupported("this method"));
    }
    if pay.capture == CaptureMode::Manual {
        return Err(Refusal::Unsupported("manual capture"));
    }
    let mut order = json!({
        "appid": account.appid,
        "mchid": account.identity.mchid,
        "out_trade_no": reference("reference", &pay.reference)?,
        "amount": {"total": amount(pay.money)?, "currency": "CNY"},
    });
    let kind = match pay.method.scene() {
        "qr" => "native",
        "h5" => {
            let ip =
                required("payer.ip", pay.payer.ip.as_deref(), |ip| ip.parse::<std::net::IpAddr>().is_ok())?;
            order["scene_info"] = json!({"payer_client_ip": ip, "h5_info": {"type": "Wap"}});
            "h5"
        }
        "jsapi" | "mini" => {
            let openid = required("payer.id", pay.payer.id.as_deref(), |id| id.len() <= 128)?;
            order["payer"] = json!({"openid": openid});
            "jsapi"
        }
        "app" => "app",
        "barcode" => {
            let digits = |code: &str| code.len() == 18 && code.bytes().all(|byte| byte.is_ascii_digit());
            let code = required("payer.auth_code", pay.payer.auth_code.as_deref(), digits)?;
            order["payer"] = json!({"auth_code": code});
            order["scene_info"] = json!({"store_info": {"out_id": account.store_id}});
            "codepay"
        }
        _ => return Err(Refusal::Unsupported("this method")),
    };
    let description = within(&pay.subject, 127);
    if description.trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    order["description"] = description.into();
    if pay.expires_at.is_some_and(|at| at <= cx.now) {
        return Err(Refusal::Parameter { param: "expires_at", detail: "must be in the future".into() });
    }
    // A barcode is charged or refused at once and reported by nobody.
    if kind != "codepay" {
        order["notify_url"] = address("notify_url", cx.notify_url, &[])?.into();
        if let Some(at) = pay.expires_at {
            order["time_expire"] = at.to_rfc3339_seconds(BEIJING).into();
        }
    }
    post(account, &format!("{ORDERS}/{kind}"), &order, (FIRST, Effect::Money), cx)
}

/// A query of the order, as an operation of its own or to settle another.
pub(super) fn ask(account: &Account, of: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
    let (of, mchid) = (reference("reference", of)?, &account.identity.mchid);
    get(account, &format!("{ORDERS}/out-trade-no/{of}?mchid={mchid}"), stage, cx)
}

/// A query of the refund, as an operation of its own or to settle a refund.
pub(super) fn ask_refund(
    account: &Account,
    of: &str,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    get(account, &format!("{REFUNDS}/{}", reference("reference", of)?), stage, cx)
}

pub(super) fn close(account: &Account, of: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
    let path = format!("{ORDERS}/out-trade-no/{}/close", reference("reference", of)?);
    post(account, &path, &json!({"mchid": account.identity.mchid}), (CLOSING, Effect::None), cx)
}

/// Ends a barcode payment; one that was paid in between is given back.
pub(super) fn reverse(account: &Account, of: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
    let path = format!("{ORDERS}/out-trade-no/{}/reverse", reference("reference", of)?);
    let body = json!({"appid": account.appid, "mchid": account.identity.mchid});
    post(account, &path, &body, (REVERSING, Effect::Money), cx)
}

fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    let mut body = json!({
        "out_trade_no": reference("payment.reference", &refund.payment.reference)?,
        "out_refund_no": reference("reference", &refund.reference)?,
        "notify_url": address("notify_url", cx.notify_url, &[])?,
        "amount": {"refund": amount(refund.money)?, "total": amount(refund.captured)?, "currency": "CNY"},
    });
    if let Some(reason) = refund.reason.as_deref().filter(|text| !text.trim().is_empty()) {
        body["reason"] = within(reason, 80).into();
    }
    post(account, REFUNDS, &body, (FIRST, Effect::Money), cx)
}

fn get(account: &Account, path: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
    let request = account.identity.request(&account.gateway, Method::GET, path, String::new(), cx)?;
    Ok(Step::send(Call {
        stage,
        request,
        timeout: Duration::from_secs(10),
        effect: Effect::None,
        identity: None,
    }))
}

fn post(
    account: &Account,
    path: &str,
    body: &Value,
    (stage, effect): (Stage, Effect),
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let request = account.identity.request(&account.gateway, Method::POST, path, body.to_string(), cx)?;
    // A barcode may wait for the bank.
    Ok(Step::send(Call { stage, request, timeout: Duration::from_secs(20), effect, identity: None }))
}

fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, PROFILE.references)
}

fn amount(money: Money) -> Result<i64, Refusal> {
    if money.currency() == CNY && (1..=FEN_MAX).contains(&money.minor()) {
        return Ok(money.minor());
    }
    Err(Refusal::Amount(format!("{money} is not between 0.01 and 21474836.47 CNY")))
}

/// A part of the payer that the scene needs.
fn required<'a>(
    param: &'static str,
    text: Option<&'a str>,
    fits: impl Fn(&str) -> bool,
) -> Result<&'a str, Refusal> {
    let text = text.filter(|text| !text.trim().is_empty() && fits(text));
    text.ok_or_else(|| Refusal::Parameter {
        param,
        detail: "is missing or not of the form of this scene".into(),
    })
}
