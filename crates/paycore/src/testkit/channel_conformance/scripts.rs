//! The scripted outcomes that every simulator offers by the amount, in minor units modulo 10,000.

use super::stand::{Failure, Stand, Trouble, currency, payment, query, query_refund, refund};
use super::walks::claims;
use crate::channel::{
    Capability, Close, DeclineReason, Fault, Operation, Pay, Report, Subject, Verb, Verdict,
};
use crate::money::Money;

const TWO_DAYS: u64 = 2 * 86_400;

fn scripted(stand: &mut Stand<'_>, row: &Capability, script: i64) -> Result<Pay, Failure> {
    stand.pay(row, Money::new(10_000 + script, currency(row)))
}

/// Starts a scripted payment and lets the payer pay it.
fn paid(stand: &mut Stand<'_>, row: &Capability, script: i64) -> Result<Pay, Failure> {
    stand.paid(row, Money::new(10_000 + script, currency(row)))
}

fn told(reports: &[Report], pay: &Pay) -> usize {
    let about =
        |report: &&Report| report.subject == Subject::Payment && report.outcome.verdict == Verdict::Succeeded;
    reports.iter().filter(about).filter(|report| report.reference == pay.reference).count()
}

/// As many notifications as there should be, where the channel notifies of such payments.
fn notified(stand: &mut Stand<'_>, row: &Capability, (told, count): (usize, usize)) -> Result<(), Failure> {
    let expected = stand.notices(row, count);
    stand.same("notifications", told, expected)
}

/// Succeeded at the provider, and once.
fn settled(stand: &mut Stand<'_>, pay: &Pay) -> Result<(), Failure> {
    stand.says(&query(pay), &Verdict::Succeeded)?;
    let booked: Vec<Money> = stand.lines_of(&pay.reference).into_iter().map(|line| line.money).collect();
    stand.same("booked", booked, vec![pay.money])
}

pub(super) fn pays_itself(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let pay = scripted(stand, row, 9000)?;
    stand.start(&pay)?;
    stand.wait(1);
    settled(stand, &pay)?;
    let reports = stand.reports()?;
    notified(stand, row, (told(&reports, &pay), 1))
}

pub(super) fn declines(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let pay = scripted(stand, row, 9001)?;
    let answer = stand.start(&pay)?;
    let waits = matches!(answer, Verdict::Awaiting(_));
    if waits {
        let page = stand.pressed(&pay.reference, "pay")?;
        stand
            .ensure(page < 500 && page != 404, || format!("the page of a declined payment answers {page}"))?;
    } else {
        declined(stand, &answer)?;
    }
    let truth = stand.outcome(&query(&pay))?.verdict;
    // A provider may let the payer of a waiting payment try again.
    match &truth {
        Verdict::Awaiting(_) | Verdict::Pending | Verdict::Closed if waits => {}
        // Nor does every provider keep a trace of what it declined at once.
        Verdict::Closed | Verdict::Absent if !waits => {}
        verdict => declined(stand, verdict)?,
    }
    stand.books(&[], &[])
}

fn declined(stand: &mut Stand<'_>, verdict: &Verdict) -> Result<(), Failure> {
    let fits =
        matches!(verdict, Verdict::Declined(decline) if decline.reason == DeclineReason::InsufficientFunds);
    stand.ensure(fits, || format!("{verdict:?} instead of declined for insufficient funds"))
}

pub(super) fn pending(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let pay = paid(stand, row, 9002)?;
    for _ in 0..2 {
        let truth = stand.outcome(&query(&pay))?.verdict;
        let open = matches!(truth, Verdict::Pending | Verdict::Awaiting(_));
        stand.ensure(open, || format!("in progress, yet {truth:?}"))?;
        stand.books(&[], &[])?;
        stand.wait(14);
    }
    stand.wait(2);
    settled(stand, &pay)?;
    let reports = stand.reports()?;
    notified(stand, row, (told(&reports, &pay), 1))
}

pub(super) fn timeout(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let pay = scripted(stand, row, 9003)?;
    let answer = stand.perform(&Operation::Pay(pay.clone()));
    let silent = match &answer {
        Err(Trouble::Fault(Fault::Transport(_))) => true,
        // No call of ours is answered or not: the payer's browser makes the first.
        Ok(outcome) => match &outcome.verdict {
            Verdict::Awaiting(action) => stand.visit(action)?.is_none(),
            _ => false,
        },
        Err(_) => false,
    };
    stand.ensure(silent, || format!("the simulator answers: {answer:?}"))?;
    settled(stand, &pay)?;
    // The same reference again, as after a crash, changes nothing.
    if let Ok(outcome) = stand.perform(&Operation::Pay(pay.clone()))
        && let Verdict::Awaiting(action) = &outcome.verdict
    {
        stand.visit(action)?;
    }
    settled(stand, &pay)
}

