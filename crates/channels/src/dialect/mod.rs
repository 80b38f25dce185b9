//! What the wires of several channels have in common. Adapters use it; simulators do not, so that a mistake made
//! here still shows against the other end.

pub(crate) mod acp;
pub(crate) mod archive;
pub(crate) mod bill;
pub(crate) mod capability;
pub(crate) mod card;
pub(crate) mod chain;
pub(crate) mod doubt;
pub(crate) mod fixed;
pub(crate) mod form;
pub(crate) mod json;
pub(crate) mod lines;
pub(crate) mod openapi;
#[cfg(feature = "readers")]
pub mod readers;
pub(crate) mod reply;
pub(crate) mod settings;
pub(crate) mod text;
pub(crate) mod v2;
pub(crate) mod v3;
pub(crate) mod wechat_bill;
pub(crate) mod wechat_login;
pub(crate) mod xml;
pub(crate) mod zip;
