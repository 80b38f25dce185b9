//! Sealed notifications to the merchant, and when they are sent again.

use aes_gcm::Nonce;
use aes_gcm::aead::{Aead as _, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use paycore::time::Timestamp;
use serde_json::{Value, json};

use super::{Platform, Refund};
use crate::sandbox::{Note, copies};

/// Seconds from one try to the next.
pub(super) const RETRIES: [u64; 15] =
    [15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600];

impl Platform {
    /// Tells the merchant of a payment, as scripted for its amount.
    pub(super) fn tell_payment(&mut self, key: &str, now: Timestamp) {
        let Some(order) = self.orders.get(key) else { return };
        let Some((copies, at)) = copies(order.script(), false, now) else { return };
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
        self.notes.put(notify_url, about == "refund", json!({"about": about, "clear": clear}), (at, at));
    }

    /// The same body at every try, sealed and signed; only the signature is of now.
    pub(super) fn request(&self, note: &Note, now: Timestamp) -> Option<Request<Bytes>> {
        // No two notes have the same number, so no nonce is used for two texts.
        let nonce: [u8; 12] = format!("{:012x}", note.id).into_bytes().try_into().ok()?;
        // `transaction`, `refund` or, of transfers, `mch_payment`.
        let about = note.content["about"].as_str()?;
        let text = note.content["clear"].to_string();
        let payload = Payload { msg: text.as_bytes(), aad: about.as_bytes() };
        let ciphertext = STANDARD.encode(self.seal.encrypt(&Nonce::from(nonce), payload).ok()?);
        let event = match about {
            "mch_payment" => "MCHTRANSFER.BILL.FINISHED".to_owned(),
            about => format!("{}.SUCCESS", about.to_uppercase()),
        };
        let body = json!({
            "id": format!("EV-{}{:08}", note.created.beijing_compact(), note.id),
            "create_time": note.created.to_rfc3339_seconds(8 * 3600),
            "resource_type": "encrypt-resource", "event_type": event, "summary": "成功",
            "resource": {
                "original_type": about, "algorithm": "AEAD_AES_256_GCM", "ciphertext": ciphertext,
                "associated_data": about, "nonce": String::from_utf8_lossy(&nonce),
            },
        });
        let body = body.to_string();
        let proof = self.proof(body.as_bytes(), &format!("N{:015}{:08}", note.id, note.tries), now);
        let mut request = Request::post(&note.url).header(CONTENT_TYPE, "application/json");
        request.headers_mut()?.extend(proof);
        request.body(body.into()).ok()
    }
}
