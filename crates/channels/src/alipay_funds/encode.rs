//! Calls about funds rather than trades: pre-authorizations and shares.

use paycore::channel::{Context, Operation, Pay, Payment, Refusal, Step};
use serde_json::json;

use super::super::config::Account;
use super::{FREEZE, QUERY, REFUND, SETTLE, SETTLE_ASK, VOUCHER, call, in_app, lasts, may_hold, subject};
use crate::dialect::openapi::content::{self, amount, auth_code, reference};
use crate::dialect::text::plain;

/// A pre-authorization (预授权): the money is frozen where the payer has it.
pub(super) fn hold(account: &Account, pay: &Pay, cx: &Context<'_>) -> Result<Step, Refusal> {
    let scene = pay.method.scene();
    // In an app the order has to name who is paid.
    if !may_hold(scene) || pay.shared || scene == "app" && account.seller_id.is_none() {
        return Err(Refusal::Unsupported("manual capture"));
    }
    let mut content = json!({
        "out_order_no": reference("reference", &pay.reference)?,
        "out_request_no": &pay.reference,
        "order_title": plain(&subject(pay)?, 100),
        "amount": amount(pay.money)?,
        "product_code": content::hold_product(scene),
    });
    if let Some(seller) = &account.seller_id {
        content["payee_user_id"] = seller.as_str().into();
    }
    if let Some(at) = lasts(pay, cx)? {
        content["timeout_express"] = format!("{}m", at.since(cx.now).as_secs().div_ceil(60)).into();
    }
    match scene {
        "app" => in_app(account, "alipay.fund.auth.order.app.freeze", &content, cx),
        "qr" => call(account, VOUCHER, &content, cx),
        _ => {
            content["auth_code_type"] = "bar_code".into();
            content["auth_code"] = auth_code(pay)?.into();
            call(account, FREEZE, &content, cx)
        }
    }
}

/// The reference of what concerns shares, and their payment.
pub(in super::super) fn sharing(operation: &Operation) -> Option<(&str, &Payment)> {
    match operation {
        Operation::Share(share) => Some((&share.reference, &share.payment)),
        Operation::QueryShare(query) => Some((&query.reference, &query.payment)),
        Operation::Release(release) => Some((&release.reference, &release.payment)),
        Operation::ReturnShare(back) => Some((&back.reference, &back.payment)),
        Operation::QueryReturn(query) => Some((&query.reference, &query.payment)),
        _ => None,
    }
}

/// Shares name the trade by Alipay's number; where we do not know it, Alipay is asked for it first.
pub(super) fn shared(account: &Account, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
    let (_, payment) = sharing(operation).ok_or(Refusal::Unsupported("this operation"))?;
    let known = payment.channel_id.as_deref();
    let step = share_of(account, operation, known.unwrap_or_default(), cx)?;
    if known.is_some() { Ok(step) } else { call(account, QUERY, &content::trade(payment)?, cx) }
}

/// A share of a trade, its return, the query of either, or the end of sharing.
pub(in super::super) fn share_of(
    account: &Account,
    operation: &Operation,
    trade_no: &str,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let (method, content) = match operation {
        Operation::Share(share) => (SETTLE, content::shares(share, trade_no)?),
        Operation::Release(release) => (SETTLE, content::release(&release.reference, trade_no)?),
        Operation::ReturnShare(back) => (REFUND, content::share_back(back, trade_no)?),
        Operation::QueryShare(query) => (SETTLE_ASK, content::shares_named(&query.reference, trade_no)?),
        Operation::QueryReturn(query) => (SETTLE_ASK, content::shares_named(&query.reference, trade_no)?),
        _ => return Err(Refusal::Unsupported("this operation")),
    };
    call(account, method, &content, cx)
}
