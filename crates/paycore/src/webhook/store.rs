//! What webhooks read from a store.

use async_trait::async_trait;

use super::{Delivery, DeliveryStatus, Endpoint};
use crate::id::{DeliveryId, EndpointId, EventId, MerchantId};
use crate::store::{Page, Read};

/// Which deliveries to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Only of this event.
    pub event_id: Option<EventId>,
    /// Only to this endpoint.
    pub endpoint_id: Option<EndpointId>,
    /// Only in this state.
    pub status: Option<DeliveryStatus>,
}

/// Reads of endpoints and deliveries.
#[async_trait]
pub trait Webhooks {
    /// One endpoint.
    async fn endpoint(&self, tenant: MerchantId, id: EndpointId) -> Read<Option<Endpoint>>;
    /// All endpoints of a merchant, newest first.
    async fn endpoints(&self, tenant: MerchantId) -> Read<Vec<Endpoint>>;
    /// One delivery.
    async fn delivery(&self, tenant: MerchantId, id: DeliveryId) -> Read<Option<Delivery>>;
    /// Deliveries, newest first.
    async fn deliveries(
        &self,
        tenant: MerchantId,
        filter: &DeliveryFilter,
        page: &Page,
    ) -> Read<Vec<Delivery>>;
}
