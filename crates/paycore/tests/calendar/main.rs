//! Calendars and clocks against other people's data: PyPI `chinesecalendar`, `holidays` and `tzdata`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use paycore::calendar::{Calendar, Date, Weekday, Zone};
use paycore::time::Timestamp;
use proptest::prelude::*;

/// Days on which we and `holidays` differ, with the reason for ours.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("HK", "2016-08-02", STORM),
    ("HK", "2016-10-21", STORM),
    ("HK", "2017-08-23", STORM),
    ("HK", "2020-10-13", STORM),
    ("HK", "2021-10-13", STORM),
    ("HK", "2023-07-17", STORM),
    ("HK", "2023-09-01", STORM),
    ("HK", "2023-09-08", STORM),
    ("HK", "2024-09-06", STORM),
];
const STORM: &str = "the exchange closed for a storm, which no calendar knows beforehand";

/// What `oracle.py` says; none where its packages are not installed and nobody claims they are.
fn oracle() -> Option<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let venv = here.join("../../target/venv/bin/python");
    let python = match std::env::var_os("PAYCORE_PYTHON") {
        Some(python) => python,
        None if venv.exists() => venv.into_os_string(),
        None => {
            assert!(std::env::var_os("CI").is_none(), "CI must say where its Python is: PAYCORE_PYTHON");
            eprintln!("not compared: `cargo xtask test` installs the packages");
            return None;
        }
    };
    let output = Command::new(python)
        .arg(here.join("tests/calendar/oracle.py"))
        .env("PYTHONTZPATH", "")
        .output()
        .expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("the oracle prints ASCII"))
}

fn calendar(name: &str) -> Calendar {
    serde_json::from_value(name.into()).expect("the oracle names our calendars")
}

#[test]
fn every_day_is_worked_where_the_packages_say_so() {
    let Some(text) = oracle() else { return };
    let mut compared: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("working ") else { continue };
        let [name, year, days] = rest.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let first = Date::new(year.parse().unwrap(), 1, 1).unwrap();
        for (at, theirs) in days.bytes().enumerate() {
            let day = first.plus_days(at as i32);
            // The exchange of Mumbai is shut on all Saturdays, its banks on two a month.
            if name == "IN" && day.weekday() == Weekday::Saturday {
                continue;
            }
            *compared.entry(name).or_default() += 1;
            let differs = calendar(name).is_working_day(day) != (theirs == b'1');
            let known =
                DIFFERENCES.iter().any(|(calendar, date, _)| *calendar == name && *date == day.to_string());
            if differs != known {
                wrong.push(format!("{name} {day} {}: theirs {}", day.weekday() as u8, theirs as char));
            }
        }
    }
    assert!(wrong.is_empty(), "{} days differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(compared["CN"], 8401, "every day from 2004 to 2026");
    assert_eq!(compared.len(), 9, "{compared:?}");
}

/// Clocks that do not follow their own rule until an instant: Cuba keeps its summer time through one winter, which no rule
/// can say.
const EXCEPTIONS: &[(&str, &str)] =
    &[("America/Havana", "2027-03-15T00:00:00Z"), ("Cuba", "2027-03-15T00:00:00Z")];

#[test]
fn every_clock_shows_what_the_database_says() {
    let Some(text) = oracle() else { return };
    let (mut compared, mut unknown, mut wrong) = (0, Vec::new(), Vec::new());
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("offset ") else { continue };
        let [name, at, offset] = rest.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let Ok(zone) = Zone::named(name) else {
            unknown.push(name.to_owned());
            continue;
        };
        let at = Timestamp::from_secs(at.parse().unwrap());
        if EXCEPTIONS.iter().any(|(zone, until)| *zone == name && at < Timestamp::parse(until).unwrap()) {
            continue;
        }
        let (ours, theirs) = (zone.offset_at(at), offset.parse::<i32>().unwrap());
        if ours != theirs {
            wrong.push(format!("{name} at {at}: {ours}, theirs {theirs}"));
        }
        compared += 1;
    }
    assert!(wrong.is_empty(), "{} offsets differ:\n{}", wrong.len(), wrong.join("\n"));
    unknown.dedup();
    unknown.retain(|name| name != "Factory" && name != "localtime");
    // Their clocks follow the moon: summer time stops for Ramadan.
    assert_eq!(unknown, ["Africa/Casablanca", "Africa/El_Aaiun", "Asia/Gaza", "Asia/Hebron"]);
    assert!(compared > 20_000, "{compared}");
}

#[test]
fn every_instant_is_in_one_day_of_every_zone() {
    // Every quarter of an hour of the days around the changes of a year, in every zone.
    let days = [
        (2027, 1, 1),
        (2027, 3, 14),
        (2027, 3, 28),
        (2027, 4, 4),
        (2027, 10, 31),
        (2028, 2, 29),
        (2028, 12, 31),
    ];
    for name in Zone::names() {
        let zone = Zone::named(name).unwrap();
        for (year, month, day) in days {
            let date = Date::new(year, month, day).unwrap();
            for second in [900, 3_600, 9_000, 86_400] {
                let (end, next) = (zone.instant(date, second), zone.instant(date.plus_days(1), second));
                let hours = next.since(end).as_secs() / 3_600;
                assert!((22..=26).contains(&hours), "{name}: {date} at {second} lasts {hours} h");
            }
        }
    }
}

fn any_calendar() -> impl Strategy<Value = Calendar> {
    prop::sample::select(Calendar::ALL)
}

proptest! {
    #[test]
    fn working_days_obey_their_laws(
        calendar in any_calendar(),
        day in Date::new(2004, 1, 1).unwrap().days()..Date::new(2050, 12, 31).unwrap().days(),
        (a, b) in (0_u32..20, 1_u32..20),
    ) {
        let day = Date::from_days(i64::from(day));
        let next = calendar.next_working_day(day);
        prop_assert!(next > day && calendar.is_working_day(next));
        prop_assert!(day.plus_days(1).until(next).all(|between| !calendar.is_working_day(between)));
        prop_assert_eq!(calendar.add_working_days(calendar.add_working_days(day, b), a), calendar.add_working_days(day, a + b));
        let back = calendar.on_or_before(day);
        prop_assert!(back <= day && calendar.is_working_day(back));
        prop_assert_eq!(calendar.on_or_after(back), back);
        let later = calendar.add_working_days(day, b);
        prop_assert_eq!(calendar.working_days_between(day.plus_days(1), later.plus_days(1)), b as usize);
    }

    #[test]
    fn a_date_is_the_sum_of_its_days(days in Date::MIN.days()..Date::MAX.days()) {
        let date = Date::from_days(i64::from(days));
        prop_assert_eq!(date.to_string().parse(), Ok(date));
        let (year, month, day) = date.ymd();
        prop_assert_eq!(Date::new(year, month, day), Ok(date));
        prop_assert_eq!((date.weekday() as i32 + 1) % 7, date.plus_days(1).weekday() as i32);
    }
}
