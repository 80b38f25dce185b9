//! Bad weather between the engine and the channels, and on the way to the merchants.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::channel::Reply;
use crate::channel::simulator::Answer;
use crate::sandbox::service::Weather;
use crate::time::SeededRng;
use crate::transport::{Transport, TransportError};

/// Weather drawn from a seed. Payers' browsers are spared: their requests are the payer's own decision.
pub(super) struct Storm {
    rng: SeededRng,
    per_mille: u64,
    calm: AtomicBool,
    pub(super) requests_lost: AtomicU64,
    pub(super) answers_lost: AtomicU64,
    pub(super) answers_spoilt: AtomicU64,
}

impl Storm {
    pub(super) fn new(seed: u64, per_mille: u32) -> Storm {
        Storm {
            rng: SeededRng::new(seed),
            per_mille: u64::from(per_mille),
            calm: AtomicBool::new(false),
            requests_lost: AtomicU64::new(0),
            answers_lost: AtomicU64::new(0),
            answers_spoilt: AtomicU64::new(0),
        }
    }

    pub(super) fn calm(&self) {
        self.calm.store(true, Relaxed);
    }

    fn strikes(&self) -> bool {
        // Drawn even when calm, so that the same seed gives the same sequence of draws.
        let draw = self.rng.next_u64() % 1_000;
        draw < self.per_mille && !self.calm.load(Relaxed)
    }
}

fn is_payer(request: &http::Request<Bytes>) -> bool {
    request.uri().path().starts_with("/payer/")
}

impl Weather for Storm {
    fn arrives(&self, request: &http::Request<Bytes>) -> bool {
        if is_payer(request) || !self.strikes() {
            return true;
        }
        self.requests_lost.fetch_add(1, Relaxed);
        false
    }

    fn returns(&self, request: &http::Request<Bytes>, answer: Answer) -> Answer {
        let Answer::Reply(reply) = answer else { return answer };
        if is_payer(request) || !self.strikes() {
            return Answer::Reply(reply);
        }
        let kind = self.rng.next_u64() % 5;
        if kind == 0 {
            self.answers_lost.fetch_add(1, Relaxed);
            return Answer::Silence;
        }
        self.answers_spoilt.fetch_add(1, Relaxed);
        Answer::Reply(spoilt(reply, kind, self.rng.next_u64()))
    }
}

/// A reply as broken proxies and overloaded gateways give them.
fn spoilt(reply: Reply, kind: u64, draw: u64) -> Reply {
    let (mut head, body) = reply.into_parts();
    let body = match kind {
        1 => body.slice(..place(draw, body.len())),
        2 => {
            let mut bytes = body.to_vec();
            let at = place(draw, bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << (draw % 8);
            }
            Bytes::from(bytes)
        }
        3 => Bytes::from_static(b"<html><body>502 Bad Gateway</body></html>"),
        _ => {
            head.status = http::StatusCode::SERVICE_UNAVAILABLE;
            Bytes::new()
        }
    };
    http::Response::from_parts(head, body)
}

fn place(draw: u64, len: usize) -> usize {
    usize::try_from(draw >> 8).unwrap_or(0) % len.max(1)
}

/// Merchants' receivers: some calls fail, every accepted body is remembered by its id.
pub(super) struct Receivers {
    storm: Arc<Storm>,
    rng: SeededRng,
    pub(super) accepted: std::sync::Mutex<std::collections::BTreeMap<String, Bytes>>,
    pub(super) changed_bodies: AtomicU64,
}

impl Receivers {
    pub(super) fn new(storm: Arc<Storm>, seed: u64) -> Receivers {
        Receivers {
            storm,
            rng: SeededRng::new(seed),
            accepted: std::sync::Mutex::default(),
            changed_bodies: AtomicU64::new(0),
        }
    }
}

#[async_trait]
impl Transport for Receivers {
    async fn send(&self, request: http::Request<Bytes>, _: Duration) -> Result<Reply, TransportError> {
        let status = match self.rng.next_u64() % 10 {
            _ if self.storm.calm.load(Relaxed) => 200,
            0 => return Err(TransportError::Timeout),
            1 => 500,
            _ => 200,
        };
        if status == 200 {
            let id =
                request.headers().get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or("").to_owned();
            let body = request.into_body();
            let mut accepted = self.accepted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if accepted.insert(id, body.clone()).is_some_and(|earlier| earlier != body) {
                self.changed_bodies.fetch_add(1, Relaxed);
            }
        }
        let mut reply = Reply::new(Bytes::new());
        *reply.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        Ok(reply)
    }
}
