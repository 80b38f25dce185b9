//! The settings of one WeChat Pay merchant, read once.

use paycore::channel::{Settings, SettingsError};
use paycore::crypto::{Decrypter, Keyring};

use super::PRODUCTION;
use crate::dialect::settings::{digits, gateway};
use crate::dialect::v3::{Identity, Merchant, Names, Sub, platform, word};
use crate::dialect::wechat_login::Login;

/// What WeChat Pay calls the parts of its signatures.
static NAMES: Names = Names {
    authorization: "WECHATPAY2-SHA256-RSA2048",
    timestamp: "wechatpay-timestamp",
    nonce: "wechatpay-nonce",
    signature: "wechatpay-signature",
    serial: "wechatpay-serial",
    signature_type: Some(("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048")),
    probe: Some("WECHATPAY/SIGNTEST/"),
};

/// One merchant's app with WeChat Pay, its keys open.
pub(super) struct Account {
    pub(super) merchant: Merchant,
    /// The merchant's own number of a shop, sent with barcode payments.
    pub(super) store_id: String,
    /// Opens what is sealed for us: the files of a merchant that we act for.
    pub(super) decrypter: Box<dyn Decrypter>,
    /// Tells who a payer is, by the app whose openids pay.
    pub(super) login: Option<Login>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("merchant", &self.merchant).finish_non_exhaustive()
    }
}

impl Account {
    pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Account, SettingsError> {
        let mchid = digits("mchid", settings.require("mchid")?.expose(), 8..=32)?;
        let appid = word("appid", settings.require("appid")?.expose())?;
        let serial_no = word("serial_no", settings.require("serial_no")?.expose())?;
        let private = settings.require("private_key")?;
        let wrong = |error| SettingsError::new("private_key", error);
        let (signer, decrypter) =
            (keyring.signer(private).map_err(wrong)?, keyring.decrypter(private).map_err(wrong)?);
        let seal = settings.require("apiv3_key")?.expose().as_bytes();
        let seal = Some(seal).filter(|key| key.is_ascii()).and_then(Identity::seal);
        let seal = seal.ok_or_else(|| SettingsError::new("apiv3_key", "must be 32 ASCII characters"))?;
        let platform = platform(settings, keyring, "PUB_KEY_ID_")?;
        let store_id = word("store_id", settings.text("store_id", "1"))?;
        let gateway = gateway("gateway", settings.text("gateway", PRODUCTION))?;
        let gateway = gateway.trim_end_matches('/').to_owned();
        let identity = Identity { names: &NAMES, mchid, serial_no, signer, platform, seal };
        let sub = sub(settings)?;
        let login =
            Login::open(settings, sub.as_ref().and_then(|sub| sub.appid.as_deref()).unwrap_or(&appid))?;
        Ok(Account { merchant: Merchant { identity, appid, sub, gateway }, store_id, decrypter, login })
    }
}

/// The merchant that a service provider acts for, if one is set.
fn sub(settings: &Settings) -> Result<Option<Sub>, SettingsError> {
    let appid = settings.value("sub_appid").map(|appid| word("sub_appid", appid.expose())).transpose()?;
    match settings.value("sub_mchid") {
        Some(mchid) => Ok(Some(Sub { mchid: digits("sub_mchid", mchid.expose(), 8..=32)?, appid })),
        None if appid.is_some() => Err(SettingsError::new("sub_mchid", "is required with a sub_appid")),
        None => Ok(None),
    }
}
