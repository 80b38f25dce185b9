//! Answers that do not depend on the operator.

use paycore::channel::{Decline, DeclineReason, Fault, Outcome, Refusal, Verdict};

/// A definite no that the operator gave no reason for.
pub(super) fn refused(message: &str) -> Outcome {
    Outcome::new(declined("FAIL", message))
}

/// A definite no with the operator's code. No operator publishes its codes, so there is no class of reasons.
pub(super) fn declined(code: &str, message: &str) -> Verdict {
    let reason = DeclineReason::Generic;
    Verdict::Declined(Decline { reason, code: code.to_owned(), message: message.to_owned() })
}

/// The query that should have settled an answer could not even be written.
pub(super) fn not_sent(refusal: Refusal) -> Fault {
    Fault::Unexpected(format!("the confirming query: {refusal}"))
}
