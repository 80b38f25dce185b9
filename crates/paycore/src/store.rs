//! What the engine asks of a store: one read trait per slice, changes as data, and one commit that is all or
//! nothing.

use async_trait::async_trait;

use crate::account::{ChannelAccount, ChannelAccounts};
use crate::audit::{Audit, Audits};
use crate::document::{Documents, Record};
use crate::epay::{EpayKey, EpayKeys};
use crate::event::{Event, Events};
use crate::exception::{Exception, Exceptions};
use crate::id::MerchantId;
use crate::idempotency::{Claim, Idempotency};
use crate::ledger::{AccountTerms, Books, Ledger, Transaction};
use crate::link::{Link, Links};
use crate::merchant::{ApiKey, ApiKeys, Merchant, Merchants};
use crate::order::{Attempt, Order, Orders};
use crate::refund::{Refund, Refunds};
use crate::sandbox::{SandboxRecord, Sandboxes};
use crate::time::Timestamp;
use crate::webhook::{Delivery, Endpoint, Webhooks};

/// Everything one step of one merchant writes. It stands or falls together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// The idempotency key it takes or answers.
    pub claim: Option<Claim>,
    /// Objects, each carrying the version that was read (0 for a new one); the store writes version + 1.
    pub puts: Vec<Put>,
    /// Journals; the store refuses the commit unless each is balanced and folds them into the balances.
    pub transactions: Vec<Transaction>,
    /// Events; the store gives each its position in order of commit.
    pub events: Vec<Event>,
    /// Rows of the audit trail.
    pub audit: Vec<Audit>,
}

/// One object to write. What identifies an object never changes (an order's number, an attempt's order, account and
/// reference, a refund's numbers, a key's hash or pid …): a change that names another is stale. A merchant is written under
/// its own tenant only. No text may hold a NUL character.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each variant is the object of the same name")]
#[expect(clippy::large_enum_variant, reason = "short-lived, moved once into the store")]
pub enum Put {
    Order(Order),
    Attempt(Attempt),
    Refund(Refund),
    Merchant(Merchant),
    ApiKey(ApiKey),
    EpayKey(EpayKey),
    ChannelAccount(ChannelAccount),
    Endpoint(Endpoint),
    Delivery(Delivery),
    Exception(Exception),
    Link(Link),
    Document(Record),
    /// What a merchant's account may do. Its version is the balance's.
    AccountTerms(AccountTerms),
    /// Until when the merchant's books are closed.
    Books(Books),
    /// Marks an event's deliveries as made: sets its `due_at` to zero. Stale where it is zero already, so that a
    /// worker that comes late does not make them twice.
    EventDispatched(crate::id::EventId),
    /// A record of a simulator: inserted or replaced whatever is there.
    Sandbox(SandboxRecord),
    /// Moves every `due_at` of this merchant's rows earlier by this many microseconds (test clock). Rows whose
    /// `due_at` is zero stay.
    HastenDue(i64),
}

impl Changes {
    /// No changes yet.
    pub fn new() -> Self {
        Changes::default()
    }

    /// Adds an object.
    pub fn put(&mut self, put: Put) -> &mut Self {
        self.puts.push(put);
        self
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.claim.is_none()
            && self.puts.is_empty()
            && self.transactions.is_empty()
            && self.events.is_empty()
            && self.audit.is_empty()
    }
}

/// Why a commit wrote nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The idempotency key is taken (or, for `Claim::Close`, is not open).
    #[error("the idempotency key is taken")]
    Claimed,
    /// An object changed since it was read. Read again, decide again.
    #[error("an object changed since it was read")]
    Stale,
    /// A uniqueness rule: the merchant's order number, a reference, an id.
    #[error("a value that must be unique is taken: {0}")]
    Duplicate(&'static str),
    /// An account would fall below its floor.
    #[error("an account would fall below its floor")]
    Floor,
    /// Money would leave an account that is frozen.
    #[error("an account is frozen")]
    Frozen,
    /// A booking would count for an instant for which the books are closed.
    #[error("the books are closed for this date")]
    Closed,
    /// The rows would break a rule that the schema itself enforces, such as refunded + refunding <= captured, or
    /// a journal that does not balance. A bug or an attack; nothing was written.
    #[error("the changes break a rule of the store: {0}")]
    Broken(String),
    /// The store could not write, or it is not known whether it did. Read before trying again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store cannot answer now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store cannot answer: {0}")]
pub struct StoreError(pub String);

/// The result of a read.
pub type Read<T> = Result<T, StoreError>;

/// Which part of a list: `limit` rows in descending order of id (newest first), strictly older than `after` or
/// strictly newer than `before` (ids as text). With `before`, the rows nearest to it are taken, still listed
/// newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most this many rows.
    pub limit: usize,
    /// Only rows listed after this id.
    pub after: Option<String>,
    /// Only rows listed before this id.
    pub before: Option<String>,
}

/// The queues of the workers. A row waits in a queue while its `due_at` is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Orders to expire or to finish closing.
    Orders,
    /// Attempts to query.
    Attempts,
    /// Refunds to query.
    Refunds,
    /// Events whose deliveries are to be made.
    Events,
    /// Deliveries to send.
    Deliveries,
    /// Documents whose time has come.
    Documents,
}

impl Queue {
    /// Every queue.
    pub const ALL: &'static [Queue] =
        &[Queue::Orders, Queue::Attempts, Queue::Refunds, Queue::Events, Queue::Deliveries, Queue::Documents];
}

/// A row taken from a queue: whose it is and its id as text.
pub type Due = (MerchantId, String);

/// A store. Every read names its tenant; the few that cannot (a key's hash, the queues) say so.
#[async_trait]
pub trait Store:
    Orders
    + Refunds
    + Ledger
    + Events
    + Merchants
    + ApiKeys
    + EpayKeys
    + ChannelAccounts
    + Webhooks
    + Links
    + Documents
    + Exceptions
    + Audits
    + Idempotency
    + Sandboxes
    + Send
    + Sync
    + 'static
{
    /// Writes all of it or nothing, durably, in one transaction.
    async fn commit(&self, tenant: MerchantId, changes: Changes) -> Result<(), CommitError>;

    /// Takes rows whose `due_at` has come, oldest first, over all merchants, and moves their `due_at` to
    /// `until`, so that no other worker takes them before. The row's version does not change: a worker that
    /// comes back too late fails on the version instead of overwriting.
    async fn take_due(&self, queue: Queue, now: Timestamp, until: Timestamp, limit: usize) -> Read<Vec<Due>>;

    /// How many rows of a queue are due and how long the oldest has waited past `now` (microseconds).
    async fn backlog(&self, queue: Queue, now: Timestamp) -> Read<Backlog>;

    /// What an operator keeps an eye on, over all merchants.
    async fn trouble(&self) -> Read<Trouble>;

    /// Whether a write would succeed now: the store is reachable, writable and at the expected schema.
    async fn ready(&self) -> Read<()>;
}

/// What is not settled and may need a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Attempts and refunds whose outcome is not known.
    pub unknown: i64,
    /// When the oldest of them was made.
    pub unknown_since: Option<Timestamp>,
    /// Exceptions that nobody has resolved.
    pub exceptions: i64,
}

/// The state of a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Rows that are due.
    pub due: i64,
    /// Microseconds the oldest of them has waited.
    pub oldest_wait: i64,
}
