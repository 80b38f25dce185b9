//! Corrections (更正): a settlement that was published is never rewritten. One key proposes what the merchant got too little
//! or too much, another approves it, and it stands as an entry of the merchant's next statement that names the settlement
//! it corrects.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Settlement;
use crate::document::{Index, document};
use crate::event::{Booking, Movement, Part};
use crate::id::{CorrectionId, SettlementId};
use crate::merchant::rules::hex;
use crate::money::Money;
use crate::proposal::Proposal;

/// A correction of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SettlementCorrection")]
pub struct Correction {
    /// Its id.
    pub id: CorrectionId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// The settlement that it corrects.
    pub settlement_id: SettlementId,
    /// Positive what the merchant got too little, negative what it got too much.
    #[serde(flatten)]
    pub money: Money,
    /// Who proposed it, and what became of it.
    #[serde(flatten)]
    pub proposal: Proposal,
    /// How many events there were about it.
    pub sequence: i64,
}

document!(Correction, CorrectionId, "settlement_correction", |correction| Index {
    // Proposed again while nothing else was corrected, it is the same.
    number: Some(correction.proposal.effect_hash.clone()),
    parent: Some(correction.settlement_id.to_string()),
    status: correction.proposal.status.text(),
    at: correction.proposal.created_at,
    due_at: correction.proposal.due_at,
});

/// What an approval covers. Another correction of the settlement in between gives another hash.
pub fn effect_hash(settlement: &Settlement, money: Money, reason: &str) -> String {
    let before = settlement.corrections.len();
    let facts = serde_json::json!([settlement.id, settlement.number, before, money, reason]);
    hex(&Sha256::digest(facts.to_string()))
}

impl Correction {
    /// The hash of its effect on the settlement as it is now; none on another settlement.
    pub fn effect_on(&self, settlement: &Settlement) -> Option<String> {
        let is_its = settlement.id == self.settlement_id;
        is_its.then(|| effect_hash(settlement, self.money, &self.proposal.reason))
    }

    /// What is booked: from the platform to the merchant, or back.
    pub fn booking(&self) -> Booking {
        let amount = Money::new(self.money.minor().saturating_abs(), self.money.currency());
        let part = if self.money.is_positive() { Part::FeeBack } else { Part::Fee };
        Booking::new(Movement::SettlementCorrection, part, amount)
    }
}
