//! The settings of one Huifu merchant, read once.

use paycore::channel::{Settings, SettingsError};
use paycore::crypto::{Keyring, Signer, Verifier};

use super::PRODUCTION;
use crate::dialect::settings::{digits, gateway, rsa_keys};

/// One merchant at Huifu, its keys open.
#[derive(Debug)]
pub(super) struct Account {
    /// Who calls: the merchant itself or the channel partner it belongs to.
    pub(super) sys_id: String,
    pub(super) product_id: String,
    /// Who receives the money.
    pub(super) huifu_id: String,
    /// Of the official account or mini program that payers of WeChat come from.
    pub(super) wx_appid: Option<String>,
    /// Without a slash at its end.
    pub(super) gateway: String,
    pub(super) signer: Box<dyn Signer>,
    pub(super) verifier: Box<dyn Verifier>,
}

impl Account {
    pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Account, SettingsError> {
        let sys_id = digits("sys_id", settings.require("sys_id")?.expose(), 10..=32)?;
        let product_id = word("product_id", settings.require("product_id")?.expose())?;
        let huifu_id = digits("huifu_id", settings.text("huifu_id", &sys_id), 10..=32)?;
        let wx_appid = settings.value("wx_appid").map(|id| word("wx_appid", id.expose())).transpose()?;
        let (signer, verifier) = rsa_keys(settings, keyring, ("private_key", "huifu_public_key"))?;
        let gateway = gateway("gateway", settings.text("gateway", PRODUCTION))?;
        let gateway = gateway.trim_end_matches('/').to_owned();
        Ok(Account { sys_id, product_id, huifu_id, wx_appid, gateway, signer, verifier })
    }
}

fn word(field: &str, text: &str) -> Result<String, SettingsError> {
    let text = text.trim();
    if (2..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(text.to_owned());
    }
    Err(SettingsError::new(field, "must be 2 to 32 ASCII letters and digits"))
}
