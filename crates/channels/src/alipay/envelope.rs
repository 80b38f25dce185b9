//! The frame around every reply: `{"<method>_response":{…},"sign":"…"}`. The signature covers the bytes of the
//! inner object exactly as sent, so the object is cut out of the reply and parsed only after it has been verified.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::GB18030;
use paycore::channel::{Fault, Reply};
use paycore::crypto::Scheme;
use serde::Deserialize;

use super::config::Account;
use crate::dialect::json;

/// What the replies to all our calls may hold. Every value is text; a number in its place is not understood.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Node {
    pub(super) code: String,
    pub(super) msg: String,
    pub(super) sub_code: Option<String>,
    pub(super) sub_msg: Option<String>,
    pub(super) out_trade_no: Option<String>,
    pub(super) trade_no: Option<String>,
    pub(super) trade_status: Option<String>,
    pub(super) total_amount: Option<String>,
    pub(super) trans_currency: Option<String>,
    pub(super) send_pay_date: Option<String>,
    pub(super) qr_code: Option<String>,
    pub(super) fund_change: Option<String>,
    pub(super) refund_fee: Option<String>,
    pub(super) out_request_no: Option<String>,
    pub(super) refund_amount: Option<String>,
    pub(super) refund_status: Option<String>,
    pub(super) gmt_refund_pay: Option<String>,
}

impl Node {
    /// The channel's own code and text, as an answer that settles nothing.
    pub(super) fn unknown(&self) -> Fault {
        let code = self.sub_code.as_ref().unwrap_or(&self.code);
        let message = self.sub_msg.as_ref().unwrap_or(&self.msg);
        Fault::Unknown { code: code.chars().take(64).collect(), message: message.chars().take(200).collect() }
    }
}

/// Cuts out, verifies and reads the answer to `method`. An error without a signature comes back as a fault with
/// its text: whoever sits on the line could have written it, so it decides nothing.
pub(super) fn open(account: &Account, method: &str, reply: &Reply) -> Result<Node, Fault> {
    if reply.status() != http::StatusCode::OK {
        return Err(Fault::Unexpected(format!("HTTP status {}", reply.status().as_u16())));
    }
    let body = reply.body();
    let cut = cut(body, method).ok_or_else(|| Fault::Unexpected("not Alipay's JSON frame".into()))?;
    let (node, sign, general) = (&body[cut.0], cut.1, cut.2);
    let Some(sign) = sign else {
        let node = read(node)?;
        return Err(if node.code == "10000" { Fault::Signature } else { node.unknown() });
    };
    let sign: Cow<'_, str> = serde_json::from_slice(&body[sign]).map_err(|_| Fault::Signature)?;
    let signature = STANDARD.decode(sign.as_bytes()).map_err(|_| Fault::Signature)?;
    if !account.verifier.verify(Scheme::RsaSha256, node, &signature) {
        return Err(Fault::Signature);
    }
    let node = read(node)?;
    if general { Err(node.unknown()) } else { Ok(node) }
}

fn read(node: &[u8]) -> Result<Node, Fault> {
    let text = match std::str::from_utf8(node) {
        Ok(text) => Cow::Borrowed(text),
        // Asked for UTF-8, Alipay still answers in GBK at times.
        Err(_) => GB18030
            .decode_without_bom_handling_and_without_replacement(node)
            .ok_or_else(|| Fault::Unexpected("neither UTF-8 nor GB18030".into()))?,
    };
    serde_json::from_str(&text).map_err(|error| Fault::Unexpected(format!("the signed object: {error}")))
}

/// Where the signed object and its signature stand in a reply, and whether the object is the gateway's general
/// `error_response`. `None` unless the body has exactly one response and that one answers `method`.
fn cut(body: &[u8], method: &str) -> Option<(Range<usize>, Option<Range<usize>>, bool)> {
    let mut members = json::members(body)?;
    let sign = members.iter().find(|(key, _)| *key == b"sign").map(|(_, range)| range.clone());
    members.retain(|(key, _)| key.ends_with(b"_response"));
    let [(key, node)] = members.as_slice() else { return None };
    // `alipay_trade_query_response` answers `alipay.trade.query`.
    let ours = method.bytes().map(|byte| if byte == b'.' { b'_' } else { byte }).chain(*b"_response");
    let general = *key == b"error_response";
    (general || key.iter().copied().eq(ours)).then(|| (node.clone(), sign, general))
}
