//! The conformance suite over every registered channel. Bits are flipped in a sample of places here; every single one
//! is flipped by `cargo xtask bench --only flips`.

use paycore::channel::Driver;
use paycore::crypto::native::NativeKeyring;
use paycore::testkit::channel_conformance::{Options, run};
use paycore_channels::REGISTRY;

/// Reads the README beside the channel's code; a channel without one fails its case.
fn readme(driver: &dyn Driver) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    std::fs::read_to_string(format!("{folder}/{}/README.md", driver.profile().id)).unwrap_or_default()
}

/// Each channel in a thread of its own, because one after the other takes minutes.
#[test]
fn every_registered_channel_conforms() {
    let reports = std::thread::scope(|scope| {
        let start = |driver: &'static dyn Driver| {
            let options = Options { seed: 20_251_123, exhaustive: false, readme: readme(driver) };
            scope.spawn(move || run(driver, &NativeKeyring, &options))
        };
        let runs: Vec<_> = REGISTRY.iter().map(|driver| start(*driver)).collect();
        runs.into_iter().map(|run| run.join().expect("a suite runs to its end")).collect::<Vec<_>>()
    });
    let mut failures = Vec::new();
    for report in reports {
        println!("{report}");
        failures.extend(report.failures().map(|case| format!("{}: {case:?}", report.channel)));
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
