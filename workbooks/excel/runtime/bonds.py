"""Coupon dates of bonds, interest accrued, and durations."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from workbooks.excel.runtime.coerce import Refusal
from workbooks.excel.runtime.days import (
    ACTUAL,
    ACTUAL_365,
    EUROPEAN,
    basis_of,
    days_between,
    years_between,
)


class Coupon(NamedTuple):
    """The coupon dates around a day, and how many coupons are left."""

    before: date
    following: date
    left: int


def _times(frequency: int) -> int:
    if frequency not in (1, 2, 4):
        raise Refusal("#NUM!", "the frequency is 1, 2 or 4")
    return frequency


def before_last(end: date, months: int) -> date:
    """Return a date some months before; from the last day of a month to the last of another."""
    day = end - relativedelta(months=months)
    if (end + timedelta(days=1)).month != end.month:
        day = day.replace(day=1) + relativedelta(months=1) - timedelta(days=1)
    return day


def coupon(settlement: date, maturity: date, frequency: int, basis: int) -> Coupon:
    """Return the coupon dates around a settlement."""
    times = _times(frequency)
    basis_of(basis)
    if settlement >= maturity:
        raise Refusal("#NUM!", "settlement must come before maturity")
    left, following = 0, maturity
    while True:
        left += 1
        before = before_last(maturity, left * 12 // times)
        if before <= settlement:
            return Coupon(before, following, left)
        following = before


def period(around: Coupon, frequency: int, basis: int) -> float:
    """Return the days of a coupon period [d]."""
    if basis == ACTUAL:
        return float((around.following - around.before).days)
    return (365.0 if basis == ACTUAL_365 else 360.0) / frequency


def coupon_days(settlement: date, maturity: date, frequency: int, basis: int = 0) -> float:
    """Return the days of the coupon period that a settlement lies in."""
    return period(coupon(settlement, maturity, frequency, basis), frequency, basis)


def days_before(settlement: date, maturity: date, frequency: int, basis: int = 0) -> float:
    """Return the days from the last coupon to the settlement."""
    around = coupon(settlement, maturity, frequency, basis)
    return days_between(around.before, settlement, basis)


def days_after(settlement: date, maturity: date, frequency: int, basis: int = 0) -> float:
    """Return the days from the settlement to the next coupon."""
    around = coupon(settlement, maturity, frequency, basis)
    if basis in (0, EUROPEAN):
        passed = days_between(around.before, settlement, basis)
        return period(around, frequency, basis) - passed
    return days_between(settlement, around.following, basis)


def next_coupon(settlement: date, maturity: date, frequency: int, basis: int = 0) -> date:
    """Return the first coupon after the settlement."""
    return coupon(settlement, maturity, frequency, basis).following


def last_coupon(settlement: date, maturity: date, frequency: int, basis: int = 0) -> date:
    """Return the last coupon before the settlement."""
    return coupon(settlement, maturity, frequency, basis).before


def coupons_left(settlement: date, maturity: date, frequency: int, basis: int = 0) -> int:
    """Return how many coupons are paid from the settlement to maturity."""
    return coupon(settlement, maturity, frequency, basis).left


def duration(
    settlement: date, maturity: date, rate: float, yearly: float, frequency: int, basis: int = 0
) -> float:
    """Return the Macaulay duration [yr]."""
    if rate < 0 or yearly < 0:
        raise Refusal("#NUM!", "coupon and yield must be 0 or more")
    around = coupon(settlement, maturity, frequency, basis)
    growth = 1 + yearly / frequency
    after = days_after(settlement, maturity, frequency, basis)
    share = after / period(around, frequency, basis)
    price = weighted = 0.0
    for k in range(around.left):
        flow = 100 * rate / frequency + (100 if k == around.left - 1 else 0)
        present = flow / growth ** (k + share)
        price += present
        weighted += present * (k + share)
    return weighted / price / frequency


def modified_duration(
    settlement: date, maturity: date, rate: float, yearly: float, frequency: int, basis: int = 0
) -> float:
    """Return the Macaulay duration discounted by one period of the yield [yr]."""
    macaulay = duration(settlement, maturity, rate, yearly, frequency, basis)
    return macaulay / (1 + yearly / frequency)


def accrued(
    issue: date,
    first: date,
    settlement: date,
    rate: float,
    par: float,
    frequency: int,
    basis: int = 0,
    from_issue: bool = True,
) -> float:
    """Return the interest accrued from issue (or from the first interest) to settlement.

    Periods end at the first interest and whole periods from it. Excel counts, before the first
    interest, the coupons from issue to it and takes off those from settlement to it, in days of
    the last period before it; its published formula, which holds from the first interest on, adds
    up the part of each period that has passed.
    """
    times = _times(frequency)
    basis_of(basis)
    if rate <= 0 or par <= 0 or issue >= settlement:
        raise Refusal("#NUM!", "rate and par are above 0, and issue comes before settlement")
    last = before_last(first, 12 // times)
    if settlement > first:
        start = issue if from_issue else first
        return par * rate / times * _passed(start, settlement, first, times, basis)
    whole = _length(last, first, times, basis)
    if issue >= last:
        return par * rate / times * days_between(issue, settlement, basis) / whole
    places = 1
    while before_last(first, (places + 1) * 12 // times) > issue:
        places += 1
    opening = before_last(first, places * 12 // times)
    begun = before_last(first, (places + 1) * 12 // times)
    coupons = days_between(issue, opening, basis) / _length(begun, opening, times, basis)
    coupons += days_between(last, settlement, basis) / whole
    if from_issue:
        coupons += places - 1
    return par * rate / times * coupons


def _passed(start: date, end: date, first: date, times: int, basis: int) -> float:
    """Return how many coupon periods lie between two days, period by period."""
    months, place = 12 // times, 0
    while before_last(first, place * months) > start:
        place += 1
    while before_last(first, (place - 1) * months) <= start:
        place -= 1
    total = 0.0
    while (begun := before_last(first, place * months)) < end:
        over = before_last(first, (place - 1) * months)
        if begun >= start and over <= end:
            total += 1
        else:
            days = days_between(max(begun, start), min(over, end), basis)
            total += days / _length(begun, over, times, basis)
        place -= 1
    return total


def _length(begun: date, over: date, times: int, basis: int) -> float:
    return period(Coupon(begun, over, 1), times, basis)


def accrued_at_maturity(
    issue: date, settlement: date, rate: float, par: float = 1000.0, basis: int = 0
) -> float:
    """Return the interest of a security that pays it at maturity."""
    basis_of(basis)
    if rate <= 0 or par <= 0 or issue >= settlement:
        raise Refusal("#NUM!", "rate and par are above 0, and issue comes before settlement")
    return par * rate * years_between(issue, settlement, basis)
