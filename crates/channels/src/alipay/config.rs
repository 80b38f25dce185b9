//! The settings of one Alipay account, read once.

use paycore::channel::{Settings, SettingsError};
use paycore::crypto::{Keyring, Signer, Verifier};

use super::PRODUCTION;
use crate::dialect::settings::{digits, gateway, rsa_keys};

/// One merchant's app with Alipay, its keys open.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) app_id: String,
    /// The account that receives the money, where the merchant told us.
    pub(super) seller_id: Option<String>,
    /// Without a query.
    pub(super) gateway: String,
    pub(super) signer: Box<dyn Signer>,
    pub(super) verifier: Box<dyn Verifier>,
}

impl Account {
    pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Account, SettingsError> {
        let app_id = digits("app_id", settings.require("app_id")?.expose(), 10..=32)?;
        let seller_id = settings.value("seller_id");
        let seller_id = seller_id.map(|id| digits("seller_id", id.expose(), 16..=16)).transpose()?;
        let (signer, verifier) = rsa_keys(settings, keyring, ("private_key", "alipay_public_key"))?;
        let gateway = gateway("gateway", settings.text("gateway", PRODUCTION))?;
        Ok(Account { app_id, seller_id, gateway, signer, verifier })
    }
}
