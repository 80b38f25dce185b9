//! Signed requests, and replies in their two covers.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{Request, StatusCode};
use md5::{Digest as _, Md5};
use paycore::channel::{Fault, Refusal, Reply};
use serde::Deserialize;
use serde_json::Value;

use super::config::Account;

/// The outer cover: whether the request arrived.
#[derive(Deserialize)]
struct Outer {
    result_code: String,
    error_code: Option<String>,
    error_message: Option<String>,
    biz_response: Option<Business>,
}

/// The inner cover: what became of it.
#[derive(Debug, Deserialize)]
pub(super) struct Business {
    pub(super) result_code: String,
    pub(super) error_code: Option<String>,
    pub(super) error_message: Option<String>,
    pub(super) data: Option<Order>,
}

/// An order with its last transaction, from a reply or a notification.
#[derive(Debug, Deserialize)]
pub(super) struct Order {
    pub(super) terminal_sn: Option<String>,
    pub(super) sn: Option<String>,
    pub(super) client_sn: String,
    /// Of a refund: `client_sn`, a hyphen and the refund's number.
    pub(super) client_tsn: Option<String>,
    /// Of the transaction.
    pub(super) status: Option<String>,
    pub(super) order_status: String,
    pub(super) total_amount: String,
    pub(super) net_amount: Option<String>,
    pub(super) finish_time: Option<String>,
    pub(super) channel_finish_time: Option<String>,
    pub(super) qr_code: Option<String>,
    pub(super) wap_pay_request: Option<Value>,
}

impl Account {
    /// A signed request.
    pub(super) fn request(&self, path: &str, body: &Value) -> Result<Request<Bytes>, Refusal> {
        let body = body.to_string();
        let sign = digest(&[&body, self.terminal_key.expose()]);
        let request = Request::post(format!("{}/upay/v2/{path}", self.gateway))
            .header(AUTHORIZATION, format!("{} {sign}", self.terminal_sn))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header(USER_AGENT, concat!("paycore/", env!("CARGO_PKG_VERSION")));
        request.body(body.into()).map_err(|_| Refusal::Signing)
    }

    /// The signature of parameters in an address.
    pub(super) fn sign_page(&self, parameters: &[(&str, String)]) -> String {
        let mut pairs: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.sort_unstable();
        digest(&[&pairs.join("&"), "&key=", self.terminal_key.expose()]).to_uppercase()
    }
}

/// What a reply holds once the request is known to have arrived. Everything else decides nothing: neither a failure of
/// the server nor a refused signature says what an earlier send of the same request has done.
pub(super) fn answer(reply: &Reply) -> Result<Result<Business, (String, String)>, Fault> {
    if reply.status() != StatusCode::OK {
        return Err(Fault::Unexpected(format!("HTTP status {}", reply.status().as_u16())));
    }
    let outer: Outer = read(reply.body())?;
    let code = text(outer.error_code.as_deref());
    match (outer.result_code.as_str(), outer.biz_response) {
        ("200", Some(business)) => Ok(Ok(business)),
        ("400", None) if code == "INVALID_PARAMS" || code == "INVALID_PARAMETER" => {
            Ok(Err((code, text(outer.error_message.as_deref()))))
        }
        _ => Err(Fault::Unknown { code, message: text(outer.error_message.as_deref()) }),
    }
}

pub(super) fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::Unexpected(format!("the body: {error}")))
}

/// A text of the provider, cut.
pub(super) fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().chars().take(200).collect()
}

/// MD5 in hexadecimal: the provider knows no other way.
fn digest(parts: &[&str]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part.as_bytes());
    }
    md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
