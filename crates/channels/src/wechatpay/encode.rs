//! Operations as signed requests.

use paycore::channel::{
    CaptureMode, Context, Effect, Operation, Pay, Refund, Refusal, Stage, Statement, StatementKind, Step,
};
use paycore::money::Money;
use serde_json::json;

use super::config::Account;
use crate::dialect::text::{address, within};
use crate::dialect::v3::{
    COMBINED, FIRST, PARTS, ask_combined, ask_transfer, combine, fen, pay_out, reference, share_request,
};
use crate::dialect::wechat_login::Login;

/// The close or the reversal of an order that its query has found open.
pub(super) const CLOSING: Stage = 1;
pub(super) const REVERSING: Stage = 2;
/// A query that settles what another reply left open.
pub(super) const CONFIRM: Stage = 3;

const BEIJING: i32 = 8 * 3600;
const REFUNDS: &str = "/v3/refund/domestic/refunds";

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    match operation {
        Operation::Pay(pay) => start(account, pay, cx),
        Operation::Query(query) => ask(account, &query.payment.reference, FIRST, cx),
        // A close is answered without naming an order, even for one that does not exist, and a barcode payment is
        // reversed instead, which gives the money back. So the order is looked at first.
        Operation::Close(close) => ask(account, &close.payment.reference, FIRST, cx),
        Operation::Refund(what) => refund(account, what, cx),
        Operation::QueryRefund(query) => ask_refund(account, &query.reference, FIRST, cx),
        Operation::Transfer(transfer) => pay_out(&account.merchant, transfer, cx),
        Operation::QueryTransfer(query) => ask_transfer(&account.merchant, &query.reference, FIRST, cx),
        Operation::Statement(statement) => bill(account, *statement, cx),
        Operation::SignIn(_) | Operation::Identify(_) => Login::first(account.login.as_ref(), operation, cx),
        other => share_request(&account.merchant, other, orders(account), cx)
            .unwrap_or(Err(Refusal::Unsupported("this operation"))),
    }
}

/// Where orders are.
fn orders(account: &Account) -> &'static str {
    if account.merchant.sub.is_some() { "/v3/pay/partner/transactions" } else { "/v3/pay/transactions" }
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    if pay.method.brand() != "wechatpay" {
        return Err(Refusal::Unsupported("this method"));
    }
    if pay.capture == CaptureMode::Manual {
        return Err(Refusal::Unsupported("manual capture"));
    }
    let mut order = account.merchant.who();
    order["out_trade_no"] = reference("reference", &pay.reference)?.into();
    order["amount"] = json!({"total": fen(pay.money)?, "currency": "CNY"});
    let kind = match pay.method.scene() {
        "qr" => "native",
        "h5" => {
            let ip =
                required("payer.ip", pay.payer.ip.as_deref(), |ip| ip.parse::<std::net::IpAddr>().is_ok())?;
            order["scene_info"] = json!({"payer_client_ip": ip, "h5_info": {"type": "Wap"}});
            "h5"
        }
        "jsapi" | "mini" => {
            let openid = required("payer.id", pay.payer.id.as_deref(), |id| id.len() <= 128)?;
            order["payer"] = account.merchant.payer(openid);
            "jsapi"
        }
        "app" => "app",
        "barcode" => {
            let digits = |code: &str| code.len() == 18 && code.bytes().all(|byte| byte.is_ascii_digit());
            let code = required("payer.auth_code", pay.payer.auth_code.as_deref(), digits)?;
            order["payer"] = json!({"auth_code": code});
            order["scene_info"] = json!({"store_info": {"out_id": account.store_id}});
            "codepay"
        }
        _ => return Err(Refusal::Unsupported("this method")),
    };
    let description = within(&pay.subject, 127);
    if description.trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    order["description"] = description.into();
    if pay.shared {
        order["settle_info"] = json!({"profit_sharing": true});
    }
    if pay.expires_at.is_some_and(|at| at <= cx.now) {
        return Err(Refusal::Parameter { param: "expires_at", detail: "must be in the future".into() });
    }
    // A barcode is charged or refused at once and reported by nobody.
    if kind != "codepay" {
        order["notify_url"] = address("notify_url", cx.notify_url, &[])?.into();
        if let Some(at) = pay.expires_at {
            order["time_expire"] = at.to_rfc3339_seconds(BEIJING).into();
        }
    }
    let mut path = format!("{}/{kind}", orders(account));
    if !pay.parts.is_empty() {
        if kind == "codepay" {
            return Err(Refusal::Unsupported("combined payments by barcode"));
        }
        (path, order) = (format!("{COMBINED}/{kind}"), combine(&account.merchant, pay, order)?);
    }
    account.merchant.post(&path, &order, (FIRST, Effect::Money), cx)
}

