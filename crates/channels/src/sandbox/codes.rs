//! Codes that say who somebody is: good once and for a while, and lost when the simulator ends.

use std::collections::BTreeMap;
use std::time::Duration;

use paycore::time::Timestamp;

/// What became of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spent {
    /// It was good until now.
    Good,
    /// It came too late.
    Late,
    /// It was never given, or given back already.
    Unknown,
}

/// The codes of one app.
#[derive(Debug, Default)]
pub(crate) struct Codes(BTreeMap<String, Timestamp>);

impl Codes {
    /// A code that nobody had before.
    pub(crate) fn issue(&mut self, now: Timestamp) -> String {
        let code = format!("{:016x}{:016x}", now.micros(), self.0.len());
        self.0.insert(code.clone(), now);
        code
    }

    /// Takes a code that is good for so long.
    pub(crate) fn spend(&mut self, code: &str, good: Duration, now: Timestamp) -> Spent {
        match self.0.remove(code) {
            Some(made) if now.since(made) < good => Spent::Good,
            Some(_) => Spent::Late,
            None => Spent::Unknown,
        }
    }
}

/// The address with these pairs added to its query.
pub(crate) fn with_query(address: &str, added: &str) -> String {
    let sign = if address.contains('?') { '&' } else { '?' };
    format!("{address}{sign}{added}")
}
