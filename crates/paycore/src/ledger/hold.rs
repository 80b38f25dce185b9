//! Holds: money of a merchant that stays where it is until it is released. A hold is booked from
//! `merchant_available` to `merchant_frozen`, so that what is left can be read off the books and the floor of the
//! account keeps holds within the balance.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::currency::Currency;
use crate::document::{Document, Index};
use crate::event::{Booking, Movement, Part};
use crate::id::HoldId;
use crate::money::Money;
use crate::time::Timestamp;

/// The account that is held from.
pub const FROM: &str = "merchant_available";

/// An amount on hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// Kept by the store.
    #[serde(skip)]
    pub version: i64,
    /// What was put on hold, minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// How much of it was released, minor units.
    pub released: i64,
    /// Where it stands.
    pub status: HoldStatus,
    /// Why it is held.
    pub reason: String,
    /// When what is left is released by itself; null: never.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When a worker looks at it, wall clock; zero for never.
    #[schemars(skip)]
    pub due_at: Timestamp,
    /// How many events it had.
    #[schemars(skip)]
    pub sequence: i64,
}

/// Where a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldStatus {
    /// Some of it is on hold.
    Held,
    /// All of it was released.
    Released,
    /// Its time ran out and what was left was released.
    Expired,
}

impl HoldStatus {
    /// The word used in the API and the database.
    pub fn text(self) -> &'static str {
        match self {
            HoldStatus::Held => "held",
            HoldStatus::Released => "released",
            HoldStatus::Expired => "expired",
        }
    }
}

/// Why a hold cannot be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// It is over.
    #[error("the hold is {}", .0.text())]
    Over(HoldStatus),
    /// More than is left, zero or less.
    #[error("between 1 and {left} minor units can be released")]
    Amount {
        /// What is on hold, minor units.
        left: i64,
    },
}

impl Hold {
    /// What is on hold, minor units.
    pub fn left(&self) -> i64 {
        self.amount - self.released
    }

    /// How it is booked when it is made.
    pub fn booking(&self) -> Booking {
        Booking::new(Movement::Hold, Part::Gross, Money::new(self.amount, self.currency))
    }

    /// Releases an amount, or all that is left; says how that is booked.
    ///
    /// # Errors
    /// [`ReleaseError`] where it is over or does not hold this much.
    pub fn release(&mut self, amount: Option<i64>, now: Timestamp) -> Result<Booking, ReleaseError> {
        if self.status != HoldStatus::Held {
            return Err(ReleaseError::Over(self.status));
        }
        let left = self.left();
        let amount = amount.unwrap_or(left);
        if amount <= 0 || amount > left {
            return Err(ReleaseError::Amount { left });
        }
        self.released += amount;
        self.updated_at = now;
        if self.left() == 0 {
            self.status = HoldStatus::Released;
            self.due_at = Timestamp::ZERO;
        }
        Ok(Booking::new(Movement::HoldRelease, Part::Gross, Money::new(amount, self.currency)))
    }

    /// Releases what is left where its time has run out; says how that is booked.
    pub fn expire(&mut self, now: Timestamp) -> Option<Booking> {
        if self.expires_at.is_none_or(|at| at > now) {
            return None;
        }
        let booking = self.release(None, now).ok()?;
        self.status = HoldStatus::Expired;
        Some(booking)
    }
}

impl Document for Hold {
    type Id = HoldId;
    const KIND: &'static str = "hold";

    fn id(&self) -> HoldId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn set_version(&mut self, version: i64) {
        self.version = version;
    }

    fn index(&self) -> Index {
        Index { at: self.created_at, due_at: self.due_at, ..Index::new(self.status.text()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_secs(1_000);

    fn hold() -> Hold {
        Hold {
            id: HoldId::from_bits(1),
            version: 0,
            amount: 100,
            currency: Currency::CNY,
            released: 0,
            status: HoldStatus::Held,
            reason: "court order".into(),
            expires_at: Some(Timestamp::from_secs(2_000)),
            created_at: AT,
            updated_at: AT,
            due_at: Timestamp::from_secs(2_000),
            sequence: 0,
        }
    }

    #[test]
    fn parts_are_released_until_nothing_is_left_and_never_more() {
        let mut hold = hold();
        assert_eq!(hold.release(Some(101), AT), Err(ReleaseError::Amount { left: 100 }));
        assert_eq!(hold.release(Some(0), AT), Err(ReleaseError::Amount { left: 100 }));
        assert_eq!(hold.release(Some(30), AT).unwrap().parts[0].1.minor(), 30);
        assert_eq!((hold.left(), hold.status), (70, HoldStatus::Held));
        assert_eq!(hold.release(None, AT).unwrap().parts[0].1.minor(), 70);
        assert_eq!((hold.left(), hold.status, hold.due_at), (0, HoldStatus::Released, Timestamp::ZERO));
        assert_eq!(hold.release(None, AT), Err(ReleaseError::Over(HoldStatus::Released)));
    }

    #[test]
    fn a_hold_runs_out_at_its_time_and_not_before() {
        let mut hold = hold();
        assert_eq!(hold.expire(Timestamp::from_secs(1_999)), None);
        assert_eq!(hold.expire(Timestamp::from_secs(2_000)).unwrap().movement, Movement::HoldRelease);
        assert_eq!((hold.status, hold.left()), (HoldStatus::Expired, 0));
        assert_eq!(hold.expire(Timestamp::from_secs(3_000)), None);
        let mut forever = Hold { expires_at: None, ..super::tests::hold() };
        assert_eq!(forever.expire(Timestamp::MAX), None);
    }
}
