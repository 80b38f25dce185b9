//! The vault: cards that payers typed, as tokens for one payment, and cards that customers let a merchant keep.
//!
//! A number is sealed before it is written, with a data key of its own that the installation's root keys wrap
//! ([`crate::crypto::Vault`]), bound to merchant, mode, row and owner. The security code is never written at all. What
//! this protects from, and what it leaves to the operator, stands in ADR 44.

mod cvc;
pub mod reseal;
pub mod rules;
#[cfg(feature = "engine")]
pub mod service;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use cvc::Cvcs;

use crate::channel::{CardFace, Expiry};
use crate::document::{Index, document};
use crate::id::{AttemptId, CardId, CardTokenId, ChannelAccountId, FingerprintKeyId, OrderId};
use crate::secret::Secret;
use crate::time::Timestamp;

/// The version of the widget's own text by which a payer agrees that a card is kept.
pub const CONSENT_VERSION: &str = "2026-11";

/// A card as it was typed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypedCard {
    /// The number; spaces and hyphens are forgiven.
    pub number: Secret,
    /// 1 to 12.
    pub exp_month: u8,
    /// With four digits.
    pub exp_year: u16,
    /// The security code: four digits of American Express, three of all others.
    #[serde(default)]
    pub cvc: Option<Secret>,
    /// The name on the card, at most 100 characters.
    #[serde(default)]
    pub holder: Option<Secret>,
}

/// A card that was typed for one order: good for one attempt to pay it, for an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardToken {
    /// Its id.
    pub id: CardTokenId,
    /// Kept by the store.
    #[serde(skip)]
    pub version: i64,
    /// The order it was typed for.
    pub order_id: OrderId,
    /// What may be shown.
    #[serde(flatten)]
    pub face: CardFace,
    /// The month it is good for.
    pub expiry: Expiry,
    /// The same for equal numbers of one merchant.
    pub fingerprint: String,
    /// Number and name, sealed; none once nothing more can be paid with it.
    pub sealed: Option<String>,
    /// Whether a security code was typed. The code itself is in the memory of the server that was told it.
    pub has_cvc: bool,
    /// Where it stands.
    pub status: TokenStatus,
    /// The attempt that used it.
    pub attempt_id: Option<AttemptId>,
    /// Where the payer agreed that the card is kept once it has paid: how, and for whom.
    pub keep: Option<Keep>,
    /// Until when it may be used.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a worker looks at it, wall clock; zero for never.
    pub due_at: Timestamp,
}

/// Where a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenStatus {
    /// It may be used.
    Unused,
    /// An attempt has it, whose outcome is open.
    Used,
    /// Its attempt is decided, or its time ran out.
    Over,
}

impl TokenStatus {
    /// The word in the database.
    pub fn text(self) -> &'static str {
        match self {
            TokenStatus::Unused => "unused",
            TokenStatus::Used => "used",
            TokenStatus::Over => "over",
        }
    }
}

document!(CardToken, CardTokenId, "card_token", |token| Index {
    parent: Some(token.order_id.to_string()),
    at: token.expires_at,
    due_at: token.due_at,
    ..Index::new(token.status.text())
});

/// That a card may be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// The merchant's reference of the customer.
    pub customer: String,
    /// What the customer agreed to.
    pub consent: Consent,
}

/// What a customer agreed to, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Consent {
    /// The version of the text that was shown.
    pub version: String,
    /// When it was agreed to.
    pub at: Timestamp,
}

/// A card that a merchant keeps for a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCard {
    /// Its id.
    pub id: CardId,
    /// Kept by the store.
    #[serde(skip)]
    pub version: i64,
    /// The merchant's reference of the customer.
    pub customer: String,
    /// What may be shown.
    #[serde(flatten)]
    pub face: CardFace,
    /// The month it is good for.
    pub expiry: Expiry,
    /// The same for equal numbers of one merchant.
    pub fingerprint: String,
    /// Number and name, sealed; none once it was deleted.
    pub sealed: Option<String>,
    /// What a network gave in the number's place.
    #[serde(default)]
    pub network_token: Option<NetworkToken>,
    /// By what the customer agreed.
    pub consent: Consent,
    /// Where it stands.
    pub status: CardStatus,
    /// When it was kept.
    pub created_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// Where a stored card stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CardStatus {
    /// It may be paid with.
    Active,
    /// Number and tokens are gone.
    Deleted,
}

