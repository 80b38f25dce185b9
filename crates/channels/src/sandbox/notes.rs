//! Notifications to the merchant, and when they are sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use paycore::channel::simulator::Notification;
use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One notification until it is acknowledged or given up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) id: u64,
    /// When it is sent next.
    at: Timestamp,
    /// How often it was sent before.
    pub(crate) tries: usize,
    pub(crate) url: String,
    /// When what it tells happened.
    pub(crate) created: Timestamp,
    /// Whether it is about a refund.
    pub(crate) refund: bool,
    /// The same at every try.
    pub(crate) content: Value,
}

/// All that are under way.
#[derive(Debug, Default)]
pub(super) struct Notes {
    notes: BTreeMap<u64, Note>,
    last: u64,
    /// When a note is to be sent; a note on its way is not here.
    outbox: BTreeSet<(Timestamp, u64)>,
    changed: BTreeSet<u64>,
}

impl Notes {
    pub(super) fn put(
        &mut self,
        url: String,
        refund: bool,
        content: Value,
        (created, at): (Timestamp, Timestamp),
    ) {
        self.last += 1;
        let id = self.last;
        self.notes.insert(id, Note { id, at, tries: 0, url, created, refund, content });
        self.outbox.insert((at, id));
        self.changed.insert(id);
    }

    /// Everything to be sent by now. It is on its way until [`Notes::answered`] hears of it.
    pub(super) fn take_due(
        &mut self,
        now: Timestamp,
        request: impl Fn(&Note) -> Option<Request<Bytes>>,
    ) -> Vec<Notification> {
        let later = self.outbox.split_off(&(now, u64::MAX));
        let ids = std::mem::replace(&mut self.outbox, later).into_iter().map(|(_, id)| id);
        ids.filter_map(|id| Some(Notification { id, request: request(self.notes.get(&id)?)? })).collect()
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.outbox.first().map(|(at, _)| *at)
    }

    pub(super) fn answered(&mut self, id: u64, heard: bool, retries: &[u64], now: Timestamp) {
        let Some(note) = self.notes.get_mut(&id) else { return };
        match retries.get(note.tries) {
            Some(seconds) if !heard => {
                note.tries += 1;
                note.at = now.plus(Duration::from_secs(*seconds));
                self.outbox.insert((note.at, id));
            }
            _ => drop(self.notes.remove(&id)),
        }
        self.changed.insert(id);
    }

    /// Records to be kept, by key; a note that is done with is kept as `null`.
    pub(super) fn changed(&mut self) -> Vec<(String, String)> {
        let record = |id: u64| {
            let text = serde_json::to_string(&self.notes.get(&id)).ok()?;
            Some((format!("note/{id}"), text))
        };
        std::mem::take(&mut self.changed).into_iter().filter_map(record).collect()
    }

    pub(super) fn restore(&mut self, id: &str, text: &str) {
        self.last = self.last.max(id.parse().unwrap_or(0));
        let Ok(Some(note)) = serde_json::from_str::<Option<Note>>(text) else { return };
        self.outbox.insert((note.at, note.id));
        self.notes.insert(note.id, note);
    }
}
