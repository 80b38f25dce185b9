//! What refunds read from a store.

use async_trait::async_trait;

use super::Refund;
use crate::id::{ChannelAccountId, MerchantId, OrderId, RefundId};
use crate::store::{Page, Read};

/// Which refunds to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefundFilter {
    /// Only of this order.
    pub order_id: Option<OrderId>,
}

/// Reads of refunds.
#[async_trait]
pub trait Refunds {
    /// One refund.
    async fn refund(&self, tenant: MerchantId, id: RefundId) -> Read<Option<Refund>>;
    /// The refund with this reference on the wire, of an attempt that ran through this account.
    async fn refund_by_reference(
        &self,
        tenant: MerchantId,
        account: ChannelAccountId,
        reference: &str,
    ) -> Read<Option<Refund>>;
    /// The refund with this number of the merchant's.
    async fn refund_by_number(&self, tenant: MerchantId, number: &str) -> Read<Option<Refund>>;
    /// Refunds, newest first.
    async fn refunds(&self, tenant: MerchantId, filter: &RefundFilter, page: &Page) -> Read<Vec<Refund>>;
}
