//! Time and chance as values: instants, their texts, and the two sources the engine is given.
//!
//! An instant is a count of microseconds in UTC. Texts are RFC 3339, and the two Beijing forms Chinese
//! channels use. There is no time-zone database: an offset is a number of seconds, and the one zone built in
//! has had a single offset since 1991. The system clock is not read here; whoever runs the engine passes a
//! [`Clock`] and an [`Rng`].

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// The offset of Beijing time from UTC, in seconds.
pub const BEIJING: i32 = 8 * 3600;

/// The largest offset from UTC that a text can carry, in seconds.
const OFFSET_MAX: i32 = 24 * 3600 - 1;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// An instant: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// Every value lies between [`Timestamp::MIN`] and [`Timestamp::MAX`], so that it has a four-digit year at
/// every offset; constructors and arithmetic stop at these ends. As text and in JSON it is RFC 3339 with
/// milliseconds, cut rather than rounded: `2026-11-22T23:58:40.123Z`.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Timestamp(i64);

/// The text or the fields do not name an instant.
#[derive(Debug, Clone, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The text does not have the expected form.
    #[error("{text:?} is not a time of the form {expected}")]
    Malformed {
        /// The beginning of what was given, at most 40 characters.
        text: String,
        /// The form, by example.
        expected: &'static str,
    },
    /// A field is outside its range, such as 30 February or hour 24.
    #[error("the time has no such {field}")]
    NoSuch {
        /// The field: year, month, day, hour, minute, second, fraction or offset.
        field: &'static str,
    },
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const ZERO: Timestamp = Timestamp(0);
    /// 0000-01-02T00:00:00Z, a day after the first instant with a four-digit year.
    pub const MIN: Timestamp = Timestamp(days_from_civil(0, 1, 2) * DAY);
    /// 9999-12-30T23:59:59.999999Z, a day before the last instant with a four-digit year.
    pub const MAX: Timestamp = Timestamp(days_from_civil(9999, 12, 31) * DAY - 1);

    /// The instant `micros` microseconds after the epoch (before it when negative).
    pub const fn from_micros(micros: i64) -> Timestamp {
        if micros < Timestamp::MIN.0 {
            Timestamp::MIN
        } else if micros > Timestamp::MAX.0 {
            Timestamp::MAX
        } else {
            Timestamp(micros)
        }
    }

    /// The instant `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis.saturating_mul(1_000))
    }

    /// The instant `secs` seconds after the epoch.
    pub const fn from_secs(secs: i64) -> Timestamp {
        Timestamp::from_micros(secs.saturating_mul(SECOND))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// The instant `span` later, or `None` past [`Timestamp::MAX`]. Parts below a microsecond are dropped.
    pub fn checked_add(self, span: Duration) -> Option<Timestamp> {
        let micros = self.0.checked_add(i64::try_from(span.as_micros()).ok()?)?;
        (micros <= Timestamp::MAX.0).then_some(Timestamp(micros))
    }

    /// The instant `span` later, at most [`Timestamp::MAX`].
    pub fn plus(self, span: Duration) -> Timestamp {
        self.checked_add(span).unwrap_or(Timestamp::MAX)
    }

    /// The instant `span` earlier, at least [`Timestamp::MIN`].
    pub fn minus(self, span: Duration) -> Timestamp {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.0.saturating_sub(micros))
    }

    /// How long after `earlier` this instant is; zero when it is not after it.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// The calendar fields at an offset from UTC in seconds, east positive; offsets beyond a day are cut to
    /// just below one.
    pub fn to_civil(self, offset_seconds: i32) -> Civil {
        let offset = i64::from(offset_seconds.clamp(-OFFSET_MAX, OFFSET_MAX));
        let local = self.0 + offset * SECOND;
        let (year, month, day) = civil_from_days(local.div_euclid(DAY));
        let time = local.rem_euclid(DAY);
        let part = |unit: i64, range: i64| (time / unit % range) as u8;
        Civil {
            year,
            month,
            day,
            hour: part(3_600 * SECOND, 24),
            minute: part(60 * SECOND, 60),
            second: part(SECOND, 60),
            micros: (time % SECOND) as u32,
        }
    }

    /// The instant with these calendar fields at an offset from UTC in seconds.
    ///
    /// # Errors
    /// [`TimeError::NoSuch`] for a field out of range or an instant outside the type's range.
    pub fn from_civil(civil: Civil, offset_seconds: i32) -> Result<Timestamp, TimeError> {
        let in_range = |holds: bool, field| if holds { Ok(()) } else { Err(TimeError::NoSuch { field }) };
        in_range((0..=9999).contains(&civil.year), "year")?;
        in_range((1..=12).contains(&civil.month), "month")?;
        in_range((1..=days_in_month(civil.year, civil.month)).contains(&civil.day), "day")?;
        in_range(civil.hour < 24, "hour")?;
        in_range(civil.minute < 60, "minute")?;
        in_range(civil.second < 60, "second")?;
        in_range(i64::from(civil.micros) < SECOND, "fraction")?;
        in_range((-OFFSET_MAX..=OFFSET_MAX).contains(&offset_seconds), "offset")?;
        let minutes = i64::from(civil.hour) * 60 + i64::from(civil.minute);
        let seconds = minutes * 60 + i64::from(civil.second) - i64::from(offset_seconds);
        let days = days_from_civil(civil.year, civil.month, civil.day);
        let micros = days * DAY + seconds * SECOND + i64::from(civil.micros);
        in_range((Timestamp::MIN.0..=Timestamp::MAX.0).contains(&micros), "year")?;
        Ok(Timestamp(micros))
    }

    /// Reads RFC 3339: any offset, any number of fraction digits (those below a microsecond are dropped),
    /// `T` and `Z` in either case. A leap second is read as the first instant after it.
    ///
    /// # Errors
    /// [`TimeError`].
    pub fn parse(text: &str) -> Result<Timestamp, TimeError> {
        let malformed = || TimeError::malformed(text, "2026-11-22T23:58:40.123Z");
        let (stamp, rest) = text.split_at_checked(19).ok_or_else(malformed)?;
        let mut civil = Civil::read(stamp, b"0000-00-00T00:00:00").ok_or_else(malformed)?;
        let (micros, zone) = read_fraction(rest).ok_or_else(malformed)?;
        let offset = read_offset(zone).ok_or_else(malformed)?.ok_or(TimeError::NoSuch { field: "offset" })?;
        civil.micros = micros;
        if civil.second == 60 {
            return after_leap_second(civil, offset);
        }
        Timestamp::from_civil(civil, offset)
    }

    /// RFC 3339 with whole seconds at an offset from UTC in seconds, which is written in whole minutes:
    /// `2026-11-23T07:58:40+08:00` for [`BEIJING`], `2026-11-22T23:58:40Z` for 0.
    pub fn to_rfc3339_seconds(self, offset_seconds: i32) -> String {
        let minutes = (offset_seconds.clamp(-OFFSET_MAX, OFFSET_MAX)) / 60;
        let c = self.to_civil(minutes * 60);
        let stamp = format!("{}T{}", c.date(), c.time());
        if minutes == 0 {
            return stamp + "Z";
        }
        let sign = if minutes < 0 { '-' } else { '+' };
        format!("{stamp}{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
    }

    /// Beijing time as `yyyy-MM-dd HH:mm:ss`.
    pub fn beijing(self) -> String {
        let c = self.to_civil(BEIJING);
        format!("{} {}", c.date(), c.time())
    }

    /// Beijing time as `yyyyMMddHHmmss`.
    pub fn beijing_compact(self) -> String {
        let c = self.to_civil(BEIJING);
        let date = format!("{:04}{:02}{:02}", c.year, c.month, c.day);
        format!("{date}{:02}{:02}{:02}", c.hour, c.minute, c.second)
    }

    /// Reads Beijing time written as `yyyy-MM-dd HH:mm:ss`.
    ///
    /// # Errors
    /// [`TimeError`].
    pub fn parse_beijing(text: &str) -> Result<Timestamp, TimeError> {
        let civil = Civil::read(text, b"0000-00-00 00:00:00")
            .ok_or_else(|| TimeError::malformed(text, "2026-11-23 07:58:40"))?;
        Timestamp::from_civil(civil, BEIJING)
    }

    /// Reads Beijing time written as `yyyyMMddHHmmss`.
    ///
    /// # Errors
    /// [`TimeError`].
    pub fn parse_beijing_compact(text: &str) -> Result<Timestamp, TimeError> {
        let civil = Civil::read(text, b"00000000000000")
            .ok_or_else(|| TimeError::malformed(text, "20261123075840"))?;
        Timestamp::from_civil(civil, BEIJING)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.to_civil(0);
        write!(f, "{}T{}.{:03}Z", c.date(), c.time(), c.micros / 1_000)
    }
}

