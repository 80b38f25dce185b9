//! The world: one engine, its shops, and everything that is going to happen, in order of time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::deeds::{Deed, Offer};
use super::weather::{Receivers, Storm};
use super::{Config, Counts};
use crate::account;
use crate::crypto::envelope::EnvelopeVault;
use crate::crypto::native::NativeKeyring;
use crate::engine::{Caller, Engine};
use crate::error::Error;
use crate::id::ChannelAccountId;
use crate::merchant::service::{CreateMerchant, authenticate, create, first_start};
use crate::sandbox;
use crate::secret::Secret;
use crate::store::Queue;
use crate::testkit::MemoryStore;
use crate::time::{Clock as _, ManualClock, SeededRng, Timestamp};
use crate::webhook;

/// 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600;
/// Seconds.
const DAY: i64 = 24 * 3_600;

/// The simulation itself could not go on; not a finding about the engine's data.
#[derive(Debug, thiserror::Error)]
#[error("the simulation stopped: {0}")]
pub struct SimulationError(pub String);

impl From<Error> for SimulationError {
    fn from(error: Error) -> Self {
        SimulationError(format!("{error} {:?}", error.internal))
    }
}

pub(super) struct Shop {
    pub(super) caller: Caller,
    pub(super) accounts: Vec<ChannelAccountId>,
}

pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) store: Arc<MemoryStore>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) storm: Arc<Storm>,
    pub(super) receivers: Arc<Receivers>,
    pub(super) shops: Vec<Shop>,
    pub(super) config: Config,
    pub(super) dice: SeededRng,
    /// What every shop can take.
    pub(super) offers: Vec<Offer>,
    agenda: BTreeMap<(Timestamp, u64), Deed>,
    deeds: u64,
}

