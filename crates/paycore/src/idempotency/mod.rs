//! Idempotency: the same key and the same request give the same answer, byte for byte, and one effect.

#[cfg(feature = "engine")]
mod store;

#[cfg(feature = "engine")]
pub use store::Idempotency;

use crate::time::Timestamp;

/// What is remembered of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The `Idempotency-Key`, 1 to 255 printable ASCII characters, unique per merchant.
    pub key: String,
    /// The operation, such as `orders.create`.
    pub operation: String,
    /// Hex SHA-256 over operation and input.
    pub request_hash: String,
    /// The object the request made or changed, so that an interrupted request can be answered from it.
    pub object_id: String,
    /// The answer; none while the request is running.
    pub answer: Option<Answer>,
    /// When the key was first seen.
    pub created_at: Timestamp,
}

/// A remembered answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body's bytes as they were sent.
    pub body: String,
}

/// What one commit does to a key. Keys are remembered for 30 days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Takes the key; the whole commit fails with `Claimed` if anybody has it.
    Open(Record),
    /// Gives the answer to a key that is open.
    Close {
        /// The key.
        key: String,
        /// The answer.
        answer: Answer,
    },
}
