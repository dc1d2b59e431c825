"""Coupon dates and durations of bonds, and the price of discounted securities.

Dates are serial numbers of the 1900 system. Bases of days: 0 = 30/360 US, 1 = actual/actual,
2 = actual/360, 3 = actual/365, 4 = 30/360 European.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

_EPOCH = date(1899, 12, 30)


def _date(serial: Any) -> date:
    return _EPOCH + timedelta(days=int(float(serial)))


def _serial(day: date) -> float:
    return float((day - _EPOCH).days)


def _days(start: date, end: date, basis: int) -> float:
    """Return the days between two dates as the basis counts them."""
    if basis in (1, 2, 3):
        return float((end - start).days)
    first, last = start.day, end.day
    if basis == 4:
        first, last = min(first, 30), min(last, 30)
    else:
        end_of_february = start.month == 2 and (start + timedelta(days=1)).month == 3
        if end_of_february and end.month == 2 and (end + timedelta(days=1)).month == 3:
            last = 30
        if end_of_february:
            first = 30
        if last == 31 and first >= 30:
            last = 30
        first = min(first, 30)
    months = (end.year - start.year) * 12 + end.month - start.month
    return float(months * 30 + last - first)


def _year(start: date, end: date, basis: int) -> float:
    """Return the fraction of a year between two dates."""
    if basis == 1:
        years = range(start.year, end.year + 1)
        average = sum((date(y + 1, 1, 1) - date(y, 1, 1)).days for y in years) / len(years)
        return (end - start).days / average
    return _days(start, end, basis) / (365.0 if basis == 3 else 360.0)


def _checked(settlement: Any, maturity: Any, basis: Any) -> tuple[date, date, int]:
    start, end, kind = _date(settlement), _date(maturity), int(basis or 0)
    if start >= end or not 0 <= kind <= 4:
        raise ArithmeticError("settlement must come before maturity; the basis is 0 to 4")
    return start, end, kind


def _coupons(
    settlement: Any, maturity: Any, frequency: Any, basis: Any = 0
) -> tuple[date, date, int, date, date, int]:
    """Return settlement, basis, the coupon dates around it, and how many coupons are left."""
    start, end, kind = _checked(settlement, maturity, basis)
    times = int(frequency)
    if times not in (1, 2, 4):
        raise ArithmeticError("the frequency is 1, 2 or 4")
    left = 0
    following = end
    while True:
        left += 1
        before = end - relativedelta(months=left * 12 // times)
        if (end + timedelta(days=1)).month != end.month:
            # Coupons of a bond that matures on the last of a month fall on the last of months.
            before = (before.replace(day=1) + relativedelta(months=1)) - timedelta(days=1)
        if before <= start:
            return start, end, kind, before, following, left
        following = before


def _coupon_days(settlement: Any, maturity: Any, frequency: Any, basis: Any = 0) -> float:
    _, _, kind, before, following, _ = _coupons(settlement, maturity, frequency, basis)
    if kind == 1:
        return float((following - before).days)
    return (365.0 if kind == 3 else 360.0) / int(frequency)


def _days_before(settlement: Any, maturity: Any, frequency: Any, basis: Any = 0) -> float:
    start, _, kind, before, _, _ = _coupons(settlement, maturity, frequency, basis)
    return _days(before, start, kind)


def _days_after(settlement: Any, maturity: Any, frequency: Any, basis: Any = 0) -> float:
    start, _, kind, before, following, _ = _coupons(settlement, maturity, frequency, basis)
    if kind in (0, 4):
        return _coupon_days(settlement, maturity, frequency, basis) - _days(before, start, kind)
    return _days(start, following, kind)


def _next_coupon(settlement: Any, maturity: Any, frequency: Any, basis: Any = 0) -> float:
    return _serial(_coupons(settlement, maturity, frequency, basis)[4])


def _last_coupon(settlement: Any, maturity: Any, frequency: Any, basis: Any = 0) -> float:
    return _serial(_coupons(settlement, maturity, frequency, basis)[3])


def _coupons_left(settlement: Any, maturity: Any, frequency: Any, basis: Any = 0) -> float:
    return float(_coupons(settlement, maturity, frequency, basis)[5])


def _duration(
    settlement: Any, maturity: Any, coupon: Any, yearly: Any, frequency: Any, basis: Any = 0
) -> float:
    """Return the Macaulay duration [years]."""
    times = int(frequency)
    rate, growth = float(coupon), 1 + float(yearly) / times
    if rate < 0 or float(yearly) < 0:
        raise ArithmeticError("coupon and yield must be 0 or more")
    left = int(_coupons_left(settlement, maturity, frequency, basis))
    period = _coupon_days(settlement, maturity, frequency, basis)
    share = _days_after(settlement, maturity, frequency, basis) / period
    price = weighted = 0.0
    for k in range(left):
        flow = 100 * rate / times + (100 if k == left - 1 else 0)
        present = flow / growth ** (k + share)
        price += present
        weighted += present * (k + share)
    return weighted / price / times


def _modified_duration(
    settlement: Any, maturity: Any, coupon: Any, yearly: Any, frequency: Any, basis: Any = 0
) -> float:
    macaulay = _duration(settlement, maturity, coupon, yearly, frequency, basis)
    return macaulay / (1 + float(yearly) / int(frequency))


def _disc(settlement: Any, maturity: Any, price: Any, redemption: Any, basis: Any = 0) -> float:
    start, end, kind = _checked(settlement, maturity, basis)
    paid, back = _positive(price), _positive(redemption)
    return (back - paid) / back / _year(start, end, kind)


def _intrate(settlement: Any, maturity: Any, paid: Any, back: Any, basis: Any = 0) -> float:
    start, end, kind = _checked(settlement, maturity, basis)
    invested = _positive(paid)
    return (_positive(back) - invested) / invested / _year(start, end, kind)


def _received(settlement: Any, maturity: Any, paid: Any, discount: Any, basis: Any = 0) -> float:
    start, end, kind = _checked(settlement, maturity, basis)
    return _positive(paid) / (1 - _positive(discount) * _year(start, end, kind))


def _price_disc(settlement: Any, maturity: Any, discount: Any, back: Any, basis: Any = 0) -> float:
    start, end, kind = _checked(settlement, maturity, basis)
    return _positive(back) * (1 - _positive(discount) * _year(start, end, kind))


def _yield_disc(settlement: Any, maturity: Any, price: Any, back: Any, basis: Any = 0) -> float:
    start, end, kind = _checked(settlement, maturity, basis)
    return (_positive(back) / _positive(price) - 1) / _year(start, end, kind)


def _positive(cell: Any) -> float:
    number = float(cell)
    if number <= 0:
        raise ArithmeticError("prices and rates must be above 0")
    return number


#: The functions by name.
BONDS: dict[str, Callable[..., Any]] = {
    "COUPDAYS": _coupon_days,
    "COUPDAYBS": _days_before,
    "COUPDAYSNC": _days_after,
    "COUPNCD": _next_coupon,
    "COUPPCD": _last_coupon,
    "COUPNUM": _coupons_left,
    "DURATION": _duration,
    "MDURATION": _modified_duration,
    "DISC": _disc,
    "INTRATE": _intrate,
    "RECEIVED": _received,
    "PRICEDISC": _price_disc,
    "YIELDDISC": _yield_disc,
}
