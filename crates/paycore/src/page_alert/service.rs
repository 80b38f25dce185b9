//! Takes reports in, and lists what they came to.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Finding, PageAlert};
use crate::document::{DocumentFilter, Shown};
use crate::engine::{Caller, Engine};
use crate::error::Result;
use crate::event::EventKind;
use crate::id::{MerchantId, PageAlertId};
use crate::page::{List, ListInput};
use crate::store::{Changes, CommitError, Page, Put};

/// A merchant's alerts are at most this many: whoever sends made-up reports fills nobody's disk.
const ALERTS_MAX: usize = 200;

/// Takes one report in. The first of its kind is an event and a row of the audit trail; those that follow are counted.
/// Answers whether anything was kept.
pub async fn report(engine: &Engine, tenant: MerchantId, finding: Finding) -> Result<bool> {
    let merchant = engine.merchant(tenant).await?;
    let moment = engine.moment(&merchant);
    let known: Option<PageAlert> = engine.document_by_number(tenant, &finding.number()).await?;
    let mut changes = Changes::default();
    let alert = match known {
        Some(alert) => PageAlert { count: alert.count + 1, last_seen_at: moment.now, ..alert },
        None => {
            let page = Page { limit: ALERTS_MAX, after: None, before: None };
            let all: Vec<PageAlert> = engine.documents(tenant, &DocumentFilter::default(), &page).await?;
            if all.len() >= ALERTS_MAX {
                return Ok(false);
            }
            let id = PageAlertId::new(moment.now, &*engine.rng);
            let (first_seen_at, last_seen_at) = (moment.now, moment.now);
            let alert = PageAlert { id, version: 0, finding, count: 1, first_seen_at, last_seen_at };
            let what = alert.finding.directive.clone();
            changes.audit.push(engine.audit("page", "page_alerts.open", Some(id.to_string()), what, moment));
            let shown = Shown::of(alert.clone());
            let kind = EventKind::PageAlertOpened;
            changes.events.push(engine.event(kind, id.to_string(), 1, &shown, merchant.livemode, moment));
            alert
        }
    };
    changes.put(Put::document(&alert));
    match engine.commit(tenant, changes).await {
        Ok(()) => Ok(true),
        // Two browsers said the same at once: one of them is enough.
        Err(CommitError::Stale | CommitError::Duplicate(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Which alerts to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPageAlerts {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this alert.
    #[serde(default)]
    pub starting_after: Option<PageAlertId>,
    /// Only rows listed before this alert.
    #[serde(default)]
    pub ending_before: Option<PageAlertId>,
}

/// Alerts, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListPageAlerts) -> Result<List<Shown<PageAlert>>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let rows = engine.documents(caller.tenant(), &DocumentFilter::default(), &page.fetch()).await?;
    Ok(Shown::list(&page, rows))
}
