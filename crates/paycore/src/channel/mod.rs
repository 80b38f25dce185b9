//! The channel contract. A channel turns an operation into an HTTP request *value* and an HTTP response *value*
//! into an outcome. It does no IO: time, randomness and keys are arguments, so the same code runs in a server,
//! in a simulation, behind a C ABI and in a browser.
//!
//! Three words of failure, three types: a [`Refusal`] means nothing was sent; [`Verdict::Declined`] is a definite
//! no; a [`Fault`] means something was sent and the answer is not understood, so that after a call with
//! [`Effect::Money`] the outcome is *unknown* and the only next step is a query.

pub mod barcode;
mod call;
pub mod card;
mod fault;
mod notice;
mod operation;
mod outcome;
mod profile;
mod settings;
pub mod simulator;
mod statement;

use std::io::BufRead;
use std::sync::Arc;

pub use call::{Call, Effect, Identity, Memo, Reply, Stage, Step};
pub use card::{Card, CardFace, Expiry, Initiator};
pub use fault::{Fault, Refusal};
pub use notice::{Case, DisputeReason, Notice, Report, Subject, Verified};
pub use operation::{
    AccountKind, Capture, CaptureMode, Close, Device, Identify, Operation, Part, Pay, Payer, Payment, Query,
    QueryMandate, QueryRefund, QueryReturn, QueryShare, QueryTransfer, Receiver, Refund, Release,
    ReturnShare, RevokeMandate, Share, SignIn, SignMandate, SigningScene, Statement, StatementKind, Transfer,
    Verb, Void,
};
pub use outcome::{Action, Decline, DeclineReason, Outcome, ShareOutcome, Verdict};
pub use profile::{Capability, Currencies, Field, FieldKind, Method, MethodError, Profile, References};
pub use settings::{Settings, SettingsError};
pub use statement::{Line, LineKind, Totals};

use crate::crypto::Keyring;
use crate::time::{Rng, Timestamp};

/// A kind of channel: what it can do and how to open one merchant's account with it.
pub trait Driver: Send + Sync + 'static {
    /// What the channel is and can do, as data.
    fn profile(&self) -> &'static Profile;

    /// Reads the settings of one channel account and its keys once, so that no call parses them again.
    /// The error names the field at fault.
    fn open(&self, settings: &Settings, keyring: &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError>;

    /// Whether no real money moves through it, so that live merchants may not use it.
    fn sandbox_only(&self) -> bool {
        false
    }

    /// Whether the channel notifies of payments of this kind. Those of the others are found out by queries.
    fn notifies(&self, _capability: &Capability) -> bool {
        true
    }

    /// Whether its replies carry a signature. Where they do not, nothing but the connection protects them.
    fn signs_replies(&self) -> bool {
        true
    }

    /// The number by which the provider knows a refund of ours: our reference itself, unless its numbers are too
    /// short for that. Statements and books name this one.
    fn refund_number(&self, reference: &str) -> String {
        reference.to_owned()
    }

    /// The other end of the wire, for the sandbox, the tests and the simulation.
    fn simulator(&self) -> Option<&'static dyn simulator::Maker> {
        None
    }
}

/// One merchant's account with a channel, ready to translate.
pub trait Channel: Send + Sync + 'static {
    /// What the channel is and can do.
    fn profile(&self) -> &'static Profile;

    /// Turns an operation into its first call, or straight into an outcome where no HTTP is needed (signed
    /// redirects, app parameters).
    fn encode(&self, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal>;

    /// Turns the reply to the call of `stage` into the next step.
    fn decode(
        &self,
        operation: &Operation,
        stage: Stage,
        reply: &Reply,
        cx: &Context<'_>,
    ) -> Result<Step, Fault>;

    /// Checks and reads a notification. A channel that cannot verify returns [`Fault::Unsupported`] and is
    /// queried instead.
    fn verify(&self, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault>;

    /// Whether what a notification says counts only after a query has said it too.
    fn confirms(&self) -> bool {
        false
    }

    /// The answer to a notification that was refused, in the channel's own format.
    fn reject(&self) -> http::Response<bytes::Bytes>;

    /// Reads a statement file as a stream of canonical lines.
    fn parse(&self, statement: &mut dyn BufRead, each: &mut dyn FnMut(Line)) -> Result<Totals, Fault>;
}

/// What a translation may depend on besides the operation and the settings.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The instant of the call.
    pub now: Timestamp,
    /// For nonces.
    pub rng: &'a dyn Rng,
    /// Where the channel sends its notifications for this account.
    pub notify_url: &'a str,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("now", &self.now).field("notify_url", &self.notify_url).finish()
    }
}
