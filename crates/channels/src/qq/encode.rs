//! Operations as signed requests.

use std::time::Duration;

use paycore::channel::{
    Call, Context, Effect, Operation, Pay, Refund, Refusal, Stage, Statement, StatementKind, Step,
};

use super::PROFILE;
use super::config::Account;
use crate::dialect::capability::{in_time, simple};
use crate::dialect::text::{self, address, plain, within};
use crate::dialect::v2::{nonce, payer_ip, post, total};
use crate::dialect::xml::signed;

/// The first call of an operation.
pub(super) const FIRST: Stage = 0;
/// The close or the reversal of an order that its query has found open.
pub(super) const CLOSING: Stage = 1;
pub(super) const REVERSING: Stage = 2;
/// A query that settles what another reply left open.
pub(super) const CONFIRM: Stage = 3;

type Fields<'a> = Vec<(&'static str, &'a str)>;

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => start(account, pay, cx),
        Operation::Query(query) => ask(account, &query.payment.reference, FIRST, cx),
        // A barcode payment is not closed but reversed, which gives the money back. So the order is looked at first.
        Operation::Close(close) => ask(account, &close.payment.reference, FIRST, cx),
        Operation::Refund(refund) => give_back(account, refund, cx),
        Operation::QueryRefund(query) => ask_refund(account, &query.reference, FIRST, cx),
        Operation::Statement(statement) => bill(account, *statement, cx),
        _ => Err(Refusal::Unsupported("this operation")),
    }
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    let trade_type = match (pay.method.brand(), pay.method.scene()) {
        ("qq", "qr") => "NATIVE",
        ("qq", "jsapi") => "JSAPI",
        ("qq", "app") => "APP",
        ("qq", "mini") => "MINIAPP",
        ("qq", "barcode") => "MICROPAY",
        _ => return Err(Refusal::Unsupported("this method")),
    };
    simple(pay)?;
    let body = within(&plain(&pay.subject, 128), 128);
    if body.trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    in_time(pay, cx)?;
    let total = total(pay.money)?;
    let mut fields: Fields<'_> = vec![
        ("out_trade_no", reference("reference", &pay.reference)?),
        ("body", &body),
        ("fee_type", "CNY"),
        ("total_fee", &total),
        ("spbill_create_ip", payer_ip(pay)),
        ("trade_type", trade_type),
    ];
    if trade_type == "MICROPAY" {
        let code = pay.payer.auth_code.as_deref();
        let code = code.filter(|code| code.len() == 18 && code.bytes().all(|byte| byte.is_ascii_digit()));
        let detail = || "must be the 18 digits of the payer's barcode".to_owned();
        let code = code.ok_or_else(|| Refusal::Parameter { param: "payer.auth_code", detail: detail() })?;
        fields.extend([("auth_code", code), ("device_info", "1")]);
        return call(account, "pay/qpay_micro_pay.cgi", fields, (FIRST, Effect::Money), cx);
    }
    let needed = match trade_type {
        "JSAPI" if account.party.appid.is_none() => "needs the setting appid",
        "APP" if account.party.appid.is_none() || account.app_key.is_none() => {
            "needs the settings appid and app_key"
        }
        _ => "",
    };
    if !needed.is_empty() {
        return Err(Refusal::Parameter { param: "method", detail: needed.into() });
    }
    let (began, ends) = (pay.started_at.beijing_compact(), pay.expires_at.map(|at| at.beijing_compact()));
    fields.push(("notify_url", address("notify_url", cx.notify_url, &[])?));
    fields.extend([("time_start", began.as_str()), ("time_expire", ends.as_deref().unwrap_or_default())]);
    call(account, "pay/qpay_unified_order.cgi", fields, (FIRST, Effect::Money), cx)
}

/// A query of the order, as an operation of its own or to settle another.
pub(super) fn ask(account: &Account, of: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
    let fields = vec![("out_trade_no", reference("reference", of)?)];
    call(account, "pay/qpay_order_query.cgi", fields, (stage, Effect::None), cx)
}

/// A query of the refund, as an operation of its own or to settle a refund.
pub(super) fn ask_refund(
    account: &Account,
    of: &str,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let fields = vec![("out_refund_no", reference("reference", of)?)];
    call(account, "pay/qpay_refund_query.cgi", fields, (stage, Effect::None), cx)
}

pub(super) fn close(account: &Account, of: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
    let fields = vec![("out_trade_no", reference("reference", of)?)];
    call(account, "pay/qpay_close_order.cgi", fields, (CLOSING, Effect::None), cx)
}

/// Ends a barcode payment; one that was paid in between is given back.
pub(super) fn reverse(account: &Account, of: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
    let fields = operated(account, vec![("out_trade_no", reference("reference", of)?)])?;
    call(account, "pay/qpay_reverse.cgi", fields, (REVERSING, Effect::Money), cx)
}

fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    if refund.part.is_some() {
        return Err(Refusal::Unsupported("parts"));
    }
    let (total, back) = (total(refund.captured)?, total(refund.money)?);
    let fields = vec![
        ("out_trade_no", reference("payment.reference", &refund.payment.reference)?),
        ("out_refund_no", reference("reference", &refund.reference)?),
        ("total_fee", &total),
        ("refund_fee", &back),
    ];
    call(account, "pay/qpay_refund.cgi", operated(account, fields)?, (FIRST, Effect::Money), cx)
}

fn bill(account: &Account, statement: Statement, cx: &Context<'_>) -> Result<Step, Refusal> {
    if statement.kind != StatementKind::Trade {
        return Err(Refusal::Unsupported("this kind of statement"));
    }
    let day = statement.day.beijing_compact();
    let fields = vec![("bill_date", &day[..8]), ("bill_type", "ALL")];
    call(account, "sp_download/qpay_mch_statement_down.cgi", fields, (FIRST, Effect::None), cx)
}

/// Adds who gives money back.
fn operated<'a>(account: &'a Account, mut fields: Fields<'a>) -> Result<Fields<'a>, Refusal> {
    let Some((id, password)) = account.operator.as_ref().filter(|_| !account.unidentified()) else {
        return Err(Refusal::Unsupported("giving money back without an operator and a client certificate"));
    };
    fields.extend([("op_user_id", id.as_str()), ("op_user_passwd", password.expose())]);
    Ok(fields)
}

fn call(
    account: &Account,
    path: &str,
    fields: Fields<'_>,
    (stage, effect): (Stage, Effect),
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let nonce = nonce(cx);
    // Whoever gives money back has to show who it is.
    let mutual = fields.iter().any(|(name, _)| *name == "op_user_id");
    let mut all = vec![
        ("appid", account.party.appid.as_deref().unwrap_or_default()),
        ("mch_id", &account.party.mch_id),
        ("nonce_str", &nonce),
    ];
    all.extend(fields);
    let body = signed(&all, account.party.hash, &account.party.key)?;
    let gateway = if mutual { &account.mutual } else { &account.gateway };
    let request = post(format!("{gateway}/cgi-bin/{path}"), body)?;
    let seconds = if effect == Effect::Money || path.starts_with("sp_download") { 20 } else { 10 };
    let (timeout, identity) = (Duration::from_secs(seconds), account.identity.clone().filter(|_| mutual));
    Ok(Step::send(Call { stage, request, timeout, effect, identity }))
}

fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, PROFILE.references)
}
