//! The settings of one WeChat Pay merchant, read once.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::channel::{Settings, SettingsError};
use paycore::crypto::Keyring;
use paycore::time::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::Encode as _;

use super::PRODUCTION;
use crate::dialect::settings::{digits, gateway, rsa_keys};
use crate::dialect::v3::{Identity, Names, PlatformKey};

/// What WeChat Pay calls the parts of its signatures.
pub(super) static NAMES: Names = Names {
    authorization: "WECHATPAY2-SHA256-RSA2048",
    timestamp: "wechatpay-timestamp",
    nonce: "wechatpay-nonce",
    signature: "wechatpay-signature",
    serial: "wechatpay-serial",
    signature_type: ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048"),
    probe: "WECHATPAY/SIGNTEST/",
};

/// One merchant's app with WeChat Pay, its keys open.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) appid: String,
    /// Shown with barcode payments; the merchant's own number of a shop.
    pub(super) store_id: String,
    /// Without a slash at its end.
    pub(super) gateway: String,
    pub(super) identity: Identity,
}

impl Account {
    pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Account, SettingsError> {
        let mchid = digits("mchid", settings.require("mchid")?.expose(), 8..=32)?;
        let appid = word("appid", settings.require("appid")?.expose())?;
        let serial_no = word("serial_no", settings.require("serial_no")?.expose())?;
        let private = settings.require("private_key")?;
        let signer = keyring.signer(private).map_err(|error| SettingsError::new("private_key", error))?;
        let seal = settings.require("apiv3_key")?.expose().as_bytes();
        let seal = Some(seal).filter(|key| key.is_ascii()).and_then(Identity::seal);
        let seal = seal.ok_or_else(|| SettingsError::new("apiv3_key", "must be 32 ASCII characters"))?;
        let platform = platform(settings, keyring)?;
        let store_id = word("store_id", settings.text("store_id", "1"))?;
        let gateway = gateway("gateway", settings.text("gateway", PRODUCTION))?;
        let gateway = gateway.trim_end_matches('/').to_owned();
        let identity = Identity { names: &NAMES, mchid, serial_no, signer, platform, seal };
        Ok(Account { appid, store_id, gateway, identity })
    }
}

/// The platform's keys: its public key, its certificates, or, while a merchant moves to the former, both.
fn platform(settings: &Settings, keyring: &dyn Keyring) -> Result<Vec<PlatformKey>, SettingsError> {
    let mut keys = Vec::new();
    if let Some(id) = settings.value("public_key_id") {
        let serial = id.expose().trim();
        if !serial.starts_with("PUB_KEY_ID_") || !plain(serial) {
            return Err(SettingsError::new("public_key_id", "must begin with PUB_KEY_ID_"));
        }
        let (_, verifier) = rsa_keys(settings, keyring, ("private_key", "public_key"))?;
        keys.push(PlatformKey { serial: serial.to_owned(), verifier, expires: None });
    } else if settings.value("public_key").is_some() {
        return Err(SettingsError::new("public_key_id", "is required with a public key"));
    }
    if let Some(chain) = settings.value("platform_certificate") {
        keys.extend(certificates(chain.expose(), settings, keyring)?);
    }
    if keys.is_empty() {
        let detail = "is required with its id, unless there is a platform certificate";
        return Err(SettingsError::new("public_key", detail));
    }
    Ok(keys)
}

/// The keys in one or several certificates in PEM form.
fn certificates(
    pem: &str,
    settings: &Settings,
    keyring: &dyn Keyring,
) -> Result<Vec<PlatformKey>, SettingsError> {
    const FIELD: &str = "platform_certificate";
    let wrong = || SettingsError::new(FIELD, "must be one or several X.509 certificates in PEM form");
    let chain = Certificate::load_pem_chain(pem.trim().as_bytes()).map_err(|_| wrong())?;
    let key = |certificate: &Certificate| {
        let certificate = certificate.tbs_certificate();
        let public = certificate.subject_public_key_info().to_der().map_err(|_| wrong())?;
        let mut with_key = settings.clone();
        with_key.set(FIELD, STANDARD.encode(public));
        let (_, verifier) = rsa_keys(&with_key, keyring, ("private_key", FIELD))?;
        let expires = certificate.validity().not_after.to_unix_duration();
        let mut serial = String::with_capacity(40);
        for byte in certificate.serial_number().as_bytes() {
            // Writing into a String cannot fail.
            let _ = write!(serial, "{byte:02X}");
        }
        Ok(PlatformKey { serial, verifier, expires: Some(Timestamp::ZERO.plus(expires)) })
    };
    let keys = chain.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() { Err(wrong()) } else { Ok(keys) }
}

/// A word that stands in signed texts and headers as it is.
fn word(field: &str, text: &str) -> Result<String, SettingsError> {
    let text = text.trim();
    if plain(text) {
        return Ok(text.to_owned());
    }
    Err(SettingsError::new(field, "must be 1 to 64 ASCII letters, digits, `-` and `_`"))
}

fn plain(text: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(sign)
}
