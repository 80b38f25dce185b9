//! What events read from a store.

use async_trait::async_trait;

use super::{Event, EventKind};
use crate::id::{EventId, MerchantId};
use crate::store::Read;
use crate::time::Timestamp;

/// Which events to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only of this kind.
    pub kind: Option<EventKind>,
    /// Only about this object.
    pub object_id: Option<String>,
}

/// Reads of events. Their order is the order of commit: a reader that remembers the last position misses none.
#[async_trait]
pub trait Events {
    /// One event (its `booking` is not stored and comes back as none).
    async fn event(&self, tenant: MerchantId, id: EventId) -> Read<Option<Event>>;
    /// At most `limit` events with a position above `after`, in ascending order of position.
    async fn events(
        &self,
        tenant: MerchantId,
        filter: &EventFilter,
        after: i64,
        limit: usize,
    ) -> Read<Vec<Event>>;
    /// At most `limit` events whose deliveries are due to be made, over all merchants, oldest first. Nothing is
    /// leased: of two workers that read the same event, only one can mark it as dispatched.
    async fn due_events(&self, now: Timestamp, limit: usize) -> Read<Vec<(MerchantId, Event)>>;
}
