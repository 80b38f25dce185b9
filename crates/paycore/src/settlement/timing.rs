//! When: settlement days, the day of payment of each, and the instants at which a plan is run.
//!
//! Every instant belongs to exactly one settlement day: day D goes from the cut-off on D-1 (included) to the cut-off on D.
//! Runs happen at the ends of days only, so that what a statement covers is never a matter of when a worker woke up.

use super::Period;
use super::terms::{Cycle, Roll, Terms};
use crate::calendar::Date;
use crate::time::Timestamp;

/// The furthest that a plan's next run is searched for, days; every cycle but `manual` has one within them.
const SEARCH_DAYS: i32 = 400;

impl Terms {
    /// The first instant after a settlement day.
    pub fn day_end(&self, day: Date) -> Timestamp {
        self.time_zone.instant(day, self.cutoff.seconds())
    }

    /// The settlement day of an instant, for a payment through this channel.
    pub fn day_of(&self, at: Timestamp, channel: Option<&str>) -> Date {
        let cutoff = channel.and_then(|channel| self.channel_cutoffs.get(channel)).unwrap_or(&self.cutoff);
        let end = |day: Date| self.time_zone.instant(day, cutoff.seconds());
        let mut day = self.time_zone.date_at(at);
        // Where clocks change around midnight the date on the wall is a day off; the ends of days decide.
        while at >= end(day) {
            day = day.plus_days(1);
        }
        while at < end(day.plus_days(-1)) {
            day = day.plus_days(-1);
        }
        day
    }

    /// The day on which the payments of a settlement day are paid out; none where nothing is by itself.
    pub fn pay_day(&self, day: Date) -> Option<Date> {
        let due = match self.cycle {
            Cycle::WorkingDays { days } => return Some(self.calendar.add_working_days(day, u32::from(days))),
            Cycle::CalendarDays { days } => day.plus_days(i32::from(days)),
            Cycle::Manual => return None,
            Cycle::Week { .. } | Cycle::HalfMonth | Cycle::Month { .. } => {
                let mut next = day.plus_days(1);
                while !self.falls_on(next) {
                    next = next.plus_days(1);
                }
                next
            }
        };
        Some(self.rolled(due))
    }

    /// From when on the money of a payment may be settled. Money that is taken from the merchant (a refund, a
    /// chargeback) may be at once, so that it comes off the next statement whatever the cycle.
    pub fn available_at(
        &self,
        captured_at: Timestamp,
        channel: Option<&str>,
        to_the_merchant: bool,
    ) -> Timestamp {
        if !to_the_merchant {
            return captured_at;
        }
        let day = self.day_of(captured_at, channel);
        let Some(pay_day) = self.pay_day(day) else { return captured_at };
        let from = self.day_end(pay_day.plus_days(-1)).max(self.day_end(day));
        from.max(captured_at)
    }

    /// From when on the channel's own money for a payment is there.
    pub fn funded_at(&self, captured_at: Timestamp, channel: Option<&str>) -> Timestamp {
        let days = channel.and_then(|channel| self.channel_days.get(channel)).copied().unwrap_or(0);
        if days == 0 {
            return captured_at;
        }
        let day = self.calendar.add_working_days(self.day_of(captured_at, channel), u32::from(days));
        self.day_end(day.plus_days(-1)).max(captured_at)
    }

    /// The first instant after `after` at which the plan is run; none where it is manual.
    pub fn next_run(&self, after: Timestamp) -> Option<Timestamp> {
        let first = self.day_of(after, None);
        let days = first.until(first.plus_days(SEARCH_DAYS));
        days.into_iter().find(|day| self.runs_after(*day)).map(|day| self.day_end(day))
    }

    /// The period of a run that takes what is available at `until`.
    pub fn period(&self, after: Option<Timestamp>, until: Timestamp) -> Period {
        // An end belongs to the next day already; a moment before it the day is the one that ends.
        let just_before = Timestamp::from_micros(until.micros() - 1);
        let through = self.day_of(just_before, None);
        let same_day = matches!(self.cycle, Cycle::WorkingDays { days: 0 } | Cycle::CalendarDays { days: 0 });
        let pays_itself = same_day && self.pay_day(through) == Some(through);
        let pay_on = if pays_itself { through } else { through.plus_days(1) };
        let provisional = self.calendar.is_provisional(pay_on);
        Period { after, until, through, pay_on, provisional }
    }

    /// Whether a run happens at the end of a day: something may be paid on the next, or, of T+0, on the day itself.
    fn runs_after(&self, day: Date) -> bool {
        let next = day.plus_days(1);
        match self.cycle {
            Cycle::Manual => false,
            Cycle::WorkingDays { days: 0 } => {
                self.calendar.is_working_day(day) || self.calendar.is_working_day(next)
            }
            Cycle::WorkingDays { .. } => self.calendar.is_working_day(next),
            Cycle::CalendarDays { days } => self.is_open(next) || (days == 0 && self.is_open(day)),
            Cycle::Week { .. } | Cycle::HalfMonth | Cycle::Month { .. } => self.is_rolled_to(next),
        }
    }

    /// Whether a day of the cycle, or one of the closed days that were moved to this one, is a day of payment.
    fn is_rolled_to(&self, date: Date) -> bool {
        if !self.is_open(date) {
            return false;
        }
        let mut day = date;
        loop {
            if self.falls_on(day) {
                return true;
            }
            day = day.plus_days(-1);
            if self.is_open(day) {
                return false;
            }
        }
    }

    /// Whether the cycle names this day.
    fn falls_on(&self, date: Date) -> bool {
        match self.cycle {
            Cycle::Week { weekday } => date.weekday() == weekday,
            Cycle::HalfMonth => matches!(date.ymd().2, 1 | 16),
            Cycle::Month { day } => date == date.with_day(day),
            Cycle::WorkingDays { .. } | Cycle::CalendarDays { .. } | Cycle::Manual => true,
        }
    }

    /// Whether money can be paid on a day.
    fn is_open(&self, date: Date) -> bool {
        self.roll() == Roll::Unadjusted || self.calendar.is_working_day(date)
    }

    fn rolled(&self, date: Date) -> Date {
        match self.roll() {
            Roll::Unadjusted => date,
            Roll::Following => self.calendar.on_or_after(date),
        }
    }

    fn roll(&self) -> Roll {
        let usual = || match self.cycle {
            Cycle::CalendarDays { .. } => Roll::Unadjusted,
            _ => Roll::Following,
        };
        self.roll.unwrap_or_else(usual)
    }
}
