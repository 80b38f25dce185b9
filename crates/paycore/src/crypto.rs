//! Private-key and public-key work behind two small traits, so that a key store, an HSM or another library can
//! stand in. Natively `aws-lc-rs` signs (it has no known timing leak and is several times faster); on wasm32
//! the `rsa` crate does, blinded. SM2 is the `sm2` crate everywhere. PKCS#1 v1.5 decryption does not exist here: only
//! OAEP opens what was encrypted.

#[cfg(feature = "native-crypto")]
pub mod envelope;
#[cfg(any(feature = "native-crypto", feature = "portable-crypto"))]
mod legacy;
#[cfg(feature = "native-crypto")]
pub mod native;
#[cfg(feature = "portable-crypto")]
pub mod portable;
#[cfg(any(feature = "native-crypto", feature = "portable-crypto"))]
mod sm;

use std::fmt;
use std::sync::Arc;

use crate::secret::Secret;

/// A signature scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5 with SHA-256: Alipay RSA2, WeChat Pay v3 and most of China's gateways.
    RsaSha256,
    /// RSASSA-PKCS1-v1_5 with SHA-1. Collisions of SHA-1 are practical, so this is for gateways that know nothing
    /// else (通联 in its RSA mode) and never the choice where there is another.
    RsaSha1,
    /// SM2 with SM3 (GB/T 32918.2), the signature as 64 bytes: r and s, 32 each.
    Sm2Sm3,
    /// SM2 with SM3, the signature as an ASN.1 sequence of r and s.
    Sm2Sm3Der,
}

/// A way to encrypt something short for the holder of a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encryption {
    /// RSAES-OAEP with SHA-1 in both places and no label: names and numbers of people at WeChat Pay v3 and the
    /// gateways made after it. SHA-1 is no weakness here, where nobody gains from a collision.
    RsaOaepSha1,
}

/// The signer's name that goes into an SM2 signature where the parties agreed on no other (GM/T 0009, section 10).
pub const SM2_ID: &str = "1234567812345678";

/// Why a key cannot be used. The text never holds any part of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty or blank.
    #[error("the key is empty")]
    Empty,
    /// Neither PEM nor base64 DER of the wanted kind.
    #[error("the key is not a {expected}")]
    Malformed {
        /// What would have been read, such as "PKCS#8 or PKCS#1 RSA private key".
        expected: &'static str,
    },
    /// Fewer than 2,048 bits or an exponent that is too small.
    #[error("the key is too weak: RSA keys need at least 2048 bits")]
    Weak,
    /// The signing operation itself failed.
    #[error("the key could not sign")]
    Sign,
}

/// Opens keys. One key ring serves a whole process.
pub trait Keyring: Send + Sync {
    /// A private key as PEM (PKCS#8, PKCS#1 or SEC 1) or the base64 text of the same DER without its frame; an SM2
    /// key also as 64 hex digits. The key itself says whether it is RSA or SM2.
    fn signer(&self, key: &Secret) -> Result<Box<dyn Signer>, KeyError>;
    /// A public key as PEM (SubjectPublicKeyInfo or PKCS#1) or the base64 text of the same DER; an SM2 key also as
    /// the 128 or 130 hex digits of its point.
    fn verifier(&self, key: &str) -> Result<Box<dyn Verifier>, KeyError>;
    /// A public key, as [`Keyring::verifier`] takes it, to encrypt for its owner.
    fn encrypter(&self, key: &str) -> Result<Box<dyn Encrypter>, KeyError>;
    /// A private key, as [`Keyring::signer`] takes it, to open what was encrypted for us.
    fn decrypter(&self, key: &Secret) -> Result<Box<dyn Decrypter>, KeyError>;
    /// A public RSA key from 1,024 bits on that verifies [`Scheme::RsaSha1`] and nothing else: for a gateway whose
    /// own key is that short. Anything else is refused.
    fn legacy_verifier(&self, key: &str) -> Result<Box<dyn Verifier>, KeyError> {
        self.verifier(key)
    }
    /// A new RSA-2048 key pair for a sandbox: PKCS#8 private key and SubjectPublicKeyInfo, both base64 DER.
    fn generate(&self) -> Result<KeyPair, KeyError>;
    /// A new SM2 key pair for a sandbox, in the same forms.
    fn generate_sm2(&self) -> Result<KeyPair, KeyError> {
        Err(KeyError::Sign)
    }
    /// The same key ring to keep, for public keys that arrive inside messages.
    fn shared(&self) -> Arc<dyn Keyring>;
}

