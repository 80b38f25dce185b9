//! Asynchronous notifications: a form that Alipay posts to the notify URL.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use paycore::channel::{Context, Fault, Notice, Outcome, Report, Subject, Verdict, Verified};
use paycore::crypto::Scheme;

use super::config::Account;
use super::decode::state;
use super::{CNY, UNITS};
use crate::dialect::form::Form;
use crate::dialect::reply::{amount, beijing, plain, same};

/// Alipay repeats a notification for 25 hours; one more for clocks and queues.
const AGE_MAX: Duration = Duration::from_secs(26 * 3600);
const AHEAD_MAX: Duration = Duration::from_secs(15 * 60);

pub(super) fn verify(account: &Account, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
    if notice.method() != Method::POST {
        return Err(Fault::Unexpected("a notification is a POST".into()));
    }
    let form = Form::read(notice.body())?;
    if form.field("sign_type") != Some("RSA2") {
        return Err(Fault::Signature);
    }
    let signature = STANDARD.decode(form.field("sign").unwrap_or_default()).map_err(|_| Fault::Signature)?;
    // Trade notifications leave sign_type out of the signed text; those of newer products keep it in.
    let signed = [&["sign", "sign_type"][..], &["sign"]]
        .iter()
        .any(|without| account.verifier.verify(Scheme::RsaSha256, &form.signed_text(without), &signature));
    if !signed {
        return Err(Fault::Signature);
    }
    for_us(account, &form, cx)?;
    Ok(Verified { reports: vec![report(&form)?], reply: plain(StatusCode::OK, "success") })
}

/// Whether an authentic notification is meant for this account, and now.
fn for_us(account: &Account, form: &Form<'_>, cx: &Context<'_>) -> Result<(), Fault> {
    same("app_id", form.field("app_id"), &account.app_id)?;
    if let Some(seller) = &account.seller_id {
        same("seller_id", form.field("seller_id"), seller)?;
    }
    same("notify_type", form.field("notify_type"), "trade_status_sync")?;
    let sent = beijing("notify_time", Some(form.required("notify_time")?))?;
    if sent.is_none_or(|at| at < cx.now.minus(AGE_MAX) || at > cx.now.plus(AHEAD_MAX)) {
        return Err(Fault::Unacceptable(format!("notify_time is {sent:?}, outside the accepted window")));
    }
    Ok(())
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
