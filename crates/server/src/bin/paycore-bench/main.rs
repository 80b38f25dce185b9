//! `paycore-bench`: how fast paycore is, as ratios to limits measured in the same run. It prints a table; nothing
//! here passes or fails.

mod alipay;
mod compare;
mod fees;
mod flips;
mod ledger;
mod load;
mod memory;
mod reconcile;
mod rows;
mod settle;
mod statement;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures paycore beside bare limits on this machine.
#[derive(Debug, Parser)]
#[command(name = "paycore-bench", version)]
struct Arguments {
    /// Where databases are made: its disk is what is measured.
    #[arg(long, default_value = "target")]
    folder: PathBuf,
    /// Seconds per round of the HTTP comparison.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Rounds of the HTTP comparison; the middle one is reported.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Connections of the HTTP comparison.
    #[arg(long, default_value_t = 256)]
    connections: usize,
    /// Two empty PostgreSQL databases for the store comparison: the store's, then the bare driver's.
    #[arg(long, num_args = 2, value_names = ["STORE", "BARE"])]
    postgres: Vec<String>,
    /// Runs only this part.
    #[arg(long)]
    only: Option<Part>,
    #[command(subcommand)]
    inner: Option<Inner>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Store,
    Alipay,
    Http,
    Memory,
    Statement,
    Flips,
    Ledger,
    Fees,
    Reconcile,
    Settle,
}

#[derive(Debug, Subcommand)]
enum Inner {
    /// The load generator, a process of its own.
    #[command(hide = true)]
    Load(load::Options),
    /// Reads a statement file, a process of its own.
    #[command(hide = true)]
    Parse(statement::Options),
    /// Compares two large sides, a process of its own.
    #[command(hide = true)]
    Reconcile(reconcile::Options),
    /// Settles a large installation, a process of its own.
    #[command(hide = true)]
    Settle(settle::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.inner {
        Some(Inner::Load(options)) => load::run(options),
        Some(Inner::Parse(options)) => statement::parse(options),
        Some(Inner::Reconcile(options)) => reconcile::compare(options),
        Some(Inner::Settle(options)) => settle::settle(options),
        None => measure(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("paycore-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn measure(arguments: &Arguments) -> Result<(), Failure> {
    let wanted = |part| arguments.only.is_none_or(|only| only == part);
    let mut table = table::Table::default();
    if wanted(Part::Memory) {
        table.add(memory::idle(&arguments.folder)?);
    }
    if wanted(Part::Alipay) {
        alipay::measure().into_iter().for_each(|row| table.add(row));
    }
    if wanted(Part::Statement) {
        statement::measure(&arguments.folder)?.into_iter().for_each(|row| table.add(row));
    }
    if wanted(Part::Flips) {
        flips::measure().into_iter().for_each(|row| table.add(row));
    }
    if wanted(Part::Ledger) {
        table.add(ledger::measure());
    }
    if wanted(Part::Fees) {
        table.add(fees::measure()?);
    }
    if wanted(Part::Reconcile) {
        reconcile::measure()?.into_iter().for_each(|row| table.add(row));
    }
    if wanted(Part::Settle) {
        table.add(settle::measure(&arguments.folder)?);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if wanted(Part::Store) {
        for row in runtime.block_on(stores(arguments))? {
            table.add(row);
        }
    }
    if wanted(Part::Http) {
        // As `paycore serve` logs, one line per request; into a file, so that nobody has to read it.
        let log = tempfile::tempfile_in(&arguments.folder)?;
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(paycore_server::log::Collected::start(log)?)
            .init();
        for row in runtime.block_on(compare::compare(arguments))? {
            table.add(row);
        }
    }
    table.print();
    Ok(())
}

async fn stores(arguments: &Arguments) -> Result<Vec<table::Row>, Failure> {
    const PAYMENTS: usize = 20_000;
    let clock = paycore::transport::system::SystemClock;
    let folder = tempfile::tempdir_in(&arguments.folder)?;
    let mut rows = paycore_store::bench::sqlite(folder.path(), &clock, PAYMENTS).await?;
    if let [own, bare] = arguments.postgres.as_slice() {
        rows.extend(paycore_store::bench::postgres(own, bare, &clock, PAYMENTS).await?);
    }
    Ok(rows.iter().map(table::Row::from).collect())
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
