//! What the epay door reads from a store.

use async_trait::async_trait;

use super::EpayKey;
use crate::id::{EpayKeyId, MerchantId};
use crate::store::Read;

/// Reads of epay keys.
#[async_trait]
pub trait EpayKeys {
    /// The key with this number, over all merchants, and whose it is.
    async fn epay_key_by_pid(&self, pid: &str) -> Read<Option<(MerchantId, EpayKey)>>;
    /// One key.
    async fn epay_key(&self, tenant: MerchantId, id: EpayKeyId) -> Read<Option<EpayKey>>;
    /// All keys of a merchant, newest first.
    async fn epay_keys(&self, tenant: MerchantId) -> Read<Vec<EpayKey>>;
}
