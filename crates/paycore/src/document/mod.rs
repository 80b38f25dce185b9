//! Documents: objects of workflows and of configuration (a fee schedule, a settlement, a payout, a break), kept whole
//! as JSON with a version and with what they are found by. Money itself stands in orders, refunds and journals, whose
//! columns and constraints the store knows; a document says how it came there. See ADR 19.

mod declare;
#[cfg(feature = "engine")]
pub mod service;
#[cfg(feature = "engine")]
mod store;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "engine")]
pub use service::Shown;
#[cfg(feature = "engine")]
pub use store::{DocumentFilter, Documents};

pub(crate) use declare::document;

use crate::id::Id;
use crate::time::Timestamp;

/// A type that is kept as a document.
pub trait Document: Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static {
    /// Its id; the prefix names the kind.
    type Id: Id;
    /// The kind, in a word of the trade: `payout`.
    const KIND: &'static str;

    /// Its id.
    fn id(&self) -> Self::Id;
    /// The version that was read; 0 before it is first stored. The field is left out of the JSON: the store keeps it.
    fn version(&self) -> i64;
    /// Takes in the version that the store has.
    fn set_version(&mut self, version: i64);
    /// What the store can find it by.
    fn index(&self) -> Index;
}

/// What a document is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// A number that no other document of the kind has at this merchant. It never changes.
    pub number: Option<String>,
    /// What it belongs to, such as the settlement of an item.
    pub parent: Option<String>,
    /// Where it stands.
    pub status: &'static str,
    /// The instant it is about, such as the one from which money is available.
    pub at: Timestamp,
    /// When a worker looks at it next, wall clock; zero for never.
    pub due_at: Timestamp,
}

impl Index {
    /// A document that is found by its status only.
    pub fn new(status: &'static str) -> Self {
        Index { number: None, parent: None, status, at: Timestamp::ZERO, due_at: Timestamp::ZERO }
    }
}

/// A document as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The kind.
    pub kind: String,
    /// The id as text.
    pub id: String,
    /// The version that was read; the store writes one more.
    pub version: i64,
    /// Unique per merchant and kind.
    pub number: Option<String>,
    /// What it belongs to.
    pub parent: Option<String>,
    /// Where it stands.
    pub status: String,
    /// The instant it is about.
    pub at: Timestamp,
    /// When a worker looks at it next, wall clock; zero for never.
    pub due_at: Timestamp,
    /// The document as JSON.
    pub body: String,
}

/// A stored document that its type cannot read: a bug, or a database that somebody edited.
#[derive(Debug, thiserror::Error)]
#[error("{kind} {id} cannot be read: {cause}")]
pub struct Unreadable {
    kind: String,
    id: String,
    cause: String,
}

impl Record {
    /// The record of a document.
    ///
    /// # Panics
    /// Where a type has a map whose keys are not texts; every document's test would show it.
    pub fn of<T: Document>(document: &T) -> Record {
        let Index { number, parent, status, at, due_at } = document.index();
        Record {
            kind: T::KIND.to_owned(),
            id: document.id().to_string(),
            version: document.version(),
            number,
            parent,
            status: status.to_owned(),
            at,
            due_at,
            body: serde_json::to_string(document).expect("documents have text keys"),
        }
    }

    /// The document.
    ///
    /// # Errors
    /// [`Unreadable`] where it is of another kind or shape.
    pub fn read<T: Document>(&self) -> Result<T, Unreadable> {
        let unreadable = |cause: String| Unreadable { kind: self.kind.clone(), id: self.id.clone(), cause };
        if self.kind != T::KIND {
            return Err(unreadable(format!("a {} was wanted", T::KIND)));
        }
        let mut document: T =
            serde_json::from_str(&self.body).map_err(|error| unreadable(error.to_string()))?;
        document.set_version(self.version);
        Ok(document)
    }
}
