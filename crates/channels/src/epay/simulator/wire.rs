//! The panel's own way to read forms, write JSON and make the texts that are signed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use md5::{Digest as _, Md5};
use paycore::crypto::Scheme;
use paycore::secret::same;
use paycore::time::Timestamp;
use serde_json::{Map, Value};

use super::{Panel, Version};
use crate::sandbox::respond;

/// Parameters by name; the map keeps them in the order in which they are signed.
pub(super) type Parameters = BTreeMap<String, String>;

/// The parameters of the address and of the form together; none when one is given twice with different values.
pub(super) fn parameters(request: &Request<Bytes>) -> Option<Parameters> {
    let mut all = Parameters::new();
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let (query, form) = (url::form_urlencoded::parse(query), url::form_urlencoded::parse(request.body()));
    for (name, value) in query.chain(form) {
        if *all.entry(name.into_owned()).or_insert_with(|| value.to_string()) != *value {
            return None;
        }
    }
    Some(all)
}

/// What is signed: every parameter with a value but the signature and its kind.
fn joined(all: &Parameters) -> String {
    let signed = |name: &str, value: &str| !value.is_empty() && name != "sign" && name != "sign_type";
    let parts =
        all.iter().filter(|(name, value)| signed(name, value)).map(|(name, value)| format!("{name}={value}"));
    parts.collect::<Vec<_>>().join("&")
}

/// Yuan with at most two decimals as fen, from 0.01 to 100,000,000.
pub(super) fn fen(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, max: usize| {
        (1..=max).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(whole, 9) || !digits(decimals, 2) {
        return None;
    }
    let fen = whole.parse::<i64>().ok()? * 100 + format!("{decimals:0<2}").parse::<i64>().ok()?;
    (1..=10_000_000_000).contains(&fen).then_some(fen)
}

impl Panel {
    fn md5(&self, text: &str) -> String {
        let digest = Md5::digest(format!("{text}{}", self.key.expose()));
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Adds the signature of a version to parameters.
    pub(super) fn sign(&self, version: Version, parameters: &mut Parameters) {
        let text = joined(parameters);
        let (sign_type, sign) = match version {
            Version::V1 => ("MD5", self.md5(&text)),
            Version::V2 => {
                let sign = self.signer.sign(Scheme::RsaSha256, text.as_bytes()).unwrap_or_default();
                ("RSA", STANDARD.encode(sign))
            }
        };
        parameters.extend([("sign".to_owned(), sign), ("sign_type".to_owned(), sign_type.to_owned())]);
    }

    /// Whether the merchant signed exactly these parameters.
    pub(super) fn merchant_signed(&self, version: Version, all: &Parameters) -> bool {
        let given = |name: &str| all.get(name).map_or("", String::as_str);
        let text = joined(all);
        match version {
            Version::V1 => {
                matches!(given("sign_type"), "" | "MD5")
                    && same(self.md5(&text).as_bytes(), given("sign").as_bytes())
            }
            Version::V2 => {
                let sign = STANDARD.decode(given("sign")).unwrap_or_default();
                given("sign_type") == "RSA" && self.merchant.verify(Scheme::RsaSha256, text.as_bytes(), &sign)
            }
        }
    }

    /// A JSON answer of a version: signed in the second for whoever proved to be the merchant.
    pub(super) fn json(
        &self,
        version: Version,
        signed: bool,
        mut members: Map<String, Value>,
        now: Timestamp,
    ) -> Response<Bytes> {
        if version == Version::V2 && signed {
            members.insert("timestamp".to_owned(), now.secs().to_string().into());
            let mut texts = Parameters::new();
            for (name, value) in &members {
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    _ => continue,
                };
                texts.insert(name.clone(), text);
            }
            self.sign(version, &mut texts);
            for name in ["sign", "sign_type"] {
                members.insert(name.to_owned(), texts[name].as_str().into());
            }
        }
        respond(200, (CONTENT_TYPE, "application/json; charset=utf-8"), Value::Object(members).to_string())
    }
}
