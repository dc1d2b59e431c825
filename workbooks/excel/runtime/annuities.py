"""Interest and repayment of annuities, and interest that is paid as a lump."""

from __future__ import annotations

import math

from workbooks.excel.runtime.cashflows import numbers_in
from workbooks.excel.runtime.coerce import Grid, Refusal, rows


def _payment(
    rate: float, at: float, count: float, present: float, future: float, due: float
) -> tuple[float, float]:
    """Return the payment and the interest in it, of an annuity paid at the end or in advance."""
    early = due != 0
    if not 1 <= at <= count:
        raise Refusal("#NUM!", "the period must be 1 to the number of periods")
    if not rate:
        return -(present + future) / count, 0.0
    growth = (1 + rate) ** count
    factor = (growth - 1) / rate * (1 + rate if early else 1)
    payment = -(present * growth + future) / factor
    if early and at < 2:
        return payment, 0.0
    before = (1 + rate) ** (at - 1)
    paid = payment * (before - 1) / rate * (1 + rate if early else 1)
    interest = -(present * before + paid) * rate
    return payment, interest / (1 + rate) if early else interest


def ipmt(
    rate: float,
    period: float,
    periods: float,
    present: float,
    future: float = 0.0,
    due: float = 0.0,
) -> float:
    """Return the interest in one payment."""
    return _payment(rate, period, periods, present, future, due)[1]


def ppmt(
    rate: float,
    period: float,
    periods: float,
    present: float,
    future: float = 0.0,
    due: float = 0.0,
) -> float:
    """Return the repayment in one payment."""
    payment, interest = _payment(rate, period, periods, present, future, due)
    return payment - interest


def _cumulated(
    rate: float, periods: float, present: float, start: float, end: float, due: float
) -> tuple[float, float]:
    """Return interest and repayment of the payments from one to another.

    Excel takes the whole periods that lie between the two, and the number of periods as it is.
    """
    first, last = math.ceil(start), math.floor(end)
    if rate <= 0 or periods <= 0 or present <= 0 or due not in (0, 1):
        raise Refusal("#NUM!", "rate, periods and loan are above 0; the type is 0 or 1")
    if start < 1 or start > end or end > periods or first > last:
        raise Refusal("#NUM!", "the payments must lie within the periods")
    scale = rate / (math.expm1(periods * math.log1p(rate)))
    payment = -present * scale * (1 + rate) ** periods
    if due:
        payment /= 1 + rate
    interest = repaid = 0.0
    for at in range(first, last + 1):
        if due and at == 1:
            repaid += payment
            continue
        # What is repaid grows by the rate from payment to payment.
        part = -present * scale * (1 + rate) ** (at - 1)
        if due:
            part /= 1 + rate
        repaid += part
        interest += payment - part
    return interest, repaid


def cumipmt(
    rate: float, periods: float, present: float, start: float, end: float, due: float
) -> float:
    """Return the interest paid from one payment to another."""
    return _cumulated(rate, periods, present, start, end, due)[0]


def cumprinc(
    rate: float, periods: float, present: float, start: float, end: float, due: float
) -> float:
    """Return what is repaid from one payment to another."""
    return _cumulated(rate, periods, present, start, end, due)[1]


def ispmt(rate: float, period: float, periods: float, present: float) -> float:
    """Return the interest of a period where the loan is repaid in equal parts."""
    return present * rate * (period / periods - 1)


def fvschedule(principal: float, schedule: Grid) -> float:
    """Return what a principal grows to by rates that change."""
    grid = rows(schedule)
    if any(isinstance(cell, str | bool) for row in grid for cell in row):
        raise Refusal("#VALUE!", "a rate is a number")
    return principal * math.prod(1 + rate for rate in numbers_in(grid))


def effect(nominal: float, periods: float) -> float:
    """Return the effective yearly rate of a nominal one."""
    count = math.trunc(periods)
    if nominal <= 0 or count < 1:
        raise Refusal("#NUM!", "the rate is above 0, and there is at least one period")
    return float((1 + nominal / count) ** count - 1)


def nominal(effective: float, periods: float) -> float:
    """Return the nominal yearly rate of an effective one."""
    count = math.trunc(periods)
    if effective <= 0 or count < 1:
        raise Refusal("#NUM!", "the rate is above 0, and there is at least one period")
    return float(((1 + effective) ** (1 / count) - 1) * count)


def _parts(fraction: float) -> int:
    parts = math.trunc(fraction)
    if parts < 0:
        raise Refusal("#NUM!", "the fraction is 1 or more")
    if parts < 1:
        raise Refusal("#DIV/0!", "the fraction is 1 or more")
    return parts


def dollarde(price: float, fraction: float) -> float:
    """Return a price whose decimals count parts of a fraction as a decimal number."""
    parts = _parts(fraction)
    whole = math.trunc(price)
    return whole + (price - whole) * float(10 ** math.ceil(math.log10(parts))) / parts


def dollarfr(price: float, fraction: float) -> float:
    """Return a price with its decimals as parts of a fraction."""
    parts = _parts(fraction)
    whole = math.trunc(price)
    return whole + (price - whole) * parts / float(10 ** math.ceil(math.log10(parts)))
