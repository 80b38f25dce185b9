//! The state machines of runs and breaks, each one pure function over one match table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident $text:literal $zh:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every value, in order of life.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];
            /// The word used in the API and the database.
            pub fn text(self) -> &'static str { match self { $($name::$variant => $text,)* } }
            /// The Chinese word.
            pub fn text_zh(self) -> &'static str { match self { $($name::$variant => $zh,)* } }
        }
    };
}

words! {
    /// Where a run stands.
    RunStatus {
        /// There is no file yet; it is asked for again.
        Waiting "waiting" "等待账单",
        /// Being read and compared.
        Running "running" "对账中",
        /// The file cannot be believed; nothing of it was taken in.
        Refused "refused" "账单无效",
        /// Compared; every row is matched or in the pool.
        Compared "compared" "已对账",
    }
}

words! {
    /// Where a break stands.
    BreakStatus {
        /// It may still explain itself: by tomorrow's file, or by what the channel answers.
        Pending "pending" "待核实",
        /// It has to be dealt with.
        Open "open" "待处理",
        /// Explained. What it was stays on record.
        Resolved "resolved" "已解决",
    }
}

/// What happens to a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreakEvent {
    /// Its time to explain itself is over.
    Age,
    /// It is explained.
    Resolve,
}

/// A step that the table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is `{0}` already")]
pub struct Illegal(pub &'static str);

impl BreakStatus {
    /// The state after an event.
    ///
    /// # Errors
    /// [`Illegal`] for what is resolved.
    pub fn apply(self, event: BreakEvent) -> Result<BreakStatus, Illegal> {
        match (self, event) {
            (BreakStatus::Pending | BreakStatus::Open, BreakEvent::Age) => Ok(BreakStatus::Open),
            (BreakStatus::Pending | BreakStatus::Open, BreakEvent::Resolve) => Ok(BreakStatus::Resolved),
            (BreakStatus::Resolved, _) => Err(Illegal(self.text())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_resolved_never_changes_again() {
        for event in [BreakEvent::Age, BreakEvent::Resolve] {
            assert_eq!(BreakStatus::Resolved.apply(event), Err(Illegal("resolved")));
        }
    }

    #[test]
    fn a_break_that_is_open_does_not_go_back_to_pending() {
        assert_eq!(BreakStatus::Pending.apply(BreakEvent::Age), Ok(BreakStatus::Open));
        assert_eq!(BreakStatus::Open.apply(BreakEvent::Age), Ok(BreakStatus::Open));
    }
}
