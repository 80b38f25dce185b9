//! Cases worked by hand, with the words of the contract beside what they come to.

use paycore::currency::Currency;
use paycore::fee::month::{MINIMUM, Month, ROUNDING, Tally};
use paycore::fee::report::{Margin, Simulation, trial};
use paycore::fee::rules::{self, Volume};
use paycore::fee::{CardType, Revision, Schedule, Side, Terms};
use paycore::money::Money;
use paycore::time::Timestamp;
use serde_json::{Value, json};

use super::{cny, paid, terms, total};

fn one(charge: Value) -> Terms {
    terms(json!({"rules": [{"name": "all", "match": {"currency": "CNY"}, "charge": charge}]}))
}

fn fee(terms: &Terms, minor: i64) -> i64 {
    total(&rules::quote(terms, &paid(minor)).unwrap())
}

#[test]
fn a_hundred_yuan_leave_the_merchant_99_60_the_platform_0_30_and_the_channel_0_10() {
    let price = trial(one(json!({"kind": "flat", "rate": "0.004"})));
    let cost = Schedule { side: Side::Cost, ..trial(one(json!({"kind": "flat", "rate": "0.001"}))) };
    let schedules = [price, cost];
    let (_, charged) = rules::price(&schedules, Side::Price, &paid(10_000)).unwrap().unwrap();
    let (_, kept) = rules::price(&schedules, Side::Cost, &paid(10_000)).unwrap().unwrap();
    assert_eq!((10_000 - total(&charged), total(&charged) - total(&kept), total(&kept)), (9_960, 30, 10));
}

#[test]
fn every_shape_of_price_comes_to_its_amount() {
    for (words, charge, amount, expected) in [
        ("0.6 % of 12.34 is 0.07404", json!({"kind": "flat", "rate": "0.006"}), 1_234, 7),
        ("0.6 % of 12.50 is 0.075, half up", json!({"kind": "flat", "rate": "0.006"}), 1_250, 8),
        ("a fixed 0.50", json!({"kind": "flat", "fixed": 50}), 1_234, 50),
        ("2.9 % and 0.30 of 10.00", json!({"kind": "flat", "rate": "0.029", "fixed": 30}), 1_000, 59),
        ("at least 0.10", json!({"kind": "flat", "rate": "0.006", "min": 10}), 500, 10),
        ("at most 25.00", json!({"kind": "flat", "rate": "0.006", "max": 2_500}), 100_000_000, 2_500),
        ("nothing", json!({"kind": "flat"}), 1_000, 0),
    ] {
        assert_eq!(fee(&one(charge), amount), expected, "{words}");
    }
}

/// Under 100,000 at 0.6 %, to 500,000 at 0.4 %, above at 0.3 %.
fn tiers(kind: &str) -> Value {
    json!({"kind": kind, "tiers": [
        {"below": 10_000_000, "rate": "0.006"},
        {"up_to": 50_000_000, "rate": "0.004"},
        {"rate": "0.003"},
    ]})
}

/// What a month of one payment costs: the provisional fee and the month's end.
fn month_of(terms: Terms, payments: &[i64]) -> i64 {
    let schedule = trial(terms);
    let mut tally = Tally::new(&schedule, Month::of(paid(1).at, 480));
    let mut charged = 0;
    for payment in payments {
        let lines = rules::quote(&schedule.revisions[0].terms, &paid(*payment)).unwrap();
        charged += total(&lines);
        tally.add(1, cny(*payment), &lines).unwrap();
    }
    charged + tally.settle().unwrap().values().map(|lines| total(lines)).sum::<i64>()
}

#[test]
fn six_hundred_thousand_cost_1800_by_volume_and_2500_graduated() {
    assert_eq!(month_of(one(tiers("volume")), &[60_000_000]), 180_000);
    assert_eq!(month_of(one(tiers("graduated")), &[60_000_000]), 250_000);
    let parts = [12_345_678, 7_654_321, 33_333_333, 6_666_668];
    assert_eq!(parts.iter().sum::<i64>(), 60_000_000);
    assert_eq!(month_of(one(tiers("volume")), &parts), 180_000);
    assert_eq!(month_of(one(tiers("graduated")), &parts), 250_000);
}

