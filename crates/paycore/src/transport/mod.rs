//! The only place that speaks to the network: one trait, and the loop that carries an operation through it.

#[cfg(feature = "reqwest")]
pub mod guard;
#[cfg(feature = "reqwest")]
pub mod reqwest;
pub(crate) mod sandbox;
#[cfg(feature = "native-crypto")]
pub mod system;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::channel::{Channel, Context, Fault, Memo, Operation, Outcome, Reply, Step, Verb};

/// Sends one request and waits for the whole reply. It never retries, never follows redirects and never judges a
/// status: that is the channel's business.
#[async_trait]
pub trait Transport: Send + Sync {
    /// One exchange, over when the body is complete or `timeout` has passed since the call.
    async fn send(&self, request: http::Request<Bytes>, timeout: Duration) -> Result<Reply, TransportError>;
}

/// No usable reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Nothing was sent: the connection could not be made.
    #[error("could not connect")]
    Connect,
    /// The deadline passed.
    #[error("no complete reply in time")]
    Timeout,
    /// The connection broke, or the reply was not HTTP or too large.
    #[error("the exchange broke: {0}")]
    Broken(String),
    /// The address is not one that may be called (a private network, a wrong scheme).
    #[error("the address may not be called: {0}")]
    Forbidden(String),
}

/// The largest body of a reply, as an extension of the request; without it the transport's own limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyLimit(pub usize);

/// The largest statement file: some million lines as the channels pack them.
const STATEMENT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// More calls than any operation of any channel needs; a channel that exceeds it is broken.
const STAGES_MAX: usize = 8;

/// Carries an operation from its first step to an outcome.
pub async fn exchange(
    channel: &dyn Channel,
    transport: &dyn Transport,
    operation: &Operation,
    first: Step,
    cx: &Context<'_>,
) -> Result<Outcome, Fault> {
    match carry(channel, transport, operation, first, cx).await? {
        Ending::Outcome(outcome) => Ok(outcome),
        Ending::File(_) => Err(Fault::Unexpected("the channel answers with a file".into())),
    }
}

/// Carries the fetching of a statement from its first step to the file.
pub async fn fetch(
    channel: &dyn Channel,
    transport: &dyn Transport,
    operation: &Operation,
    first: Step,
    cx: &Context<'_>,
) -> Result<Bytes, Fault> {
    match carry(channel, transport, operation, first, cx).await? {
        Ending::File(file) => Ok(file),
        Ending::Outcome(outcome) => Err(Fault::Unexpected(format!("no file, but {:?}", outcome.verdict))),
    }
}

/// How an operation ends.
enum Ending {
    Outcome(Outcome),
    File(Bytes),
}

async fn carry(
    channel: &dyn Channel,
    transport: &dyn Transport,
    operation: &Operation,
    first: Step,
    cx: &Context<'_>,
) -> Result<Ending, Fault> {
    let mut step = first;
    for _ in 0..STAGES_MAX {
        let mut call = match step {
            Step::Done(outcome) => return Ok(Ending::Outcome(outcome)),
            Step::File(file) => return Ok(Ending::File(file)),
            Step::Send(call) => *call,
        };
        if let Some(identity) = call.identity {
            call.request.extensions_mut().insert(identity);
        }
        if operation.verb() == Verb::Statement {
            call.request.extensions_mut().insert(ReplyLimit(STATEMENT_BYTES_MAX));
        }
        let memo = call.request.extensions().get::<Memo>().cloned();
        let mut reply = transport
            .send(call.request, call.timeout)
            .await
            .map_err(|error| Fault::Transport(error.to_string()))?;
        Memo::hand_on(memo, &mut reply);
        step = channel.decode(operation, call.stage, &reply, cx)?;
    }
    Err(Fault::Unexpected("the channel asks for more calls than an operation may take".into()))
}
