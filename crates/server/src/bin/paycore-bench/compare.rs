//! Orders over HTTP: the real server beside a bare handler that makes one group commit of the same rows, each on a
//! fresh SQLite file with `synchronous=FULL`, driven by the same load generator on the same processors.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use paycore::engine::Engine;
use paycore::time::Clock as _;
use paycore::transport::system::{SystemClock, SystemRng};
use paycore_server::config::Config;
use paycore_server::{assemble, first_start, serve};
use paycore_store::bench::BareGroup;
use tokio::net::TcpListener;

use crate::load::{Options, Outcome};
use crate::rows::Rows;
use crate::table::Row;
use crate::{Arguments, Failure};

/// A card payment whose amount tells the simulator to send no notification.
pub const ORDER: &str = r#"{"amount":19008,"currency":"CNY","subject":"Tea 茶叶","method":"testpay.card"}"#;
const P99_TARGET_US: u64 = 50_000;

/// Takes turns and reports the middle of each.
pub async fn compare(arguments: &Arguments) -> Result<Vec<Row>, Failure> {
    let (mut real, mut bare) = (Vec::new(), Vec::new());
    for round in 1..=arguments.rounds {
        bare.push(bare_round(arguments).await?);
        real.push(real_round(arguments).await?);
        eprintln!("round {round}: bare {:?}, paycore {:?}", bare.last(), real.last());
    }
    let (bare, real) = (middle(bare), middle(real));
    Ok(vec![throughput(real, bare), latency(real)])
}

fn middle(mut rounds: Vec<Outcome>) -> Outcome {
    rounds.sort_by_key(|outcome| outcome.per_second);
    rounds[rounds.len() / 2]
}

fn throughput(real: Outcome, bare: Outcome) -> Row {
    let errors =
        if real.errors + bare.errors == 0 { String::new() } else { format!(" ({} errors)", real.errors) };
    Row {
        what: "orders over HTTP, two durable commits each".to_owned(),
        measured: format!("{}/s{errors}", real.per_second),
        limit: format!(
            "bare handler, one group commit {}/s, p99 {} ms",
            bare.per_second,
            bare.p99_us / 1_000
        ),
        result: format!("{} %", real.per_second * 100 / bare.per_second.max(1)),
        target: ">= 30 %".to_owned(),
    }
}

fn latency(real: Outcome) -> Row {
    Row {
        what: "latency of these orders, p50 and p99".to_owned(),
        measured: format!("{} ms, {} ms", real.p50_us / 1_000, real.p99_us / 1_000),
        limit: String::new(),
        result: if real.p99_us < P99_TARGET_US { "met".to_owned() } else { "missed".to_owned() },
        target: "p99 < 50 ms".to_owned(),
    }
}

fn config(folder: &Path) -> Config {
    Config {
        listen: "127.0.0.1:0".into(),
        data_dir: folder.join("data"),
        sandbox: true,
        rate_per_second: 0,
        ..Config::default()
    }
}

async fn real_round(arguments: &Arguments) -> Result<Outcome, Failure> {
    let folder = tempfile::tempdir_in(&arguments.folder)?;
    let config = config(folder.path());
    let listener = serve::bind(&config).await?;
    let (engine, key) = engine(&config, listener.local_addr()?).await?;
    let running = serve::start(&config, engine, listener, &SystemRng)?;
    let before = crate::memory::processor_time();
    let outcome = load(arguments, running.address(), "/v1/orders", &key).await;
    if let Ok(outcome) = &outcome {
        tell_processor_time(&before, outcome.per_second * (arguments.seconds + 1));
    }
    running.stop().await;
    outcome
}

/// What an order costs, by thread: steadier than throughput where others use the machine too.
fn tell_processor_time(before: &BTreeMap<String, u64>, orders: u64) {
    for (thread, millis) in crate::memory::processor_time() {
        let used = millis - before.get(&thread).copied().unwrap_or(0);
        if used > 100 {
            eprintln!("{thread}: {} µs of processor time per order", used * 1_000 / orders.max(1));
        }
    }
}

/// An engine with the sandbox ready, the simulators in memory.
async fn engine(config: &Config, address: SocketAddr) -> Result<(Arc<Engine>, String), Failure> {
    let store = assemble::store(config).await?;
    let url = config.public_url(address);
    let engine = Arc::new(assemble::builder(config, store, &url)?.sandbox_in_memory().build()?);
    let started =
        first_start::run(&engine, &config.data_dir, true).await.map_err(|error| error.to_string())?;
    let key = started.test_key.ok_or("the sandbox has no key")?.expose().to_owned();
    Ok((engine, key))
}

async fn bare_round(arguments: &Arguments) -> Result<Outcome, Failure> {
    let folder = tempfile::tempdir_in(&arguments.folder)?;
    let config = config(folder.path());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (engine, key) = engine(&config, address).await?;
    let rows = Rows::sample(&engine, &key).await?;
    let bare = Arc::new(Bare { rows, group: BareGroup::start(&folder.path().join("bare.db")).await? });
    let router = Router::new().route("/", post(commit)).with_state(bare);
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true)));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let outcome = load(arguments, address, "/", &key).await;
    server.abort();
    outcome
}

struct Bare {
    rows: Rows,
    group: BareGroup,
}

/// The bare handler: nothing but one commit of the rows of one paid order.
async fn commit(State(bare): State<Arc<Bare>>) -> Result<&'static str, String> {
    let changes = bare.rows.another(SystemClock.now());
    bare.group.commit(bare.rows.tenant, &changes).await.map_err(|error| error.to_string())?;
    Ok("ok")
}

async fn load(arguments: &Arguments, address: SocketAddr, path: &str, key: &str) -> Result<Outcome, Failure> {
    let options = Options {
        address,
        path: path.to_owned(),
        key: key.to_owned(),
        body: ORDER.to_owned(),
        connections: arguments.connections,
        seconds: arguments.seconds,
    };
    options.spawn().await
}
