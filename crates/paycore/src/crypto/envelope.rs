//! Envelope encryption: every value has a data key of its own, which a root key wraps. Both layers are AES-256-GCM
//! with random nonces; the binding (tenant and row) is authenticated, so that a value moved to another row does
//! not open. Root keys are named, so that an old one can stay for reading while a new one seals.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::{SealError, Vault};
use crate::secret::Secret;

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;
const VERSION: &str = "pc1";

/// A vault over root keys held in memory. The first seals, all of them open.
pub struct EnvelopeVault {
    roots: Vec<(String, RandomizedNonceKey)>,
}

/// A root key is not 32 bytes, or none was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a root key must be 32 bytes in base64 and have a name of letters and digits")]
pub struct RootKeyError;

impl std::fmt::Debug for EnvelopeVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.roots.iter().map(|(name, _)| name)).finish()
    }
}

impl EnvelopeVault {
    /// A vault over named root keys, each 32 bytes in base64; the first one seals.
    pub fn new<'a>(roots: impl IntoIterator<Item = (&'a str, &'a Secret)>) -> Result<Self, RootKeyError> {
        let roots = roots.into_iter().map(|(name, key)| root(name, key)).collect::<Result<Vec<_>, _>>()?;
        if roots.is_empty() {
            return Err(RootKeyError);
        }
        Ok(EnvelopeVault { roots })
    }
}

fn root(name: &str, key: &Secret) -> Result<(String, RandomizedNonceKey), RootKeyError> {
    let text = key.expose().trim().trim_end_matches('=');
    let bytes = Zeroizing::new(STANDARD_NO_PAD.decode(text).map_err(|_| RootKeyError)?);
    if !is_name(name) || bytes.len() != KEY_LEN {
        return Err(RootKeyError);
    }
    let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| RootKeyError)?;
    Ok((name.to_owned(), key))
}

impl Vault for EnvelopeVault {
    fn seal(&self, binding: &str, clear: &Secret) -> Result<String, SealError> {
        let (name, root) = self.roots.first().ok_or(SealError::Unopened)?;
        let mut data_key = Zeroizing::new([0u8; KEY_LEN]);
        aws_lc_rs::rand::fill(&mut *data_key).map_err(|_| SealError::Unopened)?;
        let value_key = RandomizedNonceKey::new(&AES_256_GCM, &*data_key).map_err(|_| SealError::Unopened)?;
        let wrapped = encrypt(root, binding, &*data_key)?;
        let value = encrypt(&value_key, binding, clear.expose().as_bytes())?;
        Ok(format!("{VERSION}.{name}.{}.{}", STANDARD_NO_PAD.encode(wrapped), STANDARD_NO_PAD.encode(value)))
    }

    fn open(&self, binding: &str, sealed: &str) -> Result<Secret, SealError> {
        let Text { name, wrapped, value } = Text::read(sealed)?;
        let root = self.roots.iter().find(|(known, _)| known == name);
        let (_, root) = root.ok_or_else(|| SealError::UnknownKey(name.to_owned()))?;
        let data_key = decrypt(root, binding, wrapped)?;
        let value_key = RandomizedNonceKey::new(&AES_256_GCM, &data_key).map_err(|_| SealError::Unopened)?;
        let clear = decrypt(&value_key, binding, value)?;
        String::from_utf8(clear.to_vec()).map(Secret::new).map_err(|_| SealError::Unopened)
    }

    fn reseal(&self, binding: &str, sealed: &str) -> Result<Option<String>, SealError> {
        let clear = self.open(binding, sealed)?;
        let current = self
            .roots
            .first()
            .is_some_and(|(name, _)| Text::read(sealed).is_ok_and(|text| text.name == name));
        if current { Ok(None) } else { self.seal(binding, &clear).map(Some) }
    }
}

/// The parts of a sealed text.
struct Text<'s> {
    /// The root key that wrapped the data key.
    name: &'s str,
    wrapped: &'s str,
    value: &'s str,
}

