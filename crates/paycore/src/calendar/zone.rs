//! Time zones: what a clock on the wall shows, and when it shows it.
//!
//! A zone is one POSIX rule: a standard offset and, where the clock changes, when. That is exact for the present and
//! the future as far as anybody has decided it, which is what settlement needs. For instants long ago the present
//! rule is used, not what was in force then.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Date;
use crate::time::Timestamp;

const TABLE: &str = include_str!("zones.tsv");
const DAY: i64 = 86_400;

/// A time zone of the IANA database, such as `Asia/Shanghai`. In JSON its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Zone {
    name: &'static str,
    rule: Rule,
}

/// There is no zone of this name, or its clock follows no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is no time zone with a fixed rule; use a name of the IANA database such as `Asia/Shanghai`"
)]
pub struct ZoneError {
    /// The beginning of what was given, at most 40 characters.
    name: String,
}

/// Offsets are seconds east of UTC.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Rule {
    standard: i32,
    summer: Option<Summer>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Summer {
    offset: i32,
    begins: Change,
    ends: Change,
}

/// The `week`-th (5: last) `weekday` (0: Sunday) of a month, and seconds after its midnight on the wall.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Change {
    month: u8,
    week: u8,
    weekday: u8,
    second: i32,
}

static ZONES: LazyLock<BTreeMap<&'static str, Rule>> = LazyLock::new(|| {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'));
    let zones = rows.flat_map(|(rule, names)| {
        let rule = Rule::read(rule).expect("a test reads every rule of the table");
        names.split(' ').map(move |name| (name, rule))
    });
    zones.collect()
});

impl Zone {
    /// The zone with a name of the IANA database.
    ///
    /// # Errors
    /// [`ZoneError`] for names that are unknown or whose clock follows no rule (Morocco).
    pub fn named(name: &str) -> Result<Zone, ZoneError> {
        let found = ZONES.get_key_value(name).map(|(name, rule)| Zone { name, rule: *rule });
        found.ok_or_else(|| ZoneError { name: name.chars().take(40).collect() })
    }

    /// Every name there is, in alphabetical order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ZONES.keys().copied()
    }

    /// Coordinated Universal Time.
    pub const UTC: Zone = Zone { name: "UTC", rule: Rule { standard: 0, summer: None } };

    /// The name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// How far the clock is ahead of UTC at an instant, in seconds.
    pub fn offset_at(self, at: Timestamp) -> i32 {
        let Some(summer) = self.rule.summer else { return self.rule.standard };
        let year = Date::from_days((at.secs() + i64::from(self.rule.standard)).div_euclid(DAY)).year();
        let begins = summer.begins.in_year(year) - i64::from(self.rule.standard);
        let ends = summer.ends.in_year(year) - i64::from(summer.offset);
        let now = at.secs();
        let is_summer = if begins < ends { begins <= now && now < ends } else { now < ends || begins <= now };
        if is_summer { summer.offset } else { self.rule.standard }
    }

    /// The date on the wall at an instant.
    pub fn date_at(self, at: Timestamp) -> Date {
        Date::from_days((at.secs() + i64::from(self.offset_at(at))).div_euclid(DAY))
    }

    /// The instant at which the clock shows a date and a number of seconds after midnight, 0 to 86,400 (24:00). A time
    /// that comes twice means the first, and one that is skipped the instant as long after the change.
    pub fn instant(self, date: Date, second: u32) -> Timestamp {
        let wall = i64::from(date.days()) * DAY + i64::from(second);
        let at = |offset: i32| Timestamp::from_secs(wall - i64::from(offset));
        let Some(summer) = self.rule.summer else { return at(self.rule.standard) };
        let (ahead, behind) = (summer.offset.max(self.rule.standard), summer.offset.min(self.rule.standard));
        if self.offset_at(at(ahead)) == ahead { at(ahead) } else { at(behind) }
    }
}

impl Change {
    /// Seconds on the wall from 1970-01-01 to the change in a year.
    fn in_year(self, year: i32) -> i64 {
        let first = Date::of(year, self.month, 1);
        // 0 is Sunday here and Monday in `Weekday`.
        let first_weekday = (first.weekday() as i32 + 1) % 7;
        let mut day = first.plus_days((i32::from(self.weekday) - first_weekday).rem_euclid(7));
        day = day.plus_days(7 * (i32::from(self.week) - 1));
        if day >= first.next_month() {
            day = day.plus_days(-7);
        }
        i64::from(day.days()) * DAY + i64::from(self.second)
    }

