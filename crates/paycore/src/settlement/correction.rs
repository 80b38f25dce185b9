//! Corrections (更正): a settlement that was published is never rewritten. One key proposes what the merchant got too little
//! or too much, another approves it, and it stands as an entry of the merchant's next statement that names the settlement
//! it corrects. What is approved is what is executed: its hash is taken when it is proposed and compared when it is booked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Settlement;
use crate::document::{Index, document};
use crate::event::{Booking, Movement, Part};
use crate::id::{CorrectionId, SettlementId};
use crate::merchant::rules::hex;
use crate::money::Money;
pub use crate::reconciliation::AdjustmentStatus as CorrectionStatus;
use crate::time::Timestamp;

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
    /// Where it stands.
    pub status: CorrectionStatus,
    /// Positive what the merchant got too little, negative what it got too much.
    #[serde(flatten)]
    pub money: Money,
    /// Why, in words.
    pub reason: String,
    /// Hex SHA-256 over the settlement as it stood, the amount and the reason: what is approved and what is executed.
    pub effect_hash: String,
    /// The key that proposed it.
    pub maker: String,
    /// The key that decided.
    pub checker: Option<String>,
    /// What was said on deciding.
    pub decision: Option<String>,
    /// How many events there were about it.
    pub sequence: i64,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// When it can no longer be approved.
    pub expires_at: Timestamp,
    /// When a worker looks at it next, wall clock; zero for never.
    pub due_at: Timestamp,
}

document!(Correction, CorrectionId, "settlement_correction", |correction| Index {
    // Proposed again while nothing else was corrected, it is the same.
    number: Some(correction.effect_hash.clone()),
    parent: Some(correction.settlement_id.to_string()),
    status: correction.status.text(),
    at: correction.created_at,
    due_at: correction.due_at,
});

/// Why a correction may not be executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The maker is no checker.
    #[error("whoever proposed a correction may not approve it; another key has to")]
    SamePerson,
    /// It is decided or over.
    #[error("the correction is `{}`; propose a new one", .0.text())]
    Decided(CorrectionStatus),
    /// The settlement was corrected otherwise since it was proposed.
    #[error("the settlement was corrected since this was proposed; propose it again")]
    Changed,
}

/// What an approval covers. Another correction of the settlement in between gives another hash.
pub fn effect_hash(settlement: &Settlement, money: Money, reason: &str) -> String {
    let before = settlement.corrections.len();
    let facts = serde_json::json!([settlement.id, settlement.number, before, money, reason]);
    hex(&Sha256::digest(facts.to_string()))
}

impl Correction {
    /// Whether `checker` may approve it now.
    ///
    /// # Errors
    /// [`Forbidden`], which says what to do.
    pub fn permit(&self, checker: &str, settlement: &Settlement, now: Timestamp) -> Result<(), Forbidden> {
        if self.status != CorrectionStatus::Proposed {
            return Err(Forbidden::Decided(self.status));
        }
        if now >= self.expires_at {
            return Err(Forbidden::Decided(CorrectionStatus::Expired));
        }
        if checker == self.maker {
            return Err(Forbidden::SamePerson);
        }
        let same = settlement.id == self.settlement_id
            && effect_hash(settlement, self.money, &self.reason) == self.effect_hash;
        if same { Ok(()) } else { Err(Forbidden::Changed) }
    }

    /// What is booked: from the platform to the merchant, or back.
    pub fn booking(&self) -> Booking {
        let amount = Money::new(self.money.minor().saturating_abs(), self.money.currency());
        let part = if self.money.is_positive() { Part::FeeBack } else { Part::Fee };
        Booking::new(Movement::SettlementCorrection, part, amount)
    }
}
