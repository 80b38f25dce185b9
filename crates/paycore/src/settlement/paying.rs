//! A settlement and the payout that takes it up.

use super::state::{Illegal, SettlementEvent};
use super::{Settlement, SettlementStatus};
use crate::id::PayoutId;
use crate::money::Money;

/// Why a payout cannot take a settlement up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unpayable {
    /// It is not ready: nothing of it is paid, or another payout is about it.
    #[error("the settlement is `{}`; only one that is `ready` can be paid", .0.text())]
    State(SettlementStatus),
    /// Another amount.
    #[error("the settlement pays {0}, all of it by one payout")]
    Amount(Money),
}

impl Settlement {
    /// Whether a payout of this amount may take it up.
    ///
    /// # Errors
    /// [`Unpayable`].
    pub fn payable(&self, money: Money) -> Result<(), Unpayable> {
        if self.status != SettlementStatus::Ready {
            return Err(Unpayable::State(self.status));
        }
        if money == self.payout() { Ok(()) } else { Err(Unpayable::Amount(self.payout())) }
    }

    /// Takes in what became of a payout. False where that is not the payout that took it up, which then says nothing of
    /// it.
    ///
    /// # Errors
    /// [`Illegal`].
    pub fn follow(&mut self, payout: PayoutId, event: SettlementEvent) -> Result<bool, Illegal> {
        if event != SettlementEvent::Pay && self.payout_id != Some(payout) {
            return Ok(false);
        }
        self.status = self.status.apply(event)?;
        self.payout_id = (event != SettlementEvent::Return).then_some(payout);
        Ok(true)
    }
}
