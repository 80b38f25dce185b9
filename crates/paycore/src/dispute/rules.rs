//! Pure decisions about disputes.

use std::time::Duration;

use super::state::{DisputeEvent, DisputeStatus};
use super::{Dispute, Reason};
use crate::id::DisputeId;
use crate::money::Money;
use crate::order::input::Moment;
use crate::order::state::Illegal;
use crate::order::{Attempt, Order};
use crate::time::Timestamp;

/// How long before the deadline somebody is told.
const REMIND_BEFORE: Duration = Duration::from_secs(24 * 3600);

/// A dispute with the order whose money it moves.
#[derive(Debug, Clone, PartialEq)]
pub struct Disputed {
    /// The order.
    pub order: Order,
    /// The dispute.
    pub dispute: Dispute,
}

/// What the channel says when it opens a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The channel's number of the case.
    pub number: Option<String>,
    /// Why.
    pub reason: Reason,
    /// What the payer wants back.
    pub money: Money,
    /// What the channel charges for the case.
    pub fee: Money,
    /// Until when evidence has to be there.
    pub respond_by: Timestamp,
}

/// How the channel decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// For the merchant.
    Won,
    /// For the merchant, with this much given back.
    WonInPart(Money),
    /// For the payer.
    Lost,
}

/// What the books have to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// Nothing.
    Nothing,
    /// The channel took this, and charges the fee.
    Taken {
        /// Charged back.
        principal: Money,
        /// For the case.
        fee: Money,
    },
    /// The channel gave this back.
    GivenBack(Money),
}

/// Why a decision is not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// The state does not allow it.
    #[error(transparent)]
    State(#[from] Illegal),
    /// It gives back more than was taken, or nothing, or another currency.
    #[error("{given} cannot be given back of {taken} that were taken")]
    Amount {
        /// What the channel says it gives back.
        given: Money,
        /// What it took.
        taken: Money,
    },
}

impl Disputed {
    /// Opens a case. The channel takes the money at once; what it takes beyond what is left of the order is not charged
    /// to it, and the caller tells a person about it (see [`Disputed::excess`]).
    pub fn open(
        id: DisputeId,
        mut order: Order,
        attempt: &Attempt,
        claim: Claim,
        moment: Moment,
    ) -> (Disputed, Moved) {
        let charged_back = claim.money.minor().min(order.refundable());
        order.charged_back += charged_back;
        order.updated_at = moment.now;
        let mut dispute = Dispute {
            id,
            version: 0,
            order_id: order.id,
            attempt_id: attempt.id,
            channel: attempt.channel.clone(),
            number: claim.number.unwrap_or_else(|| id.to_string()),
            reason: claim.reason,
            status: DisputeStatus::NeedsResponse,
            money: claim.money,
            charged_back,
            recovered: 0,
            fee: claim.fee,
            respond_by: claim.respond_by,
            reminded: false,
            statement: None,
            evidence: Vec::new(),
            submitted_at: None,
            decided_at: None,
            created_at: moment.now,
            updated_at: moment.now,
            sequence: 0,
            due_at: Timestamp::ZERO,
        };
        dispute.schedule(moment);
        let moved = Moved::Taken { principal: order.amount(charged_back), fee: claim.fee };
        (Disputed { order, dispute }, moved)
    }

    /// What the channel wants beyond what was left of the order.
    pub fn excess(&self) -> Money {
        self.order.amount(self.dispute.money.minor() - self.dispute.charged_back)
    }

    /// Takes in the channel's decision. One that was taken in before changes nothing.
    pub fn decide(&mut self, decision: Decision, moment: Moment) -> Result<Moved, Contradiction> {
        let taken = self.order.amount(self.dispute.charged_back);
        let (event, given) = match decision {
            Decision::Won => (DisputeEvent::Win, taken),
            Decision::WonInPart(given) if given == taken => (DisputeEvent::Win, taken),
            Decision::WonInPart(given) => (DisputeEvent::WinPart, given),
            Decision::Lost => (DisputeEvent::Lose, self.order.amount(0)),
        };
        let before = self.dispute.status;
        let after = before.apply(event)?;
        if after == before {
            return Ok(Moved::Nothing);
        }
        let in_part =
            given.currency() == taken.currency() && given.is_positive() && given.minor() < taken.minor();
        if event == DisputeEvent::WinPart && !in_part {
            return Err(Contradiction::Amount { given, taken });
        }
        self.dispute.status = after;
        self.dispute.recovered = given.minor();
        self.dispute.decided_at = Some(moment.now);
        self.order.charged_back -= given.minor();
        self.order.updated_at = moment.now;
        self.dispute.touched(moment);
        Ok(if given.is_positive() { Moved::GivenBack(given) } else { Moved::Nothing })
    }
}

/// What has to be done about a case that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing yet.
    Wait,
    /// Tell somebody that the deadline is near.
    Remind,
    /// The deadline passed: it is lost.
    Expire,
}

impl Dispute {
    /// What the worker has to do now.
    pub fn due(&self, now: Timestamp) -> Due {
        match self.status {
            DisputeStatus::NeedsResponse if now >= self.respond_by => Due::Expire,
            DisputeStatus::NeedsResponse if !self.reminded && now >= self.remind_at() => Due::Remind,
            _ => Due::Wait,
        }
    }

    /// Applies the merchant's step or the passing of the deadline.
    pub fn step(&mut self, event: DisputeEvent, moment: Moment) -> Result<(), Illegal> {
        self.status = self.status.apply(event)?;
        match event {
            DisputeEvent::Submit => self.submitted_at = Some(moment.now),
            _ => self.decided_at = Some(moment.now),
        }
        self.touched(moment);
        Ok(())
    }

    /// Sets anew when the worker looks.
    pub fn rest(&mut self, moment: Moment) {
        self.schedule(moment);
    }

    /// Notes that somebody was told.
    pub fn remind(&mut self, moment: Moment) {
        self.reminded = true;
        self.touched(moment);
    }

    fn remind_at(&self) -> Timestamp {
        self.respond_by.minus(REMIND_BEFORE)
    }

    fn touched(&mut self, moment: Moment) {
        self.updated_at = moment.now;
        self.schedule(moment);
    }

    fn schedule(&mut self, moment: Moment) {
        self.due_at = match (self.status, self.reminded) {
            (DisputeStatus::NeedsResponse, false) => moment.due(self.remind_at().max(moment.now)),
            (DisputeStatus::NeedsResponse, true) => moment.due(self.respond_by),
            _ => Timestamp::ZERO,
        };
    }
}
