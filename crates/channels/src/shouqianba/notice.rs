//! Notifications of payments.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{Method, StatusCode};
use paycore::channel::{Fault, Notice, Report, Subject, Verified};
use paycore::crypto::Scheme;

use super::config::Account;
use super::decode::outcome;
use super::envelope::{Order, read};
use super::{CNY, UNITS};
use crate::dialect::reply::{amount, plain, same};
use crate::dialect::v3::once;

/// The signature is over the body alone, without a time: a notification that is sent again is the same as before.
pub(super) fn verify(account: &Account, notice: &Notice) -> Result<Verified, Fault> {
    let key = account.public_key.as_ref().ok_or(Fault::Unsupported)?;
    if notice.method() != Method::POST {
        return Err(Fault::Unexpected("a notification is a POST".into()));
    }
    let header = once(notice.headers(), AUTHORIZATION.as_str())?;
    // Both are described: the signature alone, and the terminal's number before it.
    let signature = match header.split_once(' ') {
        Some((terminal, signature)) if terminal == account.terminal_sn => signature,
        Some(_) => return Err(Fault::Signature),
        None => header,
    };
    let signature = STANDARD.decode(signature).map_err(|_| Fault::Signature)?;
    if !key.verify(Scheme::RsaSha256, notice.body(), &signature) {
        return Err(Fault::Signature);
    }
    let order: Order = read(notice.body())?;
    same("terminal_sn", order.terminal_sn.as_deref(), &account.terminal_sn)?;
    // The engine binds the reference and the amount.
    let money = amount("total_amount", Some(&order.total_amount), UNITS, CNY)?;
    if order.client_sn.is_empty() || money.minor() <= 0 {
        return Err(Fault::Unexpected("no reference or no amount".into()));
    }
    let outcome = outcome(&order, money, None, None)?;
    let report = Report { subject: Subject::Payment, reference: order.client_sn, outcome };
    Ok(Verified { reports: vec![report], reply: plain(StatusCode::OK, "success") })
}
