//! Operations on corrections: proposed by one key of the platform, approved by another, an entry of the next statement.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::plans::merchant;
use crate::clearing::{Item, ItemKind};
use crate::document::{DocumentFilter, Shown};
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::EventKind;
use crate::id::{CorrectionId, EventId, ItemId, MerchantId, SettlementId};
use crate::merchant::Merchant;
use crate::money::Money;
use crate::order::input::{AMOUNT_MAX, Moment, text};
use crate::page::{List, ListInput};
use crate::proposal::{Proposal, ProposalStatus};
use crate::settlement::correction::effect_hash;
use crate::settlement::{Correction, Plan, Settlement};
use crate::store::{Changes, Put};

/// What `settlements.correct` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectSettlement {
    /// The settlement; it has to be closed.
    pub id: SettlementId,
    /// Whose it is.
    pub merchant_id: MerchantId,
    /// Minor units of the settlement's currency: positive what the merchant got too little, negative what it got too much.
    #[schemars(range(min = -99_999_999_999_999_i64, max = 99_999_999_999_999_i64))]
    pub amount: i64,
    /// Why, 1 to 500 characters; on the trail.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
}

/// Proposes a correction of a settlement that was published. Nothing is booked before somebody else approves it. The same
/// proposal again answers with the one there is.
pub async fn correct(
    engine: &Engine,
    caller: &Caller,
    input: CorrectSettlement,
) -> Result<Shown<Correction>> {
    text("reason", &input.reason, 1, 500)?;
    if input.amount == 0 || input.amount.saturating_abs() > AMOUNT_MAX {
        let detail = format!("Must not be 0, and at most {AMOUNT_MAX} either way.");
        return Err(Error::new(Code::InvalidAmount, detail).param("amount"));
    }
    let (merchant, moment) = merchant(engine, input.merchant_id).await?;
    let settlement: Settlement = engine.document(merchant.id, input.id).await?;
    if settlement.statement.is_none() {
        let detail = "This settlement is still being made; it is right by itself once it is closed.";
        return Err(Error::new(Code::StateNotAllowed, detail).object(settlement.id));
    }
    let money = Money::new(input.amount, settlement.currency);
    let hash = effect_hash(&settlement, money, &input.reason);
    if let Some(known) = engine.document_by_number::<Correction>(merchant.id, &hash).await? {
        return Ok(Shown::of(known));
    }
    let correction = Correction {
        id: CorrectionId::new(moment.now, &*engine.rng),
        version: 0,
        settlement_id: settlement.id,
        money,
        proposal: Proposal::new(caller.actor.clone(), input.reason, hash, moment),
        sequence: 0,
    };
    let step = Step { engine, merchant, moment, correction };
    step.commit(EventKind::CorrectionProposed, Some((caller, "settlements.correct")), None).await
}

/// One step of a correction, to be committed with its event and its trail.
struct Step<'a> {
    engine: &'a Engine,
    merchant: Arc<Merchant>,
    moment: Moment,
    correction: Correction,
}

impl<'a> Step<'a> {
    async fn read(engine: &'a Engine, whose: MerchantId, id: CorrectionId) -> Result<Step<'a>> {
        let (merchant, moment) = merchant(engine, whose).await?;
        let correction = engine.document(merchant.id, id).await?;
        Ok(Step { engine, merchant, moment, correction })
    }

    /// The key of the call is the operator's and not this merchant's, so that it is not taken here: the version of the
    /// correction makes a repeated call harmless.
    async fn commit(
        mut self,
        kind: EventKind,
        by: Option<(&Caller, &str)>,
        executed: Option<(Settlement, Plan)>,
    ) -> Result<Shown<Correction>> {
        let mut changes = Changes::default();
        self.correction.sequence += 1;
        let (id, sequence) = (self.correction.id.to_string(), self.correction.sequence);
        let shown = Shown::of(self.correction.clone());
        let booking = executed.is_some().then(|| self.correction.booking());
        let about = (id.clone(), sequence);
        let event = self.engine.object_event(kind, about, &shown, booking, &self.merchant, self.moment);
        if let Some((mut settlement, plan)) = executed {
            settlement.corrections.push(self.correction.id);
            let item = entry(self.engine, &self.correction, &plan, event.id, self.moment);
            changes.put(Put::document(&settlement)).put(Put::document(&item));
        }
        changes.events.push(event);
        if let Some((caller, action)) = by {
            let detail = format!("{} {}", self.correction.money, self.correction.proposal.effect_hash);
            changes.audit.push(self.engine.audit(&caller.actor, action, Some(id), detail, self.moment));
        }
        changes.put(Put::document(&self.correction));
        self.engine.commit(self.merchant.id, changes).await?;
        Ok(shown)
    }
}

/// The entry of the next statement, available as the plan says.
fn entry(engine: &Engine, correction: &Correction, plan: &Plan, event: EventId, moment: Moment) -> Item {
    let id = ItemId::new(moment.now, &*engine.rng);
    let mut item = Item::new(id, ItemKind::Adjustment, event, correction.money, moment.now);
    item.available_at = plan.terms.available_at(moment.now, None, correction.money.is_positive());
    item.corrects = Some(correction.settlement_id);
    item
}

/// A correction named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectionById {
    /// The correction.
    pub id: CorrectionId,
    /// Whose it is.
    pub merchant_id: MerchantId,
}

