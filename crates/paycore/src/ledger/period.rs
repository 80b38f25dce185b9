//! Closed periods and the trial balance. A period is closed once, and for good: what counts for an instant in it
//! cannot be booked any more, so that the balances at its end never change.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balance, Basis, Books, Side, chart};
use crate::currency::Currency;
use crate::document::{Document, Index};
use crate::id::PeriodId;
use crate::time::Timestamp;

/// A closed period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Period {
    /// Its id.
    pub id: PeriodId,
    /// Kept by the store.
    #[serde(skip)]
    pub version: i64,
    /// Its first instant: the end of the period before; null: the beginning of the books.
    pub from: Option<Timestamp>,
    /// Its end, the first instant after it.
    pub until: Timestamp,
    /// When it was closed.
    pub closed_at: Timestamp,
    /// Who closed it.
    pub closed_by: String,
}

/// Why a period cannot be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CloseError {
    /// Its end has not come.
    #[error("a period can be closed only after its end")]
    Future,
    /// It ends where the books are closed already.
    #[error("the books are closed until {0} already")]
    Closed(Timestamp),
}

impl Period {
    /// The period from where the books are closed to `until`, and the books after it.
    ///
    /// # Errors
    /// [`CloseError`] where its end has not come or does not lie after the last one.
    pub fn close(
        books: Books,
        until: Timestamp,
        now: Timestamp,
        id: PeriodId,
        closed_by: &str,
    ) -> Result<(Period, Books), CloseError> {
        if until > now {
            return Err(CloseError::Future);
        }
        if until <= books.closed_until {
            return Err(CloseError::Closed(books.closed_until));
        }
        let from = (books.version > 0).then_some(books.closed_until);
        let period = Period { id, version: 0, from, until, closed_at: now, closed_by: closed_by.to_owned() };
        Ok((period, Books { closed_until: until, ..books }))
    }
}

impl Document for Period {
    type Id = PeriodId;
    const KIND: &'static str = "period";

    fn id(&self) -> PeriodId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn set_version(&mut self, version: i64) {
        self.version = version;
    }

    fn index(&self) -> Index {
        let number = Some(self.until.micros().to_string());
        Index { number, at: self.until, ..Index::new("closed") }
    }
}

/// Every account's balance on the side on which it stands, and the totals of both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TrialBalance {
    /// Always `trial_balance`.
    pub object: &'static str,
    /// The instant; what was booked at it counts.
    pub at: Timestamp,
    /// Which of a booking's two instants counts.
    pub basis: Basis,
    /// The totals, one row per currency; both sides are equal.
    pub totals: Vec<TrialTotal>,
    /// The accounts.
    pub lines: Vec<TrialLine>,
}

/// The totals in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TrialTotal {
    /// ISO 4217.
    pub currency: Currency,
    /// The sum of all debit balances, minor units.
    pub debit: i128,
    /// The sum of all credit balances, minor units.
    pub credit: i128,
    /// Whether they are equal.
    pub balanced: bool,
}

/// One account: one of the two amounts is zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TrialLine {
    /// The account.
    pub account: String,
    /// Its name in English; empty where the chart does not have it.
    pub title: &'static str,
    /// Its name in Chinese.
    pub title_zh: &'static str,
    /// ISO 4217.
    pub currency: Currency,
    /// What stands on the debit side, minor units.
    pub debit: i64,
    /// What stands on the credit side, minor units.
    pub credit: i64,
}

/// The trial balance of these balances.
pub fn trial_balance(balances: &[Balance], at: Timestamp, basis: Basis) -> TrialBalance {
    let lines: Vec<TrialLine> = balances.iter().map(trial_line).collect();
    let mut sums: BTreeMap<&str, (Currency, i128, i128)> = BTreeMap::new();
    for line in &lines {
        let sum = sums.entry(line.currency.code()).or_insert((line.currency, 0, 0));
        sum.1 += i128::from(line.debit);
        sum.2 += i128::from(line.credit);
    }
    let totals = sums
        .into_values()
        .map(|(currency, debit, credit)| TrialTotal { currency, debit, credit, balanced: debit == credit })
        .collect();
    TrialBalance { object: "trial_balance", at, basis, totals, lines }
}

fn trial_line(balance: &Balance) -> TrialLine {
    let kind = chart::kind(&balance.account);
    let net = balance.on(Side::Debit);
    TrialLine {
        account: balance.account.clone(),
        title: kind.map_or("", |kind| kind.title),
        title_zh: kind.map_or("", |kind| kind.title_zh),
        currency: balance.currency,
        debit: net.max(0),
        credit: (-net).max(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_begins_where_the_last_one_ended_and_ends_before_now() {
        let (id, now) = (PeriodId::from_bits(1), Timestamp::from_secs(100));
        let close = |books, until| Period::close(books, Timestamp::from_secs(until), now, id, "key_1");
        assert_eq!(close(Books::default(), 101), Err(CloseError::Future));
        let (first, books) = close(Books::default(), 50).unwrap();
        assert_eq!((first.from, books.closed_until), (None, Timestamp::from_secs(50)));
        let books = Books { version: 1, ..books };
        assert_eq!(close(books, 50), Err(CloseError::Closed(Timestamp::from_secs(50))));
        let (second, books) = close(books, 100).unwrap();
        assert_eq!((second.from, books.version), (Some(Timestamp::from_secs(50)), 1));
    }

    #[test]
    fn a_trial_balance_shows_each_account_on_its_side_and_equal_totals() {
        let balance = |account: &str, debits, credits| Balance {
            account: account.into(),
            currency: Currency::CNY,
            debits,
            credits,
            version: 0,
            overdraft: None,
            frozen: false,
        };
        let balances = [balance("channel_receivable:alipay", 100, 30), balance("merchant_pending", 30, 100)];
        let trial = trial_balance(&balances, Timestamp::ZERO, Basis::Booked);
        let sides: Vec<_> = trial.lines.iter().map(|line| (line.title_zh, line.debit, line.credit)).collect();
        assert_eq!(sides, [("应收渠道款", 70, 0), ("商户待结算", 0, 70)]);
        let total = TrialTotal { currency: Currency::CNY, debit: 70, credit: 70, balanced: true };
        assert_eq!(trial.totals, [total]);
    }
}
