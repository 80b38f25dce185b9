//! The encryption of contents: AES-128 in CBC mode with a vector of zeros, as the platform prescribes. It hides what is
//! carried from whoever sits on the line; that it is genuine is the signature's business, which covers the sealed text.

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, InnerIvInit as _, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::secret::Secret;

const ZEROS: [u8; 16] = [0; 16];

/// An app's key for contents.
pub(super) struct Seal(Aes128);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl Seal {
    /// The key as the console shows it: base64 of 16 bytes.
    pub(super) fn new(key: &Secret) -> Option<Seal> {
        let key = STANDARD.decode(key.expose().trim()).ok()?;
        Aes128::new_from_slice(&key).ok().map(Seal)
    }

    /// The base64 of the sealed content.
    pub(super) fn close(&self, clear: &[u8]) -> String {
        let sealer = cbc::Encryptor::inner_iv_init(self.0.clone(), &ZEROS.into());
        STANDARD.encode(sealer.encrypt_padded_vec::<Pkcs7>(clear))
    }

    /// What was sealed.
    pub(super) fn open(&self, sealed: &str) -> Option<Vec<u8>> {
        let opener = cbc::Decryptor::inner_iv_init(self.0.clone(), &ZEROS.into());
        opener.decrypt_padded_vec::<Pkcs7>(&STANDARD.decode(sealed).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `openssl enc -aes-128-cbc -K 000102030405060708090a0b0c0d0e0f -iv 0 -base64`
    const SEALED: &str = "G7PYcjyAquhKW/Z/PmtCCwAEMQ2LJAhfnV7fLx+Hpz9SU1ENF4L2+gd26qKaNJwi";

    #[test]
    fn contents_are_sealed_as_another_implementation_seals_them() {
        let seal = Seal::new(&Secret::new("AAECAwQFBgcICQoLDA0ODw==")).expect("a key");
        let clear = r#"{"out_trade_no":"a1","subject":"红茶"}"#;
        assert_eq!(seal.close(clear.as_bytes()), SEALED);
        assert_eq!(seal.open(SEALED).as_deref(), Some(clear.as_bytes()));
        assert_eq!(seal.open(&SEALED[..20]), None);
        assert_eq!(seal.open("AAECAwQFBgcICQoLDA0ODw=="), None);
        assert!(Seal::new(&Secret::new("AAECAwQFBgcICQoLDA0O")).is_none());
    }
}
