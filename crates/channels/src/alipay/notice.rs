//! Asynchronous notifications: a form that Alipay posts to the notify URL.

use http::StatusCode;
use paycore::channel::{Context, Fault, Notice, Outcome, Report, Subject, Verdict, Verified};

use super::config::Account;
use super::decode::state;
use super::{CNY, UNITS};
use crate::dialect::form::Form;
use crate::dialect::reply::{amount, beijing, plain, same};

#[path = "../alipay_funds/notice.rs"]
mod funds;

pub(super) fn verify(account: &Account, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
    let form = account.app.notice(notice, cx)?;
    let reports = match (form.field("msg_method"), form.field("notify_type")) {
        (Some(message), None) => funds::reports(message, &form)?,
        (None, Some("fund_auth_freeze")) => vec![frozen(account, &form)?],
        // Whoever gave it back has the answer.
        (None, Some("fund_auth_unfreeze")) => Vec::new(),
        (None, kind) => {
            same("notify_type", kind, "trade_status_sync")?;
            if let Some(seller) = &account.seller_id {
                same("seller_id", form.field("seller_id"), seller)?;
            }
            vec![report(&form)?]
        }
        (message, _) => return Err(Fault::Unacceptable(format!("msg_method is {message:?}"))),
    };
    Ok(Verified { reports, reply: plain(StatusCode::OK, "success") })
}

/// A pre-authorization that the payer agreed to.
fn frozen(account: &Account, form: &Form<'_>) -> Result<Report, Fault> {
    if let Some(seller) = &account.seller_id {
        same("payee_user_id", form.field("payee_user_id"), seller)?;
    }
    let money = amount("amount", form.field("amount"), UNITS, CNY)?;
    let verdict = match form.required("status")? {
        "SUCCESS" if money.is_positive() => Verdict::Authorized,
        "CLOSED" => Verdict::Closed,
        other => return Err(Fault::Unexpected(format!("status {other:?}"))),
    };
    let at = beijing("gmt_trans", form.field("gmt_trans"))?;
    let outcome = Outcome::new(verdict).channel_id(form.required("auth_no")?).money(money);
    let reference = form.required("out_order_no")?.to_owned();
    Ok(Report { subject: Subject::Payment, reference, outcome: Outcome { at, ..outcome } })
}

/// A refund is reported with the trade's status and amount; read as a payment it says once more what is known
/// already. The refund itself is left to its query, because its amount here is the sum of all refunds so far.
fn report(form: &Form<'_>) -> Result<Report, Fault> {
    let money = amount("total_amount", form.field("total_amount"), UNITS, CNY)?;
    if !money.is_positive() {
        return Err(Fault::Unexpected(format!("total_amount is {money}")));
    }
    let paid_at = beijing("gmt_payment", form.field("gmt_payment"))?;
    let was_paid =
        paid_at.is_some() || ["gmt_refund", "refund_fee"].iter().any(|name| form.field(name).is_some());
    let verdict = state(Some(form.required("trade_status")?), was_paid)?;
    let at =
        if verdict == Verdict::Closed { beijing("gmt_close", form.field("gmt_close"))? } else { paid_at };
    let channel_id = Some(form.required("trade_no")?.to_owned());
    let outcome = Outcome { channel_id, money: Some(money), at, ..Outcome::new(verdict) };
    Ok(Report { subject: Subject::Payment, reference: form.required("out_trade_no")?.to_owned(), outcome })
}
