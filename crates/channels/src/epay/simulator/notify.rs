//! Notifications to the merchant, and when they are sent again.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use paycore::channel::simulator::Notification;
use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;

use super::wire::{Parameters, yuan};
use super::{Order, Panel, Version};

/// Minutes from one try to the next.
const RETRY_MINUTES: [u64; 5] = [1, 3, 20, 60, 120];

/// One notification until it is acknowledged or given up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    /// When it is sent next.
    pub(super) at: Timestamp,
    tries: usize,
    /// The merchant's number of the order.
    order: String,
}

impl Panel {
    /// Tells the merchant that an order is paid, as scripted for its amount.
    pub(super) fn notify(&mut self, key: &str, now: Timestamp) {
        let Some(order) = self.orders.get(key) else { return };
        let (copies, at) = match order.script() {
            9004 => (3, now),
            9005 => (1, now.plus(Duration::from_secs(3_600))),
            9008 => return,
            _ => (1, now),
        };
        for _ in 0..copies {
            self.last_note += 1;
            let id = self.last_note;
            self.notes.insert(id, Note { id, at, tries: 0, order: key.to_owned() });
            self.outbox.insert((at, id));
            self.changed.insert(format!("note/{id}"));
        }
    }

    /// What both the merchant's server and the payer's browser bring, signed, as a form.
    pub(super) fn told(&self, order: &Order, now: Timestamp) -> String {
        let mut fields: Parameters = [
            ("pid", self.pid.clone()),
            ("trade_no", order.trade_no.clone()),
            ("out_trade_no", order.out_trade_no.clone()),
            ("type", order.kind.clone()),
            ("name", order.name.clone()),
            ("money", yuan(order.fen)),
            ("trade_status", "TRADE_SUCCESS".to_owned()),
            ("param", order.param.clone()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        if order.version == Version::V2 {
            let paid = order.paid.unwrap_or(order.created);
            fields.extend([
                ("api_trade_no".to_owned(), format!("4200{}", order.trade_no)),
                ("addtime".to_owned(), order.created.beijing()),
                ("endtime".to_owned(), paid.beijing()),
                ("timestamp".to_owned(), now.secs().to_string()),
            ]);
        }
        self.sign(order.version, &mut fields);
        Serializer::new(String::new()).extend_pairs(&fields).finish()
    }

    /// Everything to be sent by now. It is on its way until [`Panel::answered`] hears of it.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Notification> {
        let later = self.outbox.split_off(&(now, u64::MAX));
        let ids = std::mem::replace(&mut self.outbox, later).into_iter().map(|(_, id)| id);
        ids.filter_map(|id| Some(Notification { id, request: self.request(self.notes.get(&id)?, now)? }))
            .collect()
    }

    fn request(&self, note: &Note, now: Timestamp) -> Option<Request<Bytes>> {
        let order = self.orders.get(&note.order)?;
        let form = self.told(order, now);
        if self.posts {
            let kind = "application/x-www-form-urlencoded; charset=utf-8";
            let request = Request::post(&order.notify_url).header(http::header::CONTENT_TYPE, kind);
            return request.body(Bytes::from(form)).ok();
        }
        let joint = if order.notify_url.contains('?') { '&' } else { '?' };
        Request::get(format!("{}{joint}{form}", order.notify_url)).body(Bytes::new()).ok()
    }

    /// Only a body of `success` ends a notification before its last try.
    pub(super) fn answered(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        let Some(note) = self.notes.get_mut(&id) else { return };
        let said = |response: &Response<Bytes>| response.body().trim_ascii() == b"success";
        let heard = response.is_some_and(|response| response.status() == StatusCode::OK && said(response));
        match RETRY_MINUTES.get(note.tries) {
            Some(minutes) if !heard => {
                note.tries += 1;
                note.at = now.plus(Duration::from_secs(minutes * 60));
                self.outbox.insert((note.at, id));
            }
            _ => drop(self.notes.remove(&id)),
        }
        self.changed.insert(format!("note/{id}"));
    }
}
