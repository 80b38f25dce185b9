//! Stages 0, 1 and part of 4: what shares a reference belongs together; and what is left over within such a company.
//!
//! Both sides are sorted by the hash of a reference and walked side by side. Sorting depends on nothing but what the
//! rows hold, and rows whose references collide on purpose cost no more than others.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::book::{Book, GROUPED, Key, NONE};
use super::{Desk, Evidence, Side};

/// A row under the hash of one of its references.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    hash: u64,
    row: u32,
}

fn hash(book: &Book, row: u32, key: Key) -> u64 {
    let mut hasher = DefaultHasher::new();
    (book.kind(row), book.bytes(row, key)).hash(&mut hasher);
    hasher.finish()
}

/// The rows that are wanted and have this reference, sorted by it.
pub(super) fn index(book: &Book, key: Key, wanted: impl Fn(u32) -> bool) -> Vec<Slot> {
    let rows = book.indices().filter(|row| wanted(*row) && !book.bytes(*row, key).is_empty());
    let mut slots: Vec<Slot> = rows.map(|row| Slot { hash: hash(book, row, key), row }).collect();
    slots.sort_unstable_by(|left, right| {
        left.hash.cmp(&right.hash).then_with(|| {
            let text = |slot: &Slot| (book.kind(slot.row), book.bytes(slot.row, key));
            let by_content = || book.compare(left.row, right.row);
            text(left).cmp(&text(right)).then_with(by_content).then(left.row.cmp(&right.row))
        })
    });
    slots
}

/// Hands over the rows of both sides that share a reference, company by company.
fn companies(books: [&Book; 2], key: Key, slots: [&[Slot]; 2], mut each: impl FnMut(&[u32], &[u32])) {
    let same = |a: (usize, &Slot), b: (usize, &Slot)| {
        a.1.hash.cmp(&b.1.hash).then_with(|| {
            let text = |(side, slot): (usize, &Slot)| {
                let book: &Book = books[side];
                (book.kind(slot.row), book.bytes(slot.row, key))
            };
            text(a).cmp(&text(b))
        })
    };
    let [mut left, mut right] = slots;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    while let (Some(first), Some(second)) = (left.first(), right.first()) {
        match same((0, first), (1, second)) {
            Ordering::Less => left = &left[1..],
            Ordering::Greater => right = &right[1..],
            Ordering::Equal => {
                let many = |side, slots: &[Slot], first: &Slot| {
                    slots.iter().take_while(|slot| same((side, slot), (side, first)).is_eq()).count()
                };
                let (m, n) = (many(0, left, first), many(1, right, second));
                ours.clear();
                theirs.clear();
                ours.extend(left[..m].iter().map(|slot| slot.row));
                theirs.extend(right[..n].iter().map(|slot| slot.row));
                each(&ours, &theirs);
                (left, right) = (&left[m..], &right[n..]);
            }
        }
    }
}

/// Stage 1: pairs what is still open and shares this reference.
pub(super) fn join(desk: &mut Desk<'_>, key: Key) {
    let [ours, theirs] = desk.indices(key);
    let books = desk.books;
    companies(books, key, [&ours, &theirs], |ours, theirs| match (ours, theirs) {
        (&[our], &[their]) => {
            if key != Key::Number || !contradict(desk, our, their) {
                desk.pair(our, their, key.into());
            }
        }
        _ => settle(desk, key, ours, theirs),
    });
}

/// Several rows share a reference: equal amounts first, in order of time, then what is left if it is one of each.
fn settle(desk: &mut Desk<'_>, key: Key, ours: &[u32], theirs: &[u32]) {
    let mut left: Vec<u32> = ours.to_vec();
    let mut right: Vec<u32> = theirs.to_vec();
    equal_amounts(desk, key, &mut left, &mut right);
    let sums = sum(desk.books[0], &left) == sum(desk.books[1], &right);
    match (left.as_slice(), right.as_slice()) {
        ([], _) | (_, []) => {}
        (&[our], &[their]) if key != Key::Number || !contradict(desk, our, their) => {
            desk.pair(our, their, key.into());
        }
        ([_], [_]) => {}
        ([_], _) | (_, [_]) if sums && sum(desk.books[0], &left).is_some() => {
            desk.group(&left, &right);
        }
        (&[our], _) if key != Key::Number => {
            let nearest = right
                .iter()
                .min_by_key(|their| desk.books[1].amount(**their).abs_diff(desk.books[0].amount(our)));
            if let Some(&their) = nearest {
                desk.pair(our, their, key.into());
            }
        }
        _ => {}
    }
}

