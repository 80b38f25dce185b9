"""The statements that a shop should get, worked out from the words of the contract alone, as lines of text.

A shop sells 1,000.00 at noon and 250.05 at 23:30 every day in Shanghai, 0.6 % of each (half up) is the fee, and on every
tenth of a month at noon the buyer of that day's noon gets 400.00 back without the fee. A day ends at midnight. Whether a
day is worked comes from the package chinesecalendar. Each line is one settlement:

    CYCLE THROUGH PAY_ON OPENING SALES_COUNT SALES REFUNDS FEES HELD RELEASED PAYOUT CLOSING

CYCLE is t0 t1 t3 t7 (working days), d1 d7 (calendar days), monday (weekly), half (twice a month), month1 and month31
(monthly), and the same with `+r` where 5 % of the sales are held for 10 days. Amounts are in fen; 100.00 is the least that
is paid.
"""

import datetime as dt
import sys
from decimal import ROUND_HALF_UP, Decimal

from chinese_calendar import is_workday

DAY = dt.timedelta(1)
SPANS = [(dt.date(2026, 2, 9), dt.date(2026, 3, 10)), (dt.date(2026, 9, 21), dt.date(2026, 10, 20))]


def on_or_after(day):
    while not is_workday(day):
        day += DAY
    return day


def working(day, count):
    if count == 0:
        return on_or_after(day)
    for _ in range(count):
        day = on_or_after(day + DAY)
    return day


def first_after(day, fits):
    day += DAY
    while not fits(day):
        day += DAY
    return day


def last_of_month(day):
    return (day + DAY).month != day.month


CYCLES = {
    "t0": lambda d: working(d, 0),
    "t1": lambda d: working(d, 1),
    "t3": lambda d: working(d, 3),
    "t7": lambda d: working(d, 7),
    "d1": lambda d: d + DAY,
    "d7": lambda d: d + 7 * DAY,
    "monday": lambda d: on_or_after(first_after(d, lambda x: x.weekday() == 0)),
    "half": lambda d: on_or_after(first_after(d, lambda x: x.day in (1, 16))),
    "month1": lambda d: on_or_after(first_after(d, lambda x: x.day == 1)),
    "month31": lambda d: on_or_after(first_after(d, last_of_month)),
}


def share(amount, rate):
    return int((Decimal(amount) * Decimal(rate)).quantize(Decimal(1), ROUND_HALF_UP))


def statements(cycle, reserve, first, last):
    # What is settled at the midnight that begins a day: [count, sales, refunds, fees].
    by_midnight = {}

    def bucket(day):
        return by_midnight.setdefault(day, [0, 0, 0, 0])

    day = first
    refunds = []
    while day <= last:
        pay_day = CYCLES[cycle](day)
        sold = bucket(max(pay_day, day + DAY))
        for price in (100000, 25005):
            sold[0] += 1
            sold[1] += price
            sold[3] += share(price, "0.006")
        if day.day == 10:
            refunds.append(day)
        day += DAY
    # A refund comes off the first statement after it, at the first midnight at which the plan pays for any day at all.
    around = [first + offset * DAY for offset in range(-45, (last - first).days + 12)]
    pays = sorted({max(CYCLES[cycle](each), each + DAY) for each in around})
    for day in refunds:
        bucket(next(midnight for midnight in pays if midnight > day))[2] += 40000
    carried = 0
    held = []
    for midnight in sorted(by_midnight):
        count, sales, back, fees = by_midnight[midnight]
        through = midnight - DAY
        pay_on = through if cycle == "t0" and is_workday(through) else midnight
        due = [entry for entry in held if entry[0] + 10 * DAY <= through] if reserve else []
        held = [entry for entry in held if entry not in due]
        released = sum(amount for _, amount in due)
        balance = carried + sales - back - fees + released
        hold = min(share(sales, "0.05"), max(balance, 0)) if reserve else 0
        if hold:
            held.append((through, hold))
        balance -= hold
        payout = balance if balance >= 10000 else 0
        name = cycle + ("+r" if reserve else "")
        print(name, through, pay_on, carried, count, sales, -back, -fees, -hold, released, -payout, balance - payout)
        carried = balance - payout


def main():
    for first, last in SPANS:
        for cycle in CYCLES:
            for reserve in (False, True):
                statements(cycle, reserve, first, last)


if __name__ == "__main__":
    sys.exit(main())
