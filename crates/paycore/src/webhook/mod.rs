//! Webhooks out: endpoints, deliveries and their Standard Webhooks signatures.

pub mod rules;
#[cfg(feature = "engine")]
pub mod service;
#[cfg(feature = "engine")]
mod store;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(feature = "engine")]
pub use store::{DeliveryFilter, Webhooks};

use crate::id::{DeliveryId, EndpointId, EventId};
use crate::time::Timestamp;

/// Where a merchant wants to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// 0 before it is first stored, then +1 per change.
    pub version: i64,
    /// An absolute address.
    pub url: String,
    /// The signing secret, sealed.
    pub sealed_secret: String,
    /// The secret before the last roll, sealed; signs too until it expires.
    pub sealed_previous: Option<String>,
    /// Until when the previous secret signs too.
    pub previous_until: Option<Timestamp>,
    /// Event types it wants; empty means all.
    pub events: Vec<String>,
    /// Whether deliveries are sent.
    pub enabled: bool,
    /// When it was created.
    pub created_at: Timestamp,
}

/// One event on its way to one address.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// 0 before it is first stored, then +1 per change.
    pub version: i64,
    /// The event.
    pub event_id: EventId,
    /// The endpoint; none for an order's own notify URL.
    pub endpoint_id: Option<EndpointId>,
    /// Where it goes.
    pub url: String,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Every try so far, oldest first.
    pub tries: Vec<Try>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it is sent next, wall clock; zero for never.
    pub due_at: Timestamp,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Will be tried (again).
    Pending,
    /// Accepted with 2xx.
    Succeeded,
    /// Given up after three days, or the endpoint answered 410; can be sent again by hand.
    Failed,
}

impl DeliveryStatus {
    /// The word used in the API and the database.
    pub fn text(self) -> &'static str {
        match self {
            DeliveryStatus::Pending => "pending",
            DeliveryStatus::Succeeded => "succeeded",
            DeliveryStatus::Failed => "failed",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        [DeliveryStatus::Pending, DeliveryStatus::Succeeded, DeliveryStatus::Failed]
            .into_iter()
            .find(|status| status.text() == text)
    }
}

/// One try of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Try {
    /// When.
    pub at: Timestamp,
    /// The HTTP status, where one came back.
    pub status: Option<u16>,
    /// What went wrong, where none did. Never holds what the address answered.
    pub error: Option<String>,
    /// Milliseconds until the answer.
    pub latency_ms: i64,
}
