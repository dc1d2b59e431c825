"""Fleet: from requests to GPUs, what they cost whether used or not, and what they can serve."""

from __future__ import annotations

import numpy as np

from engine.elementwise import (
    Number,
    Series,
    above,
    at_least,
    between,
    elementwise,
    fraction,
    holds,
    larger,
    one_or_alike,
    positive_fraction,
    single,
    whole,
)

__all__ = [
    "fleet",
    "fleet_cost",
    "peak_rate",
    "site_tokens",
    "spot_cost",
    "tokens_served",
    "utilisation",
]

SECONDS_PER_DAY = 86400.0
# Replicas are counted as computed in floating point: 10 tenths are 1.0000000000000002 replicas.
_NO_REPLICA = 1e-9


@elementwise(requests_per_day=at_least(0), tokens_per_request=at_least(0), peak_to_mean=at_least(1))
def peak_rate(
    requests_per_day: Number, tokens_per_request: Number, peak_to_mean: Number = 1.0
) -> Number:
    """Tokens a second that a fleet must serve at the peak of the day.

    Parameters
    ----------
    requests_per_day : Number
        Requests on an average day [1/day].
    tokens_per_request : Number
        Tokens of a request, of the kind that the throughput beside it counts: TOK_THROUGHPUT
        counts output tokens [-].
    peak_to_mean : Number
        Busiest second over the day's mean, 1 or more; 2 to 4 is usual for people at work [-].

    Returns
    -------
    Number
        Tokens a second at the peak [1/s].

    Notes
    -----
    Equation: ``requests_per_day · tokens_per_request · peak_to_mean / 86400``.
    Range: peak_to_mean of 1 or more.
    Source: identity; a day has 86,400 s.

    Examples
    --------
    >>> peak_rate(864000.0, 500.0, 3.0)
    15000.0
    """
    return requests_per_day * tokens_per_request * peak_to_mean / SECONDS_PER_DAY


@elementwise(
    peak_tokens_per_second=at_least(0),
    replica_tokens_per_second=above(0),
    gpus_per_replica=whole(1),
    headroom=fraction(),
    spare_replicas=whole(0),
)
def fleet(
    peak_tokens_per_second: Number,
    replica_tokens_per_second: Number,
    gpus_per_replica: Number = 1.0,
    headroom: Number = 0.0,
    spare_replicas: Number = 0.0,
) -> Number:
    """GPUs that serve a peak, in whole replicas.

    Parameters
    ----------
    peak_tokens_per_second : Number
        Tokens a second at the peak, as TOK_PEAK_RATE gives them [1/s].
    replica_tokens_per_second : Number
        Tokens a second of one whole replica, of the same kind: TOK_THROUGHPUT times the GPUs of
        the replica [1/s].
    gpus_per_replica : Number
        GPUs of one replica, a whole number [-].
    headroom : Number
        Share of the peak kept in reserve, 0.2 for 20 % [-].
    spare_replicas : Number
        Whole replicas that stand by for failures [-].

    Returns
    -------
    Number
        GPUs [-].

    Notes
    -----
    Equation: ``(⌈peak·(1 + headroom)/replica⌉ + spare_replicas) · gpus_per_replica``.
    Range: an excess below 1e-9 of a replica is not rounded up, since it comes from rounding.
    Source: capacity planning at the peak; the throughput must hold within the latency limit.

    Examples
    --------
    >>> fleet(15000.0, 2200.0, 2.0, 0.2, 1.0)
    20.0
    """
    exact = peak_tokens_per_second * (1 + headroom) / replica_tokens_per_second
    replicas = larger(_ceiling(exact - _NO_REPLICA), 0.0)
    return (replicas + spare_replicas) * gpus_per_replica


def _ceiling(value: Number) -> Number:
    # A whole number of floats beyond 2^53, and infinity, are their own ceiling.
    return float(np.ceil(value)) if isinstance(value, float) else np.ceil(value)


@single(
    gpus_needed=at_least(0),
    on_demand_usd=at_least(0),
    owned_gpus=at_least(0),
    owned_usd=at_least(0),
    committed_gpus=at_least(0),
    committed_usd=at_least(0),
    hours=at_least(0),
)
def fleet_cost(
    gpus_needed: Series,
    on_demand_usd: Series,
    owned_gpus: Series | float = 0.0,
    owned_usd: Series | float = 0.0,
    committed_gpus: Series | float = 0.0,
    committed_usd: Series | float = 0.0,
    hours: Series | float = 1.0,
) -> float:
    """Cost of a fleet over a range of periods: owned, committed, and on demand beyond them.

    Parameters
    ----------
    gpus_needed : Series
        GPUs needed in each period [-].
    on_demand_usd : Series
        Price of an hour on demand, one for all periods or one for each [USD/h].
    owned_gpus : Series
        GPUs owned, one for all periods or one for each; paid whether used or not [-].
    owned_usd : Series
        Cost of an hour of an owned GPU, as TOK_OWNED_GPU_HOUR gives it [USD/h].
    committed_gpus : Series
        GPUs under a commitment; paid whether used or not [-].
    committed_usd : Series
        Price of a committed hour [USD/h].
    hours : Series
        Hours of a period: 1 for a range of hours, 730 for one of months [h].

    Returns
    -------
    float
        Cost of all periods together [USD].

    Notes
    -----
    Equation: ``Σ hours·(owned_gpus·owned_usd + committed_gpus·committed_usd +
    max(gpus_needed − owned_gpus − committed_gpus, 0)·on_demand_usd)``.
    Range: a need that changes within a period is not seen; give a row for each hour to see it.
    Source: terms of savings plans and reservations, which commit by the hour.

    Examples
    --------
    >>> fleet_cost([8.0, 12.0, 20.0], 4.0, 4.0, 1.0, 6.0, 2.5, 730.0)
    76650.0
    """
    one_or_alike(
        *(gpus_needed, on_demand_usd, owned_gpus, owned_usd, committed_gpus, committed_usd, hours)
    )
    beyond = np.maximum(gpus_needed - owned_gpus - committed_gpus, 0.0)
    kept = owned_gpus * owned_usd + committed_gpus * committed_usd
    total: float = np.sum(hours * (kept + beyond * on_demand_usd), axis=-1)
    return total


