//! Operations on fee schedules. Prices are set by the operator of the installation, for one merchant at a time; the
//! merchant reads them.

mod month;
mod report;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use month::due;
pub use month::{TrueUp, TrueUpMonth, true_up};
pub use report::{MarginInput, QuoteInput, QuoteView, SimulateInput, margin, quote, simulate};

use super::{Month, Revision, Schedule, Side, Terms, check};
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::id::{FeeScheduleId, MerchantId};
use crate::merchant::Merchant;
use crate::order::input::{Moment, text};
use crate::page::{List, ListInput};
use crate::store::{Changes, CommitError, Put};
use crate::time::Timestamp;

/// Revisions of one schedule.
const REVISIONS_MAX: usize = 500;

/// A fee schedule as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "FeeSchedule")]
pub struct ScheduleView {
    /// Its id.
    pub id: FeeScheduleId,
    /// Always `fee_schedule`.
    pub object: &'static str,
    /// A name people recognise it by.
    pub name: String,
    /// `price` for what the merchant is charged, `cost` for what the channel keeps.
    pub side: Side,
    /// Of several schedules that know a payment the one with the larger number prices it.
    pub priority: i32,
    /// Whether it is applied.
    pub active: bool,
    /// Its terms, in the order in which they come into effect.
    pub revisions: Vec<Revision>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Schedule {
    /// The schedule as the API shows it.
    pub fn view(&self) -> ScheduleView {
        ScheduleView {
            id: self.id,
            object: "fee_schedule",
            name: self.name.clone(),
            side: self.side,
            priority: self.priority,
            active: self.active,
            revisions: self.revisions.clone(),
            created_at: self.created_at,
        }
    }
}

/// What `fee_schedules.create` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSchedule {
    /// Whose payments it prices; a live merchant or a sandbox.
    pub merchant_id: MerchantId,
    /// A name people recognise it by, unique for the merchant: 1 to 100 characters.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// `price` for what the merchant is charged, `cost` for what the channel keeps.
    pub side: Side,
    /// Of several schedules that know a payment the one with the larger number prices it. 0 where absent.
    #[serde(default)]
    #[schemars(range(min = -1_000_000, max = 1_000_000))]
    pub priority: i32,
    /// From when it holds; from now where absent. Not in the past: what is priced stays priced.
    #[serde(default)]
    pub effective_from: Option<Timestamp>,
    /// What it charges.
    pub terms: Terms,
}

/// Creates a fee schedule.
pub async fn create(engine: &Engine, caller: &Caller, input: CreateSchedule) -> Result<ScheduleView> {
    text("name", &input.name, 1, 100)?;
    priority(input.priority)?;
    let terms = check::terms(input.terms)?;
    let (merchant, moment) = merchant(engine, input.merchant_id).await?;
    let effective_from = not_past(input.effective_from, moment)?;
    let settling = Month::of(moment.now, terms.utc_offset);
    let due_at = match input.side {
        Side::Price => moment.due(month::settled_from(settling, terms.utc_offset)),
        Side::Cost => Timestamp::ZERO,
    };
    let schedule = Schedule {
        id: FeeScheduleId::new(moment.now, &*engine.rng),
        version: 0,
        name: input.name,
        side: input.side,
        priority: input.priority,
        active: true,
        revisions: vec![Revision { number: 1, effective_from, terms, created_at: moment.now }],
        settling,
        due_at,
        created_at: moment.now,
    };
    write(engine, caller, &merchant, &schedule, "fee_schedules.create", moment).await?;
    Ok(schedule.view())
}

/// What `fee_schedules.update` takes. Absent parameters stay as they are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateSchedule {
    /// The schedule.
    pub id: FeeScheduleId,
    /// Whose it is.
    pub merchant_id: MerchantId,
    /// Whether it is applied.
    #[serde(default)]
    pub active: Option<bool>,
    /// Of several schedules that know a payment the one with the larger number prices it.
    #[serde(default)]
    #[schemars(range(min = -1_000_000, max = 1_000_000))]
    pub priority: Option<i32>,
    /// New terms: a new revision, never an edit.
    #[serde(default)]
    pub terms: Option<Terms>,
    /// From when the new terms hold; from now where absent. Not in the past, and not before the last revision.
    #[serde(default)]
    pub effective_from: Option<Timestamp>,
}

