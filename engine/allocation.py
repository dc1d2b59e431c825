"""Allocation: the cheapest way to spread a demand over offers of capacity."""

from __future__ import annotations

import math

import numpy as np

from engine.elementwise import Column, Scalar, Series, at_least, single
from engine.errors import DomainError, InputError, TokenbookError

__all__ = ["allocate"]


@single(
    demand=at_least(0),
    capacity=at_least(0),
    unit_cost=at_least(0),
    latency=at_least(0),
    max_latency=at_least(0),
)
def allocate(
    demand: Scalar,
    capacity: Series,
    unit_cost: Series,
    latency: Series | None = None,
    max_latency: Scalar | None = None,
) -> Column:
    """Cheapest split of a demand over offers within their capacity and a limit of latency.

    Parameters
    ----------
    demand : Scalar
        What is needed, in the unit of capacity: GPU-hours, or Mtok a day [unit].
    capacity : Series
        What each offer can give: cloud, private, specialised [unit].
    unit_cost : Series
        Price of each offer for one unit [USD/unit].
    latency : Series
        Latency of each offer; needed where max_latency is given [s].
    max_latency : Scalar
        Longest latency allowed, in the unit of latency; slower offers are left out [s].

    Returns
    -------
    Column
        What each offer is to give, in the order of capacity [unit].

    Notes
    -----
    Equation: ``min Σ cost·x`` subject to ``Σ x = demand``, ``0 ≤ x ≤ capacity`` and ``x = 0``
    where ``latency > max_latency``.
    Range: demand at most the capacity of the offers that are fast enough.
    Source: linear program, solved by HiGHS (Huangfu, Hall 2018) through scipy.optimize.linprog.

    Examples
    --------
    >>> allocate(120.0, [100.0, 50.0, 40.0], [2.0, 1.0, 4.0]).tolist()
    [70.0, 50.0, 0.0]
    """
    if capacity.size != unit_cost.size:
        raise InputError(
            f"unit_cost holds {unit_cost.size} values, capacity {capacity.size}; "
            "there must be one for each offer"
        )
    usable = capacity
    if max_latency is not None:
        if latency is None:
            raise InputError("max_latency needs the latency of each offer")
        if latency.size != capacity.size:
            raise InputError(
                f"latency holds {latency.size} values, capacity {capacity.size}; "
                "there must be one for each offer"
            )
        usable = np.where(latency <= max_latency, capacity, 0.0)
    # Ten tenths add up to a little less than one: a sum is short only beyond its rounding.
    if demand > usable.sum() * (1 + 1e-12):
        raise DomainError(
            f"demand is {demand:g}; the offers that qualify hold {usable.sum():g} together"
        )
    return _cheapest(demand, usable, unit_cost)


def _cheapest(demand: float, usable: Column, unit_cost: Column) -> Column:
    if demand == 0:
        return np.zeros_like(usable)
    from scipy.optimize import linprog  # noqa: PLC0415  (heavy, and only wanted here)

    # HiGHS works to absolute tolerances: amounts and prices near 1 make them relative, and
    # powers of two take nothing from their digits.
    unit = _power_of_two(demand)
    limits = np.minimum(usable, demand) / unit
    solution = linprog(
        unit_cost / _power_of_two(float(unit_cost.max())),
        A_eq=np.ones((1, usable.size)),
        b_eq=[demand / unit],
        bounds=[(0.0, limit) for limit in limits.tolist()],
        method="highs",
    )
    if solution.x is None:
        raise TokenbookError(f"the allocation was not solved: {solution.message}")
    split: Column = np.clip(solution.x * unit, 0.0, usable)
    return split


def _power_of_two(value: float) -> float:
    return math.ldexp(1.0, math.frexp(value)[1])
