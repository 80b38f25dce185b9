//! The provider's own way to check what the merchant signed and to sign what it answers.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response};
use md5::{Digest as _, Md5};
use paycore::time::Timestamp;
use sha2::Sha256;

use super::Merchant;
use crate::sandbox::respond;
use crate::sandbox::xml::{Fields, fields, read, write};

/// Why a request is not carried out: code and text.
pub(super) struct Error(pub(super) &'static str, pub(super) &'static str);

/// What a request came to: the fields of the answer, or nothing when it was carried out and nobody shall hear of it.
pub(super) type Result<T = Option<Fields>> = std::result::Result<T, Error>;

pub(super) const PARAM: Error = Error("PARAM_ERROR", "参数错误");
pub(super) const SYSTEM: Error = Error("SYSTEMERROR", "系统错误");

/// The first refusal whose condition holds.
pub(super) fn refuse<const N: usize>(checks: [(bool, Error); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, error)| Err(error))
}

/// The fields of a request.
pub(super) struct Content(pub(super) Fields);

impl Content {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str> {
        self.text(name).ok_or(PARAM)
    }

    /// By what it is signed: HMAC-SHA256 where it says so, else MD5.
    pub(super) fn hmac(&self) -> bool {
        self.text("sign_type") == Some("HMAC-SHA256")
    }

    /// A positive number of fen.
    pub(super) fn fen(&self, name: &str) -> Result<i64> {
        let fen = self.required(name)?.parse().ok();
        fen.filter(|fen| (1..=i64::from(i32::MAX)).contains(fen)).ok_or(PARAM)
    }
}

impl Merchant {
    /// The fields of a request that carries this merchant's signature.
    pub(super) fn authentic(&self, request: &Request<Bytes>) -> Option<Content> {
        let body = std::str::from_utf8(request.body()).ok().filter(|_| request.method() == Method::POST)?;
        let fields = read(body)?;
        let content = Content(fields);
        (content.0.get("sign")? == &self.sign(&content.0, content.hmac())).then_some(content)
    }

    /// The signature of all fields but itself.
    fn sign(&self, fields: &Fields, hmac: bool) -> String {
        let signed = fields.iter().filter(|(name, value)| *name != "sign" && !value.is_empty());
        let pairs: String = signed.map(|(name, value)| format!("{name}={value}&")).collect();
        let text = format!("{pairs}key={}", self.key);
        if !hmac {
            return hex(&Md5::digest(text));
        }
        let mac = Hmac::<Sha256>::new_from_slice(self.key.as_bytes()).map(|mac| mac.chain_update(text));
        mac.map(|mac| hex(&mac.finalize().into_bytes())).unwrap_or_default()
    }

    /// A signed answer with the merchant's numbers, by HMAC-SHA256 where the request was.
    pub(super) fn signed(&self, mut said: Fields, hmac: bool, now: Timestamp) -> Response<Bytes> {
        said.extend(fields([("mch_id", &self.mch_id), ("appid", &self.appid)]));
        if let Some((mch_id, _)) = &self.sub {
            said.insert("sub_mch_id".into(), mch_id.clone());
        }
        said.insert("nonce_str".into(), format!("{:032x}", now.micros()));
        said.insert("sign".into(), self.sign(&said, hmac));
        plain(&said)
    }

    /// Whether a request names this merchant, and the one it acts for.
    pub(super) fn ours(&self, content: &Content, appid: &str) -> Result<()> {
        let sub = self.sub.as_ref().map(|(mch_id, _)| mch_id.as_str());
        refuse([
            (content.text("mch_id") != Some(&self.mch_id), Error("MCHID_NOT_EXIST", "商户号不存在")),
            (content.text(appid) != Some(&self.appid), Error("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")),
            (content.text("sub_mch_id") != sub, Error("NO_AUTH", "没有权限")),
            (content.text("nonce_str").is_none_or(|nonce| nonce.len() > 32), PARAM),
        ])
    }
}

/// An answer without a signature.
pub(super) fn plain(said: &Fields) -> Response<Bytes> {
    respond(200, (CONTENT_TYPE, "text/xml; charset=utf-8"), write(said))
}

/// The answer to somebody who has not proved to be the merchant.
pub(super) fn stranger() -> Response<Bytes> {
    plain(&fields([("return_code", "FAIL"), ("return_msg", "签名错误")]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
