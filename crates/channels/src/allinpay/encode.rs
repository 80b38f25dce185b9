//! Operations as signed forms.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use paycore::channel::{Call, Context, Effect, Operation, Pay, Refund, Refusal, Stage, StatementKind, Step};
use paycore::money::Money;

use super::config::Account;
use super::{CNY, PROFILE, UNITS};
use crate::dialect::capability::{in_time, simple};
use crate::dialect::form::{signed_form, text_to_sign};
use crate::dialect::text::{self, address, plain};

/// The first call of an operation.
pub(super) const FIRST: Stage = 0;
/// A query that settles what the first reply left open.
pub(super) const CONFIRM: Stage = 1;
/// The file behind the address of a statement.
pub(super) const FILE: Stage = 100;

/// The dearest payment this adapter sends: 10,000,000 yuan.
const FEN_MAX: i64 = 1_000_000_000;
/// The gateway's names that sort behind an address in the signed text.
const RESERVED: &[&str] = &[
    "notify_url",
    "orgid",
    "paytype",
    "randomstr",
    "reqsn",
    "signtype",
    "sub_appid",
    "terminfo",
    "trxamt",
    "version",
];

/// What the product calls each scene.
const PAY_TYPES: &[(&str, &str)] = &[
    ("wechatpay.qr", "W01"),
    ("wechatpay.jsapi", "W02"),
    ("wechatpay.app", "W03"),
    ("wechatpay.mini", "W06"),
    ("alipay.qr", "A01"),
    ("alipay.jsapi", "A02"),
    ("alipay.app", "A03"),
    ("unionpay.qr", "U01"),
    ("unionpay.jsapi", "U02"),
    ("unionpay.app", "U03"),
    ("qq.qr", "Q01"),
    ("ecny.h5", "S01"),
    ("ecny.app", "S03"),
];

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => start(account, pay, cx),
        Operation::Query(query) => ask(account, &query.payment.reference, FIRST, cx),
        Operation::Close(close) if close.payment.method.scene() != "barcode" => {
            let of = reference("reference", &close.payment.reference)?;
            call(account, "unitorder/close", vec![("oldreqsn", of)], (FIRST, Effect::None), cx)
        }
        Operation::Refund(refund) => give_back(account, refund, cx),
        Operation::QueryRefund(query) => ask(account, &query.reference, FIRST, cx),
        Operation::Statement(statement) if statement.kind == StatementKind::Trade => {
            let day = statement.day.beijing_compact();
            call(account, "trxfile/get", vec![("date", &day[..8])], (FIRST, Effect::None), cx)
        }
        _ => Err(Refusal::Unsupported("this operation")),
    }
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    let kind = PAY_TYPES.iter().find(|(method, _)| pay.method.as_str() == *method).map(|(_, kind)| *kind);
    let known = PROFILE.capability(&pay.method, CNY).is_some();
    if !known {
        return Err(Refusal::Unsupported("this method"));
    }
    simple(pay)?;
    let missing = |param, what: &str| Refusal::Parameter { param, detail: what.into() };
    if pay.subject.trim().is_empty() {
        return Err(missing("subject", "must not be empty"));
    }
    in_time(pay, cx)?;
    let (amount, body) = (amount(pay.money)?, plain(&pay.subject, 30));
    let notify_url = address("notify_url", cx.notify_url, RESERVED)?;
    let mut parameters = vec![
        ("body", &*body),
        ("notify_url", notify_url),
        ("reqsn", reference("reference", &pay.reference)?),
        ("trxamt", &amount),
    ];
    let Some(kind) = kind else {
        let code = pay.payer.auth_code.as_deref().filter(|code| code.bytes().all(|b| b.is_ascii_digit()));
        let code = code.ok_or_else(|| missing("payer.auth_code", "the digits of the payer's barcode"))?;
        let terminal = format!(r#"{{"devicetype":"10","termno":"{}"}}"#, account.term_no);
        parameters.extend([("authcode", code), ("terminfo", terminal.as_str())]);
        return call(account, "unitorder/scanqrpay", parameters, (FIRST, Effect::Money), cx);
    };
    parameters.push(("paytype", kind));
    if matches!(kind, "W02" | "W06" | "A02" | "U02") {
        let id = pay.payer.id.as_deref().filter(|id| id.bytes().all(|b| b.is_ascii_graphic() && b != b'&'));
        parameters.push(("acct", id.ok_or_else(|| missing("payer.id", "the payer's id at the wallet"))?));
    }
    if let (Some(appid), "W02" | "W03" | "W06") = (&account.sub_appid, kind) {
        parameters.push(("sub_appid", appid));
    }
    if let Some(ip) = pay.payer.ip.as_deref().filter(|ip| ip.parse::<std::net::IpAddr>().is_ok()) {
        parameters.push(("cusip", ip));
    }
    let expires = pay.expires_at.map(|at| at.beijing_compact()).unwrap_or_default();
    parameters.push(("expiretime", &expires));
    if let (Some(url), "U02" | "S01") = (&pay.return_url, kind) {
        parameters.push(("front_url", address("return_url", url, RESERVED)?));
    }
    call(account, "unitorder/pay", parameters, (FIRST, Effect::Money), cx)
}

/// A query of a payment or of a refund: each is a transaction with a number of its own.
pub(super) fn ask(account: &Account, of: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
    let of = reference("reference", of)?;
    call(account, "tranx/query", vec![("reqsn", of)], (stage, Effect::None), cx)
}

fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    if refund.part.is_some() {
        return Err(Refusal::Unsupported("parts"));
    }
    let amount = amount(refund.money)?;
    let remark = plain(refund.reason.as_deref().unwrap_or_default(), 50);
    let parameters = vec![
        ("oldreqsn", reference("reference", &refund.payment.reference)?),
        ("remark", remark.trim()),
        ("reqsn", reference("reference", &refund.reference)?),
        ("trxamt", &amount),
    ];
    call(account, "tranx/refund", parameters, (FIRST, Effect::Money), cx)
}

fn call(
    account: &Account,
    path: &'static str,
    own: Vec<(&str, &str)>,
    (stage, effect): (Stage, Effect),
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let mut random = [0; 10];
    cx.rng.fill(&mut random);
    let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut parameters: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, *value)).collect();
    // Statements have a door of their own.
    let (door, version) =
        if path == "trxfile/get" { (account.files(), "") } else { (account.gateway.clone(), "11") };
    parameters.extend([
        ("appid", account.appid.as_str()),
        ("cusid", &account.cusid),
        ("orgid", account.orgid.as_deref().unwrap_or_default()),
        ("randomstr", &random),
        ("signtype", account.sign_type()),
        ("version", version),
    ]);
    parameters.sort_unstable();
    let sign = account.sign(&text_to_sign(&parameters)).ok_or(Refusal::Signing)?;
    let request = http::Request::post(format!("{door}/{path}"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded;charset=UTF-8")
        .body(Bytes::from(signed_form(&parameters, &sign)))
        .map_err(|_| Refusal::Signing)?;
    Ok(Step::send(Call { stage, request, timeout: Duration::from_secs(20), effect, identity: None }))
}

fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, PROFILE.references)
}

fn amount(money: Money) -> Result<String, Refusal> {
    if money.currency() != CNY || !(1..=FEN_MAX).contains(&money.minor()) {
        return Err(Refusal::Amount(format!("{money} is not between 0.01 and 10000000.00 CNY")));
    }
    UNITS.to_wire(money).map_err(|error| Refusal::Amount(error.to_string()))
}
