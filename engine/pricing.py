"""Price and breakeven: what a million tokens must sell for, and who sells below that."""

from __future__ import annotations

import numpy as np

from engine.elementwise import (
    SAME,
    Number,
    above,
    at_least,
    elementwise,
    fraction,
    holds,
    positive,
    positive_fraction,
    proper_fraction,
)
from engine.tokens import million_cost

__all__ = [
    "blended_price",
    "breakeven_price",
    "breakeven_utilisation",
    "breakeven_volume",
    "subsidy_per_mtok",
    "verdict",
]

#: What `verdict` answers, from loss to profit.
VERDICTS = ("below cost", "near breakeven", "above breakeven")


@elementwise(
    usd_per_gpu_hour=at_least(0),
    tokens_per_second=above(0),
    utilisation=positive_fraction(),
    gpus=above(0),
    margin=proper_fraction(),
)
def breakeven_price(
    usd_per_gpu_hour: Number,
    tokens_per_second: Number,
    utilisation: Number = 1.0,
    gpus: Number = 1.0,
    margin: Number = 0.0,
) -> Number:
    """Price of a million tokens that covers their cost and leaves a margin.

    Parameters
    ----------
    usd_per_gpu_hour : Number
        Price of one accelerator for one hour [USD/h].
    tokens_per_second : Number
        Tokens that are sold at that price, given by all the accelerators together while busy;
        where input is sold too, input and output [1/s].
    utilisation : Number
        Share of the paid time in which they are busy, above 0 [-].
    gpus : Number
        Accelerators that together give this throughput [-].
    margin : Number
        Gross margin to be left, as a share of the price, below 1 [-].

    Returns
    -------
    Number
        Breakeven price [USD/Mtok].

    Notes
    -----
    Equation: ``cost_per_mtok / (1 − margin)``.
    Range: margin 0 or more and below 1.
    Source: definition of gross margin.

    Examples
    --------
    >>> round(breakeven_price(2.0, 1000.0, 0.5, 1.0, 0.5), 4)
    2.2222
    """
    return million_cost(usd_per_gpu_hour, tokens_per_second, utilisation, gpus) / (1 - margin)


@elementwise(
    price=above(0), usd_per_gpu_hour=at_least(0), tokens_per_second=above(0), gpus=above(0)
)
def breakeven_utilisation(
    price: Number, usd_per_gpu_hour: Number, tokens_per_second: Number, gpus: Number = 1.0
) -> Number:
    """Utilisation at which a price just covers the accelerators.

    Parameters
    ----------
    price : Number
        Price of a million tokens [USD/Mtok].
    usd_per_gpu_hour : Number
        Price of one accelerator for one hour [USD/h].
    tokens_per_second : Number
        Tokens that are sold at that price, given by all the accelerators together while busy;
        where input is sold too, input and output [1/s].
    gpus : Number
        Accelerators that together give this throughput [-].

    Returns
    -------
    Number
        Utilisation needed; above 1 says that no utilisation suffices [-].

    Notes
    -----
    Equation: ``1e6 · usd_per_gpu_hour · gpus / (3600 · tokens_per_second · price)``.
    Range: price above 0.
    Source: cost per million tokens solved for the utilisation.

    Examples
    --------
    >>> round(breakeven_utilisation(0.88, 2.0, 1000.0), 4)
    0.6313
    """
    return million_cost(usd_per_gpu_hour, tokens_per_second, 1.0, gpus) / price


@elementwise(fixed_usd=at_least(0), price=at_least(0), variable_cost=at_least(0))
def breakeven_volume(fixed_usd: Number, price: Number, variable_cost: Number = 0.0) -> Number:
    """Volume over which a fixed cost is earned back.

    Parameters
    ----------
    fixed_usd : Number
        Cost that does not depend on the volume [USD].
    price : Number
        Price of a million tokens, above the variable cost [USD/Mtok].
    variable_cost : Number
        Cost that each million tokens adds [USD/Mtok].

    Returns
    -------
    Number
        Tokens to be sold, in millions [Mtok].

    Notes
    -----
    Equation: ``fixed_usd / (price − variable_cost)``.
    Range: price above variable_cost; at or below it no volume breaks even.
    Source: cost-volume-profit analysis.

    Examples
    --------
    >>> breakeven_volume(1e6, 0.75, 0.25)
    2000000.0
    """
    contribution = positive(
        price - variable_cost, "price must exceed variable_cost: no volume breaks even below it"
    )
    return fixed_usd / contribution


