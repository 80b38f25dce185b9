//! Comparing a million rows with a million lines, in a process of its own; and how much of the truth ours and two simple
//! matchers find in sets where it is known.

use std::process::Command;
use std::time::Instant;

use paycore::reconciliation::matching::{Matching, Policy, on_two_threads, reconcile};
use paycore::testkit::reconciliation::{Recipe, Score, Set, drift_scan, exact_only, generate, score};
use serde_json::{Value, json};

use crate::Failure;
use crate::statement::peak;
use crate::table::Row;

const MILLIS_MAX: u64 = 2_000;
const KILOBYTES_MAX: u64 = 1024 * 1024;
/// The scan tries every row for every line that has no equal reference.
const SCANNED: u32 = 10_000;

/// What the process that compares is told.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Rows of ours.
    #[arg(default_value_t = 1_000_000)]
    rows: u32,
}

/// Speed and memory first, then what is found.
pub fn measure() -> Result<Vec<Row>, Failure> {
    let said = Command::new(std::env::current_exe()?).arg("reconcile").output()?;
    if !said.status.success() {
        return Err(String::from_utf8_lossy(&said.stderr).into());
    }
    let mut rows = vec![speed(&serde_json::from_slice(&said.stdout)?)];
    for (name, recipe) in [
        ("easy", Recipe::easy(100_000, 1)),
        ("hard", Recipe::hard(100_000, 1)),
        ("hard", Recipe::hard(SCANNED, 1)),
    ] {
        let set = generate(&recipe);
        let exact = score(&set, &exact_only(&set.ours, &set.theirs));
        let scan = (recipe.rows <= SCANNED).then(|| score(&set, &drift_scan(&set.ours, &set.theirs)));
        rows.push(quality(name, &recipe, &score(&set, &ours(&set)), &exact, scan.as_ref()));
    }
    Ok(rows)
}

fn ours(set: &Set) -> Matching {
    reconcile(&set.ours, &set.theirs, &Policy::default(), on_two_threads)
}

fn speed(said: &Value) -> Row {
    let number = |name: &str| said[name].as_u64().unwrap_or(u64::MAX);
    let (millis, kilobytes) = (number("millis"), number("kilobytes"));
    let met = millis <= MILLIS_MAX && kilobytes <= KILOBYTES_MAX;
    Row {
        what: format!("reconcile {} rows with {} lines", number("rows"), number("lines")),
        measured: format!("{}.{:03} s, {} MB", millis / 1_000, millis % 1_000, kilobytes / 1_024),
        limit: format!("sorting as many hashes {} ms", number("sort")),
        result: if met { "met" } else { "missed" }.to_owned(),
        target: "<= 2 s, <= 1 GiB".to_owned(),
    }
}

fn quality(name: &str, recipe: &Recipe, ours: &Score, exact: &Score, scan: Option<&Score>) -> Row {
    let said = |score: &Score| format!("{} / {} / {}", score.precision(), score.recall(), score.classes());
    let scan = scan.map_or_else(String::new, |scan| format!("; drift scan {}", said(scan)));
    let met = match name {
        "easy" => ours.precision() == 1_000_000 && ours.recall() == 1_000_000,
        _ => ours.precision() >= 999_900 && ours.recall() >= 990_000 && ours.classes() >= 980_000,
    };
    Row {
        what: format!("{name} set of {} rows: precision / recall / classes per million", recipe.rows),
        measured: format!("{}, {} closed wrongly", said(ours), ours.closed_wrongly),
        limit: format!("exact only {}{scan}", said(exact)),
        result: if met && ours.closed_wrongly == 0 { "met" } else { "missed" }.to_owned(),
        target: if name == "easy" { "all" } else { ">= 999900 / 990000 / 980000" }.to_owned(),
    }
}

/// Makes the set, compares it, and says what that took.
pub fn compare(options: &Options) -> Result<(), Failure> {
    let set = generate(&Recipe::easy(options.rows, 1));
    let mut hashes: Vec<u64> =
        (0..u64::from(options.rows)).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let start = Instant::now();
    hashes.sort_unstable();
    let sort = start.elapsed();
    drop(hashes);
    let start = Instant::now();
    let found = ours(&set);
    let took = start.elapsed();
    if !score(&set, &found).complete {
        return Err("a row is in no list, or in two".into());
    }
    let text = json!({
        "rows": set.ours.len(), "lines": set.theirs.len(), "millis": took.as_millis(), "sort": sort.as_millis(),
        "kilobytes": peak()?,
    });
    println!("{text}");
    Ok(())
}
