//! Operations as signed requests.

use std::time::Duration;

use paycore::channel::{Call, CaptureMode, Context, Effect, Operation, Pay, Refund, Refusal, Stage, Step};
use paycore::money::Money;
use serde_json::{Value, json};

use super::config::Account;
use super::{METHODS, PROFILE, UNITS};
use crate::dialect::text::{self, address, within};

pub(super) const PAY: Stage = 0;
pub(super) const INQUIRE: Stage = 1;
pub(super) const CANCEL: Stage = 2;
pub(super) const REFUND: Stage = 3;
pub(super) const INQUIRE_REFUND: Stage = 4;
/// An inquiry that settles what another reply left open.
pub(super) const CONFIRM: Stage = 5;
/// As `CONFIRM`, after a refusal: one stage for each row of the table of refusals.
pub(super) const REFUSED: Stage = 16;

/// The most digits of an amount.
const DIGITS_MAX: usize = 16;

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => start(account, pay, cx),
        Operation::Query(query) => inquire(account, &query.payment.reference, INQUIRE, cx),
        // A cancellation gives paid money back, so the payment is looked at first.
        Operation::Close(close) => inquire(account, &close.payment.reference, INQUIRE, cx),
        Operation::Refund(refund) => give_back(account, refund, cx),
        Operation::QueryRefund(query) => {
            reference("payment", &query.payment.reference)?;
            inquire_refund(account, &query.reference, INQUIRE_REFUND, cx)
        }
        _ => Err(Refusal::Unsupported("this operation")),
    }
}

/// The last part of the path of the call that a stage stands for.
pub(super) fn call_of(operation: &Operation, stage: Stage) -> &'static str {
    match (stage, operation) {
        (PAY, _) => "pay",
        (CANCEL, _) => "cancel",
        (REFUND, _) => "refund",
        (INQUIRE_REFUND, _) | (REFUSED.., Operation::Refund(_)) => "inquiryRefund",
        _ => "inquiryPayment",
    }
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    let method = METHODS.iter().find(|(brand, _)| pay.method.is(brand, "page"));
    let Some((_, method)) = method else { return Err(Refusal::Unsupported("this method")) };
    if pay.capture == CaptureMode::Manual {
        return Err(Refusal::Unsupported("manual capture"));
    }
    if pay.shared || !pay.parts.is_empty() {
        return Err(Refusal::Unsupported("shared or combined payments"));
    }
    if PROFILE.capability(&pay.method, pay.money.currency()).is_none() {
        return Err(Refusal::Amount(format!("{} is not taken by {}", pay.money.currency(), pay.method)));
    }
    let (reference, money) = (reference("reference", &pay.reference)?, amount(pay.money)?);
    let description = within(&pay.subject, 256);
    if description.trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    let back = pay.return_url.as_deref().ok_or_else(|| Refusal::Parameter {
        param: "return_url",
        detail: "is needed: the cashier leads the payer back to it".into(),
    })?;
    let mut body = json!({
        "productCode": "CASHIER_PAYMENT",
        "paymentRequestId": reference,
        "order": {"orderAmount": money, "referenceOrderId": reference, "orderDescription": description},
        "paymentAmount": money,
        "paymentMethod": {"paymentMethodType": method},
        "paymentRedirectUrl": address("return_url", back, &[])?,
        "paymentNotifyUrl": notify_url(cx)?,
        "env": {"terminalType": "WEB"},
    });
    if let Some(currency) = account.settlement {
        body["settlementStrategy"] = json!({"settlementCurrency": currency.code()});
    }
    if let Some(ip) = pay.payer.ip.as_deref().filter(|ip| ip.parse::<std::net::IpAddr>().is_ok()) {
        body["env"]["clientIp"] = ip.into();
    }
    if let Some(at) = pay.expires_at {
        if at <= cx.now {
            return Err(Refusal::Parameter { param: "expires_at", detail: "must be in the future".into() });
        }
        body["paymentExpiryTime"] = at.to_rfc3339_seconds(0).into();
    }
    post(account, "pay", &body, (PAY, Effect::Money), cx)
}

/// An inquiry of the payment, as an operation of its own or to settle another.
pub(super) fn inquire(account: &Account, of: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
    let body = json!({"paymentRequestId": reference("reference", of)?});
    post(account, "inquiryPayment", &body, (stage, Effect::None), cx)
}

/// An inquiry of the refund, as an operation of its own or to settle a refund.
pub(super) fn inquire_refund(
    account: &Account,
    of: &str,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let body = json!({"refundRequestId": reference("reference", of)?});
    post(account, "inquiryRefund", &body, (stage, Effect::None), cx)
}

/// Ends a payment that its inquiry has found unpaid. Money moves should the payer have paid in between: then it goes
/// back at once.
pub(super) fn cancel(account: &Account, of: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
    let body = json!({"paymentRequestId": reference("reference", of)?});
    post(account, "cancel", &body, (CANCEL, Effect::Money), cx)
}

/// A refund names the payment by Antom's number; where that is not known, it is asked for first.
fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    if refund.part.is_some() {
        return Err(Refusal::Unsupported("combined payments"));
    }
    reference("reference", &refund.reference)?;
    amount(refund.money)?;
    match refund.payment.channel_id.as_deref() {
        Some(id) => refund_of(account, refund, id, cx),
        None => inquire(account, &refund.payment.reference, INQUIRE, cx),
    }
}

pub(super) fn refund_of(
    account: &Account,
    refund: &Refund,
    payment_id: &str,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    reference("payment", &refund.payment.reference)?;
    let mut body = json!({
        "paymentId": payment_id,
        "refundRequestId": reference("reference", &refund.reference)?,
        "refundAmount": amount(refund.money)?,
        "refundNotifyUrl": notify_url(cx)?,
    });
    if let Some(reason) = refund.reason.as_deref().filter(|text| !text.trim().is_empty()) {
        body["refundReason"] = within(reason, 256).into();
    }
    post(account, "refund", &body, (REFUND, Effect::Money), cx)
}

fn notify_url<'a>(cx: &Context<'a>) -> Result<&'a str, Refusal> {
    address("notify_url", cx.notify_url, &[])
}

fn post(
    account: &Account,
    call: &str,
    body: &Value,
    (stage, effect): (Stage, Effect),
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let request = account.request(&account.path(call), body, cx)?;
    Ok(Step::send(Call { stage, request, timeout: Duration::from_secs(20), effect, identity: None }))
}

fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, PROFILE.references)
}

fn amount(money: Money) -> Result<Value, Refusal> {
    let value = UNITS.to_wire(money).map_err(|error| Refusal::Amount(error.to_string()))?;
    if !money.is_positive() || value.len() > DIGITS_MAX {
        return Err(Refusal::Amount(format!(
            "{money} is not between 1 and {DIGITS_MAX} digits of minor units"
        )));
    }
    Ok(json!({"currency": money.currency().code(), "value": value}))
}
