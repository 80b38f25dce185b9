//! How often a key may call: a bucket per key, told in the `RateLimit` headers.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use http::{HeaderMap, HeaderName, HeaderValue};
use paycore::error::{Code, Error};

use crate::auth::KeyHash;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

type Buckets =
    RateLimiter<KeyHash, DefaultKeyedStateStore<KeyHash>, DefaultClock, StateInformationMiddleware>;

/// The buckets of all keys that called lately.
#[derive(Debug)]
pub struct Limiter {
    buckets: Buckets,
    clock: DefaultClock,
    per_second: u32,
    burst: u32,
    policy: HeaderValue,
}

/// What is left to a key, for the headers of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Requests it may send at once.
    remaining: u32,
    /// Until it may send again, where it may not now.
    wait: Option<Duration>,
}

impl Limiter {
    /// A limiter of so many requests per second and so many at once; none where either is zero.
    pub fn new(per_second: u32, burst: u32) -> Option<Self> {
        let (rate, most) = (NonZeroU32::new(per_second)?, NonZeroU32::new(burst)?);
        let clock = DefaultClock::default();
        let quota = Quota::per_second(rate).allow_burst(most);
        let buckets = Buckets::new(quota, DefaultKeyedStateStore::default(), clock.clone());
        let policy = format!("\"default\";q={burst};w={}", burst.div_ceil(per_second));
        let policy = HeaderValue::from_str(&policy).ok()?;
        Some(Limiter { buckets, clock, per_second, burst, policy })
    }

    /// Takes one request out of a key's bucket, if there is one left.
    pub fn take(&self, key: &KeyHash) -> Left {
        match self.buckets.check_key(key) {
            Ok(state) => Left { remaining: state.remaining_burst_capacity(), wait: None },
            Err(not_until) => Left { remaining: 0, wait: Some(not_until.wait_time_from(self.clock.now())) },
        }
    }

    /// Writes the headers: the policy, and what is left of it with the seconds until it is whole again.
    pub fn tell(&self, left: Left, headers: &mut HeaderMap) {
        let whole_in = (self.burst - left.remaining.min(self.burst)).div_ceil(self.per_second);
        headers.insert(POLICY, self.policy.clone());
        if let Ok(value) = HeaderValue::from_str(&format!("\"default\";r={};t={whole_in}", left.remaining)) {
            headers.insert(LIMIT, value);
        }
        if let Some(wait) = left.wait {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(http::header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
    }

    /// Forgets buckets that are full again.
    pub fn tidy(&self) {
        self.buckets.retain_recent();
        self.buckets.shrink_to_fit();
    }
}

impl Left {
    /// An error where nothing was left.
    pub fn refused(self) -> Option<Error> {
        self.wait.map(|_| {
            let detail = "This key sends more requests than it may; wait as long as `Retry-After` says.";
            Error::new(Code::RateLimited, detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_runs_dry_and_says_when_to_come_back() {
        let limiter = Limiter::new(1, 3).unwrap();
        let key = [7; 32];
        let left: Vec<_> = (0..4).map(|_| limiter.take(&key)).collect();
        assert_eq!(left.iter().map(|left| left.remaining).collect::<Vec<_>>(), [2, 1, 0, 0]);
        assert!(left[..3].iter().all(|left| left.refused().is_none()));
        assert_eq!(left[3].refused().unwrap().code, Code::RateLimited);
        let mut headers = HeaderMap::new();
        limiter.tell(left[3], &mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"default\";q=3;w=3");
        assert_eq!(headers["ratelimit"], "\"default\";r=0;t=3");
        assert_eq!(headers["retry-after"], "1");
        assert!(limiter.take(&[8; 32]).refused().is_none(), "every key has its own bucket");
    }

    #[test]
    fn zero_means_no_limit() {
        assert!(Limiter::new(0, 10).is_none());
        assert!(Limiter::new(10, 0).is_none());
    }
}
