//! One HTTP exchange with a channel, as values.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::channel::Outcome;
use crate::secret::Secret;

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Send this and hand the reply to `decode`.
    Send(Box<Call>),
    /// Finished.
    Done(Outcome),
    /// The statement file as the channel keeps it, checked against what the channel said of it: what
    /// [`Channel::parse`](crate::channel::Channel::parse) reads.
    File(Bytes),
}

impl Step {
    /// A call as the next step.
    pub fn send(call: Call) -> Self {
        Step::Send(Box::new(call))
    }
}

/// Which call of an operation a reply belongs to, for operations of several calls. The first is 0.
pub type Stage = u8;

/// A request to send.
#[derive(Debug)]
pub struct Call {
    /// Handed back to `decode` with the reply.
    pub stage: Stage,
    /// Complete, with an absolute URI.
    pub request: http::Request<Bytes>,
    /// For the whole exchange, connect to last byte.
    pub timeout: Duration,
    /// Whether money can move because of it.
    pub effect: Effect,
    /// What our end of the connection shows of itself, where the channel asks for a client certificate.
    pub identity: Option<Identity>,
}

/// What an operation of several calls has to know again when a reply comes, such as the hash of a file that is being
/// fetched. The channel puts it into the extensions of the request; whoever sends the call puts it into those of the
/// reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memo(pub String);

impl Memo {
    /// Hands the memo of a request, if it has one, on to its reply.
    pub fn hand_on(memo: Option<Memo>, reply: &mut Reply) {
        if let Some(memo) = memo {
            reply.extensions_mut().insert(memo);
        }
    }
}

/// A client certificate with its private key.
#[derive(Clone)]
pub struct Identity(Arc<Secret>);

impl Identity {
    /// From the certificate chain and the private key, each as PEM, one after the other.
    pub fn new(pem: Secret) -> Self {
        Identity(Arc::new(pem))
    }

    /// The certificate chain and the private key, as PEM.
    pub fn pem(&self) -> &Secret {
        &self.0
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(…)")
    }
}

/// Whether a call can move money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A query or a token: free to repeat.
    None,
    /// Money may move: when the reply is lost, the outcome is unknown.
    Money,
}

/// A reply as received, its body complete.
pub type Reply = http::Response<Bytes>;