pub(super) fn three_notices(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let pay = paid(stand, row, 9004)?;
    settled(stand, &pay)?;
    let reports = stand.reports()?;
    notified(stand, row, (told(&reports, &pay), 3))?;
    let equal = reports.windows(2).all(|pair| pair[0] == pair[1]);
    stand.ensure(equal, || format!("they differ: {reports:?}"))
}

pub(super) fn late_notice(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let pay = paid(stand, row, 9005)?;
    settled(stand, &pay)?;
    stand.wait(3_599);
    let early = stand.reports()?;
    stand.same("notifications within the hour", early.len(), 0)?;
    stand.wait(1);
    let reports = stand.reports()?;
    notified(stand, row, (told(&reports, &pay), 1))
}

pub(super) fn paid_after_close(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    claims(row, Verb::Close)?;
    let pay = scripted(stand, row, 9006)?;
    let Verdict::Awaiting(_) = stand.start(&pay)? else { return Err(Failure::NotClaimed) };
    let close = Close { payment: payment(&pay) };
    stand.says(&Operation::Close(close), &Verdict::Closed)?;
    stand.wait(4);
    stand.says(&query(&pay), &Verdict::Closed)?;
    stand.books(&[], &[])?;
    stand.wait(1);
    settled(stand, &pay)?;
    let reports = stand.reports()?;
    notified(stand, row, (told(&reports, &pay), 1))
}

pub(super) fn first_unknown(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let pay = scripted(stand, row, 9007)?;
    let mut answer = stand.perform(&Operation::Pay(pay.clone()));
    let mut waits = false;
    if let Ok(outcome) = &answer {
        // The first call is the browser's: its page says so, and a second visit works.
        let Verdict::Awaiting(action) = outcome.verdict.clone() else {
            return Err(Failure::Broken(format!("the first answer is {outcome:?}")));
        };
        stand.visit(&action)?;
        waits = true;
    }
    if !waits {
        let unknown = matches!(&answer, Err(Trouble::Fault(_)));
        stand.ensure(unknown, || format!("the first answer is {answer:?}"))?;
        let truth = stand.outcome(&query(&pay))?.verdict;
        let executed = matches!(truth, Verdict::Succeeded | Verdict::Awaiting(_) | Verdict::Pending);
        stand.ensure(executed, || format!("executed, but the query says {truth:?}"))?;
        answer = stand.perform(&Operation::Pay(pay.clone()));
        waits = matches!(&answer, Ok(outcome) if matches!(outcome.verdict, Verdict::Awaiting(_)));
    }
    if waits {
        stand.press(&pay.reference, "pay")?;
    }
    settled(stand, &pay)
}

pub(super) fn no_notice(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let pay = paid(stand, row, 9008)?;
    settled(stand, &pay)?;
    for _ in 0..4 {
        let reports = stand.reports()?;
        stand.same("notifications", told(&reports, &pay), 0)?;
        stand.wait(TWO_DAYS / 4);
    }
    Ok(())
}

pub(super) fn refund_unknown(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    claims(row, Verb::Refund)?;
    let pay = paid(stand, row, 9009)?;
    let given = refund(&pay, stand.reference(), 10_00);
    let answer = stand.perform(&Operation::Refund(given.clone()));
    stand.ensure(matches!(&answer, Err(Trouble::Fault(_))), || format!("the answer is {answer:?}"))?;
    let truth = stand.says(&query_refund(&given), &Verdict::Succeeded)?;
    stand.same("refunded", truth.money, Some(given.money))?;
    stand.books(&[pay.money.minor()], &[10_00])?;
    stand.says(&Operation::Refund(given), &Verdict::Succeeded)?;
    stand.books(&[pay.money.minor()], &[10_00])
}

pub(super) fn refund_refused(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    claims(row, Verb::Refund)?;
    let pay = paid(stand, row, 9010)?;
    let refused = refund(&pay, stand.reference(), 10_00);
    let answer = stand.outcome(&Operation::Refund(refused.clone()))?.verdict;
    stand.ensure(matches!(answer, Verdict::Declined(_)), || format!("the answer is {answer:?}"))?;
    let truth = stand.outcome(&query_refund(&refused))?.verdict;
    let none = matches!(truth, Verdict::Declined(_) | Verdict::Absent);
    stand.ensure(none, || format!("the query says {truth:?}"))?;
    stand.books(&[pay.money.minor()], &[])
}
