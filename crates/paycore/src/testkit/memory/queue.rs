//! The workers' queues in memory.

use super::table::Tables;
use crate::id::MerchantId;
use crate::order::AttemptStatus;
use crate::refund::RefundStatus;
use crate::store::{Backlog, CommitError, Due, Queue, Trouble};
use crate::time::Timestamp;

impl Tables {
    /// Moves a row's place in its queue. Zero is no place.
    pub(super) fn requeue(
        &mut self,
        queue: Queue,
        tenant: MerchantId,
        id: String,
        old: Timestamp,
        new: Timestamp,
    ) {
        if old == new {
            return;
        }
        self.due.remove(&(queue as u8, old.micros(), tenant, id.clone()));
        if new.micros() > 0 {
            self.due.put((queue as u8, new.micros(), tenant, id), ());
        }
    }

    pub(super) fn take_due(
        &mut self,
        queue: Queue,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Vec<Due> {
        let due: Vec<Due> =
            self.waiting(queue, now).take(limit).map(|(tenant, id, _)| (tenant, id)).collect();
        for (tenant, id) in &due {
            self.set_due(queue, *tenant, id, until);
        }
        due
    }

    pub(super) fn backlog(&self, queue: Queue, now: Timestamp) -> Backlog {
        let mut waits = self.waiting(queue, now).map(|(_, _, due)| now.micros() - due);
        let Some(oldest_wait) = waits.next() else { return Backlog::default() };
        Backlog { due: 1 + i64::try_from(waits.count()).unwrap_or(i64::MAX - 1), oldest_wait }
    }

    pub(super) fn trouble(&self) -> Trouble {
        let waits = |due_at: Timestamp| due_at.micros() > 0;
        let attempts = self.attempts.iter().map(|(_, row)| row);
        let attempts = attempts.filter(|row| waits(row.due_at) && row.status == AttemptStatus::Unknown);
        let refunds = self.refunds.iter().map(|(_, row)| row);
        let refunds = refunds.filter(|row| waits(row.due_at) && row.status == RefundStatus::Unknown);
        let since: Vec<_> =
            attempts.map(|row| row.created_at).chain(refunds.map(|row| row.created_at)).collect();
        Trouble {
            unknown: i64::try_from(since.len()).unwrap_or(i64::MAX),
            unknown_since: since.into_iter().min(),
            exceptions: i64::try_from(self.open_exceptions.iter().count()).unwrap_or(i64::MAX),
        }
    }

    /// Moves every due time of a merchant earlier, to no less than 1.
    pub(super) fn hasten(&mut self, tenant: MerchantId, by: i64) -> Result<(), CommitError> {
        let all = self.due.iter().filter(|((_, _, owner, _), ())| *owner == tenant);
        let all: Vec<_> = all.map(|((queue, due, _, id), ())| (*queue, *due, id.clone())).collect();
        for (queue, due, id) in all {
            if let Some(queue) = Queue::ALL.iter().find(|candidate| **candidate as u8 == queue) {
                self.set_due(*queue, tenant, &id, Timestamp::from_micros((due - by).max(1)));
            }
        }
        Ok(())
    }

    /// What is due in a queue, oldest first.
    pub(super) fn waiting(
        &self,
        queue: Queue,
        now: Timestamp,
    ) -> impl Iterator<Item = (MerchantId, String, i64)> {
        let first = (queue as u8, 1, MerchantId::from_bits(0), String::new());
        let end = (queue as u8, now.micros().max(0) + 1, MerchantId::from_bits(0), String::new());
        self.due.range(first..end).map(|((_, due, tenant, id), ())| (*tenant, id.clone(), *due))
    }

    fn set_due(&mut self, queue: Queue, tenant: MerchantId, id: &str, due_at: Timestamp) {
        macro_rules! set {
            ($table:ident) => {
                if let Ok(key) = id.parse().map(|key| (tenant, key))
                    && let Some(mut row) = self.$table.get(&key).cloned()
                {
                    let old = std::mem::replace(&mut row.due_at, due_at);
                    self.$table.put(key, row);
                    self.requeue(queue, tenant, id.to_owned(), old, due_at);
                }
            };
        }
        match queue {
            Queue::Orders => set!(orders),
            Queue::Attempts => set!(attempts),
            Queue::Refunds => set!(refunds),
            Queue::Deliveries => set!(deliveries),
            Queue::Documents => set!(documents),
            Queue::Events => {
                if let Ok(key) = id.parse() {
                    self.set_event_due(tenant, key, due_at);
                }
            }
        }
    }
}
