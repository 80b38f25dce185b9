//! The provider's own way to check what the merchant signed and to sign what it says.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use md5::{Digest, Md5};
use serde_json::Value;
use url::form_urlencoded::{Serializer, parse};

use super::{Gateway, Proof};
use crate::sandbox::{Note, respond};

/// Texts by name; the map keeps them in the order in which they are signed.
pub(super) type Texts = BTreeMap<String, String>;

/// `name=value` of everything that is not empty, joined with `&`.
fn joined(texts: &Texts) -> String {
    let present = texts.iter().filter(|(name, value)| name.as_str() != "sign" && !value.is_empty());
    present.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn digest(texts: &Texts, key: &str) -> String {
    let mut with_key = texts.clone();
    with_key.insert("key".to_owned(), key.to_owned());
    let hash = Md5::digest(joined(&with_key));
    hash.iter().map(|byte| format!("{byte:02X}")).collect()
}

impl Gateway {
    /// The parameters of a form; nothing when one is given twice.
    pub(super) fn parameters(request: &Request<Bytes>) -> Option<Texts> {
        let mut texts = Texts::new();
        for (name, value) in parse(request.body()) {
            if texts.insert(name.into_owned(), value.into_owned()).is_some() {
                return None;
            }
        }
        Some(texts)
    }

    /// Whether the merchant signed exactly these parameters, under its app's number.
    pub(super) fn merchant_signed(&self, texts: &Texts) -> bool {
        let sign = texts.get("sign").map_or("", String::as_str);
        match &self.proof {
            Proof::Keys(scheme, _, merchant) => {
                let signature = STANDARD.decode(sign).unwrap_or_default();
                merchant.verify_as(*scheme, &self.appid, joined(texts).as_bytes(), &signature)
            }
            Proof::Md5(key) => sign.eq_ignore_ascii_case(&digest(texts, key.expose())),
        }
    }

    fn sign(&self, texts: &Texts) -> String {
        match &self.proof {
            Proof::Keys(scheme, signer, _) => {
                let signature = signer.sign_as(*scheme, "Allinpay", joined(texts).as_bytes());
                STANDARD.encode(signature.unwrap_or_default())
            }
            Proof::Md5(key) => digest(texts, key.expose()),
        }
    }

    /// A signed answer.
    pub(super) fn signed(&self, mut texts: Texts) -> Response<Bytes> {
        let sign = self.sign(&texts);
        texts.insert("sign".to_owned(), sign);
        let text = serde_json::to_string(&texts).unwrap_or_default();
        respond(200, (CONTENT_TYPE, "application/json;charset=UTF-8"), text)
    }

    /// The same form at every try.
    pub(super) fn noted(&self, note: &Note) -> Option<Request<Bytes>> {
        let Value::Object(content) = &note.content else { return None };
        let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
        let mut texts: Texts = content.iter().filter_map(text).collect();
        let sign = self.sign(&texts);
        texts.insert("sign".to_owned(), sign);
        let form = Serializer::new(String::new()).extend_pairs(&texts).finish();
        let kind = "application/x-www-form-urlencoded;charset=UTF-8";
        Request::post(&note.url).header(CONTENT_TYPE, kind).body(form.into()).ok()
    }
}
