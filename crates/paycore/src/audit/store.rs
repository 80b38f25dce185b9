//! What the audit trail reads from a store.

use async_trait::async_trait;

use super::Audit;
use crate::id::MerchantId;
use crate::store::{Page, Read};

/// Reads of the audit trail.
#[async_trait]
pub trait Audits {
    /// Rows, newest first.
    async fn audits(&self, tenant: MerchantId, page: &Page) -> Read<Vec<Audit>>;
}
