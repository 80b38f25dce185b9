//! Notifications from a channel.

use bytes::Bytes;

use crate::channel::Outcome;

/// A notification exactly as it arrived: method, path and query, headers, body bytes.
pub type Notice = http::Request<Bytes>;

/// A notification that was verified and read.
#[derive(Debug)]
pub struct Verified {
    /// What it says. The engine binds each report to an attempt or refund of the same account, amount and
    /// currency before believing it.
    pub reports: Vec<Report>,
    /// Sent to the channel only after the commit.
    pub reply: http::Response<Bytes>,
}

/// One statement about a payment or refund.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What it is about.
    pub subject: Subject,
    /// Our reference of it.
    pub reference: String,
    /// What the channel says.
    pub outcome: Outcome,
}

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An attempt.
    Payment,
    /// A refund.
    Refund,
    /// A transfer.
    Transfer,
    /// A share.
    Share,
    /// The return of a share.
    ShareReturn,
}
