//! Channel accounts: one merchant's contract with one channel, its credentials sealed at rest.

#[cfg(feature = "engine")]
pub mod service;
#[cfg(feature = "engine")]
mod store;

#[cfg(feature = "engine")]
pub use store::ChannelAccounts;

use crate::id::ChannelAccountId;
use crate::time::Timestamp;

/// One merchant's account with one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelAccount {
    /// Its id.
    pub id: ChannelAccountId,
    /// 0 before it is first stored, then +1 per change.
    pub version: i64,
    /// Id of the channel, such as `alipay`.
    pub channel: String,
    /// A name people recognise it by.
    pub name: String,
    /// Whether new payments may use it. Running ones are still queried and refunded through it.
    pub enabled: bool,
    /// Lower is tried first.
    pub priority: i64,
    /// The settings, sealed (see [`crate::crypto::Vault`]); bound to the merchant and this id.
    pub sealed_settings: String,
    /// In a sandbox, the simulator's side of the settings, sealed likewise.
    pub sealed_simulator: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
