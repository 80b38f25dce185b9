//! Every single bit of every kind of notification, flipped: body and signed headers. The quick tests flip a sample.

use std::time::Instant;

use paycore::crypto::native::NativeKeyring;
use paycore::testkit::channel_conformance::{self, Case, CaseResult, Options};
use paycore_channels::REGISTRY;

use crate::table::Row;

/// One row per channel.
pub fn measure() -> Vec<Row> {
    REGISTRY.iter().filter(|driver| driver.simulator().is_some()).map(|driver| row(*driver)).collect()
}

fn row(driver: &dyn paycore::channel::Driver) -> Row {
    let start = Instant::now();
    let options = Options { seed: 1, exhaustive: true, readme: String::new() };
    let report = channel_conformance::run(driver, &NativeKeyring, &options);
    let about = |case: &&Case| case.name.contains("notification") || case.name.contains("damaged reply");
    let (mut refused, mut broken) = (0, Vec::new());
    for case in report.cases.iter().filter(about) {
        match &case.result {
            CaseResult::Passed { checks } => refused += checks,
            CaseResult::Failed(why) => broken.push(format!("{}: {why}", case.name)),
            CaseResult::NotClaimed => {}
        }
    }
    Row {
        what: format!("{}: every bit, every length, every part of what arrives", report.channel),
        measured: format!("{refused} checks in {} s", start.elapsed().as_secs()),
        limit: String::new(),
        result: if broken.is_empty() { "met".to_owned() } else { broken.join("; ") },
        target: "all refused".to_owned(),
    }
}
