//! The provider's own way to read documents, to check what the merchant signed and to sign what it answers.

use md5::{Digest as _, Md5};
use paycore::time::Timestamp;

use super::Wallet;
use crate::sandbox::xml::{Fields, read, write};

impl Wallet {
    /// The fields of a request that carries this merchant's signature.
    pub(super) fn authentic(&self, body: &[u8]) -> Option<Fields> {
        let fields = read(std::str::from_utf8(body).ok()?)?;
        (fields.get("sign")? == &self.sign(&fields)).then_some(fields)
    }

    fn sign(&self, fields: &Fields) -> String {
        let signed = fields.iter().filter(|(name, value)| *name != "sign" && !value.is_empty());
        let pairs: String = signed.map(|(name, value)| format!("{name}={value}&")).collect();
        let digest = Md5::digest(format!("{pairs}key={}", self.key));
        digest.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// A document with the merchant's numbers and the signature.
    pub(super) fn document(&self, mut fields: Fields, now: Timestamp) -> String {
        fields.insert("mch_id".into(), self.mch_id.clone());
        fields.insert("appid".into(), self.appid.clone());
        fields.insert("nonce_str".into(), format!("{:032x}", now.micros()));
        fields.insert("sign".into(), self.sign(&fields));
        write(&fields)
    }
}
