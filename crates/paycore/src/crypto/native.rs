//! Keys by aws-lc-rs, but SM2 and signing with SHA-1, which it does not have.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::rsa::{
    KeyPair as RsaKeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    PrivateDecryptingKey, PublicEncryptingKey, PublicKey,
};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
    RsaParameters, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::RsaPrivateKey;
use rsa::rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use super::{
    CipherError, Decrypter, Encrypter, Encryption, KeyError, KeyPair, Keyring, PRIVATE, PUBLIC, Scheme,
    Signer, Verifier, der, legacy, sm,
};
use crate::secret::Secret;

/// The native key ring.
#[derive(Debug, Default, Clone, Copy)]
pub struct NativeKeyring;

impl Keyring for NativeKeyring {
    fn signer(&self, key: &Secret) -> Result<Box<dyn Signer>, KeyError> {
        if let Some(signer) = sm::signer(key)? {
            return Ok(signer);
        }
        let der = der(key.expose(), PRIVATE)?;
        let pair = RsaKeyPair::from_pkcs8(&der)
            .or_else(|_| RsaKeyPair::from_der(&der))
            .map_err(|_| KeyError::Malformed { expected: PRIVATE })?;
        if pair.public_modulus_len() < 256 {
            return Err(KeyError::Weak);
        }
        Ok(Box::new(NativeSigner { pair, der, sha1: OnceLock::new() }))
    }

    fn verifier(&self, key: &str) -> Result<Box<dyn Verifier>, KeyError> {
        if let Some(verifier) = sm::verifier(key)? {
            return Ok(verifier);
        }
        Ok(Box::new(NativeVerifier { key: public(key, 256)?, sha1_only: false }))
    }

    fn legacy_verifier(&self, key: &str) -> Result<Box<dyn Verifier>, KeyError> {
        Ok(Box::new(NativeVerifier { key: public(key, 128)?, sha1_only: true }))
    }

    fn encrypter(&self, key: &str) -> Result<Box<dyn Encrypter>, KeyError> {
        let malformed = KeyError::Malformed { expected: PUBLIC };
        let der = der(key, PUBLIC)?;
        let key = PublicKey::from_der(&der).map_err(|_| malformed.clone())?;
        if key.modulus_len() < 256 {
            return Err(KeyError::Weak);
        }
        let key: PublicKeyX509Der<'_> = key.as_der().map_err(|_| malformed.clone())?;
        let key = PublicEncryptingKey::from_der(key.as_ref()).map_err(|_| malformed.clone())?;
        let key = OaepPublicEncryptingKey::new(key).map_err(|_| malformed)?;
        Ok(Box::new(NativeEncrypter(key)))
    }

    fn decrypter(&self, key: &Secret) -> Result<Box<dyn Decrypter>, KeyError> {
        let malformed = |_| KeyError::Malformed { expected: PRIVATE };
        let der = der(key.expose(), PRIVATE)?;
        let pair = RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der)).map_err(malformed)?;
        if pair.public_modulus_len() < 256 {
            return Err(KeyError::Weak);
        }
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::Malformed { expected: PRIVATE })?;
        let key = PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref()).map_err(malformed)?;
        let key =
            OaepPrivateDecryptingKey::new(key).map_err(|_| KeyError::Malformed { expected: PRIVATE })?;
        Ok(Box::new(NativeDecrypter(key)))
    }

    fn generate(&self) -> Result<KeyPair, KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Sign)?;
        let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::Sign)?;
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| KeyError::Sign)?;
        Ok(KeyPair {
            private: Secret::new(STANDARD.encode(private.as_ref())),
            public: STANDARD.encode(public.as_ref()),
        })
    }

    fn shared(&self) -> Arc<dyn Keyring> {
        Arc::new(*self)
    }

    fn generate_sm2(&self) -> Result<KeyPair, KeyError> {
        let mut random = Zeroizing::new([0; 32]);
        loop {
            SystemRandom::new().fill(&mut *random).map_err(|_| KeyError::Sign)?;
            if let Some(pair) = sm::pair(&random) {
                return Ok(pair);
            }
        }
    }
}

/// The PKCS#1 form of an RSA public key whose modulus has at least this many bytes.
fn public(key: &str, least: usize) -> Result<Vec<u8>, KeyError> {
    let der = der(key, PUBLIC)?;
    let key = PublicKey::from_der(&der).map_err(|_| KeyError::Malformed { expected: PUBLIC })?;
    if key.modulus_len() < least {
        return Err(KeyError::Weak);
    }
    Ok(key.as_ref().to_vec())
}

struct NativeSigner {
    pair: RsaKeyPair,
    der: Zeroizing<Vec<u8>>,
    /// The same key in the `rsa` crate, opened when the first signature with SHA-1 is asked for.
    sha1: OnceLock<Result<RsaPrivateKey, KeyError>>,
}

