//! The matcher against sets whose truth is known. `RECONCILIATION_ROWS` makes the sets larger, as `cargo xtask proofs
//! reconciliation` does.

use std::collections::BTreeSet;

use paycore::reconciliation::Class;
use paycore::reconciliation::bank::{Terms, clear};
use paycore::reconciliation::matching::{Entry, Matching, Policy, in_turn, on_two_threads, reconcile};
use paycore::testkit::reconciliation::{
    Recipe, Score, Set, deposits, drift_scan, exact_only, generate, score, shuffled,
};
use proptest::prelude::*;

fn rows() -> u32 {
    let asked = std::env::var("RECONCILIATION_ROWS").ok();
    asked.map_or(20_000, |text| text.parse().expect("RECONCILIATION_ROWS is a number of rows"))
}

fn found(set: &Set) -> Matching {
    reconcile(&set.ours, &set.theirs, &Policy::default(), on_two_threads)
}

fn show(name: &str, score: &Score) {
    println!(
        "{name:<28} pairs {:>8} precision {:>7} recall {:>7} classes {:>7} (per million) closed wrongly {}",
        score.pairs,
        score.precision(),
        score.recall(),
        score.classes(),
        score.closed_wrongly
    );
}

#[test]
fn the_easy_set_is_found_entirely() {
    for seed in 1..=3 {
        let set = generate(&Recipe::easy(rows(), seed));
        let score = score(&set, &found(&set));
        show("easy", &score);
        assert!(score.complete);
        assert_eq!((score.precision(), score.recall()), (1_000_000, 1_000_000));
        assert_eq!(score.classes(), 1_000_000);
    }
}