#[test]
fn a_volume_at_a_boundary_is_in_the_tier_that_the_words_say() {
    for (volume, expected) in [
        (9_999_999, 60_000),   // under 100,000: 0.6 % of 99,999.99 is 599.99994
        (10_000_000, 40_000),  // no longer under 100,000: 0.4 %
        (10_000_001, 40_000),  // 400.00004
        (50_000_000, 200_000), // to 500,000, itself included: 0.4 %
        (50_000_001, 150_000), // above: 0.3 %, 1,500.00003
    ] {
        assert_eq!(month_of(one(tiers("volume")), &[volume]), expected, "{volume}");
    }
    for (volume, expected) in [
        (9_999_999, 60_000),
        (10_000_000, 60_000),
        (10_000_001, 60_000),
        (50_000_000, 220_000),
        (50_000_001, 220_000),
        (50_000_200, 220_001),
    ] {
        assert_eq!(month_of(one(tiers("graduated")), &[volume]), expected, "{volume}");
    }
}

#[test]
fn a_payment_over_a_boundary_is_split_where_the_volume_is_known() {
    let terms = one(tiers("graduated"));
    let before = Some(Volume { count: 3, amount: 9_000_000 });
    let mut context = paid(2_000_000);
    context.volume = before;
    // 10,000.00 more at 0.6 %, 10,000.00 at 0.4 %.
    assert_eq!(total(&rules::quote(&terms, &context).unwrap()), 6_000 + 4_000);
}

#[test]
fn a_package_charges_its_flat_amount_and_only_what_is_not_free() {
    let package = json!({"kind": "package", "monthly": 9_900, "free_count": 2, "then": {"rate": "0.006"}});
    assert_eq!(month_of(one(package), &[100_000, 50_000, 10_000, 20_000]), 9_900 + 60 + 120);
    let package =
        json!({"kind": "package", "monthly": 100, "free_amount": 150_000, "then": {"rate": "0.01"}});
    assert_eq!(month_of(one(package), &[100_000, 100_000, 1_000]), 100 + 500 + 10);
}

#[test]
fn a_month_below_its_minimum_is_charged_the_rest() {
    let mut least = one(json!({"kind": "flat", "rate": "0.006"}));
    least.monthly_minimum = vec![cny(10_000)];
    assert_eq!(month_of(least.clone(), &[100_000]), 10_000);
    assert_eq!(month_of(least.clone(), &[]), 10_000);
    assert_eq!(month_of(least.clone(), &[10_000_000]), 60_000);
    least.monthly_maximum = vec![cny(50_000)];
    assert_eq!(month_of(least, &[10_000_000]), 50_000);
}

#[test]
fn a_schedule_that_began_within_the_month_has_no_minimum_in_it() {
    let mut least = one(json!({"kind": "flat", "rate": "0.006"}));
    least.monthly_minimum = vec![cny(10_000)];
    let mut schedule = trial(least);
    let month: Month = "2026-11".parse().unwrap();
    schedule.revisions[0].effective_from = month.start(480).plus(std::time::Duration::from_secs(1));
    assert!(Tally::new(&schedule, month).settle().unwrap().is_empty());
    let lines = Tally::new(&schedule, month.next()).settle().unwrap();
    assert_eq!(lines[&Currency::CNY][0].code, MINIMUM);
}

#[test]
fn rounding_by_the_month_rounds_the_month_once() {
    let mut by_month = one(json!({"kind": "flat", "rate": "0.006"}));
    by_month.round_by_month = true;
    // 0.0054 each: a hundred of them are 0.54, though each alone rounds to 0.01.
    assert_eq!(fee(&by_month, 90), 1);
    assert_eq!(month_of(by_month.clone(), &[90; 100]), 54);
    let schedule = trial(by_month);
    let lines = rules::quote(&schedule.revisions[0].terms, &paid(90)).unwrap();
    let mut tally = Tally::new(&schedule, Month::of(paid(1).at, 480));
    (0..100).for_each(|_| tally.add(1, cny(90), &lines).unwrap());
    assert_eq!(tally.settle().unwrap()[&Currency::CNY][0].code, ROUNDING);
}

#[test]
fn a_revision_within_the_month_prices_its_own_part() {
    let mut schedule = trial(one(tiers("graduated")));
    let half =
        json!({"kind": "graduated", "tiers": [{"below": 10_000_000, "rate": "0.003"}, {"rate": "0.002"}]});
    let second = Revision { number: 2, effective_from: paid(1).at, ..trial(one(half)).revisions.remove(0) };
    schedule.revisions.push(second);
    let mut tally = Tally::new(&schedule, Month::of(paid(1).at, 480));
    for number in [1, 2] {
        let lines = rules::quote(&schedule.revisions[number - 1].terms, &paid(6_000_000)).unwrap();
        tally.add(number as u32, cny(6_000_000), &lines).unwrap();
    }
    // 60,000.00 at 0.6 %; then 40,000.00 at 0.3 % and 20,000.00 at 0.2 %. Charged before: 360.00 and 180.00.
    let settled = tally.settle().unwrap();
    assert_eq!(total(&settled[&Currency::CNY]), 36_000 + 12_000 + 4_000 - 36_000 - 18_000);
}