impl World {
    pub(super) async fn new(config: Config) -> Result<World, SimulationError> {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(START)));
        let storm = Arc::new(Storm::new(config.seed ^ 0x5707, config.trouble_per_mille));
        let receivers = Arc::new(Receivers::new(Arc::clone(&storm), config.seed ^ 0x4ece));
        let root = Secret::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let vault =
            EnvelopeVault::new([("simulation", &root)]).map_err(|e| SimulationError(e.to_string()))?;
        let engine = Engine::builder()
            .store(Arc::clone(&store) as _)
            .transport(Arc::clone(&receivers) as _)
            .weather(Arc::clone(&storm) as _)
            .channels(&config.drivers)
            .keyring(Arc::new(NativeKeyring))
            .vault(Arc::new(vault))
            .clock(Arc::clone(&clock) as _)
            .rng(Arc::new(SeededRng::new(config.seed)))
            .public_url("http://paycore.test")
            .build()
            .map_err(|error| SimulationError(error.to_string()))?;
        let dice = SeededRng::new(config.seed ^ 0xd1ce);
        let offers = super::deeds::offers(&config.drivers);
        let agenda = BTreeMap::new();
        let mut world = World {
            engine,
            store,
            clock,
            storm,
            receivers,
            shops: Vec::new(),
            config,
            dice,
            offers,
            agenda,
            deeds: 0,
        };
        world.open_shops().await?;
        Ok(world)
    }

    async fn open_shops(&mut self) -> Result<(), SimulationError> {
        let start = first_start(&self.engine, "Shop 0").await?;
        let start = start.ok_or_else(|| SimulationError("the store is not empty".into()))?;
        let operator = authenticate(&self.engine, start.operator_key.expose()).await?;
        let operator = operator.ok_or_else(|| SimulationError("no operator".into()))?;
        for number in 0..self.config.shops {
            let new =
                create(&self.engine, &operator, CreateMerchant { name: format!("Shop {number}") }).await?;
            let key = new.test_key.key.unwrap_or_default();
            let caller = authenticate(&self.engine, &key).await?;
            let caller = caller.ok_or_else(|| SimulationError("no shop".into()))?;
            let mut accounts = Vec::new();
            for driver in self.config.drivers.clone() {
                let input = serde_json::json!({"channel": driver.profile().id});
                let input = serde_json::from_value(input).map_err(|e| SimulationError(e.to_string()))?;
                accounts.push(account::service::create(&self.engine, &caller, input).await?.id);
            }
            let input =
                webhook::service::CreateEndpoint { url: "https://shop.test/hook".into(), events: vec![] };
            webhook::service::create(&self.engine, &caller, input).await?;
            self.shops.push(Shop { caller, accounts });
        }
        self.plan_day();
        Ok(())
    }

    /// Lets so many seconds pass. Only those in which something happens are lived through; a day has few of them.
    pub(super) async fn run_for(&mut self, seconds: u64) -> Result<(), SimulationError> {
        let end = self.clock.now().plus(Duration::from_secs(seconds));
        while self.clock.now() < end {
            let next = self.next_second().await?.min(end);
            self.clock.set(next);
            self.second().await?;
        }
        Ok(())
    }

    /// The next whole second in which somebody has something to do, at most the next midnight.
    async fn next_second(&self) -> Result<Timestamp, SimulationError> {
        let now = self.clock.now();
        let day = DAY - (now.secs() - START).rem_euclid(DAY);
        let midnight = Timestamp::from_secs(now.secs() + day);
        let deed = self.agenda.keys().next().map(|(at, _)| *at);
        let notice = sandbox::service::next_due(&self.engine).await?;
        let first = [deed, notice, self.store.next_due()].into_iter().flatten().min();
        let whole = |at: Timestamp| Timestamp::from_secs((at.micros() - 1).div_euclid(1_000_000) + 1);
        Ok(first.map_or(midnight, whole).max(Timestamp::from_secs(now.secs() + 1)).min(midnight))
    }

    /// One second of the world: what people do, what workers do, what channels send.
    async fn second(&mut self) -> Result<(), SimulationError> {
        let now = self.clock.now();
        let (days, rest) = ((now.secs() - START) / DAY, (now.secs() - START) % DAY);
        if rest == 0 && days < i64::from(self.config.days) {
            self.plan_day();
        }
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let deed = entry.remove();
            self.act(deed).await?;
        }
        for queue in Queue::ALL {
            let worked = self.engine.work(*queue, 100).await?;
            if worked.failed > 0 {
                return Err(SimulationError(format!("{} jobs of {queue:?} failed", worked.failed)));
            }
        }
        sandbox::service::deliver(&self.engine).await?;
        Ok(())
    }

    fn plan_day(&mut self) {
        for shop in 0..self.config.shops {
            for _ in 0..self.config.orders_per_day {
                let at = self.roll(24 * 3600);
                self.later(at, Deed::Order { shop });
            }
        }
    }

    pub(super) fn later(&mut self, seconds: u64, deed: Deed) {
        let at = self.clock.now().plus(Duration::from_secs(seconds));
        self.deeds += 1;
        self.agenda.insert((at, self.deeds), deed);
    }

    /// A number below `sides`.
    pub(super) fn roll(&self, sides: u64) -> u64 {
        self.dice.next_u64() % sides.max(1)
    }

    /// The weather clears and people stop coming.
    pub(super) fn calm(&mut self) {
        self.storm.calm();
        self.agenda.clear();
    }

    pub(super) fn counts(&self) -> Counts {
        let all = self.store.snapshot();
        let count = |n: usize| n as u64;
        Counts {
            orders: count(all.orders.len()),
            paid: count(all.orders.iter().filter(|(_, order)| order.captured > 0).count()),
            refunds: count(all.refunds.len()),
            late_payments: count(
                all.events
                    .iter()
                    .filter(|(_, event)| event.kind == crate::event::EventKind::OrderLatePayment)
                    .count(),
            ),
            requests_lost: self.storm.requests_lost.load(Relaxed),
            answers_lost: self.storm.answers_lost.load(Relaxed),
            answers_spoilt: self.storm.answers_spoilt.load(Relaxed),
            webhooks_delivered: count(
                self.receivers.accepted.lock().unwrap_or_else(std::sync::PoisonError::into_inner).len(),
            ),
            exceptions: count(all.exceptions.len()),
            virtual_seconds: 0,
        }
    }
}