/// The hard sets: as they are, with all times eight hours wrong, and cut off.
fn hard(seed: u64) -> [(&'static str, Recipe); 3] {
    let hard = Recipe::hard(rows(), seed);
    [
        ("hard", hard),
        ("hard, wrong time zone", Recipe { shift: -8 * 3_600, ..hard }),
        ("hard, a part of the file", Recipe { cut: 2_000, ..hard }),
    ]
}

#[test]
fn the_hard_sets_are_found_within_the_bars_and_nothing_is_closed_wrongly() {
    for (name, recipe) in (1..=2).flat_map(hard) {
        let set = generate(&recipe);
        let score = score(&set, &found(&set));
        show(name, &score);
        assert!(score.complete, "{name}");
        assert!(score.precision() >= 999_900, "{name}: {score:?}");
        assert!(score.recall() >= 990_000, "{name}: {score:?}");
        assert!(score.classes() >= 980_000, "{name}: {score:?}");
        assert_eq!(score.closed_wrongly, 0, "{name}");
    }
}

#[test]
fn a_wrong_time_zone_shows_in_the_clock() {
    let set = generate(&Recipe { shift: -8 * 3_600, ..Recipe::hard(5_000, 9) });
    assert_eq!(found(&set).clock.offset, -8 * 3_600 * 1_000_000);
    let set = generate(&Recipe::hard(5_000, 9));
    assert_eq!(found(&set).clock.offset, 0);
}

#[test]
fn the_simple_matchers_are_worse_on_the_hard_set() {
    // The scan tries every row for every line: more rows take it hours.
    let set = generate(&Recipe::hard(rows().min(10_000), 5));
    let ours = score(&set, &found(&set));
    let exact = score(&set, &exact_only(&set.ours, &set.theirs));
    let drift = score(&set, &drift_scan(&set.ours, &set.theirs));
    show("ours", &ours);
    show("exact references only", &exact);
    show("drift scan", &drift);
    assert!(exact.complete && drift.complete);
    assert!(exact.recall() < ours.recall() && exact.classes() < ours.classes());
    assert!(drift.precision() < 999_900 && drift.closed_wrongly > 0);
}

/// What a result says, by what the rows hold rather than by where they stood.
fn content(set: &Set, found: &Matching) -> BTreeSet<String> {
    let ours = |row: u32| text(&set.ours.entry(row));
    let theirs = |row: u32| text(&set.theirs.entry(row));
    let list = |rows: &[u32], of: &dyn Fn(u32) -> String| {
        let mut all: Vec<String> = rows.iter().map(|row| of(*row)).collect();
        all.sort();
        all.join("+")
    };
    let pairs = found.pairs.iter().map(|pair| {
        format!("{}={} {:?} {:?}", ours(pair.ours), theirs(pair.theirs), pair.evidence, pair.differences)
    });
    let groups = found.groups.iter().map(|group| {
        format!("{}={} {:?}", list(&group.ours, &ours), list(&group.theirs, &theirs), group.differences)
    });
    let left = found
        .ours_only
        .iter()
        .map(|alone| format!("{} {:?} {:?}", ours(alone.row), alone.class, alone.candidate.map(theirs)));
    let right = found
        .theirs_only
        .iter()
        .map(|alone| format!("{} {:?} {:?}", theirs(alone.row), alone.class, alone.candidate.map(ours)));
    pairs.chain(groups).chain(left).chain(right).collect()
}

fn text(entry: &Entry<'_>) -> String {
    format!("{entry:?}")
}

#[test]
fn neither_the_order_of_the_rows_nor_the_threads_show_in_the_result() {
    let set = generate(&Recipe::hard(5_000, 3));
    let first = found(&set);
    assert_eq!(first, found(&set));
    assert_eq!(first, reconcile(&set.ours, &set.theirs, &Policy::default(), in_turn));
    for seed in 1..=3 {
        let other = shuffled(&set, seed);
        let (a, b) = (content(&set, &first), content(&other, &found(&other)));
        let differing: Vec<_> = a.symmetric_difference(&b).take(4).collect();
        assert!(differing.is_empty(), "{differing:#?}");
    }
}

#[test]
fn a_restated_file_is_matched_as_if_it_had_been_the_first() {
    let wrong = Recipe { amount: 300, missing: 300, ..Recipe::hard(5_000, 4) };
    let first = generate(&wrong);
    let restated = generate(&Recipe::hard(5_000, 4));
    // What was matched before leaves no trace: only the two sides count.
    let _ = found(&first);
    let score = score(&restated, &found(&restated));
    assert!(score.complete && score.precision() >= 999_900 && score.recall() >= 990_000, "{score:?}");
}

#[test]
fn two_of_the_same_line_are_one_match_and_one_copy() {
    let recipe = Recipe { duplicate: 10_000, missing: 0, ..Recipe::easy(500, 1) };
    let set = generate(&recipe);
    let found = found(&set);
    let copies = found.theirs_only.iter().filter(|alone| alone.class == Class::Duplicate).count();
    assert!(copies >= 450, "{copies}");
    assert!(
        found.theirs_only.iter().all(|alone| alone.candidate.is_some() || alone.class == Class::TheirsOnly)
    );
}

#[test]
fn deposits_are_explained_or_left_to_a_person_but_never_explained_wrongly() {
    let (mut all, mut right, mut wrong) = (0, 0, 0);
    for seed in 1..=60 {
        let made = deposits(30, seed);
        let terms = Terms { wire_fees: vec![1_500], ..Terms::default() };
        let found = clear(&made.batches, &made.refunds, &made.deposits, &terms);
        assert_eq!(found.cleared.len() + found.deposits_only.len(), made.deposits.len());
        let cleared: usize = found.cleared.iter().map(|one| one.batches.len()).sum();
        assert_eq!(cleared + found.batches_only.len(), made.batches.len());
        all += made.batches_of.iter().filter(|batches| !batches.is_empty()).count();
        for one in &found.cleared {
            let is_right = one.batches == made.batches_of[one.deposit]
                && one.refunds == made.refunds_of[one.deposit]
                && one.wire_fee == made.wire_fee_of[one.deposit];
            right += usize::from(is_right);
            wrong += usize::from(!is_right);
        }
    }
    println!("deposits {all}, explained rightly {right}, wrongly {wrong}");
    assert_eq!(wrong, 0);
    assert!(right * 100 >= all * 95, "{right} of {all}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_row_and_line_is_in_exactly_one_list(
        seed in any::<u64>(), rows in 0_u32..400, rate in 0_u32..900, points in 1_u32..5, shift in -50_000_i64..50_000
    ) {
        let recipe = Recipe {
            price_points: points, missing: rate, amount: rate, duplicate: rate, lost: rate, truncated: rate,
            split: rate, reused: 2 * rate, cross_day: rate, shift, second_fault: 50, ..Recipe::hard(rows, seed)
        };
        let set = generate(&recipe);
        let result = found(&set);
        prop_assert!(score(&set, &result).complete);
        let other = shuffled(&set, seed);
        prop_assert_eq!(content(&set, &result), content(&other, &found(&other)));
    }
}