/// A fresh key pair, both halves as base64 DER without PEM frame.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// PKCS#8.
    pub private: Secret,
    /// SubjectPublicKeyInfo.
    pub public: String,
}

/// A private key that is ready to sign.
pub trait Signer: Send + Sync {
    /// The raw signature over `message`. A scheme of another algorithm than the key's is an error.
    fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, KeyError>;
    /// The same, with the signer's name that an SM2 signature covers; other algorithms have none and ignore it.
    fn sign_as(&self, scheme: Scheme, id: &str, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let _ = id;
        self.sign(scheme, message)
    }
}

/// A public key that is ready to verify.
pub trait Verifier: Send + Sync {
    /// Whether `signature` is this key's over `message`. Every way to be wrong is the same `false`.
    fn verify(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool;
    /// The same, with the signer's name that an SM2 signature covers; other algorithms have none and ignore it.
    fn verify_as(&self, scheme: Scheme, id: &str, message: &[u8], signature: &[u8]) -> bool {
        let _ = id;
        self.verify(scheme, message, signature)
    }
}

/// A public key that is ready to encrypt.
pub trait Encrypter: Send + Sync {
    /// The ciphertext of `clear`, another at every call: the randomness comes from the key ring. It fails when `clear`
    /// is longer than the key can take: 214 bytes for RSA-2048 with OAEP and SHA-1.
    fn encrypt(&self, encryption: Encryption, clear: &[u8]) -> Result<Vec<u8>, CipherError>;
}

/// A private key that is ready to decrypt.
pub trait Decrypter: Send + Sync {
    /// What was encrypted. Every way to be wrong is the same error.
    fn decrypt(
        &self,
        encryption: Encryption,
        ciphertext: &[u8],
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, CipherError>;
}

/// Encrypting or decrypting failed. There is one error for every reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text cannot be encrypted or decrypted with this key")]
pub struct CipherError;

/// Seals short secrets for storage (credentials, webhook secrets) and opens them again.
pub trait Vault: Send + Sync {
    /// Encrypts `clear` so that it opens only together with the same `binding` (tenant and row id): moving the
    /// text to another row makes it unreadable. The text names the key it was sealed with.
    fn seal(&self, binding: &str, clear: &Secret) -> Result<String, SealError>;
    /// Opens what `seal` made.
    fn open(&self, binding: &str, sealed: &str) -> Result<Secret, SealError>;
    /// The same value sealed by the key that seals now; none where that key has sealed it.
    fn reseal(&self, binding: &str, sealed: &str) -> Result<Option<String>, SealError>;
}

/// Sealing or opening failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The text names a key that is not at hand.
    #[error("this was sealed by the root key `{0}`, which is not at hand: put it back into `root_keys`")]
    UnknownKey(String),
    /// Every other reason: what is sealed was changed, stands in another row, or was sealed by another key of this name.
    #[error("the sealed value cannot be opened with the keys at hand")]
    Unopened,
}

impl fmt::Debug for dyn Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(…)")
    }
}

impl fmt::Debug for dyn Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(…)")
    }
}

impl fmt::Debug for dyn Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(…)")
    }
}

impl fmt::Debug for dyn Encrypter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encrypter(…)")
    }
}

impl fmt::Debug for dyn Decrypter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decrypter(…)")
    }
}

/// The DER inside a PEM frame or inside bare base64 text; white space is ignored.
#[cfg(any(feature = "native-crypto", feature = "portable-crypto"))]
fn der(text: &str, expected: &'static str) -> Result<zeroize::Zeroizing<Vec<u8>>, KeyError> {
    use base64::Engine as _;
    let mut body = zeroize::Zeroizing::new(String::with_capacity(text.len()));
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with("-----")) {
        body.extend(line.chars().filter(|c| !c.is_ascii_whitespace()));
    }
    if body.is_empty() {
        return Err(KeyError::Empty);
    }
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(body.as_bytes())
        .map_err(|_| KeyError::Malformed { expected })?;
    Ok(zeroize::Zeroizing::new(bytes))
}

#[cfg(any(feature = "native-crypto", feature = "portable-crypto"))]
const PRIVATE: &str = "RSA private key in PKCS#8 or PKCS#1 form";
#[cfg(any(feature = "native-crypto", feature = "portable-crypto"))]
const PUBLIC: &str = "RSA public key in SubjectPublicKeyInfo or PKCS#1 form";
