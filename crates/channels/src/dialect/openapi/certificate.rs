//! Certificates of the open platform: the numbers by which both sides name them, and the chain from the gateway's
//! certificate to a root the merchant got from the console.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use paycore::channel::SettingsError;
use paycore::crypto::{Keyring, Scheme, Verifier};
use paycore::time::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _};

/// The beginning of the object identifiers of all RSA signatures.
const RSA: &str = "1.2.840.113549.1.1.";
const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");

/// The certificates in a file in PEM form, whatever stands between them.
pub(super) fn read(field: &str, pem: &str) -> Result<Vec<Certificate>, SettingsError> {
    let wrong = || SettingsError::new(field, "must be one or several X.509 certificates in PEM form");
    let one = |text: &str| {
        let body = text.split("-----END CERTIFICATE-----").next()?;
        let body: String = body.chars().filter(|sign| !sign.is_ascii_whitespace()).collect();
        Certificate::from_der(&STANDARD.decode(body).ok()?).ok()
    };
    let certificates: Option<Vec<Certificate>> =
        pem.split("-----BEGIN CERTIFICATE-----").skip(1).map(one).collect();
    certificates.filter(|all| !all.is_empty()).ok_or_else(wrong)
}

/// The number of a certificate: the MD5 of its issuer's name, last part first, and its serial number in decimals. It
/// names, and protects nothing.
pub(super) fn serial(certificate: &Certificate) -> String {
    let certificate = certificate.tbs_certificate();
    let mut hash = Md5::new();
    hash.update(certificate.issuer().to_string());
    hash.update(decimal(certificate.serial_number().as_bytes()));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The numbers of those roots that sign with RSA: the file holds others too.
pub(super) fn root_serial(roots: &[Certificate]) -> String {
    let rsa = roots.iter().filter(|root| root.signature_algorithm().oid.to_string().starts_with(RSA));
    rsa.map(serial).collect::<Vec<_>>().join("_")
}

/// The end of a certificate's validity.
pub(super) fn expires(certificate: &Certificate) -> Timestamp {
    Timestamp::ZERO.plus(certificate.tbs_certificate().validity().not_after.to_unix_duration())
}

/// The public key in a certificate, as base64 DER.
pub(super) fn public_key(certificate: &Certificate) -> Option<String> {
    certificate.tbs_certificate().subject_public_key_info().to_der().ok().map(|der| STANDARD.encode(der))
}

/// Whether some of `issuers` (those between) lead from a certificate to one of `roots`.
pub(super) fn leads_to_root(
    leaf: &Certificate,
    issuers: &[Certificate],
    roots: &[Certificate],
    keyring: &dyn Keyring,
) -> bool {
    let mut at = leaf;
    for _ in 0..=issuers.len() {
        if roots.iter().any(|root| issued(at, root, keyring)) {
            return true;
        }
        let next = issuers.iter().find(|issuer| *issuer != at && issued(at, issuer, keyring));
        let Some(next) = next else { return false };
        at = next;
    }
    false
}

/// Whether a certificate names itself as the issuer of another in the same file. The authority between the gateway's
/// certificate and the root does not always say in its own that it may issue.
pub(super) fn is_authority(certificate: &Certificate, all: &[Certificate]) -> bool {
    let subject = certificate.tbs_certificate().subject();
    all.iter().any(|other| other != certificate && other.tbs_certificate().issuer() == subject)
}

/// Whether `issuer` signed this certificate.
fn issued(certificate: &Certificate, issuer: &Certificate, keyring: &dyn Keyring) -> bool {
    let (content, authority) = (certificate.tbs_certificate(), issuer.tbs_certificate());
    if content.issuer() != authority.subject() {
        return false;
    }
    let verifier: Option<Box<dyn Verifier>> = public_key(issuer).and_then(|key| keyring.verifier(&key).ok());
    let signed = content.to_der().ok().zip(certificate.signature().as_bytes());
    certificate.signature_algorithm().oid == SHA256_WITH_RSA
        && verifier
            .zip(signed)
            .is_some_and(|(key, (text, signature))| key.verify(Scheme::RsaSha256, &text, signature))
}

/// A number in decimals, from its bytes, the highest first.
fn decimal(bytes: &[u8]) -> String {
    // Digits, the lowest first.
    let mut digits = vec![0_u8];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) * 256;
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_become_decimals() {
        assert_eq!(decimal(&[]), "0");
        assert_eq!(decimal(&[0, 0x2a]), "42");
        assert_eq!(decimal(&[0xff; 16]), u128::MAX.to_string());
        assert_eq!(
            decimal(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            "340282366920938463463374607431768211456"
        );
    }
}
