//! Reading a statement file of a million lines, beside a bare scan of the same bytes for line ends.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use paycore::channel::{Driver, Settings};
use paycore::crypto::native::NativeKeyring;
use paycore::testkit::channel_conformance::bulk;
use paycore::time::SeededRng;
use paycore_channels::REGISTRY;
use serde_json::{Value, json};

use crate::Failure;
use crate::table::Row;

/// A payment and its refund are two lines.
const PAYMENTS: usize = 500_000;
const MILLIS_MAX: u64 = 2_000;
const KILOBYTES_MAX: u64 = 64 * 1024;

/// What the process that reads is told.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The channel.
    channel: String,
    /// The file.
    file: PathBuf,
}

/// One row per channel whose simulator writes statements.
pub fn measure(folder: &Path) -> Result<Vec<Row>, Failure> {
    let folder = tempfile::tempdir_in(folder)?;
    let mut rows = Vec::new();
    for driver in REGISTRY {
        let id = driver.profile().id;
        let Some(bytes) = bulk::statement(*driver, &NativeKeyring, PAYMENTS)? else { continue };
        let file = folder.path().join(id);
        std::fs::write(&file, &bytes)?;
        drop(bytes);
        // A process of its own: its memory is the parser's.
        let said = Command::new(std::env::current_exe()?).arg("parse").arg(id).arg(&file).output()?;
        if !said.status.success() {
            return Err(format!("{id}: {}", String::from_utf8_lossy(&said.stderr)).into());
        }
        rows.push(row(id, &serde_json::from_slice(&said.stdout)?));
        std::fs::remove_file(&file)?;
    }
    Ok(rows)
}

fn row(id: &str, said: &Value) -> Row {
    let number = |name: &str| said[name].as_u64().unwrap_or(u64::MAX);
    let (millis, kilobytes) = (number("millis"), number("kilobytes"));
    let met = millis <= MILLIS_MAX && kilobytes <= KILOBYTES_MAX;
    Row {
        what: format!("{id} statement of {} lines, {} MB", number("lines"), number("bytes") / 1_000_000),
        measured: format!("{}.{:03} s, {} MB", millis / 1_000, millis % 1_000, kilobytes / 1_024),
        limit: format!("bare line scan {} ms", number("scan")),
        result: if met { "met" } else { "missed" }.to_owned(),
        target: "<= 2 s, <= 64 MB".to_owned(),
    }
}

/// Scans, then reads, and says what each took.
pub fn parse(options: &Options) -> Result<(), Failure> {
    let driver =
        REGISTRY.iter().find(|driver| driver.profile().id == options.channel).ok_or("no such channel")?;
    let channel = driver.open(&settings(*driver)?, &NativeKeyring)?;
    let (start, mut bytes, mut reader) = (Instant::now(), 0, BufReader::new(File::open(&options.file)?));
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        bytes += line.len();
        line.clear();
    }
    let scan = start.elapsed();
    let (start, mut lines) = (Instant::now(), 0u64);
    let totals = channel.parse(&mut BufReader::new(File::open(&options.file)?), &mut |_| lines += 1)?;
    let took = start.elapsed();
    if totals.payments != PAYMENTS as u64 || totals.payments + totals.refunds != lines {
        return Err(format!("{totals:?} in {lines} lines").into());
    }
    let text = json!({
        "bytes": bytes, "lines": lines, "scan": scan.as_millis(), "millis": took.as_millis(), "kilobytes": peak()?,
    });
    println!("{text}");
    Ok(())
}

/// Settings that open: the file says nothing of whose it is, or is read whosever it is.
fn settings(driver: &dyn Driver) -> Result<Settings, Failure> {
    let maker = driver.simulator().ok_or("no simulator")?;
    Ok(maker.provision("https://simulator.invalid/1", &NativeKeyring, &SeededRng::new(1))?.ours)
}

/// The most memory this process ever used, in kilobytes of 1,024 bytes.
pub fn peak() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