/// Like the text, but with all six decimals, so that a failed comparison shows its difference.
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.to_civil(0);
        write!(f, "{}T{}.{:06}Z", c.date(), c.time(), c.micros)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Timestamp, TimeError> {
        Timestamp::parse(text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time such as 2026-11-22T23:58:40.123Z")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Timestamp::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::Timestamp").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339; read at any offset, answered in UTC with milliseconds.",
            "examples": ["2026-11-22T23:58:40.123Z"],
        })
    }
}

/// Calendar fields at some offset; Gregorian throughout. Nothing is checked until
/// [`Timestamp::from_civil`].
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Civil {
    /// The year, 0 to 9999.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, 1 to 31.
    pub day: u8,
    /// The hour, 0 to 23.
    pub hour: u8,
    /// The minute, 0 to 59.
    pub minute: u8,
    /// The second, 0 to 59.
    pub second: u8,
    /// Microseconds within the second, 0 to 999,999.
    pub micros: u32,
}

impl Civil {
    /// The date as `yyyy-MM-dd`.
    pub fn date(&self) -> impl fmt::Display + use<> {
        let Civil { year, month, day, .. } = *self;
        fmt::from_fn(move |f| write!(f, "{year:04}-{month:02}-{day:02}"))
    }

    /// The time of day as `HH:mm:ss`.
    pub fn time(&self) -> impl fmt::Display + use<> {
        let Civil { hour, minute, second, .. } = *self;
        fmt::from_fn(move |f| write!(f, "{hour:02}:{minute:02}:{second:02}"))
    }

