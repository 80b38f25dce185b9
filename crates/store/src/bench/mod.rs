//! Throughput: durable commits per second through a store with many callers, beside a bare driver that writes
//! the same rows in groups of the same size, in the same run.
//!
//! One payment is one order, one attempt, one event, one journal of two entries, and one idempotency key. One
//! transfer is one event and one journal of two entries, and half of all transfers are on one account, which has a
//! floor. The store is given changes and renders, binds, writes, flushes and answers 256 callers; the bare driver is given
//! rows that were rendered before the clock started, and writes and flushes them from one place.

mod group;
mod postgres;
mod sqlite;

use std::collections::BTreeMap;
use std::sync::Arc;

use paycore::id::MerchantId;
use paycore::idempotency::Claim;
use paycore::store::{Changes, Put, StoreError};
use paycore::testkit::store_conformance::fixture;
use paycore::time::{Clock, Timestamp};
use paycore::verify::Verifiable;

use crate::error::OpenError;
use crate::write::Rows;

pub use group::BareGroup;
pub use postgres::postgres;
pub use sqlite::sqlite;

/// Callers that commit at the same time.
pub const CALLERS: usize = 256;
/// Payments in one transaction of the bare driver; the stores' own limit is the same.
const GROUP: usize = 256;
/// The store and the bare driver take turns this often; the middle of each is reported.
const ROUNDS: usize = 5;
const TENANT: MerchantId = MerchantId::from_bits(1);

/// What one commit writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// A payment: every one on the same two accounts, which have no floor.
    Payments,
    /// A transfer: every other one on one account with a floor, the rest between two thousand accounts.
    Transfers,
}

impl Load {
    /// Both, in the order in which they run.
    const ALL: [Load; 2] = [Load::Payments, Load::Transfers];

    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Load::Payments => "payments",
            Load::Transfers => "transfers, half of them on one account with a floor",
        }
    }

    fn commit(self, number: u128) -> Changes {
        match self {
            Load::Payments => payment(number),
            Load::Transfers => transfer(number),
        }
    }

    /// The changes of commits `first..first + count`.
    fn commits(self, first: usize, count: usize) -> Vec<Changes> {
        (first as u128..(first + count) as u128).map(|number| self.commit(number)).collect()
    }
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `SQLite` or `PostgreSQL`.
    pub engine: &'static str,
    /// What is committed.
    pub load: Load,
    /// Commits per second through the store.
    pub store: u64,
    /// Commits per second of the bare driver.
    pub bare: u64,
    /// What the store should reach, in percent of the bare driver.
    pub target_percent: u64,
}

impl Row {
    /// The store in percent of the bare driver, rounded down.
    pub fn percent(&self) -> u64 {
        self.store * 100 / self.bare.max(1)
    }
}

fn payment(number: u128) -> Changes {
    let order = fixture::paid_order(number);
    let attempt = fixture::attempt(number, &order);
    Changes {
        claim: Some(Claim::Open(fixture::record(&format!("key-{number}")))),
        puts: vec![Put::Order(order), Put::Attempt(attempt)],
        transactions: vec![fixture::transaction(number, fixture::cny(100))],
        events: vec![fixture::event(number, format!("ord_{number}"), 1)],
        audit: Vec::new(),
    }
}

fn transfer(number: u128) -> Changes {
    let mut journal = fixture::transaction(number, fixture::cny(100));
    if number.is_multiple_of(2) {
        journal.entries[1].account = "merchant_available".into();
    } else {
        journal.entries[0].account = format!("bank:{}", number % 1_000);
        journal.entries[1].account = format!("agent_payable:{}", number * 7 % 1_000);
    }
    let events = vec![fixture::event(number, format!("ord_{number}"), 1)];
    Changes { transactions: vec![journal], events, ..Changes::new() }
}

/// What a group of commits adds to each balance: debits and credits.
fn sums<'r>(rows: impl Iterator<Item = &'r Rows>) -> BTreeMap<String, (i64, i64)> {
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for (account, posting) in rows.flat_map(Rows::postings) {
        if !sums.contains_key(account) {
            sums.insert(account.to_owned(), (0, 0));
        }
        if let Some(sum) = sums.get_mut(account) {
            *sum = (sum.0 + posting.debit, sum.1 + posting.credit);
        }
    }
    sums
}

/// Commits per second of 256 callers, each with its own part of them, one after the other.
async fn through(
    store: &Arc<dyn Verifiable>,
    clock: &dyn Clock,
    payments: Vec<Changes>,
) -> Result<u64, OpenError> {
    let count = payments.len();
    let mut parts: Vec<Vec<Changes>> =
        (0..CALLERS).map(|_| Vec::with_capacity(count / CALLERS + 1)).collect();
    for (number, changes) in payments.into_iter().enumerate() {
        parts[number % CALLERS].push(changes);
    }
    let start = clock.now();
    let callers: Vec<_> = parts
        .into_iter()
        .map(|part| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for changes in part {
                    store.commit(TENANT, changes).await.map_err(|error| StoreError(error.to_string()))?;
                }
                Ok::<(), StoreError>(())
            })
        })
        .collect();
    for caller in callers {
        caller.await.map_err(|error| StoreError(error.to_string()))??;
    }
    Ok(rate(count, start, clock.now()))
}

fn rate(count: usize, start: Timestamp, end: Timestamp) -> u64 {
    let micros = u64::try_from(end.since(start).as_micros()).unwrap_or(u64::MAX).max(1);
    count as u64 * 1_000_000 / micros
}

fn median(mut rates: Vec<u64>) -> u64 {
    rates.sort_unstable();
    rates.get(rates.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_per_second_and_a_share_in_percent() {
        assert_eq!(rate(500, Timestamp::ZERO, Timestamp::from_millis(250)), 2_000);
        assert_eq!(median(vec![9, 1, 5]), 5);
        let row = Row { engine: "SQLite", load: Load::Payments, store: 60, bare: 99, target_percent: 60 };
        assert_eq!(row.percent(), 60);
    }
}
