//! Notifications of transactions: a form that the platform posts to the notify URL.

use http::{Method, StatusCode};
use paycore::channel::{Fault, Notice, Outcome, Report, Subject, Verdict, Verified};

use super::config::Account;
use super::{CNY, UNITS};
use crate::dialect::form::Form;
use crate::dialect::reply::{amount, beijing_compact, plain, same};

/// Kinds of transactions (`trxcode`) that give money back; those that end in 2 revoke a payment of the same day.
const REFUNDS: &[&str] = &["VSP503", "VSP507", "VSP513", "VSP543", "VSP553"];
const REVOCATIONS: &[&str] = &["VSP502", "VSP506", "VSP512", "VSP542", "VSP552"];

pub(super) fn verify(account: &Account, notice: &Notice) -> Result<Verified, Fault> {
    if notice.method() != Method::POST {
        return Err(Fault::Unexpected("a notification is a POST".into()));
    }
    let form = Form::read(notice.body())?;
    let text = String::from_utf8(form.signed_text_of_present(&["sign"])).map_err(|_| Fault::Signature)?;
    if !account.verifies(&text, form.field("sign").unwrap_or_default()) {
        return Err(Fault::Signature);
    }
    same("cusid", form.field("cusid"), &account.cusid)?;
    same("appid", form.field("appid"), &account.appid)?;
    same("trxstatus", form.field("trxstatus"), "0000")?;
    let kind = form.required("trxcode")?;
    if REVOCATIONS.contains(&kind) {
        return Err(Fault::Unexpected(format!("trxcode {kind}")));
    }
    let subject = if REFUNDS.contains(&kind) { Subject::Refund } else { Subject::Payment };
    // `initamt` is what was asked for; what was paid may be less by the wallet's discount.
    let asked = form.field("initamt").filter(|text| !text.is_empty() && subject == Subject::Payment);
    let money = amount("initamt", asked.or(form.field("trxamt")), UNITS, CNY)?;
    if !money.is_positive() {
        return Err(Fault::Unexpected(format!("the amount is {money}")));
    }
    let channel_id = (subject == Subject::Payment).then(|| form.required("trxid")).transpose()?;
    let outcome = Outcome {
        channel_id: channel_id.map(str::to_owned),
        at: beijing_compact("paytime", form.field("paytime"))?,
        ..Outcome::new(Verdict::Succeeded).money(money)
    };
    let reference = form.required("cusorderid")?.to_owned();
    let reports = vec![Report { subject, reference, outcome }];
    Ok(Verified { reports, reply: plain(StatusCode::OK, "success") })
}