    /// Reads fourteen digits where `form` has a `0`, and everything else exactly as `form` has it (a letter
    /// in either case).
    fn read(text: &str, form: &[u8]) -> Option<Civil> {
        if text.len() != form.len() {
            return None;
        }
        let mut digits = [0_u8; 14];
        let mut count = 0;
        for (&byte, &expected) in text.as_bytes().iter().zip(form) {
            if expected != b'0' {
                if !byte.eq_ignore_ascii_case(&expected) {
                    return None;
                }
                continue;
            }
            if !byte.is_ascii_digit() {
                return None;
            }
            *digits.get_mut(count)? = byte - b'0';
            count += 1;
        }
        let pair = |at: usize| digits[at] * 10 + digits[at + 1];
        Some(Civil {
            year: i32::from(pair(0)) * 100 + i32::from(pair(2)),
            month: pair(4),
            day: pair(6),
            hour: pair(8),
            minute: pair(10),
            second: pair(12),
            micros: 0,
        })
    }
}

impl TimeError {
    fn malformed(text: &str, expected: &'static str) -> TimeError {
        TimeError::Malformed { text: text.chars().take(40).collect(), expected }
    }
}

/// Splits `.123456+08:00` into microseconds and the zone.
fn read_fraction(text: &str) -> Option<(u32, &str)> {
    let Some(fraction) = text.strip_prefix('.') else { return Some((0, text)) };
    let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, zone) = fraction.split_at(length);
    let padded = digits.bytes().chain(std::iter::repeat(b'0')).take(6);
    let micros = padded.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    (length > 0).then_some((micros, zone))
}

/// Reads `Z`, `+08:00` or `-03:30` as seconds; `Some(None)` when the form is right and the range is not.
fn read_offset(zone: &str) -> Option<Option<i32>> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(Some(0));
    }
    let &[sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = zone.as_bytes() else { return None };
    if ![h1, h2, m1, m2].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |tens: u8, ones: u8| i32::from(tens - b'0') * 10 + i32::from(ones - b'0');
    let (hours, minutes) = (number(h1, h2), number(m1, m2));
    let seconds = (hours * 60 + minutes) * 60;
    Some((hours < 24 && minutes < 60).then_some(if sign == b'-' { -seconds } else { seconds }))
}

/// Leap seconds are inserted only as the last second of a month in UTC; any other `:60` is a mistake.
fn after_leap_second(civil: Civil, offset: i32) -> Result<Timestamp, TimeError> {
    let before = Timestamp::from_civil(Civil { second: 59, micros: 0, ..civil }, offset)?;
    let after = before.plus(Duration::from_secs(1));
    let month_starts = after.to_civil(0).day == 1 && after.0.rem_euclid(DAY) == 0;
    if month_starts { Ok(after) } else { Err(TimeError::NoSuch { field: "second" }) }
}

