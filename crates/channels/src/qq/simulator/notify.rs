//! Signed notifications to the merchant, and when they are sent again.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use paycore::channel::simulator::Notification;
use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::Wallet;
use super::api::shown;

/// Seconds from one try to the next.
const RETRIES: [u64; 9] = [15, 15, 30, 180, 1_800, 1_800, 1_800, 1_800, 3_600];

/// One notification until it is acknowledged or given up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    /// When it is sent next.
    pub(super) at: Timestamp,
    tries: usize,
    notify_url: String,
    /// The same at every try.
    body: String,
}

impl Wallet {
    /// Tells the merchant of a payment, as scripted for its amount.
    pub(super) fn tell_payment(&mut self, key: &str, now: Timestamp) {
        let Some(order) = self.orders.get(key) else { return };
        let (copies, at) = match order.script() {
            9004 => (3, now),
            9005 => (1, now.plus(Duration::from_secs(3_600))),
            9008 => return,
            _ => (1, now),
        };
        let mut told = shown(order);
        // Of a payment that was closed in between, too, the notification tells that it was paid.
        told.insert("trade_state".to_owned(), "SUCCESS".to_owned());
        let body = self.document(told, now);
        let Some(notify_url) = self.orders[key].notify_url.clone() else { return };
        for _ in 0..copies {
            self.last_note += 1;
            let id = self.last_note;
            let (notify_url, body) = (notify_url.clone(), body.clone());
            self.notes.insert(id, Note { id, at, tries: 0, notify_url, body });
            self.outbox.insert((at, id));
            self.changed.insert(format!("note/{id}"));
        }
    }

    /// Everything to be sent by now. It is on its way until [`Wallet::answered`] hears of it.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Notification> {
        let later = self.outbox.split_off(&(now, u64::MAX));
        let ids = std::mem::replace(&mut self.outbox, later).into_iter().map(|(_, id)| id);
        let sent = |id| {
            let note = self.notes.get(&id)?;
            let request = Request::post(&note.notify_url).header(CONTENT_TYPE, "text/xml; charset=utf-8");
            Some(Notification { id, request: request.body(Bytes::from(note.body.clone())).ok()? })
        };
        ids.filter_map(sent).collect()
    }

    /// Only the word for success ends a notification before its last try.
    pub(super) fn answered(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        let Some(note) = self.notes.get_mut(&id) else { return };
        let word = |body: &[u8]| {
            let text = String::from_utf8_lossy(body).replace("<![CDATA[", "").replace("]]>", "");
            text.contains("<return_code>SUCCESS</return_code>")
        };
        let heard = response.is_some_and(|answer| answer.status().is_success() && word(answer.body()));
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
