//! The provider's own way to read documents, to check what the merchant signed and to sign what it answers.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use md5::{Digest as _, Md5};
use paycore::time::Timestamp;

use super::Wallet;

/// What a document says.
pub(super) type Fields = BTreeMap<String, String>;

impl Wallet {
    /// The fields of a request that carries this merchant's signature.
    pub(super) fn authentic(&self, body: &[u8]) -> Option<Fields> {
        let fields = read(std::str::from_utf8(body).ok()?)?;
        (fields.get("sign")? == &self.sign(&fields)).then_some(fields)
    }

    fn sign(&self, fields: &Fields) -> String {
        let signed = fields.iter().filter(|(name, value)| *name != "sign" && !value.is_empty());
        let pairs: String = signed.map(|(name, value)| format!("{name}={value}&")).collect();
        let digest = Md5::digest(format!("{pairs}key={}", self.key));
        digest.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// A document with the merchant's numbers and the signature.
    pub(super) fn document(&self, mut fields: Fields, now: Timestamp) -> String {
        fields.insert("mch_id".into(), self.mch_id.clone());
        fields.insert("appid".into(), self.appid.clone());
        fields.insert("nonce_str".into(), format!("{:032x}", now.micros()));
        fields.insert("sign".into(), self.sign(&fields));
        write(&fields)
    }
}

/// Names and values as fields.
pub(super) fn fields<const N: usize>(pairs: [(&str, &str); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(super) fn write(fields: &Fields) -> String {
    let filled = fields.iter().filter(|(_, value)| !value.is_empty());
    let cell = |(name, value): (&String, &String)| format!("<{name}><![CDATA[{value}]]></{name}>");
    format!("<xml>{}</xml>", filled.map(cell).collect::<String>())
}

/// Reads what merchants' libraries write: elements one after the other, plain or as character data.
fn read(document: &str) -> Option<Fields> {
    let mut rest = document.trim().strip_prefix("<xml>")?.strip_suffix("</xml>")?.trim_start();
    let mut fields = Fields::new();
    while !rest.is_empty() {
        let (name, after) = rest.strip_prefix('<')?.split_once('>')?;
        let end = format!("</{name}>");
        let mut value = String::new();
        rest = after;
        while !rest.starts_with(&end) {
            if let Some(data) = rest.strip_prefix("<![CDATA[") {
                let (data, after) = data.split_once("]]>")?;
                value += data;
                rest = after;
            } else {
                let length = rest.find('<').filter(|length| *length > 0)?;
                value += &unescape(&rest[..length]);
                rest = &rest[length..];
            }
        }
        rest = rest[end.len()..].trim_start();
        let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !word || fields.insert(name.to_owned(), value).is_some() {
            return None;
        }
    }
    Some(fields)
}

fn unescape(text: &str) -> String {
    let escapes =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    escapes.iter().fold(text.to_owned(), |text, (escaped, sign)| text.replace(escaped, sign))
}

/// A response.
pub(super) fn respond(status: u16, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
