//! Adjustments (调账): what a person proposes to book for a break and another person approves. What is executed is what
//! was approved: the effect's hash is taken when it is proposed and compared when it is carried out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::pool::Break;
use super::AdjustmentStatus;
use crate::document::{Document, Index};
use crate::id::{AdjustmentId, BreakId};
use crate::money::Money;
use crate::time::Timestamp;

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
    /// Where it stands.
    pub status: AdjustmentStatus,
    /// What is booked.
    pub effect: Effect,
    /// Whether it clears a surplus or a shortage.
    pub is_long: bool,
    /// How much: all that is suspended.
    pub money: Money,
    /// Why, in words.
    pub reason: String,
    /// What was approved, as a hash: [`effect_hash`].
    pub effect_hash: String,
    /// Who proposed it.
    pub maker: String,
    /// Who decided.
    pub checker: Option<String>,
    /// What was said on deciding.
    pub decision: Option<String>,
    /// Events about it so far.
    pub sequence: i64,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// When it can no longer be approved.
    pub expires_at: Timestamp,
    /// When it is looked at again, wall clock; zero for never.
    pub due_at: Timestamp,
}

/// Why an adjustment may not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The maker is no checker.
    #[error("whoever proposed an adjustment may not approve it; another key has to")]
    SamePerson,
    /// It is decided or over.
    #[error("the adjustment is `{0}`; propose a new one")]
    Decided(&'static str),
    /// The break is not as it was when it was proposed.
    #[error("the break has changed since the adjustment was proposed; propose it again")]
    Changed,
}

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
    /// Whether `checker` may approve it now.
    ///
    /// # Errors
    /// [`Forbidden`], which says what to do.
    pub fn permit(&self, checker: &str, found: &Break, now: Timestamp) -> Result<(), Forbidden> {
        if self.status != AdjustmentStatus::Proposed {
            return Err(Forbidden::Decided(self.status.text()));
        }
        if now >= self.expires_at {
            return Err(Forbidden::Decided(AdjustmentStatus::Expired.text()));
        }
        if checker == self.maker {
            return Err(Forbidden::SamePerson);
        }
        let same = found.id == self.break_id
            && found.status == super::BreakStatus::Open
            && effect_hash(found, self.effect) == self.effect_hash
            && found.suspended.is_some_and(|s| s.money == self.money && s.is_long == self.is_long);
        if same { Ok(()) } else { Err(Forbidden::Changed) }
    }
}

impl Document for Adjustment {
    type Id = AdjustmentId;
    const KIND: &'static str = "adjustment";

    fn id(&self) -> AdjustmentId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn set_version(&mut self, version: i64) {
        self.version = version;
    }

    fn index(&self) -> Index {
        Index {
            number: None,
            parent: Some(self.break_id.to_string()),
            status: self.status.text(),
            at: self.created_at,
            due_at: self.due_at,
        }
    }
}
