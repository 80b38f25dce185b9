//! The banks that issue cards, as simulated providers ask them: what they say depends on the number.

use std::borrow::Cow;

use paycore::channel::card::{Expiry, number};
use serde::Deserialize;

/// The issuer says no.
const DECLINED: &str = "4000000000000002";
/// There is not enough money.
const POOR: &str = "4000000000009995";
/// The issuer wants to see the payer on its own page (3-D Secure).
const CHALLENGED: &str = "4000000000003220";
/// The security code that is wrong for every card.
const WRONG_CVC: &str = "000";

/// A card as a provider is told of it. Nothing of it is kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Card<'b> {
    #[serde(borrow)]
    number: Cow<'b, str>,
    expiry: Expiry,
    #[serde(borrow)]
    cvc: Option<Cow<'b, str>>,
    #[serde(borrow)]
    cryptogram: Option<Cow<'b, str>>,
    usage: Usage,
}

/// How the card came to the merchant.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Usage {
    Typed,
    TypedToKeep,
    StoredByCustomer,
    StoredByMerchant,
}

impl Card<'_> {
    /// Why the issuer says no at once, in the provider's word.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        let is_blank = self.cryptogram.as_deref() == Some("");
        let Expiry { year, month } = self.expiry;
        let is_card = number::check(&self.number).is_ok() && Expiry::new(month, year).is_some() && !is_blank;
        match &*self.number {
            _ if !is_card => Some("invalid_card"),
            DECLINED => Some("card_declined"),
            POOR => Some("insufficient_funds"),
            _ if self.cvc.as_deref() == Some(WRONG_CVC) => Some("incorrect_cvc"),
            _ => None,
        }
    }

    /// Whether the issuer wants to see the payer first. It never does of a payer who is not there.
    pub(crate) fn challenges(&self) -> bool {
        self.number == CHALLENGED && self.usage != Usage::StoredByMerchant
    }
}
