//! How documents look in the API, and the writing of those that a caller changes.

use schemars::JsonSchema;
use serde::Serialize;

use super::Document;
use crate::engine::{Caller, Engine};
use crate::error::Result;
use crate::page::{List, ListInput};
use crate::store::{Changes, Put};

/// A document as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "{T}")]
pub struct Shown<T> {
    /// The kind, in one word.
    object: &'static str,
    /// What it holds.
    #[serde(flatten)]
    document: T,
}

impl<T: Document> Shown<T> {
    /// The document with its kind.
    pub fn of(document: T) -> Self {
        Shown { object: T::KIND, document }
    }

    /// The document.
    pub fn document(&self) -> &T {
        &self.document
    }

    /// A part of a list.
    pub fn list(page: &ListInput, rows: Vec<T>) -> List<Shown<T>> {
        page.list(rows.into_iter().map(Shown::of).collect(), |shown| shown.document.id().to_string())
    }
}

impl Engine {
    /// Writes a document in a caller's name: with the answer to the idempotency key and a row in the audit trail.
    pub(crate) async fn save<T: Document>(
        &self,
        caller: &Caller,
        action: &str,
        document: T,
        mut changes: Changes,
    ) -> Result<Shown<T>> {
        let moment = self.moment(&caller.merchant);
        let id = document.id();
        changes.put(Put::document(&document));
        changes.audit.push(self.audit(&caller.actor, action, Some(id.to_string()), String::new(), moment));
        let shown = Shown::of(document);
        changes.claim = caller.once(id, &shown, moment);
        self.commit(caller.tenant(), changes).await?;
        Ok(shown)
    }
}
