//! Notifications: forms that UnionPay posts to the notify URL and, by way of the payer's browser, to the return URL.
//! Both are made alike.

use http::{Method, StatusCode};
use paycore::channel::{Context, Fault, Notice, Report, Subject, Verified};

use super::config::Account;
use super::decode::Said;
use crate::dialect::form::{Form, Nesting};
use crate::dialect::reply::{plain, same};

pub(super) fn verify(account: &Account, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
    if notice.method() != Method::POST {
        return Err(Fault::Unexpected("a notification is a POST".into()));
    }
    let form = Form::nested(notice.body(), Nesting::Escaped)?;
    account.seal.check(&form, cx.now)?;
    same("merId", form.field("merId"), &account.mer_id)?;
    // Of failures UnionPay does not notify.
    match form.required("respCode")? {
        "00" | "A6" => {}
        other => return Err(Fault::Unexpected(format!("respCode {other:?} in a notification"))),
    }
    let (kind, order_id) = (form.required("txnType")?, form.required("orderId")?);
    let (subject, reference) = match kind {
        "01" | "02" => (Subject::Payment, Some(order_id)),
        "03" => (Subject::Payment, reference(order_id, 'c')),
        "32" => (Subject::Payment, reference(order_id, 'v')),
        "04" => (Subject::Refund, Some(order_id)),
        other => return Err(Fault::Unexpected(format!("txnType {other:?} in a notification"))),
    };
    let reference =
        reference.ok_or_else(|| Fault::Unacceptable(format!("orderId {order_id:?} is not ours")))?;
    let outcome = Said { form: &form, now: cx.now }.moved(kind, None)?;
    let report = Report { subject, reference: reference.to_owned(), outcome };
    Ok(Verified { reports: vec![report], reply: plain(StatusCode::OK, "ok") })
}

/// The payment's reference inside the number of its capture (`c`) or void (`v`).
pub(super) fn reference(order_id: &str, letter: char) -> Option<&str> {
    let at = order_id.len().checked_sub(6)?;
    (order_id.is_ascii() && order_id[at..].starts_with(letter)).then(|| &order_id[..at])
}
