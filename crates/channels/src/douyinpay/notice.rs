//! Notifications of payments and refunds.

use paycore::channel::{Context, Fault, Notice, Outcome, Report, Subject, Verdict, Verified};

use super::config::Account;
use super::decode::{refund_state, state};
use super::envelope::{Given, Trade};
use crate::dialect::reply::same;
use crate::dialect::v3::{Announcement, acknowledgement, read};

pub(super) fn verify(account: &Account, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
    let Announcement { event, clear, .. } = account.identity.notified(notice, cx)?;
    let report = match event.split_once('.') {
        Some(("TRANSACTION", "SUCCESS")) => payment(account, &read::<Trade>(&clear)?)?,
        Some(("REFUND", status)) => refund(account, &read::<Given>(&clear)?, status)?,
        _ => return Err(Fault::Unexpected(format!("event_type {event:?}"))),
    };
    Ok(Verified { reports: vec![report], reply: acknowledgement() })
}

/// The engine binds the reference and the amount.
fn payment(account: &Account, trade: &Trade) -> Result<Report, Fault> {
    same("appid", trade.appid.as_deref(), &account.appid)?;
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
