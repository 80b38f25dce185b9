//! Opening: the schema, and servers that may lose what they acknowledge.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

mod cluster;

use paycore::id::{MerchantId, OrderId};
use paycore::store::{Changes, CommitError, Put};
use paycore::testkit::store_conformance::fixture;
use paycore_store::{OpenError, SCHEMA_VERSION, migrate, open, schema_version};

fn sqlite(folder: &tempfile::TempDir) -> String {
    format!("sqlite:{}", folder.path().join("store.db").display())
}

async fn a_schema_is_made_step_by_step(address: &str) {
    assert_eq!(schema_version(address).await, Ok(0));
    let refused = open(address).await.map(|_| ());
    assert_eq!(refused, Err(OpenError::Schema { found: 0, wanted: SCHEMA_VERSION }));
    let both = tokio::join!(migrate(address), migrate(address));
    assert_eq!(both, (Ok(SCHEMA_VERSION), Ok(SCHEMA_VERSION)));
    assert_eq!(migrate(address).await, Ok(SCHEMA_VERSION));
    assert_eq!(schema_version(address).await, Ok(SCHEMA_VERSION));
    let store = open(address).await.unwrap();
    assert_eq!(store.ready().await, Ok(()));
}

#[tokio::test]
async fn the_schema_of_sqlite_is_made_once_however_often_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    a_schema_is_made_step_by_step(&sqlite(&folder)).await;
}

#[tokio::test]
async fn the_schema_of_postgres_is_made_once_however_often_it_is_asked_for() {
    a_schema_is_made_step_by_step(&cluster::database("opening").await).await;
}

#[tokio::test]
async fn asking_for_the_version_creates_no_file() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(schema_version(&sqlite(&folder)).await, Ok(0));
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn what_was_committed_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let (address, tenant) = (sqlite(&folder), MerchantId::from_bits(1));
    migrate(&address).await.unwrap();
    for number in 1..=3 {
        let store = open(&address).await.unwrap();
        let changes = Changes { puts: vec![Put::Order(fixture::order(number))], ..Changes::new() };
        store.commit(tenant, changes).await.unwrap();
        for earlier in 1..=number {
            assert!(store.order(tenant, OrderId::from_bits(earlier)).await.unwrap().is_some());
        }
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    std::fs::write(&path, "this is a letter, not a database, and it is long enough to tell".repeat(20))
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(migrate(&sqlite(&folder)).await, Err(OpenError::Store(_))));
    assert!(open(&sqlite(&folder)).await.is_err());
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_damaged_file_stops_the_writer_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (address, tenant) = (sqlite(&folder), MerchantId::from_bits(1));
    migrate(&address).await.unwrap();
    let path = folder.path().join("store.db");
    let root: i64 = {
        let connection = rusqlite::Connection::open(&path).unwrap();
        let root = "SELECT rootpage FROM sqlite_master WHERE name = 'orders'";
        connection.query_row(root, (), |row| row.get(0)).unwrap()
    };
    let mut bytes = std::fs::read(&path).unwrap();
    let page = 4_096 * (root as usize - 1);
    bytes[page..page + 4_096].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let store = open(&address).await.unwrap();
    let commit = async |put| store.commit(tenant, Changes { puts: vec![put], ..Changes::new() }).await;
    assert_eq!(commit(Put::Endpoint(fixture::endpoint(1))).await, Ok(()), "other tables are whole");
    assert!(matches!(commit(Put::Order(fixture::order(1))).await, Err(CommitError::Store(_))));
    let next = commit(Put::Endpoint(fixture::endpoint(2))).await;
    let Err(CommitError::Store(error)) = next else {
        panic!("writing goes on over a damaged file: {next:?}")
    };
    assert!(error.0.contains("stopped"), "{error}");
    assert!(store.ready().await.is_err());
    assert!(store.endpoint(tenant, fixture::endpoint(1).id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_server_that_may_lose_what_it_acknowledged_is_refused() {
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let setting_off = format!("{setting}=off");
        let start = move || cluster::Cluster::start(&[&setting_off]);
        let cluster = tokio::task::spawn_blocking(start).await.unwrap();
        cluster.create("lossy").await;
        let address = cluster.address("lossy");
        migrate(&address).await.unwrap();
        match open(&address).await.map(|_| ()) {
            Err(OpenError::Unsafe(reason)) => assert!(reason.contains(setting), "{reason}"),
            other => panic!("{setting}=off must be refused, not {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_write_is_not_ready_and_comes_back() {
    let cluster = tokio::task::spawn_blocking(|| cluster::Cluster::start(&[])).await.unwrap();
    cluster.create("standby").await;
    let address = cluster.address("standby");
    migrate(&address).await.unwrap();
    let store = open(&address).await.unwrap();
    let tenant = MerchantId::from_bits(1);
    let commit = async |number| {
        let changes = Changes { puts: vec![Put::Order(fixture::order(number))], ..Changes::new() };
        store.commit(tenant, changes).await
    };
    assert_eq!(commit(1).await, Ok(()));
    // What a primary looks like after it was made a standby: its connections end, new ones cannot write.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'standby'";
    cluster
        .execute("postgres", &format!("ALTER DATABASE standby SET default_transaction_read_only = on; {end}"))
        .await;
    cluster::eventually("the connections have ended", async || store.ready().await.is_err()).await;
    assert!(matches!(commit(2).await, Err(CommitError::Store(_))));
    assert!(store.order(tenant, OrderId::from_bits(1)).await.is_err(), "what a standby shows may be old");
    assert!(open(&address).await.is_err());
    cluster.execute("postgres", "ALTER DATABASE standby RESET default_transaction_read_only").await;
    cluster::eventually("the store is ready again", async || store.ready().await.is_ok()).await;
    assert_eq!(commit(3).await, Ok(()));
    assert!(store.order(tenant, OrderId::from_bits(1)).await.unwrap().is_some());
    assert_eq!(store.order(tenant, OrderId::from_bits(2)).await, Ok(None));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_and_not_a_wait() {
    let address = "postgres://paycore@127.0.0.1:1/none";
    assert!(matches!(schema_version(address).await, Err(OpenError::Store(_))));
    assert!(matches!(open(address).await.map(|_| ()), Err(OpenError::Store(_))));
}
