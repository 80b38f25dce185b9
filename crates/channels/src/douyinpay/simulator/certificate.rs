//! A certificate for the platform's key, issued by itself, as DER written by hand.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::crypto::{KeyError, Scheme, Signer};

pub(super) struct Issued {
    pub(super) pem: String,
    /// Upper-case hexadecimal.
    pub(super) serial: String,
}

/// Certifies a SubjectPublicKeyInfo from 2020 to the end of 2049.
pub(super) fn issue(mut serial: [u8; 8], public: &[u8], signer: &dyn Signer) -> Result<Issued, KeyError> {
    // Positive, and as long as it looks.
    serial[0] = serial[0] & 0x3f | 0x40;
    // sha256WithRSAEncryption, 1.2.840.113549.1.1.11, with NULL parameters.
    let algorithm = der(0x30, &[&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b], &[5, 0]]);
    // commonName, 2.5.4.3.
    let name = der(0x30, &[&[6, 3, 0x55, 4, 3], &der(0x0c, &[b"Douyin Pay sandbox"])]);
    let name = der(0x30, &[&der(0x31, &[&name])]);
    let validity = der(0x30, &[&der(0x17, &[b"200101000000Z"]), &der(0x17, &[b"491231235959Z"])]);
    let version = der(0xa0, &[&[2, 1, 2]]);
    let number = der(2, &[&serial]);
    let signed = der(0x30, &[&version, &number, &algorithm, &name, &validity, &name, public]);
    let signature = der(3, &[&[0], &signer.sign(Scheme::RsaSha256, &signed)?]);
    let text = STANDARD.encode(der(0x30, &[&signed, &algorithm, &signature]));
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem += "-----END CERTIFICATE-----\n";
    Ok(Issued { pem, serial: serial.iter().map(|byte| format!("{byte:02X}")).collect() })
}

/// One element: tag, length, content.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut element = vec![tag];
    match length.as_slice() {
        [] => element.push(0),
        [short] if *short < 0x80 => element.push(*short),
        long => {
            // At most eight bytes.
            element.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            element.extend_from_slice(long);
        }
    }
    element.extend(content);
    element
}