/// Pairs rows of equal amounts: as many on either side in order of time; of several copies of one of ours the one
/// nearest in time.
fn equal_amounts(desk: &mut Desk<'_>, key: Key, left: &mut Vec<u32>, right: &mut Vec<u32>) {
    let amounts = |desk: &Desk<'_>, rows: &[u32], side: usize| {
        let mut all: Vec<_> =
            rows.iter().map(|row| (desk.books[side].currency(*row), desk.books[side].amount(*row))).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    for (currency, amount) in amounts(desk, left, 0) {
        let of = |desk: &Desk<'_>, rows: &[u32], side: usize| -> Vec<u32> {
            let book = desk.books[side];
            let equal = |row: &u32| book.currency(*row) == currency && book.amount(*row) == amount;
            rows.iter().copied().filter(equal).collect()
        };
        let (ours, theirs) = (of(desk, left, 0), of(desk, right, 1));
        let chosen: Vec<(u32, u32)> = match (ours.as_slice(), theirs.as_slice()) {
            (_, []) => Vec::new(),
            (ours, theirs) if ours.len() == theirs.len() => {
                ours.iter().copied().zip(theirs.iter().copied()).collect()
            }
            (&[our], theirs) => {
                let at = desk.books[0].at(our);
                let nearest = theirs.iter().min_by_key(|row| desk.books[1].at(**row).abs_diff(at));
                nearest.map(|their| (our, *their)).into_iter().collect()
            }
            _ => Vec::new(),
        };
        for (our, their) in chosen {
            if key != Key::Number || !contradict(desk, our, their) {
                desk.pair(our, their, key.into());
                left.retain(|row| *row != our);
                right.retain(|row| *row != their);
            }
        }
    }
}

/// The sum of rows of one currency; none where they have several.
pub(super) fn sum(book: &Book, rows: &[u32]) -> Option<i128> {
    let currency = book.currency(*rows.first()?);
    let same = rows.iter().all(|row| book.currency(*row) == currency);
    same.then(|| rows.iter().map(|row| i128::from(book.amount(*row))).sum())
}

/// Whether two references cannot be the same one, not even with its end cut off.
fn differ(left: &[u8], right: &[u8]) -> bool {
    !left.is_empty() && !right.is_empty() && !left.starts_with(right) && !right.starts_with(left)
}

/// Whether the rows name two different movements.
pub(super) fn contradict(desk: &Desk<'_>, our: u32, their: u32) -> bool {
    [Key::ChannelId, Key::Reference]
        .into_iter()
        .any(|key| differ(desk.books[0].bytes(our, key), desk.books[1].bytes(their, key)))
}

/// Stage 4 within a company: a row whose partner has another amount, and open rows that name it too, which together
/// make up exactly its amount. `single` is the side with the one row: ours where a payment is split over lines; `uneven`
/// says which of its rows are paired with another amount.
pub(super) fn regroup(desk: &mut Desk<'_>, key: Key, single: Side, uneven: &[bool]) {
    let (one, many) = (single as usize, 1 - single as usize);
    let open = index(desk.books[many], key, |row| desk.partner[many][row as usize] == NONE);
    if open.is_empty() {
        return;
    }
    let ones = index(desk.books[one], key, |row| {
        let partner = desk.partner[one][row as usize];
        partner == NONE || (partner != GROUPED && uneven[row as usize])
    });
    let mut found = Vec::new();
    companies([desk.books[one], desk.books[many]], key, [&ones, &open], |ones, parts| {
        let &[row] = ones else { return };
        let mut parts = parts.to_vec();
        let partner = desk.partner[one][row as usize];
        parts.extend(Some(partner).filter(|partner| *partner != NONE));
        let whole = sum(desk.books[one], &[row]);
        if parts.len() > 1 && sum(desk.books[many], &parts) == whole {
            found.push((row, parts));
        }
    });
    for (row, parts) in found {
        match single {
            Side::Ours => desk.group(&[row], &parts),
            Side::Theirs => desk.group(&parts, &[row]),
        }
    }
}

/// For every open line that names a movement of ours which is matched already: that movement.
pub(super) fn copies(desk: &Desk<'_>) -> Vec<(u32, u32)> {
    let mut found: Vec<(u32, u32)> = Vec::new();
    for key in [Key::ChannelId, Key::Reference, Key::Number] {
        let open = index(desk.books[1], key, |row| desk.partner[1][row as usize] == NONE);
        if open.is_empty() {
            continue;
        }
        // Only rows of ours that some open line may name are sorted: few of a million.
        let named = index(desk.books[0], key, |row| {
            let hash = hash(desk.books[0], row, key);
            desk.partner[0][row as usize] != NONE
                && open.binary_search_by_key(&hash, |slot| slot.hash).is_ok()
        });
        companies(desk.books, key, [&named, &open], |ours, theirs| {
            for their in theirs {
                let original = ours.iter().find(|our| key != Key::Number || !contradict(desk, **our, *their));
                found.extend(original.map(|our| (*their, *our)));
            }
        });
    }
    found.sort_unstable();
    found.dedup_by_key(|(their, _)| *their);
    found
}

impl From<Key> for Evidence {
    fn from(key: Key) -> Evidence {
        match key {
            Key::ChannelId => Evidence::ChannelId,
            Key::Reference => Evidence::Reference,
            Key::Number => Evidence::Number,
        }
    }
}
