//! The settings of one QQ wallet merchant, read once.

use md5::{Digest as _, Md5};
use paycore::channel::{Identity, Settings, SettingsError};
use paycore::secret::Secret;

use super::{PRODUCTION, PRODUCTION_MUTUAL};
use crate::dialect::settings::{digits, gateway, identity};
use crate::dialect::v2::Party;
use crate::dialect::xml::Hash;

/// One merchant of QQ wallet.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) party: Party,
    /// Signs what an app hands to QQ.
    pub(super) app_key: Option<Secret>,
    /// Who gives money back: the operator's number and the digest of the password, as it is sent.
    pub(super) operator: Option<(String, Secret)>,
    /// What calls that give money back show of us. Something in front of the gateway may do so instead.
    pub(super) identity: Option<Identity>,
    /// Without a slash at its end.
    pub(super) gateway: String,
    /// Likewise, for the calls that give money back.
    pub(super) mutual: String,
}

impl Account {
    pub(super) fn open(settings: &Settings) -> Result<Account, SettingsError> {
        let mch_id = digits("mch_id", settings.require("mch_id")?.expose(), 8..=32)?;
        let appid = settings.value("appid").map(|id| digits("appid", id.expose(), 6..=32)).transpose()?;
        let key = settings.require("key")?;
        if key.expose().len() != 32 || !key.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(SettingsError::new("key", "must be 32 ASCII letters and digits"));
        }
        let operator = match (settings.value("op_user_id"), settings.value("op_user_passwd")) {
            (Some(id), Some(password)) => {
                let digest = Md5::digest(password.expose().as_bytes());
                let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                Some((digits("op_user_id", id.expose(), 4..=32)?, Secret::new(digest)))
            }
            (None, None) => None,
            (Some(_), None) => return Err(SettingsError::new("op_user_passwd", "is needed with op_user_id")),
            (None, Some(_)) => return Err(SettingsError::new("op_user_id", "is needed with op_user_passwd")),
        };
        let own = gateway("gateway", settings.text("gateway", PRODUCTION))?;
        // Another gateway serves everything unless it is said otherwise.
        let mutual = if settings.value("gateway").is_some() { own.as_str() } else { PRODUCTION_MUTUAL };
        let mutual = gateway("mutual_gateway", settings.text("mutual_gateway", mutual))?;
        let bare = |url: String| url.trim_end_matches('/').to_owned();
        Ok(Account {
            party: Party { mch_id, appid, key: key.clone(), hash: Hash::Md5 },
            app_key: settings.value("app_key").cloned(),
            operator,
            identity: identity(settings, ("client_certificate", "client_key"))?,
            gateway: bare(own),
            mutual: bare(mutual),
        })
    }

    /// Whether QQ wallet itself is called to give money back, which it only does for a client certificate.
    pub(super) fn unidentified(&self) -> bool {
        self.identity.is_none() && self.mutual == PRODUCTION_MUTUAL
    }
}
