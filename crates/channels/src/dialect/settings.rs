//! Settings that many accounts have: numbers, addresses and RSA keys.

use std::ops::RangeInclusive;

use paycore::channel::{Field, FieldKind, Identity, Settings, SettingsError};
use paycore::crypto::{Keyring, Scheme, Signer, Verifier};
use paycore::secret::Secret;
use url::Url;

/// A field of an account with its label and its help, each in English and Chinese.
pub(crate) const fn field(
    key: &'static str,
    kind: FieldKind,
    required: bool,
    texts: [&'static str; 4],
) -> Field {
    let [label, label_zh, help, help_zh] = texts;
    Field { key, kind, required, label, label_zh, help, help_zh }
}

/// A number such as a merchant or app id: ASCII digits only, kept as text.
pub(crate) fn digits(field: &str, text: &str, len: RangeInclusive<usize>) -> Result<String, SettingsError> {
    let text = text.trim();
    if len.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err(SettingsError::new(field, format!("must be {} to {} digits", len.start(), len.end())))
}

/// Exactly so many ASCII letters and digits.
pub(crate) fn letters(field: &str, text: &str, len: usize) -> Result<String, SettingsError> {
    let text = text.trim();
    if text.len() == len && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(text.to_owned());
    }
    Err(SettingsError::new(field, format!("must be {len} letters and digits")))
}

/// The address of a gateway: absolute, without query, fragment or user name.
pub(crate) fn gateway(field: &str, text: &str) -> Result<String, SettingsError> {
    let wrong = |detail: &str| SettingsError::new(field, detail);
    let url = Url::parse(text.trim()).map_err(|_| wrong("must be an absolute https address"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return Err(wrong("must be an absolute https address"));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(wrong("must have no query, fragment or user name"));
    }
    Ok(url.into())
}

/// Our private key and the provider's public key, open.
pub(crate) type Keys = (Box<dyn Signer>, Box<dyn Verifier>);

/// Opens our private key and the provider's public key, from the fields of these names.
///
/// Consoles show the provider's key beside our own public key, and pasting the wrong one is the usual mistake. With
/// it every reply would fail, and whoever holds our key could pose as the provider; so it is refused.
pub(crate) fn rsa_keys(
    settings: &Settings,
    keyring: &dyn Keyring,
    names: (&str, &str),
) -> Result<Keys, SettingsError> {
    keys(settings, keyring, names, Scheme::RsaSha256)
}

/// The same for keys of any algorithm: both have to be good for `scheme`. A provider whose RSA key is short is opened
/// for SHA-1 only.
pub(crate) fn keys(
    settings: &Settings,
    keyring: &dyn Keyring,
    (private, public): (&str, &str),
    scheme: Scheme,
) -> Result<Keys, SettingsError> {
    let signer =
        keyring.signer(settings.require(private)?).map_err(|error| SettingsError::new(private, error))?;
    let theirs = settings.require(public)?.expose();
    let legacy = scheme == Scheme::RsaSha1;
    let verifier = if legacy { keyring.legacy_verifier(theirs) } else { keyring.verifier(theirs) };
    let verifier = verifier.map_err(|error| SettingsError::new(public, error))?;
    let (probe, other) = (b"whose key is this", b"not what was signed");
    let signature = signer.sign(scheme, probe).map_err(|error| SettingsError::new(private, error))?;
    let own = verifier.verify(scheme, probe, &signature) && !verifier.verify(scheme, other, &signature);
    if own {
        return Err(SettingsError::new(
            public,
            "this is the public half of your own key; paste the provider's",
        ));
    }
    Ok((signer, verifier))
}

/// The client certificate and its private key from the fields of these names, each in PEM form; neither or both.
pub(crate) fn identity(
    settings: &Settings,
    (certificate, key): (&str, &str),
) -> Result<Option<Identity>, SettingsError> {
    let part = |field: &str, label: &str| match settings.value(field) {
        Some(pem) if !pem.expose().contains("-----BEGIN ") || !pem.expose().contains(label) => {
            Err(SettingsError::new(field, "must be in PEM form"))
        }
        pem => Ok(pem),
    };
    match (part(certificate, "CERTIFICATE-----")?, part(key, "PRIVATE KEY-----")?) {
        (Some(chain), Some(key)) => {
            let pem = format!("{}\n{}\n", chain.expose().trim(), key.expose().trim());
            Ok(Some(Identity::new(Secret::new(pem))))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err(SettingsError::new(key, format!("is needed with {certificate}"))),
        (None, Some(_)) => Err(SettingsError::new(certificate, format!("is needed with {key}"))),
    }
}
