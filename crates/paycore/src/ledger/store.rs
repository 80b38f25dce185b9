//! What the ledger reads from a store.

use async_trait::async_trait;

use super::{Balance, Basis, Books, Transaction};
use crate::event::Movement;
use crate::id::{MerchantId, OrderId, TransactionId};
use crate::store::{Page, Read};
use crate::time::Timestamp;

/// Which transactions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    /// Only about this order.
    pub order_id: Option<OrderId>,
    /// Only of this kind.
    pub kind: Option<Movement>,
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
    /// Transactions with the positions of their events, in order of booking, after a position.
    async fn booked_after(
        &self,
        tenant: MerchantId,
        position: i64,
        limit: usize,
    ) -> Read<Vec<(i64, Transaction)>>;
    /// All balances, by account and currency.
    async fn balances(&self, tenant: MerchantId) -> Read<Vec<Balance>>;
    /// The same as they stood at an instant, its own bookings included. Terms are those of now.
    async fn balances_at(&self, tenant: MerchantId, at: Timestamp, basis: Basis) -> Read<Vec<Balance>>;
    /// Until when the books are closed.
    async fn books(&self, tenant: MerchantId) -> Read<Books>;
}
