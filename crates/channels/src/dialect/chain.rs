//! Certificates: read from PEM, and the short chains of those that arrive inside messages.
//!
//! A certificate inside a message proves nothing by itself: whoever forges the message also makes the certificate. It
//! counts only when it was issued by an authority that was configured beforehand, is in force now, and bears the name of
//! the provider; an authority has many other customers.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::crypto::{Keyring, Scheme, Verifier};
use paycore::time::Timestamp;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Encode as _, Reader as _, SliceReader};
use x509_cert::ext::pkix::BasicConstraints;

/// The only signature algorithm that is believed: sha256WithRSAEncryption.
const SHA256_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// Far more than any certificate has.
const PEM_MAX: usize = 16 * 1024;

/// Why a certificate is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Untrusted {
    /// Not exactly one X.509 certificate in PEM form.
    #[error("not one X.509 certificate in PEM form")]
    Malformed,
    /// Not issued by the configured authority.
    #[error("not issued by the configured authority")]
    Issuer,
    /// Not yet, or no longer in force.
    #[error("not in force at this time")]
    Time,
    /// Issued to somebody else.
    #[error("issued to somebody else")]
    Name,
    /// Of a kind that may not do this: an authority that is none, or an end certificate that is one.
    #[error("of the wrong kind")]
    Kind,
    /// Its key is not an RSA key of at least 2,048 bits.
    #[error("its key is not an RSA key of at least 2048 bits")]
    Key,
}

/// One certificate.
pub(crate) struct Certificate {
    parsed: x509_cert::Certificate,
    /// The bytes that were signed, exactly as they came.
    signed: Vec<u8>,
}

impl Certificate {
    /// Reads exactly one certificate.
    pub(crate) fn read(pem: &str) -> Result<Certificate, Untrusted> {
        const FRAME: [&str; 2] = ["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"];
        let pem = pem.trim();
        let body = pem.strip_prefix(FRAME[0]).and_then(|rest| rest.strip_suffix(FRAME[1]));
        let body = body.filter(|_| pem.len() <= PEM_MAX).ok_or(Untrusted::Malformed)?;
        let compact: String = body.chars().filter(|sign| !matches!(sign, '\r' | '\n' | ' ')).collect();
        Self::from_der(&STANDARD.decode(compact).map_err(|_| Untrusted::Malformed)?)
            .ok_or(Untrusted::Malformed)
    }

    /// Reads one from its bytes.
    pub(crate) fn from_der(der: &[u8]) -> Option<Certificate> {
        let parsed = x509_cert::Certificate::from_der(der).ok()?;
        let mut outer = SliceReader::new(der).ok()?;
        let signed = outer.sequence(|inner| {
            let signed = inner.tlv_bytes()?.to_vec();
            inner.tlv_bytes()?;
            inner.tlv_bytes()?;
            Ok::<_, x509_cert::der::Error>(signed)
        });
        Some(Certificate { parsed, signed: signed.ok()? })
    }

    /// The serial number, as a decimal number.
    pub(crate) fn serial(&self) -> String {
        let mut digits = vec![0_u8];
        for byte in self.parsed.tbs_certificate().serial_number().as_bytes() {
            let mut carry = u16::from(*byte);
            for digit in &mut digits {
                let value = u16::from(*digit) * 256 + carry;
                (*digit, carry) = (u8::try_from(value % 10).unwrap_or(0), value / 10);
            }
            while carry > 0 {
                digits.push(u8::try_from(carry % 10).unwrap_or(0));
                carry /= 10;
            }
        }
        digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
    }

    /// The public key as base64 DER.
    pub(crate) fn public_key(&self) -> Result<String, Untrusted> {
        let key = self.parsed.tbs_certificate().subject_public_key_info().to_der();
        key.map(|der| STANDARD.encode(der)).map_err(|_| Untrusted::Malformed)
    }

    /// The common name of whom it was issued to, where there is exactly one.
    pub(crate) fn common_name(&self) -> Option<String> {
        let subject = self.parsed.tbs_certificate().subject();
        let mut names = subject.iter().filter(|attribute| attribute.oid == COMMON_NAME);
        let name = names.next().filter(|_| names.next().is_none())?;
        // UTF8String, PrintableString and the other one-byte strings; whatever is not UTF-8 then is no name of ours.
        String::from_utf8(name.value.value().to_vec()).ok()
    }

    /// Whether it is in force.
    pub(crate) fn in_force(&self, now: Timestamp) -> bool {
        let validity = self.parsed.tbs_certificate().validity();
        let at = |time: &x509_cert::time::Time| Timestamp::ZERO.plus(time.to_unix_duration());
        (at(&validity.not_before)..=at(&validity.not_after)).contains(&now)
    }

    fn is_authority(&self) -> bool {
        let constraints = self.parsed.tbs_certificate().get_extension::<BasicConstraints>();
        matches!(constraints, Ok(Some((_, constraints))) if constraints.ca)
    }

    fn issued_by(&self, issuer: &Certificate, key: &dyn Verifier) -> bool {
        let (inner, theirs) = (self.parsed.tbs_certificate(), issuer.parsed.tbs_certificate());
        let algorithm = self.parsed.signature_algorithm();
        let signature = self.parsed.signature().as_bytes().unwrap_or_default();
        algorithm.oid == SHA256_RSA
            && inner.signature() == algorithm
            && inner.issuer() == theirs.subject()
            && key.verify(Scheme::RsaSha256, &self.signed, signature)
    }
}

