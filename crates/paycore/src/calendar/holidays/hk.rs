//! Hong Kong's general holidays. One on a Sunday, or on a day that is one already, goes to the next free day.

use super::{Date, easter, is_sunday, lunar, substituted};

pub fn is_holiday(date: Date) -> bool {
    let year = date.year();
    // The day of victory's seventieth year was given once.
    date == Date::of(2015, 9, 3) || substituted(holidays(year), is_sunday).contains(&date)
}

fn holidays(year: i32) -> Vec<Date> {
    let day = |month, day| Date::of(year, month, day);
    let easter = easter(year);
    let mut days = vec![
        day(1, 1),
        lunar::qingming(year),
        easter.plus_days(-2),
        easter.plus_days(-1),
        easter.plus_days(1),
        day(5, 1),
        day(7, 1),
        day(10, 1),
        day(12, 25),
        day(12, 26),
    ];
    if let Some(lunar) = lunar::year(year) {
        // Until 2011 a New Year's Day on a Sunday was kept on the Saturday before it.
        let first = lunar.new_year;
        let eve = if year < 2012 && is_sunday(first) { first.plus_days(-1) } else { first };
        days.extend([eve, first.plus_days(1), first.plus_days(2)]);
        days.extend([lunar.buddha, lunar.dragon_boat, lunar.mid_autumn.plus_days(1), lunar.double_ninth]);
    }
    days
}
