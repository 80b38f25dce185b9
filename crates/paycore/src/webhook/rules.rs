//! Standard Webhooks signatures, the retry schedule, and which endpoint wants which event.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Delivery, DeliveryStatus, Endpoint, Try};
use crate::event::Event;
use crate::secret::Secret;
use crate::time::{Rng, Timestamp};

/// Seconds after which a failed delivery is tried again; together a little over three days.
const SCHEDULE: &[u64] = &[5, 60, 300, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 57_600, 57_600, 57_600];

/// The value of `webhook-signature`: one `v1,` signature per secret, the newest first.
pub fn signatures(secrets: &[Secret], id: &str, at: Timestamp, body: &str) -> String {
    let signed = format!("{id}.{}.{body}", at.secs());
    let each = secrets.iter().filter_map(|secret| {
        let key = STANDARD.decode(secret.expose().strip_prefix("whsec_")?).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(signed.as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    each.collect::<Vec<_>>().join(" ")
}

/// Whether an endpoint wants an event.
pub fn wants(endpoint: &Endpoint, event: &Event) -> bool {
    let listed = |kind: &str| endpoint.events.iter().any(|wanted| wanted == kind);
    endpoint.enabled && (endpoint.events.is_empty() || listed(event.kind.text()))
}

/// What came of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// For the log.
    pub entry: Try,
    /// What the receiver asked for by `Retry-After`, at most a day.
    pub retry_after: Option<Duration>,
}

/// Takes the result of a try into the delivery. True where the endpoint asked never to be called again.
pub fn record(delivery: &mut Delivery, tried: Tried, wall: Timestamp, rng: &dyn Rng) -> bool {
    let status = tried.entry.status;
    let tries = delivery.tries.len();
    delivery.tries.push(tried.entry);
    let gone = status == Some(410);
    if status.is_some_and(|status| (200..300).contains(&status)) {
        delivery.status = DeliveryStatus::Succeeded;
        delivery.due_at = Timestamp::ZERO;
    } else if gone || tries >= SCHEDULE.len() {
        delivery.status = DeliveryStatus::Failed;
        delivery.due_at = Timestamp::ZERO;
    } else {
        let delay = jittered(Duration::from_secs(SCHEDULE[tries]), rng);
        delivery.due_at = wall.plus(tried.retry_after.map_or(delay, |asked| asked.max(delay)));
    }
    gone
}

/// Up to a fifth more, so that receivers who failed together are not called together.
fn jittered(delay: Duration, rng: &dyn Rng) -> Duration {
    let mut random = [0u8; 2];
    rng.fill(&mut random);
    delay + delay * u32::from(u16::from_le_bytes(random)) / (5 * u32::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_published_example() {
        // The test vector of the Standard Webhooks specification.
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = r#"{"test": 2432232314}"#;
        let at = Timestamp::from_secs(1_614_265_330);
        let got = signatures(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body);
        assert_eq!(got, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_schedule_lasts_three_days() {
        let seconds: u64 = SCHEDULE.iter().sum();
        assert!((3 * 86_400..4 * 86_400).contains(&seconds), "{seconds}");
    }
}
