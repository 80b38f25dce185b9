//! Every case of the oracle must come to what the oracle says.

use std::fs::File;
use std::io::{BufRead, BufReader};

use paycore::currency::Currency;
use paycore::fee::month::{Month, Tally};
use paycore::fee::report::trial;
use paycore::fee::rules::{self, Context, Reversal};
use paycore::fee::{CardType, FeeLine, Terms};
use paycore::fx::rules::{cross, exchange};
use paycore::fx::{FxRate, FxSide, Pair};
use paycore::id::FxRateId;
use paycore::money::Money;
use paycore::rate::Rate;
use paycore::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Case {
    Quote(Box<Quote>),
    Month(Box<MonthCase>),
    Exchange(Box<ExchangeCase>),
}

#[derive(Deserialize)]
struct Quote {
    words: String,
    payment: Payment,
    terms: Value,
    /// Rule, code, amount, residue in 10^-12.
    lines: Vec<(String, String, i64, i64)>,
    parts: Vec<i64>,
    given_back: Vec<Vec<(String, String, i64)>>,
}

#[derive(Deserialize)]
struct Payment {
    amount: i64,
    currency: Currency,
    method: String,
    channel: String,
    card_type: Option<CardType>,
    region: Option<String>,
    at: Timestamp,
}

#[derive(Deserialize)]
struct MonthCase {
    words: String,
    terms: Value,
    payments: Vec<i64>,
    refunded: Vec<i64>,
    charged: Vec<i64>,
    true_up: i64,
}

#[derive(Deserialize)]
struct ExchangeCase {
    words: String,
    pair: (Currency, Currency),
    mid: Rate,
    spread: Rate,
    side: FxSide,
    given: i64,
    from: Currency,
    to: Currency,
    answer: Option<Answer>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Answer {
    sold: i64,
    bought: i64,
    spread: i64,
    rounding: i64,
}

#[test]
fn every_case_comes_to_what_rational_numbers_say() {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fee/vectors.jsonl");
    let path = std::env::var("PAYCORE_FEE_VECTORS").unwrap_or_else(|_| kept.to_owned());
    let mut count = [0_u64; 3];
    for line in BufReader::new(File::open(&path).unwrap()).lines() {
        match serde_json::from_str(&line.unwrap()).unwrap() {
            Case::Quote(case) => {
                count[0] += 1;
                quote(&case);
            }
            Case::Month(case) => {
                count[1] += 1;
                month(&case);
            }
            Case::Exchange(case) => {
                count[2] += 1;
                converted(&case);
            }
        }
    }
    println!("{} quotes with their refunds, {} months, {} exchanges", count[0], count[1], count[2]);
    assert!(count.iter().all(|&count| count >= 100), "too few cases in {path}");
}

fn quote(case: &Quote) {
    let Payment { amount, currency, method, channel, card_type, region, at } = &case.payment;
    let context = Context {
        money: Money::new(*amount, *currency),
        channel,
        method,
        card_type: *card_type,
        region: region.as_deref(),
        at: *at,
        volume: None,
    };
    let terms = super::terms(case.terms.clone());
    let lines = rules::quote(&terms, &context).unwrap();
    let got: Vec<_> =
        lines.iter().map(|l| (l.rule.clone(), l.code.clone(), l.amount.minor(), l.residue.units())).collect();
    assert_eq!(got, case.lines, "{}", case.words);
    let mut before = 0;
    for (part, expected) in case.parts.iter().zip(&case.given_back) {
        let reversal = Reversal { whole: *amount, before, part: *part };
        let back = rules::reverse(&lines, reversal).unwrap();
        let got: Vec<_> = back.iter().map(|l| (l.rule.clone(), l.code.clone(), l.amount.minor())).collect();
        assert_eq!(&got, expected, "{part} of {amount} after {before}: {}", case.words);
        before += part;
    }
}

fn month(case: &MonthCase) {
    let schedule = trial(super::terms(case.terms.clone()));
    let terms: &Terms = &schedule.revisions[0].terms;
    let month = Month::of(super::paid(1).at, terms.utc_offset);
    let mut tally = Tally::new(&schedule, month);
    let mut charged = Vec::new();
    for (paid, refunded) in case.payments.iter().zip(&case.refunded) {
        let lines = rules::quote(terms, &super::paid(*paid)).unwrap();
        charged.push(super::total(&lines));
        tally.add(1, super::cny(*paid), &lines).unwrap();
        if *refunded > 0 {
            let reversal = Reversal { whole: *paid, before: 0, part: *refunded };
            tally.add(1, super::cny(-refunded), &rules::reverse(&lines, reversal).unwrap()).unwrap();
        }
    }
    assert_eq!(charged, case.charged, "{}", case.words);
    let settled: Vec<FeeLine> = tally.settle().unwrap().into_values().flatten().collect();
    assert_eq!(super::total(&settled), case.true_up, "{:?} {}", case.payments, case.words);
}

fn converted(case: &ExchangeCase) {
    let now = Timestamp::from_secs(1_794_000_000);
    let rate = FxRate {
        id: FxRateId::from_bits(1),
        version: 0,
        pair: Pair { base: case.pair.0, quote: case.pair.1 },
        mid: case.mid,
        spread: case.spread,
        source: "a case".into(),
        at: now,
        max_age: 60,
    };
    let given = match case.side {
        FxSide::Sell => Money::new(case.given, case.from),
        FxSide::Buy => Money::new(case.given, case.to),
    };
    let other = if case.side == FxSide::Sell { case.to } else { case.from };
    let got = cross(&[rate], case.from, case.to, now)
        .and_then(|cross| exchange(case.side, given, other, &cross))
        .ok()
        .map(|it| Answer {
            sold: it.sold.minor(),
            bought: it.bought.minor(),
            spread: it.spread.minor(),
            rounding: it.rounding.minor(),
        });
    assert_eq!(got, case.answer, "{}", case.words);
}
