//! 易支付 (epay), the incoming door: a shop whose software speaks the protocol of payment panels calls paycore as if it
//! were one. A key gives the shop its `pid`; its orders are ordinary orders that remember where they came from.

pub mod rules;
#[cfg(feature = "engine")]
pub mod service;
#[cfg(feature = "engine")]
mod store;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(feature = "engine")]
pub use store::EpayKeys;

use crate::id::EpayKeyId;
use crate::time::Timestamp;

/// The version of the protocol a key is for. A key of one version never signs or verifies in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// MD5 with a shared key: for shop software that knows nothing else.
    V1,
    /// RSA with SHA-256, a key pair on each side.
    V2,
}

impl Protocol {
    /// The word used in the API and the database.
    pub fn text(self) -> &'static str {
        match self {
            Protocol::V1 => "v1",
            Protocol::V2 => "v2",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        [Protocol::V1, Protocol::V2].into_iter().find(|protocol| protocol.text() == text)
    }
}

/// What a shop identifies itself with.
#[derive(Debug, Clone, PartialEq)]
pub struct EpayKey {
    /// Its id.
    pub id: EpayKeyId,
    /// 0 before it is first stored, then +1 per change.
    pub version: i64,
    /// The shop's number on the wire: digits, unique over all merchants.
    pub pid: String,
    /// A name people recognise it by.
    pub name: String,
    /// What it is for.
    pub protocol: Protocol,
    /// Sealed: in version 1 the shared key, in version 2 our private key.
    pub sealed_key: String,
    /// Version 2: our public key, which the shop verifies with.
    pub platform_public_key: Option<String>,
    /// Version 2: the shop's public key.
    pub shop_public_key: Option<String>,
    /// Since when it is refused.
    pub revoked_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// What an order remembers of the shop that made it by this door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The key's number.
    pub pid: String,
    /// Random; who knows it may see the payer's page of the order.
    pub token: String,
    /// The `type` the shop asked for; empty where the payer chooses.
    pub kind: String,
    /// The `param` the shop wants back.
    pub param: String,
    /// Where the shop is told that the order is paid.
    pub notify_url: String,
    /// Where the payer's browser goes afterwards; may be empty.
    pub return_url: String,
}
