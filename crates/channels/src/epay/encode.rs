//! Operations as signed requests.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use paycore::channel::{
    Action, Call, CaptureMode, Context, Effect, Operation, Outcome, Pay, Payment, Refund, Refusal, Stage,
    Step, Verdict,
};
use paycore::crypto::Scheme;
use paycore::money::Money;

use super::config::{Account, Keys};
use super::{CNY, REFERENCES, TYPES, UNITS, envelope};
use crate::dialect::form::{signed_form, text_to_sign};
use crate::dialect::text::{self, address, plain, within};

/// The first call of an operation.
pub(super) const FIRST: Stage = 0;
/// A query that settles what the first reply left open.
pub(super) const CONFIRM: Stage = 1;

/// More than any panel takes: 100,000,000 yuan.
const FEN_MAX: i64 = 10_000_000_000;
/// Longer names are cut by the panel itself.
const NAME_BYTES_MAX: usize = 127;
/// Parameters whose names sort behind the two addresses in the signed text.
const RESERVED: &[&str] =
    &["out_trade_no", "param", "pid", "return_url", "sign", "sign_type", "timestamp", "type"];

/// Parameters by name, in the order in which they are signed.
type Parameters = BTreeMap<&'static str, String>;

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match (operation, &account.keys) {
        (Operation::Pay(pay), _) => start(account, pay, cx),
        (Operation::Query(query), _) => ask(account, &query.payment, FIRST, cx),
        (Operation::Close(close), Keys::V2 { .. }) => {
            let parameters = order(&close.payment)?;
            call(account, "/api/pay/close", parameters, (FIRST, Effect::None), cx)
        }
        // Version 1 cannot close. That the payer never came can still be found out, and ends the matter.
        (Operation::Close(close), Keys::V1(_)) => ask(account, &close.payment, CONFIRM, cx),
        (Operation::Refund(refund), Keys::V2 { .. }) => give_back(account, refund, cx),
        (Operation::QueryRefund(query), Keys::V2 { .. }) => {
            order(&query.payment)?;
            ask_refund(account, &query.reference, FIRST, cx)
        }
        _ => Err(Refusal::Unsupported("this operation")),
    }
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    let page = match pay.method.scene() {
        "page" => true,
        "qr" => false,
        _ => return Err(Refusal::Unsupported("this scene")),
    };
    let brand = TYPES.iter().find(|(brand, _)| *brand == pay.method.brand());
    let (_, kind) = brand.ok_or(Refusal::Unsupported("this method"))?;
    if pay.capture == CaptureMode::Manual {
        return Err(Refusal::Unsupported("manual capture"));
    }
    if !pay.parts.is_empty() {
        return Err(Refusal::Unsupported("combined payments"));
    }
    if pay.shared {
        return Err(Refusal::Unsupported("shares"));
    }
    if pay.subject.trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    let mut parameters = Parameters::from([
        ("type", (*kind).to_owned()),
        ("out_trade_no", reference("reference", &pay.reference)?.to_owned()),
        ("notify_url", address("notify_url", cx.notify_url, RESERVED)?.to_owned()),
        ("name", within(&plain(&pay.subject, NAME_BYTES_MAX), NAME_BYTES_MAX)),
        ("money", amount(pay.money)?),
    ]);
    if let Some(url) = &pay.return_url {
        parameters.insert("return_url", address("return_url", url, RESERVED)?.to_owned());
    }
    let v1 = matches!(account.keys, Keys::V1(_));
    if page {
        // Panels insist on one. A payer whom the merchant wants nowhere ends at the panel's own page.
        parameters.entry("return_url").or_insert_with(|| format!("{}/", account.gateway));
        let query = signed(account, parameters, cx)?;
        let path = if v1 { "/submit.php" } else { "/api/pay/submit" };
        let url = format!("{}{path}?{query}", account.gateway);
        return Ok(Step::Done(Outcome::new(Verdict::Awaiting(Action::Redirect { url }))));
    }
    let ip = pay.payer.ip.clone().filter(|ip| ip.parse::<std::net::IpAddr>().is_ok());
    let detail = || "the address of the payer is needed".to_owned();
    let ip = ip.ok_or_else(|| Refusal::Parameter { param: "payer.ip", detail: detail() })?;
    parameters.extend([("clientip", ip), ("device", "pc".to_owned())]);
    if v1 {
        return call(account, "/mapi.php", parameters, (FIRST, Effect::Money), cx);
    }
    parameters.insert("method", "web".to_owned());
    call(account, "/api/pay/create", parameters, (FIRST, Effect::Money), cx)
}

