//! Notifications to the merchant, and when they are sent again.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use paycore::channel::simulator::Notification;
use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;

use super::Bank;
use super::wire::{Texts, joined};

/// Seconds from one try to the next, as the bank publishes them.
const RETRY_SECONDS: [u64; 15] =
    [15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600];

/// One notification until it is acknowledged or given up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    /// When it is sent next.
    pub(super) at: Timestamp,
    tries: usize,
    notify_url: String,
    biz_content: String,
}

impl Bank {
    /// Tells the merchant that an order was paid or a refund given, as scripted for its amount.
    pub(super) fn notify(&mut self, key: &str, refund: Option<&str>, now: Timestamp) {
        let Some(order) = self.orders.get(key) else { return };
        let (copies, at) = match (order.script(), refund) {
            (9004, None) => (3, now),
            (9005, None) => (1, now.plus(Duration::from_secs(3_600))),
            (9008, _) => return,
            _ => (1, now),
        };
        let given = order.refunds.iter().find(|given| Some(given.order_id.as_str()) == refund);
        let (content, notify_url) = match given {
            Some(refund) => {
                let mut content = self.refund_standing(refund);
                content["refundState"] = "S".into();
                (content, refund.notify_url.clone())
            }
            None => (self.standing(order), order.notify_url.clone()),
        };
        if notify_url.is_empty() {
            return;
        }
        for _ in 0..copies {
            self.last_note += 1;
            let id = self.last_note;
            let (notify_url, biz_content) = (notify_url.clone(), content.to_string());
            self.notes.insert(id, Note { id, at, tries: 0, notify_url, biz_content });
            self.outbox.insert((at, id));
            self.changed.insert(format!("note/{id}"));
        }
    }

    /// Everything to be sent by now. It is on its way until [`Bank::answered`] hears of it.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Notification> {
        let later = self.outbox.split_off(&(now, u64::MAX));
        let ids = std::mem::replace(&mut self.outbox, later).into_iter().map(|(_, id)| id);
        ids.filter_map(|id| Some(Notification { id, request: self.request(self.notes.get(&id)?)? })).collect()
    }

    fn request(&self, note: &Note) -> Option<Request<Bytes>> {
        let fixed = [("encoding", "UTF-8"), ("signMethod", "02"), ("version", "0.0.1")];
        let all = fixed.into_iter().chain([("biz_content", note.biz_content.as_str())]);
        let mut fields: Texts = all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let sign = self.sign(&joined(&fields));
        fields.insert("sign".to_owned(), sign);
        Request::post(&note.notify_url)
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
            .body(Bytes::from(Serializer::new(String::new()).extend_pairs(&fields).finish()))
            .ok()
    }

    /// Only a signed answer with SUCCESS twice ends a notification before its last try.
    pub(super) fn answered(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        let heard = response.is_some_and(|response| self.acknowledged(response));
        let Some(note) = self.notes.get_mut(&id) else { return };
        match RETRY_SECONDS.get(note.tries) {
            Some(seconds) if !heard => {
                note.tries += 1;
                note.at = now.plus(Duration::from_secs(*seconds));
                self.outbox.insert((note.at, id));
            }
            _ => drop(self.notes.remove(&id)),
        }
        self.changed.insert(format!("note/{id}"));
    }

    fn acknowledged(&self, response: &Response<Bytes>) -> bool {
        let Ok(texts) = serde_json::from_slice::<Texts>(response.body()) else { return false };
        let twice =
            ["returnCode", "respCode"].iter().all(|name| texts.get(*name).is_some_and(|w| w == "SUCCESS"));
        response.status() == StatusCode::OK && twice && self.merchant_signed(&texts)
    }
}
