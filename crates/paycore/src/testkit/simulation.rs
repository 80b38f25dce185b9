//! The simulation: the real engine, adapters and simulators on a virtual clock, with shops, payers and bad weather
//! drawn from one seed. The same seed gives the same trace, so that a failure can be walked through again.

mod deeds;
mod truth;
mod weather;
mod world;

use std::time::Duration;

use crate::channel::Driver;
use crate::verify::Violation;

pub use world::SimulationError;

/// What to simulate.
#[derive(Clone)]
pub struct Config {
    /// Everything is drawn from this.
    pub seed: u64,
    /// Days of virtual time.
    pub days: u32,
    /// Sandbox merchants.
    pub shops: usize,
    /// Orders per shop and day.
    pub orders_per_day: u32,
    /// How many of a thousand requests to a channel are lost, cut or spoilt, each way.
    pub trouble_per_mille: u32,
    /// The channels, each with its simulator.
    pub drivers: Vec<&'static dyn Driver>,
}

impl Config {
    /// Three shops with two hundred orders a day each, and one request in ten in trouble.
    pub fn new(seed: u64, days: u32, drivers: &[&'static dyn Driver]) -> Config {
        Config {
            seed,
            days,
            shops: 3,
            orders_per_day: 200,
            trouble_per_mille: 100,
            drivers: drivers.to_vec(),
        }
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Hex SHA-256 over every event in order of commit: equal for equal seeds.
    pub trace_hash: String,
    /// What is not true; empty is good.
    pub violations: Vec<Violation>,
    /// What happened, counted.
    pub counts: Counts,
}

/// What happened, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each counts what its name says")]
pub struct Counts {
    pub orders: u64,
    pub paid: u64,
    pub refunds: u64,
    pub late_payments: u64,
    pub requests_lost: u64,
    pub answers_lost: u64,
    pub answers_spoilt: u64,
    pub webhooks_delivered: u64,
    pub exceptions: u64,
    pub virtual_seconds: u64,
}

/// Runs it: the days with trouble, then two quiet days in which everything has to come to rest, then the checks.
pub async fn run(config: Config) -> Result<Outcome, SimulationError> {
    const DAY: u64 = 24 * 3600;
    let days = u64::from(config.days);
    let mut world = world::World::new(config).await?;
    world.run_for(days * DAY).await?;
    world.calm();
    world.run_for(2 * DAY).await?;
    let violations = truth::check(&world).await?;
    let mut counts = world.counts();
    counts.virtual_seconds = Duration::from_secs((days + 2) * DAY).as_secs();
    Ok(Outcome { trace_hash: truth::trace_hash(&world), violations, counts })
}
