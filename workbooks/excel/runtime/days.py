"""Days and years between two dates, as the bases of securities count them.

Bases: 0 = 30/360 US, 1 = actual/actual, 2 = actual/360, 3 = actual/365, 4 = 30/360 European.
"""

from __future__ import annotations

from datetime import date, timedelta

from workbooks.excel.runtime.coerce import Refusal

ACTUAL, ACTUAL_360, ACTUAL_365, EUROPEAN = 1, 2, 3, 4


def basis_of(number: int) -> int:
    """Return a basis that there is."""
    if not 0 <= number <= EUROPEAN:
        raise Refusal("#NUM!", "the basis is 0 to 4")
    return number


def days_between(start: date, end: date, basis: int) -> float:
    """Return the days between two dates as the basis counts them [d]."""
    if basis not in (0, EUROPEAN):
        return float((end - start).days)
    first, last = start.day, end.day
    if basis == EUROPEAN:
        first, last = min(first, 30), min(last, 30)
    else:
        if ends_february(start):
            if ends_february(end):
                last = 30
            first = 30
        if last == 31 and first >= 30:
            last = 30
        first = min(first, 30)
    months = (end.year - start.year) * 12 + end.month - start.month
    return float(months * 30 + last - first)


def ends_february(day: date) -> bool:
    """Tell whether a day is the last of a February."""
    return day.month == 2 and (day + timedelta(days=1)).month == 3


def years_between(start: date, end: date, basis: int) -> float:
    """Return the fraction of a year between two dates, as YEARFRAC does [yr].

    Source: the algorithm of Excel's YEARFRAC as D. A. Wheeler describes it for OpenFormula.
    """
    if start > end:
        start, end = end, start
    days = days_between(start, end, basis)
    if basis == ACTUAL:
        return days / _average_year(start, end)
    return days / (365.0 if basis == ACTUAL_365 else 360.0)


def _average_year(start: date, end: date) -> float:
    within = (start.year, start.month, start.day) >= (end.year - 1, end.month, end.day)
    if start.year == end.year:
        return float(_length(start.year))
    if within:
        # At most a year: it has 366 days if it holds a 29 February.
        leap = (_is_leap(start.year) and start <= date(start.year, 2, 29)) or (
            _is_leap(end.year) and end >= date(end.year, 2, 29)
        )
        return 366.0 if leap else 365.0
    years = range(start.year, end.year + 1)
    return sum(map(_length, years)) / len(years)


def _length(year: int) -> int:
    return 366 if _is_leap(year) else 365


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
