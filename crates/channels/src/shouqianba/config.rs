//! The settings of one Shouqianba terminal, read once.

use paycore::channel::{Settings, SettingsError};
use paycore::crypto::{Keyring, Verifier};
use paycore::secret::Secret;

use super::{PRODUCTION, PRODUCTION_WAP};
use crate::dialect::settings::gateway;
use crate::dialect::v3::word;

/// One terminal.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) terminal_sn: String,
    pub(super) terminal_key: Secret,
    /// Of notifications, where the merchant has given it.
    pub(super) public_key: Option<Box<dyn Verifier>>,
    pub(super) operator: String,
    /// Without a slash at its end.
    pub(super) gateway: String,
    pub(super) wap_gateway: String,
}

impl Account {
    pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Account, SettingsError> {
        let terminal_sn = word("terminal_sn", settings.require("terminal_sn")?.expose())?;
        let terminal_key = settings.require("terminal_key")?;
        word("terminal_key", terminal_key.expose())?;
        let public_key = settings.value("public_key").map(|key| keyring.verifier(key.expose()));
        let public_key = public_key.transpose().map_err(|error| SettingsError::new("public_key", error))?;
        let operator = word("operator", settings.text("operator", "paycore"))?;
        let address = |field, default| {
            let address = gateway(field, settings.text(field, default))?;
            Ok(address.trim_end_matches('/').to_owned())
        };
        Ok(Account {
            terminal_sn,
            terminal_key: Secret::new(terminal_key.expose().trim()),
            public_key,
            operator,
            gateway: address("gateway", PRODUCTION)?,
            wap_gateway: address("wap_gateway", PRODUCTION_WAP)?,
        })
    }
}
