//! Operations as signed requests.

use std::borrow::Cow;
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
use paycore::time::Timestamp;
use serde::Serialize;
use url::form_urlencoded::byte_serialize;

use super::config::Account;
use super::{CNY, UNITS};

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
const MONEY_TIMEOUT: Duration = Duration::from_secs(20);
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => start(account, pay, cx),
        Operation::Query(query) => ask(account, &query.reference, FIRST, cx),
        Operation::Close(close) => {
            let content = Trade { out_trade_no: reference("reference", &close.reference)? };
            call(account, CLOSE, &content, FIRST, cx)
        }
        Operation::Refund(refund) => give_back(account, refund, cx),
        Operation::QueryRefund(query) => {
            ask_refund(account, &query.reference, &query.payment_reference, FIRST, cx)
        }
        other => Err(Refusal::Unsupported(match other {
            Operation::Capture(_) => "capture",
            Operation::Void(_) => "void",
            _ => "this operation",
        })),
    }
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    if pay.capture == CaptureMode::Manual {
        return Err(Refusal::Unsupported("manual capture"));
    }
    let mut content = NewTrade {
        out_trade_no: reference("reference", &pay.reference)?,
        total_amount: amount(pay.money)?,
        subject: plain(&pay.subject, 256),
        body: pay.description.as_deref().filter(|text| !text.trim().is_empty()).map(|text| plain(text, 128)),
        time_expire: pay.expires_at.map(|at| expiry(at, cx.now)).transpose()?,
        product_code: None,
        seller_id: None,
    };
    if content.subject.trim().is_empty() {
        return Err(parameter("subject", "must not be empty"));
    }
    if pay.method.is("alipay", "qr") {
        content.seller_id = account.seller_id.as_deref();
        return call(account, PRECREATE, &content, FIRST, cx);
    }
    if !pay.method.is("alipay", "page") {
        return Err(Refusal::Unsupported("this method"));
    }
    content.product_code = Some("FAST_INSTANT_TRADE_PAY");
    let return_url = pay.return_url.as_deref().map(|url| address("return_url", url)).transpose()?;
    let query = signed(account, PAGE_PAY, &content, return_url, cx)?;
    let url = format!("{}?{query}", account.gateway);
    Ok(Step::Done(Outcome::new(Verdict::Awaiting(Action::Redirect { url }))))
}

/// A query of the trade, as an operation of its own or to settle another.
pub(super) fn ask(account: &Account, of: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
    call(account, QUERY, &Trade { out_trade_no: reference("reference", of)? }, stage, cx)
}

/// A query of the refund, as an operation of its own or to settle a refund.
pub(super) fn ask_refund(
    account: &Account,
    of: &str,
    payment: &str,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let content = RefundOf {
        out_trade_no: reference("payment_reference", payment)?,
        out_request_no: reference("reference", of)?,
        query_options: ["gmt_refund_pay"],
    };
    call(account, REFUND_QUERY, &content, stage, cx)
}

fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    let content = NewRefund {
        out_trade_no: reference("payment_reference", &refund.payment_reference)?,
        out_request_no: reference("reference", &refund.reference)?,
        refund_amount: amount(refund.money)?,
        refund_reason: refund.reason.as_deref().filter(|t| !t.trim().is_empty()).map(|text| plain(text, 256)),
    };
    call(account, REFUND, &content, FIRST, cx)
}

// The order of the fields is of no consequence: the gateway reads the text that is signed.
#[derive(Serialize)]
struct NewTrade<'a> {
    out_trade_no: &'a str,
    total_amount: String,
    subject: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_expire: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seller_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Trade<'a> {
    out_trade_no: &'a str,
}

#[derive(Serialize)]
struct NewRefund<'a> {
    out_trade_no: &'a str,
    out_request_no: &'a str,
    refund_amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_reason: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct RefundOf<'a> {
    out_trade_no: &'a str,
    out_request_no: &'a str,
    query_options: [&'static str; 1],
}

fn call(
    account: &Account,
    method: &'static str,
    content: &impl Serialize,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    // A lost precreate may already be a trade that somebody pays; a lost close or query leaves nothing behind.
    let money = matches!(method, PRECREATE | REFUND);
    let body = signed(account, method, content, None, cx)?;
    // Without the charset in the address the gateway has been seen to read the form in its own encoding.
    let request = http::Request::post(format!("{}?charset=utf-8", account.gateway))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded;charset=utf-8")
        .header(ACCEPT, "application/json")
        .body(Bytes::from(body))
        .map_err(|_| Refusal::Signing)?;
    Ok(Step::send(Call {
        stage,
        request,
        timeout: if money { MONEY_TIMEOUT } else { QUERY_TIMEOUT },
        effect: if money { Effect::Money } else { Effect::None },
    }))
}

