//! Notifications: signed headers around a sealed resource.

use http::{Method, StatusCode};
use paycore::channel::{Context, Fault, Notice, Outcome, Report, Subject, Verdict, Verified};
use serde::Deserialize;

use super::config::Account;
use super::decode::{refund_state, state};
use super::envelope::{Given, Trade, read};
use crate::dialect::reply::same;
use crate::dialect::v3::Sealed;

#[derive(Deserialize)]
struct Envelope {
    event_type: String,
    resource_type: String,
    resource: Sealed,
}

pub(super) fn verify(account: &Account, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
    if notice.method() != Method::POST {
        return Err(Fault::Unexpected("a notification is a POST".into()));
    }
    account.identity.verify(notice.headers(), notice.body(), cx.now)?;
    let envelope: Envelope = read(notice.body())?;
    if envelope.resource_type != "encrypt-resource" {
        return Err(Fault::Unexpected(format!("resource_type {:?}", envelope.resource_type)));
    }
    let clear = account.identity.open(&envelope.resource)?;
    let report = match envelope.event_type.split_once('.') {
        Some(("TRANSACTION", "SUCCESS")) => payment(account, &read::<Trade>(&clear)?)?,
        Some(("REFUND", status)) => refund(account, &read::<Given>(&clear)?, status)?,
        _ => return Err(Fault::Unexpected(format!("event_type {:?}", envelope.event_type))),
    };
    let mut reply = http::Response::new(bytes::Bytes::new());
    *reply.status_mut() = StatusCode::NO_CONTENT;
    Ok(Verified { reports: vec![report], reply })
}

fn payment(account: &Account, trade: &Trade) -> Result<Report, Fault> {
    same("appid", trade.appid.as_deref(), &account.appid)?;
    // The engine binds the reference and the amount.
    let outcome = state(account, trade, &trade.out_trade_no, None, None)?;
    if outcome.verdict != Verdict::Succeeded {
        return Err(Fault::Unexpected(format!("trade_state {:?} in a success", trade.trade_state)));
    }
    report(Subject::Payment, &trade.out_trade_no, outcome)
}

fn refund(account: &Account, given: &Given, status: &str) -> Result<Report, Fault> {
    same("mchid", given.mchid.as_deref(), &account.identity.mchid)?;
    if given.status != status {
        return Err(Fault::Unexpected(format!("refund_status {:?} in REFUND.{status}", given.status)));
    }
    let outcome = refund_state(account, given, &given.out_trade_no, &given.out_refund_no, None)?;
    report(Subject::Refund, &given.out_refund_no, outcome)
}

fn report(subject: Subject, reference: &str, outcome: Outcome) -> Result<Report, Fault> {
    if reference.is_empty() {
        return Err(Fault::Unexpected("no reference".into()));
    }
    Ok(Report { subject, reference: reference.to_owned(), outcome })
}
