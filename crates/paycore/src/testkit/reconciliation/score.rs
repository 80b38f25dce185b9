//! How much of the truth a matcher found, in whole numbers.

use super::Set;
use crate::reconciliation::Class;
use crate::reconciliation::matching::{Differences, Matching};

/// Counts of one comparison with the truth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    /// Pairs of a row and a line that belong together.
    pub pairs: u64,
    /// Pairs that were made.
    pub made: u64,
    /// Of those, the right ones.
    pub right: u64,
    /// Rows and lines with something wrong, or said to have.
    pub classed: u64,
    /// Of those, the ones whose set of classes is exactly the true one.
    pub classed_right: u64,
    /// Wrong pairs or groups that would be closed without anybody looking.
    pub closed_wrongly: u64,
    /// Whether every row and line is in exactly one list.
    pub complete: bool,
}

impl Score {
    /// Right pairs of a million made.
    pub fn precision(&self) -> u64 {
        share(self.right, self.made)
    }

    /// Right pairs of a million true ones.
    pub fn recall(&self) -> u64 {
        share(self.right, self.pairs)
    }

    /// Rightly classed of a million.
    pub fn classes(&self) -> u64 {
        share(self.classed_right, self.classed)
    }
}

fn share(part: u64, whole: u64) -> u64 {
    (part * 1_000_000).checked_div(whole).unwrap_or(1_000_000)
}

/// Compares a result with the truth.
pub fn score(set: &Set, found: &Matching) -> Score {
    let truth = &set.truth;
    // A line and its copy are the same: whichever of them is paired, the other is the copy.
    let is_right =
        |our: u32, their: u32| truth.line_of[their as usize] == our || truth.copy_of[their as usize] == our;
    let mut score = Score {
        pairs: truth.line_of.iter().filter(|row| **row != u32::MAX).count() as u64,
        complete: is_complete(set, found),
        ..Score::default()
    };
    let mut said = vec![Differences::NONE; set.ours.len()];
    for pair in &found.pairs {
        let right = is_right(pair.ours, pair.theirs);
        score.made += 1;
        score.right += u64::from(right);
        score.closed_wrongly += u64::from(!right && !pair.differences.is_break());
        said[pair.ours as usize] = pair.differences;
    }
    for group in &found.groups {
        let edges = || group.ours.iter().flat_map(|our| group.theirs.iter().map(|their| (*our, *their)));
        let right = edges().filter(|(our, their)| is_right(*our, *their)).count() as u64;
        score.made += edges().count() as u64;
        score.right += right;
        score.closed_wrongly += u64::from(right == 0 && !group.differences.is_break());
        group.ours.iter().for_each(|our| said[*our as usize] = group.differences);
    }
    for alone in &found.ours_only {
        said[alone.row as usize] = Differences::NONE.with(alone.class);
    }
    for (said, fault) in said.iter().zip(&truth.faults) {
        count(&mut score, *said, *fault);
    }
    lines(&mut score, set, found);
    score
}

fn count(score: &mut Score, said: Differences, fault: Differences) {
    if !said.is_empty() || !fault.is_empty() {
        score.classed += 1;
        score.classed_right += u64::from(said == fault);
    }
}

/// Lines that nobody of ours made, and copies.
fn lines(score: &mut Score, set: &Set, found: &Matching) {
    let mut said = vec![Differences::NONE; set.theirs.len()];
    for alone in &found.theirs_only {
        said[alone.row as usize] = Differences::NONE.with(alone.class);
    }
    for (line, said) in said.into_iter().enumerate() {
        let fault = match (set.truth.line_of[line], set.truth.copy_of[line]) {
            (u32::MAX, u32::MAX) => Differences::NONE.with(Class::TheirsOnly),
            (u32::MAX, _) if said.is_empty() => Differences::NONE,
            (u32::MAX, _) => Differences::NONE.with(Class::Duplicate),
            _ if said.has(Class::Duplicate) => said,
            _ => Differences::NONE,
        };
        count(score, said, fault);
    }
}

fn is_complete(set: &Set, found: &Matching) -> bool {
    let once = |len: usize, rows: &mut dyn Iterator<Item = u32>| {
        let mut seen = vec![false; len];
        let mut all = 0;
        let unique = rows.all(|row| {
            all += 1;
            !std::mem::replace(&mut seen[row as usize], true)
        });
        unique && all == len
    };
    let groups = || found.groups.iter();
    let mut ours = (found.pairs.iter().map(|pair| pair.ours))
        .chain(groups().flat_map(|group| group.ours.iter().copied()))
        .chain(found.ours_only.iter().map(|alone| alone.row));
    let mut theirs = (found.pairs.iter().map(|pair| pair.theirs))
        .chain(groups().flat_map(|group| group.theirs.iter().copied()))
        .chain(found.theirs_only.iter().map(|alone| alone.row));
    once(set.ours.len(), &mut ours) && once(set.theirs.len(), &mut theirs)
}
