//! What tests of paycore and of its embedders share: suites that every channel and store has to pass, and
//! stand-ins that need no network and no disk.

pub mod channel_conformance;
#[cfg(feature = "native-crypto")]
pub mod embedded;
pub mod memory;
#[cfg(feature = "native-crypto")]
pub mod payouts;
pub mod reconciliation;
pub mod scripted;
#[cfg(feature = "native-crypto")]
pub mod simulation;
pub mod store_conformance;

pub use memory::MemoryStore;
