//! What exceptions read from a store.

use async_trait::async_trait;

use super::{Exception, ExceptionKind};
use crate::id::{ExceptionId, MerchantId};
use crate::store::{Page, Read};

/// Reads of exceptions.
#[async_trait]
pub trait Exceptions {
    /// One exception.
    async fn exception(&self, tenant: MerchantId, id: ExceptionId) -> Read<Option<Exception>>;
    /// The open exception of this kind about this object, if there is one.
    async fn open_exception(
        &self,
        tenant: MerchantId,
        kind: ExceptionKind,
        object_id: &str,
    ) -> Read<Option<Exception>>;
    /// Exceptions, newest first; only the open ones where `open` is set.
    async fn exceptions(&self, tenant: MerchantId, open: bool, page: &Page) -> Read<Vec<Exception>>;
}
