//! What follows from a comparison: which rows go to the pool, under what identity, what is put on suspense, and what is
//! proposed.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::matching::{Alone, Book, Differences, Matching};
use super::pool::{Break, Facts, Suspended};
use super::run::{BANK, ClassCount, Net, Summary};
use super::{BreakStatus, Class, Kind, Standing};
use crate::currency::Currency;
use crate::event::{Booking, Movement, Part};
use crate::money::Money;
use crate::time::Timestamp;

/// How long a row of ours may wait for its line: the file of the next day may name it.
pub const GRACE: Duration = Duration::from_secs(2 * 86_400);
/// The pool is looked at again so often.
pub const AGAIN: Duration = Duration::from_secs(86_400);
/// A file that is not there yet is asked for again so often.
pub const FILE_AGAIN: Duration = Duration::from_secs(3_600);

/// Rows that go to the pool together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In what they differ.
    pub differences: Differences,
    /// Indices of ours.
    pub ours: Vec<u32>,
    /// Indices of theirs.
    pub theirs: Vec<u32>,
    /// Index in the other book of what may belong to it.
    pub candidate: Option<u32>,
}

/// Everything that somebody has to act on, in the order of the result.
pub fn findings(found: &Matching) -> Vec<Finding> {
    let pairs = found.pairs.iter().filter(|pair| pair.differences.is_break()).map(|pair| Finding {
        differences: pair.differences,
        ours: vec![pair.ours],
        theirs: vec![pair.theirs],
        candidate: None,
    });
    let groups = found.groups.iter().filter(|group| group.differences.is_break()).map(|group| Finding {
        differences: group.differences,
        ours: group.ours.clone(),
        theirs: group.theirs.clone(),
        candidate: None,
    });
    let alone = |alone: &Alone, is_ours: bool| {
        let (own, none) = (vec![alone.row], Vec::new());
        let (ours, theirs) = if is_ours { (own, none) } else { (none, own) };
        let differences = Differences::NONE.with(alone.class);
        Finding { differences, ours, theirs, candidate: alone.candidate }
    };
    let ours = found.ours_only.iter().map(|row| alone(row, true));
    let theirs = found.theirs_only.iter().map(|row| alone(row, false));
    pairs.chain(groups).chain(ours).chain(theirs).collect()
}

/// The counts of a run. Rows that are matched and rows in breaks make up each side.
pub fn summary(ours: &Book, theirs: &Book, found: &Matching, findings: &[Finding]) -> Summary {
    let broken = |side: fn(&Finding) -> usize| findings.iter().map(side).sum::<usize>() as u64;
    let (ours_broken, theirs_broken) =
        (broken(|finding| finding.ours.len()), broken(|finding| finding.theirs.len()));
    let (all_ours, all_theirs) = (ours.len() as u64, theirs.len() as u64);
    let sets = (found.pairs.iter().map(|pair| pair.differences))
        .chain(found.groups.iter().map(|group| group.differences))
        .chain(
            found.ours_only.iter().chain(&found.theirs_only).map(|alone| Differences::NONE.with(alone.class)),
        );
    let mut counts: BTreeMap<Class, u64> = BTreeMap::new();
    for class in sets.flat_map(|set| set.classes()) {
        *counts.entry(class).or_default() += 1;
    }
    Summary {
        ours: all_ours,
        theirs: all_theirs,
        ours_matched: all_ours - ours_broken,
        theirs_matched: all_theirs - theirs_broken,
        ours_broken,
        theirs_broken,
        classes: counts.into_iter().map(|(class, count)| ClassCount { class, count }).collect(),
        nets: nets(theirs),
        clock_offset: found.clock.offset / 1_000_000,
        explained: 0,
    }
}

/// What the lines come to, by currency.
pub fn nets(theirs: &Book) -> Vec<Net> {
    let mut sums: BTreeMap<Currency, [i64; 3]> = BTreeMap::new();
    for index in 0..u32::try_from(theirs.len()).unwrap_or(u32::MAX) {
        let line = theirs.entry(index);
        if line.standing != Standing::Done {
            continue;
        }
        let sums = sums.entry(line.money.currency()).or_default();
        let side = usize::from(line.kind != Kind::Payment);
        sums[side] = sums[side].saturating_add(line.money.minor());
        sums[2] = sums[2].saturating_add(line.fee.unwrap_or(0));
    }
    let net = |(currency, [payments, refunds, fees]): (Currency, [i64; 3])| Net {
        money: Money::new(payments.saturating_sub(refunds).saturating_sub(fees), currency),
        payments,
        refunds,
        fees,
        deposit: None,
    };
    sums.into_iter().map(net).collect()
}

/// What makes a break the same when it is found again: the pool and the rows themselves. `copy` tells lines apart
/// that hold exactly the same.
pub fn identity(pool: &str, ours: Option<&Facts>, theirs: Option<&Facts>, copy: u32) -> String {
    let own = ours.map(|facts| facts.object_id.clone());
    let line = theirs.map(|facts| {
        serde_json::json!([
            facts.kind,
            facts.channel_id,
            facts.reference,
            facts.number,
            facts.money,
            facts.at
        ])
    });
    let text = serde_json::json!([pool, own, line, copy]).to_string();
    crate::merchant::rules::hex(&Sha256::digest(text))
}

