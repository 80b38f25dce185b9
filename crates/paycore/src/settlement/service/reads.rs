//! Reads of settlements, of the making of them, and of reserves.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::Result;
use crate::id::{ReserveId, SettlementId, SettlementPlanId};
use crate::page::{List, ListInput};
use crate::settlement::view::{ReserveView, RunView, SettlementView};
use crate::settlement::{Reserve, Settlement, SettlementStatus};

/// Which settlements to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSettlements {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this settlement.
    #[serde(default)]
    pub starting_after: Option<SettlementId>,
    /// Only rows listed before this settlement.
    #[serde(default)]
    pub ending_before: Option<SettlementId>,
    /// Only settlements of this plan.
    #[serde(default)]
    pub plan_id: Option<SettlementPlanId>,
    /// Only settlements that stand here.
    #[serde(default)]
    pub status: Option<SettlementStatus>,
}

async fn rows(
    engine: &Engine,
    caller: &Caller,
    input: ListSettlements,
) -> Result<(ListInput, Vec<Settlement>)> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter = DocumentFilter {
        parent: input.plan_id.map(|plan| plan.to_string()),
        status: input.status.map(|status| status.text().to_owned()),
        ..DocumentFilter::default()
    };
    let rows = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok((page, rows))
}

/// Settlements, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListSettlements) -> Result<List<SettlementView>> {
    let (page, rows) = rows(engine, caller, input).await?;
    let views = rows.iter().map(|row| (row.id, row.view(caller.tenant())));
    let list = page.list(views.collect(), |(id, _): &(SettlementId, SettlementView)| id.to_string());
    let data = list.data.into_iter().map(|(_, view)| view).collect();
    Ok(List { object: list.object, data, has_more: list.has_more, next_cursor: list.next_cursor })
}

/// How the making of settlements stands, newest first.
pub async fn list_runs(engine: &Engine, caller: &Caller, input: ListSettlements) -> Result<List<RunView>> {
    let (page, rows) = rows(engine, caller, input).await?;
    Ok(page.list(rows.iter().map(Settlement::run).collect(), |view: &RunView| view.settlement_id.to_string()))
}

/// A settlement named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettlementById {
    /// The settlement.
    pub id: SettlementId,
}

/// One settlement with its statement.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: SettlementById) -> Result<SettlementView> {
    let found: Settlement = engine.document(caller.tenant(), input.id).await?;
    Ok(found.view(caller.tenant()))
}

/// How the making of one settlement stands.
pub async fn retrieve_run(engine: &Engine, caller: &Caller, input: SettlementById) -> Result<RunView> {
    let found: Settlement = engine.document(caller.tenant(), input.id).await?;
    Ok(found.run())
}

/// Which reserves to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListReserves {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this reserve.
    #[serde(default)]
    pub starting_after: Option<ReserveId>,
    /// Only rows listed before this reserve.
    #[serde(default)]
    pub ending_before: Option<ReserveId>,
    /// Only reserves of this plan.
    #[serde(default)]
    pub plan_id: Option<SettlementPlanId>,
    /// Only reserves that still hold something (true) or nothing any more (false).
    #[serde(default)]
    pub held: Option<bool>,
}

/// Reserves, newest first.
pub async fn list_reserves(
    engine: &Engine,
    caller: &Caller,
    input: ListReserves,
) -> Result<List<ReserveView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let status = input.held.map(|held| if held { "held" } else { "released" });
    let filter = DocumentFilter {
        parent: input.plan_id.map(|plan| plan.to_string()),
        status: status.map(str::to_owned),
        ..DocumentFilter::default()
    };
    let rows: Vec<Reserve> = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(page.list(rows.iter().map(Reserve::view).collect(), |view: &ReserveView| view.id.to_string()))
}
