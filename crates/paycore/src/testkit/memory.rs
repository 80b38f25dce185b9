//! A whole store in memory: the same contract as the SQL stores, for examples, unit tests and the simulation.
//!
//! It is written without a view to the SQL stores: the conformance suite and the model test hold the two
//! against each other, so that a mistake in one shows against the other.

mod balance;
mod commit;
mod queue;
mod reads;
mod rules;
mod scan;
mod table;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::audit::Audit;
use crate::epay::EpayKey;
use crate::event::Event;
use crate::exception::Exception;
use crate::id::MerchantId;
use crate::idempotency::Record;
use crate::ledger::{Balance, Books, Transaction};
use crate::link::Link;
use crate::merchant::{ApiKey, Merchant};
use crate::order::{Attempt, Order};
use crate::refund::Refund;
use crate::sandbox::SandboxRecord;
use crate::store::{Backlog, Changes, CommitError, Due, Queue, Read, Store, Trouble};
use crate::time::Timestamp;
use crate::webhook::{Delivery, Endpoint};

use table::Tables;

/// A store in memory. Cheap to make; everything is lost when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

/// Everything a store holds, each row with its tenant, in order of tenant and key. Two stores that were given
/// the same commits in the same order have equal snapshots.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each field is the table of the same name")]
pub struct Snapshot {
    pub merchants: Vec<(MerchantId, Merchant)>,
    pub api_keys: Vec<(MerchantId, ApiKey)>,
    pub epay_keys: Vec<(MerchantId, EpayKey)>,
    pub channel_accounts: Vec<(MerchantId, crate::account::ChannelAccount)>,
    pub orders: Vec<(MerchantId, Order)>,
    pub attempts: Vec<(MerchantId, Attempt)>,
    pub refunds: Vec<(MerchantId, Refund)>,
    pub transactions: Vec<(MerchantId, Transaction)>,
    pub balances: Vec<(MerchantId, Balance)>,
    pub books: Vec<(MerchantId, Books)>,
    /// In order of position.
    pub events: Vec<(MerchantId, Event)>,
    pub endpoints: Vec<(MerchantId, Endpoint)>,
    pub deliveries: Vec<(MerchantId, Delivery)>,
    pub exceptions: Vec<(MerchantId, Exception)>,
    pub links: Vec<(MerchantId, Link)>,
    pub documents: Vec<(MerchantId, crate::document::Record)>,
    pub audits: Vec<(MerchantId, Audit)>,
    pub claims: Vec<(MerchantId, Record)>,
    pub sandbox_records: Vec<(MerchantId, SandboxRecord)>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        MemoryStore::default()
    }

    /// A copy of everything, for checks over the whole of it.
    pub fn snapshot(&self) -> Snapshot {
        self.tables().snapshot()
    }

    /// When the first of all rows that wait in a queue is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        let tables = self.tables();
        let first = |queue: &Queue| tables.waiting(*queue, Timestamp::MAX).next().map(|(_, _, due)| due);
        Queue::ALL.iter().filter_map(first).min().map(Timestamp::from_micros)
    }

    /// The tables. A panic while they were locked cannot leave half a commit behind that anybody relies on:
    /// it is a failed test or a dead simulation already.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, tenant: MerchantId, changes: Changes) -> Result<(), CommitError> {
        rules::check(tenant, &changes)?;
        let mut tables = self.tables();
        let result = tables.apply(tenant, changes);
        match result {
            Ok(()) => tables.settle(),
            Err(_) => tables.revert(),
        }
        result
    }

    async fn take_due(&self, queue: Queue, now: Timestamp, until: Timestamp, limit: usize) -> Read<Vec<Due>> {
        let mut tables = self.tables();
        let taken = tables.take_due(queue, now, until, limit);
        tables.settle();
        Ok(taken)
    }

    async fn backlog(&self, queue: Queue, now: Timestamp) -> Read<Backlog> {
        Ok(self.tables().backlog(queue, now))
    }

    async fn trouble(&self) -> Read<Trouble> {
        Ok(self.tables().trouble())
    }

    async fn ready(&self) -> Read<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_store_that_was_just_made_is_ready_and_empty() {
        let store = MemoryStore::new();
        assert_eq!(store.ready().await, Ok(()));
        let snapshot = store.snapshot();
        assert!(snapshot.orders.is_empty() && snapshot.events.is_empty());
        for queue in Queue::ALL {
            assert_eq!(store.backlog(*queue, Timestamp::MAX).await, Ok(Backlog::default()));
        }
        assert_eq!(store.trouble().await, Ok(Trouble::default()));
    }
}
