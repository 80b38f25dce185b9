//! Singapore's public holidays. One on a Sunday is kept on the next day that is none.

use super::{Date, easter, is_sunday, listed, lunar, substituted};

/// The last year whose holidays the Ministry of Manpower has announced.
pub const ANNOUNCED_UNTIL: i32 = 2027;

/// Hari Raya Puasa, Hari Raya Haji, Vesak Day and Deepavali, and days of polls and jubilees; from 2028 on computed by
/// their calendars and not announced.
const MOVABLE: [(i32, &[u16]); 27] = [
    (2004, &[201, 602, 1111, 1114]),
    (2005, &[121, 522, 1101, 1103]),
    (2006, &[110, 506, 512, 1021, 1024, 1231]),
    (2007, &[531, 1013, 1108, 1220]),
    (2008, &[519, 1001, 1027, 1208]),
    (2009, &[509, 920, 1115, 1127]),
    (2010, &[528, 910, 1105, 1117]),
    (2011, &[507, 517, 830, 1026, 1106]),
    (2012, &[505, 819, 1026, 1113]),
    (2013, &[524, 808, 1015, 1102]),
    (2014, &[513, 728, 1005, 1022]),
    (2015, &[601, 717, 807, 911, 924, 1110]),
    (2016, &[521, 706, 912, 1029]),
    (2017, &[510, 625, 901, 1018]),
    (2018, &[529, 615, 822, 1106]),
    (2019, &[519, 605, 811, 1027]),
    (2020, &[507, 524, 710, 731, 1114]),
    (2021, &[513, 526, 720, 1104]),
    (2022, &[503, 515, 710, 1024]),
    (2023, &[422, 602, 629, 901, 1112]),
    (2024, &[410, 522, 617, 1031]),
    (2025, &[331, 503, 512, 607, 1020]),
    (2026, &[321, 527, 531, 1108]),
    (2027, &[310, 517, 520, 1028]),
    (2028, &[227, 505, 509, 1115]),
    (2029, &[215, 425, 527, 1105]),
    (2030, &[204, 414, 516, 1026]),
];

pub fn is_holiday(date: Date) -> bool {
    substituted(holidays(date.year()), is_sunday).contains(&date)
}

fn holidays(year: i32) -> Vec<Date> {
    let movable = listed(&MOVABLE, year).unwrap_or_default().iter();
    let movable = movable.map(|month_day| Date::of(year, (month_day / 100) as u8, (month_day % 100) as u8));
    let mut days: Vec<Date> = movable.collect();
    // A holiday on the last Sunday of December moves over the turn of the year.
    if listed(&MOVABLE, year - 1).is_some_and(|days| days.contains(&1231)) {
        days.push(Date::of(year - 1, 12, 31));
    }
    let fixed = [(1, 1), (5, 1), (8, 9), (12, 25)];
    days.extend(fixed.map(|(month, day)| Date::of(year, month, day)));
    days.push(easter(year).plus_days(-2));
    if let Some(lunar) = lunar::year(year) {
        days.extend([lunar.new_year, lunar.new_year.plus_days(1)]);
    }
    days
}
