//! What a capability claims, walked from end to end against the simulator.

use std::collections::{BTreeMap, BTreeSet};

use super::stand::{Failure, Stand, Trouble, currency, payment, query, query_refund, refund};
use crate::channel::simulator::BookLine;
use crate::channel::{
    Capability, Capture, CaptureMode, Close, LineKind, Operation, Pay, Refusal, Statement, StatementKind,
    Subject, Totals, Verb, Verdict, Void,
};
use crate::currency::Currency;
use crate::money::Money;
use crate::time::Timestamp;

const TWO_DAYS: u64 = 2 * 86_400;

pub(super) fn pays(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let money = Money::new(12_34, currency(row));
    let pay = stand.paid(row, money)?;
    let truth = stand.says(&query(&pay), &Verdict::Succeeded)?;
    stand.same("the amount of the query", truth.money, Some(money))?;
    stand.ensure(truth.channel_id.as_deref().is_some_and(|id| !id.is_empty()), || {
        "no channel id".to_owned()
    })?;
    stand.books(&[12_34], &[])?;
    let reports = stand.reports()?;
    let expected = stand.notices(row, 1);
    stand.same("notifications", reports.len(), expected)?;
    for report in reports {
        stand.same("subject", report.subject, Subject::Payment)?;
        stand.same("reference", &report.reference, &pay.reference)?;
        stand.same("verdict", report.outcome.verdict, Verdict::Succeeded)?;
        stand.same("amount", report.outcome.money, Some(money))?;
        stand.same("channel id", report.outcome.channel_id, truth.channel_id.clone())?;
    }
    stand.wait(TWO_DAYS);
    let left = stand.due().len();
    stand.same("notifications after the acknowledged one", left, 0)
}

pub(super) fn pays_once(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let pay = stand.paid(row, Money::new(12_34, currency(row)))?;
    let again = stand.perform(&Operation::Pay(pay.clone()));
    if let Ok(outcome) = &again
        && let Verdict::Awaiting(action) = &outcome.verdict
    {
        stand.visit(action)?;
    }
    let denied =
        matches!(&again, Ok(outcome) if matches!(outcome.verdict, Verdict::Declined(_) | Verdict::Closed));
    stand.ensure(!denied, || format!("the second answer denies the payment: {again:?}"))?;
    // Wherever the payer is led, pressing again must not charge again.
    stand.pressed(&pay.reference, "pay")?;
    stand.says(&query(&pay), &Verdict::Succeeded)?;
    stand.books(&[12_34], &[])
}

/// I10: what stands in the provider's book is what was asked for, in every currency, to the minor unit.
pub(super) fn exact_amounts(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let units = stand.profile().units;
    for currency in Currency::all().filter(|currency| row.currencies.contains(*currency)) {
        for minor in [1, 10, 100, 1_234, 100_000, 7_654_321] {
            let money = Money::new(minor, currency);
            if units.to_wire(money).is_err() {
                let pay = stand.pay(row, money)?;
                let refused = stand.perform(&Operation::Pay(pay));
                let refused_for_amount = matches!(refused, Err(Trouble::Refused(Refusal::Amount(_))));
                stand.ensure(refused_for_amount, || format!("{money:?} does not fit but: {refused:?}"))?;
                continue;
            }
            let pay = stand.paid(row, money)?;
            let booked: Vec<Money> =
                stand.lines_of(&pay.reference).into_iter().map(|line| line.money).collect();
            stand.same("booked", booked, vec![money])?;
            let truth = stand.says(&query(&pay), &Verdict::Succeeded)?;
            stand.same("queried", truth.money, Some(money))?;
        }
    }
    Ok(())
}

pub(super) fn cancels(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let pay = stand.pay(row, Money::new(12_34, currency(row)))?;
    let Verdict::Awaiting(_) = stand.start(&pay)? else { return Err(Failure::NotClaimed) };
    stand.press(&pay.reference, "cancel")?;
    let truth = stand.outcome(&query(&pay))?.verdict;
    let unpaid =
        matches!(truth, Verdict::Declined(_) | Verdict::Closed | Verdict::Awaiting(_) | Verdict::Pending);
    stand.ensure(unpaid, || format!("after the payer cancelled: {truth:?}"))?;
    stand.books(&[], &[])
}

