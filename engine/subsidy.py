"""Subsidy loss: what selling below cost loses, and how long the money lasts."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.elementwise import (
    Number,
    Scalar,
    at_least,
    by_element,
    elementwise,
    single,
    steps,
    whole,
)
from engine.tables import Table

__all__ = ["runway", "subsidy_loss", "subsidy_path"]

#: A month of finance: a twelfth of 365 days.
DAYS_PER_MONTH = 365 / 12
#: Cash that lasts this long counts as lasting for ever.
LONGEST_RUNWAY = 600
# Binary digits of the months that are looked at first, as most cash is gone within 31, and of all.
_DIGITS = (5, LONGEST_RUNWAY.bit_length())
# Products of two such numbers that grow by two such changes for 50 years are far from overflow.
_TAME_SIZE = 1e50
_TAME_CHANGE = 100.0


@elementwise(tokens_per_day=at_least(0), price=at_least(0), breakeven=at_least(0), days=at_least(0))
def subsidy_loss(
    tokens_per_day: Number, price: Number, breakeven: Number, days: Number = 365.0
) -> Number:
    """Loss from selling tokens below cost over some days.

    Parameters
    ----------
    tokens_per_day : Number
        Tokens sold a day, in single tokens [1/day].
    price : Number
        Price of a million tokens [USD/Mtok].
    breakeven : Number
        What a million tokens cost [USD/Mtok].
    days : Number
        Days that are added up [day].

    Returns
    -------
    Number
        Loss over these days; negative is profit [USD].

    Notes
    -----
    Equation: ``tokens_per_day / 1e6 · (breakeven − price) · days``.
    Range: volume and prices of 0 or more.
    Source: identity; the factor 1e6 is where hand calculation slips.

    Examples
    --------
    >>> subsidy_loss(10e9, 0.0, 3.0, 1.0)
    30000.0
    """
    return tokens_per_day / 1e6 * (breakeven - price) * days


_PATH_DOMAINS = {
    "cash": at_least(0),
    "tokens_per_day": at_least(0),
    "price": at_least(0),
    "breakeven": at_least(0),
    "volume_growth": at_least(-1),
    "price_change": at_least(-1),
    "cost_change": at_least(-1),
}


@elementwise(never=f"cash lasts {LONGEST_RUNWAY} months or more", **_PATH_DOMAINS)
def runway(
    cash: Number,
    tokens_per_day: Number,
    price: Number,
    breakeven: Number,
    volume_growth: Number = 0.0,
    price_change: Number = 0.0,
    cost_change: Number = 0.0,
) -> Number:
    """Months until the cash is gone.

    Parameters
    ----------
    cash : Number
        Cash at the start [USD].
    tokens_per_day : Number
        Tokens sold a day in the first month, in single tokens [1/day].
    price : Number
        Price of a million tokens in the first month [USD/Mtok].
    breakeven : Number
        What a million tokens cost in the first month [USD/Mtok].
    volume_growth : Number
        Yearly change of the volume, 0.5 for half as much again [-].
    price_change : Number
        Yearly change of the price, -0.5 for halving [-].
    cost_change : Number
        Yearly change of the cost, -0.3 for 30 % cheaper [-].

    Returns
    -------
    Number
        Months, the last one in part; infinite where the cash lasts 600 months [month].

    Notes
    -----
    Equation: month m loses ``V·(1+g)^((m−1)/12) · (C·(1+c)^((m−1)/12) − P·(1+p)^((m−1)/12))``
    over 365/12 days; the runway ends where the losses so far reach the cash.
    Range: yearly changes of -1 or more.
    Source: cash-runway convention, months in part.

    Examples
    --------
    >>> round(runway(305e6, 10e9, 0.0, 3.0), 1)
    334.2
    """
    # Growth over 600 months may overflow; the losses are then infinite, and rightly so.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return by_element(
            _months_of_cash,
            cash,
            tokens_per_day,
            price,
            breakeven,
            volume_growth,
            price_change,
            cost_change,
            sooner=[partial(_months_by_digits, digits) for digits in _DIGITS],
        )


def _months_of_cash(cash: NDArray[np.float64], *terms: NDArray[np.float64]) -> NDArray[np.float64]:
    # What is traced has no binary digits.
    if isinstance(cash, np.ndarray):
        cash, *terms = _in_size(cash, *terms)  # type: ignore[assignment]
    *_, loss = _monthly(steps(float(LONGEST_RUNWAY), cash), *terms)
    return _until_gone(float(LONGEST_RUNWAY), cash, loss)


def _in_size(
    cash: NDArray[np.float64], *terms: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Return a plan whose volume and larger price are near 1, so that no month is beyond a float.

    Cash, volume and prices are multiplied by powers of 2, which changes neither their digits nor
    the months. Cash that is then beyond any float is no number: nothing is known of its months.
    """
    volume, price, cost, *changes = terms
    by_volume, by_price = (-np.frexp(size)[1] for size in (volume, np.maximum(price, cost)))
    money = np.ldexp(cash, by_volume + by_price)
    return (
        np.where(money < math.inf, money, math.nan),
        np.ldexp(volume, by_volume),
        np.ldexp(price, by_price),
        np.ldexp(cost, by_price),
        *changes,
    )


