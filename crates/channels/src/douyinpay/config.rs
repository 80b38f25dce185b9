//! The settings of one Douyin Pay merchant, read once.

use paycore::channel::{Settings, SettingsError};
use paycore::crypto::Keyring;

use super::PRODUCTION;
use crate::dialect::settings::{digits, gateway};
use crate::dialect::v3::{Identity, Names, platform, word};

/// What Douyin Pay calls the parts of its signatures.
static NAMES: Names = Names {
    authorization: "DouyinPay-RSA",
    timestamp: "douyinpay-timestamp",
    nonce: "douyinpay-nonce",
    signature: "douyinpay-signature",
    serial: "douyinpay-serial",
    signature_type: None,
    probe: None,
};

/// One merchant's app with Douyin Pay, its keys open.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) appid: String,
    /// Without a slash at its end.
    pub(super) gateway: String,
    pub(super) identity: Identity,
}

impl Account {
    pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Account, SettingsError> {
        let mchid = digits("mchid", settings.require("mchid")?.expose(), 8..=32)?;
        let appid = word("appid", settings.require("appid")?.expose())?;
        let serial_no = word("serial_no", settings.require("serial_no")?.expose())?;
        let private = settings.require("private_key")?;
        let signer = keyring.signer(private).map_err(|error| SettingsError::new("private_key", error))?;
        let seal = settings.require("encrypt_key")?.expose().as_bytes();
        let seal = Some(seal).filter(|key| key.is_ascii()).and_then(Identity::seal);
        let seal = seal.ok_or_else(|| SettingsError::new("encrypt_key", "must be 32 ASCII characters"))?;
        // There is no mode with a bare public key.
        settings.require("platform_certificate")?;
        let platform = platform(settings, keyring, "")?;
        if platform.iter().any(|key| key.serial == serial_no) {
            return Err(SettingsError::new("platform_certificate", "this is your own certificate"));
        }
        let gateway = gateway("gateway", settings.text("gateway", PRODUCTION))?;
        let gateway = gateway.trim_end_matches('/').to_owned();
        let identity = Identity { names: &NAMES, mchid, serial_no, signer, platform, seal };
        Ok(Account { appid, gateway, identity })
    }
}
