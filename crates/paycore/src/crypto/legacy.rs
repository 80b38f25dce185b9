//! RSA with SHA-1 for the few gateways that know nothing else, kept apart so that it is easy to see who uses it.
//! aws-lc signs nothing with SHA-1, so both key rings sign with the blinded `rsa` crate here.

use std::convert::Infallible;

use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::DecodePrivateKey;
use rsa::rand_core::TryCryptoRng;
use rsa::{RsaPrivateKey, RsaPublicKey};
use sha1::{Digest, Sha1};

use super::{KeyError, PRIVATE};

/// DER of `DigestInfo` up to the SHA-1 value (RFC 8017, section 9.2, note 1).
const PREFIX: [u8; 15] =
    [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];

fn padding() -> Pkcs1v15Sign {
    Pkcs1v15Sign { hash_len: Some(20), prefix: PREFIX.into() }
}

/// A private key from PKCS#8 or PKCS#1 DER.
pub(super) fn open(der: &[u8]) -> Result<RsaPrivateKey, KeyError> {
    RsaPrivateKey::from_pkcs8_der(der)
        .or_else(|_| RsaPrivateKey::from_pkcs1_der(der))
        .map_err(|_| KeyError::Malformed { expected: PRIVATE })
}

pub(super) fn sign(
    key: &RsaPrivateKey,
    blinding: &mut impl TryCryptoRng<Error = Infallible>,
    message: &[u8],
) -> Result<Vec<u8>, KeyError> {
    key.sign_with_rng(blinding, padding(), &Sha1::digest(message)).map_err(|_| KeyError::Sign)
}

#[cfg_attr(not(feature = "portable-crypto"), expect(dead_code, reason = "aws-lc verifies natively"))]
pub(super) fn verify(key: &RsaPublicKey, message: &[u8], signature: &[u8]) -> bool {
    key.verify(padding(), &Sha1::digest(message), signature).is_ok()
}
