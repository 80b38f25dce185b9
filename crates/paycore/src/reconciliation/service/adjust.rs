//! Adjustments: proposed by one person, approved by another, booked as approved, once.

use schemars::JsonSchema;
use serde::Deserialize;

use super::pool;
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::{Booking, EventKind, Movement, Part};
use crate::id::{AdjustmentId, BreakId, MerchantId};
use crate::merchant::Merchant;
use crate::order::input::{Moment, text};
use crate::page::{List, ListInput};
use crate::proposal::{Proposal, ProposalStatus};
use crate::reconciliation::BreakStatus;
use crate::reconciliation::adjustment::{Adjustment, Effect, effect_hash};
use crate::reconciliation::pool::{Break, How, Resolution, Suspended};
use crate::reconciliation::rules::{Suspense, suspense};
use crate::reconciliation::view::AdjustmentView;
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// What `adjustments.propose` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeAdjustment {
    /// The break whose suspense it clears.
    pub break_id: BreakId,
    /// What is to be booked.
    pub effect: Effect,
    /// Why, 1 to 500 characters.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
}

/// Proposes an adjustment. Nothing is booked before somebody else approves it.
pub async fn propose(engine: &Engine, caller: &Caller, input: ProposeAdjustment) -> Result<AdjustmentView> {
    text("reason", &input.reason, 1, 500)?;
    let found: Break = engine.document(caller.tenant(), input.break_id).await?;
    let on = found.suspended.filter(|_| found.status == BreakStatus::Open).ok_or_else(|| {
        Error::new(
            Code::StateNotAllowed,
            "Nothing stands on suspense because of this break; resolve it instead.",
        )
        .object(found.id)
    })?;
    if !input.effect.fits(on.is_long) {
        let side = if on.is_long { "a surplus (长款)" } else { "a shortage (短款)" };
        return Err(Error::invalid("effect", format!("`{}` does not fit {side}.", input.effect.text())));
    }
    let moment = engine.moment(&caller.merchant);
    let hash = effect_hash(&found, input.effect);
    let mut adjustment = Adjustment {
        id: AdjustmentId::new(moment.now, &*engine.rng),
        version: 0,
        break_id: found.id,
        effect: input.effect,
        is_long: on.is_long,
        money: on.money,
        proposal: Proposal::new(caller.actor.clone(), input.reason, hash, moment),
        sequence: 0,
    };
    let mut changes = Changes::default();
    event(engine, &caller.merchant, &mut adjustment, EventKind::AdjustmentProposed, None, &mut changes);
    finish(engine, caller, adjustment, changes, "adjustments.propose", moment).await
}

/// Commits what one request did to an adjustment, with its trail.
async fn finish(
    engine: &Engine,
    caller: &Caller,
    adjustment: Adjustment,
    mut changes: Changes,
    action: &'static str,
    moment: Moment,
) -> Result<AdjustmentView> {
    let view = adjustment.view();
    changes.claim = caller.once(adjustment.id, &view, moment);
    let detail = format!("{} {} {}", view.effect.text(), adjustment.money, view.effect_hash);
    let object = Some(adjustment.id.to_string());
    changes.audit.push(engine.audit(&caller.actor, action, object, detail, moment));
    changes.put(Put::document(&adjustment));
    engine.commit(caller.tenant(), changes).await?;
    Ok(view)
}

fn event(
    engine: &Engine,
    merchant: &Merchant,
    adjustment: &mut Adjustment,
    kind: EventKind,
    booking: Option<Booking>,
    changes: &mut Changes,
) {
    adjustment.sequence += 1;
    let moment = engine.moment(merchant);
    let (id, view) = (adjustment.id.to_string(), adjustment.view());
    let mut event = engine.event(kind, id, adjustment.sequence, &view, merchant.livemode, moment);
    event.booking = booking;
    changes.events.push(event);
}

/// An adjustment named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustmentById {
    /// The adjustment.
    pub id: AdjustmentId,
}

/// A decision about an adjustment.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideAdjustment {
    /// The adjustment.
    pub id: AdjustmentId,
    /// Why, 1 to 500 characters.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
}

