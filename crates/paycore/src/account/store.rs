//! What channel accounts read from a store.

use async_trait::async_trait;

use super::ChannelAccount;
use crate::id::{ChannelAccountId, MerchantId};
use crate::store::Read;

/// Reads of channel accounts.
#[async_trait]
pub trait ChannelAccounts {
    /// One account.
    async fn channel_account(&self, tenant: MerchantId, id: ChannelAccountId)
    -> Read<Option<ChannelAccount>>;
    /// All accounts of a merchant, by priority and then id.
    async fn channel_accounts(&self, tenant: MerchantId) -> Read<Vec<ChannelAccount>>;
    /// Whose account this is: notifications arrive at an address that holds only the account's id.
    async fn channel_account_tenant(&self, id: ChannelAccountId) -> Read<Option<MerchantId>>;
}
