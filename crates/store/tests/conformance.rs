//! Every store passes the same suite: the one in memory, SQLite in a file, and a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

mod cluster;

use std::sync::Arc;

use paycore::testkit::MemoryStore;
use paycore::testkit::store_conformance::{cases, run};
use paycore_store::{migrate, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_keeps_every_promise_of_a_store() {
    assert_eq!(run(Arc::new(MemoryStore::new())).await, cases().count());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_every_promise_of_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", folder.path().join("store.db").display());
    migrate(&address).await.unwrap();
    assert_eq!(run(open(&address).await.unwrap()).await, cases().count());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_keeps_every_promise_of_a_store() {
    let address = cluster::database("conformance").await;
    migrate(&address).await.unwrap();
    assert_eq!(run(open(&address).await.unwrap()).await, cases().count());
}

#[test]
fn the_suite_has_dozens_of_cases_with_names_of_their_own() {
    let mut names: Vec<_> = cases().map(|case| case.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases().count());
    assert!(names.len() >= 50, "{}", names.len());
}
