//! The provider's own way to read forms, sign and answer.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use paycore::channel::Settings;
use paycore::crypto::{KeyError, Keyring, Scheme, Signer, Verifier};
use paycore::secret::Secret;
use sha2::{Digest as _, Sha256};

use crate::sandbox::respond;

/// Fields by name; the map keeps them in the order in which they are signed.
pub(super) type Fields = BTreeMap<String, String>;

/// The fields of a form, none of them twice.
pub(super) fn fields(request: &Request<Bytes>) -> Option<Fields> {
    let mut all = Fields::new();
    for (name, value) in url::form_urlencoded::parse(request.body()) {
        if all.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    Some(all)
}

/// `name=value` of all but the signature, joined with `&`.
fn joined(all: &Fields) -> String {
    let signed = all.iter().filter(|(name, _)| *name != "signature");
    signed.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// How one merchant and UnionPay sign.
#[derive(Debug)]
pub(super) enum Seal {
    Certificate { signer: Box<dyn Signer>, certificate: String, merchant: Box<dyn Verifier>, cert_id: String },
    Shared { method: String, key: String },
}

impl Seal {
    pub(super) fn open(theirs: &Settings, keyring: &dyn Keyring) -> Result<Seal, KeyError> {
        let text = |field: &str| theirs.value(field).map(Secret::expose).ok_or(KeyError::Empty);
        match theirs.text("sign_method", "01") {
            "01" => Ok(Seal::Certificate {
                signer: keyring.signer(theirs.value("sign_private_key").ok_or(KeyError::Empty)?)?,
                certificate: text("sign_certificate")?.to_owned(),
                merchant: keyring.verifier(text("merchant_public_key")?)?,
                cert_id: text("cert_id")?.to_owned(),
            }),
            method => Ok(Seal::Shared { method: method.to_owned(), key: text("secure_key")?.to_owned() }),
        }
    }

    fn method(&self) -> &str {
        match self {
            Seal::Certificate { .. } => "01",
            Seal::Shared { method, .. } => method,
        }
    }

    /// Whether the merchant signed exactly these fields.
    pub(super) fn is_merchants(&self, all: &Fields) -> bool {
        let given = |name: &str| all.get(name).map_or("", String::as_str);
        if given("signMethod") != self.method() || all.values().any(|value| value.trim().is_empty()) {
            return false;
        }
        let text = joined(all);
        match self {
            Seal::Certificate { merchant, cert_id, .. } => {
                let signature = STANDARD.decode(given("signature")).unwrap_or_default();
                given("certId") == cert_id
                    && merchant.verify(Scheme::RsaSha256, sha256(&text).as_bytes(), &signature)
            }
            Seal::Shared { method, key } => given("signature") == keyed(method, key, &text),
        }
    }

    /// Adds what makes fields a message of UnionPay's.
    pub(super) fn sign(&self, mut all: Fields) -> Fields {
        all.insert("signMethod".to_owned(), self.method().to_owned());
        let signature = match self {
            Seal::Certificate { signer, certificate, .. } => {
                all.insert("signPubKeyCert".to_owned(), certificate.clone());
                let digest = sha256(&joined(&all));
                STANDARD.encode(signer.sign(Scheme::RsaSha256, digest.as_bytes()).unwrap_or_default())
            }
            Seal::Shared { method, key } => keyed(method, key, &joined(&all)),
        };
        all.insert("signature".to_owned(), signature);
        all
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sm3(text: &str) -> String {
    use sm3::Digest as _;
    sm3::Sm3::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Methods 11 and 12.
fn keyed(method: &str, key: &str, text: &str) -> String {
    let hash = if method == "12" { sm3 } else { sha256 };
    hash(&format!("{text}&{}", hash(key)))
}

/// A message as the body of a reply: not percent-encoded, in no order to rely on.
pub(super) fn reply(all: &Fields) -> Response<Bytes> {
    let text = all.iter().rev().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    respond(200, (CONTENT_TYPE, "text/html;charset=UTF-8"), text)
}
