"""Days, months and years of dates, and the working days between them."""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np

from udfs.cells import CellError
from workbooks.excel.runtime.coerce import Calendar, Refusal, cells
from workbooks.excel.runtime.days import (
    ACTUAL_360,
    ACTUAL_365,
    basis_of,
    days_between,
    years_between,
)

Parts = tuple[int, int, int]

_FIRST_YEAR, _YEARS = 1900, 10_000
_DAY = 86400
#: Weekends by their numbers: the days of a week from Monday on that are worked.
_WEEKENDS = {
    **{1 + i: "".join("0" if day in ((5 + i) % 7, (6 + i) % 7) else "1" for day in range(7))
       for i in range(7)},
    **{11 + i: "".join("0" if day == (6 + i) % 7 else "1" for day in range(7)) for i in range(7)},
}  # fmt: skip
#: How WEEKDAY numbers the days: by its second argument, the number of a Monday's day before, ...
_WEEK_STARTS = {1: 6, 2: 0, 11: 0, 12: 1, 13: 2, 14: 3, 15: 4, 16: 5, 17: 6}
_ISO = 21


def year(parts: Parts) -> float:
    """Return the year of a date."""
    return float(parts[0])


def month(parts: Parts) -> float:
    """Return the month of a date."""
    return float(parts[1])


def day(parts: Parts) -> float:
    """Return the day of the month of a date."""
    return float(parts[2])


