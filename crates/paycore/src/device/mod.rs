//! Devices of a shop that read what only they can, such as a payer's face (刷脸): before one may, its channel has to let it.

#[cfg(feature = "engine")]
pub mod service;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::channel::{Action, Device, Method};

/// Ask that a device may read payers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizeDevice {
    /// The method that the device serves, such as `wechatpay.face`.
    pub method: Method,
    /// The merchant's number of the shop: 1 to 32 ASCII characters.
    #[schemars(length(min = 1, max = 32))]
    pub store: String,
    /// The shop's name, as the device may show it.
    #[schemars(length(min = 1, max = 128))]
    pub store_name: String,
    /// The merchant's number of the device: 1 to 32 ASCII characters.
    #[schemars(length(min = 1, max = 32))]
    pub device: String,
    /// What the device's client said of itself (WeChat's `rawdata`): 1 to 2,048 ASCII characters.
    #[schemars(length(min = 1, max = 2048))]
    pub challenge: String,
}

impl AuthorizeDevice {
    /// What the channel is asked.
    pub fn device(&self) -> Device {
        let Self { store, store_name, device, challenge, .. } = self.clone();
        Device { store, store_name, device, challenge }
    }
}

/// What a device may read payers with, for as long as it says itself.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DeviceAuthorization {
    /// Always `device_authorization`.
    pub object: &'static str,
    /// The parameters for the device's own client, such as WeChat's `authinfo` and `expires_in` (seconds). They let
    /// whoever has them read payers, so they go to the device and nowhere else.
    pub next_action: Action,
}
