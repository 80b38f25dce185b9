//! Operations as signed requests.

use std::net::Ipv4Addr;
use std::time::Duration;

use paycore::channel::{
    Call, CaptureMode, Context, Effect, Operation, Pay, Refund, Refusal, Stage, Statement, StatementKind,
    Step,
};
use paycore::money::Money;

use super::config::Account;
use super::{CNY, PROFILE, contract};
use crate::dialect::text::{self, address, plain, within, word};
use crate::dialect::v2;
use crate::dialect::xml::signed;

/// The first call of an operation.
pub(super) const FIRST: Stage = 0;
/// A query that settles what another reply left open.
pub(super) const CONFIRM: Stage = 2;

/// The provider's libraries hold a total in 32 bits.
const FEN_MAX: i64 = i32::MAX as i64;
/// Sent where the payer's own address is not known: nobody is there.
const NO_IP: &str = "127.0.0.1";

pub(super) type Fields<'a> = Vec<(&'static str, &'a str)>;

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => charge(account, pay, cx),
        Operation::Query(query) => ask(account, &query.payment.reference, FIRST, cx),
        Operation::Refund(refund) => give_back(account, refund, cx),
        Operation::QueryRefund(query) => ask_refund(account, &query.reference, FIRST, cx),
        Operation::Statement(statement) => bill(account, *statement, cx),
        Operation::SignMandate(sign) => contract::sign(account, sign, cx),
        Operation::QueryMandate(query) => {
            contract::ask(account, (&query.reference, query.channel_id.as_deref()), FIRST)
        }
        Operation::RevokeMandate(revoke) => contract::end(account, revoke),
        _ => Err(Refusal::Unsupported("this operation")),
    }
}

fn charge(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    if !pay.method.is("wechatpay", "mandate") {
        return Err(Refusal::Unsupported("this method"));
    }
    if pay.capture == CaptureMode::Manual {
        return Err(Refusal::Unsupported("manual capture"));
    }
    if pay.shared || !pay.parts.is_empty() {
        return Err(Refusal::Unsupported("shares and parts"));
    }
    let body = within(&plain(&pay.subject, 128), 128);
    if body.trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    let detail = "must be a mandate that the payer has signed";
    let mandate = pay.mandate.as_deref();
    let mandate = mandate.ok_or(Refusal::Parameter { param: "mandate", detail: detail.into() })?;
    word("mandate", mandate, 64, "_-")?;
    let total = amount(pay.money)?;
    // Sixteen characters are too few for an IPv6 address.
    let ip = pay.payer.ip.as_deref().filter(|ip| ip.parse::<Ipv4Addr>().is_ok()).unwrap_or(NO_IP);
    let fields = vec![
        ("out_trade_no", reference("reference", &pay.reference)?),
        ("body", &body),
        ("fee_type", "CNY"),
        ("total_fee", &total),
        ("spbill_create_ip", ip),
        ("notify_url", address("notify_url", cx.notify_url, &[])?),
        ("trade_type", "PAP"),
        ("contract_id", mandate),
    ];
    call(account, "pay/pappayapply", fields, (FIRST, Effect::Money), cx)
}

/// A query of the charge, as an operation of its own or to settle another.
pub(super) fn ask(account: &Account, of: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
    let fields = vec![("out_trade_no", reference("reference", of)?)];
    call(account, "pay/paporderquery", fields, (stage, Effect::None), cx)
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

fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    if refund.part.is_some() {
        return Err(Refusal::Unsupported("parts"));
    }
    let (total, back) = (amount(refund.captured)?, amount(refund.money)?);
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

/// A call about money: both numbers and a nonce. Those that give back show who we are.
fn call(
    account: &Account,
    path: &str,
    fields: Fields<'_>,
    (stage, effect): (Stage, Effect),
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let mutual = path.starts_with("secapi/");
    if mutual && account.unidentified() {
        return Err(Refusal::Unsupported("giving back without a client certificate"));
    }
    let nonce = v2::nonce(cx);
    let mut all: Fields<'_> =
        vec![("appid", &account.appid), ("mch_id", &account.party.mch_id), ("nonce_str", &nonce)];
    all.extend(fields);
    let url = format!("{}/{path}", account.gateway);
    let request = v2::post(url, signed(&all, account.party.hash, &account.party.key)?)?;
    // A file is larger than any other reply.
    let seconds = if effect == Effect::Money || path == "pay/downloadbill" { 30 } else { 10 };
    let (timeout, identity) = (Duration::from_secs(seconds), account.identity.clone().filter(|_| mutual));
    Ok(Step::send(Call { stage, request, timeout, effect, identity }))
}

pub(super) fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, PROFILE.references)
}

fn amount(money: Money) -> Result<String, Refusal> {
    if money.currency() != CNY || !(1..=FEN_MAX).contains(&money.minor()) {
        return Err(Refusal::Amount(format!("{money} is not between 0.01 and 21474836.47 CNY")));
    }
    Ok(money.minor().to_string())
}
