//! paycore: an embeddable payment engine.

pub mod account;
pub mod audit;
pub mod channel;
pub mod crypto;
pub mod currency;
pub mod error;
pub mod event;
pub mod exception;
pub mod id;
pub mod idempotency;
pub mod ledger;
pub mod merchant;
pub mod money;
pub mod order;
pub mod refund;
pub mod sandbox;
pub mod secret;
#[cfg(feature = "engine")]
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod time;
pub mod units;
pub mod webhook;
