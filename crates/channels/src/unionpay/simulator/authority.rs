//! The simulated authority: certificates written by hand in DER, signed with fresh keys for every merchant.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::crypto::{KeyError, KeyPair, Keyring, Scheme};

/// sha256WithRSAEncryption with its empty parameters.
const SHA256_RSA: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00];
/// basicConstraints, critical: an authority.
const IS_AUTHORITY: &[u8] = &[
    0xa3, 0x13, 0x30, 0x11, 0x30, 0x0f, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x05, 0x30,
    0x03, 0x01, 0x01, 0xff,
];

/// Somebody with a name and a key.
pub(super) struct Holder {
    name: Vec<u8>,
    pub(super) keys: KeyPair,
}

impl Holder {
    pub(super) fn new(common_name: &str, keyring: &dyn Keyring) -> Result<Holder, KeyError> {
        // countryName 2.5.4.6, organizationName 2.5.4.10, commonName 2.5.4.3
        let attribute = |kind: u8, tag: u8, text: &str| {
            let pair = [tlv(0x06, &[0x55, 0x04, kind]), tlv(tag, text.as_bytes())].concat();
            tlv(0x31, &tlv(0x30, &pair))
        };
        let parts = [
            attribute(6, 0x13, "CN"),
            attribute(10, 0x0c, "UnionPay sandbox"),
            attribute(3, 0x0c, common_name),
        ];
        Ok(Holder { name: tlv(0x30, &parts.concat()), keys: keyring.generate()? })
    }

    /// A certificate for `subject`, as PEM, in force from 2020 to 2060.
    pub(super) fn issue(
        &self,
        subject: &Holder,
        serial: u64,
        is_authority: bool,
        keyring: &dyn Keyring,
    ) -> Result<String, KeyError> {
        let key = STANDARD.decode(&subject.keys.public).map_err(|_| KeyError::Sign)?;
        // One byte more than the number needs keeps it from being negative.
        let serial = [&[0], &serial.to_be_bytes()[..]].concat();
        let first = serial.iter().position(|byte| *byte != 0).unwrap_or(1).saturating_sub(1);
        let times = [tlv(0x17, b"200101000000Z"), tlv(0x18, b"20600101000000Z")].concat();
        let fields = [
            &[0xa0, 0x03, 0x02, 0x01, 0x02][..],
            &tlv(0x02, &trimmed(&serial[first..])),
            SHA256_RSA,
            &self.name,
            &tlv(0x30, &times),
            &subject.name,
            &key,
            if is_authority { IS_AUTHORITY } else { &[] },
        ];
        let inner = tlv(0x30, &fields.concat());
        let signature = keyring.signer(&self.keys.private)?.sign(Scheme::RsaSha256, &inner)?;
        let signature = tlv(0x03, &[&[0], signature.as_slice()].concat());
        let text = STANDARD.encode(tlv(0x30, &[&inner, SHA256_RSA, &signature].concat()));
        let lines: Vec<&str> =
            (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        Ok(format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n")))
    }
}

/// A positive DER integer has no needless zero in front.
fn trimmed(bytes: &[u8]) -> Vec<u8> {
    match bytes {
        [0, next, ..] if *next < 0x80 => bytes[1..].to_vec(),
        _ => bytes.to_vec(),
    }
}

/// A value with its tag and length.
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let len = u32::try_from(value.len()).unwrap_or(0).to_be_bytes();
    let head = match value.len() {
        0..=127 => vec![tag, len[3]],
        128..=255 => vec![tag, 0x81, len[3]],
        _ => vec![tag, 0x82, len[2], len[3]],
    };
    [head, value.to_vec()].concat()
}
