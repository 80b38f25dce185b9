//! Sharing and agents against cases worked out with rational numbers by `oracle.py`, which knows nothing of paycore.
//!
//! The files beside this one are a sample. `cargo xtask proofs shares` makes a million cases of each in `target/oracle`,
//! where they are read too; `PAYCORE_CASES_MIN` says how many there must be then.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use paycore::agent::Rate;
use paycore::agent::rules::{clawed_back, margins};
use paycore::currency::Currency;
use paycore::id::ReceiverId;
use paycore::money::Money;
use paycore::split::rules::{Sale, divide, reclaimable};
use paycore::split::{OnRefund, Terms};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct Shared {
    gross: i64,
    fee: i64,
    terms: Terms,
    shares: Vec<(ReceiverId, i64)>,
    merchant: i64,
    refunds: Vec<i64>,
    back: Vec<Vec<(ReceiverId, i64)>>,
}

#[derive(Deserialize)]
struct Chain {
    amount: i64,
    rates: Vec<Rate>,
    fee: i64,
    platform: i64,
    margins: Vec<i64>,
    refunds: Vec<i64>,
    back: Vec<Vec<i64>>,
}

/// Runs every case of a sample and of the large file, if it was made; says how many.
fn each<T: DeserializeOwned>(name: &str, check: impl Fn(&str, T)) -> usize {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cases = 0;
    for place in [here.join("tests/split").join(name), here.join("../../target/oracle").join(name)] {
        let Ok(file) = File::open(&place) else { continue };
        for line in BufReader::new(file).lines() {
            let line = line.expect("readable");
            check(&line, serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")));
            cases += 1;
        }
    }
    cases
}

/// How many cases there must be, so that none are missed in silence.
fn wanted(sample: usize) -> usize {
    std::env::var("PAYCORE_CASES_MIN")
        .map_or(sample, |text| text.parse().expect("PAYCORE_CASES_MIN is a number"))
}

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn sale(gross: i64, fee: i64) -> Sale<'static> {
    Sale { gross: cny(gross), fee: cny(fee), method: "alipay.qr" }
}

#[test]
fn payments_are_divided_as_rational_numbers_say_and_every_refund_in_parts_restores_everybody() {
    let cases = each("split.jsonl", |line, case: Shared| {
        case.terms.check("terms").unwrap_or_else(|error| panic!("{error}: {line}"));
        let division = divide(&case.terms, sale(case.gross, case.fee)).expect("fits");
        let shares: Vec<_> = division.shares.iter().map(|(who, money)| (*who, money.minor())).collect();
        assert_eq!((&shares, division.merchant.minor()), (&case.shares, case.merchant), "{line}");
        let sum: i64 = shares.iter().map(|(_, minor)| minor).sum();
        assert_eq!(sum + case.merchant, (case.gross - case.fee).max(0), "{line}");

        let mut turned = case.terms.clone();
        turned.parts.reverse();
        assert_eq!(
            divide(&turned, sale(case.gross, case.fee)),
            Ok(division.clone()),
            "the order counts: {line}"
        );

        let mut refunded = 0;
        for (refund, back) in case.refunds.iter().zip(&case.back) {
            refunded += refund;
            for ((who, share), (of, expected)) in division.shares.iter().zip(back) {
                let got = reclaimable(*share, refunded, case.gross, OnRefund::ProRata);
                assert_eq!((who, got.minor()), (of, *expected), "{line}");
                assert!(reclaimable(*share, refunded, case.gross, OnRefund::Keep).is_zero());
            }
        }
        assert_eq!(case.back.last(), Some(&case.shares), "the last refund restores everybody: {line}");
    });
    assert!(cases >= wanted(250), "{cases} cases");
}

#[test]
fn the_margins_of_a_chain_sum_to_the_fee_as_rational_numbers_say() {
    let cases = each("agents.jsonl", |line, case: Chain| {
        let (price, costs) = case.rates.split_last().expect("at least the price");
        assert_eq!(price.of(case.amount), case.fee, "{line}");
        let got = margins(case.amount, costs, case.fee);
        assert_eq!((got.platform, &got.levels), (case.platform, &case.margins), "{line}");
        assert_eq!(got.platform + got.levels.iter().sum::<i64>(), case.fee, "{line}");
        let mut refunded = 0;
        for (refund, back) in case.refunds.iter().zip(&case.back) {
            refunded += refund;
            let given: Vec<i64> =
                got.levels.iter().map(|margin| clawed_back(*margin, refunded, case.amount)).collect();
            assert_eq!(&given, back, "{line}");
        }
        assert_eq!(case.back.last(), Some(&case.margins), "{line}");
    });
    assert!(cases >= wanted(400), "{cases} cases");
}
