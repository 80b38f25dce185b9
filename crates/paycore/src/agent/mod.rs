//! Agents (代理): who sells for the merchant, at which cost price, what each level earns, and how it is paid out.
//!
//! Agents form a tree below the merchant. Each has cost prices by product; what the level below pays less what it pays
//! itself is its margin, so that the platform's part and all margins together are the merchant's fee to the last unit.
//! Agents and their books belong to the merchant (the tenant) they sell for.

mod object;
pub mod rules;
pub mod sale;
#[cfg(feature = "engine")]
pub mod service;
pub mod tax;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use object::{
    Agent, AgentEntry, AgentSale, AgentStatement, AgentWithdrawal, Bonus, BonusBand, EntryKind, Price, Rate,
    SaleKind, WithdrawalStatus,
};

/// Levels a tree may have where the merchant says nothing else. Longer chains of commission are what regulators look for
/// in pyramid selling (传销).
pub const DEPTH_DEFAULT: usize = 3;
/// Levels a tree may have at all.
pub const DEPTH_MAX: usize = 5;

/// What withholding an agent's income is subject to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Withholding {
    /// None: the agent invoices.
    #[default]
    None,
    /// The same part of everything.
    Flat {
        /// Of the amount, 1 to 1,000,000.
        #[schemars(range(min = 1, max = 1_000_000))]
        millionths: u32,
    },
    /// China's advance withholding on a person's income from services (劳务报酬), CNY only.
    ServicesCn,
}
