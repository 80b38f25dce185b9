//! What a channel said, in paycore's own words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::time::Timestamp;

/// A definite answer of the channel, with what it said about the money.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What the channel decided.
    pub verdict: Verdict,
    /// The channel's own id of what was asked about: the payment, refund, share, transfer,
    /// mandate or payer.
    pub channel_id: Option<String>,
    /// The amount as the channel names it. Where present it must equal what we asked for.
    pub money: Option<Money>,
    /// When the money moved, by the channel's clock.
    pub at: Option<Timestamp>,
    /// What became of each receiver's share, of a share with several.
    pub shares: Vec<ShareOutcome>,
}

/// What became of one receiver's share.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareOutcome {
    /// The receiver's account.
    pub account: String,
    /// How much.
    pub money: Money,
    /// Where it stands.
    pub verdict: Verdict,
}

impl Outcome {
    /// An outcome of which only the verdict is known.
    pub fn new(verdict: Verdict) -> Self {
        Outcome { verdict, channel_id: None, money: None, at: None, shares: Vec::new() }
    }

    /// Adds the channel's own id.
    #[must_use]
    pub fn channel_id(mut self, id: impl Into<String>) -> Self {
        self.channel_id = Some(id.into());
        self
    }

    /// Adds the amount the channel named.
    #[must_use]
    pub fn money(mut self, money: Money) -> Self {
        self.money = Some(money);
        self
    }

    /// Adds the instant the channel named.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }
}

/// What the channel decided.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// The money is taken (or, for a refund, given back; for a mandate, it is active).
    Succeeded,
    /// The money is reserved and waits for a capture.
    Authorized,
    /// A definite no; no money moved and none will under this reference.
    Declined(Decline),
    /// The payer has something to do.
    Awaiting(Action),
    /// The channel works on it.
    Pending,
    /// Closed or voided at the channel: it can no longer be paid.
    Closed,
    /// The channel does not know the reference. Not yet a proof that nothing will happen: a request may still
    /// be on its way, and the same reference may be sent again.
    Absent,
}

/// A definite no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decline {
    /// Our class of reasons, stable over channels.
    pub reason: DeclineReason,
    /// The channel's own code.
    pub code: String,
    /// The channel's own text.
    pub message: String,
}

/// Our class of decline reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeclineReason {
    /// Not enough money.
    InsufficientFunds,
    /// The payer gave up.
    Cancelled,
    /// Too late.
    Expired,
    /// A limit of the payer, the merchant or the channel.
    Limit,
    /// The channel's risk control.
    Risk,
    /// Something in the request is not acceptable to the channel.
    InvalidRequest,
    /// The merchant's contract does not cover this.
    NotPermitted,
    /// A definite no without a class.
    Generic,
}

/// What the payer has to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Send the payer's browser to this address.
    Redirect {
        /// An absolute https address (http only in a sandbox).
        url: String,
    },
    /// Let the payer's browser post this form.
    Form {
        /// Where to post it.
        url: String,
        /// Name and value of each field, in order.
        fields: Vec<(String, String)>,
    },
    /// Hand these parameters to the wallet's own client library: in its browser, mini program or app.
    Client {
        /// Name and value of each parameter, in order.
        parameters: Vec<(String, String)>,
    },
    /// Show this text as a QR code.
    Qr {
        /// The content of the QR code.
        content: String,
    },
}
