//! The settings of one Alipay account, read once.

use paycore::channel::{Settings, SettingsError};
use paycore::crypto::{KeyError, Keyring, Scheme, Signer, Verifier};
use url::Url;

use super::PRODUCTION;

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
        let seller_id =
            settings.value("seller_id").map(|id| digits("seller_id", id.expose(), 16..=16)).transpose()?;
        let signer = keyring.signer(settings.require("private_key")?).map_err(|e| key("private_key", &e))?;
        let verifier = keyring
            .verifier(settings.require("alipay_public_key")?.expose())
            .map_err(|e| key("alipay_public_key", &e))?;
        refuse_own_public_key(signer.as_ref(), verifier.as_ref())?;
        let gateway = gateway(settings.text("gateway", PRODUCTION).trim())?;
        Ok(Account { app_id, seller_id, gateway, signer, verifier })
    }
}

/// The console shows two public keys side by side and pasting the wrong one is the usual mistake. With it, every
/// reply would fail and anybody who signs with our own key could pose as Alipay.
fn refuse_own_public_key(signer: &dyn Signer, verifier: &dyn Verifier) -> Result<(), SettingsError> {
    let (probe, other) = (b"whose key is this", b"not what was signed");
    let signature = signer.sign(Scheme::RsaSha256, probe).map_err(|error| key("private_key", &error))?;
    let own = verifier.verify(Scheme::RsaSha256, probe, &signature)
        && !verifier.verify(Scheme::RsaSha256, other, &signature);
    if own {
        let detail = "this is the public key of your own app; paste the public key of Alipay, 支付宝公钥";
        return Err(SettingsError::new("alipay_public_key", detail));
    }
    Ok(())
}

fn digits(field: &str, text: &str, len: std::ops::RangeInclusive<usize>) -> Result<String, SettingsError> {
    let text = text.trim();
    if len.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err(SettingsError::new(field, format!("must be {} to {} digits", len.start(), len.end())))
}

fn gateway(text: &str) -> Result<String, SettingsError> {
    let wrong = |detail: &str| SettingsError::new("gateway", detail);
    let url = Url::parse(text).map_err(|_| wrong("must be an absolute https address"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return Err(wrong("must be an absolute https address"));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(wrong("must have no query, fragment or user name"));
    }
    Ok(url.into())
}

fn key(field: &str, error: &KeyError) -> SettingsError {
    SettingsError::new(field, error)
}
