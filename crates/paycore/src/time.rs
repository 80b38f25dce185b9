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
const fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
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
const fn civil_from_days(days: i64) -> (i32, u8, u8) {
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

const fn days_in_month(year: i32, month: u8) -> u8 {
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
