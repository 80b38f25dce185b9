//! Notifications of payments, refunds, transfers and shares.

use paycore::channel::{Context, Fault, Notice, Outcome, Report, Subject, Verdict, Verified};

use super::config::Account;
use crate::dialect::reply::same;
use crate::dialect::v3::{
    Announcement, Combined, Given, Moved, Paid, Trade, acknowledgement, read, refund_state, trade_state,
    transfer_state,
};

pub(super) fn verify(account: &Account, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
    let Announcement { event, kind, clear } = account.merchant.identity.notified(notice, cx)?;
    let report = match event.split_once('.') {
        Some(("TRANSACTION", "SUCCESS")) if kind == "profitsharing" => moved(account, &read(&clear)?)?,
        Some(("TRANSACTION", "SUCCESS")) => match read::<Combined>(&clear) {
            Ok(combined) => whole(account, &combined)?,
            Err(_) => payment(account, &read::<Trade>(&clear)?)?,
        },
        Some(("REFUND", status)) => refund(account, &read::<Given>(&clear)?, status)?,
        Some(("MCHTRANSFER", "BILL.FINISHED")) => paid_out(account, &read::<Paid>(&clear)?)?,
        _ => return Err(Fault::Unexpected(format!("event_type {event:?}"))),
    };
    Ok(Verified { reports: vec![report], reply: acknowledgement() })
}

/// The engine binds the reference and the amount.
fn payment(account: &Account, trade: &Trade) -> Result<Report, Fault> {
    same("appid", trade.appid.as_deref(), &account.merchant.appid)?;
    let outcome = trade_state(&account.merchant, trade, &trade.out_trade_no, None, None)?;
    if outcome.verdict != Verdict::Succeeded {
        return Err(Fault::Unexpected(format!("trade_state {:?} in a success", trade.trade_state)));
    }
    report(Subject::Payment, &trade.out_trade_no, outcome)
}

/// A payment with parts.
fn whole(account: &Account, combined: &Combined) -> Result<Report, Fault> {
    let outcome = combined.state(&account.merchant, &combined.combine_out_trade_no, None, None)?;
    if outcome.verdict != Verdict::Succeeded {
        return Err(Fault::Unexpected("a success that is none".into()));
    }
    report(Subject::Payment, &combined.combine_out_trade_no, outcome)
}

fn refund(account: &Account, given: &Given, status: &str) -> Result<Report, Fault> {
    same("mchid", given.mchid.as_deref(), &account.merchant.identity.mchid)?;
    if given.status != status {
        return Err(Fault::Unexpected(format!("refund_status {:?} in REFUND.{status}", given.status)));
    }
    let outcome = refund_state(&account.merchant, given, &given.out_trade_no, &given.out_refund_no, None)?;
    report(Subject::Refund, &given.out_refund_no, outcome)
}

fn paid_out(account: &Account, bill: &Paid) -> Result<Report, Fault> {
    let outcome = transfer_state(&account.merchant, bill, &bill.out_bill_no, None)?;
    if !bill.is_whole() || !matches!(outcome.verdict, Verdict::Succeeded | Verdict::Declined(_)) {
        return Err(Fault::Unexpected(format!("the state {:?} of a finished transfer", bill.state)));
    }
    report(Subject::Transfer, &bill.out_bill_no, outcome)
}

/// A share that arrived, or went back: the same words for both, so that only a query tells which.
fn moved(account: &Account, moved: &Moved) -> Result<Report, Fault> {
    moved.is_of(&account.merchant)?;
    report(Subject::Share, &moved.out_order_no, Outcome::new(Verdict::Pending))
}

fn report(subject: Subject, reference: &str, outcome: Outcome) -> Result<Report, Fault> {
    if reference.is_empty() {
        return Err(Fault::Unexpected("no reference".into()));
    }
    Ok(Report { subject, reference: reference.to_owned(), outcome })
}
