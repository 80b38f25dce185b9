//! The keys that a gateway signs with, from an account's settings.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::channel::{Settings, SettingsError};
use paycore::crypto::{Keyring, Verifier};
use paycore::time::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::Encode as _;

use crate::dialect::settings::rsa_keys;

/// A key that the gateway signs with.
pub(crate) struct PlatformKey {
    /// The serial of its certificate or the id of the key.
    pub(crate) serial: String,
    pub(crate) verifier: Box<dyn Verifier>,
    /// The end of its certificate, if it has one.
    pub(crate) expires: Option<Timestamp>,
}

/// The keys of the fields `public_key_id` with `public_key` (the id begins with `prefix`), of `platform_certificate`,
/// or, while a merchant moves from the latter to the former, of both. Our own key, in `private_key`, is none of them.
pub(crate) fn platform(
    settings: &Settings,
    keyring: &dyn Keyring,
    prefix: &str,
) -> Result<Vec<PlatformKey>, SettingsError> {
    let mut keys = Vec::new();
    if let Some(id) = settings.value("public_key_id") {
        let serial = word("public_key_id", id.expose())?;
        if !serial.starts_with(prefix) {
            return Err(SettingsError::new("public_key_id", format!("must begin with {prefix}")));
        }
        let (_, verifier) = rsa_keys(settings, keyring, ("private_key", "public_key"))?;
        keys.push(PlatformKey { serial, verifier, expires: None });
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
pub(crate) fn word(field: &str, text: &str) -> Result<String, SettingsError> {
    let text = text.trim();
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=64).contains(&text.len()) && text.bytes().all(sign) {
        return Ok(text.to_owned());
    }
    Err(SettingsError::new(field, "must be 1 to 64 ASCII letters, digits, `-` and `_`"))
}
