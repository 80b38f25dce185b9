//! `golden.txt` is what `oracle.py` printed; its rules stand in words at its head.

use std::path::Path;
use std::process::Command;

use paycore::calendar::{Date, Weekday};
use paycore::clearing::ItemKind;
use paycore::currency::Currency;
use paycore::settlement::{Cycle, LineKind, ReserveRule, Terms};

use crate::shop::Shop;

const GOLDEN: &str = include_str!("golden.txt");

fn cycle(name: &str) -> Cycle {
    match name {
        "t0" => Cycle::WorkingDays { days: 0 },
        "t1" => Cycle::WorkingDays { days: 1 },
        "t3" => Cycle::WorkingDays { days: 3 },
        "t7" => Cycle::WorkingDays { days: 7 },
        "d1" => Cycle::CalendarDays { days: 1 },
        "d7" => Cycle::CalendarDays { days: 7 },
        "monday" => Cycle::Week { weekday: Weekday::Monday },
        "half" => Cycle::HalfMonth,
        "month1" => Cycle::Month { day: 1 },
        "month31" => Cycle::Month { day: 31 },
        _ => panic!("the oracle knows no cycle {name}"),
    }
}

fn terms(name: &str) -> Terms {
    let (name, reserve) = name.strip_suffix("+r").map_or((name, false), |name| (name, true));
    let mut terms = Terms::usual(cycle(name), Currency::CNY);
    if reserve {
        terms.reserves = vec![ReserveRule::Rolling { basis_points: 500, days: 10 }];
    }
    terms
}

/// Our statements of one span, in the form of the oracle's lines.
fn ours(name: &str, first: Date, last: Date, until: Date) -> Vec<String> {
    let zone = terms(name).time_zone;
    let mut shop = Shop::new(terms(name), zone.instant(first.plus_days(-1), 86_400));
    let mut lines = Vec::new();
    for day in first.until(until.plus_days(1)) {
        if day <= last {
            let (noon, night) = (zone.instant(day, 43_200), zone.instant(day, 84_600));
            shop.clear(ItemKind::Payment, 100_000, 600, None, noon);
            shop.clear(ItemKind::Payment, 25_005, 150, None, night);
            if day.ymd().2 == 10 {
                shop.clear(ItemKind::Refund, -40_000, 0, None, noon);
            }
        }
        shop.run_until(zone.instant(day, 86_400), |period, close| {
            let statement = &close.statement;
            let sales = statement.lines.get(&LineKind::Sales).map_or(0, |line| line.count);
            let amounts = [
                LineKind::Sales,
                LineKind::Refunds,
                LineKind::Fees,
                LineKind::ReserveHeld,
                LineKind::ReserveReleased,
                LineKind::Payout,
            ];
            let amounts = amounts.map(|kind| statement.amount(kind).to_string()).join(" ");
            lines.push(format!(
                "{name} {} {} {} {sales} {amounts} {}",
                period.through, period.pay_on, statement.opening, statement.closing
            ));
        });
    }
    lines
}

#[test]
fn every_cycle_makes_the_statements_of_the_contract_over_both_holiday_weeks() {
    let days =
        ["2026-02-09", "2026-03-10", "2026-09-21", "2026-10-20"].map(|day| day.parse::<Date>().unwrap());
    let names = ["t0", "t1", "t3", "t7", "d1", "d7", "monday", "half", "month1", "month31"];
    let mut compared = 0;
    for (first, last) in [(days[0], days[1]), (days[2], days[3])] {
        for name in names.into_iter().flat_map(|name| [name.to_owned(), format!("{name}+r")]) {
            let of = |line: &&str| {
                let through = line.split(' ').nth(1).and_then(|day| day.parse::<Date>().ok()).expect("a day");
                line.starts_with(&format!("{name} ")) && through >= first && through <= last.plus_days(60)
            };
            let theirs: Vec<&str> = GOLDEN.lines().filter(of).collect();
            let until = theirs.last().and_then(|line| line.split(' ').nth(1)).expect("there is a statement");
            assert_eq!(ours(&name, first, last, until.parse().unwrap()), theirs, "{name} from {first}");
            compared += theirs.len();
        }
    }
    assert_eq!(compared, GOLDEN.lines().count());
}

#[test]
fn the_golden_statements_are_what_the_oracle_prints() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(python) = std::env::var_os("PAYCORE_PYTHON") else {
        assert!(std::env::var_os("CI").is_none(), "CI must say where its Python is: PAYCORE_PYTHON");
        return;
    };
    let output =
        Command::new(python).arg(here.join("tests/settlement/oracle.py")).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), GOLDEN);
}
