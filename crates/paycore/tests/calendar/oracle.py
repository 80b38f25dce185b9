"""What other people's packages say about days and clocks, as lines of text for tests/calendar.rs.

`working CAL YEAR 0101...` has one digit per day of the year, 1 where banks work. `offset ZONE UNIX SECONDS` is how far a
clock is ahead of UTC at an instant: just before and at every change from December 2026 to 2037, and in every January and July.
"""

import datetime as dt
import zoneinfo

import chinese_calendar
import holidays

YEARS = range(2004, 2027)


def days(year):
    day = dt.date(year, 1, 1)
    while day.year == year:
        yield day
        day += dt.timedelta(1)


def calendars(year):
    """For each calendar, a function from a date to whether it is worked."""

    def weekdays(*sets):
        return lambda day: day.weekday() < 5 and not any(day in each for each in sets)

    country = holidays.country_holidays
    market = holidays.financial_holidays
    brazil = country("BR", years=year, categories=("public", "optional"))
    brazil = {
        day: name
        for day, name in brazil.items()
        if not any(half in name for half in ("Ash", "Servant", "Eve", "Quarta", "Servidor", "Véspera"))
    }
    yield "CN", chinese_calendar.is_workday
    yield "TARGET", weekdays(market("XECB", years=year))
    yield "US", weekdays(market("XFED", years=year))
    yield "UK", weekdays(country("GB", subdiv="ENG", years=year))
    if year >= 2014:
        yield "HK", weekdays(market("XHKG", years=year))
    yield "JP", weekdays(country("JP", years=year, categories=("public", "bank")))
    yield "BR", weekdays(brazil)
    yield "SG", weekdays(country("SG", years=year))
    if year >= 2010:
        yield "IN", weekdays(market("XNSE", years=year))


def offset(zone, at):
    return int(dt.datetime.fromtimestamp(at, zone).utcoffset().total_seconds())


def changes(zone):
    """Instants around every change of a clock, by halving the days on which its offset differs."""
    start = int(dt.datetime(2026, 12, 1, tzinfo=dt.timezone.utc).timestamp())
    end = int(dt.datetime(2037, 12, 31, tzinfo=dt.timezone.utc).timestamp())
    step = 7 * 86400
    for low in range(start, end, step):
        yield low
        high = low + step
        if offset(zone, low) == offset(zone, high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            if offset(zone, low) == offset(zone, middle):
                low = middle
            else:
                high = middle
        yield from (low, high)


def main():
    for year in YEARS:
        for name, works in calendars(year):
            print("working", name, year, "".join("01"[bool(works(day))] for day in days(year)))
    for name in sorted(zoneinfo.available_timezones()):
        zone = zoneinfo.ZoneInfo(name)
        seen = {}
        for at in changes(zone):
            # Far from a change one instant a quarter is enough.
            seen.setdefault((at // 7_776_000, offset(zone, at), at % 604_800 != 0), at)
            if offset(zone, at) != offset(zone, at - 1) or offset(zone, at) != offset(zone, at + 1):
                seen[at] = at
        for at in sorted(set(seen.values())):
            print("offset", name, at, offset(zone, at))


main()
