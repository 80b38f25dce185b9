//! X.509 certificates for sandboxes: RSA keys, SHA-256, good from 2020 to 2046.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::crypto::{KeyError, Scheme, Signer};

/// Who a certificate is of, or who issued it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Party<'a> {
    pub(crate) organization: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) name: &'a str,
}

/// A certificate to be issued.
pub(crate) struct Certificate<'a> {
    pub(crate) serial: u64,
    pub(crate) subject: Party<'a>,
    pub(crate) issuer: Party<'a>,
    /// Base64 of the subject's SubjectPublicKeyInfo.
    pub(crate) public_key: &'a str,
    /// Whether the subject may issue certificates.
    pub(crate) is_authority: bool,
}

const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];

impl Certificate<'_> {
    /// Signs it with the issuer's key; in PEM form.
    pub(crate) fn issue(&self, issuer: &dyn Signer) -> Result<String, KeyError> {
        let key = STANDARD.decode(self.public_key).map_err(|_| KeyError::Empty)?;
        let algorithm = sequence(&[&tlv(0x06, SHA256_WITH_RSA), &[5, 0]]);
        let validity = sequence(&[&tlv(0x17, b"200101000000Z"), &tlv(0x17, b"460101000000Z")]);
        // As short as it can be, and never with the sign bit set.
        let mut serial: Vec<u8> =
            self.serial.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        if serial.first().is_none_or(|first| *first >= 0x80) {
            serial.insert(0, 0);
        }
        let mut parts =
            vec![tlv(0xa0, &[2, 1, 2]), tlv(2, &serial), algorithm.clone(), self.issuer.der(), validity];
        parts.extend([self.subject.der(), key]);
        if self.is_authority {
            let value = tlv(4, &sequence(&[&[1, 1, 0xff]]));
            let extension = sequence(&[&tlv(0x06, BASIC_CONSTRAINTS), &[1, 1, 0xff], &value]);
            parts.push(tlv(0xa3, &sequence(&[&extension])));
        }
        let content = tlv(0x30, &parts.concat());
        let signature = [&[0], &issuer.sign(Scheme::RsaSha256, &content)?[..]].concat();
        let whole = STANDARD.encode(sequence(&[&content, &algorithm, &tlv(3, &signature)]));
        let lines: Vec<&str> =
            (0..whole.len()).step_by(64).map(|at| &whole[at..whole.len().min(at + 64)]).collect();
        Ok(format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n")))
    }
}

impl Party<'_> {
    fn der(&self) -> Vec<u8> {
        let part = |kind: u8, text: &str| {
            let text = tlv(if kind == 6 { 0x13 } else { 0x0c }, text.as_bytes());
            tlv(0x31, &sequence(&[&tlv(0x06, &[0x55, 4, kind]), &text]))
        };
        let parts = [part(6, "CN"), part(10, self.organization), part(11, self.unit), part(3, self.name)];
        tlv(0x30, &parts.concat())
    }
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// Tag, length and content.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![tag];
    match length {
        0..0x80 => der.push(length as u8),
        0x80..0x100 => der.extend([0x81, length as u8]),
        _ => der.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    der.extend_from_slice(content);
    der
}
