//! Stage 2 and 5: in what two rows that belong together differ.

use serde::{Deserialize, Serialize};

use super::super::{Class, Kind, Standing};
use super::book::{Book, Entry};
use super::{Clock, Evidence, Group, Policy};
use crate::time::Timestamp;

/// A set of classes that hold for one match.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Differences(u32);

impl Differences {
    /// No difference.
    pub const NONE: Differences = Differences(0);

    /// With one class more.
    #[must_use]
    pub const fn with(self, class: Class) -> Differences {
        Differences(self.0 | 1 << class as u32)
    }

    /// Whether this class is in it.
    pub const fn has(self, class: Class) -> bool {
        self.0 & (1 << class as u32) != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The classes, gravest first.
    pub fn classes(self) -> impl Iterator<Item = Class> {
        Class::ALL.iter().copied().filter(move |class| self.has(*class))
    }

    /// The gravest, which names the match.
    pub fn gravest(self) -> Option<Class> {
        self.classes().next()
    }

    /// Whether somebody has to do something about it: not for what is only remarked.
    pub fn is_break(self) -> bool {
        self.classes().any(Class::is_break)
    }
}

/// What two rows differ in, however they were found to belong together.
pub fn compare(
    ours: &Entry<'_>,
    theirs: &Entry<'_>,
    evidence: Evidence,
    clock: &Clock,
    policy: &Policy,
) -> Differences {
    let mut found = Differences::NONE;
    if ours.money.currency() != theirs.money.currency() {
        found = found.with(Class::Currency);
    } else {
        found = amounts(found, ours, theirs, policy);
    }
    if (ours.standing == Standing::Done) != (theirs.standing == Standing::Done) {
        found = found.with(Class::Status);
    }
    if day(theirs.at.micros() - clock.offset, policy) != day(ours.at.micros(), policy) {
        found = found.with(Class::CrossDay);
    }
    match evidence {
        Evidence::ChannelId | Evidence::Reference => found,
        _ => found.with(Class::LostReference),
    }
}

fn amounts(mut found: Differences, ours: &Entry<'_>, theirs: &Entry<'_>, policy: &Policy) -> Differences {
    let tolerance = policy.tolerance(ours.money.minor());
    let rounding = |gap: u64, class| if gap <= tolerance { Class::Rounding } else { class };
    let gap = ours.money.minor().abs_diff(theirs.money.minor());
    if gap > 0 {
        let class = if ours.kind == Kind::Refund { Class::RefundMismatch } else { Class::Amount };
        found = found.with(rounding(gap, class));
    }
    if let (Some(expected), Some(taken)) = (ours.fee, theirs.fee) {
        let gap = expected.abs_diff(taken);
        if gap > 0 {
            found = found.with(rounding(gap, Class::Fee));
        }
    }
    found
}

/// What a group differs in besides being one: its amounts agree already.
pub(super) fn group(books: [&Book; 2], group: &Group, clock: &Clock, policy: &Policy) -> Differences {
    let class = if group.ours.len() == 1 { Class::Split } else { Class::Merged };
    let mut found = Differences::NONE.with(class);
    let fees = |side: usize, rows: &[u32]| -> Option<i128> {
        rows.iter().map(|row| books[side].fee(*row).map(i128::from)).sum()
    };
    if let (Some(expected), Some(taken)) = (fees(0, &group.ours), fees(1, &group.theirs)) {
        // Every part is rounded by itself, by half a unit at most, and so is the whole.
        let parts = group.ours.len().max(group.theirs.len()) as u128;
        match expected.abs_diff(taken) {
            0 => {}
            gap if gap <= parts.div_ceil(2) => found = found.with(Class::Rounding),
            _ => found = found.with(Class::Fee),
        }
    }
    let done = |side: usize, rows: &[u32]| {
        rows.iter().all(|row| books[side].standing(*row) == Standing::Done)
    };
    if done(0, &group.ours) != done(1, &group.theirs) {
        found = found.with(Class::Status);
    }
    let days = |side: usize, rows: &[u32], offset: i64| {
        let mut days: Vec<i64> = rows.iter().map(|row| day(books[side].at(*row) - offset, policy)).collect();
        days.sort_unstable();
        days.dedup();
        days
    };
    if days(0, &group.ours, 0) != days(1, &group.theirs, clock.offset) {
        found = found.with(Class::CrossDay);
    }
    found
}

/// The channel's calendar day of an instant, as a number.
fn day(micros: i64, policy: &Policy) -> i64 {
    (micros + i64::from(policy.utc_offset) * 1_000_000).div_euclid(86_400 * 1_000_000)
}

/// The first instant of the channel's day that an instant is in.
pub fn start_of_day(at: Timestamp, utc_offset: i32) -> Timestamp {
    let policy = Policy { utc_offset, ..Policy::default() };
    Timestamp::from_micros((day(at.micros(), &policy) * 86_400 - i64::from(utc_offset)) * 1_000_000)
}
