//! Notifications: the panel calls the notify URL, with GET as a rule and with POST in some forks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use paycore::channel::{Context, Fault, Notice, Outcome, Report, Subject, Verdict, Verified};
use paycore::crypto::Scheme;

use super::config::{Account, Keys};
use super::envelope::{fresh, md5_signed};
use super::{CNY, UNITS};
use crate::dialect::form::Form;
use crate::dialect::reply::{amount, beijing, plain, same};

pub(super) fn verify(account: &Account, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
    let query = notice.uri().query().filter(|query| !query.is_empty());
    // One place only: with fields in both, it would not be clear which were signed.
    let form = match (notice.method(), query) {
        (&Method::GET, Some(query)) if notice.body().is_empty() => Form::read(query.as_bytes())?,
        (&Method::POST, None) => Form::read(notice.body())?,
        _ => return Err(Fault::Unexpected("neither a GET with a query nor a POST with a form".into())),
    };
    authentic(account, &form)?;
    same("pid", form.field("pid"), &account.pid)?;
    if let Keys::V2 { .. } = account.keys {
        fresh(form.field("timestamp"), cx.now)?;
    }
    Ok(Verified { reports: vec![report(&form)?], reply: plain(StatusCode::OK, "success") })
}

/// Each version has its own signature, and `sign_type`, which is not signed, cannot choose another.
fn authentic(account: &Account, form: &Form<'_>) -> Result<(), Fault> {
    let text = form.signed_text_of_present(&["sign", "sign_type"]);
    let (sign, sign_type) = (form.field("sign").unwrap_or_default(), form.field("sign_type"));
    let signed = match &account.keys {
        Keys::V1(key) => matches!(sign_type, Some("MD5") | None) && md5_signed(&text, key, sign),
        Keys::V2 { verifier, .. } => {
            let sign = STANDARD.decode(sign).map_err(|_| Fault::Signature)?;
            sign_type == Some("RSA") && verifier.verify(Scheme::RsaSha256, &text, &sign)
        }
    };
    if signed { Ok(()) } else { Err(Fault::Signature) }
}

/// Panels tell of payments only.
fn report(form: &Form<'_>) -> Result<Report, Fault> {
    let status = form.required("trade_status")?;
    if !matches!(status, "TRADE_SUCCESS" | "TRADE_FINISHED") {
        return Err(Fault::Unexpected(format!("trade_status {status:?}")));
    }
    let money = amount("money", form.field("money"), UNITS, CNY)?;
    if !money.is_positive() {
        return Err(Fault::Unexpected(format!("money is {money}")));
    }
    let outcome = Outcome {
        channel_id: Some(form.required("trade_no")?.to_owned()),
        at: beijing("endtime", form.field("endtime"))?,
        ..Outcome::new(Verdict::Succeeded).money(money)
    };
    Ok(Report { subject: Subject::Payment, reference: form.required("out_trade_no")?.to_owned(), outcome })
}
