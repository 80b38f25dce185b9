//! The provider's own way to check what the merchant signed and to sign what it answers.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Request, Response};
use paycore::time::Timestamp;
use serde_json::Value;

use super::Platform;
use crate::sandbox::{respond, v3};

impl Platform {
    /// Whether the request carries this merchant's signature of now over exactly itself.
    pub(super) fn authentic(&self, request: &Request<Bytes>, now: Timestamp) -> Option<()> {
        let ours = [self.mchid.as_str(), &self.serial_no];
        v3::authentic(request, "WECHATPAY2-SHA256-RSA2048", ours, &*self.merchant, now)
    }

    /// The headers that prove where a body comes from, and by which scheme.
    pub(super) fn proof(&self, body: &[u8], nonce: &str, now: Timestamp) -> HeaderMap {
        let serial = if self.by_certificate { &self.certificate_serial } else { &self.key_id };
        let mut proof = v3::proof(&*self.signer, ["wechatpay", serial], body, nonce, now);
        proof.insert("wechatpay-signature-type", HeaderValue::from_static("WECHATPAY2-SHA256-RSA2048"));
        proof
    }

    /// A signed answer; `null` makes an empty body.
    pub(super) fn signed(&self, status: u16, value: &Value, now: Timestamp) -> Response<Bytes> {
        let body = if value.is_null() { String::new() } else { value.to_string() };
        let proof = self.proof(body.as_bytes(), &format!("{:032x}", now.micros()), now);
        let mut response = respond(status, (CONTENT_TYPE, "application/json; charset=utf-8"), body);
        response.headers_mut().extend(proof);
        response
    }
}
