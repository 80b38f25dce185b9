//! The provider's own way to check what the merchant signed, and to sign what it says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response};
use paycore::crypto::Scheme;
use paycore::time::Timestamp;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::Gateway;
use crate::sandbox::{Note, respond};

/// Clocks may differ by so many seconds.
const CLOCKS: i64 = 300;

impl Gateway {
    /// Whether the request carries this merchant's signature of now over exactly itself.
    pub(super) fn authentic(&self, request: &Request<Bytes>, now: Timestamp) -> Option<()> {
        let header = |name: &str| {
            let mut values = request.headers().get_all(name).iter();
            let (Some(value), None) = (values.next(), values.next()) else { return None };
            value.to_str().ok()
        };
        let (client, time) = (header("client-id")?, header("request-time")?);
        let mut parts = header("signature")?.split(',');
        let (Some("algorithm=RSA256"), Some("keyVersion=1"), Some(last), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let escaped = format!("s={}", last.strip_prefix("signature=")?);
        let (_, base64) = url::form_urlencoded::parse(escaped.as_bytes()).next()?;
        let signature = STANDARD.decode(base64.as_bytes()).ok()?;
        let sent = Timestamp::parse(time).ok()?.secs();
        let in_time = (now.secs() - CLOCKS..=now.secs() + CLOCKS).contains(&sent);
        let text = signed(request.method().as_str(), request.uri().path(), [client, time], request.body());
        let good = self.merchant.verify(Scheme::RsaSha256, &text, &signature);
        (client == self.client_id && in_time && good).then_some(())
    }

    /// The headers that prove where a body comes from; `header` names the one with the time.
    fn proof(&self, path: &str, header: &str, body: &str, now: Timestamp) -> HeaderMap {
        let time = now.to_rfc3339_seconds(8 * 3600);
        let text = signed("POST", path, [&self.client_id, &time], body.as_bytes());
        let signature = STANDARD.encode(self.signer.sign(Scheme::RsaSha256, &text).unwrap_or_default());
        let escaped: String = byte_serialize(signature.as_bytes()).collect();
        let seal = format!("algorithm=RSA256,keyVersion=1,signature={escaped}");
        let headers = [("client-id", &self.client_id), (header, &time), ("signature", &seal)];
        headers
            .into_iter()
            .filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
            .collect()
    }

    /// A signed answer to what was asked on this path.
    pub(super) fn signed(&self, path: &str, value: &Value, now: Timestamp) -> Response<Bytes> {
        let body = value.to_string();
        let proof = self.proof(path, "response-time", &body, now);
        let mut response = respond(200, (CONTENT_TYPE, "application/json; charset=UTF-8"), body);
        response.headers_mut().extend(proof);
        response
    }

    /// The same body at every try; only the signature is of now.
    pub(super) fn notification(&self, note: &Note, now: Timestamp) -> Option<Request<Bytes>> {
        let (url, body) = (url::Url::parse(&note.url).ok()?, note.content.to_string());
        let proof = self.proof(url.path(), "request-time", &body, now);
        let mut request = Request::post(&note.url).header(CONTENT_TYPE, "application/json; charset=UTF-8");
        request.headers_mut()?.extend(proof);
        request.body(body.into()).ok()
    }
}

fn signed(method: &str, path: &str, [client, time]: [&str; 2], body: &[u8]) -> Vec<u8> {
    [format!("{method} {path}\n{client}.{time}.").as_bytes(), body].concat()
}
