//! The objects. Each is kept whole, as one document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Withholding;
use crate::currency::Currency;
use crate::document::{Index, document};
use crate::id::{
    AgentEntryId, AgentId, AgentSaleId, AgentStatementId, AgentWithdrawalId, OrderId, ReconciliationId,
};
use crate::money::Money;
use crate::time::Timestamp;

/// Somebody who sells for the merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Agent {
    /// Its id; also the party of its account in the ledger.
    pub id: AgentId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// What people call it, 1 to 100 characters.
    pub name: String,
    /// The agent above it; none for one directly below the merchant.
    pub parent_id: Option<AgentId>,
    /// 1 directly below the merchant.
    pub level: usize,
    /// What it pays, by product and date.
    pub costs: Vec<Price>,
    /// What the merchant's customers pay where this agent sold, by product and date. For payments whose real fee is not
    /// known from clearing.
    pub prices: Vec<Price>,
    /// The most it earns in a month, minor units of its statement's currency.
    pub cap: Option<i64>,
    /// What it earns on top for volume.
    pub bonus: Option<Bonus>,
    /// What is withheld when it is paid out.
    pub withholding: Withholding,
    /// Whether new orders may name it.
    pub enabled: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A price for a product from a date on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The product: a method such as `card.credit`, all scenes of a brand such as `alipay.*`, or `*`. The most exact
    /// pattern that fits counts.
    #[schemars(length(min = 1, max = 65))]
    pub product: String,
    /// From when on. Of one pattern the latest that has begun counts.
    pub from: Timestamp,
    /// The price.
    pub rate: Rate,
}

/// A price of a payment: a part of it and a fixed amount, within bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Of the amount, 0 to 1,000,000: 6,000 is 0.6 %.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub millionths: u32,
    /// On top, minor units.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub fixed: i64,
    /// At least this, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub min: Option<i64>,
    /// At most this, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub max: Option<i64>,
}

/// A bonus on a month's volume: the ratio of the band the volume lies in, of all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bonus {
    /// By rising `from`, 1 to 20.
    #[schemars(length(min = 1, max = 20))]
    pub bands: Vec<BonusBand>,
}

/// One band of a bonus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BonusBand {
    /// From this volume on, minor units.
    #[schemars(range(min = 0))]
    pub from: i64,
    /// Of the volume, 0 to 1,000,000.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub millionths: u32,
}

/// A payment that an agent sold, or what a refund or chargeback took back of one; made with it and worked on once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentSale {
    /// Its id.
    pub id: AgentSaleId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// A sale or a claw-back.
    pub kind: SaleKind,
    /// Id of the order, refund or dispute; each counts once.
    pub source: String,
    /// The order.
    pub order_id: OrderId,
    /// The agent that sold it.
    pub agent_id: AgentId,
    /// The method it was paid by.
    pub method: String,
    /// What was captured, or what went back to the payer.
    pub money: Money,
    /// What went back of a sale so far, minor units.
    pub refunded: i64,
    /// What each agent of the chain earns by it or gives back, the one that sold first, minor units.
    pub margins: Vec<(AgentId, i64)>,
    /// Whether it was worked on.
    pub done: bool,
    /// When the money moved.
    pub created_at: Timestamp,
    /// When the worker looks next, wall clock; zero for never.
    pub due_at: Timestamp,
}

/// What a sale is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SaleKind {
    /// A payment.
    Sale,
    /// A refund or chargeback of one.
    ClawBack,
}

/// One movement on an agent's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentEntry {
    /// Its id.
    pub id: AgentEntryId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// Whose.
    pub agent_id: AgentId,
    /// What it is.
    pub kind: EntryKind,
    /// Id of the order, refund, dispute, statement or withdrawal behind it.
    pub source: String,
    /// The volume it stands for (what was captured or given back), with its sign.
    pub volume: Money,
    /// What the agent gets, or, negative, gives.
    pub money: Money,
    /// When.
    pub created_at: Timestamp,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Earned by a payment.
    Commission,
    /// Given back because of a refund or chargeback.
    ClawBack,
    /// Earned by a month's volume.
    Bonus,
    /// Not earned because of the month's cap.
    Cap,
    /// Paid out, tax included.
    Withdrawal,
    /// A withdrawal that was not paid.
    WithdrawalReversal,
}