def _months_by_digits(
    digits: int, cash: NDArray[np.float64], *terms: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the months until the cash is gone, NaN where so many binary digits do not tell.

    Costs and sales each grow by one factor a month, so that what 2, 4, 8 … months lose together
    comes by doubling. With these the months are found from their highest digit down.
    """
    volume, price, cost, growth, falling, saving = terms
    monthly = volume * (DAYS_PER_MONTH / 1e6)
    costs, sales = monthly * cost, monthly * price
    more = 1 + growth
    dearer, richer = (more * (1 + saving)) ** (1 / 12), (more * (1 + falling)) ** (1 / 12)
    # Profit turns into loss once, or loss into profit: the cash then lasts if it lasted till there.
    worsens = dearer >= richer
    spans: list[Any] = [(dearer, richer, 1.0, 1.0)]
    for _ in range(digits - 1):
        by_costs, by_sales, sum_costs, sum_sales = spans[-1]
        sums = sum_costs * (1 + by_costs), sum_sales * (1 + by_sales)
        spans.append((by_costs * by_costs, by_sales * by_sales, *sums))
    whole_months, lost = np.zeros(cash.shape, np.uint16), np.zeros_like(cash)
    for digit in reversed(range(digits)):
        by_costs, by_sales, sum_costs, sum_sales = spans[digit]
        total = costs * sum_costs
        total -= sales * sum_sales
        total += lost
        later_costs, later_sales = costs * by_costs, sales * by_sales
        lasts = (total <= cash) & (worsens | (later_costs > later_sales))
        whole_months |= lasts.astype(np.uint16) << digit
        lost = np.where(lasts, total, lost)
        costs = np.where(lasts, later_costs, costs)
        sales = np.where(lasts, later_sales, sales)
    months = whole_months.astype(np.float64)
    loss = costs - sales
    gone = (loss > 0) & (loss < math.inf) & (lost + loss >= cash)
    # The last month counts in part: what was left before it, over what it loses.
    found = np.where(gone, months + (cash - lost) / np.where(gone, loss, 1.0), math.nan)
    # Losses that come within rounding of the cash are added up month by month.
    safely = cash * (1 - 1e-9)
    lasting = ~worsens & (costs * dearer <= sales * richer) & (lost + loss < safely)
    if 2**digits > LONGEST_RUNWAY:
        lasting |= (months == 2**digits - 1) & (lost < safely)
    # Where a month of all 600 may be beyond any float, only these months themselves can tell.
    tame = np.maximum(np.maximum(volume, price), cost) < _TAME_SIZE
    tame &= np.maximum(np.maximum(growth, falling), saving) < _TAME_CHANGE
    endless = lasting | (found >= LONGEST_RUNWAY)
    return np.where(endless, np.where(tame, math.inf, math.nan), found)


def _until_gone(
    longest: float, cash: NDArray[np.float64], loss: NDArray[np.float64]
) -> NDArray[np.float64]:
    lost = np.cumsum(loss, axis=-1)
    gone = (lost >= cash) & (loss > 0)
    first = np.argmax(gone, axis=-1, keepdims=True)
    last = np.take_along_axis(loss, first, axis=-1)
    # The last month counts in part: what was left before it, over what it loses.
    before = np.take_along_axis(lost, first, axis=-1) - last
    # A first month that loses nothing is no end; what stands for its months is not used.
    months = first + (cash - before) / np.where(last > 0, last, 1.0)
    ends = np.any(gone, axis=-1, keepdims=True)
    months = np.where(~ends | (months >= longest), math.inf, months)
    # A month beyond any float is none of those before the end.
    unknown = (~ends & np.isnan(lost[..., -1:])) | np.isnan(cash)
    return np.where(unknown, math.nan, months)


def _monthly(
    months_passed: NDArray[np.float64],
    tokens_per_day: Any,
    price: Any,
    breakeven: Any,
    volume_growth: Any,
    price_change: Any,
    cost_change: Any,
) -> tuple[NDArray[np.float64], ...]:
    """Return volume, price, cost and loss of each month; yearly rates applied monthly."""
    years = months_passed / 12
    volume = tokens_per_day * (1 + volume_growth) ** years
    price = price * (1 + price_change) ** years
    cost = breakeven * (1 + cost_change) ** years
    return volume, price, cost, volume / 1e6 * (cost - price) * DAYS_PER_MONTH


@single(**_PATH_DOMAINS, months=whole(1, 1200))
def subsidy_path(
    cash: Scalar,
    tokens_per_day: Scalar,
    price: Scalar,
    breakeven: Scalar,
    volume_growth: Scalar = 0.0,
    price_change: Scalar = 0.0,
    cost_change: Scalar = 0.0,
    months: Scalar = 36.0,
) -> Table:
    """Month by month: volume, price, cost, loss and the cash that is left.

    Parameters
    ----------
    cash : Scalar
        Cash at the start [USD].
    tokens_per_day : Scalar
        Tokens sold a day in the first month, in single tokens [1/day].
    price : Scalar
        Price of a million tokens in the first month [USD/Mtok].
    breakeven : Scalar
        What a million tokens cost in the first month [USD/Mtok].
    volume_growth : Scalar
        Yearly change of the volume, 0.5 for half as much again [-].
    price_change : Scalar
        Yearly change of the price, -0.5 for halving [-].
    cost_change : Scalar
        Yearly change of the cost, -0.3 for 30 % cheaper [-].
    months : Scalar
        Months shown, 1 to 1,200 [month].

    Returns
    -------
    Table
        month, tokens/day, price, breakeven, loss and cash at the end of each month
        [month, 1/day, USD/Mtok, USD/Mtok, USD, USD].

    Notes
    -----
    Equation: as in TOK_RUNWAY; the cash may go below 0.
    Range: yearly changes of -1 or more.
    Source: cash-runway convention.

    Examples
    --------
    >>> subsidy_path(305e6, 10e9, 0.0, 3.0, months=2).column("loss").tolist()
    [912500.0, 912500.0]
    """
    passed = steps(months)
    volume, prices, costs, loss = _monthly(
        passed, tokens_per_day, price, breakeven, volume_growth, price_change, cost_change
    )
    return Table(
        ("month", "tokens/day", "price", "breakeven", "loss", "cash at the end"),
        (passed + 1, volume, prices, costs, loss, cash - np.cumsum(loss)),
    )
