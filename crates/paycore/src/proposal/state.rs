//! The life of a proposal as one table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProposalStatus {
    /// Waits for somebody else to approve it.
    Proposed,
    /// Approved and, in the same step, booked.
    Executed,
    /// Refused by somebody.
    Rejected,
    /// Nobody decided in time.
    Expired,
}

/// What happens to a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProposalEvent {
    /// A second person agrees.
    Approve,
    /// Somebody refuses.
    Reject,
    /// Its time is over.
    Expire,
}

/// A step that the table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is `{}` already", .0.text())]
pub struct Illegal(pub ProposalStatus);

impl ProposalStatus {
    /// Every state, in order of life.
    pub const ALL: &'static [ProposalStatus] = &[
        ProposalStatus::Proposed,
        ProposalStatus::Executed,
        ProposalStatus::Rejected,
        ProposalStatus::Expired,
    ];

    /// The word used in the API and the database.
    pub const fn text(self) -> &'static str {
        match self {
            ProposalStatus::Proposed => "proposed",
            ProposalStatus::Executed => "executed",
            ProposalStatus::Rejected => "rejected",
            ProposalStatus::Expired => "expired",
        }
    }

    /// The state after an event.
    ///
    /// # Errors
    /// [`Illegal`] for what is decided.
    pub const fn apply(self, event: ProposalEvent) -> Result<ProposalStatus, Illegal> {
        match (self, event) {
            (ProposalStatus::Proposed, ProposalEvent::Approve) => Ok(ProposalStatus::Executed),
            (ProposalStatus::Proposed, ProposalEvent::Reject) => Ok(ProposalStatus::Rejected),
            (ProposalStatus::Proposed, ProposalEvent::Expire) => Ok(ProposalStatus::Expired),
            _ => Err(Illegal(self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_decided_never_changes_again() {
        for status in ProposalStatus::ALL.iter().filter(|status| **status != ProposalStatus::Proposed) {
            for event in [ProposalEvent::Approve, ProposalEvent::Reject, ProposalEvent::Expire] {
                assert_eq!(status.apply(event), Err(Illegal(*status)));
            }
        }
    }
}
