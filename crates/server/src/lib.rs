//! The hosted server around the engine: it authenticates, limits, decodes, calls, encodes, and runs the workers.
//! What it can do is the operation catalogue of `paycore`; nothing is decided here.

pub mod assemble;
pub mod auth;
pub mod cashier;
pub mod checkout;
pub mod client;
pub mod config;
pub mod first_start;
pub mod http;
pub mod landing;
pub mod limit;
pub mod listen;
pub mod log;
pub mod metrics;
pub mod openapi;
pub mod pages;
pub mod pay;
pub mod problem;
pub mod reference;
pub mod serve;
pub mod simulate;
pub mod worker;
