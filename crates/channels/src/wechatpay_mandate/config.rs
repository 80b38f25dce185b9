//! The settings of one merchant's plan, read once.

use paycore::channel::{Identity, Settings, SettingsError};

use super::PRODUCTION;
use crate::dialect::settings::{digits, gateway, identity, letters};
use crate::dialect::v2::Party;
use crate::dialect::v3::word;
use crate::dialect::xml::Hash;

/// One merchant's plan of mandates.
#[derive(Debug)]
pub(super) struct Account {
    /// Everything is signed with MD5 but the addresses for other browsers.
    pub(super) party: Party,
    pub(super) appid: String,
    pub(super) plan_id: String,
    /// What calls that give back show of us. Something in front of the gateway may do so instead.
    pub(super) identity: Option<Identity>,
    /// Without a slash at its end.
    pub(super) gateway: String,
}

impl Account {
    pub(super) fn open(settings: &Settings) -> Result<Account, SettingsError> {
        let mch_id = digits("mch_id", settings.require("mch_id")?.expose(), 8..=32)?;
        let appid = word("appid", settings.require("appid")?.expose())?;
        let key = settings.require("key")?;
        if letters("key", key.expose(), 32)? != key.expose() {
            return Err(SettingsError::new("key", "must be 32 letters and digits without space around them"));
        }
        let url = gateway("gateway", settings.text("gateway", PRODUCTION))?;
        Ok(Account {
            plan_id: digits("plan_id", settings.require("plan_id")?.expose(), 1..=18)?,
            party: Party { mch_id, appid: Some(appid.clone()), key: key.clone(), hash: Hash::Md5 },
            appid,
            identity: identity(settings, ("client_certificate", "client_key"))?,
            gateway: url.trim_end_matches('/').to_owned(),
        })
    }

    /// Whether WeChat Pay itself is called to give back, which it only does for a client certificate.
    pub(super) fn unidentified(&self) -> bool {
        self.identity.is_none() && self.gateway == PRODUCTION
    }
}
