//! What was acknowledged is there after the worst end: the process killed, the database server killed.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

mod cluster;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use paycore::id::{MerchantId, OrderId};
use paycore::idempotency::Claim;
use paycore::store::{Changes, Put};
use paycore::testkit::store_conformance::fixture;
use paycore::time::SeededRng;
use paycore::verify::{Row, Table, Verifiable};
use paycore_store::{migrate, open};

const TENANT: MerchantId = MerchantId::from_bits(1);
/// Where the child writes, if this process is the child.
const CHILD: &str = "PAYCORE_STORE_CRASH_CHILD";
const FIRST: &str = "PAYCORE_STORE_CRASH_FIRST";
const KILLS: u64 = 12;
/// More payments than one round makes.
const ROUND: u64 = 1_000_000;

/// One payment: everything one step writes.
fn payment(number: u128) -> Changes {
    let order = fixture::paid_order(number);
    let attempt = fixture::attempt(number, &order);
    Changes {
        claim: Some(Claim::Open(fixture::record(&format!("key-{number}")))),
        puts: vec![Put::Order(order), Put::Attempt(attempt)],
        transactions: vec![fixture::transaction(number, fixture::cny(3))],
        events: vec![fixture::event(number, format!("o{number}"), 1)],
        audit: vec![fixture::audit(number)],
    }
}

/// Commits payments from several tasks until somebody ends it; tells each one that was acknowledged.
async fn write(
    store: Arc<dyn Verifiable>,
    first: u64,
    tell: impl Fn(u128) -> bool + Clone + Send + Sync + 'static,
) {
    let next = Arc::new(AtomicU64::new(first));
    let writers: Vec<_> = (0..16)
        .map(|_| {
            let (store, next, tell) = (Arc::clone(&store), Arc::clone(&next), tell.clone());
            tokio::spawn(async move {
                loop {
                    let number = u128::from(next.fetch_add(1, Ordering::Relaxed));
                    if store.commit(TENANT, payment(number)).await.is_err() || !tell(number) {
                        return;
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Every payment is there in full or not at all, the acknowledged ones are there, and the sums agree.
async fn check(store: &dyn Verifiable, acknowledged: &BTreeSet<u128>) {
    let orders = ids(store, Table::Orders).await;
    for number in acknowledged {
        let id = OrderId::from_bits(*number).bare();
        assert!(orders.contains(&id), "{number} was acknowledged and is gone");
    }
    for table in [Table::Attempts, Table::Transactions, Table::Events, Table::Claims] {
        assert_eq!(ids(store, table).await, orders, "{table:?}");
    }
    let events = store.events(TENANT, &Default::default(), 0, 1_000_000).await.unwrap();
    let positions: Vec<i64> = events.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=orders.len() as i64).collect::<Vec<_>>());
    for balance in store.balances(TENANT).await.unwrap() {
        assert_eq!(balance.debits + balance.credits, 3 * orders.len() as i64);
    }
}

/// Which payments have a row in a table, as ids without their prefix.
async fn ids(store: &dyn Verifiable, table: Table) -> BTreeSet<String> {
    let (rows, _) = store.scan(table, None, 1_000_000).await.unwrap();
    let ids = rows.into_iter().map(|row| match row {
        Row::Order(_, row) => row.id.bare(),
        Row::Attempt(_, row) => row.id.bare(),
        Row::Transaction(_, row) => row.id.bare(),
        Row::Event(_, row) => row.id.bare(),
        Row::Claim(_, row) => OrderId::from_bits(row.key["key-".len()..].parse().unwrap()).bare(),
        other => panic!("{other:?}"),
    });
    ids.collect()
}

/// Runs this very test in a child that writes, kills it without warning, and says what it had acknowledged.
fn killed_writer(address: &str, first: u64, after: Duration) -> BTreeSet<u128> {
    let test = "no_acknowledged_commit_is_lost_when_the_process_is_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, address)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let lines = output.lines().map_while(Result::ok);
        lines.filter_map(|line| line.strip_prefix("committed ")?.parse().ok()).collect::<BTreeSet<u128>>()
    });
    std::thread::sleep(after);
    // SIGKILL: nothing of the child runs any more.
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_commit_is_lost_when_the_process_is_killed() {
    if let Ok(address) = std::env::var(CHILD) {
        let first = std::env::var(FIRST).unwrap().parse().unwrap();
        let tell = |number| {
            println!("committed {number}");
            true
        };
        return write(open(&address).await.unwrap(), first, tell).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", folder.path().join("crash.db").display());
    migrate(&address).await.unwrap();
    let mut acknowledged = BTreeSet::new();
    let chance = SeededRng::new(7);
    for round in 0..KILLS {
        let after = Duration::from_millis(60 + chance.next_u64() % 200);
        let told = killed_writer(&address, ROUND * round, after);
        acknowledged.extend(told);
        let store = open(&address).await.unwrap();
        store.ready().await.unwrap();
        check(&*store, &acknowledged).await;
    }
    assert!(acknowledged.len() > 100, "the child hardly wrote: {}", acknowledged.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_commit_is_lost_when_the_database_server_is_killed() {
    let cluster = tokio::task::spawn_blocking(|| cluster::Cluster::start(&[])).await.unwrap();
    cluster.create("crash").await;
    let address = cluster.address("crash");
    migrate(&address).await.unwrap();
    let store = open(&address).await.unwrap();
    let acknowledged = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    for round in 0..3 {
        let told = Arc::clone(&acknowledged);
        let writing = tokio::spawn(write(Arc::clone(&store), ROUND * round, move |number| {
            told.lock().unwrap().insert(number)
        }));
        tokio::time::sleep(Duration::from_millis(400)).await;
        let cluster = &cluster;
        tokio::task::block_in_place(|| cluster.kill_and_restart());
        writing.await.unwrap();
        // The same store finds its way back to the server.
        cluster::eventually("the store is ready again", async || store.ready().await.is_ok()).await;
        let known = acknowledged.lock().unwrap().clone();
        check(&*store, &known).await;
    }
    assert!(acknowledged.lock().unwrap().len() > 100);
}
