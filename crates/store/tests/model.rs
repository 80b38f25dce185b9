//! Random sequences of commits, reads and leases give the same results on the store in memory, on SQLite and on
//! PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

mod cluster;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use paycore::event::Event;
use paycore::exception::Exception;
use paycore::id::{ChannelAccountId, EventId, MerchantId, OrderId};
use paycore::idempotency::Claim;
use paycore::order::{Attempt, Order, OrderStatus};
use paycore::refund::{Refund, RefundStatus};
use paycore::store::{Changes, CommitError, Put, Queue};
use paycore::testkit::MemoryStore;
use paycore::testkit::store_conformance::{fixture, lines};
use paycore::time::Timestamp;
use paycore::verify::Verifiable;
use paycore_store::{migrate, open};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// A small world, so that everything collides: a few ids, numbers and instants.
#[derive(Debug, Clone)]
enum Step {
    Commit {
        stranger: bool,
        claim: Option<(bool, u8)>,
        puts: Vec<Piece>,
        journals: Vec<Journal>,
        events: Vec<News>,
        audits: Vec<u8>,
    },
    Take {
        queue: usize,
        now: u8,
        until: u8,
    },
}

#[derive(Debug, Clone)]
enum Piece {
    Order {
        id: u8,
        read: Version,
        number: u8,
        sums: [i64; 4],
        due: u8,
        status: usize,
    },
    Attempt {
        id: u8,
        read: Version,
        order: u8,
        reference: u8,
        account: u8,
        due: u8,
    },
    Refund {
        id: u8,
        read: Version,
        attempt: u8,
        number: u8,
        reference: u8,
        amount: i64,
        due: u8,
        status: usize,
    },
    Exception {
        id: u8,
        read: Version,
        object: u8,
        resolved: bool,
    },
    Delivery {
        id: u8,
        read: Version,
        event: u8,
        due: u8,
    },
    Merchant {
        read: Version,
        live: bool,
        clock: i64,
    },
    Key {
        id: u8,
        read: Version,
    },
    Account {
        id: u8,
        read: Version,
        priority: i64,
        simulated: bool,
    },
    Endpoint {
        id: u8,
        read: Version,
    },
    Dispatched {
        event: u8,
    },
    Record {
        account: u8,
        key: u8,
        value: u8,
    },
    Hasten {
        by: i64,
    },
}

/// Which version a change claims to have read.
#[derive(Debug, Clone, Copy)]
enum Version {
    /// The one that is there.
    Stored,
    /// That of something new.
    New,
    /// One that is not there.
    Wrong,
}

#[derive(Debug, Clone)]
struct Journal {
    id: u8,
    event: u8,
    amount: i64,
}

#[derive(Debug, Clone)]
struct News {
    id: u8,
    object: u8,
    sequence: i64,
    due: u8,
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![6 => Just(Version::Stored), 3 => Just(Version::New), 1 => Just(Version::Wrong)]
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 1..500i64, 1 => Just(0), 1 => Just(i64::MAX), 1 => Just(i64::MAX - 400)]
}

fn sums() -> impl Strategy<Value = [i64; 4]> {
    prop_oneof![
        6 => (0..4i64, 0..4i64, 0..4i64, 0..4i64).prop_map(|(a, b, c, d)| [a + b + c + d, b + c + d, c, d]),
        1 => prop::array::uniform4(-1..3i64),
    ]
}

