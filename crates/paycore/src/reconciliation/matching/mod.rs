//! The matcher: two sides in, matches and what is left out. It decides by what the rows hold alone: neither the order in
//! which they come nor a hash shows in the result, so that a run repeated gives the same.
//!
//! Stages: references, strongest first, with copies set aside (0, 1); in what a match differs (2, 5); references that
//! were cut off, then equal amount and time where nothing else comes near (3); one against several that share a
//! reference and make up its amount (4). The bank's leg (6) is [`super::bank`].

mod assign;
mod book;
mod clock;
mod compare;
mod join;

pub use book::{Book, BookError, Entry, REFERENCE_MAX};
pub use clock::Clock;
pub use compare::{Differences, compare, start_of_day};

use book::{GROUPED, Key, NONE};

use super::Class;

/// Runs two pieces of work and returns when both are done. Where there are threads, at the same time.
pub type Fork = fn(&mut (dyn FnMut() + Send), &mut (dyn FnMut() + Send));

/// One after the other: works everywhere.
pub fn in_turn(first: &mut (dyn FnMut() + Send), second: &mut (dyn FnMut() + Send)) {
    first();
    second();
}

/// At the same time, on two threads; not in a browser.
pub fn on_two_threads(first: &mut (dyn FnMut() + Send), second: &mut (dyn FnMut() + Send)) {
    std::thread::scope(|scope| {
        scope.spawn(&mut *first);
        second();
    });
}

/// What is close enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Minor units that amounts or fees may differ by and count as rounding.
    pub tolerance: u64,
    /// Thousandths of the amount that may be more than that, for amounts that were converted; else 0.
    pub tolerance_per_mille: u64,
    /// Seconds by which the channel's days are ahead of UTC.
    pub utc_offset: i32,
}

impl Default for Policy {
    /// One minor unit; days as in Beijing.
    fn default() -> Policy {
        Policy { tolerance: 1, tolerance_per_mille: 0, utc_offset: crate::time::BEIJING }
    }
}

impl Policy {
    fn tolerance(&self, amount: i64) -> u64 {
        let share = u128::from(amount.unsigned_abs()) * u128::from(self.tolerance_per_mille) / 1_000;
        self.tolerance.max(u64::try_from(share).unwrap_or(u64::MAX))
    }
}

/// Why two rows are taken for one movement, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// The channel's id.
    ChannelId,
    /// Our reference.
    Reference,
    /// The merchant's order number, and nothing speaks against it.
    Number,
    /// The beginning of a reference, which no other row has.
    Prefix,
    /// Amount, fee and moment, and nothing else comes near.
    Composite,
}

/// One of ours and one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Index in our book.
    pub ours: u32,
    /// Index in theirs.
    pub theirs: u32,
    /// Why.
    pub evidence: Evidence,
    /// In what they differ.
    pub differences: Differences,
}

/// One against several, of equal sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Indices in our book.
    pub ours: Vec<u32>,
    /// Indices in theirs.
    pub theirs: Vec<u32>,
    /// In what they differ, besides being a group.
    pub differences: Differences,
}

/// A row without a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alone {
    /// Its index in its own book.
    pub row: u32,
    /// Ours only, theirs only, a copy of what is matched, or a chargeback.
    pub class: Class,
    /// Index in the other book: what it is a copy of, or what it may belong to; for a person to look at, never acted on.
    pub candidate: Option<u32>,
}

/// The result. Every row of either side is in exactly one of its four lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// In order of our index.
    pub pairs: Vec<Pair>,
    /// In order of our first index.
    pub groups: Vec<Group>,
    /// Ours without a line, in order of index.
    pub ours_only: Vec<Alone>,
    /// Lines without a row of ours, in order of index.
    pub theirs_only: Vec<Alone>,
    /// What was learnt of the clocks.
    pub clock: Clock,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Ours = 0,
    Theirs = 1,
}

/// The work in progress: for every row its partner in the other book.
struct Desk<'a> {
    books: [&'a Book; 2],
    partner: [Vec<u32>; 2],
    /// Of our rows that have one.
    evidence: Vec<Evidence>,
    groups: Vec<Group>,
    fork: Fork,
}

