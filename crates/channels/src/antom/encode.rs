//! Operations as signed requests.

use std::time::Duration;

use paycore::channel::{Call, Context, Effect, Operation, Pay, Refund, Refusal, Stage, Step};
use paycore::money::Money;
use serde_json::{Value, json};

use super::config::Account;
use super::{METHODS, PROFILE, UNITS};
use crate::dialect::capability::simple;
use crate::dialect::doubt::REFUSED;
use crate::dialect::text::{self, address, within};

pub(super) const PAY: Stage = 0;
pub(super) const INQUIRE: Stage = 1;
pub(super) const CANCEL: Stage = 2;
pub(super) const REFUND: Stage = 3;
pub(super) const INQUIRE_REFUND: Stage = 4;
/// An inquiry that settles what another reply left open.
pub(super) const CONFIRM: Stage = 5;

/// The most digits of an amount.
const DIGITS_MAX: usize = 16;

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => start(account, pay, cx),
        Operation::Query(query) => account.inquire(&query.payment.reference, INQUIRE, cx),
        // A cancellation gives paid money back, so the payment is looked at first.
        Operation::Close(close) => account.inquire(&close.payment.reference, INQUIRE, cx),
        Operation::Refund(refund) => give_back(account, refund, cx),
        Operation::QueryRefund(query) => {
            reference("payment", &query.payment.reference)?;
            account.inquire_refund(&query.reference, INQUIRE_REFUND, cx)
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
    simple(pay)?;
    if PROFILE.capability(&pay.method, pay.money.currency()).is_none() {
        return Err(Refusal::Amount(format!("{} is not taken by {}", pay.money.currency(), pay.method)));
    }
    let (reference, money) = (reference("reference", &pay.reference)?, amount(pay.money)?);
    let wrong = |param, detail: &str| Refusal::Parameter { param, detail: detail.into() };
    let description = within(&pay.subject, 256);
    if description.trim().is_empty() {
        return Err(wrong("subject", "must not be empty"));
    }
    let missing = || wrong("return_url", "is needed: the cashier leads the payer back to it");
    let back = pay.return_url.as_deref().ok_or_else(missing)?;
    let mut body = json!({
        "productCode": "CASHIER_PAYMENT",
        "paymentRequestId": reference,
        "order": {"orderAmount": money, "referenceOrderId": reference, "orderDescription": description},
        "paymentAmount": money,
        "paymentMethod": {"paymentMethodType": method},
        "paymentRedirectUrl": address("return_url", back, &[])?,
        "paymentNotifyUrl": address("notify_url", cx.notify_url, &[])?,
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
            return Err(wrong("expires_at", "must be in the future"));
        }
        body["paymentExpiryTime"] = at.to_rfc3339_seconds(0).into();
    }
    account.call("pay", &body, PAY, cx)
}

impl Account {
    /// Its effect follows from the stage: what neither begins nor ends anything only inquires.
    fn call(&self, name: &str, body: &Value, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
        let effect = if matches!(stage, PAY | CANCEL | REFUND) { Effect::Money } else { Effect::None };
        let request = self.post(&self.path(name), body, cx)?;
        Ok(Step::send(Call { stage, request, timeout: Duration::from_secs(20), effect, identity: None }))
    }

    /// An inquiry of the payment, as an operation of its own or to settle another.
    pub(super) fn inquire(&self, of: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
        let body = json!({"paymentRequestId": reference("reference", of)?});
        self.call("inquiryPayment", &body, stage, cx)
    }

    /// An inquiry of the refund, as an operation of its own or to settle a refund.
    pub(super) fn inquire_refund(&self, of: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
        let body = json!({"refundRequestId": reference("reference", of)?});
        self.call("inquiryRefund", &body, stage, cx)
    }

    /// Ends a payment that its inquiry has found unpaid. Money moves should the payer have paid in between: then it
    /// goes back at once.
    pub(super) fn cancel(&self, of: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
        let body = json!({"paymentRequestId": reference("reference", of)?});
        self.call("cancel", &body, CANCEL, cx)
    }

    /// A refund names the payment by Antom's number; where that is not known, it is asked for first.
    pub(super) fn refund(&self, refund: &Refund, id: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
        reference("payment", &refund.payment.reference)?;
        let mut body = json!({
            "paymentId": id,
            "refundRequestId": reference("reference", &refund.reference)?,
            "refundAmount": amount(refund.money)?,
            "refundNotifyUrl": address("notify_url", cx.notify_url, &[])?,
        });
        if let Some(reason) = refund.reason.as_deref().filter(|text| !text.trim().is_empty()) {
            body["refundReason"] = within(reason, 256).into();
        }
        self.call("refund", &body, REFUND, cx)
    }
}

/// A refund, or first the inquiry that tells its payment's number.
fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    if refund.part.is_some() {
        return Err(Refusal::Unsupported("combined payments"));
    }
    reference("reference", &refund.reference)?;
    amount(refund.money)?;
    match refund.payment.channel_id.as_deref() {
        Some(id) => account.refund(refund, id, cx),
        None => account.inquire(&refund.payment.reference, INQUIRE, cx),
    }
}

fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, PROFILE.references)
}

fn amount(money: Money) -> Result<Value, Refusal> {
    let value = UNITS.to_wire(money).map_err(|error| Refusal::Amount(error.to_string()))?;
    if !money.is_positive() || value.len() > DIGITS_MAX {
        let detail = format!("{money} is not between 1 and {DIGITS_MAX} digits of minor units");
        return Err(Refusal::Amount(detail));
    }
    Ok(json!({"currency": money.currency().code(), "value": value}))
}
