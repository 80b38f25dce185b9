//! The provider's own way to check what the merchant signed and to sign what it answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Request, Response};
use paycore::crypto::Scheme;
use paycore::time::Timestamp;
use serde_json::Value;

use super::Platform;
use crate::sandbox::respond;

/// Clocks may differ by so many seconds.
const CLOCKS: i64 = 300;

impl Platform {
    /// Whether the request carries this merchant's signature of now over exactly itself.
    pub(super) fn authentic(&self, request: &Request<Bytes>, now: Timestamp) -> Option<()> {
        let mut given = request.headers().get_all(AUTHORIZATION).iter();
        let (Some(header), None) = (given.next(), given.next()) else { return None };
        let fields = header.to_str().ok()?.strip_prefix("WECHATPAY2-SHA256-RSA2048 ")?;
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
        let (method, body) = (request.method(), request.body());
        let mut text = format!("{method}\n{target}\n{timestamp}\n{nonce}\n").into_bytes();
        text.extend_from_slice(body);
        text.push(b'\n');
        let signature = STANDARD.decode(signature).ok()?;
        let signed = self.merchant.verify(Scheme::RsaSha256, &text, &signature);
        (in_time && ours && signed).then_some(())
    }

    /// The headers that prove where a body comes from, and by which scheme.
    pub(super) fn proof(&self, body: &[u8], nonce: &str, now: Timestamp) -> HeaderMap {
        let timestamp = now.secs().to_string();
        let mut text = format!("{timestamp}\n{nonce}\n").into_bytes();
        text.extend_from_slice(body);
        text.push(b'\n');
        let signature = STANDARD.encode(self.signer.sign(Scheme::RsaSha256, &text).unwrap_or_default());
        let names = ["timestamp", "nonce", "signature", "serial", "signature-type"];
        let names = names.map(|name| format!("wechatpay-{name}"));
        let serial = if self.by_certificate { &self.certificate_serial } else { &self.key_id };
        let values = [&timestamp, nonce, &signature, serial, "WECHATPAY2-SHA256-RSA2048"];
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
}
