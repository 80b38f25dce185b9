//! The audit trail: who did what to which object, and what was refused.

#[cfg(feature = "engine")]
mod store;

#[cfg(feature = "engine")]
pub use store::Audits;

use crate::id::AuditId;
use crate::time::Timestamp;

/// One row of the trail. Rows are only ever added.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// Its id.
    pub id: AuditId,
    /// Who: an API key id, a worker's name, or `channel:alipay`.
    pub actor: String,
    /// What, such as `orders.close` or `notice.refused`.
    pub action: String,
    /// To which object, where there is one.
    pub object_id: Option<String>,
    /// More, without secrets and without what an unauthenticated party sent.
    pub detail: String,
    /// When.
    pub created_at: Timestamp,
}
