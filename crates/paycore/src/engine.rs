//! The engine: a store, a transport, the channels, a clock, an RNG and keys, wired for the slices' services.
//! It decides nothing itself.

mod builder;
mod cache;
mod caller;
mod work;

use std::sync::Arc;

use serde::Serialize;

pub use builder::{BuildError, EngineBuilder};
pub use caller::{Caller, ClaimKey};
pub use work::Worked;

use crate::account::ChannelAccount;
use crate::audit::Audit;
use crate::channel::{
    Channel, Context, Driver, Fault, Operation, Outcome, Query, Refusal, Settings, Step, Verb,
};
use crate::crypto::{Keyring, Vault};
use crate::currency::Currency;
use crate::document::DocumentFilter;
use crate::error::{Code, Error, Result};
use crate::event::{Booking, Event, EventKind};
use crate::exception::{Exception, ExceptionKind};
use crate::fee::Schedule;
use crate::id::{AuditId, ChannelAccountId, EventId, ExceptionId, LinkId, MerchantId};
use crate::ledger::posting::Templates;
use crate::merchant::Merchant;
use crate::order::input::Moment;
use crate::order::{ClientSecret, Order, OrderPage, OrderView};
use crate::refund::Refund;
use crate::sandbox::service::Hub;
use crate::secret::Secret;
use crate::settlement::export::Exporter;
use crate::settlement::{Plan, Terms};
use crate::store::{Changes, CommitError, Put, StoreError};
use crate::time::{Clock, Rng, Timestamp};
use crate::transport::sandbox::WithSandbox;
use crate::transport::{Transport, exchange};
use crate::vault::Cvcs;
use crate::verify::Verifiable;

use cache::Cache;

/// Everything the services need. Cheap to share behind an `Arc`.
pub struct Engine {
    pub(crate) store: Arc<dyn Verifiable>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) outbound: Arc<dyn Transport>,
    pub(crate) drivers: Vec<&'static dyn Driver>,
    pub(crate) keyring: Arc<dyn Keyring>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) templates: Templates,
    pub(crate) public_url: String,
    pub(crate) hub: Hub,
    merchants: Cache<MerchantId, Merchant>,
    accounts: Cache<MerchantId, Vec<OpenAccount>>,
    schedules: Cache<MerchantId, Vec<Schedule>>,
    settlement_terms: Cache<MerchantId, Vec<(Currency, Terms)>>,
    pub(crate) exporter: Option<Arc<dyn Exporter>>,
    pub(crate) cvcs: Cvcs,
}

/// A channel account whose settings are read and whose keys are open.
#[derive(Clone)]
pub struct OpenAccount {
    /// The row.
    pub account: Arc<ChannelAccount>,
    /// Ready to translate; none where the settings are no longer valid.
    pub channel: Option<Arc<dyn Channel>>,
    /// Where the channel sends its notifications.
    pub notify_url: Arc<str>,
}

impl OpenAccount {
    /// Whether what the channel's notifications say has to be confirmed by a query.
    pub(crate) fn confirms(&self) -> bool {
        self.channel.as_ref().is_some_and(|channel| channel.confirms())
    }

