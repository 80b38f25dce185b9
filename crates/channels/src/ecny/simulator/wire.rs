//! The frame of requests and replies, and what is signed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use md5::{Digest, Md5};
use paycore::crypto::Scheme;
use serde_json::{Map, Value};

use super::Bank;
use crate::sandbox::respond;

/// Texts by name; the map keeps them in the order in which they are signed.
pub(super) type Texts = BTreeMap<String, String>;

/// `name=value` of everything but the signature, joined with `&`.
pub(super) fn joined(texts: &Texts) -> String {
    let signed = texts.iter().filter(|(name, _)| name.as_str() != "sign");
    signed.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

impl Bank {
    /// Base64 of our signature.
    pub(super) fn sign(&self, text: &str) -> String {
        STANDARD.encode(self.signer.sign(Scheme::Sm2Sm3Der, text.as_bytes()).unwrap_or_default())
    }

    /// Whether the merchant signed exactly these texts.
    pub(super) fn merchant_signed(&self, texts: &Texts) -> bool {
        let sign = texts.get("sign").and_then(|sign| STANDARD.decode(sign).ok()).unwrap_or_default();
        self.merchant.verify(Scheme::Sm2Sm3Der, joined(texts).as_bytes(), &sign)
    }

    /// Whether the headers name the app and prove its secret. Answers with the time they name.
    pub(super) fn head(&self, request: &Request<Bytes>, sign: &str) -> Option<i64> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let (app_id, timestamp, digest) = (header("appid")?, header("timestamp")?, header("apisign")?);
        let secret = self.app_secret.expose();
        let text = format!("appid={app_id}&secret={secret}&sign={sign}&timestamp={timestamp}");
        let hex: String = Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        (app_id == self.app_id && hex == digest).then(|| timestamp.parse().ok()).flatten()
    }

    /// A signed reply. The bank leaves out what has nothing in it.
    pub(super) fn framed(
        &self,
        (return_code, resp_code): (&str, &str),
        more: &[(&str, &str)],
    ) -> Response<Bytes> {
        let fixed =
            [("encoding", "UTF-8"), ("signMethod", "02"), ("version", "0.0.1"), ("returnCode", return_code)];
        let answer = [("respCode", resp_code)];
        let all = fixed.iter().chain(&answer).chain(more).filter(|(_, value)| !value.is_empty());
        let mut texts: Texts = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let sign = self.sign(&joined(&texts));
        texts.insert("sign".to_owned(), sign);
        let object: Map<String, Value> = texts.into_iter().map(|(name, text)| (name, text.into())).collect();
        respond(200, (CONTENT_TYPE, "application/json;charset=UTF-8"), Value::Object(object).to_string())
    }
}