/// Adds a revision to a fee schedule, or changes its priority, or turns it on or off.
pub async fn update(engine: &Engine, caller: &Caller, input: UpdateSchedule) -> Result<ScheduleView> {
    input.priority.map_or(Ok(()), priority)?;
    let terms = input.terms.map(check::terms).transpose()?;
    if terms.is_none() && input.effective_from.is_some() {
        return Err(Error::invalid("effective_from", "Comes with new `terms`."));
    }
    let (merchant, moment) = merchant(engine, input.merchant_id).await?;
    let mut schedule: Schedule = engine.document(merchant.id, input.id).await?;
    schedule.active = input.active.unwrap_or(schedule.active);
    schedule.priority = input.priority.unwrap_or(schedule.priority);
    if let Some(terms) = terms {
        schedule.revise(terms, not_past(input.effective_from, moment)?, moment.now)?;
    }
    write(engine, caller, &merchant, &schedule, "fee_schedules.update", moment).await?;
    Ok(schedule.view())
}

impl Schedule {
    fn revise(&mut self, terms: Terms, effective_from: Timestamp, now: Timestamp) -> Result<()> {
        if self.revisions.len() >= REVISIONS_MAX {
            let detail = format!("A schedule has at most {REVISIONS_MAX} revisions; create a new one.");
            return Err(Error::new(Code::StateNotAllowed, detail).object(self.id));
        }
        let last = self.revisions.last();
        if last.is_some_and(|last| effective_from < last.effective_from) {
            let detail = "Must not be before the revision that was made last; that one is not undone.";
            return Err(Error::invalid("effective_from", detail));
        }
        let number = last.map_or(1, |last| last.number + 1);
        self.revisions.push(Revision { number, effective_from, terms, created_at: now });
        Ok(())
    }
}

fn priority(priority: i32) -> Result<()> {
    if (-1_000_000..=1_000_000).contains(&priority) {
        return Ok(());
    }
    Err(Error::invalid("priority", "Must be -1000000 to 1000000."))
}

fn not_past(at: Option<Timestamp>, moment: Moment) -> Result<Timestamp> {
    match at {
        Some(at) if at < moment.now => {
            Err(Error::invalid("effective_from", "Must not be in the past: what is priced stays priced."))
        }
        at => Ok(at.unwrap_or(moment.now)),
    }
}

/// The merchant an operator's operation is about, and the instant there.
async fn merchant(engine: &Engine, id: MerchantId) -> Result<(Arc<Merchant>, Moment)> {
    let merchant = engine.merchant(id).await.map_err(|error| match error.code {
        Code::NotFound => error.param("merchant_id"),
        _ => error,
    })?;
    let moment = engine.moment(&merchant);
    Ok((merchant, moment))
}

/// The key of the call is the operator's and not this merchant's, so that it is not taken here: the unique name and the
/// version make a repeated call harmless.
async fn write(
    engine: &Engine,
    caller: &Caller,
    merchant: &Merchant,
    schedule: &Schedule,
    action: &str,
    moment: Moment,
) -> Result<()> {
    let mut changes = Changes::default();
    let object = Some(schedule.id.to_string());
    changes.audit.push(engine.audit(&caller.actor, action, object, schedule.name.clone(), moment));
    changes.put(Put::document(schedule));
    engine.commit(merchant.id, changes).await.map_err(|error| match error {
        CommitError::Duplicate(_) => {
            Error::new(Code::DuplicateNumber, "This merchant has a schedule with this name.").param("name")
        }
        other => other.into(),
    })?;
    engine.forget(merchant.id);
    Ok(())
}

/// Which fee schedules to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSchedules {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this schedule.
    #[serde(default)]
    pub starting_after: Option<FeeScheduleId>,
    /// Only rows listed before this schedule.
    #[serde(default)]
    pub ending_before: Option<FeeScheduleId>,
}

/// Fee schedules, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListSchedules) -> Result<List<ScheduleView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let rows: Vec<Schedule> =
        engine.documents(caller.tenant(), &DocumentFilter::default(), &page.fetch()).await?;
    Ok(page.list(rows.iter().map(Schedule::view).collect(), |view: &ScheduleView| view.id.to_string()))
}

/// A fee schedule named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleById {
    /// The schedule.
    pub id: FeeScheduleId,
}

/// One fee schedule.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: ScheduleById) -> Result<ScheduleView> {
    Ok(engine.document::<Schedule>(caller.tenant(), input.id).await?.view())
}
