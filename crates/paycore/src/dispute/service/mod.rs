//! Operations on disputes.
//!
//! A dispute is opened by the channel's notification where it has one, and by hand where it has none; it is decided in the
//! same two ways. Each step writes the order's row with the dispute, so that refunds and chargebacks at once never exceed
//! what was captured.

mod files;
mod steps;

pub use files::{AddEvidence, EvidenceById, EvidenceContent, EvidenceView, add_evidence, list_evidence, retrieve_evidence};
pub use steps::{
    DecideDispute, DisputeById, ListDisputes, OpenDispute, Outcome, SubmitDispute, accept, decide, list, open,
    retrieve, submit,
};
pub(crate) use steps::{due, report};
