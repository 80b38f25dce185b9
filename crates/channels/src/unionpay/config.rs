//! The settings of one UnionPay account, read once.

use paycore::channel::{Settings, SettingsError};
use paycore::crypto::Keyring;

use super::PRODUCTION;
use crate::dialect::acp::Seal;
use crate::dialect::settings::{gateway, letters};

/// UnionPay's name in its certificates, and the one it uses in its test environment.
const NAME: &str = "中国银联股份有限公司";
const TEST_NAME: &str = "00040000:SIGN";
/// Where statements are, for each of UnionPay's own gateways.
const FILES: &[(&str, &str)] = &[
    (PRODUCTION, "https://filedownload.95516.com/"),
    ("https://gateway.test.95516.com", "https://filedownload.test.95516.com/"),
];

/// One merchant with UnionPay, its keys open.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) mer_id: String,
    pub(super) seal: Seal,
    /// Without a slash at the end.
    pub(super) gateway: String,
    pub(super) file_gateway: String,
    pub(super) term_id: String,
}

impl Account {
    pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Account, SettingsError> {
        let mer_id = letters("mer_id", settings.require("mer_id")?.expose(), 15)?;
        let base = gateway("gateway", settings.text("gateway", PRODUCTION))?;
        let base = base.trim_end_matches('/');
        let files = FILES.iter().find(|(known, _)| *known == base);
        let names: &[&str] = if base == PRODUCTION { &[NAME] } else { &[NAME, TEST_NAME] };
        Ok(Account {
            mer_id,
            seal: Seal::open(settings, keyring, names)?,
            gateway: base.to_owned(),
            file_gateway: files
                .map_or_else(|| format!("{base}/filedownload"), |(_, files)| (*files).to_owned()),
            term_id: letters("term_id", settings.text("term_id", "00000001"), 8)?,
        })
    }
}