#[test]
fn interchange_scheme_and_markup_are_lines_of_their_own_with_tax() {
    let terms = terms(json!({"rules": [
        {"name": "ic-credit", "code": "interchange", "match": {"card_types": ["credit"]},
         "charge": {"kind": "flat", "rate": "0.003"}},
        {"name": "ic-debit", "code": "interchange", "match": {"card_types": ["debit"]},
         "charge": {"kind": "flat", "rate": "0.002"}},
        {"name": "scheme", "code": "scheme", "charge": {"kind": "flat", "rate": "0.0012"}},
        {"name": "markup", "code": "markup", "match": {"currency": "CNY"},
         "charge": {"kind": "flat", "rate": "0.001", "fixed": 10}, "tax": {"rate": "0.06"}},
    ]}));
    let mut context = paid(100_000);
    context.card_type = Some(CardType::Debit);
    let lines = rules::quote(&terms, &context).unwrap();
    let shown: Vec<_> = lines.iter().map(|line| (line.code.as_str(), line.amount.minor())).collect();
    assert_eq!(shown, [("interchange", 200), ("scheme", 120), ("markup", 110), ("tax", 7)]);
    context.card_type = None;
    let lines = rules::quote(&terms, &context).unwrap();
    assert_eq!(lines[0].code, "scheme", "what is not known fits no rule that asks for it");
}

#[test]
fn the_larger_priority_wins_within_a_schedule_and_between_schedules() {
    let both = terms(json!({"rules": [
        {"name": "general", "charge": {"kind": "flat", "rate": "0.006"}},
        {"name": "good", "priority": 5, "match": {"methods": ["alipay.*"]}, "charge": {"kind": "flat", "rate": "0.003"}},
    ]}));
    assert_eq!(fee(&both, 100_000), 300);
    let general = trial(one(json!({"kind": "flat", "rate": "0.006"})));
    let special = Schedule { priority: 1, ..trial(one(json!({"kind": "flat", "rate": "0.001"}))) };
    let none = Schedule { priority: 9, ..trial(terms(json!({"rules": []}))) };
    let off = Schedule { priority: 8, active: false, ..general.clone() };
    let (_, lines) =
        rules::price(&[general, special, none, off], Side::Price, &paid(100_000)).unwrap().unwrap();
    assert_eq!(total(&lines), 100);
}

#[test]
fn a_promotion_holds_from_its_first_instant_to_its_last() {
    let terms = terms(json!({"rules": [
        {"name": "festival", "priority": 1, "charge": {"kind": "flat"},
         "match": {"from": "2026-11-11T00:00:00+08:00", "until": "2026-11-12T00:00:00+08:00"}},
        {"name": "general", "charge": {"kind": "flat", "rate": "0.006"}},
    ]}));
    for (at, expected) in [
        ("2026-11-10T15:59:59.999999Z", 600),
        ("2026-11-10T16:00:00Z", 0),
        ("2026-11-11T15:59:59.999999Z", 0),
        ("2026-11-11T16:00:00Z", 600),
    ] {
        let mut context = paid(100_000);
        context.at = Timestamp::parse(at).unwrap();
        assert_eq!(total(&rules::quote(&terms, &context).unwrap()), expected, "{at}");
    }
}

#[test]
fn a_month_begins_when_it_begins_for_the_merchant() {
    let at = Timestamp::parse("2026-10-31T16:00:00Z").unwrap();
    assert_eq!(Month::of(at, 480).to_string(), "2026-11");
    assert_eq!(Month::of(at, 0).to_string(), "2026-10");
    assert_eq!(Month::of(at, 480).start(480), at);
    let december: Month = "2026-12".parse().unwrap();
    assert_eq!(december.end(480), Timestamp::parse("2027-01-01T00:00:00+08:00").unwrap());
    for bad in ["2026-13", "2026-00", "2026-1", "26-01", "2026/01", "1969-12", "9999-12"] {
        assert!(bad.parse::<Month>().is_err(), "{bad}");
    }
}

#[test]
fn proposed_terms_are_tried_on_what_was_paid() {
    let trial = trial(one(tiers("volume")));
    let mut simulation = Simulation::new(&trial);
    for payment in [30_000_000, 30_000_000] {
        simulation.add(&paid(payment), cny(payment / 200)).unwrap();
    }
    let rows = simulation.finish().unwrap();
    let row = (rows[0].count, rows[0].volume, rows[0].charged, rows[0].proposed, rows[0].difference);
    assert_eq!(row, (2, 60_000_000, 300_000, 180_000, -120_000));
}

