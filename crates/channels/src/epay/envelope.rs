//! Replies: one flat JSON object, in version 2 with a signature over the values that are not lists.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use paycore::channel::{Fault, Reply};
use paycore::crypto::Scheme;
use paycore::secret::{Secret, same};
use paycore::time::Timestamp;

use super::config::{Account, Keys};
use crate::dialect::json;

/// How far the time of a signed message may be from ours, as the protocol's own clients have it.
pub(super) const CLOCKS: Duration = Duration::from_secs(300);

/// A reply that was read and, in version 2, verified: its values by name, as the text that was signed.
#[derive(Debug)]
pub(super) struct Node<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl Node<'_> {
    /// A value that is there and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_ref()).filter(|value| !value.is_empty())
    }

    /// The panel's own code and text, as an answer that settles nothing.
    pub(super) fn unknown(&self) -> Fault {
        let cut = |name: &str, max: usize| self.text(name).unwrap_or_default().chars().take(max).collect();
        Fault::Unknown { code: cut("code", 64), message: cut("msg", 200) }
    }
}

/// What a reply says.
#[derive(Debug)]
pub(super) enum Said<'a> {
    /// It was done, or this is the answer.
    Done(Node<'a>),
    /// An error. In version 2 some panels do not sign their errors: `signed` is false then, and also in version 1,
    /// which signs nothing.
    Refused { node: Node<'a>, signed: bool },
}

/// Reads a reply and verifies it.
pub(super) fn open<'a>(account: &Account, reply: &'a Reply, now: Timestamp) -> Result<Said<'a>, Fault> {
    if reply.status() != http::StatusCode::OK {
        return Err(Fault::Unexpected(format!("HTTP status {}", reply.status().as_u16())));
    }
    let node =
        Node(json::flat(reply.body()).ok_or_else(|| Fault::Unexpected("not one flat JSON object".into()))?);
    let code = node.text("code").ok_or_else(|| Fault::Unexpected("no code".into()))?;
    let Keys::V2 { verifier, .. } = &account.keys else {
        return Ok(if code == "1" { Said::Done(node) } else { Said::Refused { node, signed: false } });
    };
    let Some(sign) = node.text("sign") else {
        return if code == "0" { Err(Fault::Signature) } else { Ok(Said::Refused { node, signed: false }) };
    };
    let sign = STANDARD.decode(sign).map_err(|_| Fault::Signature)?;
    let verified = verifier.verify(Scheme::RsaSha256, &text(&node), &sign);
    if !verified || node.text("sign_type") != Some("RSA") {
        return Err(Fault::Signature);
    }
    fresh(node.text("timestamp"), now)?;
    Ok(if code == "0" { Said::Done(node) } else { Said::Refused { node, signed: true } })
}

/// Whether a signed message is of now.
pub(super) fn fresh(timestamp: Option<&str>, now: Timestamp) -> Result<(), Fault> {
    let digits = timestamp.filter(|text| text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit()));
    let sent = digits.and_then(|text| text.parse().ok()).map(Timestamp::from_secs);
    if sent.is_some_and(|at| (now.minus(CLOCKS)..=now.plus(CLOCKS)).contains(&at)) {
        return Ok(());
    }
    Err(Fault::Unacceptable(format!("timestamp {timestamp:?} is outside the accepted window")))
}

/// The lower-case hex signature of version 1: the key is appended to the text.
pub(super) fn md5(text: &[u8], key: &Secret) -> String {
    let digest = Md5::new().chain_update(text).chain_update(key.expose()).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether `sign` is the signature of `text` with the key of version 1.
pub(super) fn md5_signed(text: &[u8], key: &Secret, sign: &str) -> bool {
    !key.is_blank() && same(md5(text, key).as_bytes(), sign.as_bytes())
}

/// The text that was signed.
fn text(node: &Node<'_>) -> Vec<u8> {
    let signed = |name: &str, value: &str| !value.trim().is_empty() && !matches!(name, "sign" | "sign_type");
    let mut text = String::with_capacity(512);
    for (name, value) in node.0.iter().filter(|(name, value)| signed(name, value)) {
        let joint = if text.is_empty() { "" } else { "&" };
        text.extend([joint, name, "=", value]);
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_read_as_they_were_signed_and_lists_are_left_out() {
        let body =
            br#"{"money":1.00,"code":0,"msg":"\u597d\/","data":[{"a":1}],"b":null,"sign":"x","ok":true}"#;
        let node = Node(json::flat(body).unwrap());
        assert_eq!(text(&node), "code=0&money=1.00&msg=好/&ok=1".as_bytes());
        assert_eq!((node.text("money"), node.text("b"), node.text("data")), (Some("1.00"), None, None));
    }

    #[test]
    fn the_signature_of_version_1_is_the_known_one() {
        // Made with `printf '%s' 'money=1.00&name=茶&pid=1001SECRETKEY' | md5sum`.
        let key = Secret::new("SECRETKEY");
        let sign = md5("money=1.00&name=茶&pid=1001".as_bytes(), &key);
        assert_eq!(sign, "3af4ef37497341f05f4e36f4fca1e7f0");
        assert!(md5_signed("money=1.00&name=茶&pid=1001".as_bytes(), &key, &sign));
        assert!(!md5_signed("money=1.00&name=茶&pid=1001".as_bytes(), &key, &sign.to_uppercase()));
        assert!(
            !md5_signed(b"", &Secret::default(), &md5(b"", &Secret::default())),
            "an empty key signs nothing"
        );
    }
}
