//! The states of a dispute: one pure function over one match table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::order::state::Illegal;

/// Where a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// Waits for the merchant's evidence or acceptance.
    NeedsResponse,
    /// The channel decides.
    UnderReview,
    /// The merchant accepted it; the money stays with the payer.
    Accepted,
    /// Decided for the merchant; the money came back.
    Won,
    /// Decided for the merchant in part.
    PartiallyWon,
    /// Decided for the payer, or the deadline passed.
    Lost,
}

/// What can happen to a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisputeEvent {
    /// Evidence is submitted.
    Submit,
    /// The merchant accepts it.
    Accept,
    /// The deadline passed without evidence.
    Expire,
    /// The channel decides for the merchant.
    Win,
    /// The channel decides for the merchant in part.
    WinPart,
    /// The channel decides for the payer.
    Lose,
}

impl DisputeStatus {
    /// Every value, in order of life.
    pub const ALL: &'static [DisputeStatus] = &[
        DisputeStatus::NeedsResponse,
        DisputeStatus::UnderReview,
        DisputeStatus::Accepted,
        DisputeStatus::Won,
        DisputeStatus::PartiallyWon,
        DisputeStatus::Lost,
    ];

    /// The word used in the API and the database.
    pub fn text(self) -> &'static str {
        match self {
            DisputeStatus::NeedsResponse => "needs_response",
            DisputeStatus::UnderReview => "under_review",
            DisputeStatus::Accepted => "accepted",
            DisputeStatus::Won => "won",
            DisputeStatus::PartiallyWon => "partially_won",
            DisputeStatus::Lost => "lost",
        }
    }

    /// The state after an event. A decision may come while evidence is still awaited: the payer gave up, or the channel
    /// did not wait. A loss that is said again changes nothing.
    pub fn apply(self, event: DisputeEvent) -> Result<DisputeStatus, Illegal> {
        use DisputeEvent as E;
        use DisputeStatus as S;
        match (self, event) {
            (S::NeedsResponse, E::Submit) => Ok(S::UnderReview),
            (S::NeedsResponse, E::Accept) => Ok(S::Accepted),
            (S::NeedsResponse, E::Expire) => Ok(S::Lost),
            (S::NeedsResponse | S::UnderReview, E::Win) => Ok(S::Won),
            (S::NeedsResponse | S::UnderReview, E::WinPart) => Ok(S::PartiallyWon),
            (S::NeedsResponse | S::UnderReview, E::Lose) => Ok(S::Lost),
            (S::Accepted | S::Lost, E::Lose) | (S::Won, E::Win) => Ok(self),
            (state, event) => Err(Illegal { state: state.text(), event: event.text() }),
        }
    }

    /// Whether it is over.
    pub fn is_final(self) -> bool {
        !matches!(self, DisputeStatus::NeedsResponse | DisputeStatus::UnderReview)
    }
}

impl DisputeEvent {
    /// Every value.
    pub const ALL: &'static [DisputeEvent] = &[
        DisputeEvent::Submit,
        DisputeEvent::Accept,
        DisputeEvent::Expire,
        DisputeEvent::Win,
        DisputeEvent::WinPart,
        DisputeEvent::Lose,
    ];

    /// The word used in errors.
    pub fn text(self) -> &'static str {
        match self {
            DisputeEvent::Submit => "submit",
            DisputeEvent::Accept => "accept",
            DisputeEvent::Expire => "expire",
            DisputeEvent::Win => "win",
            DisputeEvent::WinPart => "win_part",
            DisputeEvent::Lose => "lose",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns: submit accept expire win win_part lose; `-` is refused.
    const TABLE: &[(&str, &str)] = &[
        ("needs_response", "under_review accepted lost won partially_won lost"),
        ("under_review", "- - - won partially_won lost"),
        ("accepted", "- - - - - accepted"),
        ("won", "- - - won - -"),
        ("partially_won", "- - - - - -"),
        ("lost", "- - - - - lost"),
    ];

    #[test]
    fn every_pair_of_state_and_event_leads_where_the_table_says() {
        assert_eq!(TABLE.len(), DisputeStatus::ALL.len());
        for ((from, row), state) in TABLE.iter().zip(DisputeStatus::ALL) {
            assert_eq!(*from, state.text());
            let cells: Vec<_> = row.split(' ').collect();
            assert_eq!(cells.len(), DisputeEvent::ALL.len());
            for (event, cell) in DisputeEvent::ALL.iter().zip(cells) {
                let got = state.apply(*event).map_or("-", DisputeStatus::text);
                assert_eq!(got, cell, "{from} + {}", event.text());
            }
        }
    }
}
