//! Japan's national holidays, and the banks' 2 and 3 January and 31 December.

use super::{Date, Weekday, is_sunday, nth};

pub fn is_holiday(date: Date) -> bool {
    if matches!(date.month_day(), 101..=103 | 1231) {
        return true;
    }
    let national = national(date.year());
    if national.contains(&date) {
        return true;
    }
    // The first day that is not a holiday after one on a Sunday is one too, and so is a day between two holidays.
    let mut before = date.plus_days(-1);
    let is_between = national.contains(&before) && national.contains(&date.plus_days(1));
    while national.contains(&before) {
        if is_sunday(before) {
            return true;
        }
        before = before.plus_days(-1);
    }
    is_between && !is_sunday(date)
}

fn national(year: i32) -> Vec<Date> {
    let day = |month, day| Date::of(year, month, day);
    let monday = |month, nth_of| nth(year, month, Weekday::Monday, nth_of);
    let mut days = vec![
        day(1, 1),
        monday(1, 2),
        day(2, 11),
        day(3, equinox(year, 208_431)),
        day(4, 29),
        day(5, 3),
        day(5, 5),
        monday(9, 3),
        day(9, equinox(year, 232_488)),
        day(11, 3),
        day(11, 23),
    ];
    match year {
        2020 => days.extend([day(7, 23), day(7, 24), day(8, 10)]),
        2021 => days.extend([day(7, 22), day(7, 23), day(8, 8)]),
        _ => days.extend([monday(7, 3), monday(10, 2)]),
    }
    if year >= 2007 {
        days.push(day(5, 4));
    }
    if year >= 2016 && year != 2020 && year != 2021 {
        days.push(day(8, 11));
    }
    match year {
        ..=2018 => days.push(day(12, 23)),
        2019 => days.extend([day(5, 1), day(10, 22)]),
        _ => days.push(day(2, 23)),
    }
    days
}

/// The day of an equinox, from what the almanac gives for 1980 in ten-thousandths of a day; good until 2099.
fn equinox(year: i32, in_1980: i32) -> u8 {
    let years = year - 1980;
    // 0.242194 days a year, leap days taken out.
    ((i64::from(in_1980) * 100 + 242_194 * i64::from(years)) / 1_000_000 - i64::from(years / 4)) as u8
}
