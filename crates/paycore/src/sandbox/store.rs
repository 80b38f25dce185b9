//! What the sandbox reads from a store.

use async_trait::async_trait;

use super::SandboxRecord;
use crate::id::{ChannelAccountId, MerchantId};
use crate::store::Read;

/// Reads of simulator records.
#[async_trait]
pub trait Sandboxes {
    /// Every record of one simulated provider, in order of key.
    async fn sandbox_records(
        &self,
        tenant: MerchantId,
        account: ChannelAccountId,
    ) -> Read<Vec<SandboxRecord>>;
    /// Every channel account that has a simulator, over all merchants: for start-up.
    async fn sandbox_accounts(&self) -> Read<Vec<(MerchantId, ChannelAccountId)>>;
}
