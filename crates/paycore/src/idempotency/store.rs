//! What idempotency reads from a store.

use async_trait::async_trait;

use super::Record;
use crate::id::MerchantId;
use crate::store::Read;

/// Reads of idempotency keys.
#[async_trait]
pub trait Idempotency {
    /// What is remembered of a key.
    async fn claim(&self, tenant: MerchantId, key: &str) -> Read<Option<Record>>;
}
