//! The life of a settlement as one table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a settlement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettlementStatus {
    /// Its items are being taken.
    Collecting,
    /// Closed; its payout can be made.
    Ready,
    /// Closed; nothing is paid, the balance is carried into the next one.
    Carried,
    /// Closed; what it pays waits to be converted into the currency of the payout.
    Converting,
    /// Its payout is on its way.
    Paying,
    /// Its payout has arrived.
    Paid,
}

/// What can happen to a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SettlementEvent {
    /// It is closed with something to pay.
    CloseToPay,
    /// It is closed and everything is carried.
    CloseToCarry,
    /// It is closed with something to convert before it can be paid.
    CloseToConvert,
    /// What it pays was converted.
    Convert,
    /// A payout takes it up.
    Pay,
    /// The payout has arrived.
    Arrive,
    /// The payout failed, was withdrawn, or came back.
    Return,
}

/// An event that cannot happen in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a settlement that is {} cannot {event:?}", state.text())]
pub struct Illegal {
    /// The state.
    pub state: SettlementStatus,
    /// The event.
    pub event: SettlementEvent,
}

impl SettlementStatus {
    /// Every state, in order of life.
    pub const ALL: &'static [SettlementStatus] = &[
        SettlementStatus::Collecting,
        SettlementStatus::Ready,
        SettlementStatus::Carried,
        SettlementStatus::Converting,
        SettlementStatus::Paying,
        SettlementStatus::Paid,
    ];

    /// The word used in the API.
    pub const fn text(self) -> &'static str {
        match self {
            SettlementStatus::Collecting => "collecting",
            SettlementStatus::Ready => "ready",
            SettlementStatus::Carried => "carried",
            SettlementStatus::Converting => "converting",
            SettlementStatus::Paying => "paying",
            SettlementStatus::Paid => "paid",
        }
    }

    /// The Chinese word.
    pub const fn text_zh(self) -> &'static str {
        match self {
            SettlementStatus::Collecting => "归集中",
            SettlementStatus::Ready => "待出款",
            SettlementStatus::Carried => "结转",
            SettlementStatus::Converting => "待换汇",
            SettlementStatus::Paying => "出款中",
            SettlementStatus::Paid => "已出款",
        }
    }

    /// Where an event leads.
    ///
    /// # Errors
    /// [`Illegal`] where it cannot happen.
    pub const fn apply(self, event: SettlementEvent) -> Result<SettlementStatus, Illegal> {
        use SettlementEvent as E;
        use SettlementStatus as S;
        match (self, event) {
            (S::Collecting, E::CloseToPay) => Ok(S::Ready),
            (S::Collecting, E::CloseToCarry) => Ok(S::Carried),
            (S::Collecting, E::CloseToConvert) => Ok(S::Converting),
            (S::Converting, E::Convert) => Ok(S::Ready),
            (S::Ready, E::Pay) => Ok(S::Paying),
            (S::Paying, E::Arrive) => Ok(S::Paid),
            (S::Paying | S::Paid, E::Return) => Ok(S::Ready),
            (state, event) => Err(Illegal { state, event }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SettlementEvent::{Arrive, CloseToCarry, CloseToConvert, CloseToPay, Convert, Pay, Return};
    use super::SettlementStatus::{Carried, Collecting, Converting, Paid, Paying, Ready};
    use super::*;

    #[test]
    fn every_pair_leads_where_the_table_says() {
        let legal = [
            (Collecting, CloseToPay, Ready),
            (Collecting, CloseToCarry, Carried),
            (Collecting, CloseToConvert, Converting),
            (Converting, Convert, Ready),
            (Ready, Pay, Paying),
            (Paying, Arrive, Paid),
            (Paying, Return, Ready),
            (Paid, Return, Ready),
        ];
        for state in SettlementStatus::ALL {
            for event in [CloseToPay, CloseToCarry, CloseToConvert, Convert, Pay, Arrive, Return] {
                let expected = legal.iter().find(|(from, by, _)| from == state && *by == event);
                assert_eq!(state.apply(event).ok(), expected.map(|(_, _, to)| *to), "{state:?} {event:?}");
            }
        }
    }
}
