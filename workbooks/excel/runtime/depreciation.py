"""What an asset loses in a period: declining balances, and the French ways."""

from __future__ import annotations

import math
from datetime import date

from workbooks.calc.protocol import CalculatorError
from workbooks.excel.runtime.coerce import Refusal
from workbooks.excel.runtime.days import basis_of, years_between

_MONTHS = 12
_SAME = 1e-9


def db(cost: float, salvage: float, life: float, period: float, month: float = 12.0) -> float:
    """Depreciate by a fixed rate of three decimals; the first year may have fewer months."""
    at, months = math.trunc(period), math.trunc(month)
    last = life + (1 if months < _MONTHS else 0)
    if cost < 0 or salvage < 0 or life <= 0 or not 1 <= months <= _MONTHS or not 1 <= at <= last:
        raise Refusal("#NUM!", "the period must lie within the life; nothing may be negative")
    if not cost:
        return 0.0
    rate: float = round(1 - (salvage / cost) ** (1 / life), 3)
    value, amount = cost, cost * rate * months / _MONTHS
    for year in range(2, at + 1):
        value -= amount
        amount = value * rate
        if year > life:
            amount *= (_MONTHS - months) / _MONTHS
    return amount


def vdb(
    cost: float,
    salvage: float,
    life: float,
    start: float,
    end: float,
    factor: float = 2.0,
    no_switch: bool = False,
) -> float | CalculatorError:
    """Depreciate by the declining balance, going over to the straight line where that is more."""
    if min(cost, salvage, start, factor) < 0 or life <= 0 or not start <= end <= life:
        raise Refusal("#NUM!", "start and end must lie within the life; nothing may be negative")
    rate = factor / life
    by_periods = _lost(cost, salvage, life, end, rate, no_switch) - _lost(
        cost, salvage, life, start, rate, no_switch
    )
    if start == math.floor(start):
        return by_periods
    # From within a period: parts of the periods, or as if the asset were bought then.
    left = cost - _lost(cost, salvage, life, start, rate, no_switch)
    from_start = _lost(left, salvage, life - start, end - start, rate, no_switch)
    if abs(from_start - by_periods) > _SAME * max(cost, 1.0):
        return CalculatorError("VDB from within a period that goes over to the straight line")
    return by_periods


def _lost(
    cost: float, salvage: float, life: float, until: float, rate: float, no_switch: bool
) -> float:
    """Return what an asset has lost since it was bought; of a part of a period, that part."""
    value, total, period = cost, 0.0, 0
    while period < until:
        rest = max(value - salvage, 0.0)
        declining = min(value * rate, rest)
        left = life - period
        straight = rest / left if left > 0 else 0.0
        amount = declining if no_switch or declining >= straight else min(straight, rest)
        total += amount * min(1.0, until - period)
        value -= amount
        period += 1
    return total


def amorlinc(
    cost: float,
    purchased: date,
    first: date,
    salvage: float,
    period: float,
    rate: float,
    basis: int = 0,
) -> float:
    """Depreciate in equal parts, the first year by the days that it has."""
    _check_french(cost, purchased, first, salvage, period, rate, basis)
    whole = cost * rate
    opening = years_between(purchased, first, basis) * whole
    to_lose = cost - salvage
    at = math.trunc(period)
    if at == 0:
        return min(opening, to_lose)
    return max(0.0, min(whole, to_lose - opening - (at - 1) * whole))


def amordegrc(
    cost: float,
    purchased: date,
    first: date,
    salvage: float,
    period: float,
    rate: float,
    basis: int = 0,
) -> float:
    """Depreciate by a rate that grows with the life, each year in whole units of money."""
    _check_french(cost, purchased, first, salvage, period, rate, basis)
    life = 1 / rate
    if life < 3 or 4 < life < 5:
        raise Refusal("#NUM!", "a life of 0 to 2, or of 4 to 5 years")
    faster = rate * (1.5 if life <= 4 else 2.0 if life <= 6 else 2.5)
    value = cost
    lost = float(math.floor(years_between(purchased, first, basis) * faster * value + 0.5))
    value -= lost
    rest = value - salvage
    for at in range(1, math.trunc(period) + 1):
        lost = float(math.floor(faster * value + 0.5))
        rest -= lost
        if rest < 0:
            # In the last two years, half of what is left.
            return float(math.floor(value * 0.5 + 0.5)) if math.trunc(period) == at else 0.0
        value -= lost
    return lost


def _check_french(
    cost: float,
    purchased: date,
    first: date,
    salvage: float,
    period: float,
    rate: float,
    basis: int,
) -> None:
    basis_of(basis)
    if basis == 2:
        raise Refusal("#NUM!", "the basis is 0, 1, 3 or 4")
    if cost <= 0 or not 0 <= salvage <= cost or period < 0 or rate <= 0 or purchased > first:
        raise Refusal("#NUM!", "cost and rate are above 0, and the purchase comes first")
