//! The provider's own way to check what the merchant signed and to sign what it answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Response;
use http::header::CONTENT_TYPE;
use paycore::crypto::Scheme;
use serde_json::{Map, Value, json};

use super::Acquirer;
use crate::sandbox::respond;

/// The members of an object, sorted by name.
pub(super) type Data = Map<String, Value>;

impl Acquirer {
    /// The data of a request that this merchant has signed. The provider writes the data anew before it looks at the
    /// signature, so that it does not matter how the merchant ordered it.
    pub(super) fn authentic(&self, body: &[u8]) -> Option<Data> {
        let frame: Data = serde_json::from_slice(body).ok()?;
        let text = |name: &str| frame.get(name).and_then(Value::as_str).unwrap_or_default();
        let Some(Value::Object(data)) = frame.get("data") else { return None };
        let signature = STANDARD.decode(text("sign")).ok()?;
        let clear = Value::Object(data.clone()).to_string();
        let signed = self.merchant.verify(Scheme::RsaSha256, clear.as_bytes(), &signature);
        let ours = text("sys_id") == self.sys_id && text("product_id") == self.product_id;
        (signed && ours).then(|| data.clone())
    }

    /// The signature over a text, in base64.
    pub(super) fn sign(&self, text: &str) -> String {
        STANDARD.encode(self.signer.sign(Scheme::RsaSha256, text.as_bytes()).unwrap_or_default())
    }

    /// A signed answer.
    pub(super) fn signed(&self, data: &Value) -> Response<Bytes> {
        let sign = self.sign(&data.to_string());
        let text = json!({"data": data, "sign": sign}).to_string();
        respond(200, (CONTENT_TYPE, "application/json;charset=UTF-8"), text)
    }
}
