//! Events and the position of each in its merchant's stream.

use async_trait::async_trait;
use paycore::event::{Event, EventFilter, EventKind, Events};
use paycore::id::{EventId, MerchantId};
use paycore::store::Read;
use paycore::time::Timestamp;

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

pub(crate) const INSERT: Write = Write {
    sql: "INSERT INTO events (merchant_id, id, position, kind, object_id, sequence, body, notify_url, created_at, \
          due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    types: "ttittittii",
    expect: Expect::OneOrStale,
};

pub(crate) const DISPATCHED: Write = Write {
    sql: "UPDATE events SET due_at = 0 WHERE merchant_id = $1 AND id = $2 AND due_at > 0",
    types: "tt",
    expect: Expect::OneOrStale,
};

/// Gives positions away: the last one is the new `position`. The row stays locked until the end of the
/// transaction, which makes the order of positions the order of commits.
pub(crate) const ADVANCE: Write = Write {
    sql: "INSERT INTO streams (merchant_id, position) VALUES ($1, $2) \
          ON CONFLICT (merchant_id) DO UPDATE SET position = streams.position + excluded.position \
          RETURNING merchant_id, position",
    types: "ti",
    expect: Expect::Any,
};

/// The last position given.
pub(crate) const LAST: &str = "SELECT position FROM streams WHERE merchant_id = $1";

/// The columns of an event as [`event`] reads them.
macro_rules! events {
    ($($rest:literal)*) => {
        concat!("SELECT merchant_id, id, position, kind, object_id, sequence, body, notify_url, created_at, due_at \
                 FROM events ", $($rest)*)
    };
}

pub(crate) const SCAN: &str =
    events!("WHERE (merchant_id, position) > ($1, $2) ORDER BY merchant_id, position LIMIT $3");

/// The row of an event.
pub(crate) fn insert(rows: &mut Rows, event: &Event) {
    rows.step(Statement::EventInsert).id(event.id).position().text(event.kind.text()).text(&event.object_id);
    rows.int(event.sequence).text(&event.body).maybe_text(event.notify_url.as_deref());
    rows.time(event.created_at).time(event.due_at);
}

/// An event leaves the outbox.
pub(crate) fn dispatched(rows: &mut Rows, id: EventId) {
    rows.step(Statement::EventDispatched).id(id);
}

/// An event with its tenant.
pub(crate) fn event(row: &mut Row<'_>) -> Read<(MerchantId, Event)> {
    let (tenant, id, position) = (row.parse()?, row.parse()?, row.int()?);
    let event = Event {
        id,
        kind: row.word(EventKind::parse)?,
        object_id: row.string()?,
        sequence: row.int()?,
        body: row.string()?,
        notify_url: row.maybe_string()?,
        booking: None,
        created_at: row.time()?,
        position,
        due_at: row.time()?,
    };
    Ok((tenant, event))
}

#[async_trait]
impl<D: Driver> Events for SqlStore<D> {
    async fn event(&self, tenant: MerchantId, id: EventId) -> Read<Option<Event>> {
        let select = Select::new(events!("WHERE merchant_id = $1 AND id = $2"));
        self.own(select.bind(Value::id(tenant)).bind(Value::id(id)), event).await
    }

    async fn events(
        &self,
        tenant: MerchantId,
        filter: &EventFilter,
        after: i64,
        limit: usize,
    ) -> Read<Vec<Event>> {
        let select = Select::new(events!("WHERE merchant_id = $1 AND position > $2"));
        let select = select
            .bind(Value::id(tenant))
            .bind(after)
            .and(" AND kind = ", filter.kind.map(EventKind::text))
            .and(" AND object_id = ", filter.object_id.as_deref());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.own_list(select.then(" ORDER BY position").and(" LIMIT ", Some(limit)), event).await
    }

    async fn due_events(&self, now: Timestamp, limit: usize) -> Read<Vec<(MerchantId, Event)>> {
        let select = Select::new(events!("WHERE due_at > 0 AND due_at <= $1 ORDER BY due_at LIMIT $2"));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.all(select.bind(now.micros()).bind(limit), event).await
    }
}
