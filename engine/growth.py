"""Growth: how a quantity rises month by month, and when cost meets price."""

from __future__ import annotations

import math

import numpy as np

from engine.domains import Domain
from engine.elementwise import (
    Number,
    above,
    any_real,
    at_least,
    elementwise,
    raised,
    smaller,
)

__all__ = ["amortised_training", "parity_months", "ramp", "scurve"]


@elementwise(
    start=at_least(0),
    annual_growth=at_least(-1),
    month=at_least(0),
    # Infinity is how an array says that one of its elements has no limit.
    limit=Domain(0.0, math.inf, "0 or more"),
)
def ramp(
    start: Number, annual_growth: Number, month: Number, limit: Number | None = None
) -> Number:
    """Quantity that grows at a yearly rate, at most up to a limit.

    Parameters
    ----------
    start : Number
        Quantity at the start [any unit].
    annual_growth : Number
        Growth a year, 1 for doubling, -0.2 for a fall by 20 % [-].
    month : Number
        Months since the start; the first column of a plan is 0 [month].
    limit : Number
        What the quantity never exceeds; left out, there is no limit [any unit].

    Returns
    -------
    Number
        Quantity in that month, in the unit of start [any unit].

    Notes
    -----
    Equation: ``min(start · (1 + annual_growth)^(month/12), limit)``.
    Range: growth of -1 or more.
    Source: compound growth, the yearly rate applied monthly.

    Examples
    --------
    >>> ramp(100.0, 1.0, 12.0), ramp(100.0, 1.0, 24.0, 300.0)
    (200.0, 300.0)
    """
    grown = start * raised(1 + annual_growth, month / 12)
    return grown if limit is None else smaller(grown, limit)


@elementwise(limit=at_least(0), month=any_real(), midpoint=any_real(), rise_months=above(0))
def scurve(limit: Number, month: Number, midpoint: Number, rise_months: Number) -> Number:
    """Quantity that rises along an S-curve to a limit.

    Parameters
    ----------
    limit : Number
        What the quantity tends to [any unit].
    month : Number
        Months since the start; the first column of a plan is 0 [month].
    midpoint : Number
        Month in which half of the limit is reached [month].
    rise_months : Number
        Months from 10 % to 90 % of the limit [month].

    Returns
    -------
    Number
        Quantity in that month, in the unit of limit [any unit].

    Notes
    -----
    Equation: ``limit / (1 + exp(−k·(month − midpoint)))`` with ``k = 2·ln 9 / rise_months``.
    Range: never quite 0 at the start; half of the limit at the midpoint.
    Source: logistic diffusion, Griliches 1957, "Hybrid Corn", Econometrica 25.

    Examples
    --------
    >>> scurve(1000.0, 12.0, 12.0, 18.0), round(scurve(1000.0, 21.0, 12.0, 18.0), 9)
    (500.0, 900.0)
    """
    steps = 2 * math.log(9) / rise_months * (month - midpoint)
    # The exponential of what is never positive does not overflow.
    small = np.exp(-np.abs(steps))
    quantity: Number = limit * np.where(steps >= 0, 1.0, small) / (1 + small)
    return quantity


@elementwise(
    never="at these changes the cost never falls to the price",
    price=above(0),
    breakeven=at_least(0),
    price_change=above(-1),
    cost_change=above(-1),
)
def parity_months(
    price: Number, breakeven: Number, price_change: Number = 0.0, cost_change: Number = 0.0
) -> Number:
    """Months until the cost of a token has fallen to its price.

    Parameters
    ----------
    price : Number
        Price of a million tokens today [USD/Mtok].
    breakeven : Number
        What a million tokens cost today [USD/Mtok].
    price_change : Number
        Yearly change of the price, -0.5 for halving; above -1 [-].
    cost_change : Number
        Yearly change of the cost, -0.3 for 30 % cheaper; above -1 [-].

    Returns
    -------
    Number
        Months; 0 where the cost is at the price already, infinite where it never gets there
        [month].

    Notes
    -----
    Equation: ``12 · ln(breakeven/price) / ln((1 + price_change)/(1 + cost_change))``.
    Range: the cost must fall faster than the price.
    Source: compound change solved for the time; set it against TOK_RUNWAY.

    Examples
    --------
    >>> round(parity_months(0.88, 3.0, -0.1, -0.5), 2)
    25.04
    """
    # A cost at the price has no way to go, and its logarithm may be that of 0.
    gap = np.log(np.maximum(breakeven / price, 1.0))
    closing = np.log1p(price_change) - np.log1p(cost_change)
    way = np.where(closing > 0, closing, 1.0)
    # Changes that are all but the same take longer than a number can tell.
    with np.errstate(over="ignore"):
        needed = 12 * gap / way
    months: Number = np.where((gap > 0) & ~(closing > 0), math.inf + 0 * closing, needed)
    return months


@elementwise(training_usd=at_least(0), lifetime_mtok=above(0))
def amortised_training(training_usd: Number, lifetime_mtok: Number) -> Number:
    """Cost of training that each million tokens of a model's life carries.

    Parameters
    ----------
    training_usd : Number
        Cost of training, as TOK_TRAINING_COST gives it, with research and failed runs [USD].
    lifetime_mtok : Number
        Tokens that the model will have served when it is replaced, in millions [Mtok].

    Returns
    -------
    Number
        Cost of training per million tokens [USD/Mtok].

    Notes
    -----
    Equation: ``training_usd / lifetime_mtok``.
    Range: lifetime_mtok above 0; an average over the life, not a cost of the next token.
    Source: units-of-production method of depreciation.

    Examples
    --------
    >>> amortised_training(100e6, 250e6)
    0.4
    """
    return training_usd / lifetime_mtok
