//! The settings of one WeChat Pay v2 merchant, read once.

use paycore::channel::{Identity, Settings, SettingsError};

use super::{PRODUCTION, PRODUCTION_FACE};
use crate::dialect::settings::{digits, gateway, identity, letters};
use crate::dialect::v2::Party;
use crate::dialect::v3::word;
use crate::dialect::wechat_login::Login;
use crate::dialect::xml::Hash;

/// One merchant's app with WeChat Pay v2.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) party: Party,
    /// Of the merchant's app: v2 knows no merchant without one.
    pub(super) appid: String,
    /// The merchant that we act for and its own app, when we are a service provider.
    pub(super) sub: Option<(String, Option<String>)>,
    /// Who a red packet is from, as the person reads it.
    pub(super) sender: Option<String>,
    /// Tells who a person is, by the app whose openids count.
    pub(super) login: Option<Login>,
    /// What calls that pay out or give back show of us. Something in front of the gateway may do so instead.
    pub(super) identity: Option<Identity>,
    /// Without a slash at its end.
    pub(super) gateway: String,
    /// Likewise, for the devices that read faces.
    pub(super) face_gateway: String,
}

impl Account {
    pub(super) fn open(settings: &Settings) -> Result<Account, SettingsError> {
        let mch_id = digits("mch_id", settings.require("mch_id")?.expose(), 8..=32)?;
        let appid = word("appid", settings.require("appid")?.expose())?;
        let key = settings.require("key")?;
        if letters("key", key.expose(), 32)? != key.expose() {
            return Err(SettingsError::new("key", "must be 32 letters and digits without space around them"));
        }
        let sub_appid = settings.value("sub_appid").map(|id| word("sub_appid", id.expose())).transpose()?;
        let sub = match settings.value("sub_mch_id") {
            Some(sub) => Some((digits("sub_mch_id", sub.expose(), 8..=32)?, sub_appid)),
            None if sub_appid.is_some() => {
                return Err(SettingsError::new("sub_mch_id", "is required with a sub_appid"));
            }
            None => None,
        };
        let own = gateway("gateway", settings.text("gateway", PRODUCTION))?;
        // Another gateway serves everything unless it is said otherwise.
        let face = if settings.value("gateway").is_some() { own.as_str() } else { PRODUCTION_FACE };
        let face = gateway("face_gateway", settings.text("face_gateway", face))?;
        let known_by = sub.as_ref().and_then(|(_, appid)| appid.as_deref()).unwrap_or(&appid);
        let bare = |url: String| url.trim_end_matches('/').to_owned();
        Ok(Account {
            party: Party { mch_id, appid: Some(appid.clone()), key: key.clone(), hash: Hash::HmacSha256 },
            login: Login::open(settings, known_by)?,
            appid,
            sub,
            sender: sender(settings)?,
            identity: identity(settings, ("client_certificate", "client_key"))?,
            gateway: bare(own),
            face_gateway: bare(face),
        })
    }

    /// Whether WeChat Pay itself is called to pay out or give back, which it only does for a client certificate.
    pub(super) fn unidentified(&self) -> bool {
        self.identity.is_none() && self.gateway == PRODUCTION
    }
}

fn sender(settings: &Settings) -> Result<Option<String>, SettingsError> {
    let Some(name) = settings.value("send_name") else { return Ok(None) };
    let name = name.expose().trim();
    if name.len() > 32 || name.chars().any(char::is_control) {
        return Err(SettingsError::new("send_name", "must be at most 32 bytes: ten Chinese characters"));
    }
    Ok(Some(name.to_owned()))
}
