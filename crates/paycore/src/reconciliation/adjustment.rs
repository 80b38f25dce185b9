//! Adjustments (调账): what a person proposes to book for a break and another person approves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::BreakStatus;
use super::pool::Break;
use crate::document::{Index, document};
use crate::id::{AdjustmentId, BreakId};
use crate::money::Money;
use crate::proposal::Proposal;

/// What is booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// What is on suspense goes back where it came from: the channel or we were wrong, and it is put right there.
    Release,
    /// A surplus (长款) is the merchant's.
    CreditMerchant,
    /// A shortage (短款) is the merchant's to bear.
    ChargeMerchant,
    /// A shortage is a cost of ours.
    WriteOff,
}

impl Effect {
    /// Every effect.
    pub const ALL: &'static [Effect] =
        &[Effect::Release, Effect::CreditMerchant, Effect::ChargeMerchant, Effect::WriteOff];

    /// The word in the API and the database.
    pub fn text(self) -> &'static str {
        match self {
            Effect::Release => "release",
            Effect::CreditMerchant => "credit_merchant",
            Effect::ChargeMerchant => "charge_merchant",
            Effect::WriteOff => "write_off",
        }
    }

    /// Whether it can be done about a surplus, or about a shortage.
    pub fn fits(self, is_long: bool) -> bool {
        match self {
            Effect::Release => true,
            Effect::CreditMerchant => is_long,
            Effect::ChargeMerchant | Effect::WriteOff => !is_long,
        }
    }
}

/// An adjustment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// Its id.
    pub id: AdjustmentId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// The break.
    pub break_id: BreakId,
    /// What is booked.
    pub effect: Effect,
    /// Whether it clears a surplus or a shortage.
    pub is_long: bool,
    /// How much: all that is suspended.
    pub money: Money,
    /// Who proposed it, and what became of it.
    #[serde(flatten)]
    pub proposal: Proposal,
    /// Events about it so far.
    pub sequence: i64,
}

document!(Adjustment, AdjustmentId, "adjustment", |adjustment| Index {
    number: None,
    parent: Some(adjustment.break_id.to_string()),
    status: adjustment.proposal.status.text(),
    at: adjustment.proposal.created_at,
    due_at: adjustment.proposal.due_at,
});

/// What an approval covers: the break as it stands, the effect and the amount. Any change gives another hash.
pub fn effect_hash(found: &Break, effect: Effect) -> String {
    let suspended = found.suspended.map(|suspended| (suspended.is_long, suspended.money.to_string()));
    let facts = serde_json::json!([
        found.id.to_string(),
        found.channel,
        found.class.text(),
        found.ours,
        found.theirs,
        suspended,
        effect.text(),
    ]);
    crate::merchant::rules::hex(&Sha256::digest(facts.to_string()))
}

impl Adjustment {
    /// The hash of its effect on the break as it is now; none where the break is dealt with, or stands otherwise on suspense.
    pub fn effect_on(&self, found: &Break) -> Option<String> {
        let same = found.id == self.break_id
            && found.status == BreakStatus::Open
            && found.suspended.is_some_and(|on| on.money == self.money && on.is_long == self.is_long);
        same.then(|| effect_hash(found, self.effect))
    }
}
