//! Notifications of payments and refunds: a form that the bank posts to the notify URL, signed like a reply.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use paycore::channel::{Fault, Notice, Report, Subject, Verified};
use paycore::crypto::Scheme;
use serde_json::json;

use super::super::notice::form;
use super::super::{CNY, UNITS};
use super::config::Account;
use super::decode::{ours, payment, refund_outcome};
use super::encode::signature;
use super::envelope::content;
use crate::dialect::reply::amount;

pub(super) fn verify(account: &Account, notice: &Notice) -> Result<Verified, Fault> {
    let form = form(notice)?;
    let signature = STANDARD.decode(form.field("sign").unwrap_or_default()).map_err(|_| Fault::Signature)?;
    if !account.verifier.verify(Scheme::Sm2Sm3Der, &form.signed_text(&["sign"]), &signature) {
        return Err(Fault::Signature);
    }
    let content = content(form.required("biz_content")?)?;
    let reference = content.order_id.clone().filter(|id| !id.is_empty());
    let reference = reference.ok_or_else(|| Fault::Unexpected("no orderId".into()))?;
    ours(account, &content, &reference)?;
    let report = if content.refund_amt.is_some() {
        let money = amount("refundAmt", content.refund_amt.as_deref(), UNITS, CNY)?;
        Report { subject: Subject::Refund, outcome: refund_outcome(&content, money)?, reference }
    } else {
        let money = amount("txnAmt", content.txn_amt.as_deref(), UNITS, CNY)?;
        Report { subject: Subject::Payment, outcome: payment(&content, money)?, reference }
    };
    Ok(Verified { reports: vec![report], reply: answer(account, "SUCCESS") })
}

/// The signed answer to a notification; anything but twice SUCCESS lets the bank send it again.
pub(super) fn answer(account: &Account, word: &str) -> Response<Bytes> {
    let fields = [
        ("encoding", "UTF-8"),
        ("respCode", word),
        ("returnCode", "SUCCESS"),
        ("signMethod", "02"),
        ("version", "0.0.1"),
    ];
    let mut body: serde_json::Map<_, _> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    // A key that signed at opening signs here too; without a signature the bank would only ask again.
    body.insert("sign".to_owned(), json!(signature(account, &fields).unwrap_or_default()));
    let mut response = Response::new(Bytes::from(serde_json::Value::Object(body).to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
