//! The hub of simulated providers, and the operations on a sandbox.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Deserialize;

use super::SandboxRecord;
use crate::channel::simulator::{Answer, BookLine, Notification, Simulator};
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::id::{ChannelAccountId, MerchantId};
use crate::merchant::Merchant;
use crate::merchant::MerchantView;
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// The furthest a test clock may be advanced in one call.
const ADVANCE_MAX: u64 = 366 * 24 * 3600;

/// What becomes of requests on their way to a simulated provider and of its answers on their way back. The
/// simulation makes bad weather; everywhere else there is none.
pub trait Weather: Send + Sync {
    /// Whether the request arrives at all.
    fn arrives(&self, request: &http::Request<Bytes>) -> bool;
    /// The answer as it comes back.
    fn returns(&self, request: &http::Request<Bytes>, answer: Answer) -> Answer;
}

/// Every simulated provider that is in use, one per sandbox channel account.
pub struct Hub {
    prefix: String,
    durable: bool,
    weather: Option<Arc<dyn Weather>>,
    open: Mutex<HashMap<ChannelAccountId, Arc<Stand>>>,
}

struct Stand {
    tenant: MerchantId,
    simulator: Mutex<Box<dyn Simulator>>,
}

impl Stand {
    fn lock(&self) -> MutexGuard<'_, Box<dyn Simulator>> {
        self.simulator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Hub {
    pub(crate) fn new(public_url: &str, durable: bool, weather: Option<Arc<dyn Weather>>) -> Self {
        Hub { prefix: format!("{public_url}/sandbox/"), durable, weather, open: Mutex::default() }
    }

    /// Where the simulator of an account is reached.
    pub fn base_url(&self, id: ChannelAccountId) -> String {
        format!("{}{id}", self.prefix)
    }

    /// The account a request is for, if it is addressed to a simulator, and the path relative to its base.
    pub fn addressed(&self, uri: &http::Uri) -> Option<(ChannelAccountId, String)> {
        let text = uri.to_string();
        let rest = text.strip_prefix(&self.prefix)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let id = rest[..end].parse().ok()?;
        let path = &rest[end..];
        Some((id, if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }))
    }

    fn stand(&self, id: ChannelAccountId) -> Option<Arc<Stand>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    fn stands(&self) -> Vec<(ChannelAccountId, Arc<Stand>)> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = open.iter().map(|(id, stand)| (*id, Arc::clone(stand))).collect();
        all.sort_by_key(|(id, _)| *id);
        all
    }

    /// The channel's truth about one account, for checks; empty where the simulator is not in use.
    pub fn book(&self, id: ChannelAccountId) -> Vec<BookLine> {
        self.stand(id).map_or_else(Vec::new, |stand| stand.lock().book())
    }
}

/// Hands a request to a simulated provider: the API's by the transport, the payer's browser's by the server.
/// What it changed is durable before the answer is given.
pub async fn handle(engine: &Engine, id: ChannelAccountId, request: &http::Request<Bytes>) -> Result<Answer> {
    let stand = stand(engine, id).await?;
    let merchant = engine.merchant(stand.tenant).await?;
    let now = engine.moment(&merchant).now;
    let weather = engine.hub.weather.as_deref();
    if weather.is_some_and(|weather| !weather.arrives(request)) {
        return Ok(Answer::Silence);
    }
    let (answer, changed) = {
        let mut simulator = stand.lock();
        let answer = simulator.handle(request, now);
        (answer, if engine.hub.durable { simulator.changed() } else { Vec::new() })
    };
    keep(engine, stand.tenant, id, changed).await?;
    Ok(match weather {
        Some(weather) => weather.returns(request, answer),
        None => answer,
    })
}

/// The statement file of what moved between two instants, as the account's simulator writes it.
pub(crate) async fn statement(
    engine: &Engine,
    id: ChannelAccountId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Option<Bytes>> {
    let stand = stand(engine, id).await?;
    Ok(stand.lock().statement(from, until))
}

/// Sends every notification that is due, straight into the engine, and returns how many.
pub async fn deliver(engine: &Engine) -> Result<usize> {
    let mut sent = 0;
    for (id, stand) in engine.hub.stands() {
        let merchant = engine.merchant(stand.tenant).await?;
        sent += deliver_from(engine, id, &stand, &merchant).await?;
    }
    Ok(sent)
}

async fn deliver_from(
    engine: &Engine,
    id: ChannelAccountId,
    stand: &Stand,
    merchant: &Merchant,
) -> Result<usize> {
    let now = engine.moment(merchant).now;
    let due: Vec<Notification> = {
        let mut simulator = stand.lock();
        match simulator.next_due() {
            Some(at) if at <= now => simulator.due(now),
            _ => return Ok(0),
        }
    };
    for notification in &due {
        let response = crate::notice::receive(engine, id, &notification.request).await.ok();
        stand.lock().notified(notification.id, response.as_ref(), now);
    }
    let changed = if engine.hub.durable { stand.lock().changed() } else { Vec::new() };
    keep(engine, stand.tenant, id, changed).await?;
    Ok(due.len())
}

async fn keep(
    engine: &Engine,
    tenant: MerchantId,
    id: ChannelAccountId,
    changed: Vec<(String, String)>,
) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let mut changes = Changes::default();
    for (key, value) in changed {
        changes.put(Put::Sandbox(SandboxRecord { account_id: id, key, value }));
    }
    engine.commit(tenant, changes).await.map_err(Error::from)
}