impl Signer for NativeSigner {
    fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match scheme {
            Scheme::RsaSha256 => {
                let mut signature = vec![0; self.pair.public_modulus_len()];
                self.pair
                    .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| KeyError::Sign)?;
                Ok(signature)
            }
            Scheme::RsaSha1 => {
                let key = self.sha1.get_or_init(|| legacy::open(&self.der)).as_ref().map_err(Clone::clone)?;
                legacy::sign(key, &mut Blinding(SystemRandom::new()), message)
            }
            Scheme::Sm2Sm3 | Scheme::Sm2Sm3Der => Err(KeyError::Sign),
        }
    }
}

/// The system's random source in the shape the `rsa` crate takes.
struct Blinding(SystemRandom);

impl TryRng for Blinding {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        // aws-lc aborts the process rather than go on without randomness.
        let _ = self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Blinding {}

struct NativeVerifier {
    key: Vec<u8>,
    sha1_only: bool,
}

impl Verifier for NativeVerifier {
    fn verify(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &'static RsaParameters = match scheme {
            Scheme::RsaSha256 if !self.sha1_only => &RSA_PKCS1_2048_8192_SHA256,
            Scheme::RsaSha1 => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, &self.key).verify(message, signature).is_ok()
    }
}

struct NativeEncrypter(OaepPublicEncryptingKey);

impl Encrypter for NativeEncrypter {
    fn encrypt(&self, encryption: Encryption, clear: &[u8]) -> Result<Vec<u8>, CipherError> {
        let Encryption::RsaOaepSha1 = encryption;
        let mut room = vec![0; self.0.ciphertext_size()];
        let written = self.0.encrypt(&OAEP_SHA1_MGF1SHA1, clear, &mut room, None).map_err(|_| CipherError)?;
        Ok(written.to_vec())
    }
}

struct NativeDecrypter(OaepPrivateDecryptingKey);

impl Decrypter for NativeDecrypter {
    fn decrypt(&self, encryption: Encryption, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let Encryption::RsaOaepSha1 = encryption;
        let mut room = Zeroizing::new(vec![0; self.0.min_output_size()]);
        let clear = self.0.decrypt(&OAEP_SHA1_MGF1SHA1, ciphertext, &mut room, None);
        let length = clear.map_err(|_| CipherError)?.len();
        room.truncate(length);
        Ok(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_pair_signs_and_verifies_and_a_changed_message_fails() {
        let pair = NativeKeyring.generate().unwrap();
        let signer = NativeKeyring.signer(&pair.private).unwrap();
        let verifier = NativeKeyring.verifier(&pair.public).unwrap();
        let signature = signer.sign(Scheme::RsaSha256, b"one").unwrap();
        assert!(verifier.verify(Scheme::RsaSha256, b"one", &signature));
        assert!(!verifier.verify(Scheme::RsaSha256, b"two", &signature));
        assert!(!verifier.verify(Scheme::RsaSha256, b"one", &signature[1..]));
        assert!(!verifier.verify(Scheme::RsaSha256, b"one", &[]));
    }

    #[test]
    fn an_empty_or_foreign_key_is_refused() {
        assert_eq!(NativeKeyring.signer(&Secret::new(" ")).err(), Some(KeyError::Empty));
        assert!(matches!(NativeKeyring.verifier("aGVsbG8=").err(), Some(KeyError::Malformed { .. })));
    }

    #[test]
    fn what_is_encrypted_opens_with_the_private_key_only_and_unchanged() {
        let pair = NativeKeyring.generate().unwrap();
        let encrypter = NativeKeyring.encrypter(&pair.public).unwrap();
        let decrypter = NativeKeyring.decrypter(&pair.private).unwrap();
        let other = NativeKeyring.decrypter(&NativeKeyring.generate().unwrap().private).unwrap();
        for clear in ["", "张三", &"a".repeat(214)] {
            let sealed = encrypter.encrypt(Encryption::RsaOaepSha1, clear.as_bytes()).unwrap();
            assert_ne!(sealed, encrypter.encrypt(Encryption::RsaOaepSha1, clear.as_bytes()).unwrap());
            let opened = decrypter.decrypt(Encryption::RsaOaepSha1, &sealed).unwrap();
            assert_eq!(opened.as_slice(), clear.as_bytes());
            assert_eq!(other.decrypt(Encryption::RsaOaepSha1, &sealed).err(), Some(CipherError));
            for wrong in [&sealed[1..], &[], &[&sealed[..], &[0]].concat(), &[0xff; 256]] {
                assert_eq!(decrypter.decrypt(Encryption::RsaOaepSha1, wrong).err(), Some(CipherError));
            }
            for at in (0..sealed.len()).step_by(31) {
                let mut flipped = sealed.clone();
                flipped[at] ^= 1;
                assert_eq!(decrypter.decrypt(Encryption::RsaOaepSha1, &flipped).err(), Some(CipherError));
            }
        }
        assert!(encrypter.encrypt(Encryption::RsaOaepSha1, &[0; 215]).is_err(), "too long for the key");
    }
}
