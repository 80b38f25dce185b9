//! The provider's own way to check what the merchant signed, and to sign and seal what it says.

use aes_gcm::Nonce;
use aes_gcm::aead::{Aead as _, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response};
use paycore::time::Timestamp;
use serde_json::{Value, json};

use super::Gateway;
use crate::sandbox::{Note, respond, v3};

impl Gateway {
    /// Whether the request carries this merchant's signature of now over exactly itself.
    pub(super) fn authentic(&self, request: &Request<Bytes>, now: Timestamp) -> Option<()> {
        let ours = [self.mchid.as_str(), &self.serial_no];
        v3::authentic(request, "DouyinPay-RSA", ours, &*self.merchant, now)
    }

    /// The four headers that prove where a body comes from.
    fn proof(&self, body: &[u8], nonce: &str, now: Timestamp) -> HeaderMap {
        v3::proof(&*self.signer, ["douyinpay", &self.platform_serial], body, nonce, now)
    }

    /// A signed answer; `null` makes an empty body.
    pub(super) fn signed(&self, status: u16, value: &Value, now: Timestamp) -> Response<Bytes> {
        let body = if value.is_null() { String::new() } else { value.to_string() };
        let proof = self.proof(body.as_bytes(), &format!("{:032x}", now.micros()), now);
        let mut response = respond(status, (CONTENT_TYPE, "application/json; charset=utf-8"), body);
        response.headers_mut().extend(proof);
        response
    }

    /// The same body at every try, sealed and signed; only the signature is of now.
    pub(super) fn sealed(&self, note: &Note, now: Timestamp) -> Option<Request<Bytes>> {
        let about = if note.refund { "refund" } else { "transaction" };
        // No two notes have the same number, so no nonce is used for two texts.
        let (nonce, ciphertext) =
            self.seal(&format!("{:012x}", note.id), about, &note.content.to_string())?;
        let body = json!({
            "id": format!("DY{}{:08}", note.created.beijing_compact(), note.id),
            "create_time": note.created.to_rfc3339_seconds(8 * 3600),
            "resource_type": "encrypt-resource",
            "event_type": format!("{}.SUCCESS", about.to_uppercase()), "summary": "成功",
            "resource": {
                "original_type": about, "algorithm": "AEAD_AES_256_GCM", "ciphertext": ciphertext,
                "associated_data": about, "nonce": nonce,
            },
        });
        let body = body.to_string();
        let proof = self.proof(body.as_bytes(), &format!("N{:015}{:08}", note.id, note.tries), now);
        let mut request = Request::post(&note.url).header(CONTENT_TYPE, "application/json");
        request.headers_mut()?.extend(proof);
        request.body(body.into()).ok()
    }

    /// The certificate as a client may download it.
    pub(super) fn certificates(&self, now: Timestamp) -> Option<Value> {
        let (nonce, text) =
            self.seal(&format!("C{:011x}", now.micros()), "certificate", &self.certificate)?;
        Some(json!({"certificates": [{
            "cert_no": self.platform_serial,
            "effective_time": "2020-01-01T08:00:00+08:00", "expire_time": "2050-01-01T07:59:59+08:00",
            "encrypt_certificate": {"algorithm": "AEAD_AES_256_GCM", "associated_data": "certificate",
                "nonce": nonce, "cipher_text": text},
        }]}))
    }

    /// A text under the merchant's key, with a nonce of twelve characters: the last of those given.
    fn seal(&self, nonce: &str, aad: &str, clear: &str) -> Option<(String, String)> {
        let nonce = &nonce[nonce.len().checked_sub(12)?..];
        let bytes: [u8; 12] = nonce.as_bytes().try_into().ok()?;
        let payload = Payload { msg: clear.as_bytes(), aad: aad.as_bytes() };
        let sealed = self.seal.encrypt(&Nonce::from(bytes), payload).ok()?;
        Some((nonce.to_owned(), STANDARD.encode(sealed)))
    }
}
