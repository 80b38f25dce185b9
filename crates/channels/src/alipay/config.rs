//! The settings of one Alipay account, read once.

use paycore::channel::{Settings, SettingsError};
use paycore::crypto::Keyring;

use crate::dialect::openapi::App;
use crate::dialect::settings::digits;

/// One merchant's app with Alipay, its keys open.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) app: App,
    /// The account that receives the money, where the merchant told us.
    pub(super) seller_id: Option<String>,
    /// The mini program whose payers are identified by open ids of its own.
    pub(super) mini_app_id: Option<String>,
}

impl Account {
    pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Account, SettingsError> {
        let number = |field, len| {
            let value = settings.value(field);
            value.map(|id| digits(field, id.expose(), len)).transpose()
        };
        let (seller_id, mini_app_id) = (number("seller_id", 16..=16)?, number("mini_app_id", 10..=32)?);
        Ok(Account { app: App::open(settings, keyring)?, seller_id, mini_app_id })
    }
}
