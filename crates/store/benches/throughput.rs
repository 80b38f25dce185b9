//! `cargo bench -p paycore-store --features bench`: durable commits per second beside the bare drivers.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

#[path = "../tests/cluster/mod.rs"]
mod cluster;

use paycore::time::{Clock, Timestamp};
use paycore_store::bench;

/// The clock of the machine.
struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let count = std::env::var("PAYMENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    bench::sqlite(folder.path(), &Wall, count).await.unwrap().iter().for_each(show);
    let (own, bare) = (cluster::database("own").await, cluster::database("bare").await);
    bench::postgres(&own, &bare, &Wall, count).await.unwrap().iter().for_each(show);
}

fn show(row: &bench::Row) {
    println!(
        "{:<10} {}: store {:>6}/s, bare {:>6}/s: {:>3} % (target {} %)",
        row.engine,
        row.load.text(),
        row.store,
        row.bare,
        row.percent(),
        row.target_percent
    );
}
