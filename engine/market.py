"""Market volume: the tokens a market implies, how it grows, and how demand answers to price."""

from __future__ import annotations

import numpy as np

from engine.elementwise import (
    Number,
    Scalar,
    above,
    any_real,
    at_least,
    elementwise,
    single,
    steps,
    whole,
)
from engine.tables import Table

__all__ = [
    "annualised",
    "cagr",
    "demand",
    "market_path",
    "market_size",
    "market_volume",
    "volume_multiple",
]


@elementwise(market_usd=at_least(0), price=above(0), days=above(0))
def market_volume(market_usd: Number, price: Number, days: Number = 365.0) -> Number:
    """Tokens a day that a yearly market implies.

    Parameters
    ----------
    market_usd : Number
        Size of the market in a year [USD].
    price : Number
        Average price of a million tokens [USD/Mtok].
    days : Number
        Days of the year [day].

    Returns
    -------
    Number
        Volume, in single tokens [1/day].

    Notes
    -----
    Equation: ``market_usd / price · 1e6 / days``.
    Range: price and days above 0.
    Source: identity; the factor 1e6 is where hand calculation slips.

    Examples
    --------
    >>> f"{market_volume(8.5e9, 2.5):.3e}"
    '9.315e+12'
    """
    return market_usd / price * 1e6 / days


@elementwise(tokens_per_day=at_least(0), price=at_least(0), days=at_least(0))
def market_size(tokens_per_day: Number, price: Number, days: Number = 365.0) -> Number:
    """Yearly market that a daily volume implies.

    Parameters
    ----------
    tokens_per_day : Number
        Tokens sold a day, in single tokens [1/day].
    price : Number
        Average price of a million tokens [USD/Mtok].
    days : Number
        Days of the year [day].

    Returns
    -------
    Number
        Size of the market in a year [USD].

    Notes
    -----
    Equation: ``tokens_per_day / 1e6 · price · days``, the inverse of TOK_MARKET_VOLUME.
    Range: volume and price of 0 or more.
    Source: identity.

    Examples
    --------
    >>> market_size(1e12, 2.5)
    912500000.0
    """
    return tokens_per_day / 1e6 * price * days


@elementwise(first=above(0), last=at_least(0), years=above(0))
def cagr(first: Number, last: Number, years: Number) -> Number:
    """Compound annual growth rate between two values.

    Parameters
    ----------
    first : Number
        Value at the start, above 0 [any unit].
    last : Number
        Value at the end, in the same unit [any unit].
    years : Number
        Years between the two [year].

    Returns
    -------
    Number
        Growth a year, 0.41 for 41 % [-].

    Notes
    -----
    Equation: ``(last / first)^(1/years) − 1``.
    Range: first and years above 0.
    Source: definition.

    Examples
    --------
    >>> round(cagr(55.0, 110.0, 2.0), 4)
    0.4142
    """
    return (last / first) ** (1 / years) - 1


@elementwise(change=at_least(-1), months=above(0))
def annualised(change: Number, months: Number) -> Number:
    """Change a year that a change over some months amounts to.

    Parameters
    ----------
    change : Number
        Change over the months, -0.9 for a fall by 90 % [-].
    months : Number
        Months it took [month].

    Returns
    -------
    Number
        Change a year at the same pace [-].

    Notes
    -----
    Equation: ``(1 + change)^(12/months) − 1``.
    Range: change of -1 or more.
    Source: definition of compound change.

    Examples
    --------
    >>> round(annualised(-0.9, 18.0), 3)
    -0.785
    """
    return (1 + change) ** (12 / months) - 1


@elementwise(revenue_growth=at_least(-1), price_change=above(-1))
def volume_multiple(revenue_growth: Number, price_change: Number) -> Number:
    """How many times the volume must rise for revenue to grow while the price changes.

    Parameters
    ----------
    revenue_growth : Number
        Growth of the revenue, 1 for doubling [-].
    price_change : Number
        Change of the price over the same time, -0.5 for halving; above -1 [-].

    Returns
    -------
    Number
        Volume after over volume before [-].

    Notes
    -----
    Equation: ``(1 + revenue_growth) / (1 + price_change)``.
    Range: price_change above -1.
    Source: revenue = price · volume.

    Examples
    --------
    >>> volume_multiple(1.0, -0.5)
    4.0
    """
    return (1 + revenue_growth) / (1 + price_change)


@elementwise(price=above(0), base_price=above(0), base_volume=at_least(0), elasticity=any_real())
def demand(price: Number, base_price: Number, base_volume: Number, elasticity: Number) -> Number:
    """Volume that the market takes at a price, at constant elasticity.

    Parameters
    ----------
    price : Number
        Price asked [USD/Mtok].
    base_price : Number
        Price at which the volume is known [USD/Mtok].
    base_volume : Number
        Volume at that price [1/day].
    elasticity : Number
        Price elasticity of demand, -1.5 for 1.5 % more volume at a 1 % lower price [-].

    Returns
    -------
    Number
        Volume at the price asked, in the unit of base_volume [1/day].

    Notes
    -----
    Equation: ``base_volume · (price / base_price)^elasticity``.
    Range: prices above 0.
    Source: isoelastic demand.

    Examples
    --------
    >>> demand(0.5, 1.0, 100.0, -1.0)
    200.0
    """
    return base_volume * (price / base_price) ** elasticity


@single(
    market_usd=at_least(0),
    price=above(0),
    market_growth=at_least(-1),
    price_change=above(-1),
    years=whole(0, 100),
    price_floor=at_least(0),
)
def market_path(
    market_usd: Scalar,
    price: Scalar,
    market_growth: Scalar,
    price_change: Scalar,
    years: Scalar = 5.0,
    price_floor: Scalar = 0.0,
) -> Table:
    """Year by year: market, price and the tokens a day that they imply.

    Parameters
    ----------
    market_usd : Scalar
        Size of the market in year 0 [USD].
    price : Scalar
        Average price of a million tokens in year 0 [USD/Mtok].
    market_growth : Scalar
        Growth of the market a year, 1 for doubling [-].
    price_change : Scalar
        Change of the price a year, -0.5 for halving; above -1 [-].
    years : Scalar
        Years shown after year 0, 0 to 100 [year].
    price_floor : Scalar
        Price that is not undercut from year 1 on, such as electricity and hardware alone
        [USD/Mtok].

    Returns
    -------
    Table
        year, market, price and tokens/day of each year [year, USD, USD/Mtok, 1/day].

    Notes
    -----
    Equation: ``price_y = max(price · (1 + price_change)^y, price_floor)`` from year 1 on,
    ``volume_y = market_y / price_y · 1e6 / 365``.
    Range: price above 0; year 0 is what was given, even where it lies below the floor.
    Source: compound growth; identity of TOK_MARKET_VOLUME.

    Examples
    --------
    >>> market_path(8.5e9, 2.5, 1.0, -0.5, 2).column("price").tolist()
    [2.5, 1.25, 0.625]
    """
    year = steps(years + 1)
    market = market_usd * (1 + market_growth) ** year
    falling = price * (1 + price_change) ** year
    prices = np.where(year > 0, np.maximum(falling, price_floor), price)
    return Table(
        ("year", "market USD", "price", "tokens/day"),
        (year, market, prices, market_volume(market, prices)),  # type: ignore[arg-type]
    )
