//! The registered channels under the real engine on a virtual clock, with one request in seven in trouble: every
//! invariant holds at the end, and the same seed walks the same way.

use paycore::testkit::simulation::{Config, Outcome, run};
use paycore_channels::REGISTRY;

async fn simulate(seed: u64) -> Outcome {
    let quick =
        Config { shops: 2, orders_per_day: 40, trouble_per_mille: 150, ..Config::new(seed, 1, REGISTRY) };
    run(quick).await.expect("the simulation runs to its end")
}

#[tokio::test]
async fn bad_weather_breaks_no_invariant_and_a_seed_repeats_itself() {
    let first = simulate(11).await;
    assert!(first.violations.is_empty(), "{:#?}", first.violations);
    let counts = first.counts;
    assert!(counts.paid > 15 && counts.refunds > 8, "too little happened: {counts:?}");
    assert!(counts.requests_lost > 20 && counts.answers_spoilt > 20, "too little went wrong: {counts:?}");
    assert_eq!(simulate(11).await.trace_hash, first.trace_hash);
    assert_ne!(simulate(12).await.trace_hash, first.trace_hash);
}
