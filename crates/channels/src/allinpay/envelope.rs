//! The frame around every reply: a flat JSON object whose members that are not empty are signed as sorted pairs.

use std::borrow::Cow;

use paycore::channel::{Fault, Reply};

use super::config::Account;
use crate::dialect::form::text_to_sign;
use crate::dialect::json;
use crate::dialect::reply::same;

/// A verified reply: name and value of each member, sorted.
pub(super) struct Answer<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl Answer<'_> {
    /// A member that is not empty.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let at = self.0.binary_search_by_key(&name, |(name, _)| name).ok()?;
        Some(&*self.0[at].1).filter(|value| !value.is_empty())
    }

    /// The code and text of the transaction, as an answer that settles nothing.
    pub(super) fn unknown(&self) -> Fault {
        let text = |name: &str, max| self.field(name).unwrap_or_default().chars().take(max).collect();
        Fault::Unknown { code: text("trxstatus", 64), message: text("errmsg", 200) }
    }
}

/// Verifies and reads a reply. `retcode` FAIL means that the request was not understood or the gateway is in trouble; it
/// comes without a signature, and decides nothing.
pub(super) fn open<'a>(account: &Account, reply: &'a Reply) -> Result<Answer<'a>, Fault> {
    if reply.status() != http::StatusCode::OK {
        return Err(Fault::Unexpected(format!("HTTP status {}", reply.status().as_u16())));
    }
    let members = members(reply.body());
    let answer = Answer(members.ok_or_else(|| Fault::Unexpected("not Allinpay's JSON".into()))?);
    let signed: Vec<(&str, &str)> =
        answer.0.iter().filter(|(name, _)| *name != "sign").map(|(name, value)| (*name, &**value)).collect();
    let Some(sign) = answer.field("sign") else {
        let text = |name: &str, max| answer.field(name).unwrap_or_default().chars().take(max).collect();
        let failed = answer.field("retcode") == Some("FAIL");
        let refused = Fault::Unknown { code: text("retcode", 64), message: text("retmsg", 200) };
        return Err(if failed { refused } else { Fault::Signature });
    };
    if !account.verifies(&text_to_sign(&signed), sign) {
        return Err(Fault::Signature);
    }
    // One signature, one reading. An address may hold `&name=`; what sorts between it and the next member is no name of
    // ours, so another reading of it says nothing.
    if signed.iter().any(|(name, value)| !["payinfo", "url"].contains(name) && value.contains('&')) {
        return Err(Fault::Unexpected("a text that reads as several members".into()));
    }
    if answer.field("retcode") != Some("SUCCESS") {
        return Err(answer.unknown());
    }
    same("cusid", answer.field("cusid"), &account.cusid)?;
    same("appid", answer.field("appid"), &account.appid)?;
    Ok(answer)
}

fn members(body: &[u8]) -> Option<Vec<(&str, Cow<'_, str>)>> {
    let mut members = Vec::new();
    for (name, at) in json::members(body)? {
        let raw = std::str::from_utf8(&body[at]).ok()?;
        let value = match raw.as_bytes().first()? {
            b'"' => Cow::Owned(serde_json::from_str::<String>(raw).ok()?),
            b'0'..=b'9' | b'-' => Cow::Borrowed(raw),
            b'n' if raw == "null" => Cow::Borrowed(""),
            _ => return None,
        };
        members.push((std::str::from_utf8(name).ok()?, value));
    }
    members.sort_unstable_by_key(|(name, _)| *name);
    Some(members)
}
