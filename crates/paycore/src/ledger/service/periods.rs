//! Operations on periods and the trial balance.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Error, Result};
use crate::event::EventKind;
use crate::id::PeriodId;
use crate::ledger::Basis;
use crate::ledger::period::{Period, TrialBalance, trial_balance};
use crate::page::{List, ListInput};
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// Which period to close.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosePeriod {
    /// Its end: the first instant after it, not in the future and after the end of the period closed last.
    pub until: Timestamp,
}

/// Closes the books up to an instant, for good.
pub async fn close(engine: &Engine, caller: &Caller, input: ClosePeriod) -> Result<Period> {
    let moment = engine.moment(&caller.merchant);
    let books = engine.store.books(caller.tenant()).await?;
    let id = PeriodId::new(moment.now, &*engine.rng);
    let (period, books) = Period::close(books, input.until, moment.now, id, &caller.actor)
        .map_err(|error| Error::invalid("until", format!("This cannot be closed: {error}.")))?;
    let mut changes = Changes { claim: caller.once(period.id, &period, moment), ..Changes::new() };
    let object = period.id.to_string();
    let livemode = caller.merchant.livemode;
    // The event also makes the closing wait for every booking that is under way, and every later one for it.
    changes.events.push(engine.event(EventKind::PeriodClosed, object.clone(), 1, &period, livemode, moment));
    let detail = format!("until {}", period.until);
    changes.audit.push(engine.audit(&caller.actor, "periods.close", Some(object), detail, moment));
    changes.put(Put::Books(books)).put(Put::document(&period));
    engine.commit(caller.tenant(), changes).await?;
    Ok(period)
}

/// Which periods to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPeriods {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this period.
    #[serde(default)]
    pub starting_after: Option<PeriodId>,
    /// Only rows listed before this period.
    #[serde(default)]
    pub ending_before: Option<PeriodId>,
}

/// Closed periods, the last one first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListPeriods) -> Result<List<Period>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter = DocumentFilter::default();
    let rows = engine.documents::<Period>(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(page.list(rows, |period| period.id.to_string()))
}

/// Which instant to look at.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrialBalanceAt {
    /// The instant, its own bookings included; now where absent.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// What the books said then (`booked`), or what they say about then (`effective`).
    #[serde(default)]
    pub basis: Basis,
}

/// The trial balance at an instant.
pub async fn trial(engine: &Engine, caller: &Caller, input: TrialBalanceAt) -> Result<TrialBalance> {
    let balances = super::balances_of(engine, caller.tenant(), input.at, input.basis).await?;
    let at = input.at.unwrap_or_else(|| engine.moment(&caller.merchant).now);
    Ok(trial_balance(&balances, at, input.basis))
}