impl CardStatus {
    /// The word in the API and the database.
    pub fn text(self) -> &'static str {
        match self {
            CardStatus::Active => "active",
            CardStatus::Deleted => "deleted",
        }
    }
}

document!(StoredCard, CardId, "card", |card| Index {
    parent: Some(card.customer.clone()),
    at: card.created_at,
    ..Index::new(card.status.text())
});

/// A token that a card network gave in the place of a number, through one channel account. It is kept like the number
/// it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkToken {
    /// The account it was provisioned through, and the only one it is sent to.
    pub account_id: ChannelAccountId,
    /// Its last four digits, which are not the card's.
    pub last4: String,
    /// The month it is good for.
    pub expiry: Expiry,
    /// Its number, sealed.
    pub sealed: String,
    /// The cryptogram of the next payment, sealed; taken out with the payment that it goes with.
    #[serde(default)]
    pub sealed_cryptogram: Option<String>,
}

/// A network token as a network gave it.
#[derive(Debug, Clone)]
pub struct ProvisionedToken {
    /// The account it came through.
    pub account_id: ChannelAccountId,
    /// Its digits.
    pub number: Secret,
    /// The month it is good for.
    pub expiry: Expiry,
    /// The cryptogram of the next payment.
    pub cryptogram: Option<Secret>,
}

/// The key of a merchant's fingerprints. Equal cards are recognised within a merchant only, because each has its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FingerprintKey {
    /// Its id.
    pub id: FingerprintKeyId,
    /// Kept by the store.
    #[serde(skip)]
    pub version: i64,
    /// 256 random bits as text, sealed.
    pub sealed: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl FingerprintKey {
    /// The number by which a merchant's one key is found; the store keeps it the only one.
    pub const NUMBER: &'static str = "fingerprint";
}

document!(FingerprintKey, FingerprintKeyId, "fingerprint_key", |key| Index {
    number: Some(FingerprintKey::NUMBER.to_owned()),
    at: key.created_at,
    ..Index::new("active")
});

/// A token as the card fields are told of it.
#[derive(Debug, Serialize)]
pub struct CardTokenView {
    /// Always `card_token`.
    pub object: &'static str,
    /// Its id.
    pub id: CardTokenId,
    /// What may be shown.
    #[serde(flatten)]
    pub face: CardFace,
    /// Until when it may be used.
    pub expires_at: Timestamp,
}

/// A stored card as the API shows it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Card")]
pub struct CardView {
    /// Its id.
    pub id: CardId,
    /// Always `card`.
    pub object: &'static str,
    /// Your reference of the customer.
    pub customer: String,
    /// What may be shown.
    #[serde(flatten)]
    pub face: CardFace,
    /// The month it is good for, 1 to 12.
    pub exp_month: u8,
    /// The year, with four digits.
    pub exp_year: u16,
    /// The same for equal card numbers among your cards, and for nobody else's.
    pub fingerprint: String,
    /// Whether a network gave a token in the number's place.
    pub network_token: bool,
    /// What the customer agreed to.
    pub consent: Consent,
    /// Where it stands.
    pub status: CardStatus,
    /// When it was kept.
    pub created_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// A stored card as its customer's browser sees it.
#[derive(Debug, Clone, Serialize)]
pub struct KeptCard {
    /// Its id.
    pub id: CardId,
    /// What may be shown.
    #[serde(flatten)]
    pub face: CardFace,
    /// The month it is good for, 1 to 12.
    pub exp_month: u8,
    /// The year, with four digits.
    pub exp_year: u16,
}
