//! Wiring an engine.

use std::sync::Arc;

use super::Engine;
use crate::channel::Driver;
use crate::crypto::{Keyring, Vault};
use crate::ledger::posting::Templates;
use crate::sandbox::service::{Hub, Weather};
use crate::settlement::export::Exporter;
use crate::time::{Clock, Rng};
use crate::transport::Transport;
use crate::verify::Verifiable;

/// A part that every engine needs was not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the engine needs a {0}")]
pub struct BuildError(&'static str);

/// Collects the parts of an engine. Everything but `public_url`, `outbound`, `templates` and `sandbox_in_memory` must be given.
#[derive(Default)]
pub struct EngineBuilder {
    store: Option<Arc<dyn Verifiable>>,
    transport: Option<Arc<dyn Transport>>,
    outbound: Option<Arc<dyn Transport>>,
    drivers: Vec<&'static dyn Driver>,
    keyring: Option<Arc<dyn Keyring>>,
    vault: Option<Arc<dyn Vault>>,
    clock: Option<Arc<dyn Clock>>,
    rng: Option<Arc<dyn Rng>>,
    templates: Templates,
    public_url: Option<String>,
    sandbox_in_memory: bool,
    weather: Option<Arc<dyn Weather>>,
    exporter: Option<Arc<dyn Exporter>>,
}

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident: $part:ty;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $name: Arc<$part>) -> Self {
            self.$name = Some($name);
            self
        }
    )*};
}

impl EngineBuilder {
    parts! {
        /// Where everything is kept.
        store: dyn Verifiable;
        /// Carries requests to channels.
        transport: dyn Transport;
        /// Carries webhooks to merchants; the same as `transport` where not given.
        outbound: dyn Transport;
        /// Opens keys.
        keyring: dyn Keyring;
        /// Seals credentials.
        vault: dyn Vault;
        /// The wall clock.
        clock: dyn Clock;
        /// Randomness fit for secrets.
        rng: dyn Rng;
        /// Makes files of statements; without it there are none.
        exporter: dyn Exporter;
    }

    /// The channels that may be used.
    #[must_use]
    pub fn channels(mut self, drivers: &[&'static dyn Driver]) -> Self {
        self.drivers = drivers.to_vec();
        self
    }

    /// How movements are booked; as compiled in where not given.
    #[must_use]
    pub fn templates(mut self, templates: Templates) -> Self {
        self.templates = templates;
        self
    }

    /// Where this installation is reached from outside, without a trailing slash.
    #[must_use]
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Keeps the simulators' records in memory only: for benchmarks and tests, not for merchants' sandboxes.
    #[must_use]
    pub fn sandbox_in_memory(mut self) -> Self {
        self.sandbox_in_memory = true;
        self
    }

    /// Spoils requests to simulators and their answers, for the simulation.
    #[must_use]
    pub fn weather(mut self, weather: Arc<dyn Weather>) -> Self {
        self.weather = Some(weather);
        self
    }

    /// The engine, or which part is missing.
    pub fn build(self) -> Result<Engine, BuildError> {
        let public_url = self.public_url.unwrap_or_else(|| "http://127.0.0.1:8080".into());
        let hub = Hub::new(&public_url, !self.sandbox_in_memory, self.weather);
        let transport = self.transport.ok_or(BuildError("transport"))?;
        Ok(Engine {
            store: self.store.ok_or(BuildError("store"))?,
            outbound: self.outbound.unwrap_or_else(|| Arc::clone(&transport)),
            transport,
            drivers: self.drivers,
            keyring: self.keyring.ok_or(BuildError("key ring"))?,
            vault: self.vault.ok_or(BuildError("vault"))?,
            clock: self.clock.ok_or(BuildError("clock"))?,
            rng: self.rng.ok_or(BuildError("source of randomness"))?,
            templates: self.templates,
            public_url,
            hub,
            merchants: super::Cache::default(),
            accounts: super::Cache::default(),
            settlement_terms: super::Cache::default(),
            exporter: self.exporter,
            cvcs: crate::vault::Cvcs::default(),
            schedules: super::Cache::default(),
        })
    }
}
