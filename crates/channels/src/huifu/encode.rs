//! Operations as signed requests.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use paycore::channel::{Call, Close, Context, Effect, Operation, Pay, Refund, Refusal, Stage, Step};
use paycore::crypto::Scheme;
use paycore::money::Money;
use paycore::time::Timestamp;
use serde_json::json;

use super::config::Account;
use super::{CNY, PROFILE, UNITS};
use crate::dialect::capability::simple;
use crate::dialect::text::{self, address, within};

/// The first call of an operation.
pub(super) const FIRST: Stage = 0;
/// A query that settles what another reply left open.
pub(super) const CONFIRM: Stage = 1;

/// An amount has fourteen characters at most.
const FEN_MAX: i64 = 10_000_000_000;
/// Sent where the payer's own address is not known.
const NO_IP: &str = "127.0.0.1";

/// What is signed. Every value is text; deeper structures are JSON inside of it.
type Data = BTreeMap<&'static str, String>;

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => start(account, pay, cx),
        Operation::Query(query) => ask(account, &query.payment.reference, query.payment.started_at, FIRST),
        Operation::Close(close) => shut(account, close, cx),
        Operation::Refund(refund) => give_back(account, refund, cx),
        Operation::QueryRefund(query) => ask_refund(account, &query.reference, query.started_at, FIRST),
        _ => Err(Refusal::Unsupported("this operation")),
    }
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    let trade_type = match (pay.method.brand(), pay.method.scene()) {
        ("alipay", "qr") => "A_NATIVE",
        ("alipay", "jsapi" | "mini") => "A_JSAPI",
        ("wechatpay", "jsapi") => "T_JSAPI",
        ("wechatpay", "mini") => "T_MINIAPP",
        ("wechatpay", "app") => "T_APP",
        ("unionpay", "qr") => "U_NATIVE",
        ("ecny", "qr") => "D_NATIVE",
        ("alipay" | "wechatpay" | "unionpay" | "ecny", "barcode") => "",
        _ => return Err(Refusal::Unsupported("this method")),
    };
    simple(pay)?;
    let mut data = dated("reference", &pay.reference, pay.started_at)?;
    data.insert("goods_desc", within(&pay.subject, 127));
    if data["goods_desc"].trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    data.insert("trans_amt", amount(pay.money)?);
    data.insert("notify_url", address("notify_url", cx.notify_url, &[])?.to_owned());
    let ip = pay.payer.ip.as_deref().filter(|ip| ip.parse::<std::net::IpAddr>().is_ok()).unwrap_or(NO_IP);
    data.insert("risk_check_data", json!({ "ip_addr": ip }).to_string());
    if let Some(at) = pay.expires_at {
        if at <= cx.now {
            return Err(Refusal::Parameter { param: "expires_at", detail: "must be in the future".into() });
        }
        data.insert("time_expire", at.beijing_compact());
    }
    if trade_type.is_empty() {
        let digits =
            |code: &&str| (16..=32).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
        let code = pay.payer.auth_code.as_deref().filter(digits);
        let detail = || "must be the 16 to 32 digits of the payer's barcode".to_owned();
        let code = code.ok_or_else(|| Refusal::Parameter { param: "payer.auth_code", detail: detail() })?;
        data.insert("auth_code", code.to_owned());
        return call(account, "/v3/trade/payment/micropay", data, (FIRST, Effect::Money));
    }
    data.insert("trade_type", trade_type.to_owned());
    let payer = || {
        let detail = || "must be the payer's id at the wallet".to_owned();
        let id = pay.payer.id.as_deref().filter(|id| id.len() <= 128 && !id.trim().is_empty());
        id.ok_or_else(|| Refusal::Parameter { param: "payer.id", detail: detail() })
    };
    match trade_type {
        "A_JSAPI" => _ = data.insert("alipay_data", json!({ "buyer_id": payer()? }).to_string()),
        "T_JSAPI" | "T_MINIAPP" => {
            let appid = account.wx_appid.as_ref().ok_or_else(|| Refusal::Parameter {
                param: "method",
                detail: "needs the setting wx_appid".into(),
            })?;
            let wallet = json!({ "sub_appid": appid, "sub_openid": payer()? });
            data.insert("wx_data", wallet.to_string());
        }
        _ => {}
    }
    call(account, "/v3/trade/payment/jspay", data, (FIRST, Effect::Money))
}

