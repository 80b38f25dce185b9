//! Operations as calls.

use std::borrow::Cow;
use std::time::Duration;

use paycore::channel::{
    Action, Call, CaptureMode, Close, Context, Effect, Operation, Outcome, Pay, Query, Refund, Refusal,
    Stage, Step, Verdict,
};
use paycore::time::Timestamp;
use serde_json::{Value, json};

use super::config::Account;
use crate::dialect::openapi::RESERVED;
use crate::dialect::openapi::content::{self, amount, auth_code, reference};
use crate::dialect::text::{address, plain};

#[path = "../alipay_funds/encode.rs"]
mod funds;

pub(super) use funds::{share_of, sharing};

pub(super) const PRECREATE: &str = "alipay.trade.precreate";
pub(super) const CREATE: &str = "alipay.trade.create";
pub(super) const CHARGE: &str = "alipay.trade.pay";
pub(super) const QUERY: &str = "alipay.trade.query";
pub(super) const CLOSE: &str = "alipay.trade.close";
pub(super) const CANCEL: &str = "alipay.trade.cancel";
pub(super) const REFUND: &str = "alipay.trade.refund";
pub(super) const REFUND_ASK: &str = "alipay.trade.fastpay.refund.query";
pub(super) const FREEZE: &str = "alipay.fund.auth.order.freeze";
pub(super) const VOUCHER: &str = "alipay.fund.auth.order.voucher.create";
pub(super) const HOLD_ASK: &str = "alipay.fund.auth.operation.detail.query";
pub(super) const HOLD_END: &str = "alipay.fund.auth.operation.cancel";
pub(super) const UNFREEZE: &str = "alipay.fund.auth.order.unfreeze";
pub(super) const SETTLE: &str = "alipay.trade.order.settle";
pub(super) const SETTLE_ASK: &str = "alipay.trade.order.settle.query";
pub(super) const BIND: &str = "alipay.trade.royalty.relation.bind";
pub(super) const UNBIND: &str = "alipay.trade.royalty.relation.unbind";
pub(super) const TRANSFER: &str = "alipay.fund.trans.uni.transfer";
pub(super) const SENT_ASK: &str = "alipay.fund.trans.common.query";
pub(super) const BILL: &str = "alipay.data.dataservice.bill.downloadurl.query";

/// The methods we call. The stage of a call is the place of its method here.
const METHODS: &[&str] = &[
    PRECREATE, CREATE, CHARGE, QUERY, CLOSE, CANCEL, REFUND, REFUND_ASK, FREEZE, VOUCHER, HOLD_ASK, HOLD_END,
    UNFREEZE, SETTLE, SETTLE_ASK, BIND, UNBIND, TRANSFER, SENT_ASK, BILL,
];
/// Those after which money may move, or be free to move. A lost precreate may already be a trade that somebody pays; a
/// lost close or query leaves nothing behind.
const MONEY: &[&str] =
    &[PRECREATE, CREATE, CHARGE, CANCEL, REFUND, FREEZE, VOUCHER, UNFREEZE, SETTLE, TRANSFER];
/// Those whose outcome is reported later.
const REPORTED: &[&str] = &[PRECREATE, CREATE, CHARGE, FREEZE, VOUCHER];
/// The stage of fetching a file.
pub(super) const FILE: Stage = 60;
/// The first of the stages that ask whether a refusal was the last word; each belongs to one refusal.
pub(super) const REFUSED: Stage = 64;
/// The first of the stages that ask for the trade's number before they can ask that.
pub(super) const UNNUMBERED: Stage = 128;

/// Alipay closes an unpaid trade after this time at the latest.
const LIFETIME_MAX: Duration = Duration::from_secs(15 * 86_400);

pub(super) fn first(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    let ask = |method, content| call(account, method, &content, cx);
    match operation {
        Operation::Pay(pay) if !pay.parts.is_empty() => Err(Refusal::Unsupported("combined payments")),
        Operation::Pay(pay) if pay.method.brand() != "alipay" => Err(Refusal::Unsupported("this method")),
        Operation::Pay(pay) if pay.capture == CaptureMode::Manual => funds::hold(account, pay, cx),
        Operation::Pay(pay) => start(account, pay, cx),
        // A barcode may have been charged, and what is paid is not to be reversed: ask first.
        Operation::Close(Close { payment }) if !payment.method.is("alipay", "barcode") => {
            ask(CLOSE, content::trade(payment)?)
        }
        Operation::Query(Query { payment }) | Operation::Close(Close { payment }) => {
            ask(QUERY, content::trade(payment)?)
        }
        Operation::Capture(capture) => {
            amount(capture.money)?;
            ask(HOLD_ASK, content::hold(&capture.payment)?)
        }
        Operation::Void(void) => ask(HOLD_ASK, content::hold(&void.payment)?),
        Operation::Refund(refund) => give_back(account, refund, cx),
        Operation::QueryRefund(query) => ask(REFUND_ASK, content::refund(&query.reference, &query.payment)?),
        Operation::BindReceiver(receiver) => ask(BIND, content::relation(receiver, cx)?),
        Operation::UnbindReceiver(receiver) => ask(UNBIND, content::relation(receiver, cx)?),
        Operation::Transfer(_) | Operation::QueryTransfer(_) if !account.app.certified() => {
            Err(Refusal::Unsupported("transfers without certificates"))
        }
        Operation::Transfer(transfer) => ask(TRANSFER, content::transfer(transfer)?),
        Operation::QueryTransfer(query) => ask(SENT_ASK, content::transfer_named(&query.reference)?),
        Operation::SignIn(_) | Operation::Identify(_) => account.app.sign_in(operation, cx),
        Operation::Statement(statement) => ask(BILL, content::bill(statement)?),
        _ => funds::shared(account, operation, cx),
    }
}

