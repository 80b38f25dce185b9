//! One Testpay account, read once: its name, its keyed HMAC state and the addresses of the seven calls.

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use paycore::channel::{Fault, Settings, SettingsError};
use paycore::secret::same;
use paycore::time::Timestamp;
use sha2::Sha256;
use url::Url;

pub(super) const ACCOUNT: HeaderName = HeaderName::from_static("testpay-account");
pub(super) const TIMESTAMP: HeaderName = HeaderName::from_static("testpay-timestamp");
pub(super) const NONCE: HeaderName = HeaderName::from_static("testpay-nonce");
pub(super) const SIGNATURE: HeaderName = HeaderName::from_static("testpay-signature");

/// How far a timestamp may lie from our clock, either way, inclusive.
const WINDOW_MILLIS: u64 = 5 * 60 * 1_000;
const SECRET_MIN: usize = 32;
const ACCOUNT_MAX: usize = 64;
const HEX: &[u8; 16] = b"0123456789abcdef";
/// `v1=` and 64 hexadecimal digits.
pub(super) const SIGNATURE_LEN: usize = 67;

/// One of the calls of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Charges,
    Query,
    Close,
    Capture,
    Void,
    Refunds,
    RefundQuery,
}

/// The paths of the calls below the base URL, as they are signed, in the order of [`Route`].
const PATHS: [&str; 7] =
    ["/v1/charges", "/v1/query", "/v1/close", "/v1/capture", "/v1/void", "/v1/refunds", "/v1/refund_query"];

impl Route {
    pub(super) fn path(self) -> &'static str {
        PATHS[self as usize]
    }
}

/// A merchant's account, ready to sign and verify. It has no `Debug`: it holds the key.
pub(super) struct Account {
    pub(super) name: String,
    pub(super) name_header: HeaderValue,
    key: Hmac<Sha256>,
    endpoints: [Uri; 7],
}

impl Account {
    pub(super) fn read(settings: &Settings) -> Result<Account, SettingsError> {
        let name = settings.require("account")?.expose();
        let well_formed = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !well_formed || name.len() > ACCOUNT_MAX {
            return Err(SettingsError::new("account", "takes letters, digits, `_` and `-`, at most 64"));
        }
        let secret = settings.require("secret")?.expose();
        if secret.chars().count() < SECRET_MIN {
            return Err(SettingsError::new("secret", "must have at least 32 characters"));
        }
        let key = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
            .map_err(|_| SettingsError::new("secret", "cannot be used as a key"))?;
        let base = base_url(settings.require("base_url")?.expose())?;
        let mut endpoints = PATHS.map(|_| Uri::default());
        for (endpoint, path) in endpoints.iter_mut().zip(PATHS) {
            *endpoint = Uri::try_from(format!("{base}{path}"))
                .map_err(|_| SettingsError::new("base_url", "is not an address"))?;
        }
        let name_header = HeaderValue::from_str(name)
            .map_err(|_| SettingsError::new("account", "takes letters, digits, `_` and `-`"))?;
        Ok(Account { name: name.to_owned(), name_header, key, endpoints })
    }

    pub(super) fn endpoint(&self, route: Route) -> Uri {
        self.endpoints[route as usize].clone()
    }

    /// The value of the signature header over `head` (the text before the body, each part with its line feed)
    /// and `body`.
    pub(super) fn signature(&self, head: &[&str], body: &[u8]) -> [u8; SIGNATURE_LEN] {
        let mut mac = self.key.clone();
        for part in head {
            mac.update(part.as_bytes());
            mac.update(b"\n");
        }
        mac.update(body);
        let mut text = [0u8; SIGNATURE_LEN];
        text[..3].copy_from_slice(b"v1=");
        hex(&mac.finalize().into_bytes(), &mut text[3..]);
        text
    }

    /// Checks account, time window and signature of a message from Testpay. `first` and `path` are the first two
    /// signed lines: method and path of a notification, status and path of a reply.
    pub(super) fn check(
        &self,
        (first, path): (&str, &str),
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Fault> {
        let timestamp = only(headers, &TIMESTAMP)?;
        let nonce = only(headers, &NONCE)?;
        let claimed = only(headers, &SIGNATURE)?;
        let name = only(headers, &ACCOUNT)?;
        if !same(claimed.as_bytes(), &self.signature(&[first, path, timestamp, nonce], body)) {
            return Err(Fault::Signature);
        }
        // The account's name is not signed, its key is: a name that differs is somebody else's or a damaged message.
        if name != self.name {
            return Err(Fault::Unacceptable("it is for another account".into()));
        }
        match parse_millis(timestamp) {
            Some(sent) if sent.abs_diff(now.millis()) <= WINDOW_MILLIS => Ok(()),
            Some(_) => Err(Fault::Unacceptable("its time is more than five minutes from ours".into())),
            None => Err(Fault::Signature),
        }
    }
}

/// Writes two lower-case hexadecimal digits per byte.
pub(super) fn hex(bytes: &[u8], text: &mut [u8]) {
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
}

/// The value of a header that must be there exactly once and not be empty.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Fault> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(HeaderValue::to_str), values.next()) {
        (Some(Ok(value)), None) if !value.is_empty() => Ok(value),
        _ => Err(Fault::Signature),
    }
}

fn parse_millis(text: &str) -> Option<i64> {
    let plain = (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// The address without its trailing slash.
fn base_url(text: &str) -> Result<&str, SettingsError> {
    let wrong = |detail| SettingsError::new("base_url", detail);
    let url = Url::parse(text).map_err(|_| wrong("is not an address such as https://host/path"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("must start with https:// or http://"));
    }
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(wrong("must have no user, query or fragment"));
    }
    Ok(text.strip_suffix('/').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_plain_digits() {
        assert_eq!(parse_millis("1763855921000"), Some(1_763_855_921_000));
        for text in ["", "+1", "-1", "1e3", "1 ", "１", "1234567890123456"] {
            assert_eq!(parse_millis(text), None, "{text}");
        }
    }
}
