//! Protocol v2. Requests are forms, signed over their sorted parameters. The frame around every answer is
//! `{"<method>_response":{…},"sign":"…"}`; the signature covers the bytes of the inner object exactly as sent, so the
//! object is cut out of the answer and parsed only after it has been verified.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use http::Request;
use http::header::{ACCEPT, CONTENT_TYPE};
use paycore::channel::{Context, Fault, Refusal, Reply};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::login::TOKEN;
use super::{Answer, App, Refused, read};
use crate::dialect::form::{signed_form, text_to_sign};
use crate::dialect::json;
use crate::dialect::text::address;

/// Parameters of the gateway whose names sort behind the two addresses in the signed text.
pub(crate) const RESERVED: &[&str] = &[
    "prod_code",
    "return_url",
    "sign",
    "sign_type",
    "terminal_info",
    "terminal_type",
    "timestamp",
    "version",
];

/// How every answer begins. Every value is text; a number in its place is not understood.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Head {
    code: String,
    msg: String,
    sub_code: Option<String>,
    sub_msg: Option<String>,
}

impl Head {
    fn refused(&self) -> Refused {
        let code = self.sub_code.as_ref().unwrap_or(&self.code);
        Refused::new(code, self.sub_msg.as_ref().unwrap_or(&self.msg))
    }
}

/// Where an answer's parts stand.
struct Frame {
    node: Range<usize>,
    sign: Option<Range<usize>>,
    serial: Option<Range<usize>>,
    /// Whether it is the gateway's general `error_response`.
    general: bool,
}

impl App {
    /// A call as a form.
    pub(super) fn form(
        &self,
        method: &str,
        content: &Value,
        notify_url: Option<&str>,
        cx: &Context<'_>,
    ) -> Result<Request<Bytes>, Refusal> {
        let body = self.parameters(method, content, (notify_url, None), cx)?;
        // Without the charset in the address the gateway has been seen to read the form in its own encoding.
        Request::post(format!("{}?charset=utf-8", self.gateway))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded;charset=utf-8")
            .header(ACCEPT, "application/json")
            .body(Bytes::from(body))
            .map_err(|_| Refusal::Signing)
    }

    /// All parameters with their signature, as a form. The addresses are those of the notifications and of the page
    /// the payer comes back to.
    pub(super) fn parameters(
        &self,
        method: &str,
        content: &Value,
        (notify_url, return_url): (Option<&str>, Option<&str>),
        cx: &Context<'_>,
    ) -> Result<String, Refusal> {
        let checked = |name, url: Option<&'_ str>| match url {
            Some(url) => address(name, url, RESERVED).map(str::to_owned),
            None => Ok(String::new()),
        };
        let (notify_url, return_url) =
            (checked("notify_url", notify_url)?, checked("return_url", return_url)?);
        // The content of the oldest method is parameters of its own, which are never encrypted.
        let own = |name: &str| content[name].as_str().filter(|_| method == TOKEN).unwrap_or_default();
        let seal = self.seal.as_ref().filter(|_| method != TOKEN);
        let clear = if method == TOKEN { String::new() } else { content.to_string() };
        let biz_content = seal.map_or(clear.clone(), |seal| seal.close(clear.as_bytes()));
        let timestamp = cx.now.beijing();
        let serials = self.certificates.as_ref();
        let parameters = [
            ("alipay_root_cert_sn", serials.map_or("", |serials| &serials.root)),
            ("app_auth_token", self.app_auth_token.as_deref().unwrap_or_default()),
            ("app_cert_sn", serials.map_or("", |serials| &serials.app)),
            ("app_id", &self.app_id),
            ("biz_content", &biz_content),
            ("charset", "utf-8"),
            ("code", own("code")),
            ("encrypt_type", if seal.is_some() { "AES" } else { "" }),
            ("format", "JSON"),
            ("grant_type", own("grant_type")),
            ("method", method),
            ("notify_url", &notify_url),
            ("return_url", &return_url),
            ("sign_type", "RSA2"),
            ("timestamp", &timestamp),
            ("version", "1.0"),
        ];
        let sign = self.sign(&text_to_sign(&parameters))?;
        Ok(signed_form(&parameters, &sign))
    }

    /// Cuts out, verifies and reads the answer to `method`.
    pub(super) fn framed<T: DeserializeOwned>(
        &self,
        method: &str,
        reply: &Reply,
        cx: &Context<'_>,
    ) -> Result<Answer<T>, Fault> {
        if reply.status() != http::StatusCode::OK {
            return Err(Fault::Unexpected(format!("HTTP status {}", reply.status().as_u16())));
        }
        let body = reply.body();
        let frame = cut(body, method).ok_or_else(|| Fault::Unexpected("not Alipay's JSON frame".into()))?;
        let node = &body[frame.node];
        let Some(sign) = frame.sign else {
            let head: Head = read(node)?;
            return Err(if head.code == "10000" { Fault::Signature } else { head.refused().unknown() });
        };
        let serial = frame.serial.map(|range| text(&body[range])).transpose()?;
        self.verify(serial.as_deref(), node, &text(&body[sign])?, cx.now)?;
        let node = self.clear(node)?;
        let head: Head = read(&node)?;
        match (head.code.as_str(), head.sub_code.as_deref()) {
            _ if frame.general && method != TOKEN => Err(head.refused().unknown()),
            ("10000", None | Some("")) => Ok(Answer::Done(read(&node)?)),
            ("", None) if method == TOKEN => Ok(Answer::Done(read(&node)?)),
            ("10003", _) => Ok(Answer::Waiting(read(&node)?)),
            ("40001" | "40002" | "40004" | "40006", Some(_)) => Ok(Answer::Refused(head.refused())),
            // 20000 and every code that is not documented as an answer leave the outcome unknown.
            _ => Err(head.refused().unknown()),
        }
    }
}

fn text(json: &[u8]) -> Result<Cow<'_, str>, Fault> {
    serde_json::from_slice(json).map_err(|_| Fault::Signature)
}

/// `None` unless the body has exactly one response and that one answers `method`.
fn cut(body: &[u8], method: &str) -> Option<Frame> {
    let mut members = json::members(body)?;
    let find = |name: &[u8]| members.iter().find(|(key, _)| *key == name).map(|(_, range)| range.clone());
    let (sign, serial) = (find(b"sign"), find(b"alipay_cert_sn"));
    members.retain(|(key, _)| key.ends_with(b"_response"));
    let [(key, node)] = members.as_slice() else { return None };
    // `alipay_trade_query_response` answers `alipay.trade.query`.
    let ours = method.bytes().map(|byte| if byte == b'.' { b'_' } else { byte }).chain(*b"_response");
    let general = *key == b"error_response";
    (general || key.iter().copied().eq(ours)).then(|| Frame { node: node.clone(), sign, serial, general })
}
