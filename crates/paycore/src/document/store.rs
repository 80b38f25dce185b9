//! What documents are read by.

use async_trait::async_trait;

use super::Record;
use crate::id::MerchantId;
use crate::store::{Page, Read};
use crate::time::Timestamp;

/// Which documents of a kind to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentFilter {
    /// Only those that belong to this.
    pub parent: Option<String>,
    /// Only those that stand here.
    pub status: Option<String>,
    /// Only those whose instant has come by then.
    pub until: Option<Timestamp>,
}

impl DocumentFilter {
    /// Those that belong to an object.
    pub fn of(parent: impl ToString) -> Self {
        DocumentFilter { parent: Some(parent.to_string()), ..DocumentFilter::default() }
    }

    /// Those in a state.
    pub fn status(status: &str) -> Self {
        DocumentFilter { status: Some(status.to_owned()), ..DocumentFilter::default() }
    }
}

/// Reads of documents.
#[async_trait]
pub trait Documents {
    /// One document.
    async fn document(&self, tenant: MerchantId, kind: &str, id: &str) -> Read<Option<Record>>;
    /// The document of a kind with this number.
    async fn document_by_number(&self, tenant: MerchantId, kind: &str, number: &str) -> Read<Option<Record>>;
    /// Documents of a kind, newest first.
    async fn documents(
        &self,
        tenant: MerchantId,
        kind: &str,
        filter: &DocumentFilter,
        page: &Page,
    ) -> Read<Vec<Record>>;
}