/// A root, and one authority under it that issues end certificates.
pub(crate) struct Authority {
    keyring: Arc<dyn Keyring>,
    root: Certificate,
    middle: Certificate,
    middle_key: Box<dyn Verifier>,
}

impl Authority {
    /// The root is trusted because it was configured; the other has to be issued by it.
    pub(crate) fn new(
        root: Certificate,
        middle: Certificate,
        keyring: &dyn Keyring,
    ) -> Result<Authority, Untrusted> {
        let open = |of: &Certificate| keyring.verifier(&of.public_key()?).map_err(|_| Untrusted::Key);
        if !root.is_authority() || !middle.is_authority() {
            return Err(Untrusted::Kind);
        }
        if !middle.issued_by(&root, &*open(&root)?) {
            return Err(Untrusted::Issuer);
        }
        let middle_key = open(&middle)?;
        Ok(Authority { keyring: keyring.shared(), root, middle, middle_key })
    }

    /// The key of an end certificate, once everything about the certificate but its name was checked.
    pub(crate) fn key(&self, of: &Certificate, now: Timestamp) -> Result<Box<dyn Verifier>, Untrusted> {
        if !of.issued_by(&self.middle, &*self.middle_key) {
            return Err(Untrusted::Issuer);
        }
        if of.is_authority() {
            return Err(Untrusted::Kind);
        }
        if ![of, &self.middle, &self.root].iter().all(|certificate| certificate.in_force(now)) {
            return Err(Untrusted::Time);
        }
        self.keyring.verifier(&of.public_key()?).map_err(|_| Untrusted::Key)
    }
}

#[cfg(test)]
mod tests {
    use paycore::crypto::native::NativeKeyring;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_392_600);

    macro_rules! pem {
        ($name:literal) => {
            include_str!(concat!("../unionpay/fixtures/keys/", $name, ".pem"))
        };
    }

    fn certificate(pem: &str) -> Certificate {
        Certificate::read(pem).expect("a certificate")
    }

    fn authority() -> Authority {
        let built = Authority::new(certificate(pem!("root")), certificate(pem!("middle")), &NativeKeyring);
        built.map_err(|error| error.to_string()).expect("an authority")
    }

    #[test]
    fn only_what_the_configured_authority_issued_and_is_in_force_has_a_key() {
        for (pem, expected) in [
            (pem!("sign"), None),
            (pem!("stranger"), None),
            (pem!("rogue"), Some(Untrusted::Issuer)),
            (pem!("forged"), Some(Untrusted::Issuer)),
            (pem!("issued"), Some(Untrusted::Issuer)),
            (pem!("middle"), Some(Untrusted::Issuer)),
            (pem!("root"), Some(Untrusted::Issuer)),
            (pem!("expired"), Some(Untrusted::Time)),
            (pem!("future"), Some(Untrusted::Time)),
        ] {
            let certificate = certificate(pem);
            let found = authority().key(&certificate, NOW).err();
            assert_eq!(found, expected, "{:?}", certificate.common_name());
        }
    }

    #[test]
    fn an_authority_needs_a_root_that_issued_it() {
        let build =
            |root, middle| Authority::new(certificate(root), certificate(middle), &NativeKeyring).err();
        assert_eq!(build(pem!("root"), pem!("middle")), None);
        assert_eq!(build(pem!("root"), pem!("root")), None, "a root is issued by itself");
        assert_eq!(build(pem!("middle"), pem!("root")), Some(Untrusted::Issuer));
        assert_eq!(build(pem!("root"), pem!("sign")), Some(Untrusted::Kind));
    }

    #[test]
    fn serial_and_name_are_read_as_the_authority_wrote_them() {
        let sign = certificate(pem!("sign"));
        assert_eq!(sign.serial(), "69026276696");
        assert_eq!(sign.common_name().as_deref(), Some("041@8310000000083040@中国银联股份有限公司@00016493"));
    }

    #[test]
    fn anything_but_one_certificate_is_refused_without_a_panic() {
        let good = pem!("sign");
        assert!(Certificate::read(&good.replace('\n', "\r\n")).is_ok());
        let two = format!("{good}{}", pem!("middle"));
        let long = format!("{good}{}", " ".repeat(PEM_MAX));
        assert!(Certificate::read(&long).is_ok(), "white space around it is nothing");
        for wrong in ["", "-----BEGIN CERTIFICATE-----", &two, &good[1..], &good.replace("MII", "MIJ")] {
            assert_eq!(Certificate::read(wrong).err(), Some(Untrusted::Malformed));
        }
        for cut in 0..good.len() - 2 {
            assert!(Certificate::read(&good[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn no_byte_of_a_certificate_can_be_changed() {
        let good = pem!("sign");
        let body: String = good.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(body).expect("base64");
        let authority = authority();
        for place in 0..der.len() {
            let mut changed = der.clone();
            changed[place] ^= 1;
            let believed = Certificate::from_der(&changed).is_some_and(|of| authority.key(&of, NOW).is_ok());
            assert!(!believed, "byte {place}");
        }
    }
}