/// Approves a correction and books it in the same step. The key has to be another than the one that proposed it.
pub async fn approve(engine: &Engine, caller: &Caller, input: CorrectionById) -> Result<Shown<Correction>> {
    let mut step = Step::read(engine, input.merchant_id, input.id).await?;
    let tenant = step.merchant.id;
    let settlement: Settlement = engine.document(tenant, step.correction.settlement_id).await?;
    let hash = step.correction.effect_on(&settlement);
    let approved = step.correction.proposal.approve(&caller.actor, hash.as_deref(), step.moment.now);
    approved.map_err(|forbidden| Error::from(forbidden).object(input.id))?;
    let plan: Plan = engine.document(tenant, settlement.plan_id).await?;
    let by = Some((caller, "settlement_corrections.approve"));
    step.commit(EventKind::CorrectionExecuted, by, Some((settlement, plan))).await
}

/// A decision about a correction.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideCorrection {
    /// The correction.
    pub id: CorrectionId,
    /// Whose it is.
    pub merchant_id: MerchantId,
    /// Why, 1 to 500 characters.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
}

/// Refuses a correction; whoever proposed it may take it back so.
pub async fn reject(engine: &Engine, caller: &Caller, input: DecideCorrection) -> Result<Shown<Correction>> {
    text("reason", &input.reason, 1, 500)?;
    let mut step = Step::read(engine, input.merchant_id, input.id).await?;
    let rejected = step.correction.proposal.reject(&caller.actor, input.reason, step.moment.now);
    rejected.map_err(|illegal| Error::from(illegal).object(input.id))?;
    step.commit(EventKind::CorrectionRejected, Some((caller, "settlement_corrections.reject")), None).await
}

/// A proposal's time is over.
pub(crate) async fn due(engine: &Engine, tenant: MerchantId, id: CorrectionId) -> Result<()> {
    let mut step = Step::read(engine, tenant, id).await?;
    if step.correction.proposal.expire(step.moment) {
        return step.commit(EventKind::CorrectionRejected, None, None).await.map(drop);
    }
    // A row that is due although there is nothing to do: its time is set anew.
    let mut changes = Changes::default();
    changes.put(Put::document(&step.correction));
    engine.commit_or_yield(tenant, changes).await
}

/// Which corrections to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCorrections {
    /// Only of this settlement.
    #[serde(default)]
    pub settlement_id: Option<SettlementId>,
    /// Only those that stand here.
    #[serde(default)]
    pub status: Option<ProposalStatus>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this correction.
    #[serde(default)]
    pub starting_after: Option<CorrectionId>,
    /// Only rows listed before this correction.
    #[serde(default)]
    pub ending_before: Option<CorrectionId>,
}

/// Corrections, newest first.
pub async fn corrections(
    engine: &Engine,
    caller: &Caller,
    input: ListCorrections,
) -> Result<List<Shown<Correction>>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter = DocumentFilter {
        parent: input.settlement_id.map(|id| id.to_string()),
        status: input.status.map(|status| status.text().to_owned()),
        ..DocumentFilter::default()
    };
    let rows = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(Shown::list(&page, rows))
}
