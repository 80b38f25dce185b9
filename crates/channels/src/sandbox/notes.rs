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
pub(crate) struct Notes {
    notes: BTreeMap<u64, Note>,
    last: u64,
    /// When a note is to be sent; a note on its way is not here.
    outbox: BTreeSet<(Timestamp, u64)>,
    changed: BTreeSet<u64>,
}

/// How often the merchant is told of what happened now and when, as scripted for the amount.
pub(crate) fn copies(script: i64, refund: bool, now: Timestamp) -> Option<(usize, Timestamp)> {
    match (script, refund) {
        (9008, _) => None,
        (9004, false) => Some((3, now)),
        (9005, false) => Some((1, now.plus(Duration::from_secs(3_600)))),
        _ => Some((1, now)),
    }
}

/// Notes that are due as they are sent.
pub(crate) fn sent(due: Vec<Note>, request: impl Fn(&Note) -> Option<Request<Bytes>>) -> Vec<Notification> {
    let sent = |note: &Note| Some(Notification { id: note.id, request: request(note)? });
    due.iter().filter_map(sent).collect()
}

impl Notes {
    pub(crate) fn put(
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

    /// Tells the merchant what happened now, as often as is scripted for the amount.
    pub(crate) fn tell(&mut self, script: i64, refund: bool, url: &str, content: &Value, now: Timestamp) {
        let Some((copies, at)) = copies(script, refund, now) else { return };
        for _ in 0..copies {
            self.put(url.to_owned(), refund, content.clone(), (now, at));
        }
    }

    /// Everything to be sent by now. It is on its way until [`Notes::answered`] hears of it.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Note> {
        let later = self.outbox.split_off(&(now, u64::MAX));
        let ids = std::mem::replace(&mut self.outbox, later).into_iter();
        ids.filter_map(|(_, id)| self.notes.get(&id).cloned()).collect()
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Note> {
        self.notes.get(&id)
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.outbox.first().map(|(at, _)| *at)
    }

    pub(crate) fn answered(&mut self, id: u64, heard: bool, retries: &[u64], now: Timestamp) {
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
    pub(crate) fn changed(&mut self) -> Vec<(String, String)> {
        let record = |id: u64| {
            let text = serde_json::to_string(&self.notes.get(&id)).ok()?;
            Some((format!("note/{id}"), text))
        };
        std::mem::take(&mut self.changed).into_iter().filter_map(record).collect()
    }

    pub(crate) fn restore(&mut self, id: &str, text: &str) {
        self.last = self.last.max(id.parse().unwrap_or(0));
        let Ok(Some(note)) = serde_json::from_str::<Option<Note>>(text) else { return };
        self.outbox.insert((note.at, note.id));
        self.notes.insert(note.id, note);
    }
}
