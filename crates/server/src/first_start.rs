//! The first start of an installation, and the sandbox that is ready to be used after it.

use std::fs;
use std::io;
use std::path::Path;

use paycore::account::service::{self as accounts, CreateChannelAccount};
use paycore::engine::{Caller, Engine};
use paycore::error::{Error, Result};
use paycore::merchant::service::{CreateApiKey, FirstStart, authenticate, create_key, first_start};
use paycore::merchant::{Merchant, Scope};
use paycore::secret::Secret;
use paycore::store::Page;

use crate::assemble::keep_secret;

/// Where the sandbox's first key is kept, so that later starts can show it: it moves no real money.
pub const SANDBOX_KEY_FILE: &str = "sandbox.key";
const SHOP: &str = "My shop 我的店";
/// How many of the oldest merchants are looked at to find the first sandbox.
const OLDEST: usize = 16;

/// What a start found or made.
#[derive(Debug)]
pub struct Started {
    /// The first keys, on the first start only.
    pub first: Option<FirstStart>,
    /// A key for the sandbox, where it is on.
    pub test_key: Option<Secret>,
}

/// Makes the operator and the first merchant where there are none, and the sandbox ready where it is on.
pub async fn run(engine: &Engine, folder: &Path, sandbox: bool) -> Result<Started> {
    let first = first_start(engine, SHOP).await?;
    if let Some(key) = first.as_ref().and_then(|first| first.merchant.test_key.key.clone()) {
        remember(folder, &Secret::new(key)).map_err(Error::internal)?;
    }
    let test_key = if sandbox { Some(ready_sandbox(engine, folder).await?) } else { None };
    Ok(Started { first, test_key })
}

/// The key in the file, or a new one where that is gone or was revoked; with an account at every simulator.
async fn ready_sandbox(engine: &Engine, folder: &Path) -> Result<Secret> {
    let known = fs::read_to_string(folder.join(SANDBOX_KEY_FILE)).map(|text| Secret::new(text.trim())).ok();
    let caller = match &known {
        Some(key) => authenticate(engine, key.expose()).await?,
        None => None,
    };
    let (key, caller) = match (known, caller) {
        (Some(key), Some(caller)) => (key, caller),
        _ => new_key(engine, folder).await?,
    };
    if engine.store().channel_accounts(caller.tenant()).await?.is_empty() {
        for driver in engine.drivers().iter().filter(|driver| driver.simulator().is_some()) {
            let channel = driver.profile().id.to_owned();
            let input = CreateChannelAccount { channel, name: None, settings: None, priority: None };
            accounts::create(engine, &caller, input).await?;
        }
    }
    Ok(key)
}

async fn new_key(engine: &Engine, folder: &Path) -> Result<(Secret, Caller)> {
    let sandbox = oldest(engine, |merchant| !merchant.livemode).await?;
    let caller = Caller { actor: "start".into(), ..Caller::merchant(sandbox.into()) };
    let input = CreateApiKey { name: "sandbox".into(), scopes: Scope::MERCHANT.to_vec(), publishable: false };
    let key = create_key(engine, &caller, input).await?.key.unwrap_or_default();
    let key = Secret::new(key);
    remember(folder, &key).map_err(Error::internal)?;
    Ok((key, caller))
}

/// The oldest merchant of a kind.
pub async fn oldest(engine: &Engine, kind: impl Fn(&Merchant) -> bool) -> Result<Merchant> {
    // Every id sorts after the bare prefix, and the rows nearest to it are the oldest.
    let page = Page { limit: OLDEST, after: None, before: Some("mer_".into()) };
    let found = engine.store().merchants(&page).await?.into_iter().rfind(kind);
    found.ok_or_else(|| Error::internal("the installation has no such merchant"))
}

fn remember(folder: &Path, key: &Secret) -> io::Result<()> {
    let path = folder.join(SANDBOX_KEY_FILE);
    fs::create_dir_all(folder)?;
    if path.exists() {
        fs::remove_file(&path)?;
    }
    keep_secret(&path, key)
}
