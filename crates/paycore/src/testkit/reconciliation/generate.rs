//! The generator. Rates are per ten thousand rows of ours.

use super::{Set, Truth};
use crate::currency::Currency;
use crate::money::Money;
use crate::reconciliation::matching::{Book, Differences, Entry};
use crate::reconciliation::{Class, Kind, Standing};
use crate::time::{SeededRng, Timestamp};

const NOBODY: u32 = u32::MAX;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// 2026-11-30 00:00 in Beijing.
const START: i64 = 1_795_968_000 * SECOND;
const BEIJING: i64 = 8 * 3_600 * SECOND;

/// What set to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// Rows of ours.
    pub rows: u32,
    /// The same seed makes the same set.
    pub seed: u64,
    /// Prices are one of so many, so that amounts collide; 0 for any price.
    pub price_points: u32,
    /// Lines that are missing in the file.
    pub missing: u32,
    /// Lines with another amount.
    pub amount: u32,
    /// Lines with another fee.
    pub fee: u32,
    /// Lines that are there twice.
    pub duplicate: u32,
    /// Lines of the next day.
    pub cross_day: u32,
    /// Rows of ours that we do not know to be paid.
    pub status: u32,
    /// Lines without references.
    pub lost: u32,
    /// Lines whose references are cut off.
    pub truncated: u32,
    /// Lines that differ by one minor unit.
    pub rounding: u32,
    /// Rows of ours that are two lines.
    pub split: u32,
    /// Rows of ours that share their order number with another.
    pub reused: u32,
    /// Lines that nobody made.
    pub orphans: u32,
    /// Of a hundred faults so many come with a second one.
    pub second_fault: u32,
    /// Seconds by which all times of the file are wrong.
    pub shift: i64,
    /// Of ten thousand lines the last so many are cut off.
    pub cut: u32,
}

impl Recipe {
    /// Single faults at the rates of an ordinary day, any price.
    pub fn easy(rows: u32, seed: u64) -> Recipe {
        Recipe {
            rows,
            seed,
            price_points: 0,
            missing: 10,
            amount: 10,
            fee: 10,
            duplicate: 5,
            cross_day: 50,
            status: 10,
            lost: 10,
            truncated: 0,
            rounding: 50,
            split: 5,
            reused: 0,
            orphans: 10,
            second_fault: 0,
            shift: 0,
            cut: 0,
        }
    }

    /// Colliding amounts, order numbers used again, references cut off or lost, and two faults on one row.
    pub fn hard(rows: u32, seed: u64) -> Recipe {
        Recipe {
            price_points: 50,
            missing: 30,
            amount: 50,
            fee: 50,
            duplicate: 30,
            cross_day: 100,
            status: 30,
            lost: 100,
            truncated: 100,
            rounding: 100,
            split: 20,
            reused: 200,
            orphans: 50,
            second_fault: 30,
            ..Recipe::easy(rows, seed)
        }
    }

    /// The faults of one row, by their rates.
    fn faults(&self) -> [(u32, Fault); 10] {
        [
            (self.missing, Fault::Missing),
            (self.amount, Fault::Amount),
            (self.fee, Fault::Fee),
            (self.duplicate, Fault::Duplicate),
            (self.cross_day, Fault::CrossDay),
            (self.status, Fault::Status),
            (self.lost, Fault::Lost),
            (self.truncated, Fault::Truncated),
            (self.rounding, Fault::Rounding),
            (self.split, Fault::Split),
        ]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Missing,
    Amount,
    Fee,
    Duplicate,
    CrossDay,
    Status,
    Lost,
    Truncated,
    Rounding,
    Split,
}

/// One row or line with its own texts.
#[derive(Debug, Clone)]
struct Owned {
    kind: Kind,
    standing: Standing,
    channel_id: String,
    reference: String,
    number: String,
    amount: i64,
    fee: i64,
    at: i64,
}

impl Owned {
    fn put(&self, book: &mut Book) -> u32 {
        let entry = Entry {
            kind: self.kind,
            standing: self.standing,
            channel_id: &self.channel_id,
            reference: &self.reference,
            number: &self.number,
            money: Money::new(self.amount, Currency::CNY),
            fee: Some(self.fee),
            at: Timestamp::from_micros(self.at),
        };
        book.push(&entry).expect("made references are short")
    }
}

struct Maker {
    recipe: Recipe,
    rng: SeededRng,
    set: Set,
    lines: Vec<(Owned, u32, u32)>,
}

/// Makes a set.
pub fn generate(recipe: &Recipe) -> Set {
    let rows = recipe.rows as usize;
    let set = Set {
        ours: Book::with_capacity(rows),
        theirs: Book::with_capacity(rows + rows / 50),
        truth: Truth::default(),
    };
    let mut maker = Maker { recipe: *recipe, rng: SeededRng::new(recipe.seed), set, lines: Vec::new() };
    let mut last_number = String::new();
    for row in 0..recipe.rows {
        let mut ours = maker.payment(row);
        if !last_number.is_empty() && maker.happens(recipe.reused) {
            ours.number.clone_from(&last_number);
        }
        last_number.clone_from(&ours.number);
        maker.record(ours);
    }
    for orphan in 0..recipe.rows / 10_000 * recipe.orphans {
        let mut line = maker.payment(recipe.rows + orphan);
        line.number = format!("X{:09}", maker.below(1_000_000_000));
        maker.lines.push((line, NOBODY, NOBODY));
    }
    maker.finish()
}

impl Maker {
    fn below(&self, limit: u64) -> u64 {
        self.rng.next_u64() % limit
    }

