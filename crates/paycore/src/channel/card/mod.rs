//! A card as a channel is told of it. The number leaves this type only by [`Card::number`], which adapters call when
//! they write the request; nothing here prints or serialises it.

mod mask;
pub mod number;

use std::fmt;

pub use mask::masked;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;
use crate::time::Timestamp;

/// The month a card is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Expiry {
    /// With four digits.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
}

impl Expiry {
    /// The month with these numbers; none where there is no such month, or not in this century.
    pub fn new(month: u8, year: u16) -> Option<Expiry> {
        let exists = (1..=12).contains(&month) && (2000..=2099).contains(&year);
        exists.then_some(Expiry { year, month })
    }

    /// Whether the month is over everywhere on earth.
    pub fn is_over(self, now: Timestamp) -> bool {
        const LAST_ZONE: i32 = -12 * 3_600;
        let there = now.to_civil(LAST_ZONE);
        (there.year, there.month) > (i32::from(self.year), self.month)
    }
}

/// What may be shown of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CardFace {
    /// Such as `visa`; null where the number is of no brand that is known.
    pub brand: Option<String>,
    /// The last four digits.
    pub last4: String,
}

impl CardFace {
    /// What may be shown of a number, given as digits.
    pub fn of(digits: &str) -> CardFace {
        let last4 = digits.get(digits.len().saturating_sub(4)..).unwrap_or_default().to_owned();
        CardFace { brand: number::brand(digits).map(|brand| brand.name.to_owned()), last4 }
    }
}

/// Who starts a payment with a stored card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Initiator {
    /// The customer, who is there and can be asked.
    #[default]
    Customer,
    /// The merchant, by an agreement with the customer, who is not there.
    Merchant,
}

/// How a card comes to a payment. Networks want it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// The payer typed it just now.
    Typed {
        /// And agreed that it is kept for later payments.
        keep: bool,
    },
    /// It was kept from an earlier payment.
    Stored(Initiator),
}

/// What stands in the place of a card's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberKind {
    /// The number on the card (PAN).
    Card,
    /// A network token, good at this merchant only.
    NetworkToken,
}

/// A card to pay with.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    number: Secret,
    holder: Option<Secret>,
    cvc: Option<Secret>,
    cryptogram: Option<Secret>,
    /// What the number is.
    pub kind: NumberKind,
    /// The month it is good for.
    pub expiry: Expiry,
    /// How it comes to this payment.
    pub usage: Usage,
}

impl Card {
    /// A card by its digits.
    pub fn new(number: Secret, expiry: Expiry, usage: Usage) -> Card {
        Card { number, holder: None, cvc: None, cryptogram: None, kind: NumberKind::Card, expiry, usage }
    }

    /// A network token by its digits, with the cryptogram of this one payment where there is one.
    pub fn network_token(number: Secret, cryptogram: Option<Secret>, expiry: Expiry, usage: Usage) -> Card {
        Card { cryptogram, kind: NumberKind::NetworkToken, ..Card::new(number, expiry, usage) }
    }

    /// Adds the name on the card.
    #[must_use]
    pub fn holder(mut self, holder: Option<Secret>) -> Card {
        self.holder = holder;
        self
    }

    /// Adds the security code.
    #[must_use]
    pub fn cvc(mut self, cvc: Option<Secret>) -> Card {
        self.cvc = cvc;
        self
    }

    /// The digits of the number, for the request and for nothing else.
    pub fn number(&self) -> &Secret {
        &self.number
    }

    /// The name on the card, where it was typed.
    pub fn expose_holder(&self) -> Option<&str> {
        self.holder.as_ref().map(Secret::expose)
    }

    /// The security code, for the request and for nothing else. A payment that is sent again after its answer was
    /// lost has none any more, nor has one with a stored card.
    pub fn expose_cvc(&self) -> Option<&str> {
        self.cvc.as_ref().map(Secret::expose)
    }

    /// The cryptogram of a network token, for the request and for nothing else.
    pub fn expose_cryptogram(&self) -> Option<&str> {
        self.cryptogram.as_ref().map(Secret::expose)
    }

    /// What may be shown of it.
    pub fn face(&self) -> CardFace {
        CardFace::of(self.number.expose())
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Card").field("face", &self.face()).field("usage", &self.usage).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Civil;

    fn at(year: i32, month: u8, day: u8, hour: u8) -> Timestamp {
        let civil = Civil { year, month, day, hour, minute: 0, second: 0, micros: 0 };
        Timestamp::from_civil(civil, 0).unwrap()
    }

    #[test]
    fn a_card_is_good_until_its_month_is_over_everywhere() {
        let expiry = Expiry::new(11, 2026).unwrap();
        assert!(!expiry.is_over(at(2026, 11, 1, 0)) && !expiry.is_over(at(2026, 12, 1, 11)));
        assert!(expiry.is_over(at(2026, 12, 1, 12)) && expiry.is_over(at(2027, 1, 1, 0)));
    }

    #[test]
    fn months_that_do_not_exist_are_none() {
        for (month, year) in [(0, 2026), (13, 2026), (1, 26), (1, 1999), (1, 2100)] {
            assert_eq!(Expiry::new(month, year), None, "{month}/{year}");
        }
    }

    #[test]
    fn a_card_shows_its_brand_and_four_digits() {
        let expiry = Expiry::new(1, 2030).unwrap();
        let card = Card::new(Secret::new("4242424242424242"), expiry, Usage::Typed { keep: false });
        let card = card.cvc(Some(Secret::new("987"))).holder(Some(Secret::new("A PAYER")));
        let shown = format!("{card:?}");
        assert!(shown.contains("visa") && shown.contains("\"4242\""), "{shown}");
        for hidden in ["42424", "987", "PAYER"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }
}
