//! One side of a comparison, kept small: a million rows with their references take about 110 MB.

use std::cmp::Ordering;

use super::super::{Kind, Standing};
use crate::currency::Currency;
use crate::money::Money;
use crate::time::Timestamp;

/// No row: a place in a table of partners that is still free.
pub(super) const NONE: u32 = u32::MAX;
/// The row is part of a group.
pub(super) const GROUPED: u32 = u32::MAX - 1;
/// The longest reference of any kind, in bytes.
pub const REFERENCE_MAX: usize = 255;

/// One record of a side: what we believe happened, or what a statement says did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// What kind of movement.
    pub kind: Kind,
    /// Whether the money moved.
    pub standing: Standing,
    /// The channel's own id of this movement; empty where unknown.
    pub channel_id: &'a str,
    /// Our reference on the wire, unique per movement; empty where unknown.
    pub reference: &'a str,
    /// The merchant's number of the order, which several movements may share; empty where unknown.
    pub number: &'a str,
    /// Gross amount, positive for every kind.
    pub money: Money,
    /// What the channel keeps, minor units of the same currency; none where it is not known, and then not compared.
    pub fee: Option<i64>,
    /// When it happened.
    pub at: Timestamp,
}

/// Why a record cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// A reference is too long to be one.
    #[error("`{field}` has {len} bytes; a reference has at most {REFERENCE_MAX}")]
    TooLong {
        /// Which of them.
        field: &'static str,
        /// Its bytes.
        len: usize,
    },
    /// More rows than one comparison takes.
    #[error("more than {} rows; compare day by day", GROUPED)]
    Full,
}

/// All records of one side.
#[derive(Debug, Clone, Default)]
pub struct Book {
    texts: Vec<u8>,
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    start: u64,
    amount: i64,
    /// `i64::MIN` where it is not known: no fee is that.
    fee: i64,
    at: i64,
    lens: [u8; 3],
    currency: Currency,
    kind: Kind,
    standing: Standing,
}

/// Which reference two rows are joined by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    ChannelId,
    Reference,
    Number,
}

impl Book {
    /// An empty side with room for `rows`.
    pub fn with_capacity(rows: usize) -> Book {
        Book { texts: Vec::with_capacity(rows * 64), rows: Vec::with_capacity(rows) }
    }

    /// Adds a record and says its index, from 0.
    ///
    /// # Errors
    /// [`BookError`] for references that are too long, and past four thousand million rows.
    pub fn push(&mut self, entry: &Entry<'_>) -> Result<u32, BookError> {
        let index = u32::try_from(self.rows.len()).ok().filter(|index| *index < GROUPED);
        let index = index.ok_or(BookError::Full)?;
        let start = self.texts.len() as u64;
        let mut lens = [0; 3];
        let texts = [
            ("channel_id", entry.channel_id),
            ("reference", entry.reference),
            ("number", entry.number),
        ];
        for (len, (field, text)) in lens.iter_mut().zip(texts) {
            *len = u8::try_from(text.len()).map_err(|_| BookError::TooLong { field, len: text.len() })?;
        }
        for (_, text) in texts {
            self.texts.extend_from_slice(text.as_bytes());
        }
        self.rows.push(Row {
            start,
            amount: entry.money.minor(),
            fee: entry.fee.unwrap_or(i64::MIN),
            at: entry.at.micros(),
            lens,
            currency: entry.money.currency(),
            kind: entry.kind,
            standing: entry.standing,
        });
        Ok(index)
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The record at an index that [`Book::push`] said.
    pub fn entry(&self, index: u32) -> Entry<'_> {
        let row = self.row(index);
        Entry {
            kind: row.kind,
            standing: row.standing,
            channel_id: self.text(index, Key::ChannelId),
            reference: self.text(index, Key::Reference),
            number: self.text(index, Key::Number),
            money: Money::new(row.amount, row.currency),
            fee: self.fee(index),
            at: Timestamp::from_micros(row.at),
        }
    }

    pub(super) fn indices(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.rows.len()).expect("push keeps the number of rows below this")
    }

    fn row(&self, index: u32) -> &Row {
        &self.rows[index as usize]
    }

    pub(super) fn bytes(&self, index: u32, key: Key) -> &[u8] {
        let row = self.row(index);
        let skipped: u64 = row.lens[..key as usize].iter().map(|len| u64::from(*len)).sum();
        let start = usize::try_from(row.start + skipped).expect("what is in memory has an address");
        &self.texts[start..start + usize::from(row.lens[key as usize])]
    }

    pub(super) fn text(&self, index: u32, key: Key) -> &str {
        std::str::from_utf8(self.bytes(index, key)).expect("texts were strings when they came in")
    }

    pub(super) fn kind(&self, index: u32) -> Kind {
        self.row(index).kind
    }

    pub(super) fn standing(&self, index: u32) -> Standing {
        self.row(index).standing
    }

    pub(super) fn amount(&self, index: u32) -> i64 {
        self.row(index).amount
    }

    pub(super) fn currency(&self, index: u32) -> Currency {
        self.row(index).currency
    }

    pub(super) fn fee(&self, index: u32) -> Option<i64> {
        Some(self.row(index).fee).filter(|fee| *fee != i64::MIN)
    }

    /// Microseconds since the epoch.
    pub(super) fn at(&self, index: u32) -> i64 {
        self.row(index).at
    }

    /// Orders rows by everything they hold, so that no result depends on the order in which they came.
    pub(super) fn compare(&self, left: u32, right: u32) -> Ordering {
        let facts = |index| {
            let row = self.row(index);
            (row.at, row.kind, row.currency, row.amount, row.fee, row.standing)
        };
        let texts =
            |index| [Key::ChannelId, Key::Reference, Key::Number].map(|key| self.bytes(index, key));
        facts(left).cmp(&facts(right)).then_with(|| texts(left).cmp(&texts(right)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_was_put_in() {
        let entry = Entry {
            kind: Kind::Refund,
            standing: Standing::Open,
            channel_id: "4200",
            reference: "",
            number: "订单7",
            money: Money::new(1234, Currency::CNY),
            fee: Some(-7),
            at: Timestamp::from_secs(5),
        };
        let mut book = Book::default();
        let first = book.push(&Entry { fee: None, ..entry }).unwrap();
        let second = book.push(&entry).unwrap();
        assert_eq!((book.entry(first).fee, book.entry(second)), (None, entry));
        assert_eq!(book.compare(first, second), Ordering::Less);
    }

    #[test]
    fn a_reference_that_is_too_long_names_its_field() {
        let long = "x".repeat(256);
        let entry = Entry {
            kind: Kind::Payment,
            standing: Standing::Done,
            channel_id: "",
            reference: &long,
            number: "",
            money: Money::new(1, Currency::CNY),
            fee: None,
            at: Timestamp::ZERO,
        };
        let refused = Book::default().push(&entry);
        assert_eq!(refused, Err(BookError::TooLong { field: "reference", len: 256 }));
    }
}
