//! The settings of one merchant with the bank, read once.

use paycore::channel::{Settings, SettingsError};
use paycore::crypto::{Keyring, Scheme, Signer, Verifier};
use paycore::secret::Secret;

use crate::dialect::settings::{gateway, keys};

/// The gateway for real money.
const PRODUCTION: &str = "https://api.cmbchina.com";

/// One merchant number, its keys open.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) merchant_id: String,
    pub(super) cashier_id: String,
    pub(super) app_id: String,
    pub(super) app_secret: Secret,
    pub(super) terminal_no: String,
    pub(super) trade_place: String,
    /// Without a slash at its end.
    pub(super) gateway: String,
    pub(super) signer: Box<dyn Signer>,
    pub(super) verifier: Box<dyn Verifier>,
}

impl Account {
    pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Account, SettingsError> {
        let word = |field: &str, max| word(field, settings.require(field)?.expose(), max);
        let names = ("private_key", "operator_public_key");
        let (signer, verifier) = keys(settings, keyring, names, Scheme::Sm2Sm3Der)?;
        let gateway = gateway("gateway", settings.text("gateway", PRODUCTION))?;
        Ok(Account {
            merchant_id: word("merchant_id", 32)?,
            cashier_id: word("cashier_id", 10)?,
            app_id: word("app_id", 64)?,
            app_secret: settings.require("app_secret")?.clone(),
            terminal_no: self::word("terminal_no", settings.text("terminal_no", "00000001"), 32)?,
            trade_place: settings.text("trade_place", "线上").trim().chars().take(40).collect(),
            gateway: gateway.trim_end_matches('/').to_owned(),
            signer,
            verifier,
        })
    }
}

/// A number or name that goes into signed text: nothing but ASCII letters, digits, `-` and `_`.
fn word(field: &str, text: &str, max: usize) -> Result<String, SettingsError> {
    let text = text.trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=max).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err(SettingsError::new(field, format!("must be 1 to {max} ASCII letters and digits")))
}
