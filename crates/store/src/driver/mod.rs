//! The engines: connect, read, write batches, and turn errors into the store's words. No slice is known here.

pub(crate) mod postgres;
pub(crate) mod sqlite;