/// All parameters with their signature, as a form. The signed text is every parameter that is not empty, sorted,
/// not yet percent-encoded.
fn signed(
    account: &Account,
    method: &str,
    content: &impl Serialize,
    return_url: Option<&str>,
    cx: &Context<'_>,
) -> Result<String, Refusal> {
    let biz_content = serde_json::to_string(content).map_err(|_| Refusal::Signing)?;
    let timestamp = cx.now.beijing();
    // Only calls that start something are reported on later.
    let notify = matches!(method, PAGE_PAY | PRECREATE);
    let parameters = [
        ("app_id", account.app_id.as_str()),
        ("biz_content", &biz_content),
        ("charset", "utf-8"),
        ("format", "JSON"),
        ("method", method),
        ("notify_url", if notify { address("notify_url", cx.notify_url)? } else { "" }),
        ("return_url", return_url.unwrap_or_default()),
        ("sign_type", "RSA2"),
        ("timestamp", &timestamp),
        ("version", "1.0"),
    ];
    let given = || parameters.iter().filter(|(_, value)| !value.is_empty());
    let mut text = String::with_capacity(biz_content.len() + 512);
    for (key, value) in given() {
        let joint = if text.is_empty() { "" } else { "&" };
        text.extend([joint, key, "=", value]);
    }
    let signature = account.signer.sign(Scheme::RsaSha256, text.as_bytes()).map_err(|_| Refusal::Signing)?;
    let mut form = String::with_capacity(text.len() * 2 + 512);
    for (key, value) in given() {
        form.extend([key, "="]);
        form.extend(byte_serialize(value.as_bytes()));
        form.push('&');
    }
    form.push_str("sign=");
    form.extend(byte_serialize(STANDARD.encode(signature).as_bytes()));
    Ok(form)
}

fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    if (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Ok(text);
    }
    Err(parameter(param, "must be 1 to 32 ASCII letters and digits"))
}

fn amount(money: Money) -> Result<String, Refusal> {
    if money.currency() != CNY || !(1..=FEN_MAX).contains(&money.minor()) {
        return Err(Refusal::Amount(format!("{money} is not between 0.01 and 100000000.00 CNY")));
    }
    UNITS.to_wire(money).map_err(|error| Refusal::Amount(error.to_string()))
}

fn expiry(at: Timestamp, now: Timestamp) -> Result<String, Refusal> {
    if at <= now {
        return Err(parameter("expires_at", "must be in the future"));
    }
    Ok(at.min(now.plus(LIFETIME_MAX)).beijing())
}

/// Two addresses stand in the signed text as they are. One whose query holds a parameter of the gateway could be
/// read as two parameters under the same signature, so it is refused.
fn address<'a>(param: &'static str, url: &'a str) -> Result<&'a str, Refusal> {
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
    let http = url.starts_with("https://") || url.starts_with("http://");
    if !http || url.len() > 256 || !url.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(parameter(param, "must be an http or https address of at most 256 ASCII characters"));
    }
    let smuggles =
        url.split('&').skip(1).filter_map(|pair| pair.split('=').next()).any(|k| RESERVED.contains(&k));
    if smuggles {
        return Err(parameter(param, "must not hold a query parameter named like one of the gateway's"));
    }
    Ok(url)
}

/// Text for people in the form Alipay takes: it documents that `/`, `=` and `&` are not accepted, and a value with
/// `&name=` would make the signed text of a notification ambiguous, so these become their full-width forms. So do
/// commas that are many enough to look like columns of a statement, where text is not quoted.
fn plain(text: &str, chars_max: usize) -> Cow<'_, str> {
    let many_commas = text.bytes().filter(|b| *b == b',').count() > 12;
    let changes = |c: char| matches!(c, '/' | '=' | '&') || c.is_control() || (c == ',' && many_commas);
    if !text.contains(changes) && text.len() <= chars_max {
        return Cow::Borrowed(text);
    }
    let full_width = |c: char| match c {
        '/' => '／',
        '=' => '＝',
        '&' => '＆',
        ',' if many_commas => '，',
        c if c.is_control() => ' ',
        c => c,
    };
    Cow::Owned(text.chars().take(chars_max).map(full_width).collect())
}

fn parameter(param: &'static str, detail: &str) -> Refusal {
    Refusal::Parameter { param, detail: detail.to_owned() }
}
