//! Operations on splits.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::document::{DocumentFilter, Shown};
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::id::{OrderId, SplitId};
use crate::page::{List, ListInput};
use crate::split::{Split, SplitStatus, Via};
use crate::store::Changes;

/// A split named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitById {
    /// The split.
    pub id: SplitId,
}

/// One split.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: SplitById) -> Result<Shown<Split>> {
    engine.document(caller.tenant(), input.id).await.map(Shown::of)
}

/// Which splits to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSplits {
    /// Only the one of this order.
    #[serde(default)]
    pub order_id: Option<OrderId>,
    /// Only those that stand here.
    #[serde(default)]
    pub status: Option<SplitStatus>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this split.
    #[serde(default)]
    pub starting_after: Option<SplitId>,
    /// Only rows listed before this split.
    #[serde(default)]
    pub ending_before: Option<SplitId>,
}

/// Splits, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListSplits) -> Result<List<Shown<Split>>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    if let Some(order) = input.order_id {
        let found = engine.document_by_number(caller.tenant(), &order.to_string()).await?;
        let fits = |split: &Split| input.status.is_none_or(|status| split.status == status);
        return Ok(Shown::list(&page, found.into_iter().filter(fits).collect()));
    }
    let status = input.status.map(|status| status.text().to_owned());
    let filter = DocumentFilter { status, ..DocumentFilter::default() };
    let rows = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(Shown::list(&page, rows))
}

/// Lets go of what is held: the goods were delivered, the work was accepted. The shares are given by the workers.
pub async fn release(engine: &Engine, caller: &Caller, input: SplitById) -> Result<Shown<Split>> {
    let mut split: Split = engine.document(caller.tenant(), input.id).await?;
    if !matches!(split.status, SplitStatus::Waiting | SplitStatus::Held) {
        return Err(not_now(&split, "Only a split that is held can be released."));
    }
    let moment = engine.moment(&caller.merchant);
    split.released = true;
    split.updated_at = moment.now;
    split.due_at = moment.wall;
    engine.save(caller, "splits.release", split, Changes::default()).await
}

/// How a blocked split goes on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetrySplit {
    /// The split.
    pub id: SplitId,
    /// The way the shares go now: `channel` asks it again, by new requests, for those that it declined; `ledger` credits
    /// them here.
    pub via: Via,
}

/// Goes on with a split that is blocked. Only what the channel definitely declined is asked for again.
pub async fn retry(engine: &Engine, caller: &Caller, input: RetrySplit) -> Result<Shown<Split>> {
    let mut split: Split = engine.document(caller.tenant(), input.id).await?;
    if split.status != SplitStatus::Blocked {
        return Err(not_now(&split, "Only a split that is blocked can be tried again."));
    }
    let moment = engine.moment(&caller.merchant);
    split.retry();
    split.via = Some(input.via);
    split.updated_at = moment.now;
    split.due_at = moment.wall;
    engine.save(caller, "splits.retry", split, Changes::default()).await
}

fn not_now(split: &Split, hint: &str) -> Error {
    let detail = format!("The split is `{}`. {hint}", split.status.text());
    Error::new(Code::StateNotAllowed, detail).object(split.id)
}
