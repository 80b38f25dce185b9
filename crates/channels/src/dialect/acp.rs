//! The frame of UnionPay's 全渠道 (ACP) 5.1.0, which acquirers have taken over: sorted fields, `signMethod` and `signature`.
//! Requests and notifications are forms, replies are the same text without percent-encoding.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::read::ZlibDecoder;
use paycore::channel::{
    Decline, DeclineReason as Why, Fault, Refusal, Reply, Settings, SettingsError, Verdict,
};
use paycore::crypto::{Keyring, Scheme, Signer};
use paycore::time::Timestamp;
use sha2::{Digest as _, Sha256};
use sm3::Sm3;

use crate::dialect::chain::{Authority, Certificate, Untrusted};
use crate::dialect::form::{Form, Nesting, text_to_sign};

/// Fields of a message, by name.
pub(crate) type Fields = Vec<(&'static str, String)>;

/// How messages are signed, both ways.
pub(crate) struct Seal {
    keys: Keys,
    /// What the third `@` part of the common name of the other end's certificates may be.
    names: &'static [&'static str],
}

enum Keys {
    /// `signMethod` 01: our certificate's number and key, and who issues the other end's certificates.
    Certificate { cert_id: String, signer: Box<dyn Signer>, authority: Box<Authority> },
    /// `signMethod` 11 and 12: the hash of the shared key, in hexadecimal.
    Shared { hash: Hash, key: String },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sm3,
}

impl Hash {
    /// In lower-case hexadecimal.
    fn hex(self, parts: &[&[u8]]) -> String {
        match self {
            Hash::Sha256 => {
                hex(&parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize())
            }
            Hash::Sm3 => hex(&parts.iter().fold(Sm3::new(), |hash, part| hash.chain_update(part)).finalize()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    bytes.iter().flat_map(digits).map(char::from).collect()
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seal({})", self.method())
    }
}

impl Seal {
    /// From the settings `sign_method`, and `certificate`, `private_key`, `root_certificate` and `middle_certificate`, or
    /// `secure_key`.
    pub(crate) fn open(
        settings: &Settings,
        keyring: &dyn Keyring,
        names: &'static [&'static str],
    ) -> Result<Seal, SettingsError> {
        let keys = match settings.text("sign_method", "01").trim() {
            "01" => certificate(settings, keyring)?,
            "11" => shared_key(settings, Hash::Sha256)?,
            "12" => shared_key(settings, Hash::Sm3)?,
            _ => return Err(SettingsError::new("sign_method", "must be 01, 11 or 12")),
        };
        Ok(Seal { keys, names })
    }

    fn method(&self) -> &'static str {
        match &self.keys {
            Keys::Certificate { .. } => "01",
            Keys::Shared { hash: Hash::Sha256, .. } => "11",
            Keys::Shared { hash: Hash::Sm3, .. } => "12",
        }
    }

    /// The fields that are not blank in the order in which they are signed, with what belongs to the frame.
    pub(crate) fn sign(&self, mut fields: Fields) -> Result<Fields, Refusal> {
        let frame = [("version", "5.1.0"), ("encoding", "UTF-8"), ("signMethod", self.method())];
        fields.extend(frame.map(|(name, value)| (name, value.to_owned())));
        if let Keys::Certificate { cert_id, .. } = &self.keys {
            fields.push(("certId", cert_id.clone()));
        }
        fields.retain(|(_, value)| !value.trim().is_empty());
        fields.sort_unstable();
        let text: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let text = text_to_sign(&text);
        let signature = match &self.keys {
            Keys::Certificate { signer, .. } => {
                // The signature is made over the hash as text, and hashes that once more.
                let digest = Hash::Sha256.hex(&[text.as_bytes()]);
                let signature = signer.sign(Scheme::RsaSha256, digest.as_bytes());
                STANDARD.encode(signature.map_err(|_| Refusal::Signing)?)
            }
            Keys::Shared { hash, key } => hash.hex(&[text.as_bytes(), b"&", key.as_bytes()]),
        };
        fields.push(("signature", signature));
        Ok(fields)
    }