fn piece() -> impl Strategy<Value = Piece> {
    let small = || 0..4u8;
    prop_oneof![
        6 => (small(), version(), small(), sums(), small(), 0..8usize).prop_map(|(id, read, number, sums, due, status)| {
            Piece::Order { id, read, number, sums, due, status }
        }),
        4 => (small(), version(), small(), small(), 0..2u8, small()).prop_map(|(id, read, order, reference, account, due)| {
            Piece::Attempt { id, read, order, reference, account, due }
        }),
        4 => (small(), version(), small(), (small(), small()), amount(), small(), 0..5usize).prop_map(
            |(id, read, attempt, (number, reference), amount, due, status)| {
                Piece::Refund { id, read, attempt, number, reference, amount, due, status }
            }
        ),
        3 => (small(), version(), 0..2u8, any::<bool>())
            .prop_map(|(id, read, object, resolved)| Piece::Exception { id, read, object, resolved }),
        3 => (small(), version(), small(), small())
            .prop_map(|(id, read, event, due)| Piece::Delivery { id, read, event, due }),
        1 => (version(), any::<bool>(), -1..2i64).prop_map(|(read, live, clock)| Piece::Merchant { read, live, clock }),
        1 => (small(), version()).prop_map(|(id, read)| Piece::Key { id, read }),
        1 => (0..2u8, version(), -2..2i64, any::<bool>())
            .prop_map(|(id, read, priority, simulated)| Piece::Account { id, read, priority, simulated }),
        1 => (small(), version()).prop_map(|(id, read)| Piece::Endpoint { id, read }),
        2 => (0..8u8).prop_map(|event| Piece::Dispatched { event }),
        1 => (0..2u8, small(), small()).prop_map(|(account, key, value)| Piece::Record { account, key, value }),
        1 => prop_oneof![Just(-1), Just(0), Just(1_000_000), Just(i64::MAX)].prop_map(|by| Piece::Hasten { by }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let journal = (0..8u8, 0..8u8, amount()).prop_map(|(id, event, amount)| Journal { id, event, amount });
    let news = (0..12u8, 0..3u8, 0..5i64, 0..4u8).prop_map(|(id, object, sequence, due)| News {
        id,
        object,
        sequence,
        due,
    });
    let commit = (
        prop::bool::weighted(0.2),
        prop::option::weighted(0.3, (any::<bool>(), 0..3u8)),
        prop::collection::vec(piece(), 0..4),
        prop::collection::vec(journal, 0..2),
        prop::collection::vec(news, 0..3),
        prop::collection::vec(0..20u8, 0..2),
    )
        .prop_map(|(stranger, claim, puts, journals, events, audits)| Step::Commit {
            stranger,
            claim,
            puts,
            journals,
            events,
            audits,
        });
    let take = (0..5usize, 0..4u8, 0..4u8).prop_map(|(queue, now, until)| Step::Take { queue, now, until });
    prop_oneof![8 => commit, 1 => take]
}

/// 0 is never; the others are a second apart, so that rows hastened by a second meet.
fn instant(due: u8) -> Timestamp {
    if due == 0 { Timestamp::ZERO } else { Timestamp::from_secs(i64::from(due)) }
}

/// The version a change claims to have read.
macro_rules! read {
    ($read:expr, $stored:expr) => {
        match $read {
            Version::New => 0,
            Version::Wrong => 77,
            Version::Stored => $stored.await.unwrap().map_or(0, |row| row.version),
        }
    };
}

/// The stores side by side; the first one answers which version is stored.
struct Stores {
    all: Vec<(&'static str, Arc<dyn Verifiable>)>,
    tenants: [MerchantId; 2],
}

impl Stores {
    async fn run(&self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Take { queue, now, until } => self.take(Queue::ALL[*queue], *now, *until).await,
                Step::Commit { stranger, .. } => {
                    let tenant = self.tenants[usize::from(*stranger)];
                    let changes = self.changes(tenant, step).await;
                    self.commit(tenant, changes).await;
                }
            }
        }
        for tenant in self.tenants {
            let mut all = Vec::new();
            for (name, store) in &self.all {
                let mut lines = lines(&**store, tenant).await;
                for key in 0..3 {
                    lines.push(format!("{:?}", store.claim(tenant, &format!("k{key}")).await.unwrap()));
                }
                all.push((*name, lines));
            }
            for (name, lines) in &all[1..] {
                assert_eq!(lines, &all[0].1, "{name} differs from {}", all[0].0);
            }
        }
    }

    async fn commit(&self, tenant: MerchantId, changes: Changes) {
        let mut results = Vec::new();
        for (name, store) in &self.all {
            results.push((*name, kind(store.commit(tenant, changes.clone()).await)));
        }
        for (name, result) in &results[1..] {
            assert_eq!(*result, results[0].1, "{name} differs from {} on {changes:?}", results[0].0);
        }
    }

    async fn take(&self, queue: Queue, now: u8, until: u8) {
        let mut results = Vec::new();
        for (name, store) in &self.all {
            let taken = store.take_due(queue, instant(now), instant(until + 1), 1_000_000).await.unwrap();
            let taken: BTreeSet<_> =
                taken.into_iter().filter(|(owner, _)| self.tenants.contains(owner)).collect();
            results.push((*name, taken));
        }
        for (name, result) in &results[1..] {
            assert_eq!(*result, results[0].1, "{name} differs from {} on {queue:?}", results[0].0);
        }
    }

    async fn changes(&self, tenant: MerchantId, step: &Step) -> Changes {
        let Step::Commit { claim, puts, journals, events, audits, .. } = step else { panic!("a commit") };
        let mut changes = Changes::new();
        changes.claim = claim.map(|(open, key)| match open {
            true => Claim::Open(fixture::record(&format!("k{key}"))),
            false => Claim::Close { key: format!("k{key}"), answer: fixture::answer("done") },
        });
        for piece in puts {
            changes.put(self.put(tenant, piece).await);
        }
        for Journal { id, event, amount } in journals {
            let mut journal = fixture::transaction(u128::from(*id), fixture::cny(*amount));
            journal.event_id = EventId::from_bits(u128::from(*event));
            // Some come into an account with a floor, and some go out of it.
            if let Some(entry) = journal.entries.get_mut(usize::from(id % 3)) {
                entry.account = "merchant_available".into();
            }
            changes.transactions.push(journal);
        }
        for News { id, object, sequence, due } in events {
            let event = fixture::event(u128::from(*id), format!("o{object}"), *sequence);
            changes.events.push(Event { due_at: instant(*due), ..event });
        }
        changes.audit = audits.iter().map(|id| fixture::audit(u128::from(*id))).collect();
        changes
    }

    async fn put(&self, tenant: MerchantId, piece: &Piece) -> Put {
        let model = &*self.all[0].1;
        match piece {
            Piece::Order { id, read, number, sums, due, status } => {
                let row = fixture::order(u128::from(*id));
                let [authorized, captured, refunded, refunding] = *sums;
                let version = read!(read, model.order(tenant, row.id));
                let status = OrderStatus::ALL[*status];
                let (number, due_at) = (format!("A-{number}"), instant(*due));
                Put::Order(Order {
                    version,
                    number,
                    status,
                    authorized,
                    captured,
                    refunded,
                    refunding,
                    due_at,
                    ..row
                })
            }
            Piece::Attempt { id, read, order, reference, account, due } => {
                let row = fixture::attempt(u128::from(*id), &fixture::order(u128::from(*order)));
                let account_id = ChannelAccountId::from_bits(u128::from(*account));
                let version = read!(read, model.attempt(tenant, row.id));
                let reference = format!("R{reference}");
                Put::Attempt(Attempt { version, account_id, reference, due_at: instant(*due), ..row })
            }
            Piece::Refund { id, read, attempt, number, reference, amount, due, status } => {
                let attempt = fixture::attempt(u128::from(*attempt), &fixture::order(0));
                let row = fixture::refund(u128::from(*id), &attempt, *amount);
                let version = read!(read, model.refund(tenant, row.id));
                let status = RefundStatus::ALL[*status];
                let (number, reference) = (format!("B-{number}"), format!("F{reference}"));
                Put::Refund(Refund { version, number, reference, status, due_at: instant(*due), ..row })
            }
            Piece::Exception { id, read, object, resolved } => {
                let row = fixture::exception(u128::from(*id), &format!("o{object}"));
                let version = read!(read, model.exception(tenant, row.id));
                Put::Exception(Exception { version, resolved_at: resolved.then_some(fixture::NOW), ..row })
            }
            Piece::Delivery { id, read, event, due } => {
                let mut row = fixture::delivery(u128::from(*id), EventId::from_bits(u128::from(*event)));
                row.version = read!(read, model.delivery(tenant, row.id));
                row.due_at = instant(*due);
                Put::Delivery(row)
            }
            other => self.put_setting(tenant, other).await,
        }
    }

    async fn put_setting(&self, tenant: MerchantId, piece: &Piece) -> Put {
        let model = &*self.all[0].1;
        match piece {
            Piece::Merchant { read, live, clock } => {
                let mut row = fixture::merchant(tenant);
                row.version = read!(read, model.merchant(tenant));
                (row.livemode, row.clock_offset) = (*live, *clock);
                Put::Merchant(row)
            }
            Piece::Key { id, read } => {
                let mut row = fixture::api_key(tenant, u128::from(*id));
                row.version = read!(read, model.api_key(tenant, row.id));
                Put::ApiKey(row)
            }
            Piece::Account { id, read, priority, simulated } => {
                let mut row = fixture::channel_account(tenant, u128::from(*id));
                row.version = read!(read, model.channel_account(tenant, row.id));
                row.priority = *priority;
                row.sealed_simulator = simulated.then(|| "sealed".to_owned());
                Put::ChannelAccount(row)
            }
            Piece::Endpoint { id, read } => {
                let mut row = fixture::endpoint(u128::from(*id));
                row.version = read!(read, model.endpoint(tenant, row.id));
                Put::Endpoint(row)
            }
            Piece::Dispatched { event } => Put::EventDispatched(EventId::from_bits(u128::from(*event))),
            Piece::Record { account, key, value } => Put::Sandbox(fixture::sandbox_record(
                fixture::account_id(tenant, u128::from(*account)),
                &format!("k{key}"),
                &format!("v{value}"),
            )),
            Piece::Hasten { by } => Put::HastenDue(*by),
            other => panic!("{other:?} is no setting"),
        }
    }
}

/// The kind of result: where a row breaks two rules at once, the stores may name either.
fn kind(result: Result<(), CommitError>) -> String {
    match result {
        Ok(()) => "ok".into(),
        Err(CommitError::Duplicate(_)) => "duplicate".into(),
        Err(CommitError::Broken(_) | CommitError::Floor | CommitError::Frozen) => "broken".into(),
        Err(error @ (CommitError::Claimed | CommitError::Stale | CommitError::Closed)) => {
            format!("{error:?}")
        }
        Err(CommitError::Store(error)) => panic!("the store failed: {error}"),
    }
}

#[test]
fn random_histories_look_the_same_in_every_store() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let stores = runtime.block_on(async {
        let sqlite = format!("sqlite:{}", folder.path().join("model.db").display());
        let postgres = cluster::database("model").await;
        let mut all: Vec<(&str, Arc<dyn Verifiable>)> = vec![("memory", Arc::new(MemoryStore::new()))];
        for (name, address) in [("sqlite", sqlite), ("postgres", postgres)] {
            migrate(&address).await.unwrap();
            all.push((name, open(&address).await.unwrap()));
        }
        all
    });
    let histories = AtomicU64::new(0);
    let mut runner = TestRunner::new(Config { cases: 192, failure_persistence: None, ..Config::default() });
    let result = runner.run(&prop::collection::vec(step(), 1..40), |steps| {
        // Each history has merchants of its own, so that the stores need not be emptied in between.
        let number = 2 * u128::from(histories.fetch_add(1, Ordering::Relaxed));
        let tenants = [number, number + 1].map(|number| MerchantId::from_bits(1_000 + number));
        runtime.block_on(Stores { all: stores.clone(), tenants }.run(&steps));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(histories.into_inner() >= 192);
    drop(stores);
}

#[test]
fn ids_of_the_small_world_are_those_of_the_fixture() {
    assert_eq!(fixture::order(3).id, OrderId::from_bits(3));
}
