//! Operations on exceptions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exception, ExceptionKind};
use crate::engine::{Caller, Engine};
use crate::error::{Error, Result};
use crate::id::ExceptionId;
use crate::order::input::text;
use crate::page::{List, ListInput};
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// An exception as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Exception")]
pub struct ExceptionView {
    /// Its id.
    pub id: ExceptionId,
    /// Always `exception`.
    pub object: &'static str,
    /// What kind of trouble.
    pub kind: ExceptionKind,
    /// The order, refund or attempt it is about.
    pub object_id: String,
    /// The facts.
    pub detail: String,
    /// When someone dealt with it.
    pub resolved_at: Option<Timestamp>,
    /// What was done.
    pub resolution: Option<String>,
    /// When it was opened.
    pub created_at: Timestamp,
}

impl Exception {
    /// The exception as the API shows it.
    pub fn view(&self) -> ExceptionView {
        ExceptionView {
            id: self.id,
            object: "exception",
            kind: self.kind,
            object_id: self.object_id.clone(),
            detail: self.detail.clone(),
            resolved_at: self.resolved_at,
            resolution: self.resolution.clone(),
            created_at: self.created_at,
        }
    }
}

/// Which exceptions to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListExceptions {
    /// Also those that are dealt with.
    #[serde(default)]
    pub all: bool,
    /// Which part of the list: see [`ListInput`].
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this id.
    #[serde(default)]
    pub starting_after: Option<ExceptionId>,
    /// Only rows listed before this id.
    #[serde(default)]
    pub ending_before: Option<ExceptionId>,
}

/// What waits for a person, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListExceptions) -> Result<List<ExceptionView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let rows = engine.store.exceptions(caller.tenant(), !input.all, &page.fetch()).await?;
    Ok(page.list(rows.iter().map(Exception::view).collect(), |view| view.id.to_string()))
}

/// What was done about an exception.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveException {
    /// The exception.
    pub id: ExceptionId,
    /// What was done, 1 to 500 characters.
    #[schemars(length(min = 1, max = 500))]
    pub resolution: String,
}

/// Marks an exception as dealt with.
pub async fn resolve(engine: &Engine, caller: &Caller, input: ResolveException) -> Result<ExceptionView> {
    text("resolution", &input.resolution, 1, 500)?;
    let moment = engine.moment(&caller.merchant);
    let found = engine.store.exception(caller.tenant(), input.id).await?;
    let mut exception = found.ok_or_else(|| Error::not_found("exception", input.id))?;
    exception.resolved_at = Some(moment.now);
    exception.resolution = Some(input.resolution);
    let view = exception.view();
    let mut changes = Changes { claim: caller.once(exception.id, &view, moment), ..Changes::default() };
    let detail = exception.resolution.clone().unwrap_or_default();
    changes.audit.push(engine.audit(
        &caller.actor,
        "exceptions.resolve",
        Some(exception.id.to_string()),
        detail,
        moment,
    ));
    changes.put(Put::Exception(exception));
    engine.commit(caller.tenant(), changes).await?;
    Ok(view)
}