/// A query of the order, as an operation of its own or to settle another.
pub(super) fn ask(account: &Account, of: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
    let of = reference("reference", of)?;
    let path = format!("{}/out-trade-no/{of}?{}", orders(account), account.merchant.asking());
    account.merchant.get(&path, stage, cx)
}

/// A query of the refund, as an operation of its own or to settle a refund.
pub(super) fn ask_refund(
    account: &Account,
    of: &str,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let (of, sub) = (reference("reference", of)?, account.merchant.asking_for('?'));
    account.merchant.get(&format!("{REFUNDS}/{of}{sub}"), stage, cx)
}

pub(super) fn close(account: &Account, of: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
    let path = format!("{}/out-trade-no/{}/close", orders(account), reference("reference", of)?);
    account.merchant.post(&path, &account.merchant.numbers(), (CLOSING, Effect::None), cx)
}

/// Ends a barcode payment; one that was paid in between is given back.
pub(super) fn reverse(account: &Account, of: &str, cx: &Context<'_>) -> Result<Step, Refusal> {
    let path = format!("{}/out-trade-no/{}/reverse", orders(account), reference("reference", of)?);
    account.merchant.post(&path, &account.merchant.who(), (REVERSING, Effect::Money), cx)
}

/// The first call of a refund. A part is looked at first: that it is one, and what it cost.
fn refund(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    let whole = give_back(account, refund, (&refund.payment.reference, refund.captured), cx)?;
    let Some(part) = &refund.part else { return Ok(whole) };
    reference("part", part)?;
    ask_combined(&account.merchant, &refund.payment.reference, PARTS, cx)
}

/// The refund of an order, or of the part that is one.
pub(super) fn give_back(
    account: &Account,
    refund: &Refund,
    (order, total): (&str, Money),
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let mut body = account.merchant.with_sub(json!({
        "out_trade_no": reference("payment.reference", order)?,
        "out_refund_no": reference("reference", &refund.reference)?,
        "notify_url": address("notify_url", cx.notify_url, &[])?,
        "amount": {"refund": fen(refund.money)?, "total": fen(total)?, "currency": "CNY"},
    }));
    if let Some(reason) = refund.reason.as_deref().filter(|text| !text.trim().is_empty()) {
        body["reason"] = within(reason, 80).into();
    }
    account.merchant.post(REFUNDS, &body, (FIRST, Effect::Money), cx)
}

/// Where the bill of a day is. It is there from about ten in the next morning on.
fn bill(account: &Account, statement: Statement, cx: &Context<'_>) -> Result<Step, Refusal> {
    let day = &statement.day.beijing()[..10];
    let path = match statement.kind {
        StatementKind::Trade => {
            let sub = account.merchant.asking_for('&');
            format!("/v3/bill/tradebill?bill_date={day}{sub}&bill_type=ALL&tar_type=GZIP")
        }
        StatementKind::Funds if account.merchant.sub.is_none() => {
            format!("/v3/bill/fundflowbill?bill_date={day}&account_type=BASIC&tar_type=GZIP")
        }
        StatementKind::Funds => {
            let sub = account.merchant.asking_for('?');
            let rest = "account_type=BASIC&algorithm=AEAD_AES_256_GCM&tar_type=GZIP";
            format!("/v3/bill/sub-merchant-fundflowbill{sub}&bill_date={day}&{rest}")
        }
        _ => return Err(Refusal::Unsupported("statements of this kind")),
    };
    account.merchant.get(&path, FIRST, cx)
}

/// A part of the payer that the scene needs.
fn required<'a>(
    param: &'static str,
    text: Option<&'a str>,
    fits: impl Fn(&str) -> bool,
) -> Result<&'a str, Refusal> {
    let text = text.filter(|text| !text.trim().is_empty() && fits(text));
    text.ok_or_else(|| Refusal::Parameter {
        param,
        detail: "is missing or not of the form of this scene".into(),
    })
}
