//! What the ledger reads from a store.

use async_trait::async_trait;

use super::{Balance, Transaction};
use crate::id::{MerchantId, OrderId, TransactionId};
use crate::store::{Page, Read};

/// Which transactions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    /// Only about this order.
    pub order_id: Option<OrderId>,
}

/// Reads of journals and balances.
#[async_trait]
pub trait Ledger {
    /// One transaction with its entries in their order.
    async fn transaction(&self, tenant: MerchantId, id: TransactionId) -> Read<Option<Transaction>>;
    /// Transactions with their entries, newest first.
    async fn transactions(
        &self,
        tenant: MerchantId,
        filter: &TransactionFilter,
        page: &Page,
    ) -> Read<Vec<Transaction>>;
    /// All balances, by account and currency.
    async fn balances(&self, tenant: MerchantId) -> Read<Vec<Balance>>;
}