/// A query of the order, as an operation of its own or to settle another.
pub(super) fn ask(
    account: &Account,
    payment: &Payment,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let parameters = order(payment)?;
    let Keys::V1(key) = &account.keys else {
        return call(account, "/api/pay/query", parameters, (stage, Effect::None), cx);
    };
    // This is how version 1 asks: the key itself stands in the address.
    let pairs = [
        ("act", "order"),
        ("pid", &account.pid),
        ("key", key.expose()),
        ("out_trade_no", &payment.reference),
    ];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let request = http::Request::get(format!("{}/api.php?{query}", account.gateway));
    send(request, Bytes::new(), (stage, Effect::None))
}

/// A query of the refund, as an operation of its own or to settle a refund.
pub(super) fn ask_refund(
    account: &Account,
    of: &str,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let parameters = Parameters::from([("out_refund_no", reference("reference", of)?.to_owned())]);
    call(account, "/api/pay/refundquery", parameters, (stage, Effect::None), cx)
}

fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    if refund.part.is_some() {
        return Err(Refusal::Unsupported("combined payments"));
    }
    let mut parameters = order(&refund.payment)?;
    parameters.extend([
        ("money", amount(refund.money)?),
        ("out_refund_no", reference("reference", &refund.reference)?.to_owned()),
    ]);
    call(account, "/api/pay/refund", parameters, (FIRST, Effect::Money), cx)
}

/// Which order a request is about.
fn order(payment: &Payment) -> Result<Parameters, Refusal> {
    let of = reference("payment.reference", &payment.reference)?;
    Ok(Parameters::from([("out_trade_no", of.to_owned())]))
}

fn call(
    account: &Account,
    path: &str,
    parameters: Parameters,
    how: (Stage, Effect),
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let body = signed(account, parameters, cx)?;
    let request = http::Request::post(format!("{}{path}", account.gateway))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8");
    send(request, Bytes::from(body), how)
}

fn send(
    request: http::request::Builder,
    body: Bytes,
    (stage, effect): (Stage, Effect),
) -> Result<Step, Refusal> {
    let request = request.header(ACCEPT, "application/json").body(body).map_err(|_| Refusal::Signing)?;
    let seconds = if effect == Effect::Money { 20 } else { 10 };
    Ok(Step::send(Call { stage, request, timeout: Duration::from_secs(seconds), effect, identity: None }))
}

/// All parameters with their signature, as a form. Neither `sign` nor `sign_type` is signed.
fn signed(account: &Account, mut parameters: Parameters, cx: &Context<'_>) -> Result<String, Refusal> {
    parameters.insert("pid", account.pid.clone());
    if let Keys::V2 { .. } = account.keys {
        parameters.insert("timestamp", cx.now.secs().to_string());
    }
    let mut pairs: Vec<(&str, &str)> =
        parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let text = text_to_sign(&pairs);
    let (sign_type, sign) = match &account.keys {
        Keys::V1(key) => ("MD5", envelope::md5(text.as_bytes(), key)),
        Keys::V2 { signer, .. } => {
            let sign = signer.sign(Scheme::RsaSha256, text.as_bytes()).map_err(|_| Refusal::Signing)?;
            ("RSA", STANDARD.encode(sign))
        }
    };
    pairs.push(("sign_type", sign_type));
    Ok(signed_form(&pairs, &sign))
}

fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, REFERENCES)
}

fn amount(money: Money) -> Result<String, Refusal> {
    if money.currency() != CNY || !(1..=FEN_MAX).contains(&money.minor()) {
        return Err(Refusal::Amount(format!("{money} is not between 0.01 and 100000000.00 CNY")));
    }
    UNITS.to_wire(money).map_err(|error| Refusal::Amount(error.to_string()))
}