/// Approves an adjustment and books it in the same step. The key has to be another than the one that proposed it.
pub async fn approve(engine: &Engine, caller: &Caller, input: AdjustmentById) -> Result<AdjustmentView> {
    let mut adjustment: Adjustment = engine.document(caller.tenant(), input.id).await?;
    let mut found: Break = engine.document(caller.tenant(), adjustment.break_id).await?;
    let moment = engine.moment(&caller.merchant);
    let hash = adjustment.effect_on(&found);
    let approved = adjustment.proposal.approve(&caller.actor, hash.as_deref(), moment.now);
    approved.map_err(|forbidden| Error::from(forbidden).object(input.id))?;
    let mut changes = Changes::default();
    let booking = booked(&adjustment, &found.channel);
    let kind = EventKind::AdjustmentExecuted;
    event(engine, &caller.merchant, &mut adjustment, kind, Some(booking), &mut changes);
    found.suspended = None;
    let note = format!("{}: {}", adjustment.id, adjustment.proposal.reason);
    let resolution = Resolution { how: How::Adjusted, by: caller.actor.clone(), note, at: Timestamp::ZERO };
    pool::close(engine, &caller.merchant, &mut found, resolution, None, &mut changes)?;
    changes.put(Put::document(&found));
    finish(engine, caller, adjustment, changes, "adjustments.approve", moment).await
}

/// What an approved adjustment books.
fn booked(adjustment: &Adjustment, channel: &str) -> Booking {
    let movement = match adjustment.effect {
        Effect::Release => {
            let on = Suspended { is_long: adjustment.is_long, money: adjustment.money };
            return suspense(channel, on, Suspense::Release);
        }
        Effect::CreditMerchant => Movement::SuspenseLongCredited,
        Effect::ChargeMerchant => Movement::SuspenseShortCharged,
        Effect::WriteOff => Movement::SuspenseShortWrittenOff,
    };
    Booking::new(movement, Part::Gross, adjustment.money).channel(channel)
}

/// Refuses an adjustment; whoever proposed it may take it back so.
pub async fn reject(engine: &Engine, caller: &Caller, input: DecideAdjustment) -> Result<AdjustmentView> {
    text("reason", &input.reason, 1, 500)?;
    let mut adjustment: Adjustment = engine.document(caller.tenant(), input.id).await?;
    let moment = engine.moment(&caller.merchant);
    let rejected = adjustment.proposal.reject(&caller.actor, input.reason, moment.now);
    rejected.map_err(|illegal| Error::from(illegal).object(input.id))?;
    let mut changes = Changes::default();
    let kind = EventKind::AdjustmentRejected;
    event(engine, &caller.merchant, &mut adjustment, kind, None, &mut changes);
    finish(engine, caller, adjustment, changes, "adjustments.reject", moment).await
}

/// A proposal's time is over.
pub(super) async fn due(engine: &Engine, tenant: MerchantId, id: AdjustmentId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let mut adjustment: Adjustment = engine.document(tenant, id).await?;
    let moment = engine.moment(&merchant);
    let mut changes = Changes::default();
    if adjustment.proposal.expire(moment) {
        let kind = EventKind::AdjustmentRejected;
        event(engine, &merchant, &mut adjustment, kind, None, &mut changes);
    }
    changes.put(Put::document(&adjustment));
    engine.commit(tenant, changes).await.map_err(Error::from)
}

/// Which adjustments to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAdjustments {
    /// Only of this break.
    #[serde(default)]
    pub break_id: Option<BreakId>,
    /// Only in this state.
    #[serde(default)]
    pub status: Option<ProposalStatus>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this id.
    #[serde(default)]
    pub starting_after: Option<AdjustmentId>,
    /// Only rows listed before this id.
    #[serde(default)]
    pub ending_before: Option<AdjustmentId>,
}

/// Adjustments, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListAdjustments) -> Result<List<AdjustmentView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter = DocumentFilter {
        parent: input.break_id.map(|id| id.to_string()),
        status: input.status.map(|status| status.text().to_owned()),
        ..DocumentFilter::default()
    };
    let rows: Vec<Adjustment> = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(page.list(rows.iter().map(Adjustment::view).collect(), |view| view.id.to_string()))
}
