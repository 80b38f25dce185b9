//! Operations on holds.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::currency::Currency;
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::{Booking, EventKind};
use crate::id::{HoldId, MerchantId};
use crate::ledger::hold::{Hold, HoldStatus, ReleaseError};
use crate::merchant::Merchant;
use crate::order::input::{Moment, amount, text};
use crate::page::{List, ListInput};
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// What to put on hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateHold {
    /// Minor units, at least 1 and at most what is available.
    #[schemars(range(min = 1))]
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// Why, 1 to 500 characters.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
    /// When what is left is released by itself, in the future; absent: never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// Puts an amount of the available balance on hold.
///
/// # Errors
/// `insufficient_balance` where less is available.
pub async fn create(engine: &Engine, caller: &Caller, input: CreateHold) -> Result<Hold> {
    text("reason", &input.reason, 1, 500)?;
    amount("amount", input.amount, input.currency)?;
    let moment = engine.moment(&caller.merchant);
    if input.expires_at.is_some_and(|at| at <= moment.now) {
        return Err(Error::invalid("expires_at", "Must be in the future."));
    }
    let mut hold = Hold {
        id: HoldId::new(moment.now, &*engine.rng),
        version: 0,
        amount: input.amount,
        currency: input.currency,
        released: 0,
        status: HoldStatus::Held,
        reason: input.reason,
        expires_at: input.expires_at,
        created_at: moment.now,
        updated_at: moment.now,
        due_at: input.expires_at.map_or(Timestamp::ZERO, |at| moment.due(at)),
        sequence: 0,
    };
    let mut changes = Changes::new();
    let booking = hold.booking();
    record(engine, &mut changes, &caller.merchant, &mut hold, (EventKind::HoldCreated, booking), moment);
    changes.claim = caller.once(hold.id, &hold, moment);
    let detail = format!("{} {}: {}", hold.amount, hold.currency.code(), hold.reason);
    changes.audit.push(engine.audit(
        &caller.actor,
        "holds.create",
        Some(hold.id.to_string()),
        detail,
        moment,
    ));
    engine.commit(caller.tenant(), changes).await.map_err(|error| Error::from(error).param("amount"))?;
    Ok(hold)
}

/// A hold and how much of it to release.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseHold {
    /// The hold.
    pub id: HoldId,
    /// Minor units, at least 1 and at most what is left; all that is left where absent.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub amount: Option<i64>,
}

/// Releases a hold, or a part of it.
///
/// # Errors
/// `state_not_allowed` where it is over.
pub async fn release(engine: &Engine, caller: &Caller, input: ReleaseHold) -> Result<Hold> {
    if input.amount.is_some_and(|amount| amount <= 0) {
        return Err(Error::new(Code::InvalidAmount, "Must be at least 1 minor unit.").param("amount"));
    }
    let moment = engine.moment(&caller.merchant);
    let mut hold: Hold = engine.document(caller.tenant(), input.id).await?;
    let booking = hold.release(input.amount, moment.now).map_err(|error| refused(&hold, error))?;
    let mut changes = Changes::new();
    let detail = format!("{} {}", booking.parts[0].1.minor(), hold.currency.code());
    record(engine, &mut changes, &caller.merchant, &mut hold, (EventKind::HoldReleased, booking), moment);
    changes.claim = caller.once(hold.id, &hold, moment);
    changes.audit.push(engine.audit(
        &caller.actor,
        "holds.release",
        Some(hold.id.to_string()),
        detail,
        moment,
    ));
    engine.commit(caller.tenant(), changes).await?;
    Ok(hold)
}

/// A hold named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldById {
    /// The hold.
    pub id: HoldId,
}

/// One hold.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: HoldById) -> Result<Hold> {
    engine.document(caller.tenant(), input.id).await
}

/// Which holds to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListHolds {
    /// Only those that stand here.
    #[serde(default)]
    pub status: Option<HoldStatus>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this hold.
    #[serde(default)]
    pub starting_after: Option<HoldId>,
    /// Only rows listed before this hold.
    #[serde(default)]
    pub ending_before: Option<HoldId>,
}

/// Holds, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListHolds) -> Result<List<Hold>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let status = input.status.map(|status| status.text().to_owned());
    let filter = DocumentFilter { status, ..DocumentFilter::default() };
    let rows = engine.documents::<Hold>(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(page.list(rows, |hold| hold.id.to_string()))
}

/// A hold whose time may have run out: the workers' part.
pub(crate) async fn due(engine: &Engine, tenant: MerchantId, id: HoldId) -> Result<()> {
    let mut hold: Hold = engine.document(tenant, id).await?;
    let merchant = engine.merchant(tenant).await?;
    let moment = engine.moment(&merchant);
    let Some(booking) = hold.expire(moment.now) else { return Ok(()) };
    let mut changes = Changes::new();
    record(engine, &mut changes, &merchant, &mut hold, (EventKind::HoldExpired, booking), moment);
    // Somebody released it at the same time; what is left is looked at again after the lease.
    engine.commit_or_yield(tenant, changes).await
}

/// The event of what happened with its booking, and the hold as it stands after.
fn record(
    engine: &Engine,
    changes: &mut Changes,
    merchant: &Merchant,
    hold: &mut Hold,
    (kind, booking): (EventKind, Booking),
    moment: Moment,
) {
    hold.sequence += 1;
    let mut event = engine.event(kind, hold.id.to_string(), hold.sequence, hold, merchant.livemode, moment);
    event.booking = Some(booking);
    changes.events.push(event);
    changes.put(Put::document(hold));
}

fn refused(hold: &Hold, error: ReleaseError) -> Error {
    let text = error.to_string();
    let error = match error {
        ReleaseError::Over(_) => {
            Error::new(Code::StateNotAllowed, format!("{text}; there is nothing to release."))
        }
        ReleaseError::Amount { .. } => Error::new(Code::InvalidAmount, format!("{text}.")).param("amount"),
    };
    error.object(hold.id)
}
