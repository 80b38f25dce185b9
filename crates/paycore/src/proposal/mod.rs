//! Proposals (经办与复核): what one key proposes and another decides about. Adjustments and corrections are proposals with an
//! effect of their own; who may decide, until when, and that what is approved is what was proposed, stands here.
//!
//! The effect is hashed when it is proposed and compared when it is carried out. The one who proposed may take it back,
//! but not approve it. Nobody's decision in a week ends it.

pub mod state;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use state::{Illegal, ProposalEvent, ProposalStatus};

use crate::error::{Code, Error};
use crate::order::input::Moment;
use crate::time::Timestamp;

/// How long a proposal waits for a decision.
pub const LIFE: Duration = Duration::from_secs(7 * 86_400);

/// What is proposed and decided, whatever its effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proposal {
    /// Where it stands.
    pub status: ProposalStatus,
    /// Why, in words.
    pub reason: String,
    /// Hex SHA-256 over the effect and what it is about: what is approved and what is executed.
    pub effect_hash: String,
    /// The key that proposed it.
    pub maker: String,
    /// The key that decided.
    pub checker: Option<String>,
    /// What was said on deciding.
    pub decision: Option<String>,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// When it can no longer be approved.
    pub expires_at: Timestamp,
    /// When a worker looks at it next, wall clock; zero for never.
    pub due_at: Timestamp,
}

/// Why a proposal may not be approved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The maker is no checker.
    #[error("whoever proposed it may not approve it; another key has to")]
    SamePerson,
    /// It is decided or over.
    #[error("it is `{}`; propose a new one", .0.text())]
    Decided(ProposalStatus),
    /// What it is about is not as it was.
    #[error("what it is about has changed since it was proposed; propose it again")]
    Changed,
}

impl Proposal {
    /// A proposal that waits for a decision.
    pub fn new(maker: String, reason: String, effect_hash: String, moment: Moment) -> Proposal {
        let expires_at = moment.now.plus(LIFE);
        Proposal {
            status: ProposalStatus::Proposed,
            reason,
            effect_hash,
            maker,
            checker: None,
            decision: None,
            created_at: moment.now,
            decided_at: None,
            expires_at,
            due_at: moment.due(expires_at),
        }
    }

    /// Approves it, where `effect_hash` over what it is about now is the one that was proposed; none where that cannot be
    /// done any more.
    ///
    /// # Errors
    /// [`Forbidden`], which says what to do.
    pub fn approve(
        &mut self,
        checker: &str,
        effect_hash: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Forbidden> {
        let status =
            self.status.apply(ProposalEvent::Approve).map_err(|_| Forbidden::Decided(self.status))?;
        if now >= self.expires_at {
            return Err(Forbidden::Decided(ProposalStatus::Expired));
        }
        if checker == self.maker {
            return Err(Forbidden::SamePerson);
        }
        if effect_hash != Some(self.effect_hash.as_str()) {
            return Err(Forbidden::Changed);
        }
        self.decided(status, Some(checker), None, now);
        Ok(())
    }

    /// Refuses it; whoever proposed it may take it back so.
    ///
    /// # Errors
    /// [`Illegal`] where it is decided.
    pub fn reject(&mut self, checker: &str, reason: String, now: Timestamp) -> Result<(), Illegal> {
        let status = self.status.apply(ProposalEvent::Reject)?;
        self.decided(status, Some(checker), Some(reason), now);
        Ok(())
    }

    /// Ends it where its time is over, and says so; else sets anew when it is looked at.
    pub fn expire(&mut self, moment: Moment) -> bool {
        match self.status.apply(ProposalEvent::Expire) {
            Ok(_) if moment.now < self.expires_at => self.due_at = moment.due(self.expires_at),
            Ok(status) => {
                self.decided(status, None, None, moment.now);
                return true;
            }
            Err(_) => self.due_at = Timestamp::ZERO,
        }
        false
    }

    fn decided(
        &mut self,
        status: ProposalStatus,
        checker: Option<&str>,
        decision: Option<String>,
        now: Timestamp,
    ) {
        self.status = status;
        self.checker = checker.map(str::to_owned);
        self.decision = decision;
        self.decided_at = Some(now);
        self.due_at = Timestamp::ZERO;
    }
}

impl From<Forbidden> for Error {
    fn from(forbidden: Forbidden) -> Self {
        let code = match forbidden {
            Forbidden::SamePerson => Code::Forbidden,
            Forbidden::Decided(_) | Forbidden::Changed => Code::StateNotAllowed,
        };
        Error::new(code, format!("Not approved: {forbidden}."))
    }
}

impl From<Illegal> for Error {
    fn from(illegal: Illegal) -> Self {
        Error::new(Code::StateNotAllowed, format!("Not possible: {illegal}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        let now = Timestamp::from_secs(1_000).plus(Duration::from_secs(seconds));
        Moment { now, wall: now }
    }

    fn proposed() -> Proposal {
        Proposal::new("key_maker".into(), "the bank's fee".into(), "h".into(), at(0))
    }

    #[test]
    fn another_key_approves_in_time_what_was_proposed_and_nothing_else() {
        let week = LIFE.as_secs();
        for (checker, hash, after, expected) in [
            ("key_boss", Some("h"), week - 1, Ok(())),
            ("key_maker", Some("h"), 1, Err(Forbidden::SamePerson)),
            ("key_boss", Some("i"), 1, Err(Forbidden::Changed)),
            ("key_boss", None, 1, Err(Forbidden::Changed)),
            ("key_boss", Some("h"), week, Err(Forbidden::Decided(ProposalStatus::Expired))),
        ] {
            let mut proposal = proposed();
            assert_eq!(
                proposal.approve(checker, hash, at(after).now),
                expected,
                "{checker} {hash:?} {after}"
            );
            let is_done = proposal.status == ProposalStatus::Executed && proposal.checker.is_some();
            assert_eq!(is_done, expected.is_ok());
            assert_eq!(proposal == proposed(), expected.is_err(), "what is refused changes nothing");
        }
    }

    #[test]
    fn the_one_who_proposed_takes_it_back_and_nothing_is_decided_twice() {
        let mut proposal = proposed();
        proposal.reject("key_maker", "wrong".into(), at(1).now).unwrap();
        assert_eq!((proposal.status, proposal.due_at), (ProposalStatus::Rejected, Timestamp::ZERO));
        assert!(proposal.reject("key_boss", "again".into(), at(2).now).is_err());
        let approved = proposal.approve("key_boss", Some("h"), at(2).now);
        assert_eq!(approved, Err(Forbidden::Decided(ProposalStatus::Rejected)));
        assert!(!proposal.expire(at(LIFE.as_secs())));
    }

    #[test]
    fn nobodys_decision_ends_it_after_its_time_and_not_before() {
        let mut proposal = proposed();
        assert!(!proposal.expire(at(LIFE.as_secs() - 1)));
        assert_eq!((proposal.status, proposal.due_at), (ProposalStatus::Proposed, at(LIFE.as_secs()).now));
        assert!(proposal.expire(at(LIFE.as_secs())));
        assert_eq!(
            (proposal.status, proposal.checker, proposal.due_at),
            (ProposalStatus::Expired, None, Timestamp::ZERO)
        );
    }
}
