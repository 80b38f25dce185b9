//! Notifications: signed headers around a sealed resource, and the answers to them.

use aes_gcm::Nonce;
use aes_gcm::aead::{Aead, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Response, StatusCode};
use paycore::channel::{Context, Fault, Notice};
use serde::Deserialize;

use super::{Identity, read};
use crate::dialect::reply::json;

#[derive(Deserialize)]
struct Envelope {
    event_type: String,
    resource_type: String,
    resource: Sealed,
}

/// A notification that was verified.
pub(crate) struct Announcement {
    /// What happened, such as `REFUND.SUCCESS`. Payments and shares have the same word for their success.
    pub(crate) event: String,
    /// What it happened to, such as `profitsharing`; empty where the envelope does not say.
    pub(crate) kind: String,
    /// What it holds, in clear.
    pub(crate) clear: Vec<u8>,
}

#[derive(Deserialize)]
struct Sealed {
    original_type: Option<String>,
    algorithm: String,
    ciphertext: String,
    nonce: String,
    associated_data: Option<String>,
}

impl Identity {
    /// Verifies a notification and opens what it holds.
    pub(crate) fn notified(&self, notice: &Notice, cx: &Context<'_>) -> Result<Announcement, Fault> {
        if notice.method() != Method::POST {
            return Err(Fault::Unexpected("a notification is a POST".into()));
        }
        self.verify(notice.headers(), notice.body(), cx.now)?;
        let envelope: Envelope = read(notice.body())?;
        if envelope.resource_type != "encrypt-resource" {
            return Err(Fault::Unexpected(format!("resource_type {:?}", envelope.resource_type)));
        }
        let clear = self.open(&envelope.resource)?;
        let kind = envelope.resource.original_type.unwrap_or_default();
        Ok(Announcement { event: envelope.event_type, kind, clear })
    }

    fn open(&self, sealed: &Sealed) -> Result<Vec<u8>, Fault> {
        if sealed.algorithm != "AEAD_AES_256_GCM" {
            return Err(Fault::Unexpected(format!("a resource sealed by {:?}", sealed.algorithm)));
        }
        let nonce = <[u8; 12]>::try_from(sealed.nonce.as_bytes());
        let nonce = nonce.map_err(|_| Fault::Unexpected("the resource's nonce is not 12 bytes".into()))?;
        let ciphertext = STANDARD.decode(&sealed.ciphertext);
        let ciphertext = ciphertext.map_err(|_| Fault::Unexpected("the resource is not base64".into()))?;
        let aad = sealed.associated_data.as_deref().unwrap_or_default().as_bytes();
        let clear = self.seal.decrypt(&Nonce::from(nonce), Payload { msg: &ciphertext, aad });
        clear.map_err(|_| Fault::Unacceptable("the resource does not open with this account's key".into()))
    }
}

/// To a notification that was believed: 204 without a body.
pub(crate) fn acknowledgement() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// To a notification that was refused.
pub(crate) fn rejection() -> Response<Bytes> {
    json(StatusCode::BAD_REQUEST, r#"{"code":"FAIL","message":"通知未被接受"}"#)
}
