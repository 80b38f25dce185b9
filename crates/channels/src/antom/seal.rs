//! The signature around every message: RSA-SHA256 over the method, the path, whose client it is, when it was sent and
//! the body as it stands.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request};
use paycore::channel::{Context, Fault, Refusal};
use paycore::crypto::Scheme;
use paycore::time::Timestamp;
use serde_json::Value;

use super::config::Account;
use crate::dialect::v3::once;

/// Of a message of Antom: which header says when it was sent, and how old it may be.
pub(super) struct Age {
    pub(super) header: &'static str,
    pub(super) oldest: Duration,
}

/// How far a clock may be ahead of ours.
const AHEAD: Duration = Duration::from_secs(300);

impl Account {
    /// A signed request. The path is signed as it stands below the gateway's address.
    pub(super) fn post(&self, path: &str, body: &Value, cx: &Context<'_>) -> Result<Request<Bytes>, Refusal> {
        let (body, time) = (body.to_string(), cx.now.to_rfc3339_seconds(0));
        let text = self.signed_text(path, &time, body.as_bytes());
        let signature = self.signer.sign(Scheme::RsaSha256, &text).map_err(|_| Refusal::Signing)?;
        let (version, signature) = (&self.key_version, escaped(&STANDARD.encode(signature)));
        Request::post(format!("{}{path}", self.gateway))
            .header(CONTENT_TYPE, "application/json; charset=UTF-8")
            .header("client-id", &self.client_id)
            .header("request-time", time)
            .header("signature", format!("algorithm=RSA256,keyVersion={version},signature={signature}"))
            .body(body.into())
            .map_err(|_| Refusal::Signing)
    }

    /// Whether a message comes from Antom, is meant for this client and belongs to this path.
    pub(super) fn verify(
        &self,
        headers: &HeaderMap,
        (path, body): (&str, &[u8]),
        age: &Age,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let (client, time) = (once(headers, "client-id")?, once(headers, age.header)?);
        let signature = self.signature(once(headers, "signature")?).ok_or(Fault::Signature)?;
        let text = self.signed_text(path, time, body);
        if client != self.client_id || !self.antom.verify(Scheme::RsaSha256, &text, &signature) {
            return Err(Fault::Signature);
        }
        let sent =
            Timestamp::parse(time).map_err(|_| Fault::Unexpected(format!("{} {time:?}", age.header)))?;
        if sent.since(now) >= AHEAD || now.since(sent) >= age.oldest {
            return Err(Fault::Unacceptable(format!("signed at {time}, not now")));
        }
        Ok(())
    }

    fn signed_text(&self, path: &str, time: &str, body: &[u8]) -> Vec<u8> {
        let mut text = format!("POST {path}\n{}.{time}.", self.client_id).into_bytes();
        text.extend_from_slice(body);
        text
    }

    /// The bytes of a signature out of its header. Nothing but the signature itself protects that header, so there is
    /// one spelling of it and no other.
    fn signature(&self, header: &str) -> Option<Vec<u8>> {
        let start = format!("algorithm=RSA256,keyVersion={},signature=", self.antom_key_version);
        let text = header.strip_prefix(&start)?;
        let plain = text.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
        (text == plain || text == escaped(&plain)).then_some(())?;
        STANDARD.decode(plain).ok()
    }
}

/// Base64 as it stands in an address.
fn escaped(base64: &str) -> String {
    base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}
