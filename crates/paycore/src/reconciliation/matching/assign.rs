//! Stage 3: rows without a common reference. A reference with its end cut off names at most one row; else equal amount
//! and time, accepted only where nothing else comes near.

use super::book::{Book, Key, NONE};
use super::join::contradict;
use super::{Clock, Desk, Evidence};

/// What is left of a reference that was cut off, at least.
const PREFIX_MIN: usize = 8;
/// A day in microseconds: further apart two rows are never compared.
const DAY: i64 = 86_400 * 1_000_000;
/// As many neighbours in time are looked at in either direction.
const NEIGHBOURS: usize = 32;
/// After each round fewer rows are left to be confused; more rounds than this find nothing new.
const ROUNDS: usize = 8;
/// The second best has to cost so many times the best.
const MARGIN: u64 = 2;

/// Pairs by references that were cut off.
pub(super) fn prefixes(desk: &mut Desk<'_>, clock: &Clock, key: Key) {
    let open = |side: usize, row: u32| desk.partner[side][row as usize] == NONE;
    let theirs: Vec<u32> = desk.books[1].indices().filter(|row| open(1, *row)).collect();
    if theirs.is_empty() {
        return;
    }
    let sorted = sorted(desk.books[0], key, |row| open(0, row));
    let mut claims: Vec<(u32, u32)> = Vec::new();
    for their in theirs {
        let text = desk.books[1].bytes(their, key);
        if text.len() < PREFIX_MIN {
            continue;
        }
        let mut fits = fitting(desk, &sorted, text, key).filter(|our| {
            desk.books[0].kind(*our) == desk.books[1].kind(their) && !contradict(desk, *our, their)
        });
        if let (Some(our), None) = (fits.next(), fits.next()) {
            claims.push((our, their));
        }
    }
    claims.sort_unstable();
    for (at, &(our, their)) in claims.iter().enumerate() {
        let rivals = [at.checked_sub(1), at.checked_add(1)];
        let alone =
            rivals.into_iter().flatten().all(|i| claims.get(i).is_none_or(|(other, _)| *other != our));
        if alone && plausible(desk, clock, our, their) {
            desk.pair(our, their, Evidence::Prefix);
        }
    }
}

fn sorted(book: &Book, key: Key, open: impl Fn(u32) -> bool) -> Vec<u32> {
    let mut rows: Vec<u32> =
        book.indices().filter(|row| open(*row) && !book.bytes(*row, key).is_empty()).collect();
    rows.sort_unstable_by_key(|row| (book.bytes(*row, key), *row));
    rows
}

/// Rows of ours whose reference begins with `text`, at most two.
fn fitting<'a>(desk: &Desk<'a>, sorted: &[u32], text: &'a [u8], key: Key) -> impl Iterator<Item = u32> {
    let book = desk.books[0];
    let start = sorted.partition_point(|row| book.bytes(*row, key) < text);
    sorted[start..]
        .iter()
        .copied()
        .take_while(move |row| book.bytes(*row, key).starts_with(text))
        .take(NEIGHBOURS)
}

/// The rest has to fit as well: the amount within a day, or the moment where the amount is wrong.
fn plausible(desk: &Desk<'_>, clock: &Clock, our: u32, their: u32) -> bool {
    let [ours, theirs] = desk.books;
    let gap = gap(desk, clock, our, their);
    let same = ours.currency(our) == theirs.currency(their) && ours.amount(our) == theirs.amount(their);
    gap <= if same { DAY } else { clock.spread }
}

/// How far apart two rows are in time, the clocks' offset taken away.
fn gap(desk: &Desk<'_>, clock: &Clock, our: u32, their: u32) -> i64 {
    (desk.books[1].at(their) - clock.offset).saturating_sub(desk.books[0].at(our)).saturating_abs()
}

/// The best and the second best candidate of a row.
#[derive(Clone, Copy)]
struct Choice {
    row: u32,
    cost: u64,
    second: u64,
}

const NOBODY: Choice = Choice { row: NONE, cost: u64::MAX, second: u64::MAX };

impl Choice {
    fn offer(&mut self, row: u32, cost: u64) {
        if cost < self.cost {
            *self = Choice { row, cost, second: self.cost };
        } else {
            self.second = self.second.min(cost);
        }
    }

    /// Whether nothing else comes near. Costs below the clocks' noise are all the same.
    fn is_clear(&self, noise: u64) -> bool {
        self.row != NONE && self.second / MARGIN >= self.cost.max(noise)
    }
}

