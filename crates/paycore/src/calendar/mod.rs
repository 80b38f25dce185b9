//! Calendars: dates without a time, time zones, and which days banks work in a country.
//!
//! Money is promised for dates, so this is where "the next working day" is decided once for settlement, payouts,
//! deadlines and reconciliation. Holidays follow from rules where a country has them, and from lists where a
//! government announces them year by year; days beyond an announcement are marked *provisional* and are read anew
//! with every release. Nothing here reads a clock.

mod date;
mod holidays;
mod zone;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use date::{Date, DateError, Weekday};
pub use zone::{Zone, ZoneError};

use crate::currency::Currency;

/// The longest run of days without work that is searched through before the last of them is taken as it is.
const CLOSED_DAYS_MAX: usize = 60;

/// Whose working days count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Calendar {
    /// Monday to Friday, no holidays.
    Weekdays,
    /// China: the State Council's holidays, and the weekends that are worked in exchange.
    Cn,
    /// The euro area's TARGET days.
    Target,
    /// The United States: the Federal Reserve's days.
    Us,
    /// England and Wales.
    Uk,
    /// Hong Kong.
    Hk,
    /// Japan, with the banks' days at the turn of the year.
    Jp,
    /// India: Mumbai; the second and fourth Saturdays are closed, the others are worked.
    In,
    /// Brazil: the banks' national holidays.
    Br,
    /// Singapore.
    Sg,
}

impl Calendar {
    /// Every calendar.
    pub const ALL: &'static [Calendar] = &[
        Calendar::Weekdays,
        Calendar::Cn,
        Calendar::Target,
        Calendar::Us,
        Calendar::Uk,
        Calendar::Hk,
        Calendar::Jp,
        Calendar::In,
        Calendar::Br,
        Calendar::Sg,
    ];

    /// The calendar a currency is usually settled by, and the time zone of its banks.
    pub fn of(currency: Currency) -> (Calendar, &'static str) {
        match currency.code() {
            "CNY" => (Calendar::Cn, "Asia/Shanghai"),
            "EUR" => (Calendar::Target, "Europe/Berlin"),
            "USD" => (Calendar::Us, "America/New_York"),
            "GBP" => (Calendar::Uk, "Europe/London"),
            "HKD" => (Calendar::Hk, "Asia/Hong_Kong"),
            "JPY" => (Calendar::Jp, "Asia/Tokyo"),
            "INR" => (Calendar::In, "Asia/Kolkata"),
            "BRL" => (Calendar::Br, "America/Sao_Paulo"),
            "SGD" => (Calendar::Sg, "Asia/Singapore"),
            _ => (Calendar::Weekdays, "UTC"),
        }
    }

    /// Whether banks work on this day.
    pub fn is_working_day(self, date: Date) -> bool {
        let weekend = date.weekday() >= Weekday::Saturday;
        match self {
            Calendar::Weekdays => !weekend,
            Calendar::Cn => holidays::cn::is_working_day(date),
            Calendar::Target => !weekend && !holidays::target::is_holiday(date),
            Calendar::Us => !weekend && !holidays::us::is_holiday(date),
            Calendar::Uk => !weekend && !holidays::uk::is_holiday(date),
            Calendar::Hk => !weekend && !holidays::hk::is_holiday(date),
            Calendar::Jp => !weekend && !holidays::jp::is_holiday(date),
            Calendar::In => holidays::india::is_working_day(date),
            Calendar::Br => !weekend && !holidays::br::is_holiday(date),
            Calendar::Sg => !weekend && !holidays::sg::is_holiday(date),
        }
    }

    /// Whether the day's holidays are not announced yet, so that what is computed from it may still change.
    pub fn is_provisional(self, date: Date) -> bool {
        let announced = match self {
            Calendar::Cn => holidays::cn::ANNOUNCED_UNTIL,
            Calendar::In => holidays::india::ANNOUNCED_UNTIL,
            Calendar::Sg => holidays::sg::ANNOUNCED_UNTIL,
            Calendar::Hk => holidays::lunar::KNOWN_UNTIL,
            _ => return false,
        };
        date.year() > announced
    }

    /// The day itself where it is worked, or the first working day after it.
    pub fn on_or_after(self, date: Date) -> Date {
        self.search(date, 1)
    }

    /// The day itself where it is worked, or the last working day before it.
    pub fn on_or_before(self, date: Date) -> Date {
        self.search(date, -1)
    }

    /// The first working day after a day.
    pub fn next_working_day(self, date: Date) -> Date {
        self.on_or_after(date.plus_days(1))
    }

    /// The `days`-th working day after a day; of 0, the day itself or the first working day after it. So one
    /// working day after a Saturday is the Monday, as it is after a Friday.
    pub fn add_working_days(self, date: Date, days: u32) -> Date {
        match days {
            0 => self.on_or_after(date),
            _ => (0..days).fold(date, |day, _| self.next_working_day(day)),
        }
    }

    /// How many working days there are from `from` (included) to `until` (not included).
    pub fn working_days_between(self, from: Date, until: Date) -> usize {
        from.until(until).filter(|day| self.is_working_day(*day)).count()
    }

    fn search(self, date: Date, step: i32) -> Date {
        let mut day = date;
        for _ in 0..CLOSED_DAYS_MAX {
            if self.is_working_day(day) {
                return day;
            }
            day = day.plus_days(step);
        }
        day
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn spring_festival_and_the_weekend_worked_for_it() {
        // 2026: off from Sunday 15 February to Monday 23 February; Saturdays 14 and 28 are worked.
        let cn = Calendar::Cn;
        assert!(cn.is_working_day(day("2026-02-14")) && cn.is_working_day(day("2026-02-28")));
        assert_eq!(cn.next_working_day(day("2026-02-14")), day("2026-02-24"));
        assert_eq!(cn.add_working_days(day("2026-02-13"), 2), day("2026-02-24"));
        assert_eq!(cn.working_days_between(day("2026-02-01"), day("2026-03-01")), 16);
    }

    #[test]
    fn one_working_day_after_a_friday_a_saturday_and_a_sunday_is_the_monday() {
        for friday_to_sunday in ["2026-11-27", "2026-11-28", "2026-11-29"] {
            assert_eq!(Calendar::Us.add_working_days(day(friday_to_sunday), 1), day("2026-11-30"));
        }
        assert_eq!(Calendar::Us.add_working_days(day("2026-11-28"), 0), day("2026-11-30"));
    }

    #[test]
    fn only_days_that_nobody_announced_are_provisional() {
        assert!(!Calendar::Cn.is_provisional(day("2026-12-31")));
        assert!(Calendar::Cn.is_provisional(day("2027-01-01")));
        assert!(!Calendar::Target.is_provisional(day("2060-01-01")));
    }
}