// The two conversions count years from March, so that the leap day is the last of the year, and in whole
// cycles of 400 years (146,097 days), after which the Gregorian calendar repeats.

const DAYS_PER_CYCLE: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_FROM_MARCH_0: i64 = 719_468;

/// Days from 1970-01-01 to a date that exists.
pub(crate) const fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let months_since_march = (month as i64 + 9) % 12;
    let year_from_march = year as i64 - if month <= 2 { 1 } else { 0 };
    let cycle = year_from_march.div_euclid(400);
    let year_in_cycle = year_from_march.rem_euclid(400);
    // Months from March are 31, 30, 31, 30, 31 days long and again; 153 days in five months.
    let day_of_year = (153 * months_since_march + 2) / 5 + day as i64 - 1;
    let day_of_cycle = year_in_cycle * 365 + year_in_cycle / 4 - year_in_cycle / 100 + day_of_year;
    cycle * DAYS_PER_CYCLE + day_of_cycle - EPOCH_FROM_MARCH_0
}

/// The date some days after 1970-01-01, for years that fit the type.
pub(crate) const fn civil_from_days(days: i64) -> (i32, u8, u8) {
    let days = days + EPOCH_FROM_MARCH_0;
    let cycle = days.div_euclid(DAYS_PER_CYCLE);
    let day_of_cycle = days.rem_euclid(DAYS_PER_CYCLE);
    // Take out the leap days before dividing by 365: one per 4 years, none per 100, one at the very end.
    let leap_days = day_of_cycle / 1_460 - day_of_cycle / 36_524 + day_of_cycle / 146_096;
    let year_in_cycle = (day_of_cycle - leap_days) / 365;
    let day_of_year = day_of_cycle - (year_in_cycle * 365 + year_in_cycle / 4 - year_in_cycle / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = if months_since_march < 10 { months_since_march + 3 } else { months_since_march - 9 };
    let year = cycle * 400 + year_in_cycle + if month <= 2 { 1 } else { 0 };
    (year as i32, month as u8, day as u8)
}

/// How many days a month has, for months 1 to 12.
pub(crate) const fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Where the engine learns the time.
pub trait Clock: Send + Sync {
    /// The time now. It may step backwards when somebody sets the clock; callers must bear that.
    fn now(&self) -> Timestamp;
}

/// Where the engine gets randomness for keys, nonces and ids. An implementation used with real money must
/// be cryptographically secure.
pub trait Rng: Send + Sync {
    /// Fills every byte.
    fn fill(&self, bytes: &mut [u8]);
}

impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

impl<T: Rng + ?Sized> Rng for Arc<T> {
    fn fill(&self, bytes: &mut [u8]) {
        (**self).fill(bytes);
    }
}

/// A clock that moves only when told to, for tests and simulation.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `start`.
    pub const fn new(start: Timestamp) -> ManualClock {
        ManualClock(AtomicI64::new(start.0))
    }

    /// Moves the clock to `now`, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Moves the clock forwards and says what it shows then.
    pub fn advance(&self, span: Duration) -> Timestamp {
        let moved = |micros| Some(Timestamp(micros).plus(span).0);
        match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved) {
            Ok(before) | Err(before) => Timestamp(before).plus(span),
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A repeatable source of bytes for tests and simulation: the same seed gives the same bytes. Never for
/// secrets: anybody who sees eight bytes of its output can compute all the rest.
#[derive(Debug)]
pub struct SeededRng(AtomicU64);

impl SeededRng {
    /// A source that starts from `seed`.
    pub const fn new(seed: u64) -> SeededRng {
        SeededRng(AtomicU64::new(seed))
    }

    /// The next 64 bits.
    pub fn next_u64(&self) -> u64 {
        // SplitMix64: the state walks by an odd constant, the output is the state well stirred.
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    fn utc(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a test writes valid times")
    }

    /// Walks the calendar day by day with nothing but the school rule for leap years.
    fn calendar(first_year: i32, last_year: i32) -> impl Iterator<Item = (i32, u8, u8)> {
        (first_year..=last_year).flat_map(|year| {
            let leap = if year % 100 == 0 { year % 400 == 0 } else { year % 4 == 0 };
            let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            (1_u8..)
                .zip(lengths)
                .flat_map(move |(month, length)| (1..=length).map(move |day| (year, month, day)))
        })
    }

    #[test]
    fn every_day_from_1970_to_2100_round_trips() {
        let mut days = 0;
        for (number, (year, month, day)) in (0_i64..).zip(calendar(1970, 2100)) {
            let midnight = Timestamp::from_secs(number * 86_400);
            let civil = Civil { year, month, day, hour: 0, minute: 0, second: 0, micros: 0 };
            assert_eq!(midnight.to_civil(0), civil);
            assert_eq!(Timestamp::from_civil(civil, 0), Ok(midnight));
            let last = Timestamp::from_micros(midnight.micros() + DAY - 1);
            let end = Civil { hour: 23, minute: 59, second: 59, micros: 999_999, ..civil };
            assert_eq!(last.to_civil(0), end);
            assert_eq!(midnight.to_string(), format!("{year}-{month:02}-{day:02}T00:00:00.000Z"));
            assert_eq!(utc(&midnight.to_string()), midnight);
            assert_eq!(Timestamp::parse_beijing(&last.beijing()).map(Timestamp::secs), Ok(last.secs()));
            let compact = Timestamp::parse_beijing_compact(&last.beijing_compact());
            assert_eq!(compact.map(Timestamp::secs), Ok(last.secs()));
            days += 1;
        }
        assert_eq!(days, 131 * 365 + 32);
    }

    #[test]
    fn every_day_of_the_ten_thousand_years_is_the_next_one() {
        let first = days_from_civil(0, 1, 1);
        for (days, (year, month, day)) in (first..).zip(calendar(0, 9999)) {
            assert_eq!(civil_from_days(days), (year, month, day));
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(days_from_civil(1970, 1, 1), 0);
    }

    #[test]
    fn known_instants_have_known_texts() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_709_164_800, "2024-02-29T00:00:00.000Z"),
            (1_000_000_000, "2001-09-09T01:46:40.000Z"),
            (i64::from(i32::MAX), "2038-01-19T03:14:07.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp::from_secs(secs).to_string(), text);
            assert_eq!(utc(text).secs(), secs);
        }
    }

    #[test]
    fn beijing_is_eight_hours_ahead_across_the_year_end() {
        let instant = utc("2026-12-31T16:00:01.999Z");
        assert_eq!(instant.beijing(), "2027-01-01 00:00:01");
        assert_eq!(instant.beijing_compact(), "20270101000001");
        assert_eq!(instant.to_rfc3339_seconds(BEIJING), "2027-01-01T00:00:01+08:00");
        assert_eq!(instant.to_rfc3339_seconds(0), "2026-12-31T16:00:01Z");
        assert_eq!(instant.to_rfc3339_seconds(-(3 * 3600 + 1800)), "2026-12-31T12:30:01-03:30");
        let whole = utc("2026-12-31T16:00:01Z");
        assert_eq!(Timestamp::parse_beijing("2027-01-01 00:00:01"), Ok(whole));
        assert_eq!(Timestamp::parse_beijing_compact("20270101000001"), Ok(whole));
    }

    #[test]
    fn any_offset_and_any_precision_is_read() {
        let expected = utc("2026-11-22T23:58:40.123Z");
        for text in [
            "2026-11-23T07:58:40.123+08:00",
            "2026-11-22T20:28:40.123-03:30",
            "2026-11-22t23:58:40.123z",
            "2026-11-22T23:58:40.123-00:00",
            "2026-11-22T23:58:40.123000999999999999999Z",
            "2026-11-23T23:57:40.123+23:59",
            "2026-11-21T23:59:40.123-23:59",
        ] {
            assert_eq!(utc(text), expected, "{text}");
        }
        assert_eq!(utc("2026-11-22T23:58:40.1Z").micros() % SECOND, 100_000);
        assert_eq!(utc("2026-11-22T23:58:40.123456Z").micros() % SECOND, 123_456);
        assert_eq!(utc("2026-11-22T23:58:40Z").micros() % SECOND, 0);
    }

    #[test]
    fn a_leap_second_is_read_only_where_one_can_be() {
        assert_eq!(utc("2016-12-31T23:59:60Z"), utc("2017-01-01T00:00:00Z"));
        assert_eq!(utc("2017-01-01T07:59:60.5+08:00"), utc("2017-01-01T00:00:00Z"));
        for text in ["2016-12-30T23:59:60Z", "2016-12-31T23:58:60Z", "2017-01-01T12:30:60Z"] {
            assert_eq!(Timestamp::parse(text), Err(TimeError::NoSuch { field: "second" }), "{text}");
        }
    }

    #[test]
    fn texts_of_another_form_are_refused() {
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T23:58:40",
            "2026-11-22 23:58:40Z",
            "2026-11-22T23:58Z",
            "2026-11-22T23:58:40.Z",
            "2026-11-22T23:58:40,5Z",
            "2026-11-22T23:58:40+0800",
            "2026-11-22T23:58:40+8:00",
            "2026-11-22T23:58:40+08",
            "2026-11-22T23:58:40+08:00 ",
            "2026-11-22T23:58:40ZZ",
            " 2026-11-22T23:58:40Z",
            "26-11-22T23:58:40Z",
            "+2026-11-22T23:58:40Z",
            "-026-11-22T23:58:40Z",
            "2026/11/22T23:58:40Z",
            "2026-11-22T23:58:4０Z",
            "2026-11-22T23:58:40\u{2212}08:00",
            "1764000000",
        ] {
            let refused = Timestamp::parse(text);
            assert!(matches!(refused, Err(TimeError::Malformed { .. })), "{text:?} gave {refused:?}");
        }
        for text in
            ["", "2026-11-22T23:58:40", "2026-11-22 23:58", "2026-11-22 23:58:40 ", "2026-1-22 23:58:400"]
        {
            assert!(Timestamp::parse_beijing(text).is_err(), "{text:?}");
        }
        for text in
            ["", "2026112223584", "202611222358400", "2026-11-22 23:5", "2026112223584x", "２０26112223"]
        {
            assert!(Timestamp::parse_beijing_compact(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn dates_and_times_that_do_not_exist_are_refused() {
        for (text, field) in [
            ("2026-00-10T00:00:00Z", "month"),
            ("2026-13-10T00:00:00Z", "month"),
            ("2026-11-00T00:00:00Z", "day"),
            ("2026-11-31T00:00:00Z", "day"),
            ("2026-02-29T00:00:00Z", "day"),
            ("2100-02-29T00:00:00Z", "day"),
            ("2024-02-30T00:00:00Z", "day"),
            ("2026-11-22T24:00:00Z", "hour"),
            ("2026-11-22T23:60:00Z", "minute"),
            ("2026-11-22T23:00:61Z", "second"),
            ("2026-11-22T23:00:00+24:00", "offset"),
            ("2026-11-22T23:00:00+08:60", "offset"),
            ("0000-01-01T00:00:00Z", "year"),
            ("9999-12-31T00:00:00Z", "year"),
        ] {
            assert_eq!(Timestamp::parse(text), Err(TimeError::NoSuch { field }), "{text}");
        }
        assert!(Timestamp::parse_beijing("2026-02-29 00:00:00").is_err());
        assert!(Timestamp::parse_beijing_compact("20260229000000").is_err());
        assert!(Timestamp::parse_beijing_compact("20261122235960").is_err());
    }

    #[test]
    fn fields_no_text_can_carry_are_refused_too() {
        let civil = Timestamp::ZERO.to_civil(0);
        for wrong in [
            Civil { year: -1, ..civil },
            Civil { year: i32::MAX, ..civil },
            Civil { micros: 1_000_000, ..civil },
        ] {
            assert!(Timestamp::from_civil(wrong, 0).is_err(), "{wrong:?}");
        }
        for offset in [i32::MIN, -86_400, 86_400, i32::MAX] {
            assert!(Timestamp::from_civil(civil, offset).is_err(), "{offset}");
        }
    }

    #[test]
    fn the_ends_of_the_range_have_four_digit_years_at_every_offset() {
        assert_eq!(format!("{:?}", Timestamp::MIN), "0000-01-02T00:00:00.000000Z");
        assert_eq!(format!("{:?}", Timestamp::MAX), "9999-12-30T23:59:59.999999Z");
        for micros in [i64::MIN, i64::MAX] {
            for offset in [i32::MIN, -OFFSET_MAX, 0, OFFSET_MAX, i32::MAX] {
                let instant = Timestamp::from_micros(micros);
                let civil = instant.to_civil(offset);
                let within = offset.clamp(-OFFSET_MAX, OFFSET_MAX);
                assert_eq!(Timestamp::from_civil(civil, within), Ok(instant));
                assert_eq!(instant.to_rfc3339_seconds(offset).find('T'), Some(10));
            }
        }
        assert_eq!(Timestamp::from_secs(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_millis(i64::MIN), Timestamp::MIN);
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        let t = Timestamp::from_secs(100);
        let second = Duration::from_secs(1);
        assert_eq!((t.plus(second).secs(), t.minus(second).secs()), (101, 99));
        assert_eq!(t.plus(second).since(t), second);
        assert_eq!(t.since(t.plus(second)), Duration::ZERO);
        assert_eq!(Timestamp::MAX.plus(second), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.checked_add(Duration::from_micros(1)), None);
        assert_eq!(t.checked_add(Duration::MAX), None);
        assert_eq!(t.minus(Duration::MAX), Timestamp::MIN);
        assert_eq!(Timestamp::MIN.minus(second), Timestamp::MIN);
        assert_eq!(Timestamp::MIN.plus(Timestamp::MAX.since(Timestamp::MIN)), Timestamp::MAX);
    }

    #[test]
    fn units_round_down_before_the_epoch_too() {
        let t = Timestamp::from_micros(-1);
        assert_eq!((t.micros(), t.millis(), t.secs()), (-1, -1, -1));
        assert_eq!(t.to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::from_millis(-1).micros(), -1_000);
    }

    #[test]
    fn json_is_the_text_with_milliseconds() {
        let t = utc("2026-11-22T23:58:40.123456Z");
        assert_eq!(serde_json::to_string(&t).unwrap(), r#""2026-11-22T23:58:40.123Z""#);
        let read: Timestamp = serde_json::from_str(r#""2026-11-23T07:58:40.123456+08:00""#).unwrap();
        assert_eq!(read, t);
        for refused in ["1764000000", "null", r#""2026-11-22""#] {
            assert!(serde_json::from_str::<Timestamp>(refused).is_err(), "{refused}");
        }
        assert_eq!(schemars::schema_for!(Timestamp).get("format"), Some(&"date-time".into()));
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(10)));
        let seen: &dyn Clock = &clock;
        assert_eq!((seen.now().secs(), seen.now().secs()), (10, 10));
        assert_eq!(clock.advance(Duration::from_secs(5)).secs(), 15);
        assert_eq!(seen.now().secs(), 15);
        clock.set(Timestamp::ZERO);
        assert_eq!(seen.now(), Timestamp::ZERO);
        assert_eq!(clock.advance(Duration::MAX), Timestamp::MAX);
    }

    #[test]
    fn a_seed_gives_the_same_bytes_again_and_another_seed_others() {
        let bytes = |seed, length| {
            let mut bytes = vec![0; length];
            Rng::fill(&Arc::new(SeededRng::new(seed)), &mut bytes);
            bytes
        };
        assert_eq!(bytes(1, 37), bytes(1, 37));
        assert_ne!(bytes(1, 37), bytes(2, 37));
        assert_eq!(bytes(1, 37)[..13], bytes(1, 13));
        let rng = SeededRng::new(0);
        // The published first outputs of SplitMix64 for seed 0.
        assert_eq!((rng.next_u64(), rng.next_u64()), (0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4));
    }

    proptest! {
        #[test]
        fn every_instant_round_trips_through_its_fields_and_texts(
            micros in Timestamp::MIN.0..=Timestamp::MAX.0, offset in -OFFSET_MAX..=OFFSET_MAX
        ) {
            let t = Timestamp::from_micros(micros);
            prop_assert_eq!(t.micros(), micros);
            prop_assert_eq!(Timestamp::from_civil(t.to_civil(offset), offset), Ok(t));
            prop_assert_eq!(Timestamp::parse(&format!("{t:?}")), Ok(t));
            prop_assert_eq!(Timestamp::parse(&t.to_string()).map(Timestamp::millis), Ok(t.millis()));
            prop_assert_eq!(utc(&t.to_rfc3339_seconds(offset)).secs(), t.secs());
        }

        #[test]
        fn texts_sort_like_instants(a in Timestamp::MIN.0..=Timestamp::MAX.0, b in Timestamp::MIN.0..=Timestamp::MAX.0) {
            let text = |micros| format!("{:?}", Timestamp::from_micros(micros));
            prop_assert_eq!(a.cmp(&b), text(a).cmp(&text(b)));
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC{0,30}|[0-9T:Z.+-]{15,32}") {
            let _ = Timestamp::parse(&text);
            let _ = Timestamp::parse_beijing(&text);
            let _ = Timestamp::parse_beijing_compact(&text);
        }
    }
}