def hour(second: int) -> float:
    """Return the hour of a second of the day."""
    return float(second // 3600)


def minute(second: int) -> float:
    """Return the minute of a second of the day."""
    return float(second // 60 % 60)


def second(second: int) -> float:
    """Return the second of a minute."""
    return float(second % 60)


def time(hours: int, minutes: int, seconds: int) -> float:
    """Return a time as a share of the day."""
    total = hours * 3600 + minutes * 60 + seconds
    if total < 0 or max(hours, minutes, seconds) > 32767:
        raise Refusal("#NUM!", "a time is 0 or more")
    return total % _DAY / _DAY


def weekday(parts: Parts, kind: int = 1) -> float:
    """Return the number of a day of the week."""
    place = _place_in_week(parts)
    if kind == 3:
        return float(place)
    if kind not in _WEEK_STARTS:
        raise Refusal("#NUM!", "the kind of week is 1 to 3, or 11 to 17")
    return float((place - _WEEK_STARTS[kind]) % 7 + 1)


def _place_in_week(parts: Parts) -> int:
    """Return the place of a day in the week, from Monday on; Excel has a 29 February 1900."""
    number, months, days = parts
    if number == _FIRST_YEAR and months <= 2:
        before = 0 if months == 1 else 31
        return (before + days + 5) % 7
    return date(*parts).weekday()


def weeknum(parts: Parts, kind: int = 1) -> float:
    """Return the number of a week in the year."""
    if kind == _ISO:
        return isoweeknum(parts)
    if kind not in _WEEK_STARTS:
        raise Refusal("#NUM!", "the kind of week is 1, 2, 11 to 17, or 21")
    first = _place_in_week((parts[0], 1, 1))
    # 0 January and 29 February 1900 are no days elsewhere.
    since = (date(parts[0], parts[1], 1) - date(parts[0], 1, 1)).days + parts[2] - 1
    return float((since + (first - _WEEK_STARTS[kind]) % 7) // 7 + 1)


def isoweeknum(parts: Parts) -> float:
    """Return the number of a week by ISO 8601."""
    if parts[0] == _FIRST_YEAR and parts[1] <= 2:
        # By the days of the week that Excel gives to these, a week ends on 1 January.
        thursday = (parts[1] - 1) * 31 + parts[2] - _place_in_week(parts) + 3
        return float((thursday - 1) // 7 + 1) if thursday > 0 else 52.0
    return float(date(*parts).isocalendar().week)


def edate(parts: Parts, months: int) -> date:
    """Return the same day of another month, or its last."""
    start = _month_after(parts, months)
    if not parts[2]:
        # The day before the first, as 0 January is.
        return start - timedelta(days=1)
    return start.replace(day=min(parts[2], monthrange(start.year, start.month)[1]))


def eomonth(parts: Parts, months: int) -> date:
    """Return the last day of another month."""
    start = _month_after(parts, months)
    return start.replace(day=monthrange(start.year, start.month)[1])


def _month_after(parts: Parts, months: int) -> date:
    """Return the first day of the month that lies some months after a date."""
    years, place = divmod(parts[0] * 12 + parts[1] - 1 + months, 12)
    if not _FIRST_YEAR - 1 <= years < _YEARS:
        raise Refusal("#NUM!", "a date before the first that there is, or after the last")
    return date(years, place + 1, 1)


def days(end: float, start: float) -> float:
    """Return the days between two dates."""
    return float(math.floor(end) - math.floor(start))


def days360(start: date, end: date, european: bool = False) -> float:
    """Return the days between two dates in months of 30 days."""
    if european:
        return days_between(start, end, 4)
    # Unlike the securities, the end of February is a 30th at the start alone.
    first, last = start.day, end.day
    if (start + timedelta(days=1)).day == 1:
        first = 30
    carried = 0
    if (end + timedelta(days=1)).day == 1 and end.day == 31:
        if first < 30:
            carried, last = 1, 1
        else:
            last = 30
    months = (end.year - start.year) * 12 + end.month + carried - start.month
    return float(months * 30 + last - first)


def yearfrac(calendar: Calendar) -> Callable[..., float]:
    """Return YEARFRAC for a date system: the fraction of a year between two dates."""

    def answer(start: float, end: float, basis: int = 0) -> float:
        first, last = calendar.day(start), calendar.day(end)
        if basis_of(basis) in (ACTUAL_360, ACTUAL_365):
            # By their numbers, among which Excel has a 29 February 1900.
            days_ = abs(math.floor(end) - math.floor(start))
            return days_ / (360.0 if basis == ACTUAL_360 else 365.0)
        return years_between(first, last, basis)

    return answer


def timevalue_of(calendar: Calendar) -> Callable[[Any], float]:
    """Return TIMEVALUE for a date system: the time of day of a text."""

    def answer(cell: Any) -> float:
        serial = _moment(cell, calendar)
        return serial - math.floor(serial)

    return answer


def datevalue_of(calendar: Calendar) -> Callable[[Any], float]:
    """Return DATEVALUE for a date system: the day of a text, 0 where it is a time alone."""

    def answer(cell: Any) -> float:
        return float(
            math.floor(_moment(cell.strip(" ") if isinstance(cell, str) else cell, calendar))
        )

    return answer


def _moment(cell: Any, calendar: Calendar) -> float:
    serial = calendar.moment(cell) if isinstance(cell, str) else None
    if serial is None:
        raise Refusal("#VALUE!", "a text that reads as a date or time is wanted")
    return serial


def _weekmask(weekend: Any) -> str:
    if weekend is None:
        return _WEEKENDS[1]
    if isinstance(weekend, CellError):
        raise Refusal(weekend.code, weekend.reason)
    if isinstance(weekend, str):
        if len(weekend) != 7 or set(weekend) - {"0", "1"}:
            raise Refusal("#VALUE!", "a weekend is written as seven of 0 and 1")
        return weekend.translate({48: "1", 49: "0"})
    mask = _WEEKENDS.get(int(weekend))
    if mask is None:
        raise Refusal("#NUM!", "a weekend is 1 to 7, or 11 to 17")
    return mask


def _holidays(given: Any, calendar: Calendar) -> list[date]:
    found = []
    for cell in cells(given):
        if isinstance(cell, bool):
            raise Refusal("#VALUE!", "a holiday is a date")
        if cell is not None:
            found.append(calendar.day(calendar.number(cell)))
    return found


def networkdays_intl(calendar: Calendar) -> Callable[..., float]:
    """Return NETWORKDAYS.INTL for a date system."""

    def answer(start: date, end: date, weekend: Any = None, holidays: Any = None) -> float:
        mask, free = _weekmask(weekend), _holidays(holidays, calendar)
        if "1" not in mask:
            return 0.0
        sign, first, last = (1, start, end) if start <= end else (-1, end, start)
        after = np.datetime64(last) + 1
        return float(sign * np.busday_count(np.datetime64(first), after, mask, free))

    return answer


def workday_intl(calendar: Calendar) -> Callable[..., date]:
    """Return WORKDAY.INTL for a date system."""

    def answer(start: date, count: int, weekend: Any = None, holidays: Any = None) -> date:
        mask, free = _weekmask(weekend), _holidays(holidays, calendar)
        if "1" not in mask:
            raise Refusal("#VALUE!", "no day of the week is worked")
        if not count:
            return start
        roll: Literal["backward", "forward"] = "backward" if count > 0 else "forward"
        found = np.busday_offset(np.datetime64(start), count, roll, mask, holidays=free)
        return date.fromisoformat(str(found))

    return answer


def networkdays(calendar: Calendar) -> Callable[..., float]:
    """Return NETWORKDAYS for a date system."""
    counted = networkdays_intl(calendar)
    return lambda start, end, holidays=None: counted(start, end, None, holidays)


def workday(calendar: Calendar) -> Callable[..., date]:
    """Return WORKDAY for a date system."""
    found = workday_intl(calendar)
    return lambda start, count, holidays=None: found(start, count, None, holidays)


def date_of(calendar: Calendar) -> Callable[[float, int, float], float]:
    """Return DATE for a date system; months and days beyond their ends are counted on."""

    def answer(year: float, month: int, day: float) -> float:
        number = math.trunc(year)
        if 0 <= number < _FIRST_YEAR:
            number += _FIRST_YEAR
        years, place = divmod(number * 12 + month - 1, 12)
        if number < 0 or not _FIRST_YEAR - 1 <= years < _YEARS:
            raise Refusal("#NUM!", "a date before the first that there is, or after the last")
        if years < _FIRST_YEAR:
            first = calendar.serial(date(_FIRST_YEAR, 1, 1))
            first -= (date(_FIRST_YEAR, 1, 1) - date(years, place + 1, 1)).days
        else:
            first = calendar.serial(date(years, place + 1, 1))
        serial = first + math.floor(day) - 1
        calendar.day(serial)
        return serial

    return answer
