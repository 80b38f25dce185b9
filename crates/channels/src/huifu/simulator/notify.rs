//! Signed notifications to the merchant, and when they are sent again.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use paycore::channel::simulator::Notification;
use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::api::{given, shown};
use super::{Acquirer, Refund};

/// Seconds from one try to the next: three more at most. Only their number is documented.
const RETRIES: [u64; 3] = [5, 30, 120];

/// One notification until it is acknowledged or given up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    /// When it is sent next.
    pub(super) at: Timestamp,
    tries: usize,
    notify_url: String,
    /// The number of the request, which has to come back.
    number: String,
    /// The same at every try.
    body: String,
}

impl Acquirer {
    /// Tells the merchant of a payment, as scripted for its amount.
    pub(super) fn tell_payment(&mut self, key: &str, now: Timestamp) {
        let Some(order) = self.orders.get(key) else { return };
        let (copies, at) = match order.script() {
            9004 => (3, now),
            9005 => (1, now.plus(Duration::from_secs(3_600))),
            9008 => return,
            _ => (1, now),
        };
        let mut told = shown(order, "");
        // What an answer calls the trade's type, a notification calls the transaction's.
        if let Some(kind) = told.as_object_mut().and_then(|told| told.remove("trade_type")) {
            told["trans_type"] = kind;
        }
        told["notify_type"] = 1.into();
        let Some(url) = order.notify_url.clone() else { return };
        for _ in 0..copies {
            self.note(url.clone(), key, told.clone(), at);
        }
    }

    pub(super) fn tell_refund(&mut self, key: &str, refund: &Refund, url: Option<&str>, now: Timestamp) {
        let silent = self.orders.get(key).is_none_or(|order| order.script() == 9008);
        let Some(url) = url.filter(|_| !silent) else { return };
        let mut told = given(refund, "");
        told["org_req_seq_id"] = key.into();
        self.note(url.to_owned(), &refund.number, told, now);
    }

    fn note(&mut self, notify_url: String, number: &str, mut told: Value, at: Timestamp) {
        told["huifu_id"] = self.sys_id.as_str().into();
        let data = told.to_string();
        let escaped = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let body = format!("sign={}&resp_data={}", escaped(&self.sign(&data)), escaped(&data));
        self.last_note += 1;
        let (id, number) = (self.last_note, number.to_owned());
        self.notes.insert(id, Note { id, at, tries: 0, notify_url, number, body });
        self.outbox.insert((at, id));
        self.changed.insert(format!("note/{id}"));
    }

    /// Everything to be sent by now. It is on its way until [`Acquirer::answered`] hears of it.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Notification> {
        let later = self.outbox.split_off(&(now, u64::MAX));
        let ids = std::mem::replace(&mut self.outbox, later).into_iter().map(|(_, id)| id);
        let kind = "application/x-www-form-urlencoded;charset=UTF-8";
        let sent = |id| {
            let note = self.notes.get(&id)?;
            let request = Request::post(&note.notify_url).header(CONTENT_TYPE, kind);
            Some(Notification { id, request: request.body(Bytes::from(note.body.clone())).ok()? })
        };
        ids.filter_map(sent).collect()
    }

    /// Only 200 with the words that repeat the number ends a notification before its last try.
    pub(super) fn answered(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        let Some(note) = self.notes.get_mut(&id) else { return };
        let words = format!("RECV_ORD_ID_{}", note.number);
        let heard = response
            .is_some_and(|answer| answer.status() == 200 && answer.body().as_ref() == words.as_bytes());
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
