//! The card of a payment, for adapters of channels that take one.

use paycore::channel::{Card, Pay, Refusal};

/// The card that the method wants, and no other.
pub(crate) fn wanted(pay: &Pay) -> Result<Option<&Card>, Refusal> {
    let wrong = |detail: &str| Refusal::Parameter { param: "card", detail: detail.to_owned() };
    match (pay.card.as_deref(), pay.method.takes_card()) {
        (None, true) => Err(wrong("is needed")),
        (Some(_), false) => Err(wrong("is not taken by this method")),
        (card, _) => Ok(card),
    }
}
