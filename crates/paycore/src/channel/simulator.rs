//! The other end of the wire. A simulator plays the provider: it checks our signatures, answers signed, sends
//! signed notifications on the provider's schedule and writes statement files. It is as pure as the adapter and
//! shares no signing or parsing code with it, so that a mistake in one shows against the other.

use bytes::Bytes;

use crate::channel::Settings;
use crate::crypto::{KeyError, Keyring};
use crate::time::{Rng, Timestamp};

/// Makes simulators of one kind and the settings that point a channel account at them.
pub trait Maker: Send + Sync {
    /// Fresh sandbox settings for one merchant: `ours` goes into the merchant's channel account, `theirs` is the
    /// provider's side (its private key, our public key). `base_url` is where the simulator is reached, without
    /// a trailing slash.
    fn provision(&self, base_url: &str, keyring: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError>;

    /// Opens the provider's side with its settings and whatever [`Simulator::changed`] reported before.
    fn open(&self, theirs: &Settings, keyring: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError>;
}

/// Settings for both ends of a sandbox wire.
#[derive(Debug)]
pub struct Provision {
    /// For the channel account.
    pub ours: Settings,
    /// For the simulator.
    pub theirs: Settings,
}

/// One merchant's simulated provider.
pub trait Simulator: Send {
    /// Answers one request, of the API or of a payer's browser. The path is relative to the base URL.
    fn handle(&mut self, request: &http::Request<Bytes>, now: Timestamp) -> Answer;

    /// What the wallet's own client does with the parameters it is handed. `None` where the provider knows of the payment
    /// already; an answer where all of it stands in the parameters and begins only now.
    fn client(&mut self, _parameters: &[(String, String)], _now: Timestamp) -> Option<Answer> {
        None
    }

    /// Notifications that are due: each is to be sent, and its response handed back by [`Simulator::notified`].
    fn due(&mut self, now: Timestamp) -> Vec<Notification>;

    /// When [`Simulator::due`] next has something, if ever.
    fn next_due(&self) -> Option<Timestamp>;

    /// How our side answered a notification (None: not reached). Not acknowledged means sent again on schedule.
    fn notified(&mut self, id: u64, response: Option<&http::Response<Bytes>>, now: Timestamp);

    /// Records changed since the last call, key and JSON text, to be kept by the shell over restarts.
    fn changed(&mut self) -> Vec<(String, String)>;

    /// Puts a kept record back. Called for every record before the first request.
    fn restore(&mut self, key: &str, value: &str);

    /// Every payment the provider took and every refund it gave: the channel's truth, for checks.
    fn book(&self) -> Vec<BookLine>;

    /// The statement file of everything that moved at or after `from` and before `until`, as the channel's own
    /// [`parse`](crate::channel::Channel::parse) reads it; `None` where the provider writes none.
    fn statement(&mut self, _from: Timestamp, _until: Timestamp) -> Option<Bytes> {
        None
    }
}

/// How a simulator answers.
#[derive(Debug)]
pub enum Answer {
    /// A response.
    Reply(http::Response<Bytes>),
    /// No response: the connection is to time out or be cut, although the request may have had its effect.
    Silence,
}

/// One notification on its way.
#[derive(Debug, Clone)]
pub struct Notification {
    /// For [`Simulator::notified`].
    pub id: u64,
    /// Complete, with an absolute URI (the merchant's notify URL).
    pub request: http::Request<Bytes>,
}

/// One line of the provider's own book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookLine {
    /// Our reference of the attempt.
    pub reference: String,
    /// Our reference of the refund, for refunds.
    pub refund: Option<String>,
    /// Positive, in minor units.
    pub money: crate::money::Money,
    /// When it happened.
    pub at: Timestamp,
}
