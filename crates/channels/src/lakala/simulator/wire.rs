//! The provider's own way to check what the merchant signed and to sign what it says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Request, Response};
use paycore::crypto::Scheme;
use paycore::time::Timestamp;
use serde_json::Value;

use super::Gateway;
use crate::sandbox::{Note, respond};

/// Clocks may differ by so many seconds.
const CLOCKS: i64 = 300;

impl Gateway {
    /// Whether the request carries this merchant's signature of now over exactly its body.
    pub(super) fn authentic(&self, request: &Request<Bytes>, now: Timestamp) -> Option<()> {
        let mut given = request.headers().get_all(AUTHORIZATION).iter();
        let (Some(header), None) = (given.next(), given.next()) else { return None };
        let fields = header.to_str().ok()?.strip_prefix("LKLAPI-SHA256withRSA ")?;
        let mut values = [None; 5];
        for field in fields.split(',') {
            let (name, value) = field.split_once('=')?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            let names = ["appid", "serial_no", "timestamp", "nonce_str", "signature"];
            let slot = names.iter().position(|known| *known == name.trim())?;
            if values[slot].replace(value).is_some() {
                return None;
            }
        }
        let [Some(appid), Some(serial), Some(timestamp), Some(nonce), Some(signature)] = values else {
            return None;
        };
        let seconds: i64 = timestamp.parse().ok()?;
        let in_time = (now.secs() - CLOCKS..=now.secs() + CLOCKS).contains(&seconds);
        let ours = appid == self.appid && serial == self.serial_no && !nonce.is_empty();
        let mut text = format!("{appid}\n{serial}\n{timestamp}\n{nonce}\n").into_bytes();
        text.extend_from_slice(request.body());
        text.push(b'\n');
        let signature = STANDARD.decode(signature).ok()?;
        let signed = self.merchant.verify(Scheme::RsaSha256, &text, &signature);
        (in_time && ours && signed).then_some(())
    }

    /// A signed answer.
    pub(super) fn signed(&self, value: &Value, now: Timestamp) -> Response<Bytes> {
        let (body, timestamp) = (value.to_string(), now.secs().to_string());
        let nonce = format!("{:032x}", now.micros());
        let (appid, serial) = (&self.appid, &self.platform_serial);
        let signature = self.sign(&format!("{appid}\n{serial}\n{timestamp}\n{nonce}\n{body}\n"));
        let mut response = respond(200, (CONTENT_TYPE, "application/json; charset=utf-8"), body);
        let names =
            ["appid", "serial", "timestamp", "nonce", "signature"].map(|name| format!("lklapi-{name}"));
        let values = [appid, serial, &timestamp, &nonce, &signature];
        let header = |(name, value): (String, &String)| Some((name.parse().ok()?, value.parse().ok()?));
        let proof: HeaderMap = names.into_iter().zip(values).filter_map(header).collect();
        response.headers_mut().extend(proof);
        response
    }

    /// The same body at every try; only the signature is of now.
    pub(super) fn noted(&self, note: &Note, now: Timestamp) -> Option<Request<Bytes>> {
        let (body, timestamp) = (note.content.to_string(), now.secs());
        let nonce = format!("N{:07}{:04}", note.id, note.tries);
        let signature = self.sign(&format!("{timestamp}\n{nonce}\n{body}\n"));
        let authorization = format!(
            "LKLAPI-SHA256withRSA timestamp=\"{timestamp}\",nonce_str=\"{nonce}\",signature=\"{signature}\""
        );
        let request = Request::post(&note.url).header(CONTENT_TYPE, "application/json");
        request.header(AUTHORIZATION, authorization).body(body.into()).ok()
    }

    fn sign(&self, text: &str) -> String {
        STANDARD.encode(self.signer.sign(Scheme::RsaSha256, text.as_bytes()).unwrap_or_default())
    }
}