impl<'a> Desk<'a> {
    fn new(ours: &'a Book, theirs: &'a Book, fork: Fork) -> Desk<'a> {
        Desk {
            books: [ours, theirs],
            partner: [vec![NONE; ours.len()], vec![NONE; theirs.len()]],
            evidence: vec![Evidence::ChannelId; ours.len()],
            groups: Vec::new(),
            fork,
        }
    }

    fn pair(&mut self, our: u32, their: u32, evidence: Evidence) {
        self.partner[0][our as usize] = their;
        self.partner[1][their as usize] = our;
        self.evidence[our as usize] = evidence;
    }

    fn group(&mut self, ours: &[u32], theirs: &[u32]) {
        let sorted = |rows: &[u32]| {
            let mut rows = rows.to_vec();
            rows.sort_unstable();
            rows
        };
        ours.iter().for_each(|row| self.partner[0][*row as usize] = GROUPED);
        theirs.iter().for_each(|row| self.partner[1][*row as usize] = GROUPED);
        let (ours, theirs) = (sorted(ours), sorted(theirs));
        self.groups.push(Group { ours, theirs, differences: Differences::NONE });
    }

    /// Of both sides the rows that are paired with another amount.
    fn uneven(&self) -> [Vec<bool>; 2] {
        let mut uneven = [vec![false; self.partner[0].len()], vec![false; self.partner[1].len()]];
        for (row, partner) in self.books[0].indices().zip(&self.partner[0]) {
            let is_pair = (*partner as usize) < self.partner[1].len();
            if is_pair && self.books[0].amount(row) != self.books[1].amount(*partner) {
                uneven[0][row as usize] = true;
                uneven[1][*partner as usize] = true;
            }
        }
        uneven
    }

    /// Both sides' open rows by one reference, the two sorted at the same time where that can be.
    fn indices(&self, key: Key) -> [Vec<join::Slot>; 2] {
        let side =
            |side: usize| join::index(self.books[side], key, |row| self.partner[side][row as usize] == NONE);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        (self.fork)(&mut || ours = side(0), &mut || theirs = side(1));
        [ours, theirs]
    }
}

/// Compares two sides.
pub fn reconcile(ours: &Book, theirs: &Book, policy: &Policy, fork: Fork) -> Matching {
    let mut desk = Desk::new(ours, theirs, fork);
    for key in [Key::ChannelId, Key::Reference, Key::Number] {
        join::join(&mut desk, key);
    }
    let uneven = desk.uneven();
    for key in [Key::Reference, Key::Number] {
        join::regroup(&mut desk, key, Side::Ours, &uneven[0]);
        join::regroup(&mut desk, key, Side::Theirs, &uneven[1]);
    }
    let clock = Clock::learn(&desk);
    for key in [Key::ChannelId, Key::Reference] {
        assign::prefixes(&mut desk, &clock, key);
    }
    let copies = join::copies(&desk);
    // A copy belongs to what it is a copy of, and to nothing else that happens to cost as much.
    copies.iter().for_each(|(their, _)| desk.partner[1][*their as usize] = GROUPED);
    let suggestions = assign::assign(&mut desk, &clock);
    copies.iter().for_each(|(their, _)| desk.partner[1][*their as usize] = NONE);
    conclude(desk, policy, clock, &copies, &suggestions)
}

fn conclude(
    desk: Desk<'_>,
    policy: &Policy,
    clock: Clock,
    copies: &[(u32, u32)],
    suggestions: &[(u32, u32)],
) -> Matching {
    let [ours, theirs] = desk.books;
    let mut pairs = Vec::with_capacity(ours.len());
    let mut ours_only = Vec::new();
    let candidates: std::collections::BTreeMap<u32, u32> = suggestions.iter().copied().collect();
    for row in ours.indices() {
        match desk.partner[0][row as usize] {
            GROUPED => {}
            NONE => {
                let candidate = candidates.get(&row).copied();
                ours_only.push(Alone { row, class: Class::OursOnly, candidate });
            }
            partner => {
                let evidence = desk.evidence[row as usize];
                let differences =
                    compare(&ours.figures(row), &theirs.figures(partner), evidence, &clock, policy);
                pairs.push(Pair { ours: row, theirs: partner, evidence, differences });
            }
        }
    }
    let mut groups = desk.groups;
    for group in &mut groups {
        group.differences = compare::group(desk.books, group, &clock, policy);
    }
    groups.sort_unstable_by(|a, b| (&a.ours, &a.theirs).cmp(&(&b.ours, &b.theirs)));
    let theirs_only = left_over(theirs, &desk.partner[1], copies, suggestions);
    Matching { pairs, groups, ours_only, theirs_only, clock }
}

fn left_over(
    theirs: &Book,
    partner: &[u32],
    copies: &[(u32, u32)],
    suggestions: &[(u32, u32)],
) -> Vec<Alone> {
    let candidates: std::collections::BTreeMap<u32, u32> =
        suggestions.iter().map(|(our, their)| (*their, *our)).collect();
    let alone = theirs.indices().filter(|row| partner[*row as usize] == NONE);
    alone
        .map(|row| match copies.binary_search_by_key(&row, |(their, _)| *their) {
            Ok(position) => Alone { row, class: Class::Duplicate, candidate: Some(copies[position].1) },
            Err(_) => {
                let is_chargeback = theirs.kind(row) == super::Kind::Chargeback;
                let class = if is_chargeback { Class::ChargebackUnseen } else { Class::TheirsOnly };
                Alone { row, class, candidate: candidates.get(&row).copied() }
            }
        })
        .collect()
}
