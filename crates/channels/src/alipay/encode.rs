//! Operations as signed requests.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use paycore::channel::{
    Action, Call, CaptureMode, Context, Effect, Operation, Outcome, Pay, Refund, Refusal, Stage, Step,
    Verdict,
};
use paycore::crypto::Scheme;
use paycore::money::Money;
use serde_json::{Value, json};

use super::config::Account;
use super::{CNY, PROFILE, UNITS};
use crate::dialect::form::{signed_form, text_to_sign};
use crate::dialect::text::{self, address, plain};

/// The first call of an operation.
pub(super) const FIRST: Stage = 0;
/// A query that settles what the first reply left open.
pub(super) const CONFIRM: Stage = 1;

pub(super) const PRECREATE: &str = "alipay.trade.precreate";
pub(super) const QUERY: &str = "alipay.trade.query";
pub(super) const CLOSE: &str = "alipay.trade.close";
pub(super) const REFUND: &str = "alipay.trade.refund";
pub(super) const REFUND_QUERY: &str = "alipay.trade.fastpay.refund.query";
const PAGE_PAY: &str = "alipay.trade.page.pay";

/// The dearest trade Alipay documents: 100,000,000 yuan.
const FEN_MAX: i64 = 10_000_000_000;
/// Alipay closes an unpaid trade after this time at the latest.
const LIFETIME_MAX: Duration = Duration::from_secs(15 * 86_400);
/// Parameters of the gateway whose names sort behind the two addresses in the signed text.
const RESERVED: &[&str] = &[
    "prod_code",
    "return_url",
    "sign",
    "sign_type",
    "terminal_info",
    "terminal_type",
    "timestamp",
    "version",
];

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => start(account, pay, cx),
        Operation::Query(query) => ask(account, &query.payment.reference, FIRST, cx),
        Operation::Close(close) => {
            let content = json!({"out_trade_no": reference("reference", &close.payment.reference)?});
            call(account, CLOSE, &content, FIRST, cx)
        }
        Operation::Refund(refund) => give_back(account, refund, cx),
        Operation::QueryRefund(query) => {
            ask_refund(account, &query.reference, &query.payment.reference, FIRST, cx)
        }
        _ => Err(Refusal::Unsupported("this operation")),
    }
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    let page = pay.method.is("alipay", "page");
    if !page && !pay.method.is("alipay", "qr") {
        return Err(Refusal::Unsupported("this method"));
    }
    if pay.capture == CaptureMode::Manual {
        return Err(Refusal::Unsupported("manual capture"));
    }
    if pay.subject.trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    let mut content = json!({
        "out_trade_no": reference("reference", &pay.reference)?,
        "subject": plain(&pay.subject, 256),
        "total_amount": amount(pay.money)?,
    });
    if let Some(text) = pay.description.as_deref().filter(|text| !text.trim().is_empty()) {
        content["body"] = plain(text, 128).into();
    }
    if let Some(at) = pay.expires_at {
        if at <= cx.now {
            return Err(Refusal::Parameter { param: "expires_at", detail: "must be in the future".into() });
        }
        content["time_expire"] = at.min(cx.now.plus(LIFETIME_MAX)).beijing().into();
    }
    if !page {
        if let Some(seller) = &account.seller_id {
            content["seller_id"] = seller.as_str().into();
        }
        return call(account, PRECREATE, &content, FIRST, cx);
    }
    content["product_code"] = "FAST_INSTANT_TRADE_PAY".into();
    let return_url = pay.return_url.as_deref().map(|url| address("return_url", url, RESERVED)).transpose()?;
    let query = signed(account, PAGE_PAY, &content, return_url, cx)?;
    let url = format!("{}?{query}", account.gateway);
    Ok(Step::Done(Outcome::new(Verdict::Awaiting(Action::Redirect { url }))))
}

/// A query of the trade, as an operation of its own or to settle another.
pub(super) fn ask(account: &Account, of: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
    call(account, QUERY, &json!({"out_trade_no": reference("reference", of)?}), stage, cx)
}

/// A query of the refund, as an operation of its own or to settle a refund.
pub(super) fn ask_refund(
    account: &Account,
    of: &str,
    payment: &str,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let content = json!({
        "out_trade_no": reference("payment.reference", payment)?,
        "out_request_no": reference("reference", of)?,
        "query_options": ["gmt_refund_pay"],
    });
    call(account, REFUND_QUERY, &content, stage, cx)
}

fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    let mut content = json!({
        "out_trade_no": reference("payment.reference", &refund.payment.reference)?,
        "out_request_no": reference("reference", &refund.reference)?,
        "refund_amount": amount(refund.money)?,
    });
    if let Some(text) = refund.reason.as_deref().filter(|text| !text.trim().is_empty()) {
        content["refund_reason"] = plain(text, 256).into();
    }
    call(account, REFUND, &content, FIRST, cx)
}

fn call(
    account: &Account,
    method: &'static str,
    content: &Value,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    // A lost precreate may already be a trade that somebody pays; a lost close or query leaves nothing behind.
    let (effect, seconds) = match method {
        PRECREATE | REFUND => (Effect::Money, 20),
        _ => (Effect::None, 10),
    };
    let body = signed(account, method, content, None, cx)?;
    // Without the charset in the address the gateway has been seen to read the form in its own encoding.
    let request = http::Request::post(format!("{}?charset=utf-8", account.gateway))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded;charset=utf-8")
        .header(ACCEPT, "application/json")
        .body(Bytes::from(body))
        .map_err(|_| Refusal::Signing)?;
    Ok(Step::send(Call { stage, request, timeout: Duration::from_secs(seconds), effect, identity: None }))
}

/// All parameters with their signature, as a form.
fn signed(
    account: &Account,
    method: &str,
    content: &Value,
    return_url: Option<&str>,
    cx: &Context<'_>,
) -> Result<String, Refusal> {
    let biz_content = content.to_string();
    let timestamp = cx.now.beijing();
    // Only calls that start something are reported on later.
    let reports = matches!(method, PAGE_PAY | PRECREATE);
    let parameters = [
        ("app_id", account.app_id.as_str()),
        ("biz_content", &biz_content),
        ("charset", "utf-8"),
        ("format", "JSON"),
        ("method", method),
        ("notify_url", if reports { address("notify_url", cx.notify_url, RESERVED)? } else { "" }),
        ("return_url", return_url.unwrap_or_default()),
        ("sign_type", "RSA2"),
        ("timestamp", &timestamp),
        ("version", "1.0"),
    ];
    let text = text_to_sign(&parameters);
    let sign = account.signer.sign(Scheme::RsaSha256, text.as_bytes()).map_err(|_| Refusal::Signing)?;
    Ok(signed_form(&parameters, &STANDARD.encode(sign)))
}

fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, PROFILE.references)
}

fn amount(money: Money) -> Result<String, Refusal> {
    if money.currency() != CNY || !(1..=FEN_MAX).contains(&money.minor()) {
        return Err(Refusal::Amount(format!("{money} is not between 0.01 and 100000000.00 CNY")));
    }
    UNITS.to_wire(money).map_err(|error| Refusal::Amount(error.to_string()))
}
