//! The provider's own way to read requests of both protocols, write JSON and make the texts that are signed.

use std::collections::BTreeMap;

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Request, Response};
use paycore::crypto::Scheme;
use paycore::time::Timestamp;
use serde_json::Value;

use super::Gateway;
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

/// What stands in a v3 request's `Authorization`: the part that is signed, its members, and the signature.
pub(super) fn authorization(request: &Request<Bytes>) -> Option<(String, Parameters, Vec<u8>)> {
    let text = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (who, sign) = text.strip_prefix("ALIPAY-SHA256withRSA ")?.split_once(",sign=")?;
    let members: Option<Vec<_>> = who.split(',').map(|member| member.split_once('=')).collect();
    let members = members?.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    Some((who.to_owned(), members.collect(), STANDARD.decode(sign).ok()?))
}

/// `name=value` of every parameter that has a value, joined with `&`, without those named in `except`.
pub(super) fn joined(all: &Parameters, except: &[&str]) -> String {
    let signed = all.iter().filter(|(name, value)| !value.is_empty() && !except.contains(&name.as_str()));
    signed.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Members of a JSON object in the order in which they are sent.
pub(super) type Members = Vec<(&'static str, Value)>;

/// Members that are texts.
pub(super) fn texts<const N: usize>(members: [(&'static str, String); N]) -> Members {
    members.into_iter().map(|(name, text)| (name, text.into())).collect()
}

fn object(members: &Members) -> String {
    let member = |(name, value): &(&str, Value)| format!("\"{name}\":{value}");
    format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
}

/// Fen as yuan with two decimals.
pub(super) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.unsigned_abs() / 100, fen.unsigned_abs() % 100)
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

/// How a request was put, and so how it is answered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Speech {
    /// With encrypted contents.
    pub(super) sealed: bool,
    /// In certificate mode.
    pub(super) certified: bool,
    /// By the merchant, beyond doubt.
    pub(super) authentic: bool,
}

impl Gateway {
    /// Base64 of our signature.
    pub(super) fn sign(&self, text: &str) -> String {
        STANDARD.encode(self.signer.sign(Scheme::RsaSha256, text.as_bytes()).unwrap_or_default())
    }

    /// Whether the merchant signed exactly these parameters.
    pub(super) fn merchant_signed(&self, parameters: &Parameters) -> bool {
        let sign = parameters.get("sign").and_then(|sign| STANDARD.decode(sign).ok()).unwrap_or_default();
        self.merchant.verify(Scheme::RsaSha256, joined(parameters, &["sign"]).as_bytes(), &sign)
    }

    /// What the merchant encrypted.
    pub(super) fn opened(&self, sealed: &str) -> Option<Vec<u8>> {
        let opener = cbc::Decryptor::<Aes128>::new_from_slices(&self.aes_key, &[0; 16]).ok()?;
        opener.decrypt_padded_vec::<Pkcs7>(&STANDARD.decode(sealed).ok()?).ok()
    }

    fn sealed(&self, clear: &str) -> String {
        let sealer = cbc::Encryptor::<Aes128>::new_from_slices(&self.aes_key, &[0; 16]);
        sealer.map_or_else(
            |_| String::new(),
            |s| STANDARD.encode(s.encrypt_padded_vec::<Pkcs7>(clear.as_bytes())),
        )
    }

    /// The signed frame of v2 around an answer, with every `/` escaped, as the real gateway writes it.
    pub(super) fn framed(&self, method: &str, node: &Members, speech: Speech) -> Response<Bytes> {
        let mut node = object(node);
        if speech.sealed {
            node = format!("\"{}\"", self.sealed(&node));
        }
        let node = node.replace('/', "\\/");
        let name = method.replace('.', "_");
        let serial = format!(",\"alipay_cert_sn\":\"{}\"", self.serials.alipay);
        let serial = if speech.certified { &serial } else { "" };
        let sign = if speech.authentic {
            format!("{serial},\"sign\":\"{}\"", self.sign(&node))
        } else {
            String::new()
        };
        let body = format!("{{\"{name}_response\":{node}{sign}}}");
        respond(200, (CONTENT_TYPE, "text/html;charset=utf-8"), body)
    }

    /// An answer of v3, signed in its headers.
    pub(super) fn rested(
        &mut self,
        status: u16,
        node: &Members,
        speech: Speech,
        now: Timestamp,
    ) -> Response<Bytes> {
        let body = object(node);
        let (body, kind) = if speech.sealed {
            (self.sealed(&body), "text/plain")
        } else {
            (body, "application/json;charset=utf-8")
        };
        self.answers += 1;
        let (millis, nonce) = (now.millis().to_string(), format!("{:032x}", self.answers));
        let sign = self.sign(&format!("{millis}\n{nonce}\n{body}\n"));
        let mut response = respond(status, (CONTENT_TYPE, kind), body);
        let mut headers = vec![("alipay-trace-id", nonce.clone())];
        if speech.authentic {
            headers.extend([
                ("alipay-timestamp", millis),
                ("alipay-nonce", nonce),
                ("alipay-signature", sign),
            ]);
            headers.extend(speech.certified.then(|| ("alipay-sn", self.serials.alipay.clone())));
        }
        for (name, value) in headers {
            let value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""));
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
        response
    }
}
