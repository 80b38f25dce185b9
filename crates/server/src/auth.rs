//! Who calls: an API key in `Authorization`, looked up by its hash and remembered for at most two seconds.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use paycore::engine::{Caller, Engine};
use paycore::error::{Code, Error, Result};
use paycore::merchant::service::authenticate;
use paycore::time::Timestamp;
use sha2::{Digest, Sha256};

/// A key that was revoked by another server stops working here within this.
const AGE_MAX: Duration = Duration::from_secs(2);
/// When this many keys are remembered, all are forgotten: simpler than eviction and just as bounded.
const ENTRIES_MAX: usize = 10_000;
/// Longer than any key.
const KEY_LEN_MAX: usize = 128;

/// The hash under which a key is remembered. A key is 256 random bits, so that finding it by its hash tells
/// nobody anything through time.
pub type KeyHash = [u8; 32];

/// Callers by the hash of their key.
#[derive(Debug, Default)]
pub struct Keys(RwLock<HashMap<KeyHash, (Timestamp, Caller)>>);

impl Keys {
    /// The caller of a request, and the hash of the key for whoever counts by key.
    pub async fn caller(&self, engine: &Engine, headers: &HeaderMap) -> Result<(KeyHash, Caller)> {
        let key = key(headers)?;
        let hash: KeyHash = Sha256::digest(key.as_bytes()).into();
        let caller = self.known(engine, &key, hash).await?.ok_or_else(|| {
            Error::new(
                Code::Unauthenticated,
                "This API key is not known here, or it was revoked or has expired.",
            )
        })?;
        Ok((hash, caller))
    }

    /// Whose publishable key this is, if it is one that works.
    pub async fn publishable(&self, engine: &Engine, key: &str) -> Result<Option<Caller>> {
        if !key.starts_with("pk_") || key.len() > KEY_LEN_MAX {
            return Ok(None);
        }
        self.known(engine, key, Sha256::digest(key.as_bytes()).into()).await
    }

    async fn known(&self, engine: &Engine, key: &str, hash: KeyHash) -> Result<Option<Caller>> {
        let now = engine.wall();
        if let Some(caller) = self.fresh(&hash, now) {
            return Ok(Some(caller));
        }
        let Some(caller) = authenticate(engine, key).await? else { return Ok(None) };
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= ENTRIES_MAX {
            map.clear();
        }
        map.insert(hash, (now, caller.clone()));
        Ok(Some(caller))
    }

    /// Forgets every key, after something changed that callers are made of.
    pub fn forget(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn fresh(&self, hash: &KeyHash, now: Timestamp) -> Option<Caller> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (kept, caller) = map.get(hash)?;
        (*kept <= now && now.since(*kept) < AGE_MAX).then(|| caller.clone())
    }
}

/// The key of a request: `Authorization: Bearer sk_…`, or HTTP Basic with the key as the user and no password.
fn key(headers: &HeaderMap) -> Result<std::borrow::Cow<'_, str>> {
    let missing = || {
        let detail = "Send your API key as `Authorization: Bearer sk_…`.";
        Error::new(Code::Unauthenticated, detail)
    };
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(missing()) };
    let (scheme, rest) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(missing)?;
    let key: std::borrow::Cow<'_, str> = if scheme.eq_ignore_ascii_case("bearer") {
        rest.trim().into()
    } else if scheme.eq_ignore_ascii_case("basic") {
        let clear = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let user = clear.as_deref().and_then(|clear| clear.strip_suffix(':')).ok_or_else(missing)?;
        user.to_owned().into()
    } else {
        return Err(missing());
    };
    let plausible = (key.starts_with("sk_") || key.starts_with("pk_")) && key.len() <= KEY_LEN_MAX;
    if plausible { Ok(key) } else { Err(missing()) }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn reads(values: &[&str], expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        assert_eq!(key(&headers).ok().as_deref(), expected, "{values:?}");
    }

    #[test]
    fn a_key_is_a_bearer_token_or_the_user_of_basic() {
        reads(&["Bearer sk_test_a"], Some("sk_test_a"));
        reads(&["bearer  pk_live_a "], Some("pk_live_a"));
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        reads(&[&basic("sk_test_a:")], Some("sk_test_a"));
        for wrong in [
            &basic("sk_test_a:password"),
            &basic("sk_test_a"),
            "Basic !",
            "sk_test_a",
            "Bearer",
            "Digest sk_a",
        ] {
            reads(&[wrong], None);
        }
        reads(&["Bearer sk_test_a", "Bearer sk_test_b"], None);
        reads(&["Bearer whsec_a"], None);
        reads(&[&format!("Bearer sk_{}", "a".repeat(200))], None);
        reads(&[], None);
    }
}