impl<'s> Text<'s> {
    fn read(sealed: &'s str) -> Result<Text<'s>, SealError> {
        let parts: Vec<&str> = sealed.split('.').collect();
        match parts.as_slice() {
            [VERSION, name, wrapped, value] if is_name(name) => Ok(Text { name, wrapped, value }),
            _ => Err(SealError::Unopened),
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn encrypt(key: &RandomizedNonceKey, binding: &str, clear: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut text = clear.to_vec();
    let nonce = key
        .seal_in_place_append_tag(Aad::from(binding.as_bytes()), &mut text)
        .map_err(|_| SealError::Unopened)?;
    let mut out = nonce.as_ref().to_vec();
    out.append(&mut text);
    Ok(out)
}

fn decrypt(key: &RandomizedNonceKey, binding: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| SealError::Unopened)?;
    if bytes.len() < NONCE_LEN + TAG_LEN {
        return Err(SealError::Unopened);
    }
    let (nonce, sealed) = bytes.split_at(NONCE_LEN);
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Unopened)?;
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let clear_len = key
        .open_in_place(nonce, Aad::from(binding.as_bytes()), &mut buffer)
        .map_err(|_| SealError::Unopened)?
        .len();
    buffer.truncate(clear_len);
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Secret {
        Secret::new(STANDARD_NO_PAD.encode([byte; KEY_LEN]))
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_binding_only() {
        let vault = EnvelopeVault::new([("k1", &key(1))]).unwrap();
        let sealed = vault.seal("mer_a/cha_b", &Secret::new("app key")).unwrap();
        assert!(!sealed.contains("app key"));
        assert_eq!(vault.open("mer_a/cha_b", &sealed).unwrap().expose(), "app key");
        assert_eq!(vault.open("mer_b/cha_b", &sealed), Err(SealError::Unopened));
    }

    #[test]
    fn any_changed_character_fails() {
        let vault = EnvelopeVault::new([("k1", &key(1))]).unwrap();
        let sealed = vault.seal("row", &Secret::new("value")).unwrap();
        for at in 0..sealed.len() {
            let mut other = sealed.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            if other != sealed {
                assert!(vault.open("row", &other).is_err(), "at {at}");
            }
        }
    }

    #[test]
    fn an_old_root_key_still_opens_and_a_missing_one_does_not() {
        let old = EnvelopeVault::new([("k1", &key(1))]).unwrap();
        let sealed = old.seal("row", &Secret::new("value")).unwrap();
        let both = EnvelopeVault::new([("k2", &key(2)), ("k1", &key(1))]).unwrap();
        assert_eq!(both.open("row", &sealed).unwrap().expose(), "value");
        let new = EnvelopeVault::new([("k2", &key(2))]).unwrap();
        assert_eq!(new.open("row", &sealed), Err(SealError::UnknownKey("k1".into())));
        let other = EnvelopeVault::new([("k1", &key(2))]).unwrap();
        assert_eq!(other.open("row", &sealed), Err(SealError::Unopened), "another key of the same name");
    }

    #[test]
    fn what_an_old_root_key_sealed_is_sealed_again_and_then_no_more() {
        let old = EnvelopeVault::new([("k1", &key(1))]).unwrap();
        let sealed = old.seal("row", &Secret::new("value")).unwrap();
        assert_eq!(old.reseal("row", &sealed), Ok(None));
        let both = EnvelopeVault::new([("k2", &key(2)), ("k1", &key(1))]).unwrap();
        let fresh = both.reseal("row", &sealed).unwrap().expect("another key seals now");
        let new = EnvelopeVault::new([("k2", &key(2))]).unwrap();
        assert_eq!(new.open("row", &fresh).unwrap().expose(), "value");
        assert_eq!(both.reseal("row", &fresh), Ok(None));
        assert_eq!(both.reseal("other row", &sealed), Err(SealError::Unopened));
        assert_eq!(new.reseal("row", &sealed), Err(SealError::UnknownKey("k1".into())));
    }

    #[test]
    fn short_or_nameless_root_keys_are_refused() {
        assert!(EnvelopeVault::new([("k1", &Secret::new("AAAA"))]).is_err());
        assert!(EnvelopeVault::new([("", &key(1))]).is_err());
        assert!(EnvelopeVault::new([]).is_err());
    }
}