    /// The operation, or a query in the place of a close where the channel cannot close such a payment: what it then says
    /// of a payment that is over, or that it does not know, ends it all the same.
    pub(crate) fn fitting(&self, operation: Operation) -> Operation {
        let Operation::Close(close) = &operation else { return operation };
        let payment = &close.payment;
        let profile = self.channel.as_ref().map(|channel| channel.profile());
        let row = profile.and_then(|profile| profile.capability(&payment.method, payment.money.currency()));
        match row {
            Some(row) if !row.verbs.contains(&Verb::Close) => {
                Operation::Query(Query { payment: payment.clone() })
            }
            _ => operation,
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts wiring an engine.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// The store, for reads that no service offers.
    pub fn store(&self) -> &dyn Verifiable {
        &*self.store
    }

    /// The channels of this build.
    pub fn drivers(&self) -> &[&'static dyn Driver] {
        &self.drivers
    }

    /// The simulated providers.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// The wall clock.
    pub fn wall(&self) -> Timestamp {
        self.clock.now()
    }

    /// The instant in the merchant's time and on the wall.
    pub fn moment(&self, merchant: &Merchant) -> Moment {
        let wall = self.clock.now();
        Moment { now: Timestamp::from_micros(wall.micros() + merchant.clock_offset), wall }
    }

    /// A merchant, at most two seconds old.
    pub(crate) async fn merchant(&self, id: MerchantId) -> Result<Arc<Merchant>> {
        if let Some(merchant) = self.merchants.fresh(&id, self.wall()) {
            return Ok(merchant);
        }
        let merchant = self.store.merchant(id).await?.ok_or_else(|| Error::not_found("merchant", id))?;
        Ok(self.merchants.keep(id, merchant, self.wall()))
    }

    /// Forgets what is cached about a merchant, after changing it here.
    pub(crate) fn forget(&self, id: MerchantId) {
        self.merchants.forget(&id);
        self.accounts.forget(&id);
        self.schedules.forget(&id);
        self.settlement_terms.forget(&id);
    }

    /// The merchant's channel accounts, open, by priority; at most two seconds old.
    pub(crate) async fn accounts(&self, tenant: MerchantId) -> Result<Arc<Vec<OpenAccount>>> {
        if let Some(accounts) = self.accounts.fresh(&tenant, self.wall()) {
            return Ok(accounts);
        }
        let rows = self.store.channel_accounts(tenant).await?;
        let before = self.accounts.last(&tenant);
        let before = before.as_deref().map_or(&[][..], Vec::as_slice);
        // Opening reads keys, which is dear, so what was open with the same settings stays so.
        let kept = |row: &ChannelAccount| {
            let this = (row.id, &row.channel, &row.sealed_settings);
            let same = |old: &ChannelAccount| (old.id, &old.channel, &old.sealed_settings) == this;
            before.iter().find(|open| open.channel.is_some() && same(&open.account)).cloned()
        };
        let open = rows.into_iter().map(|row| match kept(&row) {
            Some(open) => OpenAccount { account: Arc::new(row), ..open },
            None => self.open_account(tenant, row),
        });
        let open = open.collect();
        Ok(self.accounts.keep(tenant, open, self.wall()))
    }

    /// The merchant's fee schedules; at most two seconds old.
    pub(crate) async fn schedules(&self, tenant: MerchantId) -> Result<Arc<Vec<Schedule>>> {
        if let Some(schedules) = self.schedules.fresh(&tenant, self.wall()) {
            return Ok(schedules);
        }
        let rows = self.all_documents(tenant, &DocumentFilter::default()).await?;
        Ok(self.schedules.keep(tenant, rows, self.wall()))
    }

    /// How the merchant's money is settled, by currency; at most two seconds old.
    pub(crate) async fn settlement_terms(&self, tenant: MerchantId) -> Result<Arc<Vec<(Currency, Terms)>>> {
        if let Some(terms) = self.settlement_terms.fresh(&tenant, self.wall()) {
            return Ok(terms);
        }
        let plans: Vec<Plan> = self.all_documents(tenant, &DocumentFilter::default()).await?;
        let terms = plans.into_iter().map(|plan| (plan.currency, plan.terms)).collect();
        Ok(self.settlement_terms.keep(tenant, terms, self.wall()))
    }

    fn open_account(&self, tenant: MerchantId, row: ChannelAccount) -> OpenAccount {
        let channel = self
            .open_settings(tenant, row.id, &row.sealed_settings)
            .ok()
            .and_then(|settings| self.driver(&row.channel)?.open(&settings, &*self.keyring).ok());
        OpenAccount { notify_url: self.notify_url(row.id).into(), account: Arc::new(row), channel }
    }

    /// The account with this id.
    pub(crate) async fn account(&self, tenant: MerchantId, id: ChannelAccountId) -> Result<OpenAccount> {
        let accounts = self.accounts(tenant).await?;
        let found = accounts.iter().find(|open| open.account.id == id).cloned();
        found.ok_or_else(|| Error::not_found("channel account", id))
    }

    pub(crate) fn driver(&self, channel: &str) -> Option<&'static dyn Driver> {
        self.drivers.iter().copied().find(|driver| driver.profile().id == channel)
    }

    /// Opens sealed settings of an account. The binding makes them unreadable in any other row.
    pub(crate) fn open_settings(
        &self,
        tenant: MerchantId,
        id: ChannelAccountId,
        sealed: &str,
    ) -> Result<Settings> {
        let clear = self.vault.open(&format!("{tenant}/{id}"), sealed).map_err(Error::internal)?;
        serde_json::from_str(clear.expose()).map_err(|_| Error::internal("sealed settings are not JSON"))
    }

    /// Seals settings for an account's row.
    pub(crate) fn seal_settings(
        &self,
        tenant: MerchantId,
        id: ChannelAccountId,
        settings: &Settings,
    ) -> Result<String> {
        self.vault.seal(&format!("{tenant}/{id}"), &settings.expose_json()).map_err(Error::internal)
    }

    /// Where a channel sends its notifications for an account.
    pub(crate) fn notify_url(&self, id: ChannelAccountId) -> String {
        format!("{}/notify/{id}", self.public_url)
    }

    /// Where a merchant's own logo is shown from.
    pub(crate) fn logo_url(&self, merchant: MerchantId) -> String {
        format!("{}/pay/logo/{merchant}", self.public_url)
    }

    /// Where a cashier signs in. The key stands behind the hash, which browsers send nowhere.
    pub(crate) fn cashier_url(&self, currency: Currency, key: &Secret) -> String {
        format!("{}/cashier?currency={currency}#{}", self.public_url, key.expose())
    }

    /// Where payers open a payment link.
    pub(crate) fn link_url(&self, id: LinkId) -> String {
        format!("{}/l/{id}", self.public_url)
    }

    /// The address of a page that shows one order.
    pub fn page_url(&self, secret: &ClientSecret, page: OrderPage) -> String {
        let place = match page {
            OrderPage::Pay => "pay",
            OrderPage::Receipt => "receipt",
        };
        format!("{}/{place}/{}", self.public_url, secret.address(page))
    }

    /// Translates an operation into its first step. Nothing is sent.
    pub(crate) fn encode(&self, open: &OpenAccount, op: &Operation, now: Timestamp) -> Result<Step> {
        let channel = open.channel.as_ref().ok_or_else(|| broken_settings(&open.account))?;
        let cx = Context { now, rng: &*self.rng, notify_url: &open.notify_url };
        channel.encode(op, &cx).map_err(refused)
    }

    /// Carries a step through the transport to an outcome.
    pub(crate) async fn exchange(
        &self,
        open: &OpenAccount,
        op: &Operation,
        first: Step,
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        let Some(channel) = &open.channel else {
            return Err(Fault::Unexpected("the channel account's settings are not valid".into()));
        };
        let cx = Context { now, rng: &*self.rng, notify_url: &open.notify_url };
        exchange(&**channel, &WithSandbox { engine: self }, op, first, &cx).await
    }

    /// Fetches a statement file.
    pub(crate) async fn fetch(
        &self,
        open: &OpenAccount,
        op: &Operation,
        now: Timestamp,
    ) -> Result<bytes::Bytes, Fault> {
        let Some(channel) = &open.channel else {
            return Err(Fault::Unexpected("the channel account's settings are not valid".into()));
        };
        let first =
            self.encode(open, op, now).map_err(|error| Fault::Unexpected(error.detail.to_string()))?;
        let cx = Context { now, rng: &*self.rng, notify_url: &open.notify_url };
        crate::transport::fetch(&**channel, &WithSandbox { engine: self }, op, first, &cx).await
    }

    /// The statement that a sandbox account's simulator writes of what moved between two instants; none where its
    /// provider writes none.
    pub(crate) async fn simulated_statement(
        &self,
        id: ChannelAccountId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Option<bytes::Bytes>> {
        crate::sandbox::service::statement(self, id, from, until).await
    }

    /// Encodes and exchanges in one go, for calls that follow an earlier commit.
    pub(crate) async fn ask(
        &self,
        open: &OpenAccount,
        op: &Operation,
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        match self.encode(open, op, now) {
            Ok(step) => self.exchange(open, op, step, now).await,
            Err(error) => Err(Fault::Unexpected(format!("not sent: {}", error.detail))),
        }
    }

    /// Commits one step of one merchant: clears what it moves, books its events, then writes everything at once.
    pub(crate) async fn commit(&self, tenant: MerchantId, mut changes: Changes) -> Result<(), CommitError> {
        crate::clearing::service::clear(self, tenant, &mut changes).await?;
        for event in &changes.events {
            if let Some(transaction) = crate::ledger::rules::book(event, &self.templates, &*self.rng) {
                changes.transactions.push(transaction);
            }
        }
        self.store.commit(tenant, changes).await
    }

    /// Commits what a worker did. That somebody else changed a row meanwhile is no error: what they wrote has its own
    /// schedule, and the worker meets it again then.
    pub(crate) async fn commit_or_yield(&self, tenant: MerchantId, changes: Changes) -> Result<()> {
        match self.commit(tenant, changes).await {
            Ok(()) | Err(CommitError::Stale) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Numbers and renders an event about an order.
    pub(crate) fn order_event(
        &self,
        order: &mut Order,
        kind: EventKind,
        booking: Option<Booking>,
        merchant: &Merchant,
        moment: Moment,
    ) -> Event {
        order.sequence += 1;
        let view = OrderView { client_secret: None, checkout_url: None, ..order.view(merchant.livemode) };
        let mut event =
            self.event(kind, order.id.to_string(), order.sequence, &view, merchant.livemode, moment);
        // A shop behind the epay door is told one thing, that the order is paid; see `webhook::service::send`.
        event.notify_url = match &order.details.epay {
            Some(origin) => (kind == EventKind::OrderSucceeded).then(|| origin.notify_url.clone()),
            None => order.details.notify_url.clone(),
        };
        event.booking = booking;
        event
    }

    /// Numbers and renders an event about a refund.
    pub(crate) fn refund_event(
        &self,
        refund: &mut Refund,
        notify_url: Option<&str>,
        kind: EventKind,
        booking: Option<Booking>,
        merchant: &Merchant,
        moment: Moment,
    ) -> Event {
        refund.sequence += 1;
        let view = refund.view(merchant.livemode);
        let mut event =
            self.event(kind, refund.id.to_string(), refund.sequence, &view, merchant.livemode, moment);
        event.notify_url = notify_url.map(str::to_owned);
        event.booking = booking;
        event
    }

    /// Renders an event about any object: its id, and which of its events this is, counted from 1.
    pub(crate) fn object_event<V: Serialize>(
        &self,
        kind: EventKind,
        (object_id, sequence): (String, i64),
        view: &V,
        booking: Option<Booking>,
        merchant: &Merchant,
        moment: Moment,
    ) -> Event {
        let mut event = self.event(kind, object_id, sequence, view, merchant.livemode, moment);
        event.booking = booking;
        event
    }

    /// Opens an exception with its event.
    pub(crate) fn exception(
        &self,
        changes: &mut Changes,
        kind: ExceptionKind,
        object_id: String,
        detail: String,
        merchant: &Merchant,
        moment: Moment,
    ) {
        let exception = Exception {
            id: ExceptionId::new(moment.now, &*self.rng),
            version: 0,
            kind,
            object_id,
            detail,
            resolved_at: None,
            resolution: None,
            created_at: moment.now,
        };
        let view = exception.view();
        let id = exception.id.to_string();
        changes.events.push(self.event(EventKind::ExceptionOpened, id, 1, &view, merchant.livemode, moment));
        changes.put(Put::Exception(exception));
    }

    /// Renders an event about an object; the caller numbers it.
    pub(crate) fn event<V: Serialize>(
        &self,
        kind: EventKind,
        object_id: String,
        sequence: i64,
        view: &V,
        livemode: bool,
        moment: Moment,
    ) -> Event {
        let id = EventId::new(moment.now, &*self.rng);
        let body = EventBody {
            id,
            object: "event",
            kind,
            created_at: moment.now,
            livemode,
            sequence,
            data: Data { object: view },
        };
        Event {
            id,
            kind,
            object_id,
            sequence,
            body: json(&body),
            notify_url: None,
            booking: None,
            created_at: moment.now,
            position: 0,
            due_at: moment.wall,
        }
    }

    /// A row of the audit trail.
    pub(crate) fn audit(
        &self,
        actor: &str,
        action: &str,
        object: Option<String>,
        detail: String,
        at: Moment,
    ) -> Audit {
        Audit {
            id: AuditId::new(at.now, &*self.rng),
            actor: actor.to_owned(),
            action: action.to_owned(),
            object_id: object,
            detail,
            created_at: at.now,
        }
    }
}

#[derive(Serialize)]
struct EventBody<'a, V> {
    id: EventId,
    object: &'static str,
    #[serde(rename = "type")]
    kind: EventKind,
    created_at: Timestamp,
    livemode: bool,
    sequence: i64,
    data: Data<'a, V>,
}

#[derive(Serialize)]
struct Data<'a, V> {
    object: &'a V,
}

/// JSON text of a view. Views hold nothing that JSON cannot say.
pub(crate) fn json<V: Serialize>(view: &V) -> String {
    serde_json::to_string(view).expect("views are plain structs with string keys")
}

fn broken_settings(account: &ChannelAccount) -> Error {
    Error::new(Code::ChannelSettings, "The settings of this channel account are not valid; enter them again.")
        .object(account.id)
}

fn refused(refusal: Refusal) -> Error {
    let error = Error::new(Code::ChannelRefused, refusal.to_string());
    match refusal {
        Refusal::Parameter { param, .. } => error.param(param),
        Refusal::Amount(_) => error.param("amount"),
        _ => error,
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Error { internal: Some(error.0), ..unavailable() }
    }
}

fn unavailable() -> Error {
    Error::new(Code::Unavailable, "The store cannot answer now. Retry with the same Idempotency-Key.")
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Claimed => Error::new(
                Code::IdempotencyInFlight,
                "A request with this Idempotency-Key is still running; retry soon.",
            ),
            CommitError::Stale => {
                Error::new(Code::Conflict, "The object was changed at the same time. Read it and try again.")
            }
            CommitError::Duplicate(what) => {
                Error::new(Code::DuplicateNumber, format!("This {what} is already in use.")).param(what)
            }
            CommitError::Floor => {
                Error::new(Code::InsufficientBalance, "The account does not have this much available.")
            }
            CommitError::Frozen => {
                Error::new(Code::AccountFrozen, "The account is frozen; unfreeze it before money leaves it.")
            }
            CommitError::Closed => Error::new(
                Code::BooksClosed,
                "The books are closed for this date; use a later effective date.",
            ),
            CommitError::Broken(detail) => Error::internal(detail),
            CommitError::Store(error) => error.into(),
        }
    }
}

/// How often a decision is taken again because what it read had changed.
pub(crate) const RETRIES_MAX: usize = 8;

/// Decides again from fresh rows when something else, such as the sweep, changed them since they were read. A decision
/// that is too late has written nothing and sent nothing, so it can be taken again.
pub(crate) async fn decided_afresh<T, F: Future<Output = Result<T>>>(decide: impl Fn() -> F) -> Result<T> {
    for _ in 0..RETRIES_MAX {
        match decide().await {
            Err(error) if error.code == Code::Conflict => {}
            done => return done,
        }
    }
    Err(CommitError::Stale.into())
}
