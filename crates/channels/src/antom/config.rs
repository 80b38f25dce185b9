//! The settings of one Antom account, read once.

use paycore::channel::{Settings, SettingsError};
use paycore::crypto::{Keyring, Signer, Verifier};
use paycore::currency::Currency;

use super::PRODUCTION;
use crate::dialect::settings::{gateway, rsa_keys};

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
        let version = |field: &str| number(field, settings.text(field, "1"));
        Ok(Account {
            client_id: client(settings.require("client_id")?.expose())?,
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

fn client(text: &str) -> Result<String, SettingsError> {
    let text = text.trim();
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=64).contains(&text.len()) && text.bytes().all(word) {
        return Ok(text.to_owned());
    }
    Err(SettingsError::new("client_id", "must be 1 to 64 letters, digits, `_` and `-`"))
}

fn number(field: &str, text: &str) -> Result<String, SettingsError> {
    let text = text.trim();
    if (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err(SettingsError::new(field, "must be 1 to 4 digits"))
}

fn settlement(settings: &Settings) -> Result<Option<Currency>, SettingsError> {
    let Some(code) = settings.value("settlement_currency") else { return Ok(None) };
    let currency = Currency::parse(code.expose().trim());
    currency.map(Some).map_err(|error| SettingsError::new("settlement_currency", error))
}
