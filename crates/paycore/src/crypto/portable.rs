//! Keys by the pure-Rust `rsa` crate, for targets without a C compiler. RUSTSEC-2023-0071 (timing of private-key
//! operations) has no fix: signing and decryption are blinded, PKCS#1 v1.5 decryption is not offered, and natively
//! this module is not used.

use std::sync::Arc;

use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::DecodePublicKey;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::traits::PublicKeyParts;
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use zeroize::Zeroizing;

use super::{
    CipherError, Decrypter, Encrypter, Encryption, KeyError, KeyPair, Keyring, PRIVATE, PUBLIC, Scheme,
    Signer, Verifier, der, legacy, sm,
};
use crate::secret::Secret;
use crate::time::Rng;

/// DER of `DigestInfo` up to the SHA-256 value (RFC 8017, section 9.2, note 1).
const SHA256_PREFIX: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

fn padding() -> Pkcs1v15Sign {
    Pkcs1v15Sign { hash_len: Some(32), prefix: SHA256_PREFIX.into() }
}

/// The portable key ring; the RNG blinds every RSA private-key operation. It cannot generate RSA keys: that happens
/// on servers only.
#[derive(Clone)]
pub struct PortableKeyring {
    rng: Arc<dyn Rng>,
}

impl PortableKeyring {
    /// A key ring that blinds with this source of randomness, which must be fit for secrets.
    pub fn new(rng: Arc<dyn Rng>) -> Self {
        PortableKeyring { rng }
    }
}

/// Our RNG in the shape the `rsa` crate takes.
struct Blinding<'a>(&'a dyn Rng);

impl TryRng for Blinding<'_> {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Blinding<'_> {}

impl PortableKeyring {
    fn private(&self, key: &Secret) -> Result<PortablePrivate, KeyError> {
        let key = legacy::open(&der(key.expose(), PRIVATE)?)?;
        if key.size() < 256 {
            return Err(KeyError::Weak);
        }
        Ok(PortablePrivate { key, rng: Arc::clone(&self.rng) })
    }

    /// A public key whose modulus has at least this many bytes.
    fn public(&self, key: &str, least: usize) -> Result<PortablePublic, KeyError> {
        let der = der(key, PUBLIC)?;
        let key = RsaPublicKey::from_public_key_der(&der)
            .or_else(|_| RsaPublicKey::from_pkcs1_der(&der))
            .map_err(|_| KeyError::Malformed { expected: PUBLIC })?;
        if key.size() < least {
            return Err(KeyError::Weak);
        }
        Ok(PortablePublic { key, rng: Arc::clone(&self.rng) })
    }
}

impl Keyring for PortableKeyring {
    fn signer(&self, key: &Secret) -> Result<Box<dyn Signer>, KeyError> {
        if let Some(signer) = sm::signer(key)? {
            return Ok(signer);
        }
        Ok(Box::new(self.private(key)?))
    }

    fn verifier(&self, key: &str) -> Result<Box<dyn Verifier>, KeyError> {
        if let Some(verifier) = sm::verifier(key)? {
            return Ok(verifier);
        }
        Ok(Box::new(self.public(key, 256)?))
    }

    fn legacy_verifier(&self, key: &str) -> Result<Box<dyn Verifier>, KeyError> {
        Ok(Box::new(Sha1Only(self.public(key, 128)?)))
    }

    fn encrypter(&self, key: &str) -> Result<Box<dyn Encrypter>, KeyError> {
        Ok(Box::new(self.public(key, 256)?))
    }

    fn decrypter(&self, key: &Secret) -> Result<Box<dyn Decrypter>, KeyError> {
        Ok(Box::new(self.private(key)?))
    }

    fn generate(&self) -> Result<KeyPair, KeyError> {
        Err(KeyError::Sign)
    }

    fn generate_sm2(&self) -> Result<KeyPair, KeyError> {
        let mut random = Zeroizing::new([0; 32]);
        self.rng.fill(&mut *random);
        sm::pair(&random).ok_or(KeyError::Sign)
    }

    fn shared(&self) -> Arc<dyn Keyring> {
        Arc::new(self.clone())
    }
}

struct PortablePrivate {
    key: RsaPrivateKey,
    rng: Arc<dyn Rng>,
}

impl Signer for PortablePrivate {
    fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut blinding = Blinding(&*self.rng);
        match scheme {
            Scheme::RsaSha256 => self
                .key
                .sign_with_rng(&mut blinding, padding(), &Sha256::digest(message))
                .map_err(|_| KeyError::Sign),
            Scheme::RsaSha1 => legacy::sign(&self.key, &mut blinding, message),
            Scheme::Sm2Sm3 | Scheme::Sm2Sm3Der => Err(KeyError::Sign),
        }
    }
}

impl Decrypter for PortablePrivate {
    fn decrypt(&self, encryption: Encryption, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let Encryption::RsaOaepSha1 = encryption;
        let mut blinding = Blinding(&*self.rng);
        let clear = self.key.decrypt_blinded(&mut blinding, Oaep::<Sha1>::new(), ciphertext);
        clear.map(Zeroizing::new).map_err(|_| CipherError)
    }
}

struct PortablePublic {
    key: RsaPublicKey,
    rng: Arc<dyn Rng>,
}

impl Verifier for PortablePublic {
    fn verify(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        match scheme {
            Scheme::RsaSha256 => self.key.verify(padding(), &Sha256::digest(message), signature).is_ok(),
            Scheme::RsaSha1 => legacy::verify(&self.key, message, signature),
            Scheme::Sm2Sm3 | Scheme::Sm2Sm3Der => false,
        }
    }
}

/// A key that may be too short for anything but what its owner signs with SHA-1.
struct Sha1Only(PortablePublic);

impl Verifier for Sha1Only {
    fn verify(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        scheme == Scheme::RsaSha1 && self.0.verify(scheme, message, signature)
    }
}

impl Encrypter for PortablePublic {
    fn encrypt(&self, encryption: Encryption, clear: &[u8]) -> Result<Vec<u8>, CipherError> {
        let Encryption::RsaOaepSha1 = encryption;
        let mut seed = Blinding(&*self.rng);
        self.key.encrypt(&mut seed, Oaep::<Sha1>::new(), clear).map_err(|_| CipherError)
    }
}

#[cfg(all(test, feature = "native-crypto"))]
mod tests {
    use super::super::native::NativeKeyring;
    use super::*;
    use crate::time::SeededRng;

    /// Each library opens what the other encrypted.
    #[test]
    fn both_key_rings_encrypt_for_each_other() {
        let portable = PortableKeyring::new(Arc::new(SeededRng::new(1)));
        let pair = NativeKeyring.generate().unwrap();
        let rings: [&dyn Keyring; 2] = [&portable, &NativeKeyring];
        for (one, other) in [(rings[0], rings[1]), (rings[1], rings[0])] {
            let sealed = one.encrypter(&pair.public).unwrap();
            let sealed = sealed.encrypt(Encryption::RsaOaepSha1, "欧阳".as_bytes()).unwrap();
            let opened = other.decrypter(&pair.private).unwrap();
            let clear = opened.decrypt(Encryption::RsaOaepSha1, &sealed).unwrap();
            assert_eq!(clear.as_slice(), "欧阳".as_bytes());
            assert_eq!(opened.decrypt(Encryption::RsaOaepSha1, &sealed[1..]).err(), Some(CipherError));
        }
    }
}
