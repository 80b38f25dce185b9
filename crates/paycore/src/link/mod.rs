//! Payment links (收款码): one address, and the QR code of it, that every wallet and browser can open. Each payer who
//! follows it gets an order of their own, or, of a link that is paid once, the one order there is.

pub mod rules;
#[cfg(feature = "engine")]
pub mod service;
#[cfg(feature = "engine")]
mod store;

use serde::{Deserialize, Serialize};

#[cfg(feature = "engine")]
pub use store::Links;

use crate::channel::Method;
use crate::currency::Currency;
use crate::id::LinkId;
use crate::order::Metadata;
use crate::time::Timestamp;

/// A payment link.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Its id, which is also what its address ends with: whoever knows it may pay.
    pub id: LinkId,
    /// 0 before it is first stored, then +1 per change.
    pub version: i64,
    /// What is to be paid, minor units; none where the payer types it.
    pub amount: Option<i64>,
    /// The currency.
    pub currency: Currency,
    /// Whether it can be paid.
    pub enabled: bool,
    /// The rest, kept as one JSON text.
    pub details: LinkDetails,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// What a link says about the orders it makes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkDetails {
    /// What the payer sees.
    pub subject: String,
    /// Whether one payment ends it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub single_use: bool,
    /// The most a payer may type, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_max: Option<i64>,
    /// The methods to offer; all that the merchant's channels take where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<Method>,
    /// Where its orders' events are sent besides the merchant's endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_url: Option<String>,
    /// Where the payer's browser goes afterwards, instead of the result page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// The merchant's notes, copied to its orders.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}