    /// Reads and verifies the answer to a request of ours.
    pub(crate) fn open_reply<'a>(&self, reply: &'a Reply, now: Timestamp) -> Result<Form<'a>, Fault> {
        if reply.status() != http::StatusCode::OK {
            return Err(Fault::Unexpected(format!("HTTP status {}", reply.status().as_u16())));
        }
        let form = Form::nested(reply.body(), Nesting::Plain)?;
        self.check(&form, now)?;
        Ok(form)
    }

    /// Whether the other end signed these fields.
    pub(crate) fn check(&self, form: &Form<'_>, now: Timestamp) -> Result<(), Fault> {
        // What the message says of its method decides nothing; it only has to be ours.
        if form.field("signMethod") != Some(self.method()) || form.field("version") != Some("5.1.0") {
            return Err(Fault::Signature);
        }
        let signature = form.field("signature").filter(|text| !text.is_empty()).ok_or(Fault::Signature)?;
        let text = form.signed_text(&["signature"]);
        let good = match &self.keys {
            Keys::Certificate { authority, .. } => {
                let believe = || {
                    let certificate = Certificate::read(form.field("signPubKeyCert").unwrap_or_default())?;
                    let name = certificate.common_name().unwrap_or_default();
                    let ours = name.split('@').nth(2).is_some_and(|part| self.names.contains(&part));
                    if ours { authority.key(&certificate, now) } else { Err(Untrusted::Name) }
                };
                let key = believe().map_err(|why| Fault::Unexpected(format!("signPubKeyCert: {why}")))?;
                let signature = STANDARD.decode(signature).map_err(|_| Fault::Signature)?;
                key.verify(Scheme::RsaSha256, Hash::Sha256.hex(&[&text]).as_bytes(), &signature)
            }
            Keys::Shared { hash, key } => equal(&hash.hex(&[&text, b"&", key.as_bytes()]), signature),
        };
        if good { Ok(()) } else { Err(Fault::Signature) }
    }
}

/// Documented codes of failures after which no money moves.
pub(crate) const FAILURES: [&str; 35] = [
    "01", "10", "13", "30", "31", "32", "33", "35", "36", "38", "39", "40", "43", "44", "60", "61", "62",
    "63", "64", "65", "66", "67", "68", "69", "71", "72", "73", "77", "78", "81", "85", "86", "87", "88",
    "90",
];

fn reason(code: &str) -> Why {
    match code {
        "64" | "90" => Why::InsufficientFunds,
        "33" | "67" | "81" | "87" => Why::Limit,
        "38" => Why::Risk,
        "39" | "69" => Why::Expired,
        "31" | "32" | "43" | "62" | "68" | "72" | "77" | "78" => Why::NotPermitted,
        "10" | "13" | "35" | "36" | "44" | "61" | "86" | "88" => Why::InvalidRequest,
        _ => Why::Generic,
    }
}

/// The verdict behind one of these codes.
pub(crate) fn declined(code: &str, message: &str) -> Verdict {
    let message = if message.is_empty() { "银联应答码" } else { message };
    let message = message.chars().take(200).collect();
    Verdict::Declined(Decline { reason: reason(code), code: code.to_owned(), message })
}

/// A file inside a message: compressed, and in base64.
pub(crate) fn unpacked(text: &str) -> Result<Bytes, Fault> {
    /// A day of several million transactions.
    const FILE_MAX: u64 = 512 << 20;
    let wrong = || Fault::Unexpected("the file in the message is not compressed as it should be".into());
    let packed = STANDARD.decode(text).map_err(|_| wrong())?;
    let mut file = Vec::new();
    match ZlibDecoder::new(packed.as_slice()).take(FILE_MAX).read_to_end(&mut file) {
        Ok(len) if (len as u64) < FILE_MAX => Ok(Bytes::from(file)),
        _ => Err(wrong()),
    }
}

/// Compares in the same time wherever the texts differ.
fn equal(one: &str, other: &str) -> bool {
    let different = one.bytes().zip(other.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && different == 0
}

fn shared_key(settings: &Settings, hash: Hash) -> Result<Keys, SettingsError> {
    let key = settings.require("secure_key")?.expose().trim();
    if key.len() < 16 {
        return Err(SettingsError::new("secure_key", "must have at least 16 characters"));
    }
    // A key that everybody can read is none: certificates travel in every message.
    if key.contains("-----BEGIN") {
        return Err(SettingsError::new("secure_key", "must be the shared key, not a certificate"));
    }
    Ok(Keys::Shared { hash, key: hash.hex(&[key.as_bytes()]) })
}

fn certificate(settings: &Settings, keyring: &dyn Keyring) -> Result<Keys, SettingsError> {
    let read = |field: &str| {
        let pem = settings.require(field)?.expose();
        Certificate::read(pem).map_err(|error| SettingsError::new(field, error))
    };
    let ours = read("certificate")?;
    let key = settings.require("private_key")?;
    let signer = keyring.signer(key).map_err(|error| SettingsError::new("private_key", error))?;
    let authority = Authority::new(read("root_certificate")?, read("middle_certificate")?, keyring);
    let authority = authority.map_err(|error| SettingsError::new("middle_certificate", error))?;
    let verifier = ours.public_key().ok().and_then(|public| keyring.verifier(&public).ok());
    let probe = b"whose key is this";
    let signature = signer.sign(Scheme::RsaSha256, probe);
    let signature = signature.map_err(|error| SettingsError::new("private_key", error))?;
    if !verifier.is_some_and(|verifier| verifier.verify(Scheme::RsaSha256, probe, &signature)) {
        return Err(SettingsError::new("certificate", "does not belong to the private key"));
    }
    Ok(Keys::Certificate { cert_id: ours.serial(), signer, authority: Box::new(authority) })
}