    /// `M3.2.0/2:30`; the time is two o'clock where it is absent.
    fn read(text: &str) -> Option<Change> {
        let (day, time) = text.split_once('/').unwrap_or((text, "2"));
        let mut numbers = day.strip_prefix('M')?.split('.').map(|number| number.parse::<u8>().ok());
        let (month, week, weekday) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let valid =
            (1..=12).contains(&month) && (1..=5).contains(&week) && weekday <= 6 && numbers.next().is_none();
        let (second, rest) = seconds(time)?;
        (valid && rest.is_empty()).then_some(Change { month, week, weekday, second })
    }
}

impl Rule {
    /// `EST5EDT,M3.2.0,M11.1.0`: names, how far *behind* UTC they are, and the two changes.
    fn read(text: &str) -> Option<Rule> {
        let mut parts = text.split(',');
        let names = skip_name(parts.next()?)?;
        let (behind, rest) = seconds(names)?;
        let standard = -behind;
        if rest.is_empty() {
            return parts.next().is_none().then_some(Rule { standard, summer: None });
        }
        let rest = skip_name(rest)?;
        let offset = if rest.is_empty() { standard + 3_600 } else { -seconds(rest)?.0 };
        let (begins, ends) = (Change::read(parts.next()?)?, Change::read(parts.next()?)?);
        Some(Rule { standard, summer: Some(Summer { offset, begins, ends }) })
    }
}

fn skip_name(text: &str) -> Option<&str> {
    match text.strip_prefix('<') {
        Some(quoted) => quoted.split_once('>').map(|(_, rest)| rest),
        None => Some(text.trim_start_matches(|letter: char| letter.is_ascii_alphabetic())),
    }
}

/// `-9:30` and what follows it.
fn seconds(text: &str) -> Option<(i32, &str)> {
    let end = text.find(|letter: char| !matches!(letter, '0'..='9' | ':' | '+' | '-')).unwrap_or(text.len());
    let (time, rest) = text.split_at(end);
    let unsigned = time.trim_start_matches(['+', '-']);
    let mut sum = 0_i32;
    for (part, unit) in unsigned.split(':').zip([3_600, 60, 1]) {
        sum += part.parse::<i32>().ok()? * unit;
    }
    Some((if time.starts_with('-') { -sum } else { sum }, rest))
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Zone, D::Error> {
        Zone::named(&Cow::<str>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Zone {
    fn schema_name() -> Cow<'static, str> {
        "TimeZone".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A time zone of the IANA database.",
            "examples": ["Asia/Shanghai"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap()
    }

    fn utc(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn every_rule_of_the_table_is_read() {
        assert!(Zone::names().count() > 580);
        let rules = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert!(rules > 80, "{rules}");
    }

    #[test]
    fn a_time_that_is_skipped_is_as_long_after_the_change_and_one_that_comes_twice_is_the_first() {
        let new_york = zone("America/New_York");
        let spring = Date::of(2026, 3, 8);
        assert_eq!(new_york.instant(spring, 2 * 3600 + 1800), utc("2026-03-08T07:30:00Z"));
        let autumn = Date::of(2026, 11, 1);
        assert_eq!(new_york.instant(autumn, 3600 + 1800), utc("2026-11-01T05:30:00Z"));
    }

    #[test]
    fn southern_and_negative_summers_are_understood() {
        let sydney = zone("Australia/Sydney");
        assert_eq!(sydney.offset_at(utc("2026-01-15T00:00:00Z")), 11 * 3600);
        assert_eq!(sydney.offset_at(utc("2026-07-15T00:00:00Z")), 10 * 3600);
        let dublin = zone("Europe/Dublin");
        assert_eq!(dublin.offset_at(utc("2026-01-15T00:00:00Z")), 0);
        assert_eq!(dublin.offset_at(utc("2026-07-15T00:00:00Z")), 3600);
    }

    #[test]
    fn a_zone_without_a_rule_is_refused() {
        assert!(Zone::named("Africa/Casablanca").is_err());
        assert!(Zone::named("Mars/Olympus").unwrap_err().to_string().contains("Mars/Olympus"));
    }

    #[test]
    fn a_rule_of_another_form_is_not_read() {
        for text in ["", "EST", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,J60,J300", "EST5EDT,M13.1.0,M11.1.0"] {
            assert!(Rule::read(text).is_none(), "{text}");
        }
    }
}