#[test]
fn the_margin_is_price_less_tax_less_cost() {
    let mut margin = Margin::default();
    for (gross, fee, tax, cost) in [(10_000, 40, 2, 10), (-5_000, -20, -1, 0)] {
        margin.add(Some("alipay"), Some("alipay.qr"), cny(gross), (cny(fee), cny(tax), cny(cost))).unwrap();
    }
    let rows = margin.rows();
    assert_eq!((rows.len(), rows[0].count, rows[0].volume, rows[0].margin), (1, 2, 5_000, 9));
}

#[test]
fn yen_and_dinar_have_their_own_minor_units() {
    let terms = terms(json!({"rules": [{"name": "all", "charge": {"kind": "flat", "rate": "0.025"}}]}));
    for (minor, currency, expected) in
        [(1_234, Currency::JPY, 31), (1_234, Currency::KWD, 31), (1_234, Currency::CNY, 31)]
    {
        let mut context = paid(1);
        context.money = Money::new(minor, currency);
        let lines = rules::quote(&terms, &context).unwrap();
        assert_eq!(lines[0].amount, Money::new(expected, currency));
    }
}

#[test]
fn terms_that_cannot_be_kept_name_the_parameter() {
    let rule = |rest: Value| {
        let mut rule = json!({"name": "a", "charge": {"kind": "flat", "rate": "0.006"}});
        rest.as_object().unwrap().iter().for_each(|(key, value)| rule[key] = value.clone());
        json!({"rules": [rule]})
    };
    let tiered = |tiers: Value| {
        rule(json!({"charge": {"kind": "volume", "tiers": tiers}, "match": {"currency": "CNY"}}))
    };
    for (bad, param) in [
        (rule(json!({"name": "A"})), "terms.rules[0].name"),
        (rule(json!({"code": "tax"})), "terms.rules[0].code"),
        (rule(json!({"charge": {"kind": "flat", "rate": "1.01"}})), "terms.rules[0].charge.rate"),
        (rule(json!({"charge": {"kind": "flat", "rate": "-0.01"}})), "terms.rules[0].charge.rate"),
        (rule(json!({"charge": {"kind": "flat", "fixed": 1}})), "terms.rules[0].match.currency"),
        (rule(json!({"charge": {"kind": "flat", "min": 5, "max": 4}})), "terms.rules[0].charge.max"),
        (rule(json!({"match": {"methods": ["alipay"]}})), "terms.rules[0].match.methods"),
        (
            rule(json!({"match": {"currency": "CNY", "amount_min": 5, "amount_max": 4}})),
            "terms.rules[0].match.amount_max",
        ),
        (tiered(json!([])), "terms.rules[0].charge.tiers"),
        (tiered(json!([{"rate": "0.01"}, {"rate": "0.02"}])), "terms.rules[0].charge.tiers[0]"),
        (
            tiered(json!([{"rate": "0.01", "up_to": 5, "below": 5}, {"rate": "0.02"}])),
            "terms.rules[0].charge.tiers[0]",
        ),
        (
            tiered(json!([{"rate": "0.01", "up_to": 5}, {"rate": "0.02", "below": 5}, {"rate": "0.02"}])),
            "terms.rules[0].charge.tiers[1]",
        ),
        (tiered(json!([{"rate": "0.01", "up_to": 5}])), "terms.rules[0].charge.tiers[0]"),
        (
            rule(json!({"charge": {"kind": "package", "free_count": 5}, "refund": "pro_rata"})),
            "terms.rules[0].refund",
        ),
        (json!({"rules": [rule(json!({}))["rules"][0], rule(json!({}))["rules"][0]]}), "terms.rules[1].name"),
        (
            json!({"rules": [], "monthly_minimum": [{"amount": -1, "currency": "CNY"}]}),
            "terms.monthly_minimum[0].amount",
        ),
    ] {
        let read: Terms = serde_json::from_value(bad.clone()).unwrap();
        let error = paycore::fee::check::terms(read).expect_err(&bad.to_string());
        assert_eq!(error.param.as_deref(), Some(param), "{bad}");
    }
    for bad in [
        r#"{"rules": [{"name": "a", "charge": {"kind": "flat", "rate": 0.006}}]}"#,
        r#"{"rules": [{"name": "a", "charge": {"kind": "flat", "rate": "0.0060000000001"}}]}"#,
        r#"{"rules": [{"name": "a", "charge": {"kind": "cubic"}}]}"#,
        r#"{"rules": [{"name": "a", "charge": {"kind": "flat", "percent": "0.6"}}]}"#,
    ] {
        assert!(serde_json::from_str::<Terms>(bad).is_err(), "{bad}");
    }
}
