//! Where a mandate stands, as one pure function over one table.

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
    /// Where a mandate stands.
    MandateStatus {
        /// The payer has not signed it yet, as far as the channel has said.
        Pending "pending",
        /// Signed: it can be charged.
        Active "active",
        /// It is to end, and the channel has not confirmed yet that it has. It is not charged any more.
        Revoking "revoking",
        /// It was signed or revoked, and is over.
        Ended "ended",
        /// Nobody signed it in time.
        Expired "expired",
        /// The channel refused to let it be signed.
        Failed "failed",
    }
}

words! {
    /// What can happen to a mandate.
    MandateEvent {
        /// The channel says that the payer has signed it.
        Sign "sign",
        /// The channel refuses to let it be signed.
        Fail "fail",
        /// Its time to be signed is over.
        Expire "expire",
        /// It is to end.
        Revoke "revoke",
        /// The channel says that it has ended, or does not know what was to end.
        End "end",
    }
}

impl MandateStatus {
    /// The state after an event; none where the event changes nothing here.
    ///
    /// A mandate that is over is not brought back by a signature: one that was never seen signed is revoked when the payer
    /// signs it late (`Sign` on `expired` and `failed`), and what is said again of one that has ended is old.
    pub fn apply(self, event: MandateEvent) -> Option<MandateStatus> {
        use MandateEvent as E;
        use MandateStatus as S;
        Some(match (self, event) {
            (S::Pending, E::Sign) => S::Active,
            (S::Pending, E::Fail) => S::Failed,
            (S::Pending, E::Expire) => S::Expired,
            (S::Pending | S::Active, E::Revoke) | (S::Expired | S::Failed, E::Sign) => S::Revoking,
            (S::Pending | S::Active | S::Revoking, E::End) => S::Ended,
            _ => return None,
        })
    }

    /// Whether nothing more is to be asked about it.
    pub fn is_final(self) -> bool {
        matches!(self, MandateStatus::Ended | MandateStatus::Expired | MandateStatus::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_signature_makes_a_mandate_active_and_only_once() {
        for status in MandateStatus::ALL {
            for event in MandateEvent::ALL {
                let active = status.apply(*event) == Some(MandateStatus::Active);
                let signed = (*status, *event) == (MandateStatus::Pending, MandateEvent::Sign);
                assert_eq!(active, signed, "{status:?} {event:?}");
            }
        }
    }

    #[test]
    fn what_is_over_stays_over_but_for_a_late_signature_which_is_revoked() {
        for status in MandateStatus::ALL.iter().filter(|status| status.is_final()) {
            for event in MandateEvent::ALL {
                let next = status.apply(*event);
                assert!(matches!(next, None | Some(MandateStatus::Revoking)), "{status:?} {event:?}");
            }
        }
        assert_eq!(MandateStatus::Ended.apply(MandateEvent::Sign), None);
        assert_eq!(MandateStatus::Expired.apply(MandateEvent::Sign), Some(MandateStatus::Revoking));
    }

    #[test]
    fn what_is_being_revoked_ends_and_does_nothing_else() {
        let ways: Vec<_> =
            MandateEvent::ALL.iter().filter_map(|event| MandateStatus::Revoking.apply(*event)).collect();
        assert_eq!(ways, [MandateStatus::Ended]);
    }
}
