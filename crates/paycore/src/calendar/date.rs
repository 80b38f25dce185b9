//! A date without a time.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::{Civil, civil_from_days, days_from_civil, days_in_month};

/// A day of the Gregorian calendar from year 1 to 9998, somewhere on earth. In JSON `"2026-11-30"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

/// The text or the numbers do not name a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a day from 0001-01-01 to 9998-12-31 of the form 2026-11-30 is wanted")]
pub struct DateError;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names of the days")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// Monday first.
    pub const ALL: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
}

impl Date {
    /// 0001-01-01.
    pub const MIN: Date = Date(days_from_civil(1, 1, 1) as i32);
    /// 9998-12-31.
    pub const MAX: Date = Date(days_from_civil(9998, 12, 31) as i32);

    /// The day with these numbers.
    ///
    /// # Errors
    /// [`DateError`] where there is no such day.
    pub fn new(year: i32, month: u8, day: u8) -> Result<Date, DateError> {
        let exists = (1..=9998).contains(&year) && (1..=12).contains(&month);
        if !exists || day == 0 || day > days_in_month(year, month) {
            return Err(DateError);
        }
        Ok(Date::of(year, month, day))
    }

    /// The day with numbers that are known to name one.
    pub(super) const fn of(year: i32, month: u8, day: u8) -> Date {
        Date(days_from_civil(year, month, day) as i32)
    }

    /// The day `days` after 1970-01-01, at the nearest end of the range where there is none.
    pub fn from_days(days: i64) -> Date {
        Date(days.clamp(i64::from(Date::MIN.0), i64::from(Date::MAX.0)) as i32)
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// Year, month (1 to 12) and day of the month.
    pub const fn ymd(self) -> (i32, u8, u8) {
        civil_from_days(self.0 as i64)
    }

    /// The year.
    pub const fn year(self) -> i32 {
        self.ymd().0
    }

    /// Month and day as one number, such as 1130, the way lists of holidays are written.
    pub(super) const fn month_day(self) -> u16 {
        let (_, month, day) = self.ymd();
        month as u16 * 100 + day as u16
    }

    /// The day of the week.
    pub fn weekday(self) -> Weekday {
        // 1970-01-01 was a Thursday.
        Weekday::ALL[(self.0 + 3).rem_euclid(7) as usize]
    }

    /// The day some days later (earlier when negative), at the nearest end of the range where there is none.
    pub fn plus_days(self, days: i32) -> Date {
        Date::from_days(i64::from(self.0) + i64::from(days))
    }

    /// The days from this one to `end`, which is not among them.
    pub fn until(self, end: Date) -> impl Iterator<Item = Date> {
        (self.0..end.0).map(Date)
    }

    /// How many days after `earlier` this day is; negative when it is before it.
    pub const fn since(self, earlier: Date) -> i32 {
        self.0 - earlier.0
    }

    /// The day of this day's month with a number, or the month's last where it has no such day.
    pub fn with_day(self, day: u8) -> Date {
        let (year, month, _) = self.ymd();
        Date::of(year, month, day.clamp(1, days_in_month(year, month)))
    }

    /// The first day of the next month.
    pub fn next_month(self) -> Date {
        let (year, month, _) = self.ymd();
        let next = if month == 12 { Date::new(year + 1, 1, 1) } else { Date::new(year, month + 1, 1) };
        next.unwrap_or(Date::MAX)
    }
}

impl From<Civil> for Date {
    fn from(civil: Civil) -> Date {
        Date::from_days(days_from_civil(civil.year, civil.month, civil.day))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Date, DateError> {
        let bytes = text.as_bytes();
        let form =
            |at: usize, byte: &u8| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() };
        if bytes.len() != 10 || !bytes.iter().enumerate().all(|(at, byte)| form(at, byte)) {
            return Err(DateError);
        }
        let number = |from: usize, to: usize| text[from..to].parse::<u16>().map_err(|_| DateError);
        Date::new(i32::from(number(0, 4)?), number(5, 7)? as u8, number(8, 10)? as u8)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Date {
    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
            "examples": ["2026-11-30"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_reads_back_what_it_prints_and_nothing_else() {
        for text in ["0001-01-01", "2024-02-29", "2026-11-30", "9998-12-31"] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), text);
        }
        for text in
            ["2026-02-29", "2026-13-01", "2026-00-01", "2026-1-01", "0000-01-01", "2026-11-30T", "２０26-11"]
        {
            assert_eq!(text.parse::<Date>(), Err(DateError), "{text}");
        }
    }

    #[test]
    fn weekdays_follow_one_another() {
        assert_eq!("2026-11-30".parse::<Date>().unwrap().weekday(), Weekday::Monday);
        assert_eq!("1969-12-28".parse::<Date>().unwrap().weekday(), Weekday::Sunday);
    }

    #[test]
    fn a_day_that_a_month_lacks_is_its_last() {
        let february = Date::of(2026, 2, 10);
        assert_eq!(february.with_day(31), Date::of(2026, 2, 28));
        assert_eq!(Date::of(2024, 2, 10).with_day(30), Date::of(2024, 2, 29));
        assert_eq!(Date::of(2026, 12, 31).next_month(), Date::of(2027, 1, 1));
    }
}