/// A query of the payment, as an operation of its own or to settle another.
pub(super) fn ask(account: &Account, of: &str, began: Timestamp, stage: Stage) -> Result<Step, Refusal> {
    let data = original(of, began)?;
    call(account, "/v3/trade/payment/scanpay/query", data, (stage, Effect::None))
}

/// A query of the refund, as an operation of its own or to settle a refund.
pub(super) fn ask_refund(
    account: &Account,
    of: &str,
    began: Timestamp,
    stage: Stage,
) -> Result<Step, Refusal> {
    let data = original(of, began)?;
    call(account, "/v3/trade/payment/scanpay/refundquery", data, (stage, Effect::None))
}

fn shut(account: &Account, close: &Close, cx: &Context<'_>) -> Result<Step, Refusal> {
    if !matches!(close.payment.method.brand(), "alipay" | "wechatpay") {
        return Err(Refusal::Unsupported("closing this method"));
    }
    let mut data = original(&close.payment.reference, close.payment.started_at)?;
    // Every try is a request of its own, whatever became of the one before.
    let mut random = [0; 16];
    cx.rng.fill(&mut random);
    let number: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    data.extend(dated("reference", &number, cx.now)?);
    call(account, "/v2/trade/payment/scanpay/close", data, (FIRST, Effect::None))
}

fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    if refund.part.is_some() {
        return Err(Refusal::Unsupported("parts"));
    }
    let mut data = original(&refund.payment.reference, refund.payment.started_at)?;
    data.extend(dated("reference", &refund.reference, refund.started_at)?);
    data.insert("ord_amt", amount(refund.money)?);
    data.insert("notify_url", address("notify_url", cx.notify_url, &[])?.to_owned());
    if let Some(reason) = refund.reason.as_deref().filter(|text| !text.trim().is_empty()) {
        data.insert("remark", within(reason, 84));
    }
    call(account, "/v3/trade/payment/scanpay/refund", data, (FIRST, Effect::Money))
}

/// The number of a request, which is unique together with its date in Beijing.
fn dated(param: &'static str, number: &str, at: Timestamp) -> Result<Data, Refusal> {
    let number = text::reference(param, number, PROFILE.references)?;
    Ok(Data::from([("req_seq_id", number.to_owned()), ("req_date", day(at))]))
}

/// The request that another one is about.
fn original(number: &str, at: Timestamp) -> Result<Data, Refusal> {
    let number = text::reference("reference", number, PROFILE.references)?;
    Ok(Data::from([("org_req_seq_id", number.to_owned()), ("org_req_date", day(at))]))
}

fn day(at: Timestamp) -> String {
    at.beijing_compact()[..8].to_owned()
}

/// The signature is over the data as it stands in the body: sorted by name and without white space.
fn call(
    account: &Account,
    path: &str,
    mut data: Data,
    (stage, effect): (Stage, Effect),
) -> Result<Step, Refusal> {
    data.insert("huifu_id", account.huifu_id.clone());
    let data = json!(data).to_string();
    let sign = account.signer.sign(Scheme::RsaSha256, data.as_bytes()).map_err(|_| Refusal::Signing)?;
    let (sign, Account { sys_id, product_id, .. }) = (STANDARD.encode(sign), account);
    // None of the three needs escaping.
    let body =
        format!(r#"{{"sys_id":"{sys_id}","product_id":"{product_id}","sign":"{sign}","data":{data}}}"#);
    let request = http::Request::post(format!("{}{path}", account.gateway))
        .header(CONTENT_TYPE, "application/json;charset=utf-8")
        .body(Bytes::from(body))
        .map_err(|_| Refusal::Signing)?;
    let timeout = Duration::from_secs(if effect == Effect::Money { 20 } else { 10 });
    Ok(Step::send(Call { stage, request, timeout, effect, identity: None }))
}

fn amount(money: Money) -> Result<String, Refusal> {
    if money.currency() != CNY || !(1..=FEN_MAX).contains(&money.minor()) {
        return Err(Refusal::Amount(format!("{money} is not between 0.01 and 100000000.00 CNY")));
    }
    UNITS.to_wire(money).map_err(|error| Refusal::Amount(error.to_string()))
}
