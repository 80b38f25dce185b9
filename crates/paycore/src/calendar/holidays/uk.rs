//! Bank holidays of England and Wales. One on a weekend is kept on the next free weekday.

use super::{Date, Weekday, easter, last, listed, nth, substituted};

/// Days given once, and the years in which a Monday in May was moved for an occasion.
const OCCASIONS: [(i32, &[u16]); 4] = [(2011, &[429]), (2012, &[605]), (2022, &[603, 919]), (2023, &[508])];

pub fn is_holiday(date: Date) -> bool {
    let year = date.year();
    if listed(&OCCASIONS, year).is_some_and(|days| days.contains(&date.month_day())) {
        return true;
    }
    let weekend = |day: Date| day.weekday() >= Weekday::Saturday;
    substituted(holidays(year).to_vec(), weekend).contains(&date)
}

fn holidays(year: i32) -> [Date; 8] {
    let easter = easter(year);
    let early_may = if year == 2020 { Date::of(2020, 5, 8) } else { nth(year, 5, Weekday::Monday, 1) };
    let spring = match year {
        2012 => Date::of(2012, 6, 4),
        2022 => Date::of(2022, 6, 2),
        _ => last(year, 5, Weekday::Monday),
    };
    [
        Date::of(year, 1, 1),
        easter.plus_days(-2),
        easter.plus_days(1),
        early_may,
        spring,
        last(year, 8, Weekday::Monday),
        Date::of(year, 12, 25),
        Date::of(year, 12, 26),
    ]
}
