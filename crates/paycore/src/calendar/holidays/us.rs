//! The Federal Reserve's holidays. One on a Sunday is kept on the Monday; one on a Saturday is not kept at all.

use super::{Date, Weekday, is_sunday, last, nth};

pub fn is_holiday(date: Date) -> bool {
    let year = date.year();
    let yesterday = date.plus_days(-1);
    fixed(date) || (is_sunday(yesterday) && fixed(yesterday)) || movable(year).contains(&date)
}

fn fixed(date: Date) -> bool {
    match date.month_day() {
        101 | 704 | 1111 | 1225 => true,
        619 => date.year() >= 2021,
        _ => false,
    }
}

fn movable(year: i32) -> [Date; 6] {
    [
        nth(year, 1, Weekday::Monday, 3),
        nth(year, 2, Weekday::Monday, 3),
        last(year, 5, Weekday::Monday),
        nth(year, 9, Weekday::Monday, 1),
        nth(year, 10, Weekday::Monday, 2),
        nth(year, 11, Weekday::Thursday, 4),
    ]
}
