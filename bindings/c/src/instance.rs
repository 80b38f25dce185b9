//! One open engine: its store, its keys, its shop, and the threads its work runs on.

use std::sync::Arc;
use std::time::Duration;

use paycore::account::service::{self as accounts, CreateChannelAccount};
use paycore::crypto::envelope::EnvelopeVault;
use paycore::crypto::native::NativeKeyring;
use paycore::engine::{Caller, Engine};
use paycore::error::{Code, Error, Result};
use paycore::id::MerchantId;
use paycore::merchant::service::first_start;
use paycore::sandbox::service as sandbox;
use paycore::secret::Secret;
use paycore::store::{Page, Queue};
use paycore::testkit::MemoryStore;
use paycore::time::Rng;
use paycore::transport::guard::{GuardPolicy, Network};
use paycore::transport::reqwest::ReqwestTransport;
use paycore::transport::system::{SystemClock, SystemRng};
use paycore::verify::Verifiable;
use serde::Deserialize;
use tokio::runtime::Runtime;

/// How long the workers rest when there was nothing to do.
const REST: Duration = Duration::from_millis(100);
const BATCH: usize = 64;
/// How long closing waits for a worker in the middle of a step. What it was doing is done again later.
const GRACE: Duration = Duration::from_secs(2);

/// What a host says when it opens an engine.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    store: String,
    root_keys: Secret,
    sandbox: bool,
    public_url: String,
    allow: Vec<Network>,
    http: Option<bool>,
    workers: bool,
    language: Language,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Language {
    En,
    Zh,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            store: "memory".into(),
            root_keys: Secret::default(),
            sandbox: true,
            public_url: "http://127.0.0.1:8080".into(),
            allow: Vec::new(),
            http: None,
            workers: true,
            language: Language::En,
        }
    }
}

/// An open engine.
pub(crate) struct Instance {
    pub(crate) engine: Arc<Engine>,
    pub(crate) public_url: String,
    pub(crate) chinese: bool,
    shop: MerchantId,
    runtime: Option<Runtime>,
    process: u32,
}

impl Instance {
    /// Opens the engine a configuration describes.
    pub(crate) fn open(config: &[u8]) -> Result<Instance> {
        let config = read(config)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime =
            runtime.map_err(|_| Error::new(Code::Unavailable, "No more threads can be started."))?;
        let opening = async {
            let engine = engine(&config).await?;
            let shop = shop(&engine, config.sandbox).await?;
            if config.sandbox {
                sandbox::wake(&engine).await?;
            }
            Ok::<_, Error>((Arc::new(engine), shop))
        };
        let (engine, shop) = runtime.block_on(opening)?;
        if config.workers {
            runtime.spawn(work_on(Arc::clone(&engine), config.sandbox));
        }
        let chinese = config.language == Language::Zh;
        let process = std::process::id();
        Ok(Instance { engine, public_url: config.public_url, chinese, shop, runtime: Some(runtime), process })
    }

    /// Runs something of the engine's on the calling thread, until it is done.
    pub(crate) fn run<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        match &self.runtime {
            Some(runtime) if self.is_at_home() => runtime.block_on(work),
            _ => Err(Error::new(
                Code::Unavailable,
                "This engine was opened before the process was forked, and its threads stayed behind. Open another.",
            )),
        }
    }

    /// The embedding program itself, acting for its shop.
    pub(crate) async fn caller(&self) -> Result<Caller> {
        let found = self.engine.store().merchant(self.shop).await?;
        let merchant = found.ok_or_else(|| Error::internal("the shop of this engine is gone"))?;
        Ok(Caller::merchant(Arc::new(merchant)))
    }

    fn is_at_home(&self) -> bool {
        self.process == std::process::id()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        if self.is_at_home() {
            runtime.shutdown_timeout(GRACE);
        } else {
            // Its threads are in the parent process: nobody here could ever be waited for.
            std::mem::forget(runtime);
            std::mem::forget(Arc::clone(&self.engine));
        }
    }
}

fn read(config: &[u8]) -> Result<Config> {
    let wrong = |param: &str, why: &serde_json::Error| {
        let param = format!("config.{param}").trim_end_matches('.').to_owned();
        Error::invalid(param, format!("The configuration cannot be read: {why}."))
    };
    let mut json = serde_json::Deserializer::from_slice(config);
    let read = serde_path_to_error::deserialize(&mut json);
    let read = read.map_err(|error| wrong(&error.path().to_string(), error.inner()))?;
    json.end().map_err(|error| wrong("", &error))?;
    Ok(read)
}

