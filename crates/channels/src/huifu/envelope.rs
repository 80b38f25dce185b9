//! The frame around every reply: `{"data":{…},"sign":"…"}`. The signature covers the members of the data sorted by
//! name, so they are cut out of the reply as they were sent, put in order, and parsed only after that was verified.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::channel::{Fault, Reply};
use paycore::crypto::Scheme;
use serde::Deserialize;

use super::config::Account;
use crate::dialect::json::members;

/// What replies and notifications may hold. Every value is text; a number in its place is not understood.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Node {
    resp_code: Option<String>,
    resp_desc: Option<String>,
    pub(super) huifu_id: Option<String>,
    pub(super) req_seq_id: Option<String>,
    pub(super) hf_seq_id: Option<String>,
    pub(super) org_req_seq_id: Option<String>,
    pub(super) org_hf_seq_id: Option<String>,
    pub(super) trans_type: Option<String>,
    pub(super) trans_stat: Option<String>,
    pub(super) trans_amt: Option<String>,
    pub(super) ord_amt: Option<String>,
    pub(super) end_time: Option<String>,
    pub(super) trans_finish_time: Option<String>,
    pub(super) bank_message: Option<String>,
    pub(super) qr_code: Option<String>,
    pub(super) pay_info: Option<String>,
}

impl Node {
    /// The code, where it is not one for "understood". That says nothing yet of what became of anything.
    pub(super) fn refusal(&self) -> Option<&str> {
        self.resp_code.as_deref().filter(|code| !matches!(*code, "00000000" | "00000100"))
    }

    /// The channel's own code and text, as an answer that settles nothing.
    pub(super) fn unknown(&self) -> Fault {
        let short =
            |text: &Option<String>, most| text.iter().flat_map(|text| text.chars()).take(most).collect();
        Fault::Unknown { code: short(&self.resp_code, 64), message: short(&self.resp_desc, 200) }
    }
}

/// Cuts out, verifies and reads the data of a reply. An error without a signature comes back as a fault with its text:
/// whoever sits on the line could have written it.
pub(super) fn open(account: &Account, reply: &Reply) -> Result<Node, Fault> {
    if reply.status() != http::StatusCode::OK {
        return Err(Fault::Unexpected(format!("HTTP status {}", reply.status().as_u16())));
    }
    let body = std::str::from_utf8(reply.body()).unwrap_or_default();
    let frame = members(body.as_bytes());
    let part = |name: &[u8]| {
        let found = frame.iter().flatten().find(|(key, _)| *key == name)?;
        Some(&body[found.1.clone()])
    };
    let data = part(b"data").ok_or_else(|| Fault::Unexpected("not Huifu's JSON frame".into()))?;
    let sign = part(b"sign").and_then(|sign| serde_json::from_str::<&str>(sign).ok()).unwrap_or_default();
    if sign.is_empty() {
        return Err(read(data)?.unknown());
    }
    let sorted = sorted(data).ok_or_else(|| Fault::Unexpected("the data is not one object".into()))?;
    verify(account, &sorted, sign)?;
    read(data)
}

/// The one signature there is: of ours over what we send, of Huifu over what it answers and notifies.
pub(super) fn verify(account: &Account, text: &str, sign: &str) -> Result<(), Fault> {
    let signature = STANDARD.decode(sign).map_err(|_| Fault::Signature)?;
    let signed = account.verifier.verify(Scheme::RsaSha256, text.as_bytes(), &signature);
    if signed { Ok(()) } else { Err(Fault::Signature) }
}

pub(super) fn read(data: &str) -> Result<Node, Fault> {
    serde_json::from_str(data).map_err(|error| Fault::Unexpected(format!("the data: {error}")))
}

/// The object with its members sorted by name, each value as it was sent. Only the first level is sorted.
fn sorted(data: &str) -> Option<String> {
    let mut members = members(data.as_bytes())?;
    members.sort_unstable_by_key(|(key, _)| *key);
    let mut text = String::with_capacity(data.len());
    for (key, value) in members {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.extend(["\"", std::str::from_utf8(key).ok()?, "\":", &data[value]]);
    }
    text.push('}');
    Some(text)
}
