"""Rates of return of cash flows, IRR and MIRR, and with dates XNPV and XIRR."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.cells import CellError
from workbooks.excel.runtime.coerce import Grid, Refusal, cells

_DAYS = 365.0
_ROUNDS = 50
_CLOSE = 1e-14
_LEAST = -0.999
_DATED_LEAST = -0.9999999
#: How far XIRR goes on halving: see `_as_excel`.
_MOST_HALVINGS, _SHARE = 60, 1e-8


def numbers_in(*given: Any) -> list[float]:
    """Return the numbers of cells and ranges in their order; blanks, texts, truths are left out."""
    found: list[float] = []
    for one in given:
        for cell in cells(one):
            if isinstance(cell, CellError):
                raise Refusal(cell.code, cell.reason)
            if type(cell) is float:
                found.append(cell)
    return found


def irr(values: Grid, guess: float = 0.1) -> float:
    """Return the rate at which flows, one a period, are worth nothing.

    The search begins at the guess, as Excel's: of several rates, the nearest that Newton's method
    comes to is found.
    """
    flows = np.array(numbers_in(values))
    if not ((flows > 0).any() and (flows < 0).any()):
        raise Refusal("#NUM!", "at least one flow in and one out are wanted")
    if guess <= -1:
        raise Refusal("#VALUE!", "a rate is above -100 %")
    times = np.arange(flows.size, dtype=np.float64)
    return _rate(flows, times, guess, _LEAST)


def _rate(
    flows: NDArray[np.float64], times: NDArray[np.float64], guess: float, least: float
) -> float:
    def worth(rate: float) -> float:
        with np.errstate(all="ignore"):
            return float(np.sum(flows * (1 + rate) ** -times))

    def slope(rate: float) -> float:
        with np.errstate(all="ignore"):
            return float(np.sum(-times * flows * (1 + rate) ** (-times - 1)))

    rate = guess
    for _ in range(_ROUNDS):
        steep = slope(rate)
        if not steep or not math.isfinite(steep):
            break
        following = rate - worth(rate) / steep
        if not math.isfinite(following) or following <= -1:
            break
        if abs(following - rate) <= _CLOSE * max(1.0, abs(following)):
            return following
        rate = following
    return _bracketed(worth, guess, least)


def _bracketed(worth: Callable[[float], float], guess: float, least: float) -> float:
    """Find a rate between two of which one gives more than nothing and the other less."""
    from scipy.optimize import brentq  # noqa: PLC0415 - seldom needed, and slow to load

    tried = np.concatenate([np.linspace(least, 1.0, 400), np.geomspace(1.0, 1e6, 200)[1:]])
    values = np.array([worth(rate) for rate in tried])
    crossings = np.flatnonzero(np.signbit(values[1:]) != np.signbit(values[:-1]))
    crossings = crossings[np.isfinite(values[crossings]) & np.isfinite(values[crossings + 1])]
    if not crossings.size:
        raise Refusal("#NUM!", "no rate is found at which the flows are worth nothing")
    middle = (tried[crossings] + tried[crossings + 1]) / 2
    nearest = crossings[np.argmin(np.abs(middle - guess))]
    return float(brentq(worth, tried[nearest], tried[nearest + 1], xtol=1e-15, rtol=1e-14))


def mirr(values: Grid, finance: float, reinvest: float) -> float:
    """Return the rate of return where what is lent and what is put back bear other rates."""
    flows = np.array(numbers_in(values))
    if finance <= -1 or reinvest <= -1:
        raise Refusal("#NUM!" if min(finance, reinvest) < -1 else "#DIV/0!", "a rate below -100 %")
    if not ((flows > 0).any() and (flows < 0).any()):
        raise Refusal("#DIV/0!", "at least one flow in and one out are wanted")
    times = np.arange(flows.size)
    paid = float(np.sum(np.minimum(flows, 0) * (1 + finance) ** -times))
    earned = float(np.sum(np.maximum(flows, 0) * (1 + reinvest) ** (flows.size - 1 - times)))
    return float((earned / -paid) ** (1 / (flows.size - 1)) - 1)


def _dated(values: Any, dates: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return flows and the years from the first of them."""
    flows = numbers_in(values)
    days = [math.floor(day) for day in numbers_in(dates)]
    if len(flows) != len(days) or not flows:
        raise Refusal("#NUM!", "as many dates as flows are wanted")
    if min(days) < 0 or min(days) < days[0]:
        raise Refusal("#NUM!", "no date may lie before the first")
    return np.array(flows), (np.array(days, dtype=np.float64) - days[0]) / _DAYS


def xnpv(rate: float, values: Grid, dates: Grid) -> float:
    """Return what dated flows are worth on the day of the first."""
    flows, times = _dated(values, dates)
    if rate <= 0:
        # Held against a workbook that Excel saved; XIRR may well be negative.
        raise Refusal("#NUM!", "a rate above 0 is wanted")
    return float(np.sum(flows / (1 + rate) ** times))


def xirr(values: Grid, dates: Grid, guess: float = 0.1) -> float:
    """Return the yearly rate at which dated flows are worth nothing."""
    for cell in cells(values):
        if isinstance(cell, str | bool):
            raise Refusal("#VALUE!", "a flow is a number")
    flows, times = _dated(values, dates)
    if not ((flows > 0).any() and (flows < 0).any()) or guess <= -1:
        raise Refusal("#NUM!", "at least one flow in and one out are wanted")
    rate = _rate(flows, times, guess, _DATED_LEAST)
    if rate < _LEAST:
        # Excel gives up near -100 %.
        raise Refusal("#NUM!", "no rate is found at which the flows are worth nothing")
    return _as_excel(rate, guess) if rate >= 0 < guess else rate


def _as_excel(rate: float, guess: float) -> float:
    """Return the rate at which Excel's XIRR stops looking, at most some 1e-8 from the right one.

    Rates above 0 that Excel saved are multiples of the guess (0.1 where none is given) by 2^n: it
    halves an interval. How often was found from them, and they come out to the last digit; rates
    below 0 do not follow.
    """
    close = _SHARE * (rate + 0.5)
    halvings = next((n for n in range(1, _MOST_HALVINGS) if guess / 2**n < close), None)
    if halvings is None:
        return rate
    step = math.ldexp(guess, 1 - halvings)
    return (math.floor(rate / step) + 0.5) * step
