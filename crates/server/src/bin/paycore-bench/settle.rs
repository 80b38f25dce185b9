//! Settling every merchant of an installation, each with a day's items, on a fresh SQLite file with `synchronous=FULL`, in a
//! process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use paycore::clearing::{Item, ItemKind};
use paycore::currency::Currency;
use paycore::engine::Engine;
use paycore::id::{ItemId, MerchantId, SettlementPlanId};
use paycore::merchant::Merchant;
use paycore::money::Money;
use paycore::settlement::service::settle_all;
use paycore::settlement::{Cycle, Plan, Terms};
use paycore::store::{Changes, Put};
use paycore::testkit::store_conformance::fixture;
use paycore::time::{ManualClock, Timestamp};
use paycore_server::assemble;
use paycore_server::config::Config;
use serde_json::{Value, json};

use crate::Failure;
use crate::statement::peak;
use crate::table::Row;

const SECONDS_MAX: u64 = 60;
/// Sales of a merchant, besides one refund.
const SALES: u32 = 4;
/// Merchants written at the same time beforehand.
const AT_ONCE: usize = 256;

/// What the process that settles is told.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where the database is made.
    folder: PathBuf,
    /// How many merchants there are.
    #[arg(default_value_t = 100_000)]
    merchants: u32,
}

/// One row.
pub fn measure(folder: &Path) -> Result<Row, Failure> {
    let said = Command::new(std::env::current_exe()?).arg("settle").arg(folder).output()?;
    if !said.status.success() {
        return Err(String::from_utf8_lossy(&said.stderr).into());
    }
    let said: Value = serde_json::from_slice(&said.stdout)?;
    let number = |name: &str| said[name].as_u64().unwrap_or(u64::MAX);
    let millis = number("millis");
    let met = millis <= SECONDS_MAX * 1_000;
    Ok(Row {
        what: format!("settle {} merchants, {} items each, SQLite", number("merchants"), SALES + 1),
        measured: format!(
            "{}.{} s, {} MB",
            millis / 1_000,
            millis % 1_000 / 100,
            number("kilobytes") / 1_024
        ),
        limit: format!(
            "writing them and their items before, {}.{} s",
            number("written") / 1_000,
            number("written") % 1_000 / 100
        ),
        result: if met { "met" } else { "missed" }.to_owned(),
        target: format!("<= {SECONDS_MAX} s"),
    })
}

/// Makes the installation, settles it, and says what that took.
pub fn settle(options: &Options) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(settled(options))
}

async fn settled(options: &Options) -> Result<(), Failure> {
    let folder = tempfile::tempdir_in(&options.folder)?;
    let sold = Timestamp::parse("2026-11-30T02:00:00Z")?;
    let config = Config { data_dir: folder.path().join("data"), ..Config::default() };
    let store = assemble::store(&config).await?;
    // The payments are of a Monday; three days later all of them are due.
    let clock = Arc::new(ManualClock::new(sold.plus(Duration::from_secs(3 * 86_400))));
    let engine = assemble::builder(&config, store, "https://pay.example")?.clock(clock).build()?;
    let start = Instant::now();
    stream::iter(0..options.merchants)
        .map(|number| write(&engine, sold, number))
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    let written = start.elapsed();
    let start = Instant::now();
    let tally = settle_all(&engine, |_| {}).await.map_err(|error| error.to_string())?;
    let took = start.elapsed();
    if (tally.closed, tally.failed) != (u64::from(options.merchants), 0) {
        return Err(format!("not every merchant was settled once: {tally:?}").into());
    }
    let text = json!({
        "merchants": options.merchants, "millis": took.as_millis(), "written": written.as_millis(),
        "kilobytes": peak()?,
    });
    println!("{text}");
    Ok(())
}

/// A merchant with its plan and what it sold.
async fn write(engine: &Engine, sold: Timestamp, number: u32) -> Result<(), Failure> {
    let id = |number: u32| (u128::from(sold.millis().unsigned_abs()) << 80) + u128::from(number) + 1;
    let tenant = MerchantId::from_bits(id(number));
    let terms = Terms::usual(Cycle::WorkingDays { days: 1 }, Currency::CNY);
    let mut changes = Changes::new();
    changes.put(Put::Merchant(Merchant { twin_id: None, ..fixture::merchant(tenant) }));
    for sale in 0..=SALES {
        let is_refund = sale == SALES;
        let kind = if is_refund { ItemKind::Refund } else { ItemKind::Payment };
        let minor = if is_refund { -1_000 } else { 10_000 + i64::from(number % 1_000) };
        let (id, money) =
            (ItemId::from_bits(id(number * (SALES + 1) + sale)), Money::new(minor, Currency::CNY));
        let mut item = Item::new(id, kind, id, money, sold);
        item.available_at = terms.available_at(sold, None, !is_refund);
        changes.put(Put::document(&item));
    }
    let plan = Plan::new(SettlementPlanId::from_bits(id(number)), Currency::CNY, terms, sold);
    changes.put(Put::document(&plan));
    engine.store().commit(tenant, changes).await?;
    Ok(())
}
