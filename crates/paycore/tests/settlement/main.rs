//! Settlement: golden statements from an oracle that does not know this code, the conservation of money over random
//! histories, and the same through the engine.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

#[cfg(all(feature = "testkit", feature = "native-crypto"))]
mod after;
mod conservation;
#[cfg(all(feature = "testkit", feature = "native-crypto"))]
mod currency;
#[cfg(all(feature = "testkit", feature = "native-crypto"))]
mod engine;
mod exchange;
mod golden;
mod shop;
