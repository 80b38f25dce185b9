//! The keys that a gateway signs with, from an account's settings.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::channel::{Settings, SettingsError};
use paycore::crypto::{Encrypter, Keyring, Scheme, Verifier};
use paycore::time::Timestamp;
use x509_cert::Certificate;
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::Encode as _;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::time::Time;

use crate::dialect::settings::rsa_keys;

/// A key that the gateway signs with.
pub(crate) struct PlatformKey {
    /// The serial of its certificate or the id of the key.
    pub(crate) serial: String,
    pub(crate) verifier: Box<dyn Verifier>,
    /// For what only the gateway shall read.
    pub(crate) encrypter: Box<dyn Encrypter>,
    /// When its certificate is in force, first and last instant, if it has one.
    pub(crate) in_force: Option<(Timestamp, Timestamp)>,
}

impl PlatformKey {
    /// Whether it may be believed now.
    pub(crate) fn counts(&self, now: Timestamp) -> bool {
        self.in_force.is_none_or(|(first, last)| first <= now && now <= last)
    }
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
        let encrypter = keyring.encrypter(settings.require("public_key")?.expose());
        let encrypter = encrypter.map_err(|error| SettingsError::new("public_key", error))?;
        keys.push(PlatformKey { serial, verifier, encrypter, in_force: None });
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

/// The keys in one or several certificates in PEM form, each issued by the root, if one is set.
fn certificates(
    pem: &str,
    settings: &Settings,
    keyring: &dyn Keyring,
) -> Result<Vec<PlatformKey>, SettingsError> {
    const FIELD: &str = "platform_certificate";
    let root = Root::open(settings, keyring)?;
    let chain = chain(FIELD, pem)?;
    let keys = chain.iter().map(|certificate| {
        if root.as_ref().is_some_and(|root| !root.issued(certificate)) {
            return Err(SettingsError::new(FIELD, "was not issued by the root certificate"));
        }
        let certificate = certificate.tbs_certificate();
        let public = public(FIELD, certificate)?;
        let mut with_key = settings.clone();
        with_key.set(FIELD, public.clone());
        let (_, verifier) = rsa_keys(&with_key, keyring, ("private_key", FIELD))?;
        let encrypter = keyring.encrypter(&public).map_err(|error| SettingsError::new(FIELD, error))?;
        let validity = certificate.validity();
        let at = |time: &Time| Timestamp::ZERO.plus(time.to_unix_duration());
        let mut serial = String::with_capacity(40);
        for byte in certificate.serial_number().as_bytes() {
            // Writing into a String cannot fail.
            let _ = write!(serial, "{byte:02X}");
        }
        let in_force = Some((at(&validity.not_before), at(&validity.not_after)));
        Ok(PlatformKey { serial, verifier, encrypter, in_force })
    });
    keys.collect()
}

fn chain(field: &str, pem: &str) -> Result<Vec<Certificate>, SettingsError> {
    let chain = Certificate::load_pem_chain(pem.trim().as_bytes()).ok().filter(|chain| !chain.is_empty());
    let wrong = "must be one or several X.509 certificates in PEM form";
    chain.ok_or_else(|| SettingsError::new(field, wrong))
}

/// The public key as base64 DER.
fn public(field: &str, certificate: &TbsCertificate) -> Result<String, SettingsError> {
    let public = certificate.subject_public_key_info().to_der();
    public.map(|der| STANDARD.encode(der)).map_err(|error| SettingsError::new(field, error))
}

/// The authority that issued the gateway's certificates.
struct Root {
    certificate: Certificate,
    key: Box<dyn Verifier>,
}

impl Root {
    /// The one that is set, if there is one.
    fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Option<Root>, SettingsError> {
        const FIELD: &str = "platform_root";
        let Some(pem) = settings.value(FIELD) else { return Ok(None) };
        let [certificate] = <[Certificate; 1]>::try_from(chain(FIELD, pem.expose())?)
            .map_err(|_| SettingsError::new(FIELD, "must be one certificate"))?;
        let key = keyring.verifier(&public(FIELD, certificate.tbs_certificate())?);
        let key = key.map_err(|error| SettingsError::new(FIELD, error))?;
        Ok(Some(Root { certificate, key }))
    }

    fn issued(&self, other: &Certificate) -> bool {
        const SHA256_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
        let (inner, algorithm) = (other.tbs_certificate(), other.signature_algorithm());
        let Ok(signed) = inner.to_der() else { return false };
        let signature = other.signature().as_bytes().unwrap_or_default();
        algorithm.oid == SHA256_RSA
            && inner.signature() == algorithm
            && inner.issuer() == self.certificate.tbs_certificate().subject()
            && self.key.verify(Scheme::RsaSha256, &signed, signature)
    }
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
