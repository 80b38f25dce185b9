//! Merchants (the tenants) and their API keys.

pub mod rules;
#[cfg(feature = "engine")]
pub mod service;
#[cfg(feature = "engine")]
mod store;
mod view;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(feature = "engine")]
pub use store::{ApiKeys, Merchants};

pub use view::MerchantView;

use crate::id::{ApiKeyId, MerchantId};
use crate::time::Timestamp;

/// A tenant. Live and sandbox data never share a tenant: each live merchant has a sandbox twin with its own id.
#[derive(Debug, Clone, PartialEq)]
pub struct Merchant {
    /// Its id; the tenant of every row of its data.
    pub id: MerchantId,
    /// 0 before it is first stored, then +1 per change.
    pub version: i64,
    /// The shop's name.
    pub name: String,
    /// False for a sandbox.
    pub livemode: bool,
    /// The sandbox of a live merchant, or the live merchant of a sandbox.
    pub twin_id: Option<MerchantId>,
    /// Whether it may take payments.
    pub active: bool,
    /// The sealed secret that signs deliveries to orders' own notify URLs.
    pub sealed_secret: String,
    /// How far the sandbox's test clock is ahead of the wall clock, microseconds; 0 for live merchants.
    pub clock_offset: i64,
    /// When it was created.
    pub created_at: Timestamp,
}

/// An API key. The key itself is shown once and kept only as a hash.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// 0 before it is first stored, then +1 per change.
    pub version: i64,
    /// A name people recognise it by.
    pub name: String,
    /// Hex SHA-256 of the whole key.
    pub hash: String,
    /// The first characters with the last four, for recognition: `sk_test_…x7Kq`.
    pub hint: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// After this it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum Scope {
    /// Create merchants and see them all: for the operator of the installation.
    #[serde(rename = "platform")]
    Platform,
    /// Read orders, refunds and their attempts.
    #[serde(rename = "orders:read")]
    OrdersRead,
    /// Create, close, capture and void orders.
    #[serde(rename = "orders:write")]
    OrdersWrite,
    /// Create refunds.
    #[serde(rename = "refunds:write")]
    RefundsWrite,
    /// Read transactions and balances.
    #[serde(rename = "ledger:read")]
    LedgerRead,
    /// Read events and deliveries, manage webhook endpoints.
    #[serde(rename = "webhooks")]
    Webhooks,
    /// Manage channel accounts, keys and the sandbox.
    #[serde(rename = "settings")]
    Settings,
    /// Enter beneficiaries, draft, review and withdraw payouts, make batch files.
    #[serde(rename = "payouts:write")]
    PayoutsWrite,
    /// Approve beneficiaries and payouts.
    #[serde(rename = "payouts:approve")]
    PayoutsApprove,
    /// Take payments at the till: what a cashier's key may do, on the cashier page only.
    #[serde(rename = "cashier")]
    Cashier,
    /// What a browser may do with a publishable key: read one order by its client secret.
    #[serde(rename = "checkout")]
    Checkout,
}

impl Scope {
    /// Every scope a merchant's secret key can have.
    pub const MERCHANT: &'static [Scope] = &[
        Scope::OrdersRead,
        Scope::OrdersWrite,
        Scope::RefundsWrite,
        Scope::LedgerRead,
        Scope::Webhooks,
        Scope::Settings,
        Scope::PayoutsWrite,
        Scope::PayoutsApprove,
    ];

    /// The word used in the API and the database.
    pub fn text(self) -> &'static str {
        match self {
            Scope::Platform => "platform",
            Scope::OrdersRead => "orders:read",
            Scope::OrdersWrite => "orders:write",
            Scope::RefundsWrite => "refunds:write",
            Scope::LedgerRead => "ledger:read",
            Scope::Webhooks => "webhooks",
            Scope::Settings => "settings",
            Scope::PayoutsWrite => "payouts:write",
            Scope::PayoutsApprove => "payouts:approve",
            Scope::Cashier => "cashier",
            Scope::Checkout => "checkout",
        }
    }
}
