//! Operations as signed requests.

use std::time::Duration;

use http::Method;
use paycore::channel::{Call, Context, Effect, Operation, Pay, Refund, Refusal, Stage, Step};
use paycore::money::Money;
use serde_json::{Value, json};

use super::config::Account;
use super::{CNY, PROFILE};
use crate::dialect::capability::simple;
use crate::dialect::text::{self, address, within};

/// The first call of an operation.
pub(super) const FIRST: Stage = 0;
/// The close of an order that its query has found open.
pub(super) const CLOSING: Stage = 1;
/// A query that settles what another reply left open.
pub(super) const CONFIRM: Stage = 2;
/// As `CONFIRM`, after a refusal: one stage for each row of the table of refusals.
pub(super) const REFUSED: Stage = 3;

/// The dearest order: the provider's own libraries hold a total in 32 bits.
const FEN_MAX: i64 = i32::MAX as i64;
const BEIJING: i32 = 8 * 3600;
const ORDERS: &str = "/v1/trade/transactions";
const REFUNDS: &str = "/v1/trade/refund/domestic/refunds";

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => start(account, pay, cx),
        Operation::Query(query) => ask(account, &query.payment.reference, FIRST, cx),
        // A close is answered without naming an order, so the order is looked at first.
        Operation::Close(close) => ask(account, &close.payment.reference, FIRST, cx),
        Operation::Refund(refund) => give_back(account, refund, cx),
        Operation::QueryRefund(query) => {
            reference("payment", &query.payment.reference)?;
            ask_refund(account, &query.reference, FIRST, cx)
        }
        _ => Err(Refusal::Unsupported("this operation")),
    }
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    if pay.method.brand() != "douyinpay" {
        return Err(Refusal::Unsupported("this method"));
    }
    simple(pay)?;
    let mut order = json!({
        "appid": account.appid,
        "mchid": account.identity.mchid,
        "out_trade_no": reference("reference", &pay.reference)?,
        "amount": {"total": amount(pay.money)?, "currency": "CNY"},
    });
    let ip = pay.payer.ip.as_deref().filter(|ip| ip.parse::<std::net::IpAddr>().is_ok());
    if let Some(ip) = ip {
        order["scene_info"] = json!({"payer_client_ip": ip});
    }
    let kind = match pay.method.scene() {
        "qr" => "native",
        "h5" if ip.is_some() => {
            order["scene_info"]["h5_info"] = json!({"type": "Wap"});
            "h5"
        }
        "h5" => {
            let detail = "must be the payer's IP address".into();
            return Err(Refusal::Parameter { param: "payer.ip", detail });
        }
        "jsapi" | "mini" => {
            let openid = pay.payer.id.as_deref().filter(|id| !id.trim().is_empty());
            if let Some(openid) = openid {
                order["payer"] = json!({"openid": openid});
            }
            "jsapi"
        }
        "app" => "app",
        _ => return Err(Refusal::Unsupported("this method")),
    };
    let description = within(&pay.subject, 127);
    if description.trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    order["description"] = description.into();
    order["notify_url"] = notify_url(cx)?.into();
    if let Some(at) = pay.expires_at {
        if at <= cx.now {
            return Err(Refusal::Parameter { param: "expires_at", detail: "must be in the future".into() });
        }
        order["time_expire"] = at.to_rfc3339_seconds(BEIJING).into();
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
    let (of, mchid) = (reference("reference", of)?, &account.identity.mchid);
    get(account, &format!("{REFUNDS}/{of}?mchid={mchid}"), stage, cx)
}

pub(super) fn close(account: &Account, of: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
    let path = format!("{ORDERS}/out-trade-no/{}/close", reference("reference", of)?);
    post(account, &path, &json!({"mchid": account.identity.mchid}), (CLOSING, Effect::None), cx)
}

fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    if refund.part.is_some() {
        return Err(Refusal::Unsupported("combined payments"));
    }
    let mut body = json!({
        "appid": account.appid,
        "mchid": account.identity.mchid,
        "out_trade_no": reference("payment", &refund.payment.reference)?,
        "out_refund_no": reference("reference", &refund.reference)?,
        "notify_url": notify_url(cx)?,
        "amount": {"refund": amount(refund.money)?, "total": amount(refund.captured)?, "currency": "CNY"},
    });
    if let Some(reason) = refund.reason.as_deref().filter(|text| !text.trim().is_empty()) {
        body["reason"] = within(reason, 80).into();
    }
    post(account, REFUNDS, &body, (FIRST, Effect::Money), cx)
}

/// Addresses with a query are not accepted.
fn notify_url<'a>(cx: &Context<'a>) -> Result<&'a str, Refusal> {
    address("notify_url", cx.notify_url, &[])
}

fn get(account: &Account, path: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
    let request = account.identity.request(&account.gateway, Method::GET, path, String::new(), cx)?;
    let timeout = Duration::from_secs(10);
    Ok(Step::send(Call { stage, request, timeout, effect: Effect::None, identity: None }))
}

fn post(
    account: &Account,
    path: &str,
    body: &Value,
    (stage, effect): (Stage, Effect),
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let request = account.identity.request(&account.gateway, Method::POST, path, body.to_string(), cx)?;
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
