//! What payment links read from a store.

use async_trait::async_trait;

use super::Link;
use crate::id::{LinkId, MerchantId};
use crate::store::{Page, Read};

/// Reads of payment links.
#[async_trait]
pub trait Links {
    /// One link.
    async fn link(&self, tenant: MerchantId, id: LinkId) -> Read<Option<Link>>;
    /// Whose link it is: the payer's browser knows the id only.
    async fn link_tenant(&self, id: LinkId) -> Read<Option<MerchantId>>;
    /// Links, newest first.
    async fn links(&self, tenant: MerchantId, page: &Page) -> Read<Vec<Link>>;
}
