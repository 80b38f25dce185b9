//! Two simple matchers to compare ours with: by equal references alone, and by scanning for what is near enough.

use std::collections::HashMap;

use crate::reconciliation::Class;
use crate::reconciliation::matching::{
    Alone, Book, Clock, Entry, Evidence, Matching, Pair, Policy, compare,
};

type Keyed<'a> = fn(&Entry<'a>) -> (&'a str, Evidence);

const KEYS: [Keyed<'static>; 3] = [
    |entry| (entry.channel_id, Evidence::ChannelId),
    |entry| (entry.reference, Evidence::Reference),
    |entry| (entry.number, Evidence::Number),
];

/// Equal references with fallbacks; the first row with a reference gets the line.
pub fn exact_only(ours: &Book, theirs: &Book) -> Matching {
    let mut partners = vec![None; ours.len()];
    by_reference(ours, theirs, &mut partners);
    conclude(ours, theirs, &partners)
}

/// Equal references first; then, line by line, the first row within one per cent of the amount and one day whose
/// references look most alike.
pub fn drift_scan(ours: &Book, theirs: &Book) -> Matching {
    let mut partners = vec![None; ours.len()];
    by_reference(ours, theirs, &mut partners);
    let mut taken = vec![false; theirs.len()];
    partners.iter().flatten().for_each(|(line, _): &(u32, Evidence)| taken[*line as usize] = true);
    for line in rows(theirs).filter(|line| !taken[*line as usize]) {
        let wanted = theirs.entry(line);
        let open = rows(ours).filter(|row| partners[*row as usize].is_none());
        let near = open.filter(|row| is_near(&ours.entry(*row), &wanted));
        let best = near.min_by_key(|row| distance(ours.entry(*row).channel_id, wanted.channel_id));
        if let Some(row) = best {
            partners[row as usize] = Some((line, Evidence::Composite));
        }
    }
    conclude(ours, theirs, &partners)
}

fn rows(book: &Book) -> std::ops::Range<u32> {
    0..u32::try_from(book.len()).unwrap_or(u32::MAX)
}

fn is_near(ours: &Entry<'_>, theirs: &Entry<'_>) -> bool {
    let drift = ours.money.minor().unsigned_abs() / 100;
    ours.kind == theirs.kind
        && ours.money.currency() == theirs.money.currency()
        && ours.money.minor().abs_diff(theirs.money.minor()) <= drift
        && ours.at.micros().abs_diff(theirs.at.micros()) <= 86_400_000_000
}

fn by_reference(ours: &Book, theirs: &Book, partners: &mut [Option<(u32, Evidence)>]) {
    let mut taken = vec![false; theirs.len()];
    for key in KEYS {
        let mut lines: HashMap<(crate::reconciliation::Kind, &str), u32> = HashMap::new();
        for line in rows(theirs).rev().filter(|line| !taken[*line as usize]) {
            let entry = theirs.entry(line);
            if !key(&entry).0.is_empty() {
                lines.insert((entry.kind, key(&entry).0), line);
            }
        }
        for row in rows(ours).filter(|row| partners[*row as usize].is_none()).collect::<Vec<_>>() {
            let entry = ours.entry(row);
            let (text, evidence) = key(&entry);
            if let Some(line) = lines.remove(&(entry.kind, text)) {
                partners[row as usize] = Some((line, evidence));
                taken[line as usize] = true;
            }
        }
    }
}

/// How many letters have to change: the classic table, row by row.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let change = before + usize::from(a != b);
            before = row[j + 1];
            row[j + 1] = change.min(before + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

fn conclude(ours: &Book, theirs: &Book, partners: &[Option<(u32, Evidence)>]) -> Matching {
    let (clock, policy) = (Clock::default(), Policy::default());
    let mut taken = vec![false; theirs.len()];
    let mut found =
        Matching { pairs: Vec::new(), groups: Vec::new(), ours_only: Vec::new(), theirs_only: Vec::new(), clock };
    for row in rows(ours) {
        match partners[row as usize] {
            Some((line, evidence)) => {
                taken[line as usize] = true;
                let differences = compare(&ours.entry(row), &theirs.entry(line), evidence, &clock, &policy);
                found.pairs.push(Pair { ours: row, theirs: line, evidence, differences });
            }
            None => found.ours_only.push(Alone { row, class: Class::OursOnly, candidate: None }),
        }
    }
    let alone = rows(theirs).filter(|line| !taken[*line as usize]);
    found.theirs_only = alone.map(|row| Alone { row, class: Class::TheirsOnly, candidate: None }).collect();
    found
}