    fn happens(&self, per_ten_thousand: u32) -> bool {
        self.below(10_000) < u64::from(per_ten_thousand)
    }

    fn payment(&self, row: u32) -> Owned {
        let at = START + i64::try_from(self.below(DAY as u64)).expect("a day fits");
        let amount = match self.recipe.price_points {
            0 => 1_000 + i64::try_from(self.below(5_000_000)).expect("a price fits"),
            points => 990 + 500 * i64::try_from(self.below(u64::from(points))).expect("a price fits"),
        };
        let kind = if self.below(20) == 0 { Kind::Refund } else { Kind::Payment };
        Owned {
            kind,
            standing: Standing::Done,
            channel_id: format!("42000020261130{:014}", self.below(100_000_000_000_000)),
            reference: format!("{:013x}{:013x}", at / 1_000, self.rng.next_u64() >> 12),
            number: format!("N{row:09}"),
            amount,
            fee: (amount * 60 + 5_000) / 10_000,
            at,
        }
    }

    fn record(&mut self, mut ours: Owned) {
        let mut line = ours.clone();
        line.at += i64::try_from(self.below(20_000_000)).expect("seconds fit");
        let mut faults = Differences::NONE;
        let row = u32::try_from(self.set.ours.len()).expect("rows are counted in 32 bits");
        let (mut copies, mut missing, mut split) = (0, false, false);
        for fault in self.draw() {
            match fault {
                Fault::Missing => missing = true,
                Fault::Duplicate => copies = 1,
                Fault::Split => split = true,
                Fault::Status => {
                    ours.standing = if self.below(2) == 0 { Standing::Failed } else { Standing::Open };
                    faults = faults.with(Class::Status);
                }
                other => faults = self.damage(&mut line, other, faults),
            }
        }
        if (line.at + BEIJING).div_euclid(DAY) != (ours.at + BEIJING).div_euclid(DAY) {
            faults = faults.with(Class::CrossDay);
        }
        ours.put(&mut self.set.ours);
        if missing {
            faults = Differences::NONE.with(Class::OursOnly);
        } else if split {
            self.split(&line, row);
            faults = faults.with(Class::Split);
        } else {
            self.lines.push((line.clone(), row, NOBODY));
            self.lines.extend((0..copies).map(|_| (line.clone(), NOBODY, row)));
        }
        self.set.truth.faults.push(faults);
    }

    /// At most two faults that can happen to one row.
    fn draw(&self) -> Vec<Fault> {
        let one = || {
            let mut ticket = self.below(10_000);
            self.recipe.faults().into_iter().find_map(|(rate, fault)| {
                let hit = ticket < u64::from(rate);
                ticket = ticket.saturating_sub(u64::from(rate));
                hit.then_some(fault)
            })
        };
        let Some(first) = one() else { return Vec::new() };
        let mut faults = vec![first];
        if self.below(100) < u64::from(self.recipe.second_fault) {
            let second = std::iter::repeat_with(one).take(1_000).flatten().find(|second| {
                let amounts = [Fault::Amount, Fault::Rounding, Fault::Split, Fault::Duplicate];
                let references = [Fault::Lost, Fault::Truncated, Fault::Split, Fault::Duplicate];
                let both = |group: &[Fault]| group.contains(&first) && group.contains(second);
                !both(&amounts) && !both(&references) && *second != first && *second != Fault::Missing
            });
            faults.extend(second.filter(|_| first != Fault::Missing));
        }
        faults
    }

