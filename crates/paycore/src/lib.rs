//! paycore is a payment engine to embed: it takes payments through channels, keeps orders, refunds and double-entry
//! books, tells about every change, and never guesses.
//!
//! # The idea
//! A pure core decides, a thin shell acts. A [`channel`] turns an operation into an HTTP request *value* and an HTTP
//! response *value* into an outcome. A slice's `rules` are functions from what was read to what is to be written.
//! The shell (feature `engine`) reads, calls them, commits once, and sends. Time, randomness, keys and network are
//! arguments, so that the same code runs in a server, behind a C ABI, in a simulation and in a browser.
//!
//! # Fifteen lines
//! `examples/embed` takes a payment at a simulated Alipay with the memory store and no server. The same over a
//! channel that follows a script, as tests use it:
//!
#![cfg_attr(
    all(feature = "testkit", feature = "native-crypto"),
    doc = r##"
```
use paycore::channel::{Outcome, Verb, Verdict};
use paycore::engine::Engine;
use paycore::order::service as orders;
use paycore::testkit::scripted::{Play, Scripted};

# #[tokio::main(flavor = "current_thread")]
# async fn main() -> Result<(), Box<dyn std::error::Error>> {
let script = Scripted::new();
script.then(Verb::Pay, Play::Done(Outcome::new(Verdict::Succeeded)));
let engine = Engine::sandbox(&[script.driver()]);
let shop = engine.demo_shop().await?;
# let account = serde_json::from_str(r#"{"channel": "scripted", "settings": {}}"#)?;
# paycore::account::service::create(&engine, &shop, account).await?;
let tea = r#"{"amount": 1234, "currency": "CNY", "subject": "Tea 茶叶", "method": "scripted.card"}"#;
let order = orders::create(&engine, &shop, serde_json::from_str(tea)?).await?;
assert_eq!(order.status.text(), "succeeded");
assert_eq!(order.money.to_string(), "12.34 CNY");
# Ok(())
# }
```
"##
)]
//!
//! # Map
//! | modules | what |
//! |---|---|
//! | [`money`] [`currency`] [`rate`] [`units`] [`time`] [`calendar`] [`id`] [`secret`] [`error`] | values; they know nothing else of paycore |
//! | [`crypto`] | signing, verifying and sealing behind traits |
//! | [`channel`] | the channel contract, and the simulator's |
//! | [`order`] [`refund`] [`ledger`] [`event`] [`webhook`] [`merchant`] [`account`] [`epay`] [`exception`] [`document`] [`payout`] [`proposal`] [`sandbox`] [`vault`] | the slices: types, `state`, `rules`; with feature `engine` also `service` and what they read from a store |
//! | [`order`] [`refund`] [`fee`] [`clearing`] [`fx`] [`ledger`] [`event`] [`webhook`] [`merchant`] [`account`] [`epay`] [`exception`] [`document`] [`sandbox`] | the slices: types, `state`, `rules`; with feature `engine` also `service` and what they read from a store |
//! | `engine` `catalogue` `notice` `store` `transport` `verify` | the shell (feature `engine`): wiring, the operations as data, incoming notifications, the store contract, the network, the invariants |
//! | `testkit` | a store in memory, a scripted channel, conformance suites, the simulation (feature `testkit`) |
//!
//! # Features
//! None are on by default, and the default builds for wasm32. `engine` brings the async services; `native-crypto`
//! aws-lc-rs for keys, and the system's clock and randomness; `portable-crypto` the pure-Rust `rsa` for wasm32;
//! `reqwest` a transport; `testkit` what tests share.

pub mod account;
pub mod agent;
pub mod audit;
pub mod branding;
pub mod calendar;
#[cfg(feature = "engine")]
pub mod cashier;
#[cfg(feature = "engine")]
pub mod catalogue;
pub mod channel;
#[cfg(feature = "engine")]
pub mod checkout;
pub mod clearing;
pub mod crypto;
pub mod currency;
pub mod device;
pub mod dispute;
pub mod document;
#[cfg(feature = "engine")]
pub mod engine;
pub mod epay;
pub mod error;
pub mod event;
pub mod exception;
pub mod fee;
pub mod fx;
pub mod id;
pub mod idempotency;
#[cfg(feature = "engine")]
pub mod landing;
pub mod ledger;
pub mod link;
pub mod mandate;
pub mod merchant;
pub mod money;
#[cfg(feature = "engine")]
pub mod notice;
pub mod order;
#[cfg(feature = "engine")]
pub mod page;
pub mod page_alert;
pub mod payout;
pub mod proposal;
pub mod rate;
pub mod reconciliation;
pub mod refund;
pub mod sandbox;
pub mod secret;
pub mod settlement;
#[cfg(feature = "engine")]
pub(crate) mod sign_in;
pub mod split;
#[cfg(feature = "engine")]
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod time;
#[cfg(feature = "engine")]
pub mod transport;
pub mod units;
pub mod vault;
#[cfg(feature = "engine")]
pub mod verify;
pub mod webhook;
