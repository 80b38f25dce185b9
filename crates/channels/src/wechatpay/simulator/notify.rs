//! Sealed notifications to the merchant, and when they are sent again.

use std::time::Duration;

use aes_gcm::Nonce;
use aes_gcm::aead::{Aead as _, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use paycore::channel::simulator::Notification;
use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Platform, Refund};

/// Seconds from one try to the next.
const RETRIES: [u64; 15] =
    [15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600];

/// One notification until it is acknowledged or given up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    /// When it is sent next.
    pub(super) at: Timestamp,
    tries: usize,
    notify_url: String,
    created: Timestamp,
    /// `transaction`, `refund` or, of transfers, `mch_payment`.
    about: String,
    /// What is sealed.
    clear: Value,
}

impl Platform {
    /// Tells the merchant of a payment, as scripted for its amount.
    pub(super) fn tell_payment(&mut self, key: &str, now: Timestamp) {
        let Some(order) = self.orders.get(key) else { return };
        let (copies, at) = match order.script() {
            9004 => (3, now),
            9005 => (1, now.plus(Duration::from_secs(3_600))),
            9008 => return,
            _ => (1, now),
        };
        let clear = if order.parts.is_empty() { self.shown(order) } else { self.combined(order) };
        let Some(url) = order.notify_url.clone() else { return };
        for _ in 0..copies {
            self.note("transaction", url.clone(), clear.clone(), at);
        }
    }

    pub(super) fn tell_refund(&mut self, key: &str, refund: &Refund, url: Option<String>, now: Timestamp) {
        let order = self.orders.get(key).filter(|order| order.script() != 9008);
        let (Some(order), Some(url)) = (order, url) else { return };
        let mut clear = json!({
            "out_trade_no": order.out_trade_no, "transaction_id": order.transaction_id,
            "out_refund_no": refund.out_refund_no, "refund_id": refund.refund_id, "refund_status": "SUCCESS",
            "success_time": refund.at.to_rfc3339_seconds(8 * 3600), "user_received_account": "支付用户零钱",
            "amount": {"total": order.fen, "refund": refund.fen, "payer_total": order.fen, "payer_refund": refund.fen},
        });
        for (name, ours) in self.who().into_iter().filter(|(name, _)| name.ends_with("mchid")) {
            clear[name] = ours.into();
        }
        self.note("refund", url, clear, now);
    }

    pub(super) fn note(&mut self, about: &str, notify_url: String, clear: Value, at: Timestamp) {
        self.last_note += 1;
        let (id, about) = (self.last_note, about.to_owned());
        self.notes.insert(id, Note { id, at, tries: 0, notify_url, created: at, about, clear });
        self.outbox.insert((at, id));
        self.changed.insert(format!("note/{id}"));
    }

    /// Everything to be sent by now. It is on its way until [`Platform::answered`] hears of it.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Notification> {
        let later = self.outbox.split_off(&(now, u64::MAX));
        let ids = std::mem::replace(&mut self.outbox, later).into_iter().map(|(_, id)| id);
        ids.filter_map(|id| Some(Notification { id, request: self.request(self.notes.get(&id)?, now)? }))
            .collect()
    }

    /// The same body at every try, sealed and signed; only the signature is of now.
    fn request(&self, note: &Note, now: Timestamp) -> Option<Request<Bytes>> {
        // No two notes have the same number, so no nonce is used for two texts.
        let nonce: [u8; 12] = format!("{:012x}", note.id).into_bytes().try_into().ok()?;
        let text = note.clear.to_string();
        let payload = Payload { msg: text.as_bytes(), aad: note.about.as_bytes() };
        let ciphertext = STANDARD.encode(self.seal.encrypt(&Nonce::from(nonce), payload).ok()?);
        let event = match note.about.as_str() {
            "mch_payment" => "MCHTRANSFER.BILL.FINISHED".to_owned(),
            about => format!("{}.SUCCESS", about.to_uppercase()),
        };
        let body = json!({
            "id": format!("EV-{}{:08}", note.created.beijing_compact(), note.id),
            "create_time": note.created.to_rfc3339_seconds(8 * 3600),
            "resource_type": "encrypt-resource", "event_type": event, "summary": "成功",
            "resource": {
                "original_type": note.about, "algorithm": "AEAD_AES_256_GCM", "ciphertext": ciphertext,
                "associated_data": note.about, "nonce": String::from_utf8_lossy(&nonce),
            },
        });
        let body = body.to_string();
        let proof = self.proof(body.as_bytes(), &format!("N{:015}{:08}", note.id, note.tries), now);
        let mut request = Request::post(&note.notify_url).header(CONTENT_TYPE, "application/json");
        request.headers_mut()?.extend(proof);
        request.body(body.into()).ok()
    }

    /// Any 2xx ends a notification before its last try.
    pub(super) fn answered(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        let Some(note) = self.notes.get_mut(&id) else { return };
        let heard = response.is_some_and(|response| response.status().is_success());
        match RETRIES.get(note.tries) {
            Some(seconds) if !heard => {
                note.tries += 1;
                note.at = now.plus(Duration::from_secs(*seconds));
                self.outbox.insert((note.at, id));
            }
            _ => drop(self.notes.remove(&id)),
        }
        self.changed.insert(format!("note/{id}"));
    }
}