pub(super) fn closes(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    claims(row, Verb::Close)?;
    let pay = stand.pay(row, Money::new(12_34, currency(row)))?;
    let waits = matches!(stand.start(&pay)?, Verdict::Awaiting(_));
    let close = Operation::Close(Close { payment: payment(&pay) });
    if !waits {
        // It is paid already: whatever the close answers, it must not be "closed".
        let closed = matches!(stand.perform(&close), Ok(outcome) if outcome.verdict == Verdict::Closed);
        stand.ensure(!closed, || "a paid payment is said to be closed".to_owned())?;
        stand.says(&query(&pay), &Verdict::Succeeded)?;
        return Ok(());
    }
    stand.says(&close, &Verdict::Closed)?;
    stand.pressed(&pay.reference, "pay")?;
    stand.says(&query(&pay), &Verdict::Closed)?;
    stand.books(&[], &[])
}

pub(super) fn captures(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let pay = authorized(stand, row)?;
    let part = Money::new(10_00, pay.money.currency());
    let capture = Operation::Capture(Capture { payment: payment(&pay), money: part });
    let taken = stand.says(&capture, &Verdict::Succeeded)?;
    stand.same("captured", taken.money, Some(part))?;
    stand.books(&[10_00], &[])?;
    stand.says(&capture, &Verdict::Succeeded)?;
    stand.books(&[10_00], &[])?;
    let rest = Capture { payment: payment(&pay), money: Money::new(2_34, part.currency()) };
    let rest = stand.perform(&Operation::Capture(rest));
    let taken = matches!(&rest, Ok(outcome) if outcome.verdict == Verdict::Succeeded);
    stand.ensure(!taken, || "the rest was released but is taken".to_owned())?;
    let voided = stand.perform(&void(&pay));
    let voided = matches!(&voided, Ok(outcome) if outcome.verdict == Verdict::Closed);
    stand.ensure(!voided, || "captured money is voided".to_owned())?;
    stand.says(&query(&pay), &Verdict::Succeeded)?;
    stand.books(&[10_00], &[])
}

pub(super) fn voids(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let pay = authorized(stand, row)?;
    stand.says(&void(&pay), &Verdict::Closed)?;
    stand.says(&void(&pay), &Verdict::Closed)?;
    stand.says(&query(&pay), &Verdict::Closed)?;
    let capture = Capture { payment: payment(&pay), money: pay.money };
    let captured = stand.perform(&Operation::Capture(capture));
    let taken = matches!(&captured, Ok(outcome) if outcome.verdict == Verdict::Succeeded);
    stand.ensure(!taken, || "a voided authorization is captured".to_owned())?;
    stand.books(&[], &[])
}

fn authorized(stand: &mut Stand<'_>, row: &'static Capability) -> Result<Pay, Failure> {
    if !row.captures.contains(&CaptureMode::Manual) {
        return Err(Failure::NotClaimed);
    }
    let mut pay = stand.pay(row, Money::new(12_34, currency(row)))?;
    pay.capture = CaptureMode::Manual;
    if let Verdict::Awaiting(_) = stand.start(&pay)? {
        stand.press(&pay.reference, "pay")?;
    }
    let held = stand.says(&query(&pay), &Verdict::Authorized)?;
    stand.same("authorized", held.money, Some(pay.money))?;
    stand.books(&[], &[])?;
    Ok(pay)
}

fn void(pay: &Pay) -> Operation {
    Operation::Void(Void { payment: payment(pay) })
}

