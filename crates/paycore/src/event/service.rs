//! Operations on events.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Event, EventFilter, EventKind};
use crate::engine::{Caller, Engine};
use crate::error::{Error, Result};
use crate::id::EventId;
use crate::page::ListInput;

/// Which events to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEvents {
    /// Only of this type.
    #[serde(default, rename = "type")]
    pub kind: Option<EventKind>,
    /// Only about this object.
    #[serde(default)]
    pub object_id: Option<String>,
    /// Only events committed after this one. Remember the last id you saw and none is missed.
    #[serde(default)]
    pub after: Option<EventId>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Events in order of commit, oldest first, one more than asked for where there are more.
pub async fn list(engine: &Engine, caller: &Caller, input: ListEvents) -> Result<(usize, Vec<Event>)> {
    let limit = ListInput::limit(input.limit)?;
    let after = match input.after {
        None => 0,
        Some(id) => find(engine, caller, id).await.map_err(|error| error.param("after"))?.position,
    };
    let filter = EventFilter { kind: input.kind, object_id: input.object_id };
    let rows = engine.store.events(caller.tenant(), &filter, after, limit + 1).await?;
    Ok((limit, rows))
}

/// An event named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventById {
    /// The event.
    pub id: EventId,
}

/// One event.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: EventById) -> Result<Event> {
    find(engine, caller, input.id).await
}

async fn find(engine: &Engine, caller: &Caller, id: EventId) -> Result<Event> {
    engine.store.event(caller.tenant(), id).await?.ok_or_else(|| Error::not_found("event", id))
}
