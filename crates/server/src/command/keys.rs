//! `paycore keys`: new API keys, made on the machine itself. Whoever may read the data folder may do this.

use std::process::ExitCode;

use paycore::engine::{Caller, Engine};
use paycore::error::{Error, Result};
use paycore::id::MerchantId;
use paycore::merchant::service::{CreateApiKey, create_key};
use paycore::merchant::{Merchant, Scope};
use paycore_server::config::Config;
use paycore_server::{assemble, first_start};

use super::{fail, print};

/// For whom the key is.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Options {
    /// The merchant (live or sandbox). 商户 id。
    #[arg(long, value_name = "MERCHANT")]
    merchant: Option<String>,
    /// The operator of the installation, who creates merchants. 平台运营者。
    #[arg(long)]
    operator: bool,
}

/// Makes a key and prints it.
pub async fn run(config: &Config, options: Options) -> ExitCode {
    let store = match assemble::store(config).await {
        Ok(store) => store,
        Err(error) => return fail(&error),
    };
    let engine = match assemble::engine(config, store, &config.public_url) {
        Ok(engine) => engine,
        Err(error) => return fail(&error),
    };
    match create(&engine, options).await {
        Ok(key) => {
            print(&format!("{key}\n"));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error.detail),
    }
}

async fn create(engine: &Engine, options: Options) -> Result<String> {
    let (merchant, scopes) = match options.merchant {
        Some(id) => (merchant(engine, &id).await?, Scope::MERCHANT),
        None => (
            first_start::oldest(engine, |merchant| merchant.twin_id.is_none()).await?,
            &[Scope::Platform] as _,
        ),
    };
    let caller =
        Caller { actor: "command line".into(), scopes: scopes.into(), ..Caller::merchant(merchant.into()) };
    let input = CreateApiKey { name: "command line".into(), scopes: scopes.to_vec(), publishable: false };
    Ok(create_key(engine, &caller, input).await?.key.unwrap_or_default())
}

async fn merchant(engine: &Engine, id: &str) -> Result<Merchant> {
    let id: MerchantId = id.parse().map_err(|_| Error::not_found("merchant", id))?;
    engine.store().merchant(id).await?.ok_or_else(|| Error::not_found("merchant", id))
}
