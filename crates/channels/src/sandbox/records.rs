//! What a provider keeps by the merchants' numbers: when a record has something to do by itself, and which are to be
//! kept again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::time::Duration;

use paycore::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An order, a transaction or whatever else has a number.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// The merchant's number.
    fn key(&self) -> &str;

    /// When it expires, while it still may, and when it is paid without anybody doing anything more.
    fn alarms(&self) -> [Option<Timestamp>; 2];
}

/// All of them, by their numbers; they are read as the map that they are.
#[derive(Debug)]
pub(crate) struct Records<R> {
    all: BTreeMap<String, R>,
    agenda: BTreeSet<(Timestamp, String)>,
    changed: BTreeSet<String>,
}

impl<R> Default for Records<R> {
    fn default() -> Self {
        Records { all: BTreeMap::new(), agenda: BTreeSet::new(), changed: BTreeSet::new() }
    }
}

impl<R> Deref for Records<R> {
    type Target = BTreeMap<String, R>;

    fn deref(&self) -> &BTreeMap<String, R> {
        &self.all
    }
}

impl<R: Record> Records<R> {
    /// Takes a new one in.
    pub(crate) fn add(&mut self, record: R) {
        self.changed.insert(record.key().to_owned());
        self.put(record);
    }

    fn put(&mut self, record: R) {
        let key = record.key().to_owned();
        self.agenda.extend(record.alarms().into_iter().flatten().map(|at| (at, key.clone())));
        self.all.insert(key, record);
    }

    pub(crate) fn change(&mut self, key: &str, change: impl FnOnce(&mut R)) {
        if let Some(record) = self.all.get_mut(key) {
            change(record);
            self.changed.insert(key.to_owned());
        }
    }

    /// Has [`Records::take_due`] name it at this time.
    pub(crate) fn wake(&mut self, key: &str, at: Timestamp) {
        self.agenda.insert((at, key.to_owned()));
    }

    /// The numbers of those that may have something to do by now, each with the time that was set.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> BTreeSet<(Timestamp, String)> {
        let later = self.agenda.split_off(&(now.plus(Duration::from_micros(1)), String::new()));
        std::mem::replace(&mut self.agenda, later)
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.agenda.first().map(|(at, _)| *at)
    }

    /// Those to be kept again, by the name of their kind and their number.
    pub(crate) fn changed(&mut self, kind: &str) -> Vec<(String, String)> {
        let record = |key: String| {
            let text = serde_json::to_string(self.all.get(&key)?).ok()?;
            Some((format!("{kind}/{key}"), text))
        };
        std::mem::take(&mut self.changed).into_iter().filter_map(record).collect()
    }

    /// Takes in what was kept.
    pub(crate) fn restore(&mut self, text: &str) {
        if let Ok(record) = serde_json::from_str(text) {
            self.put(record);
        }
    }
}
