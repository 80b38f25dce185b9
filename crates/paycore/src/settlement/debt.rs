//! What a merchant owes: when it is told of it, and that nothing is paid out meanwhile.

use super::Plan;
use crate::money::Money;
use crate::time::Timestamp;

/// After how many days of debt the merchant is told again.
pub const NOTICES: [u32; 3] = [7, 14, 30];

/// Payouts in a currency are paused because the merchant owes in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{owed} are owed since {since}: payouts in this currency go on once a settlement closes without a debt"
)]
pub struct Paused {
    /// What the last statement closed with, positive.
    pub owed: Money,
    /// The day since which there is a debt.
    pub since: crate::calendar::Date,
}

impl Plan {
    /// Whether money may be paid out.
    ///
    /// # Errors
    /// [`Paused`] while the last statement closed below zero.
    pub fn pays_out(&self) -> Result<(), Paused> {
        match self.negative_since {
            Some(since) => {
                Err(Paused { owed: Money::new(self.carried.saturating_neg(), self.currency), since })
            }
            None => Ok(()),
        }
    }

    /// When the merchant is told of its debt next: at the end of the seventh, fourteenth and thirtieth day of it.
    pub fn next_notice(&self) -> Option<Timestamp> {
        NOTICES.into_iter().find(|days| *days > self.overdue_days).and_then(|days| self.notice_at(days))
    }

    /// The notice that is due: of those whose days are over and that were not told, the last.
    pub fn notice_due(&self, now: Timestamp) -> Option<u32> {
        let is_due = |days: &u32| self.notice_at(*days).is_some_and(|at| at <= now);
        NOTICES.into_iter().rev().find(is_due).filter(|days| *days > self.overdue_days)
    }

    fn notice_at(&self, days: u32) -> Option<Timestamp> {
        let days = i32::try_from(days).ok()?;
        self.negative_since.map(|since| self.terms.day_end(since.plus_days(days)))
    }
}
