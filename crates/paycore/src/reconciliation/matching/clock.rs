//! How far the two sides' clocks are apart, learnt from pairs that share a reference.

use super::Desk;
use super::book::NONE;

/// A quarter of an hour in microseconds: time zones differ by whole ones.
const QUARTER: i64 = 15 * 60 * 1_000_000;
const SECOND: i64 = 1_000_000;
/// Fewer pairs than this teach nothing.
const PAIRS_MIN: usize = 20;
/// As many are looked at.
const PAIRS_MAX: usize = 100_000;

/// What was learnt. All in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// By how much their times are later than ours for the whole file; a whole number of quarters of an hour. Not zero
    /// where the file was written in another time zone than its format says.
    pub offset: i64,
    /// What nine of ten pairs differ by at most, the offset apart: differences below it say nothing.
    pub noise: i64,
    /// What 99 of 100 pairs differ by at most: further apart two rows are not taken for one without a reference.
    pub spread: i64,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { offset: 0, noise: 30 * SECOND, spread: 5 * 60 * SECOND }
    }
}

impl Clock {
    /// From the pairs so far.
    pub(super) fn learn(desk: &Desk<'_>) -> Clock {
        let mut gaps: Vec<i64> = gaps(desk);
        if gaps.len() < PAIRS_MIN {
            return Clock::default();
        }
        let middle = gaps.len() / 2;
        let median = *gaps.select_nth_unstable(middle).1;
        let offset = (median + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
        gaps.iter_mut().for_each(|gap| *gap = (*gap - offset).abs());
        gaps.sort_unstable();
        let at = |share: usize| gaps[(gaps.len() - 1) * share / 100];
        let noise = at(90).clamp(SECOND, 3_600 * SECOND);
        Clock { offset, noise, spread: at(99).clamp(noise.max(60 * SECOND), 6 * 3_600 * SECOND) }
    }
}

/// Their time less ours, of pairs evenly taken from all of them in an order that depends on what they hold.
fn gaps(desk: &Desk<'_>) -> Vec<i64> {
    let [ours, theirs] = desk.books;
    let paired = desk.partner[0].iter().filter(|partner| (**partner as usize) < theirs.len()).count();
    let step = paired.div_ceil(PAIRS_MAX).max(1);
    let mut gaps = Vec::with_capacity(paired / step + 1);
    for row in ours.indices() {
        let partner = desk.partner[0][row as usize];
        if partner == NONE || partner as usize >= theirs.len() {
            continue;
        }
        // Chosen by the time itself: which rows are taken does not depend on the order in which they came.
        if step == 1 || ours.at(row).unsigned_abs() / 1_000 % step as u64 == 0 {
            gaps.push(theirs.at(partner).saturating_sub(ours.at(row)));
        }
    }
    gaps
}