/// In which state a break begins, and how long it has before it is open. A row of ours may be in tomorrow's file; where
/// only the states differ the channel is asked first; everything else is open at once.
pub fn beginning(differences: Differences) -> (BreakStatus, Duration) {
    match differences.gravest() {
        Some(Class::OursOnly) => (BreakStatus::Pending, GRACE),
        Some(Class::Status) => (BreakStatus::Pending, Duration::ZERO),
        _ => (BreakStatus::Open, AGAIN),
    }
}

/// Whether the channel may be asked without a person: only where one side says that the money moved and the other does
/// not. Nothing else is ever done automatically but suspense.
pub fn may_ask(found: &Break) -> bool {
    found.differences.has(Class::Status)
        && found.ours.as_ref().is_some_and(|ours| ours.kind == Kind::Payment && ours.object_id.is_some())
}

/// What a break that is open puts on suspense: what the channel's side comes to less ours. Fees are claimed from the
/// channel, not suspended.
pub fn suspended(found: &Break) -> Option<Suspended> {
    let effect = |facts: &Option<Facts>| facts.as_ref().map_or(0, Facts::effect);
    let one_sided = [Class::Duplicate, Class::TheirsOnly, Class::ChargebackUnseen, Class::OursOnly];
    let counts = one_sided.into_iter().chain([Class::Status, Class::Amount, Class::RefundMismatch]);
    if !counts.into_iter().any(|class| found.differences.has(class)) || found.differences.has(Class::Currency)
    {
        return None;
    }
    let money = found.theirs.as_ref().or(found.ours.as_ref())?.money;
    let gap = effect(&found.theirs).checked_sub(effect(&found.ours))?;
    let amount = gap.checked_abs().filter(|amount| *amount > 0)?;
    Some(Suspended { is_long: gap > 0, money: Money::new(amount, money.currency()) })
}

/// What is booked about money on suspense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspense {
    /// It is put there.
    Put,
    /// It goes back where it came from.
    Release,
}

/// The booking of it: against the bank account where a bank's statement was compared, otherwise against what the channel
/// owes.
pub fn suspense(channel: &str, on: Suspended, what: Suspense) -> Booking {
    let movement = match (channel == BANK, what, on.is_long) {
        (false, Suspense::Put, true) => Movement::SuspenseLong,
        (false, Suspense::Put, false) => Movement::SuspenseShort,
        (false, Suspense::Release, true) => Movement::SuspenseLongReleased,
        (false, Suspense::Release, false) => Movement::SuspenseShortReleased,
        (true, Suspense::Put, true) => Movement::BankSuspenseLong,
        (true, Suspense::Put, false) => Movement::BankSuspenseShort,
        (true, Suspense::Release, true) => Movement::BankSuspenseLongReleased,
        (true, Suspense::Release, false) => Movement::BankSuspenseShortReleased,
    };
    // The bank account that payouts leave from.
    Booking::new(movement, Part::Gross, on.money).channel(channel).party("main")
}

/// How old a break is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Age {
    /// Today or yesterday.
    #[serde(rename = "0-1")]
    Day,
    /// Two or three days.
    #[serde(rename = "2-3")]
    Days,
    /// Within a week.
    #[serde(rename = "4-7")]
    Week,
    /// Within a month.
    #[serde(rename = "8-30")]
    Month,
    /// Older.
    #[serde(rename = "30+")]
    Older,
}

impl Age {
    /// Of a break that was found then.
    pub fn of(found_at: Timestamp, now: Timestamp) -> (u64, Age) {
        let days = now.since(found_at).as_secs() / 86_400;
        let age = match days {
            0..=1 => Age::Day,
            2..=3 => Age::Days,
            4..=7 => Age::Week,
            8..=30 => Age::Month,
            _ => Age::Older,
        };
        (days, age)
    }
}

/// What to do about a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Wait for the next file.
    Wait,
    /// Ask the channel what became of it; our books follow the answer.
    AskChannel,
    /// Find out whose it is; until then it stays on suspense.
    FindOwner,
    /// Ask the channel for the missing money.
    ClaimFromChannel,
    /// Have the channel put its second charge right.
    ReportDuplicate,
    /// Compare the contract and claim the fee, or correct what we expect.
    CheckFee,
    /// Take the chargeback in as a dispute.
    OpenDispute,
    /// Find out from the bank who sent it.
    AskBank,
    /// A person has to look at it.
    Look,
    /// Nothing: it is resolved.
    Nothing,
}

/// What is proposed for a break.
pub fn remedy(found: &Break) -> Remedy {
    match (found.status, found.class) {
        (BreakStatus::Resolved, _) => Remedy::Nothing,
        (BreakStatus::Pending, Class::OursOnly) => Remedy::Wait,
        (_, Class::Status) => Remedy::AskChannel,
        (_, Class::TheirsOnly) => Remedy::FindOwner,
        (_, Class::OursOnly | Class::Amount | Class::RefundMismatch | Class::BankMissing) => {
            Remedy::ClaimFromChannel
        }
        (_, Class::Duplicate) => Remedy::ReportDuplicate,
        (_, Class::Fee) => Remedy::CheckFee,
        (_, Class::ChargebackUnseen) => Remedy::OpenDispute,
        (_, Class::BankOnly) => Remedy::AskBank,
        _ => Remedy::Look,
    }
}
