//! The provider's own way to check what the merchant signed, and to sign and seal what it says.

use aes_gcm::Nonce;
use aes_gcm::aead::{Aead as _, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Request, Response};
use paycore::crypto::Scheme;
use paycore::time::Timestamp;
use serde_json::{Value, json};

use super::Gateway;
use crate::sandbox::{Note, respond};

/// Clocks may differ by so many seconds.
const CLOCKS: i64 = 300;

impl Gateway {
    /// Whether the request carries this merchant's signature of now over exactly itself.
    pub(super) fn authentic(&self, request: &Request<Bytes>, now: Timestamp) -> Option<()> {
        let mut given = request.headers().get_all(AUTHORIZATION).iter();
        let (Some(header), None) = (given.next(), given.next()) else { return None };
        let fields = header.to_str().ok()?.strip_prefix("DouyinPay-RSA ")?;
        let mut values = [None; 5];
        for field in fields.split(',') {
            let (name, value) = field.split_once('=')?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            let names = ["mchid", "nonce_str", "signature", "timestamp", "serial_no"];
            let slot = names.iter().position(|known| *known == name)?;
            if values[slot].replace(value).is_some() {
                return None;
            }
        }
        let [Some(mchid), Some(nonce), Some(signature), Some(timestamp), Some(serial)] = values else {
            return None;
        };
        let seconds: i64 = timestamp.parse().ok()?;
        let in_time = (now.secs() - CLOCKS..=now.secs() + CLOCKS).contains(&seconds);
        let ours = mchid == self.mchid && serial == self.serial_no && (1..=32).contains(&nonce.len());
        let target = request.uri().path_and_query()?.as_str();
        let mut text = format!("{}\n{target}\n{timestamp}\n{nonce}\n", request.method()).into_bytes();
        text.extend_from_slice(request.body());
        text.push(b'\n');
        let signature = STANDARD.decode(signature).ok()?;
        let signed = self.merchant.verify(Scheme::RsaSha256, &text, &signature);
        (in_time && ours && signed).then_some(())
    }

    /// The four headers that prove where a body comes from.
    fn proof(&self, body: &[u8], nonce: &str, now: Timestamp) -> HeaderMap {
        let timestamp = now.secs().to_string();
        let mut text = format!("{timestamp}\n{nonce}\n").into_bytes();
        text.extend_from_slice(body);
        text.push(b'\n');
        let signature = STANDARD.encode(self.signer.sign(Scheme::RsaSha256, &text).unwrap_or_default());
        let names = ["timestamp", "nonce", "signature", "serial"].map(|name| format!("douyinpay-{name}"));
        let values = [&timestamp, nonce, &signature, &self.platform_serial];
        let header = |(name, value): (String, &str)| Some((name.parse().ok()?, value.parse().ok()?));
        names.into_iter().zip(values).filter_map(header).collect()
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