@elementwise(tokens_per_day=at_least(0), tokens_per_second=above(0), replicas=above(0))
def utilisation(
    tokens_per_day: Number, tokens_per_second: Number, replicas: Number = 1.0
) -> Number:
    """Share of a fleet's day that a volume fills.

    Parameters
    ----------
    tokens_per_day : Number
        Tokens served a day, of the kind that tokens_per_second counts [1/day].
    tokens_per_second : Number
        Tokens a second of one replica while busy [1/s].
    replicas : Number
        Replicas of the fleet [-].

    Returns
    -------
    Number
        Share of the day; above 1 says that the volume does not fit [-].

    Notes
    -----
    Equation: ``tokens_per_day / (86400 · tokens_per_second · replicas)``.
    Range: a mean over the day; the peak is the matter of TOK_FLEET.
    Source: identity.

    Examples
    --------
    >>> utilisation(86.4e6, 1000.0, 2.0)
    0.5
    """
    return tokens_per_day / (SECONDS_PER_DAY * tokens_per_second * replicas)


@elementwise(
    tokens_per_second=at_least(0),
    replicas=at_least(0),
    utilisation=positive_fraction(),
    days=at_least(0),
)
def tokens_served(
    tokens_per_second: Number,
    replicas: Number = 1.0,
    utilisation: Number = 1.0,
    days: Number = 365.0,
) -> Number:
    """Tokens that a fleet serves over some days.

    Parameters
    ----------
    tokens_per_second : Number
        Tokens a second of one replica while busy [1/s].
    replicas : Number
        Replicas of the fleet [-].
    utilisation : Number
        Share of the time in which they are busy, above 0 [-].
    days : Number
        Days that are added up [day].

    Returns
    -------
    Number
        Tokens served, of the kind that tokens_per_second counts [Mtok].

    Notes
    -----
    Equation: ``tokens_per_second · replicas · utilisation · 86400 · days / 1e6``.
    Range: utilisation above 0 and at most 1.
    Source: identity.

    Examples
    --------
    >>> tokens_served(1000.0, 2.0, 0.5, 30.0)
    2592.0
    """
    return tokens_per_second * replicas * utilisation * SECONDS_PER_DAY * days / 1e6


@elementwise(spot_usd=at_least(0), interruptions_per_hour=at_least(0), hours_lost=at_least(0))
def spot_cost(spot_usd: Number, interruptions_per_hour: Number, hours_lost: Number) -> Number:
    """Cost of an hour of useful work on capacity that may be taken away.

    Parameters
    ----------
    spot_usd : Number
        Price of an hour on the spot market [USD/h].
    interruptions_per_hour : Number
        Interruptions in an hour paid, 0.05 for one in 20 hours [1/h].
    hours_lost : Number
        Work lost and time to start again at each interruption [h].

    Returns
    -------
    Number
        Cost of an hour of work that counts [USD/h].

    Notes
    -----
    Equation: ``spot_usd / (1 − interruptions_per_hour · hours_lost)``.
    Range: the product below 1; at 1 all work is lost.
    Source: expected share of the paid time that is lost, interruptions being independent.

    Examples
    --------
    >>> round(spot_cost(1.2, 0.05, 0.5), 4)
    1.2308
    """
    lost = interruptions_per_hour * hours_lost
    kept = holds(
        lost < 1,
        1 - lost,
        "interruptions_per_hour times hours_lost must be below 1: at 1 all work is lost",
    )
    return spot_usd / kept


@elementwise(
    site_mw=at_least(0),
    watts=above(0),
    tokens_per_second=at_least(0),
    pue=between(1, 3),
    utilisation=positive_fraction(),
)
def site_tokens(
    site_mw: Number,
    watts: Number,
    tokens_per_second: Number,
    pue: Number = 1.3,
    utilisation: Number = 1.0,
) -> Number:
    """Tokens a day of a site whose power connection is the limit.

    Parameters
    ----------
    site_mw : Number
        Power that the site may draw, cooling included [MW].
    watts : Number
        Power of one GPU with its share of the server; an H100 in a DGX draws 1,275 W [W].
    tokens_per_second : Number
        Tokens a second of that GPU while busy [1/s].
    pue : Number
        Power of the data centre over power of its computers, 1 to 3 [-].
    utilisation : Number
        Share of the time in which the GPUs are busy, above 0; their power is reserved all day [-].

    Returns
    -------
    Number
        Tokens a day, in single tokens [1/day].

    Notes
    -----
    Equation: ``site_mw·1e6 / (watts·pue) · tokens_per_second · utilisation · 86400``.
    Range: GPUs counted in fractions; at full utilisation the site's energy over
    TOK_ENERGY_PER_MTOK.
    Source: identity; server power from NVIDIA DGX H100 data sheet, 10.2 kW for 8 GPUs.

    Examples
    --------
    >>> f"{site_tokens(100.0, 1275.0, 1000.0):.3e}"
    '5.213e+12'
    """
    gpus = site_mw * 1e6 / (watts * pue)
    return gpus * tokens_per_second * utilisation * SECONDS_PER_DAY