fn start(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    let mut content = json!({
        "out_trade_no": reference("reference", &pay.reference)?,
        "subject": subject(pay)?,
        "total_amount": amount(pay.money)?,
    });
    if let Some(text) = pay.description.as_deref().filter(|text| !text.trim().is_empty()) {
        content["body"] = plain(text, 128).into();
    }
    if let Some(at) = lasts(pay, cx)? {
        content["time_expire"] = at.beijing().into();
    }
    if pay.shared {
        content["extend_params"] = json!({"royalty_freeze": "true"});
    }
    let scene = pay.method.scene();
    let (product, method) = match scene {
        "page" => ("FAST_INSTANT_TRADE_PAY", "alipay.trade.page.pay"),
        "wap" => ("QUICK_WAP_WAY", "alipay.trade.wap.pay"),
        "app" => ("QUICK_MSECURITY_PAY", "alipay.trade.app.pay"),
        "qr" => ("", PRECREATE),
        "jsapi" => ("", CREATE),
        "mini" => ("JSAPI_PAY", CREATE),
        "barcode" => ("FACE_TO_FACE_PAYMENT", CHARGE),
        _ => return Err(Refusal::Unsupported("this method")),
    };
    if !product.is_empty() {
        content["product_code"] = product.into();
    }
    let mini = account.mini_app_id.as_deref().unwrap_or(account.app.id());
    match scene {
        "page" | "wap" => {
            let url = pay.return_url.as_deref();
            let url = url.map(|url| address("return_url", url, RESERVED)).transpose()?;
            let order = account.app.order(method, &content, (Some(cx.notify_url), url), cx)?;
            return Ok(awaiting(Action::Redirect { url: account.app.page(&order) }));
        }
        "app" => return in_app(account, method, &content, cx),
        "barcode" => {
            content["scene"] = "bar_code".into();
            content["auth_code"] = auth_code(pay)?.into();
        }
        "jsapi" => content::payer(pay, account.app.id(), None, &mut content)?,
        "mini" => content::payer(pay, account.app.id(), Some(mini), &mut content)?,
        _ => {}
    }
    if let Some(seller) = &account.seller_id {
        content["seller_id"] = seller.as_str().into();
    }
    call(account, method, &content, cx)
}

/// Whether payments of a scene may be pre-authorized.
pub(super) fn may_hold(scene: &str) -> bool {
    matches!(scene, "app" | "qr" | "barcode")
}

/// The order text that the app hands to Alipay's own library.
fn in_app(account: &Account, method: &str, content: &Value, cx: &Context<'_>) -> Result<Step, Refusal> {
    let order = account.app.order(method, content, (Some(cx.notify_url), None), cx)?;
    Ok(awaiting(Action::Client { parameters: vec![("orderStr".into(), order)] }))
}

fn give_back(account: &Account, refund: &Refund, cx: &Context<'_>) -> Result<Step, Refusal> {
    let mut content = json!({
        "out_trade_no": reference("payment_reference", &refund.payment.reference)?,
        "out_request_no": reference("reference", &refund.reference)?,
        "refund_amount": amount(refund.money)?,
    });
    if let Some(text) = refund.reason.as_deref().filter(|text| !text.trim().is_empty()) {
        content["refund_reason"] = plain(text, 256).into();
    }
    call(account, REFUND, &content, cx)
}

/// A call of one of our methods.
pub(super) fn call(
    account: &Account,
    method: &'static str,
    content: &Value,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let stage = (0..).zip(METHODS).find(|(_, name)| **name == method).map_or(FILE, |(stage, _)| stage);
    call_at(account, stage, method, content, cx)
}

/// A call whose reply belongs to a stage of its own.
pub(super) fn call_at(
    account: &Account,
    stage: Stage,
    method: &'static str,
    content: &Value,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let notify_url = REPORTED.contains(&method).then_some(cx.notify_url);
    let request = account.app.request(method, content, notify_url, cx)?;
    let money = MONEY.contains(&method);
    let (effect, seconds) = if money { (Effect::Money, 20) } else { (Effect::None, 10) };
    Ok(Step::send(Call { stage, request, timeout: Duration::from_secs(seconds), effect, identity: None }))
}

/// The method that is called at a stage.
pub(super) fn method(stage: Stage) -> &'static str {
    METHODS.get(usize::from(stage)).copied().unwrap_or_default()
}

fn awaiting(action: Action) -> Step {
    Step::Done(Outcome::new(Verdict::Awaiting(action)))
}

fn subject(pay: &Pay) -> Result<Cow<'_, str>, Refusal> {
    if pay.subject.trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    Ok(plain(&pay.subject, 256))
}

fn lasts(pay: &Pay, cx: &Context<'_>) -> Result<Option<Timestamp>, Refusal> {
    if pay.expires_at.is_some_and(|at| at <= cx.now) {
        return Err(Refusal::Parameter { param: "expires_at", detail: "must be in the future".into() });
    }
    Ok(pay.expires_at.map(|at| at.min(cx.now.plus(LIFETIME_MAX))))
}
