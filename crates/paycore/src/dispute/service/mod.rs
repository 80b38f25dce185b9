//! Operations on disputes.
//!
//! A dispute is opened by the channel's notification where it has one, and by hand where it has none; it is decided in the
//! same two ways. Each step writes the order's row with the dispute, so that refunds and chargebacks at once never exceed
//! what was captured.

mod files;
mod report;
mod steps;

pub use files::{
    AddEvidence, EvidenceById, EvidenceContent, EvidenceView, add_evidence, list_evidence, retrieve_evidence,
};
pub(crate) use report::{News, report};
pub(crate) use steps::due;
pub use steps::{
    DecideDispute, DisputeById, ListDisputes, OpenDispute, Outcome, SubmitDispute, accept, decide, list,
    open, retrieve, submit,
};
