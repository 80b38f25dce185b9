//! SM2 signatures over SM3 digests (GB/T 32918.2) with the pure-Rust `sm2` crate, on every target: aws-lc has no SM2.
//! Nonces are derived from the key and the message (RFC 6979), so that signing needs no source of randomness and a
//! weak one cannot reveal the key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::dsa::{Signature, SigningKey, VerifyingKey};
use sm2::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use sm2::{PublicKey, SecretKey};
use zeroize::Zeroizing;

use super::{KeyError, KeyPair, SM2_ID, Scheme, Signer, Verifier, der};
use crate::secret::Secret;

const PRIVATE: &str = "SM2 private key in PKCS#8 form or as 64 hex digits";
const PUBLIC: &str = "SM2 public key in SubjectPublicKeyInfo form or as hex digits of a point";

/// The DER of the object identifier 1.2.156.10197.1.301, which names the curve in every SM2 key.
const CURVE: [u8; 10] = [0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d];

/// A signer if `key` is an SM2 private key, nothing if it is of another kind.
pub(super) fn signer(key: &Secret) -> Result<Option<Box<dyn Signer>>, KeyError> {
    let malformed = KeyError::Malformed { expected: PRIVATE };
    let secret = if let Some(scalar) = hex(key.expose(), &[32]) {
        SecretKey::from_slice(&scalar).map_err(|_| malformed)?
    } else {
        let der = der(key.expose(), PRIVATE)?;
        if !names_curve(&der) {
            return Ok(None);
        }
        SecretKey::from_pkcs8_der(&der).or_else(|_| SecretKey::from_sec1_der(&der)).map_err(|_| malformed)?
    };
    let usual = SigningKey::new(SM2_ID, &secret).map_err(|_| KeyError::Sign)?;
    Ok(Some(Box::new(Sm2Signer { secret, usual })))
}

/// A verifier if `key` is an SM2 public key, nothing if it is of another kind.
pub(super) fn verifier(key: &str) -> Result<Option<Box<dyn Verifier>>, KeyError> {
    let malformed = KeyError::Malformed { expected: PUBLIC };
    let public = if let Some(mut point) = hex(key, &[64, 65]) {
        if point.len() == 64 {
            point.insert(0, 4);
        }
        PublicKey::from_sec1_bytes(&point).map_err(|_| malformed)?
    } else {
        let der = der(key, PUBLIC)?;
        if !names_curve(&der) {
            return Ok(None);
        }
        PublicKey::from_public_key_der(&der).map_err(|_| malformed)?
    };
    Ok(Some(Box::new(Sm2Verifier(public))))
}

/// A key pair from 32 random bytes. One draw in 2^32 is no valid key; the caller draws again.
pub(super) fn pair(random: &[u8; 32]) -> Option<KeyPair> {
    let secret = SecretKey::from_slice(random).ok()?;
    SigningKey::new(SM2_ID, &secret).ok()?;
    let private = secret.to_pkcs8_der().ok()?;
    let public = secret.public_key().to_public_key_der().ok()?;
    Some(KeyPair {
        private: Secret::new(STANDARD.encode(private.as_bytes())),
        public: STANDARD.encode(public.as_bytes()),
    })
}

fn names_curve(der: &[u8]) -> bool {
    der.windows(CURVE.len()).any(|window| window == CURVE)
}

/// The bytes of a text that consists of hex digits only and stands for one of these numbers of bytes.
fn hex(text: &str, lengths: &[usize]) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.trim().as_bytes();
    if !lengths.iter().any(|length| length * 2 == text.len()) {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let byte = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    text.chunks_exact(2).map(byte).collect::<Option<Vec<u8>>>().map(Zeroizing::new)
}

struct Sm2Signer {
    secret: SecretKey,
    /// The key bound to the usual signer's name, which most gateways want.
    usual: SigningKey,
}

impl Signer for Sm2Signer {
    fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        encode(scheme, self.usual.try_sign(message))
    }

    fn sign_as(&self, scheme: Scheme, id: &str, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let key = SigningKey::new(id, &self.secret).map_err(|_| KeyError::Sign)?;
        encode(scheme, key.try_sign(message))
    }
}

fn encode(
    scheme: Scheme,
    signature: Result<Signature, sm2::dsa::signature::Error>,
) -> Result<Vec<u8>, KeyError> {
    let signature = signature.map_err(|_| KeyError::Sign)?;
    match scheme {
        Scheme::Sm2Sm3 => Ok(signature.to_vec()),
        Scheme::Sm2Sm3Der => Ok(signature.to_der().as_bytes().to_vec()),
        Scheme::RsaSha256 | Scheme::RsaSha1 => Err(KeyError::Sign),
    }
}

struct Sm2Verifier(PublicKey);

impl Verifier for Sm2Verifier {
    fn verify(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        self.verify_as(scheme, SM2_ID, message, signature)
    }

    fn verify_as(&self, scheme: Scheme, id: &str, message: &[u8], signature: &[u8]) -> bool {
        let signature = match scheme {
            Scheme::Sm2Sm3 => Signature::from_slice(signature),
            Scheme::Sm2Sm3Der => Signature::from_der(signature),
            Scheme::RsaSha256 | Scheme::RsaSha1 => return false,
        };
        let key = VerifyingKey::new(id, self.0);
        matches!((key, signature), (Ok(key), Ok(signature)) if key.verify(message, &signature).is_ok())
    }
}
