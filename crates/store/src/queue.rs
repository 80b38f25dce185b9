//! The workers' queues: rows whose `due_at` has come.

use paycore::id::MerchantId;
use paycore::store::{Backlog, Due, Queue, Read, Trouble};
use paycore::time::Timestamp;

use crate::read::{Row, Select};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

macro_rules! queue {
    ($table:literal, $hasten:ident, $take:ident, $backlog:ident) => {
        pub(crate) const $hasten: Write = Write {
            sql: concat!(
                "UPDATE ",
                $table,
                " SET due_at = CASE WHEN due_at > $2 THEN due_at - $2 ELSE 1 END \
                 WHERE merchant_id = $1 AND due_at > 0"
            ),
            types: "ti",
            expect: Expect::Any,
        };

        // The condition stands outside once more: whoever waited for a row that another worker took finds it
        // no longer due. The plus keeps the planners from walking all due rows for it.
        const $take: &str = concat!(
            "UPDATE ",
            $table,
            " SET due_at = $1 WHERE +due_at > 0 AND +due_at <= $2 AND (merchant_id, id) IN \
             (SELECT merchant_id, id FROM ",
            $table,
            " WHERE due_at > 0 AND due_at <= $2 ORDER BY due_at LIMIT $3) \
             RETURNING merchant_id, id"
        );

        const $backlog: &str =
            concat!("SELECT count(*), min(due_at) FROM ", $table, " WHERE due_at > 0 AND due_at <= $1");
    };
}

queue!("orders", HASTEN_ORDERS, TAKE_ORDERS, BACKLOG_ORDERS);
queue!("attempts", HASTEN_ATTEMPTS, TAKE_ATTEMPTS, BACKLOG_ATTEMPTS);
queue!("refunds", HASTEN_REFUNDS, TAKE_REFUNDS, BACKLOG_REFUNDS);
queue!("events", HASTEN_EVENTS, TAKE_EVENTS, BACKLOG_EVENTS);
queue!("deliveries", HASTEN_DELIVERIES, TAKE_DELIVERIES, BACKLOG_DELIVERIES);
queue!("documents", HASTEN_DOCUMENTS, TAKE_DOCUMENTS, BACKLOG_DOCUMENTS);

/// How many attempts have an outcome that is not known, and since when. They all wait in the queue, so that the
/// queue's index finds them.
pub(crate) const UNKNOWN_ATTEMPTS: &str =
    "SELECT count(*), min(created_at) FROM attempts WHERE due_at > 0 AND status = 'unknown'";
/// The same of refunds.
pub(crate) const UNKNOWN_REFUNDS: &str =
    "SELECT count(*), min(created_at) FROM refunds WHERE due_at > 0 AND status = 'unknown'";
/// How many exceptions nobody has resolved.
pub(crate) const OPEN_EXCEPTIONS: &str = "SELECT count(*) FROM exceptions WHERE resolved_at IS NULL";

/// The statements that move every due time of a merchant earlier.
pub(crate) fn hasten(rows: &mut Rows, by: i64) {
    for statement in [
        Statement::HastenOrders,
        Statement::HastenAttempts,
        Statement::HastenRefunds,
        Statement::HastenEvents,
        Statement::HastenDeliveries,
        Statement::HastenDocuments,
    ] {
        rows.step(statement).int(by);
    }
}

/// The statement that leases due rows until an instant.
pub(crate) fn take(queue: Queue, now: Timestamp, until: Timestamp, limit: usize) -> Select {
    let sql = match queue {
        Queue::Orders => TAKE_ORDERS,
        Queue::Attempts => TAKE_ATTEMPTS,
        Queue::Refunds => TAKE_REFUNDS,
        Queue::Events => TAKE_EVENTS,
        Queue::Deliveries => TAKE_DELIVERIES,
        Queue::Documents => TAKE_DOCUMENTS,
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Select::new(sql).bind(until.micros().max(1)).bind(now.micros()).bind(limit)
}

/// A row of [`take`].
pub(crate) fn due(row: &mut Row<'_>) -> Read<Due> {
    Ok((row.parse::<MerchantId>()?, row.string()?))
}

/// The statement that counts due rows.
pub(crate) fn backlog(queue: Queue, now: Timestamp) -> Select {
    let sql = match queue {
        Queue::Orders => BACKLOG_ORDERS,
        Queue::Attempts => BACKLOG_ATTEMPTS,
        Queue::Refunds => BACKLOG_REFUNDS,
        Queue::Events => BACKLOG_EVENTS,
        Queue::Deliveries => BACKLOG_DELIVERIES,
        Queue::Documents => BACKLOG_DOCUMENTS,
    };
    Select::new(sql).bind(now.micros())
}

/// The row of [`backlog`]: how many are due, and since when the oldest is.
pub(crate) struct Waiting {
    due: i64,
    oldest: Option<i64>,
}

impl Waiting {
    /// As it looks at an instant.
    pub(crate) fn at(&self, now: Timestamp) -> Backlog {
        Backlog { due: self.due, oldest_wait: self.oldest.map_or(0, |oldest| now.micros() - oldest) }
    }

    /// The same of rows whose outcome is not known, counted together with others.
    pub(crate) fn add_to(&self, trouble: &mut Trouble) {
        trouble.unknown += self.due;
        let since = self.oldest.map(Timestamp::from_micros);
        trouble.unknown_since = trouble.unknown_since.into_iter().chain(since).min();
    }
}

/// Reads the row of [`backlog`].
pub(crate) fn waiting(row: &mut Row<'_>) -> Read<Waiting> {
    Ok(Waiting { due: row.int()?, oldest: row.maybe_int()? })
}
