//! What orders read from a store.

use async_trait::async_trait;

use super::{Attempt, Order, OrderStatus};
use crate::id::{AttemptId, ChannelAccountId, MerchantId, OrderId};
use crate::store::{Page, Read};

/// Which orders to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Only in this state.
    pub status: Option<OrderStatus>,
    /// Only with this number.
    pub number: Option<String>,
}

/// Reads of orders and attempts.
#[async_trait]
pub trait Orders {
    /// One order.
    async fn order(&self, tenant: MerchantId, id: OrderId) -> Read<Option<Order>>;
    /// The order with the merchant's own number.
    async fn order_by_number(&self, tenant: MerchantId, number: &str) -> Read<Option<Order>>;
    /// Orders, newest first.
    async fn orders(&self, tenant: MerchantId, filter: &OrderFilter, page: &Page) -> Read<Vec<Order>>;
    /// One attempt.
    async fn attempt(&self, tenant: MerchantId, id: AttemptId) -> Read<Option<Attempt>>;
    /// The attempt with this reference on the wire of this account.
    async fn attempt_by_reference(
        &self,
        tenant: MerchantId,
        account: ChannelAccountId,
        reference: &str,
    ) -> Read<Option<Attempt>>;
    /// All attempts of an order, oldest first.
    async fn attempts(&self, tenant: MerchantId, order: OrderId) -> Read<Vec<Attempt>>;
}
