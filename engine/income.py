"""Revenue: what requests and tiers bring in, the margin that is left, and when to serve oneself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.elementwise import (
    SAME,
    Number,
    Series,
    above,
    at_least,
    by_element,
    elementwise,
    fraction,
    holds,
    positive_fraction,
)
from engine.errors import DomainError, InputError
from engine.ids import match

__all__ = [
    "cost_per_accepted",
    "gross_margin",
    "revenue",
    "self_host_volume",
    "tiered_charge",
]

#: A month of operations: a twelfth of 8,760 hours.
HOURS_PER_MONTH = 730.0
#: How a price list with tiers may be read.
MODES = ("graduated", "volume")


@elementwise(
    requests=at_least(0),
    input_tokens=at_least(0),
    output_tokens=at_least(0),
    input_price=at_least(0),
    output_price=at_least(0),
    cache_hit=fraction(),
    cached_price=at_least(0, same_as="input_price"),
    batch_share=fraction(),
    batch_discount=fraction(),
)
def revenue(
    requests: Number,
    input_tokens: Number,
    output_tokens: Number,
    input_price: Number,
    output_price: Number,
    cache_hit: Number = 0.0,
    cached_price: Number = SAME,
    batch_share: Number = 0.0,
    batch_discount: Number = 0.0,
) -> Number:
    """Revenue of requests at a price list with input, cached input, output and batch.

    Parameters
    ----------
    requests : Number
        Requests of a period [-].
    input_tokens : Number
        Input tokens of a request [-].
    output_tokens : Number
        Output tokens of a request [-].
    input_price : Number
        Price of a million input tokens [USD/Mtok].
    output_price : Number
        Price of a million output tokens [USD/Mtok].
    cache_hit : Number
        Share of the input tokens that the prompt cache serves [-].
    cached_price : Number
        Price of a million cached input tokens; input_price where left out [USD/Mtok].
    batch_share : Number
        Share of the requests sent as a batch [-].
    batch_discount : Number
        Discount on those, 0.5 for half the price [-].

    Returns
    -------
    Number
        Revenue of the period; for a buyer, the bill [USD].

    Notes
    -----
    Equation: ``requests·(in·((1 − hit)·input_price + hit·cached_price) + out·output_price)/1e6 ·
    (1 − batch_share·batch_discount)``.
    Range: batch requests are like the others in tokens and cache hits.
    Source: price lists by token; OpenAI and Anthropic sell batches at half the price.

    Examples
    --------
    >>> revenue(1e6, 2000.0, 500.0, 0.5, 1.5, 0.4, 0.1, 0.2, 0.5)
    1287.0
    """
    read_price = (1 - cache_hit) * input_price + cache_hit * cached_price
    request_usd = (input_tokens * read_price + output_tokens * output_price) / 1e6
    return requests * request_usd * (1 - batch_share * batch_discount)


@elementwise(volume=at_least(0), tier_from=at_least(0), tier_price=at_least(0))
def tiered_charge(
    volume: Number, tier_from: Series, tier_price: Series, mode: str = "graduated"
) -> Number:
    """Charge for a volume at a price list with tiers.

    Parameters
    ----------
    volume : Number
        Tokens of the period, in millions [Mtok].
    tier_from : Series
        Volume from which each tier holds, ascending, the first 0 [Mtok].
    tier_price : Series
        Price of a million tokens in each tier [USD/Mtok].
    mode : str
        "graduated" prices each slice at its own tier, "volume" everything at the tier reached
        [text].

    Returns
    -------
    Number
        Charge of the period [USD].

    Notes
    -----
    Equation: graduated ``Σ price_i · (min(volume, from_{i+1}) − from_i)`` over the tiers reached;
    volume ``price_k · volume`` with the last k whose from_k is at most the volume.
    Range: a boundary belongs to the upper tier; with falling prices a volume charge may fall at it.
    Source: graduated and volume pricing as in Stripe Billing and AWS price lists.

    Examples
    --------
    >>> tiered_charge(150.0, [0.0, 100.0], [2.0, 1.0]), tiered_charge(150.0, [0.0, 100.0],
    ...     [2.0, 1.0], "volume")
    (250.0, 150.0)
    """
    if tier_from.size != tier_price.size:
        raise InputError(
            f"tier_price holds {tier_price.size} values, tier_from {tier_from.size}; "
            "there must be one for each tier"
        )
    # The tier before each one: its end, and its price.
    below = np.concatenate(([0.0], tier_from[:-1]))
    lower = np.concatenate(([0.0], tier_price[:-1]))
    if tier_from[0] != 0 or np.count_nonzero(tier_from <= below) > 1:
        raise DomainError(f"tier_from is {tier_from.tolist()}; it must ascend from 0")
    wanted = match("mode", mode, MODES)
    filled = np.cumsum((tier_from - below) * lower)

    def charge(volume: NDArray[np.float64]) -> NDArray[np.float64]:
        sold = volume[..., 0]
        reached = np.searchsorted(tier_from, sold, side="right") - 1
        price = np.take(tier_price, reached)
        if wanted == "volume":
            return price * sold
        return np.take(filled, reached) + (sold - np.take(tier_from, reached)) * price

    return by_element(charge, volume)


@elementwise(price=above(0), cost=at_least(0))
def gross_margin(price: Number, cost: Number) -> Number:
    """Gross margin as a share of the price.

    Parameters
    ----------
    price : Number
        Price of a million tokens, or revenue; above 0 [USD/Mtok].
    cost : Number
        Cost of the same, in the same unit [USD/Mtok].

    Returns
    -------
    Number
        Share of the price that is left; negative is a loss [-].

    Notes
    -----
    Equation: ``(price − cost) / price``.
    Range: price above 0.
    Source: definition.

    Examples
    --------
    >>> gross_margin(2.0, 0.5)
    0.75
    """
    return (price - cost) / price


@elementwise(cost=at_least(0), accepted_share=positive_fraction(), review_cost=at_least(0))
def cost_per_accepted(cost: Number, accepted_share: Number, review_cost: Number = 0.0) -> Number:
    """Cost of an answer that is accepted, the refused ones included.

    Parameters
    ----------
    cost : Number
        Cost of one answer [USD].
    accepted_share : Number
        Share of the answers that are accepted, above 0 [-].
    review_cost : Number
        Cost of looking at one answer, accepted or not [USD].

    Returns
    -------
    Number
        Cost of one accepted answer [USD].

    Notes
    -----
    Equation: ``(cost + review_cost) / accepted_share``.
    Range: accepted_share above 0 and at most 1; refused answers are asked again until accepted.
    Source: expected number of trials of a geometric distribution, 1/accepted_share.

    Examples
    --------
    >>> cost_per_accepted(0.02, 0.8, 0.1)
    0.15
    """
    return (cost + review_cost) / accepted_share


@elementwise(
    api_price=above(0),
    usd_per_gpu_hour=at_least(0),
    tokens_per_second=above(0),
    gpus=above(0),
    fixed_per_month=at_least(0),
)
def self_host_volume(
    api_price: Number,
    usd_per_gpu_hour: Number,
    tokens_per_second: Number,
    gpus: Number = 1.0,
    fixed_per_month: Number = 0.0,
) -> Number:
    """Volume a month from which GPUs that run all month are cheaper than an API.

    Parameters
    ----------
    api_price : Number
        Price of a million tokens at the API, over the tokens that tokens_per_second counts
        [USD/Mtok].
    usd_per_gpu_hour : Number
        Price of one GPU for one hour [USD/h].
    tokens_per_second : Number
        Tokens that all the GPUs together give while busy [1/s].
    gpus : Number
        GPUs that together give this throughput [-].
    fixed_per_month : Number
        Cost a month beside the GPUs: people, network, licences [USD/month].

    Returns
    -------
    Number
        Tokens a month, in millions [Mtok].

    Notes
    -----
    Equation: ``(730·usd_per_gpu_hour·gpus + fixed_per_month) / api_price``.
    Range: at most what the GPUs serve in 730 h, ``tokens_per_second·730·3600/1e6``; beyond it they
    never beat the API.
    Source: cost-volume-profit analysis; a month is a twelfth of 8,760 h.

    Examples
    --------
    >>> self_host_volume(0.8, 2.0, 1000.0)
    1825.0
    """
    volume = (HOURS_PER_MONTH * usd_per_gpu_hour * gpus + fixed_per_month) / api_price
    most = tokens_per_second * HOURS_PER_MONTH * 3600 / 1e6
    return holds(
        volume <= most * (1 + 1e-12),
        volume,
        "the GPUs cannot serve in a month the volume at which they would beat the API",
    )