pub(super) fn refunds(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    claims(row, Verb::Refund)?;
    let pay = stand.paid(row, Money::new(10_00, currency(row)))?;
    let first = refund(&pay, stand.reference(), 4_00);
    let second = refund(&pay, stand.reference(), 6_00);
    stand.says(&query_refund(&first), &Verdict::Absent)?;
    let given = stand.says(&Operation::Refund(first.clone()), &Verdict::Succeeded)?;
    stand.ensure(given.money.is_none_or(|money| money == first.money), || format!("{given:?}"))?;
    stand.says(&Operation::Refund(first.clone()), &Verdict::Succeeded)?;
    stand.books(&[10_00], &[4_00])?;
    let truth = stand.says(&query_refund(&first), &Verdict::Succeeded)?;
    stand.same("the amount of the refund query", truth.money, Some(first.money))?;
    let too_much = refund(&pay, stand.reference(), 6_01);
    let refused = stand.outcome(&Operation::Refund(too_much.clone()))?;
    stand.ensure(matches!(refused.verdict, Verdict::Declined(_)), || format!("over-refund: {refused:?}"))?;
    let truth = stand.outcome(&query_refund(&too_much))?.verdict;
    let none = matches!(truth, Verdict::Absent | Verdict::Declined(_));
    stand.ensure(none, || format!("query of the refused refund: {truth:?}"))?;
    stand.says(&Operation::Refund(second.clone()), &Verdict::Succeeded)?;
    stand.books(&[10_00], &[4_00, 6_00])?;
    stand.says(&query_refund(&first), &Verdict::Succeeded)?;
    for report in stand.reports()?.into_iter().filter(|report| report.subject == Subject::Refund) {
        let known = [&first, &second].into_iter().find(|refund| refund.reference == report.reference);
        let fits = known.is_some_and(|refund| report.outcome.money == Some(refund.money));
        stand.ensure(fits, || format!("{report:?} is about no refund of ours"))?;
    }
    Ok(())
}

pub(super) fn unknown_is_absent(stand: &mut Stand<'_>) -> Result<(), Failure> {
    for row in stand.profile().capabilities {
        let money = Money::new(10_00, currency(row));
        let pay = stand.pay(row, money)?;
        stand.says(&query(&pay), &Verdict::Absent)?;
        if row.verbs.contains(&Verb::Refund) {
            let nowhere = refund(&pay, stand.reference(), 1_00);
            stand.says(&query_refund(&nowhere), &Verdict::Absent)?;
            let given = stand.perform(&Operation::Refund(nowhere));
            let given = matches!(given, Ok(outcome) if outcome.verdict == Verdict::Succeeded);
            stand.ensure(!given, || "an unknown payment is refunded".to_owned())?;
        }
    }
    stand.books(&[], &[])
}

/// A simulator that is stopped and started again with the records it reported.
pub(super) fn restored(stand: &mut Stand<'_>, row: &'static Capability) -> Result<(), Failure> {
    let paid = stand.paid(row, Money::new(10_00, currency(row)))?;
    let mut records = BTreeMap::from_iter(stand.simulator.changed());
    let itself = stand.pay(row, Money::new(1_90_00, currency(row)))?;
    stand.start(&itself)?;
    records.extend(stand.simulator.changed());
    let mut ids = BTreeSet::new();
    if row.verbs.contains(&Verb::Refund) {
        let given = refund(&paid, stand.reference(), 4_00);
        stand.says(&Operation::Refund(given.clone()), &Verdict::Succeeded)?;
        ids.extend(stand.outcome(&query_refund(&given))?.channel_id);
    }
    records.extend(stand.simulator.changed());
    let idle = stand.simulator.changed();
    stand.same("records when nothing changed", idle, Vec::new())?;
    restart(stand, &records)?;
    stand.wait(2);
    let notified = stand.reports()?;
    let told = |pay: &Pay| notified.iter().any(|report| report.reference == pay.reference);
    let silent = stand.notices(row, 1) == 0;
    stand
        .ensure(silent || told(&paid) && told(&itself), || format!("notifications are lost: {notified:?}"))?;
    // Once more with a payment as the newest, where it was a refund before.
    let fresh = stand.paid(row, Money::new(10_00, currency(row)))?;
    records.extend(stand.simulator.changed());
    restart(stand, &records)?;
    let last = stand.paid(row, Money::new(10_00, currency(row)))?;
    for (pay, is_new) in [(&paid, false), (&itself, false), (&fresh, true), (&last, true)] {
        let id = stand.says(&query(pay), &Verdict::Succeeded)?.channel_id.unwrap_or_default();
        // A refund may go by the id of its payment; a new payment never by an old id.
        let is_free = ids.insert(id.clone());
        stand.ensure(is_free || !is_new, || format!("the id {id} is given twice"))?;
    }
    Ok(())
}

fn restart(stand: &mut Stand<'_>, records: &BTreeMap<String, String>) -> Result<(), Failure> {
    let before = (stand.simulator.book(), stand.simulator.next_due());
    stand.simulator = stand.fresh_simulator()?;
    for (key, value) in records {
        stand.simulator.restore(key, value);
    }
    let after = (stand.simulator.book(), stand.simulator.next_due());
    stand.same("the book and what is due next", after, before)
}