    fn damage(&self, line: &mut Owned, fault: Fault, faults: Differences) -> Differences {
        let step = |limit| 2 + i64::try_from(self.below(limit)).expect("small");
        match fault {
            Fault::Amount => {
                // To another price point where there are some: the wrong amount is then somebody else's right one.
                let unit = if self.recipe.price_points > 0 { 500 } else { 1 };
                line.amount += step(20) * unit;
                let class = if line.kind == Kind::Refund { Class::RefundMismatch } else { Class::Amount };
                faults.with(class)
            }
            Fault::Rounding => {
                line.amount += 1;
                faults.with(Class::Rounding)
            }
            Fault::Fee => {
                line.fee += step(40);
                faults.with(Class::Fee)
            }
            Fault::CrossDay => {
                line.at = START + DAY + i64::try_from(self.below(7_200 * 1_000_000)).expect("hours fit");
                faults
            }
            Fault::Lost => {
                line.channel_id.clear();
                line.reference.clear();
                if self.below(2) == 0 {
                    line.number.clear();
                }
                faults.with(Class::LostReference)
            }
            Fault::Truncated => {
                line.channel_id.truncate(20);
                line.reference.truncate(16);
                line.number.truncate(6);
                faults.with(Class::LostReference)
            }
            _ => faults,
        }
    }

    /// Two lines that make up one: the second under a number of the channel's own.
    fn split(&mut self, line: &Owned, row: u32) {
        let part = line.amount / 3;
        let fee = line.fee / 3;
        let other = Owned {
            channel_id: format!("42000020261130{:014}", self.below(100_000_000_000_000)),
            amount: line.amount - part,
            fee: line.fee - fee,
            ..line.clone()
        };
        self.lines.push((Owned { amount: part, fee, ..line.clone() }, row, NOBODY));
        self.lines.push((other, row, NOBODY));
    }

    /// Writes the lines in the order of the file, cut off where the recipe says so.
    fn finish(mut self) -> Set {
        let mut lines = std::mem::take(&mut self.lines);
        lines.sort_by_key(|(line, ..)| line.at);
        let kept = lines.len() - lines.len() / 10_000 * self.recipe.cut as usize;
        let mut lost = lines.split_off(kept);
        lost.retain(|(_, row, _)| *row != NOBODY);
        for (_, row, _) in lost {
            self.set.truth.faults[row as usize] = Differences::NONE.with(Class::OursOnly);
        }
        for (mut line, row, copy) in lines {
            line.at += self.recipe.shift * SECOND;
            line.put(&mut self.set.theirs);
            self.set.truth.line_of.push(row);
            self.set.truth.copy_of.push(copy);
        }
        self.set
    }
}

/// The same set in another order on both sides.
pub fn shuffled(set: &Set, seed: u64) -> Set {
    let rng = SeededRng::new(seed);
    let order = |len: usize| {
        let mut order: Vec<(u64, u32)> =
            (0..u32::try_from(len).expect("counted in 32 bits")).map(|i| (rng.next_u64(), i)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, i)| i).collect::<Vec<u32>>()
    };
    let (ours, theirs) = (order(set.ours.len()), order(set.theirs.len()));
    let mut moved = vec![NOBODY; ours.len()];
    ours.iter().enumerate().for_each(|(to, from)| moved[*from as usize] = u32::try_from(to).unwrap_or(NOBODY));
    let follow = |row: u32| moved.get(row as usize).copied().unwrap_or(NOBODY);
    let mut new = Set::default();
    for from in ours {
        new.ours.push(&set.ours.entry(from)).expect("it fitted before");
        new.truth.faults.push(set.truth.faults[from as usize]);
    }
    for from in theirs {
        new.theirs.push(&set.theirs.entry(from)).expect("it fitted before");
        new.truth.line_of.push(follow(set.truth.line_of[from as usize]));
        new.truth.copy_of.push(follow(set.truth.copy_of[from as usize]));
    }
    new
}
