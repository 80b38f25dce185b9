//! The settings of one Antom account, read once.

use paycore::channel::{Settings, SettingsError};
use paycore::crypto::{Keyring, Signer, Verifier};
use paycore::currency::Currency;

use super::PRODUCTION;
use crate::dialect::settings::{digits, gateway, rsa_keys};
use crate::dialect::v3::word;

/// One client of Antom, its keys open.
pub(super) struct Account {
    pub(super) client_id: String,
    /// Without a slash at its end.
    pub(super) gateway: String,
    /// Of our key, as the console numbers it.
    pub(super) key_version: String,
    /// Of Antom's key: its version is not signed, so only the known one is believed.
    pub(super) antom_key_version: String,
    /// What the merchant is settled in, where the contract leaves the choice.
    pub(super) settlement: Option<Currency>,
    pub(super) signer: Box<dyn Signer>,
    pub(super) antom: Box<dyn Verifier>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Account {
    pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Account, SettingsError> {
        let (signer, antom) = rsa_keys(settings, keyring, ("private_key", "antom_public_key"))?;
        let gateway = gateway("gateway", settings.text("gateway", PRODUCTION))?;
        let version = |field: &str| digits(field, settings.text(field, "1"), 1..=4);
        Ok(Account {
            client_id: word("client_id", settings.require("client_id")?.expose())?,
            gateway: gateway.trim_end_matches('/').to_owned(),
            key_version: version("key_version")?,
            antom_key_version: version("antom_key_version")?,
            settlement: settlement(settings)?,
            signer,
            antom,
        })
    }

    /// The path of a call. Client ids of the sandbox have paths of their own.
    pub(super) fn path(&self, call: &str) -> String {
        let sandbox = if self.client_id.starts_with("SANDBOX_") { "/sandbox" } else { "" };
        format!("/ams{sandbox}/api/v1/payments/{call}")
    }
}

fn settlement(settings: &Settings) -> Result<Option<Currency>, SettingsError> {
    let Some(code) = settings.value("settlement_currency") else { return Ok(None) };
    let currency = Currency::parse(code.expose().trim());
    currency.map(Some).map_err(|error| SettingsError::new("settlement_currency", error))
}
