//! The frame around every reply: a flat JSON object whose members are signed as sorted `name=value` pairs, empty ones
//! too. What was agreed on by the two ends is text; a member of another kind counts as its JSON text.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::channel::{Fault, Reply};
use paycore::crypto::Scheme;
use serde::Deserialize;

use super::config::Account;
use crate::dialect::json;

/// The bank's word (and spelling) for "ask later". No other code is public.
const UNCLEAR: &[&str] = &["SYSTERM_ERROR", "SYSTEM_ERROR"];

/// A verified reply.
pub(super) enum Answer {
    Accepted(Box<Content>),
    /// The bank signed that it did not accept the request.
    Refused {
        code: String,
        message: String,
    },
}

/// What the replies to all our calls and the notifications may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Content {
    pub(super) mer_id: Option<String>,
    pub(super) order_id: Option<String>,
    pub(super) cmb_order_id: Option<String>,
    pub(super) txn_amt: Option<String>,
    pub(super) refund_amt: Option<String>,
    pub(super) currency_code: Option<String>,
    pub(super) pay_type: Option<String>,
    pub(super) trade_state: Option<String>,
    pub(super) refund_state: Option<String>,
    pub(super) end_date: Option<String>,
    pub(super) end_time: Option<String>,
    pub(super) qr_code: Option<String>,
    pub(super) invoke_url: Option<String>,
    pub(super) context: Option<Wallet>,
}

/// What the wallet's app wants to know, encrypted for the wallet.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Wallet {
    pub(super) cdtr_pty_id: Option<String>,
    pub(super) mrchnt_no: Option<String>,
    pub(super) encrypt_key: Option<String>,
    pub(super) encrypt_info: Option<String>,
    #[serde(rename = "ncrptnSN")]
    pub(super) ncrptn_sn: Option<String>,
}

/// Verifies and reads a reply. Without a good signature it decides nothing.
pub(super) fn open(account: &Account, reply: &Reply) -> Result<Answer, Fault> {
    if reply.status() != http::StatusCode::OK {
        return Err(Fault::Unexpected(format!("HTTP status {}", reply.status().as_u16())));
    }
    let members =
        members(reply.body()).ok_or_else(|| Fault::Unexpected("not the bank's JSON frame".into()))?;
    let member = |name: &str| members.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_ref());
    let Some(sign) = member("sign") else {
        let failed = member("returnCode") == Some("FAIL");
        let refused = unknown(member("errCode"), member("respMsg"));
        return Err(if failed { refused } else { Fault::Signature });
    };
    let signature = STANDARD.decode(sign).map_err(|_| Fault::Signature)?;
    if !account.verifier.verify(Scheme::Sm2Sm3Der, signed_text(&members).as_bytes(), &signature) {
        return Err(Fault::Signature);
    }
    // One signature, one reading: a short text that goes on like another member could be that member.
    if members.iter().any(|(name, value)| *name != "biz_content" && value.contains('&')) {
        return Err(Fault::Unexpected("a text that reads as several members".into()));
    }
    match (member("returnCode"), member("respCode")) {
        (Some("SUCCESS"), Some("SUCCESS")) => {
            Ok(Answer::Accepted(Box::new(content(member("biz_content").unwrap_or_default())?)))
        }
        (Some("SUCCESS"), Some("FAIL")) if !UNCLEAR.contains(&member("errCode").unwrap_or(UNCLEAR[0])) => {
            let text = |name, max| member(name).unwrap_or_default().chars().take(max).collect();
            Ok(Answer::Refused { code: text("errCode", 64), message: text("respMsg", 200) })
        }
        _ => Err(unknown(member("errCode"), member("respMsg"))),
    }
}

/// The business part of a reply or notification: a JSON object, written as text.
pub(super) fn content(text: &str) -> Result<Content, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Unexpected(format!("biz_content: {error}")))
}

pub(super) fn unknown(code: Option<&str>, message: Option<&str>) -> Fault {
    let cut = |text: Option<&str>, max| text.unwrap_or_default().chars().take(max).collect();
    Fault::Unknown { code: cut(code, 64), message: cut(message, 200) }
}

/// Name and value of each member.
type Members<'a> = Vec<(&'a str, Cow<'a, str>)>;

fn members(body: &[u8]) -> Option<Members<'_>> {
    let mut members = Vec::new();
    for (name, at) in json::members(body)? {
        let raw = std::str::from_utf8(&body[at]).ok()?;
        let value = if raw.starts_with('"') {
            Cow::Owned(serde_json::from_str::<String>(raw).ok()?)
        } else {
            Cow::Borrowed(raw)
        };
        members.push((std::str::from_utf8(name).ok()?, value));
    }
    Some(members)
}

fn signed_text(members: &Members<'_>) -> String {
    let mut sorted: Vec<_> = members.iter().filter(|(name, _)| *name != "sign").collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    let pairs: Vec<String> = sorted.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}
