//! Whose holidays are when.

pub(super) mod br;
pub(super) mod cn;
pub(super) mod hk;
pub(super) mod india;
pub(super) mod jp;
pub(super) mod lunar;
pub(super) mod sg;
pub(super) mod target;
pub(super) mod uk;
pub(super) mod us;

use super::{Date, Weekday};

/// Easter Sunday of a year, by the Gregorian reckoning.
fn easter(year: i32) -> Date {
    let golden = year % 19;
    let (century, in_century) = (year / 100, year % 100);
    let moon_shift = (8 * century + 13) / 25;
    let epact = (19 * golden + century - century / 4 - moon_shift + 15) % 30;
    let full_moon = epact - (golden + 11 * epact) / 319;
    let weekday = (2 * (century % 4) + 2 * (in_century / 4) - in_century % 4 - full_moon + 32) % 7;
    let month = (full_moon + weekday + 90) / 25;
    let day = (full_moon + weekday + month + 19) % 32;
    Date::of(year, month as u8, day as u8)
}

/// The `nth` (1 to 4) of a weekday in a month.
fn nth(year: i32, month: u8, weekday: Weekday, nth: i32) -> Date {
    let first = Date::of(year, month, 1);
    let days = (weekday as i32 - first.weekday() as i32).rem_euclid(7);
    first.plus_days(days + 7 * (nth - 1))
}

/// The last of a weekday in a month.
fn last(year: i32, month: u8, weekday: Weekday) -> Date {
    let fifth = nth(year, month, weekday, 5);
    if fifth.ymd().1 == month { fifth } else { fifth.plus_days(-7) }
}

/// Gives every holiday a day of its own: one on a closed day, or on a day another has, goes to the next free one.
fn substituted(mut days: Vec<Date>, closed: impl Fn(Date) -> bool) -> Vec<Date> {
    days.sort_unstable();
    let mut kept: Vec<Date> = Vec::with_capacity(days.len());
    for (at, mut day) in days.iter().copied().enumerate() {
        let moved = |day: Date| closed(day) || kept.contains(&day);
        if moved(day) {
            while moved(day) || days[at + 1..].contains(&day) {
                day = day.plus_days(1);
            }
        }
        kept.push(day);
    }
    kept
}

fn is_sunday(date: Date) -> bool {
    date.weekday() == Weekday::Sunday
}

/// The entries of a year in a table of dates written as month and day, such as 1001.
fn listed<const N: usize>(table: &[(i32, &'static [u16]); N], year: i32) -> Option<&'static [u16]> {
    table.iter().find(|(listed, _)| *listed == year).map(|(_, days)| *days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_is_where_the_almanac_has_it() {
        let known =
            [(2000, 423), (2008, 323), (2011, 424), (2024, 331), (2025, 420), (2026, 405), (2038, 425)];
        for (year, month_day) in known {
            assert_eq!(easter(year).month_day(), month_day, "{year}");
        }
    }

    #[test]
    fn two_holidays_never_share_a_day() {
        // Christmas on a Saturday and the day after it go to Monday and Tuesday.
        let weekend = |day: Date| day.weekday() >= Weekday::Saturday;
        let moved = substituted(vec![Date::of(2021, 12, 25), Date::of(2021, 12, 26)], weekend);
        assert_eq!(moved, [Date::of(2021, 12, 27), Date::of(2021, 12, 28)]);
    }
}