impl EntryKind {
    /// The word used in the API.
    pub fn text(self) -> &'static str {
        match self {
            EntryKind::Commission => "commission",
            EntryKind::ClawBack => "claw_back",
            EntryKind::Bonus => "bonus",
            EntryKind::Cap => "cap",
            EntryKind::Withdrawal => "withdrawal",
            EntryKind::WithdrawalReversal => "withdrawal_reversal",
        }
    }
}

/// An agent's month. `closing` is `opening` and everything between; all amounts in minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentStatement {
    /// Its id.
    pub id: AgentStatementId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// Whose.
    pub agent_id: AgentId,
    /// The month, `2026-11`, in Beijing time.
    pub month: String,
    /// ISO 4217.
    pub currency: Currency,
    /// What stood on its account before.
    pub opening: i64,
    /// Payments less refunds.
    pub volume: i64,
    /// Payments.
    pub sales: i64,
    /// Earned by payments.
    pub commission: i64,
    /// Given back, not positive.
    pub clawed_back: i64,
    /// Earned by volume.
    pub bonus: i64,
    /// Not earned because of the cap, not positive.
    pub capped: i64,
    /// Withdrawn, not positive, those that were not paid taken off.
    pub withdrawn: i64,
    /// What stands on its account after.
    pub closing: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A payment to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentWithdrawal {
    /// Its id.
    pub id: AgentWithdrawalId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// To whom.
    pub agent_id: AgentId,
    /// Where it stands.
    pub status: WithdrawalStatus,
    /// What leaves the agent's account.
    pub money: Money,
    /// What is withheld of it.
    pub tax: Money,
    /// What is paid.
    pub net: Money,
    /// The tax's rule as it was.
    pub withholding: Withholding,
    /// The month in which it counts for the tax, `2026-11`, in Beijing time.
    pub month: String,
    /// Who asked for it.
    pub requested_by: String,
    /// Who approved it: somebody else.
    pub approved_by: Option<String>,
    /// The bank's or channel's number of the payment, or why it was not made.
    pub note: Option<String>,
    /// The run that has found it on a bank's statement.
    #[serde(default)]
    pub reconciled: Option<ReconciliationId>,
    /// Number of events about it so far.
    pub sequence: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Where a withdrawal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawalStatus {
    /// Booked off the agent's account; waits for somebody else's approval.
    Requested,
    /// May be paid.
    Approved,
    /// Paid.
    Paid,
    /// Not paid and booked back.
    Rejected,
}

impl WithdrawalStatus {
    /// The word used in the API and the database.
    pub fn text(self) -> &'static str {
        match self {
            WithdrawalStatus::Requested => "requested",
            WithdrawalStatus::Approved => "approved",
            WithdrawalStatus::Paid => "paid",
            WithdrawalStatus::Rejected => "rejected",
        }
    }
}

document!(Agent, AgentId, "agent", |agent| Index {
    parent: agent.parent_id.map(|parent| parent.to_string()),
    ..Index::new(if agent.enabled { "enabled" } else { "disabled" })
});
document!(AgentSale, AgentSaleId, "agent_sale", |sale| Index {
    number: Some(sale.source.clone()),
    parent: Some(sale.order_id.to_string()),
    status: if sale.done { "done" } else { "pending" },
    at: sale.created_at,
    due_at: sale.due_at,
});
document!(AgentEntry, AgentEntryId, "agent_entry", |entry| Index {
    number: Some(format!("{}:{}:{}", entry.kind.text(), entry.source, entry.agent_id)),
    parent: Some(entry.agent_id.to_string()),
    status: entry.kind.text(),
    at: entry.created_at,
    due_at: Timestamp::ZERO,
});
document!(AgentStatement, AgentStatementId, "agent_statement", |statement| Index {
    number: Some(format!("{}:{}:{}", statement.agent_id, statement.month, statement.currency)),
    parent: Some(statement.agent_id.to_string()),
    at: statement.created_at,
    ..Index::new("made")
});
document!(AgentWithdrawal, AgentWithdrawalId, "agent_withdrawal", |withdrawal| Index {
    parent: Some(withdrawal.agent_id.to_string()),
    at: withdrawal.created_at,
    ..Index::new(withdrawal.status.text())
});
