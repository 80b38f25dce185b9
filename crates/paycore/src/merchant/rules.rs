//! How keys and secrets are made and recognised.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::secret::Secret;
use crate::time::Rng;

/// What a key's first letters say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `sk_…`: for servers.
    Secret,
    /// `pk_…`: may stand in a page.
    Publishable,
    /// `ck_…`: for the cashier page.
    Cashier,
}

impl KeyKind {
    /// The first letters.
    fn prefix(self) -> &'static str {
        match self {
            KeyKind::Secret => "sk",
            KeyKind::Publishable => "pk",
            KeyKind::Cashier => "ck",
        }
    }

    /// The kind of a key by its hint.
    pub fn of(hint: &str) -> KeyKind {
        match hint.split('_').next() {
            Some("pk") => KeyKind::Publishable,
            Some("ck") => KeyKind::Cashier,
            _ => KeyKind::Secret,
        }
    }
}

/// Whether a key says that it is for live payments.
pub fn is_live(key: &str) -> bool {
    [KeyKind::Secret, KeyKind::Publishable, KeyKind::Cashier]
        .iter()
        .any(|kind| key.strip_prefix(kind.prefix()).is_some_and(|rest| rest.starts_with("_live_")))
}

/// A new key: `sk_test_` or the like and 32 random bytes.
pub fn new_key(kind: KeyKind, livemode: bool, rng: &dyn Rng) -> Secret {
    let mut random = [0u8; 32];
    rng.fill(&mut random);
    let kind = kind.prefix();
    let mode = if livemode { "live" } else { "test" };
    Secret::new(format!("{kind}_{mode}_{}", URL_SAFE_NO_PAD.encode(random)))
}

/// What is kept of a key. The key is 256 random bits, so that a plain hash cannot be searched.
pub fn hash_key(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

/// How a key is recognised by people: its prefix and its last four characters.
pub fn hint(key: &Secret) -> String {
    let text = key.expose();
    let prefix: String = text.chars().take(8).collect();
    let tail: String = text.chars().skip(text.chars().count().saturating_sub(4)).collect();
    format!("{prefix}…{tail}")
}

/// A new webhook secret in the form of Standard Webhooks: `whsec_` and base64 of 32 bytes.
pub fn new_webhook_secret(rng: &dyn Rng) -> Secret {
    let mut random = [0u8; 32];
    rng.fill(&mut random);
    Secret::new(format!("whsec_{}", STANDARD.encode(random)))
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)] as char, DIGITS[usize::from(b & 15)] as char])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SeededRng;

    #[test]
    fn a_key_says_its_kind_and_mode_and_its_hash_does_not_show_it() {
        let key = new_key(KeyKind::Secret, false, &SeededRng::new(1));
        assert!(key.expose().starts_with("sk_test_"));
        assert_eq!(key.expose().len(), "sk_test_".len() + 43);
        assert_eq!(hash_key(key.expose()).len(), 64);
        assert!(!hint(&key).contains(&key.expose()[12..20]));
    }
}
