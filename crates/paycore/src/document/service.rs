//! Documents read and written as their types, and how the API shows them.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Document, DocumentFilter, Record, Unreadable};
use crate::engine::{Caller, Engine};
use crate::error::{Error, Result};
use crate::id::MerchantId;
use crate::page::{List, ListInput};
use crate::store::{Changes, Page, Put};

/// How many rows are read at once where all of them are wanted.
const PAGE: usize = 500;

impl Put {
    /// The put of a document.
    pub fn document<T: Document>(document: &T) -> Put {
        Put::Document(Record::of(document))
    }
}

impl From<Unreadable> for Error {
    fn from(error: Unreadable) -> Self {
        Error::internal(error)
    }
}

impl Engine {
    /// A merchant's document.
    ///
    /// # Errors
    /// Not found, where it does not exist or is another merchant's.
    pub async fn document<T: Document>(&self, tenant: MerchantId, id: T::Id) -> Result<T> {
        self.find_document(tenant, id).await?.ok_or_else(|| Error::not_found(T::KIND, id))
    }

    /// A merchant's document that need not exist.
    pub async fn find_document<T: Document>(&self, tenant: MerchantId, id: T::Id) -> Result<Option<T>> {
        let found = self.store.document(tenant, T::KIND, &id.to_string()).await?;
        Ok(found.map(|record| record.read()).transpose()?)
    }

    /// A merchant's document with this number.
    pub async fn document_by_number<T: Document>(
        &self,
        tenant: MerchantId,
        number: &str,
    ) -> Result<Option<T>> {
        let found = self.store.document_by_number(tenant, T::KIND, number).await?;
        Ok(found.map(|record| record.read()).transpose()?)
    }

    /// A page of a merchant's documents, newest first.
    pub async fn documents<T: Document>(
        &self,
        tenant: MerchantId,
        filter: &DocumentFilter,
        page: &Page,
    ) -> Result<Vec<T>> {
        let rows = self.store.documents(tenant, T::KIND, filter, page).await?;
        Ok(rows.iter().map(Record::read).collect::<Result<_, _>>()?)
    }

    /// Every document that fits, newest first, handed over page by page: memory does not grow with their number.
    pub async fn each_document<T: Document>(
        &self,
        tenant: MerchantId,
        filter: &DocumentFilter,
        mut each: impl FnMut(T) -> Result<()> + Send,
    ) -> Result<()> {
        let mut page = Page { limit: PAGE, after: None, before: None };
        loop {
            let rows = self.store.documents(tenant, T::KIND, filter, &page).await?;
            for row in &rows {
                each(row.read()?)?;
            }
            match rows.last().filter(|_| rows.len() == PAGE) {
                Some(last) => page.after = Some(last.id.clone()),
                None => return Ok(()),
            }
        }
    }

    /// Every document that fits, in memory: for kinds of which a merchant has few.
    pub async fn all_documents<T: Document>(
        &self,
        tenant: MerchantId,
        filter: &DocumentFilter,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.each_document(tenant, filter, |document| {
            all.push(document);
            Ok(())
        })
        .await?;
        Ok(all)
    }

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
