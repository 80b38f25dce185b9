//! X.509 certificates for sandboxes, in force from 2025 to 2044.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::crypto::{KeyError, KeyPair, Keyring, Scheme};

/// `sha256WithRSAEncryption` without parameters, as DER.
const ALGORITHM: &[u8] = &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0];
const COMMON_NAME: &[u8] = &[6, 3, 0x55, 4, 3];

/// A certificate of this serial number for this public key (base64 DER), signed by an authority of this name, in PEM form.
pub(crate) fn issue(
    keyring: &dyn Keyring,
    authority: &KeyPair,
    [issuer, subject]: [&str; 2],
    (serial, public): (&[u8], &str),
) -> Result<String, KeyError> {
    let named =
        |name: &str| tlv(0x30, &[&tlv(0x31, &[&tlv(0x30, &[COMMON_NAME, &tlv(12, &[name.as_bytes()])])])]);
    let validity = ["250101000000Z", "441231235959Z"].map(|time| tlv(23, &[time.as_bytes()]));
    let key = STANDARD.decode(public).map_err(|_| KeyError::Malformed { expected: "base64" })?;
    let (issuer, validity, subject) = (named(issuer), tlv(0x30, &[&validity.concat()]), named(subject));
    let version = [0xa0, 3, 2, 1, 2];
    let parts: [&[u8]; 7] = [&version, &tlv(2, &[serial]), ALGORITHM, &issuer, &validity, &subject, &key];
    let inner = tlv(0x30, &parts);
    let signature = keyring.signer(&authority.private)?.sign(Scheme::RsaSha256, &inner)?;
    let whole = tlv(0x30, &[&inner, ALGORITHM, &tlv(3, &[&[0], &signature])]);
    let lines = STANDARD.encode(whole).into_bytes();
    let lines: Vec<_> = lines.chunks(64).map(String::from_utf8_lossy).collect();
    Ok(format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n")))
}

/// One value of DER.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    let head = match length {
        0..=127 => vec![tag, low],
        128..=255 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}