async fn engine(config: &Config) -> Result<Engine> {
    let policy = GuardPolicy { allow: config.allow.clone(), http: config.http.unwrap_or(config.sandbox) };
    let transport = ReqwestTransport::new(policy).map_err(|error| unusable("config", error))?;
    let builder = Engine::builder()
        .store(store(&config.store).await?)
        .transport(Arc::new(transport))
        .channels(paycore_channels::REGISTRY)
        .keyring(Arc::new(NativeKeyring))
        .vault(Arc::new(vault(config)?))
        .clock(Arc::new(SystemClock))
        .rng(Arc::new(SystemRng))
        .public_url(config.public_url.trim_end_matches('/'));
    builder.build().map_err(|error| unusable("config", error))
}

async fn store(address: &str) -> Result<Arc<dyn Verifiable>> {
    if address == "memory" {
        return Ok(Arc::new(MemoryStore::new()));
    }
    paycore_store::migrate(address).await.map_err(|error| unusable("config.store", error))?;
    paycore_store::open(address).await.map_err(|error| unusable("config.store", error))
}

/// Credentials are sealed with these keys; a store that outlives the process needs the same ones again.
fn vault(config: &Config) -> Result<EnvelopeVault> {
    if config.store == "memory" && config.root_keys.is_blank() {
        let mut random = [0; 32];
        SystemRng.fill(&mut random);
        let random = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, random);
        return EnvelopeVault::new([("memory", &Secret::new(random))]).map_err(Error::internal);
    }
    let wrong = || {
        let detail = "A store that is kept needs `root_keys`, such as `k1:` and the output of `openssl rand -base64 32`. \
                      Keep them apart from the store: without them its credentials cannot be read.";
        Error::invalid("config.root_keys", detail)
    };
    let pairs = config.root_keys.expose().split(',').map(|pair| pair.trim().split_once(':'));
    let keys: Option<Vec<_>> = pairs.map(|pair| pair.map(|(name, key)| (name, Secret::new(key)))).collect();
    let keys = keys.ok_or_else(wrong)?;
    EnvelopeVault::new(keys.iter().map(|(name, key)| (*name, key))).map_err(|_| wrong())
}

/// The shop this process acts for: the sandbox or the live half of the first merchant. The first start makes them,
/// and connects the sandbox to the simulator of every channel.
async fn shop(engine: &Engine, wants_sandbox: bool) -> Result<MerchantId> {
    first_start(engine, "Embedded shop").await?;
    let mut shop = None;
    let mut page = Page { limit: 100, after: None, before: None };
    loop {
        let rows = engine.store().merchants(&page).await?;
        let Some(oldest) = rows.last() else { break };
        page.after = Some(oldest.id.to_string());
        // Newest first; the operator of the installation has no twin.
        let ours = rows.iter().rev().find(|row| row.twin_id.is_some() && row.livemode != wants_sandbox);
        shop = ours.cloned().or(shop);
    }
    let shop = shop.ok_or_else(|| Error::invalid("config.store", "There is no merchant in this store."))?;
    let id = shop.id;
    if wants_sandbox && engine.store().channel_accounts(id).await?.is_empty() {
        let caller = Caller::merchant(Arc::new(shop));
        for driver in engine.drivers().iter().filter(|driver| driver.simulator().is_some()) {
            let channel = driver.profile().id.to_owned();
            let input = CreateChannelAccount { channel, name: None, settings: None, priority: None };
            accounts::create(engine, &caller, input).await?;
        }
    }
    Ok(id)
}

/// Works on everything that is due, for as long as the engine is open. A step that panics ends only itself.
async fn work_on(engine: Arc<Engine>, sandbox: bool) {
    loop {
        let step = tokio::spawn(step(Arc::clone(&engine), sandbox));
        if !matches!(step.await, Ok(Ok(true))) {
            tokio::time::sleep(REST).await;
        }
    }
}

/// One round over all queues; whether there was anything to do.
async fn step(engine: Arc<Engine>, sandbox: bool) -> Result<bool> {
    let mut done = if sandbox { sandbox::deliver(&engine).await? } else { 0 };
    for queue in Queue::ALL {
        let worked = engine.work(*queue, BATCH).await?;
        done += worked.taken - worked.failed;
    }
    Ok(done > 0)
}

fn unusable(param: &str, why: impl std::fmt::Display) -> Error {
    Error::invalid(param, format!("{why}."))
}
