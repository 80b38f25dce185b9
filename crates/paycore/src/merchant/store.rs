//! What merchants and keys read from a store.

use async_trait::async_trait;

use super::{ApiKey, Merchant};
use crate::id::{ApiKeyId, MerchantId};
use crate::store::{Page, Read};

/// Reads of merchants.
#[async_trait]
pub trait Merchants {
    /// One merchant. The merchant is its own tenant.
    async fn merchant(&self, id: MerchantId) -> Read<Option<Merchant>>;
    /// All merchants, newest first, for the operator of the installation.
    async fn merchants(&self, page: &Page) -> Read<Vec<Merchant>>;
}

/// Reads of API keys.
#[async_trait]
pub trait ApiKeys {
    /// Whose key has this hash. The one read that comes before a tenant is known.
    async fn api_key_by_hash(&self, hash: &str) -> Read<Option<(MerchantId, ApiKey)>>;
    /// One key.
    async fn api_key(&self, tenant: MerchantId, id: ApiKeyId) -> Read<Option<ApiKey>>;
    /// Keys, newest first.
    async fn api_keys(&self, tenant: MerchantId, page: &Page) -> Read<Vec<ApiKey>>;
}
