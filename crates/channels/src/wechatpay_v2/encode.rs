//! Operations as signed requests.

use std::time::Duration;

use paycore::channel::{
    Call, Context, Device, Effect, Operation, Pay, Refund, Refusal, Stage, Statement, StatementKind, Step,
};

use super::config::Account;
use super::{PROFILE, packet};
use crate::dialect::capability::{in_time, simple};
use crate::dialect::text::{self, plain, within};
use crate::dialect::v2::{self, nonce, payer_ip, total};
use crate::dialect::wechat_login::Login;
use crate::dialect::xml::{Hash, signed};

/// The first call of an operation.
pub(super) const FIRST: Stage = 0;
/// The reversal of an order that its query has found open.
pub(super) const REVERSING: Stage = 1;
/// A query that settles what another reply left open.
pub(super) const CONFIRM: Stage = 2;

pub(super) type Fields<'a> = Vec<(&'static str, &'a str)>;

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => start(account, pay, cx),
        Operation::Query(query) => ask(account, &query.payment.reference, FIRST, cx),
        // A face payment is not closed but reversed, which gives the money back. So the order is looked at first.
        Operation::Close(close) => ask(account, &close.payment.reference, FIRST, cx),
        Operation::Refund(refund) => give_back(account, refund, cx),
        Operation::QueryRefund(query) => ask_refund(account, &query.reference, FIRST, cx),
        Operation::Transfer(transfer) => packet::send(account, transfer, cx),
        Operation::QueryTransfer(query) => packet::ask(account, &query.reference, FIRST, cx),
        Operation::AuthorizeDevice(device) => authorize(account, device, cx),
        Operation::Statement(statement) => bill(account, *statement, cx),
        Operation::SignIn(_) | Operation::Identify(_) => Login::first(account.login.as_ref(), operation, cx),
        _ => Err(Refusal::Unsupported("this operation")),
    }
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    if !pay.method.is("wechatpay", "face") {
        return Err(Refusal::Unsupported("this method"));
    }
    simple(pay)?;
    let body = within(&plain(&pay.subject, 128), 128);
    if body.trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    in_time(pay, cx)?;
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let code = pay.payer.auth_code.as_deref();
    let code = code.filter(|code| (1..=128).contains(&code.len()) && code.bytes().all(sign));
    let detail =
        || "must be the face_code of the device: at most 128 letters, digits, `-` and `_`".to_owned();
    let code = code.ok_or_else(|| Refusal::Parameter { param: "payer.auth_code", detail: detail() })?;
    let openid = pay.payer.id.as_deref().unwrap_or_default();
    if openid.len() > 128 {
        return Err(Refusal::Parameter { param: "payer.id", detail: "must be an openid".into() });
    }
    let total = total(pay.money)?;
    let fields = vec![
        ("out_trade_no", reference("reference", &pay.reference)?),
        ("body", &body),
        ("fee_type", "CNY"),
        ("total_fee", &total),
        ("spbill_create_ip", payer_ip(pay)),
        ("face_code", code),
        ("openid", openid),
    ];
    call(account, "pay/facepay", fields, (FIRST, Effect::Money), cx)
}

/// A query of the order, as an operation of its own or to settle another.
pub(super) fn ask(account: &Account, of: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
    let fields = vec![("out_trade_no", reference("reference", of)?)];
    call(account, "pay/facepayquery", fields, (stage, Effect::None), cx)
}

/// A query of the refund, as an operation of its own or to settle a refund.
pub(super) fn ask_refund(
    account: &Account,
    of: &str,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let fields = vec![("out_refund_no", reference("reference", of)?)];
    call(account, "pay/refundquery", fields, (stage, Effect::None), cx)
}

/// Ends a payment that is not settled; one that was paid in between is given back.
pub(super) fn reverse(account: &Account, of: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
    let fields = vec![("out_trade_no", reference("reference", of)?)];
    call(account, "secapi/pay/facepayreverse", fields, (REVERSING, Effect::Money), cx)
}

fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    if refund.part.is_some() {
        return Err(Refusal::Unsupported("parts"));
    }
    let (total, back) = (total(refund.captured)?, total(refund.money)?);
    let reason = within(&plain(refund.reason.as_deref().unwrap_or_default(), 80), 80);
    let fields = vec![
        ("out_trade_no", reference("payment.reference", &refund.payment.reference)?),
        ("out_refund_no", reference("reference", &refund.reference)?),
        ("total_fee", &total),
        ("refund_fee", &back),
        ("refund_desc", reason.trim()),
    ];
    call(account, "secapi/pay/refund", fields, (FIRST, Effect::Money), cx)
}

fn bill(account: &Account, statement: Statement, cx: &Context<'_>) -> Result<Step, Refusal> {
    if statement.kind != StatementKind::Trade {
        return Err(Refusal::Unsupported("this kind of statement"));
    }
    let day = statement.day.beijing_compact();
    let fields = vec![("bill_date", &day[..8]), ("bill_type", "ALL")];
    call(account, "pay/downloadbill", fields, (FIRST, Effect::None), cx)
}

/// What a device that reads faces has to have before it may.
fn authorize(account: &Account, device: &Device, cx: &Context<'_>) -> Result<Step, Refusal> {
    let word = |param, text: &'_ str, most: usize| {
        let fits = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let detail = || format!("must be 1 to {most} ASCII characters without spaces");
        if fits { Ok(()) } else { Err(Refusal::Parameter { param, detail: detail() }) }
    };
    word("store", &device.store, 32)?;
    word("device", &device.device, 32)?;
    word("challenge", &device.challenge, 2_048)?;
    let (name, now) = (within(&plain(&device.store_name, 128), 128), cx.now.secs().to_string());
    if name.trim().is_empty() {
        return Err(Refusal::Parameter { param: "store_name", detail: "must not be empty".into() });
    }
    let fields = vec![
        ("store_id", device.store.as_str()),
        ("store_name", &name),
        ("device_id", &device.device),
        ("rawdata", &device.challenge),
        ("now", &now),
        ("version", "1"),
    ];
    call(account, AUTHORIZE, fields, (FIRST, Effect::None), cx)
}

/// The call that another gateway answers.
const AUTHORIZE: &str = "face/get_wxpayface_authinfo";

/// A call in the form that most of v2 has: both numbers, and HMAC-SHA256.
fn call(
    account: &Account,
    path: &str,
    fields: Fields<'_>,
    (stage, effect): (Stage, Effect),
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let mut all = vec![("appid", account.appid.as_str()), ("sign_type", "HMAC-SHA256")];
    if let Some((mch_id, appid)) = &account.sub {
        all.extend([("sub_mch_id", mch_id.as_str()), ("sub_appid", appid.as_deref().unwrap_or_default())]);
    }
    all.extend(fields);
    post(account, path, all, (Hash::HmacSha256, stage, effect), cx)
}

/// A call with our number and a nonce. Those that pay out or give back show who we are.
pub(super) fn post(
    account: &Account,
    path: &str,
    fields: Fields<'_>,
    (hash, stage, effect): (Hash, Stage, Effect),
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let mutual = path.starts_with("secapi/") || path.starts_with("mmpaymkttransfers/");
    if mutual && account.unidentified() {
        return Err(Refusal::Unsupported("paying out and giving back without a client certificate"));
    }
    let nonce = nonce(cx);
    let mut all: Fields<'_> = fields;
    all.extend([("mch_id", account.party.mch_id.as_str()), ("nonce_str", &nonce)]);
    let gateway = if path == AUTHORIZE { &account.face_gateway } else { &account.gateway };
    let request = v2::post(format!("{gateway}/{path}"), signed(&all, hash, &account.party.key)?)?;
    // A face payment may wait for the bank, and a file is larger than any other reply.
    let seconds = if effect == Effect::Money || path == "pay/downloadbill" { 30 } else { 10 };
    let (timeout, identity) = (Duration::from_secs(seconds), account.identity.clone().filter(|_| mutual));
    Ok(Step::send(Call { stage, request, timeout, effect, identity }))
}

pub(super) fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, PROFILE.references)
}
