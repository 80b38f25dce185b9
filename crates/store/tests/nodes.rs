//! Two servers on one PostgreSQL, and many workers on one queue.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

mod cluster;

use std::collections::BTreeSet;
use std::sync::Arc;

use paycore::id::{MerchantId, OrderId, RefundId};
use paycore::order::Order;
use paycore::store::{Changes, CommitError, Put, Queue};
use paycore::testkit::store_conformance::fixture::{self, NOW};
use paycore::time::Timestamp;
use paycore::verify::Verifiable;
use paycore_store::{migrate, open};

const TENANT: MerchantId = MerchantId::from_bits(1);

async fn two_nodes(database: &str) -> [Arc<dyn Verifiable>; 2] {
    let address = cluster::database(database).await;
    migrate(&address).await.unwrap();
    [open(&address).await.unwrap(), open(&address).await.unwrap()]
}

fn puts(puts: impl IntoIterator<Item = Put>) -> Changes {
    Changes { puts: puts.into_iter().collect(), ..Changes::new() }
}

/// Tries to reserve 600 of the order's 10,000 until it succeeded or nothing is left; how often it was stale.
async fn reserve(store: Arc<dyn Verifiable>, number: u128) -> (bool, u32) {
    let mut stale = 0;
    loop {
        let order = store.order(TENANT, OrderId::from_bits(1)).await.unwrap().unwrap();
        if order.refundable() < 600 {
            return (false, stale);
        }
        let refund = fixture::refund(number, &fixture::attempt(1, &order), 600);
        let changed = Order { refunding: order.refunding + 600, ..order };
        match store.commit(TENANT, puts([Put::Order(changed), Put::Refund(refund)])).await {
            Ok(()) => return (true, stale),
            Err(error) => assert_eq!(error, CommitError::Stale),
        }
        stale += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_on_two_servers_never_exceed_the_capture() {
    let nodes = two_nodes("two_refunds").await;
    nodes[0].commit(TENANT, puts([Put::Order(fixture::paid_order(1))])).await.unwrap();
    let tasks: Vec<_> = (1..=64)
        .map(|number| tokio::spawn(reserve(Arc::clone(&nodes[(number % 2) as usize]), number)))
        .collect();
    let mut reserved = 0;
    for task in tasks {
        reserved += i64::from(task.await.unwrap().0);
    }
    let order = nodes[1].order(TENANT, OrderId::from_bits(1)).await.unwrap().unwrap();
    assert_eq!((reserved, order.refunding), (16, 9_600));
    let page = paycore::store::Page { limit: 100, after: None, before: None };
    assert_eq!(nodes[0].refunds(TENANT, &Default::default(), &page).await.unwrap().len(), 16);
    assert_eq!(nodes[0].refund(TENANT, RefundId::from_bits(1_000)).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_and_balances_agree_when_two_servers_write() {
    let nodes = two_nodes("two_streams").await;
    let tasks: Vec<_> = (1..=300)
        .map(|number: u128| {
            let node = Arc::clone(&nodes[(number % 2) as usize]);
            tokio::spawn(async move {
                let changes = Changes {
                    events: vec![fixture::event(number, format!("o{number}"), 1)],
                    transactions: vec![fixture::transaction(number, fixture::cny(2))],
                    ..Changes::new()
                };
                node.commit(TENANT, changes).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let events = nodes[0].events(TENANT, &Default::default(), 0, 1_000).await.unwrap();
    assert_eq!(events.iter().map(|event| event.position).collect::<Vec<_>>(), (1..=300).collect::<Vec<_>>());
    for balance in nodes[1].balances(TENANT).await.unwrap() {
        assert_eq!(balance.debits + balance.credits, 600);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_want_the_same_rows_in_opposite_order_all_come_to_an_end() {
    let nodes = two_nodes("two_orders").await;
    let all = 1..=40u128;
    nodes[0]
        .commit(TENANT, puts(all.clone().map(|number| Put::Order(fixture::order(number)))))
        .await
        .unwrap();
    for round in 1..=10 {
        let change = |number| Put::Order(Order { version: round, sequence: round, ..fixture::order(number) });
        let forwards = nodes[0].commit(TENANT, puts(all.clone().map(change)));
        let backwards = nodes[1].commit(TENANT, puts(all.clone().rev().map(change)));
        let results = tokio::join!(forwards, backwards);
        let won = [&results.0, &results.1].into_iter().filter(|result| result.is_ok()).count();
        let lost =
            [&results.0, &results.1].into_iter().filter(|result| **result == Err(CommitError::Stale)).count();
        assert_eq!((won, lost), (1, 1), "{results:?}");
    }
}

async fn every_job_is_taken_once(stores: &[Arc<dyn Verifiable>]) {
    const JOBS: u128 = 4_000;
    for first in (0..JOBS).step_by(500) {
        let due = |number| Put::Order(Order { due_at: NOW, ..fixture::order(number) });
        stores[0].commit(TENANT, puts((first..first + 500).map(due))).await.unwrap();
    }
    let workers: Vec<_> = (0..8)
        .map(|worker| {
            let store = Arc::clone(&stores[worker % stores.len()]);
            tokio::spawn(async move {
                let mut mine = Vec::new();
                while store.backlog(Queue::Orders, NOW).await.unwrap().due > 0 {
                    mine.extend(store.take_due(Queue::Orders, NOW, Timestamp::MAX, 10).await.unwrap());
                }
                mine
            })
        })
        .collect();
    let mut taken = Vec::new();
    for worker in workers {
        taken.extend(worker.await.unwrap());
    }
    let different: BTreeSet<_> = taken.iter().cloned().collect();
    assert_eq!((taken.len(), different.len()), (JOBS as usize, JOBS as usize));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_workers_on_sqlite_take_four_thousand_jobs_once_each() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", folder.path().join("queue.db").display());
    migrate(&address).await.unwrap();
    every_job_is_taken_once(&[open(&address).await.unwrap()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_workers_of_two_servers_on_postgres_take_four_thousand_jobs_once_each() {
    every_job_is_taken_once(&two_nodes("two_queues").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_whose_connections_are_killed_goes_on_with_new_ones() {
    let cluster = tokio::task::spawn_blocking(|| cluster::Cluster::start(&[])).await.unwrap();
    cluster.create("killed").await;
    let address = cluster.address("killed");
    migrate(&address).await.unwrap();
    let store = open(&address).await.unwrap();
    for round in 1..=10u128 {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'killed'";
        cluster.execute("postgres", kill).await;
        // Reads are tried again at once; a commit on a dead connection says that its outcome is not known.
        assert_eq!(store.order(TENANT, OrderId::from_bits(999)).await, Ok(None));
        cluster::eventually("a commit succeeds", async || {
            let commit = store.commit(TENANT, puts([Put::Order(fixture::order(round))])).await;
            matches!(commit, Ok(()) | Err(CommitError::Duplicate(_)))
        })
        .await;
        assert!(store.order(TENANT, OrderId::from_bits(round)).await.unwrap().is_some());
    }
}