@elementwise(
    input_price=at_least(0),
    output_price=at_least(0),
    input_tokens=at_least(0),
    output_tokens=at_least(0),
    cache_hit=fraction(),
    cached_price=at_least(0, same_as="input_price"),
)
def blended_price(
    input_price: Number,
    output_price: Number,
    input_tokens: Number,
    output_tokens: Number,
    cache_hit: Number = 0.0,
    cached_price: Number = SAME,
) -> Number:
    """Price of a million tokens over input, cached input and output together.

    Parameters
    ----------
    input_price : Number
        Price of a million input tokens [USD/Mtok].
    output_price : Number
        Price of a million output tokens [USD/Mtok].
    input_tokens : Number
        Input tokens of a request, or of any period [-].
    output_tokens : Number
        Output tokens of the same request or period [-].
    cache_hit : Number
        Share of the input tokens that the prompt cache serves [-].
    cached_price : Number
        Price of a million cached input tokens; input_price where left out [USD/Mtok].

    Returns
    -------
    Number
        Average price over all tokens [USD/Mtok].

    Notes
    -----
    Equation: ``(in·((1 − hit)·input_price + hit·cached_price) + out·output_price) / (in + out)``.
    Range: at least one token.
    Source: weighted mean.

    Examples
    --------
    >>> blended_price(0.5, 1.5, 3000.0, 1000.0)
    0.75
    """
    tokens = positive(input_tokens + output_tokens, "input_tokens and output_tokens are both 0")
    input_average = (1 - cache_hit) * input_price + cache_hit * cached_price
    return (input_tokens * input_average + output_tokens * output_price) / tokens


@elementwise(price=at_least(0), breakeven=at_least(0))
def subsidy_per_mtok(price: Number, breakeven: Number) -> Number:
    """Loss on each million tokens sold.

    Parameters
    ----------
    price : Number
        Price of a million tokens [USD/Mtok].
    breakeven : Number
        What a million tokens cost [USD/Mtok].

    Returns
    -------
    Number
        Loss on a million tokens; negative is profit [USD/Mtok].

    Notes
    -----
    Equation: ``breakeven − price``.
    Range: any prices of 0 or more.
    Source: definition.

    Examples
    --------
    >>> round(subsidy_per_mtok(0.88, 3.0), 2)
    2.12
    """
    return breakeven - price


@elementwise(price=at_least(0), breakeven_low=at_least(0), breakeven_high=at_least(0))
def verdict(price: Number, breakeven_low: Number, breakeven_high: Number) -> str:
    """Place of a price against a breakeven range.

    Parameters
    ----------
    price : Number
        Price of a million tokens [USD/Mtok].
    breakeven_low : Number
        Lowest estimate of the breakeven price [USD/Mtok].
    breakeven_high : Number
        Highest estimate of the breakeven price, not below the lowest [USD/Mtok].

    Returns
    -------
    str
        "below cost", "near breakeven" or "above breakeven" [text].

    Notes
    -----
    Equation: below where price < low, above where price > high; the bounds belong to near.
    Range: breakeven_low at most breakeven_high.
    Source: definition.

    Examples
    --------
    >>> verdict(0.88, 3.0, 5.0)
    'below cost'
    """
    low = holds(
        breakeven_low <= breakeven_high,
        breakeven_low,
        "breakeven_low must not exceed breakeven_high",
    )
    below, near, above_it = VERDICTS
    # A NaN fails every comparison and keeps the default, which hosts show as #NUM!.
    result = np.select(
        [
            price < low,
            (price > breakeven_high) & (low <= breakeven_high),
            (price >= low) & (price <= breakeven_high),
        ],
        [
            np.array(below, dtype=object),
            np.array(above_it, dtype=object),
            np.array(near, dtype=object),
        ],
        default=np.array(np.nan, dtype=object),
    )
    return str(result) if result.ndim == 0 else result  # type: ignore[return-value]
