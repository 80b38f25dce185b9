//! Where a payout stands, as one pure function over one table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every value, in order of life.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];
            /// The word used in the API and the database.
            pub fn text(self) -> &'static str { match self { $($name::$variant => $text,)* } }
        }
    };
}

words! {
    /// Where a payout stands.
    PayoutStatus {
        /// Made, its money set aside; nobody has looked at it.
        Draft "draft",
        /// Looked at by somebody else than its author.
        Reviewed "reviewed",
        /// Approved as often as it needs; a payout by bank waits here for its batch.
        Approved "approved",
        /// Durable before the request goes out, or in a file for the bank; the outcome is open.
        Submitted "submitted",
        /// The channel's answer is lost or not understood. Only a query leads on.
        Unknown "unknown",
        /// The beneficiary has it.
        Paid "paid",
        /// A definite no; the money is available again.
        Failed "failed",
        /// It was paid, and the bank sent it back.
        Returned "returned",
        /// Withdrawn, rejected or never approved; the money is available again.
        Cancelled "cancelled",
    }
}

words! {
    /// What can happen to a payout.
    PayoutEvent {
        /// Somebody looked at it.
        Review "review",
        /// The last approval it needs.
        Approve "approve",
        /// It is about to go out.
        Submit "submit",
        /// The channel's answer is missing or not understood.
        Lose "lose",
        /// The channel works on it.
        Pend "pend",
        /// The beneficiary has it.
        Pay "pay",
        /// A definite no.
        Fail "fail",
        /// The bank sent it back.
        Return "return",
        /// Withdrawn, rejected or too late.
        Cancel "cancel",
    }
}

impl PayoutStatus {
    /// The state after an event; none where the event cannot happen to what stands here.
    pub fn apply(self, event: PayoutEvent) -> Option<PayoutStatus> {
        use PayoutEvent as E;
        use PayoutStatus as S;
        Some(match (self, event) {
            (S::Draft, E::Review) => S::Reviewed,
            (S::Reviewed, E::Approve) => S::Approved,
            (S::Approved, E::Submit) => S::Submitted,
            (S::Draft | S::Reviewed | S::Approved, E::Cancel) => S::Cancelled,
            (S::Submitted | S::Unknown, E::Lose) => S::Unknown,
            (S::Submitted | S::Unknown, E::Pend) => S::Submitted,
            (S::Submitted | S::Unknown, E::Pay) => S::Paid,
            (S::Submitted | S::Unknown, E::Fail) => S::Failed,
            (S::Paid, E::Return) => S::Returned,
            _ => return None,
        })
    }

    /// Whether the outcome of something that went out is open.
    pub fn is_out(self) -> bool {
        matches!(self, PayoutStatus::Submitted | PayoutStatus::Unknown)
    }

    /// Whether it still takes a decision of a person before it goes out.
    pub fn is_waiting(self) -> bool {
        matches!(self, PayoutStatus::Draft | PayoutStatus::Reviewed | PayoutStatus::Approved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_an_end_but_a_return_of_what_was_paid() {
        use PayoutStatus as S;
        for end in [S::Failed, S::Returned, S::Cancelled] {
            assert!(PayoutEvent::ALL.iter().all(|event| end.apply(*event).is_none()), "{end:?}");
        }
        let ways: Vec<_> = PayoutEvent::ALL.iter().filter_map(|event| S::Paid.apply(*event)).collect();
        assert_eq!(ways, [S::Returned]);
    }

    #[test]
    fn what_went_out_is_never_cancelled_and_what_was_not_submitted_is_never_paid() {
        for status in PayoutStatus::ALL {
            let cancelled = status.apply(PayoutEvent::Cancel).is_some();
            assert_eq!(cancelled, status.is_waiting(), "{status:?}");
            let paid = status.apply(PayoutEvent::Pay).is_some();
            assert_eq!(paid, status.is_out(), "{status:?}");
            assert_eq!(status.apply(PayoutEvent::Fail).is_some(), status.is_out(), "{status:?}");
        }
    }

    #[test]
    fn the_way_to_the_bank_leads_through_review_and_approval() {
        let steps = [PayoutEvent::Review, PayoutEvent::Approve, PayoutEvent::Submit, PayoutEvent::Pay];
        let end = steps.iter().try_fold(PayoutStatus::Draft, |status, event| status.apply(*event));
        assert_eq!(end, Some(PayoutStatus::Paid));
        assert!(PayoutStatus::Draft.apply(PayoutEvent::Approve).is_none());
        assert!(PayoutStatus::Reviewed.apply(PayoutEvent::Submit).is_none());
    }
}
