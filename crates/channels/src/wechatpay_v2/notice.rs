//! Nothing is notified: a face is charged or refused at once, refunds and red packets are queried.

use paycore::channel::{Context, Fault, Notice, Verified};

/// Whatever comes is no notification.
pub(super) fn verify(_: &Notice, _: &Context<'_>) -> Result<Verified, Fault> {
    Err(Fault::Unsupported)
}