/// The simulator of an account, opened on first use with everything it had kept.
async fn stand(engine: &Engine, id: ChannelAccountId) -> Result<Arc<Stand>> {
    if let Some(stand) = engine.hub.stand(id) {
        return Ok(stand);
    }
    let missing = || Error::not_found("simulator", id);
    let tenant = engine.store.channel_account_tenant(id).await?.ok_or_else(missing)?;
    let account = engine.store.channel_account(tenant, id).await?.ok_or_else(missing)?;
    let sealed = account.sealed_simulator.as_deref().ok_or_else(missing)?;
    let theirs = engine.open_settings(tenant, id, sealed)?;
    let maker = engine.driver(&account.channel).and_then(|driver| driver.simulator()).ok_or_else(missing)?;
    let mut simulator = maker.open(&theirs, &*engine.keyring).map_err(Error::internal)?;
    for record in engine.store.sandbox_records(tenant, id).await? {
        simulator.restore(&record.key, &record.value);
    }
    let fresh = Arc::new(Stand { tenant, simulator: Mutex::new(simulator) });
    let mut open = engine.hub.open.lock().unwrap_or_else(PoisonError::into_inner);
    // Whoever came first wins: the other's simulator has answered nothing yet.
    Ok(Arc::clone(open.entry(id).or_insert(fresh)))
}

/// Opens every simulator of the installation, so that their notifications go on after a restart.
pub async fn wake(engine: &Engine) -> Result<()> {
    for (_, id) in engine.store.sandbox_accounts().await? {
        stand(engine, id).await?;
    }
    Ok(())
}

/// What `sandbox.advance_clock` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvanceClock {
    /// Seconds to go forward, 1 to 31,622,400.
    #[schemars(range(min = 1, max = 31_622_400))]
    pub seconds: u64,
}

/// Moves the sandbox's test clock forward. Everything that becomes due by it is done by the workers at once.
pub async fn advance_clock(engine: &Engine, caller: &Caller, input: AdvanceClock) -> Result<MerchantView> {
    if caller.merchant.livemode {
        return Err(Error::new(Code::Forbidden, "Only a sandbox has a test clock; use a test key."));
    }
    if !(1..=ADVANCE_MAX).contains(&input.seconds) {
        return Err(Error::invalid("seconds", format!("Must be 1 to {ADVANCE_MAX}.")));
    }
    let found = engine.store.merchant(caller.tenant()).await?;
    let mut merchant = found.ok_or_else(|| Error::not_found("merchant", caller.tenant()))?;
    let step = i64::try_from(Duration::from_secs(input.seconds).as_micros()).map_err(Error::internal)?;
    merchant.clock_offset += step;
    let moment = engine.moment(&merchant);
    let view = merchant.view(moment);
    let mut changes = Changes { claim: caller.once(merchant.id, &view, moment), ..Changes::default() };
    let detail = format!("{} s", input.seconds);
    changes.audit.push(engine.audit(&caller.actor, "sandbox.advance_clock", None, detail, moment));
    changes.put(Put::Merchant(merchant)).put(Put::HastenDue(step));
    engine.commit(caller.tenant(), changes).await?;
    engine.forget(caller.tenant());
    Ok(view)
}

/// When the next simulated notification is due on the wall clock, if any.
pub async fn next_due(engine: &Engine) -> Result<Option<Timestamp>> {
    let mut next: Option<Timestamp> = None;
    for (_, stand) in engine.hub.stands() {
        let merchant = engine.merchant(stand.tenant).await?;
        if let Some(at) = stand.lock().next_due() {
            let wall = engine.moment(&merchant).due(at);
            next = Some(next.map_or(wall, |known| known.min(wall)));
        }
    }
    Ok(next)
}
