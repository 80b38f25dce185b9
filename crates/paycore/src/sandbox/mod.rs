//! The sandbox: every sandbox merchant has its own simulated providers, whose records survive restarts.

#[cfg(feature = "engine")]
pub mod service;
#[cfg(feature = "engine")]
mod store;

#[cfg(feature = "engine")]
pub use store::Sandboxes;

use crate::id::ChannelAccountId;

/// One record of a simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxRecord {
    /// The channel account whose provider is simulated.
    pub account_id: ChannelAccountId,
    /// The simulator's own key.
    pub key: String,
    /// JSON text.
    pub value: String,
}
