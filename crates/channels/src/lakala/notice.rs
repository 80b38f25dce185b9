//! Notifications of payments. Refunds are not notified.

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use paycore::channel::{Context, Fault, Notice, Report, Subject, Verified};

use super::config::Account;
use super::decode::outcome;
use super::envelope::{Trade, read};
use super::{CNY, UNITS};
use crate::dialect::reply::{amount, plain, same};

pub(super) fn verify(account: &Account, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
    if notice.method() != Method::POST {
        return Err(Fault::Unexpected("a notification is a POST".into()));
    }
    account.notified(notice.headers(), notice.body(), cx.now)?;
    let trade: Trade = read(notice.body())?;
    same("merchant_no", trade.merchant_no.as_deref(), &account.merchant_no)?;
    // The engine binds the reference and the amount.
    let money = amount("total_amount", trade.total_amount.as_deref(), UNITS, CNY)?;
    let outcome = outcome(account, &trade, money)?;
    let reference = trade.out_trade_no.filter(|reference| !reference.is_empty() && money.minor() > 0);
    let reference = reference.ok_or_else(|| Fault::Unexpected("no reference or no amount".into()))?;
    let report = Report { subject: Subject::Payment, reference, outcome };
    let reply = plain(StatusCode::OK, r#"{"code":"SUCCESS","message":"执行成功"}"#);
    Ok(Verified { reports: vec![report], reply })
}

pub(super) fn rejection() -> Response<Bytes> {
    plain(StatusCode::BAD_REQUEST, r#"{"code":"FAIL","message":"通知未被接受"}"#)
}