pub(super) fn statement(stand: &mut Stand<'_>) -> Result<(), Failure> {
    let from = stand.now();
    for row in stand.profile().capabilities {
        let paid = stand.paid(row, Money::new(10_00, currency(row)))?;
        stand.wait(1);
        if row.verbs.contains(&Verb::Refund) {
            let given = refund(&paid, stand.reference(), 4_00);
            stand.says(&Operation::Refund(given), &Verdict::Succeeded)?;
        }
        stand.wait(1);
    }
    let file = stand.simulator.statement(from, stand.now()).ok_or(Failure::NotClaimed)?;
    let (lines, totals) = parsed(stand, &file)?;
    let count = |kind| lines.iter().filter(|line| line.0 == kind).count() as u64;
    let counted = Totals { payments: count(LineKind::Payment), refunds: count(LineKind::Refund) };
    stand.same("totals", totals, counted)?;
    let book = stand.simulator.book().into_iter().map(|line| known(&lines, line));
    let (mut book, mut lines) = (book.collect::<Vec<_>>(), lines);
    book.sort_by_key(|line| format!("{line:?}"));
    lines.sort_by_key(|line| format!("{line:?}"));
    stand.same("the lines", lines, book)?;
    fetched(stand, from)?;
    let empty = stand.simulator.statement(stand.now(), stand.now()).ok_or(Failure::NotClaimed)?;
    let (none, totals) = parsed(stand, &empty)?;
    stand.same("lines of an empty statement", (none.len(), totals), (0, Totals::default()))
}

/// The channel's own way to the file of a day, once the day is over.
fn fetched(stand: &mut Stand<'_>, day: Timestamp) -> Result<(), Failure> {
    let kinds = stand.profile().statements;
    stand.wait(36 * 3_600);
    for kind in kinds {
        let operation = Operation::Statement(Statement { kind: *kind, day });
        let file = stand.fetch(&operation).map_err(|trouble| format!("{kind:?}: {trouble:?}"))?;
        let (lines, _) = parsed(stand, &file)?;
        let booked =
            stand.simulator.book().into_iter().filter(|line| line.at.beijing()[..10] == day.beijing()[..10]);
        let wanted: Vec<BookLine> = booked.collect();
        let found = |line: &BookLine| lines.contains(&known(&lines, line.clone()));
        let missing = wanted.iter().find(|wanted| !found(wanted));
        stand.ensure(missing.is_none(), || format!("{kind:?} of the day lacks {missing:?}"))?;
        if *kind == StatementKind::Trade {
            stand.same("lines of the day", lines.len(), wanted.len())?;
        }
    }
    Ok(())
}

fn row_of(line: BookLine) -> Row {
    let kind = if line.refund.is_some() { LineKind::Refund } else { LineKind::Payment };
    (kind, line.reference, line.money, seconds(line.at))
}

/// The row of a line of the book as a statement has it: some know a refund by its own reference only.
fn known(lines: &[Row], line: BookLine) -> Row {
    let alone = line.refund.clone().map(|reference| row_of(BookLine { reference, ..line.clone() }));
    alone.filter(|row| lines.contains(row)).unwrap_or_else(|| row_of(line))
}

type Row = (LineKind, String, Money, i64);

fn parsed(stand: &Stand<'_>, mut file: &[u8]) -> Result<(Vec<Row>, Totals), Failure> {
    let mut lines = Vec::new();
    let totals = stand
        .channel
        .parse(&mut file, &mut |line| {
            let refund = line.refund_reference.unwrap_or_default();
            let reference = if line.reference.is_empty() { refund } else { line.reference };
            lines.push((line.kind, reference, line.money, seconds(line.at)));
        })
        .map_err(|fault| format!("statement: {fault}"))?;
    Ok((lines, totals))
}

/// Statements often have whole seconds only.
fn seconds(at: Timestamp) -> i64 {
    at.secs()
}

pub(super) fn claims(row: &Capability, verb: Verb) -> Result<(), Failure> {
    if row.verbs.contains(&verb) { Ok(()) } else { Err(Failure::NotClaimed) }
}
