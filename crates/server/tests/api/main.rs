//! The server as its users meet it: over HTTP, on SQLite in a folder of its own, with the sandbox behind it.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

mod authentic;
mod branding;
mod cards;
mod cashier;
mod checkout;
mod docs;
mod epay;
mod gateways;
mod idempotency;
mod input;
mod limits;
mod links;
mod mandates;
mod methods;
mod notices;
mod pay;
mod sandbox;
mod scan;
mod signin;
mod stand;
mod stop;
mod tenants;
mod walks;
mod wallets;
mod webhooks;