/// Pairs rows of equal amount and fee that are each other's best choice by far; the rest keep their best choice as a
/// suggestion for a person.
pub(super) fn assign(desk: &mut Desk<'_>, clock: &Clock) -> Vec<(u32, u32)> {
    let mut suggestions = Vec::new();
    for _ in 0..ROUNDS {
        let choices = choose(desk, clock);
        let clear = accepted(desk, clock, &choices);
        if clear.is_empty() {
            suggestions = mutual(&choices);
            break;
        }
        for (our, their) in clear {
            desk.pair(our, their, Evidence::Composite);
        }
    }
    suggestions
}

/// The open rows of both sides in order of amount and time, with what each would choose.
struct Choices {
    rows: [Vec<u32>; 2],
    best: [Vec<Choice>; 2],
}

fn choose(desk: &Desk<'_>, clock: &Clock) -> Choices {
    let rows = [0, 1].map(|side| bucketed(desk, side));
    let best = [0, 1].map(|side| {
        let others = &rows[1 - side];
        rows[side].iter().map(|row| best(desk, clock, side, *row, others)).collect::<Vec<_>>()
    });
    Choices { rows, best }
}

fn bucketed(desk: &Desk<'_>, side: usize) -> Vec<u32> {
    let book = desk.books[side];
    let mut rows: Vec<u32> = book.indices().filter(|row| desk.partner[side][*row as usize] == NONE).collect();
    rows.sort_unstable_by(|a, b| {
        bucket(book, *a).cmp(&bucket(book, *b)).then_with(|| book.compare(*a, *b)).then(a.cmp(b))
    });
    rows
}

type Bucket = (super::super::Kind, crate::currency::Currency, i64);

fn bucket(book: &Book, row: u32) -> Bucket {
    (book.kind(row), book.currency(row), book.amount(row))
}

/// Looks outwards in time from where the row itself would stand among the others of its amount, and of those that
/// differ by no more than rounding does.
fn best(desk: &Desk<'_>, clock: &Clock, side: usize, row: u32, others: &[u32]) -> Choice {
    let (book, other) = (desk.books[side], desk.books[1 - side]);
    let shift = if side == 0 { clock.offset } else { -clock.offset };
    let at = book.at(row).saturating_add(shift);
    let (kind, currency, amount) = bucket(book, row);
    let mut choice = NOBODY;
    for amount in [amount, amount.saturating_sub(1), amount.saturating_add(1)] {
        let wanted = (kind, currency, amount);
        let middle = others.partition_point(|o| (bucket(other, *o), other.at(*o)) < (wanted, at));
        let inside = |o: &&u32| bucket(other, **o) == wanted && other.at(**o).abs_diff(at) <= DAY as u64;
        let later = others[middle..].iter().take_while(inside).take(NEIGHBOURS);
        let earlier = others[..middle].iter().rev().take_while(inside).take(NEIGHBOURS);
        for &candidate in later.chain(earlier) {
            let (our, their) = if side == 0 { (row, candidate) } else { (candidate, row) };
            if !contradict(desk, our, their) {
                choice.offer(candidate, cost(desk, clock, our, their));
            }
        }
    }
    choice
}

/// How far apart two rows are in time; another fee counts as much as the clocks' noise, twice.
fn cost(desk: &Desk<'_>, clock: &Clock, our: u32, their: u32) -> u64 {
    let fees = (desk.books[0].fee(our), desk.books[1].fee(their));
    let differ = matches!(fees, (Some(ours), Some(theirs)) if ours.abs_diff(theirs) > 1);
    let penalty = if differ { 2 * clock.noise.unsigned_abs() } else { 0 };
    gap(desk, clock, our, their).unsigned_abs().saturating_add(penalty)
}

/// Pairs that are each other's best choice.
fn each_other(choices: &Choices) -> impl Iterator<Item = (u32, u32, &Choice, &Choice)> {
    let mut theirs: Vec<(u32, usize)> =
        choices.rows[1].iter().enumerate().map(|(position, row)| (*row, position)).collect();
    theirs.sort_unstable();
    choices.rows[0].iter().zip(&choices.best[0]).filter_map(move |(our, choice)| {
        let position = theirs.binary_search_by_key(&choice.row, |(row, _)| *row).ok()?;
        let back = &choices.best[1][theirs[position].1];
        (back.row == *our).then_some((*our, choice.row, choice, back))
    })
}

fn accepted(desk: &Desk<'_>, clock: &Clock, choices: &Choices) -> Vec<(u32, u32)> {
    let noise = clock.noise.unsigned_abs();
    each_other(choices)
        .filter(|(our, their, forth, back)| {
            forth.is_clear(noise) && back.is_clear(noise) && gap(desk, clock, *our, *their) <= clock.spread
        })
        .map(|(our, their, ..)| (our, their))
        .collect()
}

fn mutual(choices: &Choices) -> Vec<(u32, u32)> {
    each_other(choices)
        .filter(|(_, _, forth, back)| forth.cost < forth.second && back.cost < back.second)
        .map(|(our, their, ..)| (our, their))
        .collect()
}
