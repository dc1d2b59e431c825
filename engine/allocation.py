"""Allocation: the cheapest way to spread a demand over offers of capacity."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from engine.elementwise import Column, Scalar, Series, at_least, single
from engine.errors import DomainError, InputError

__all__ = ["allocate", "allocate_loads"]

#: A row for each load, a column for each offer.
Grid = Annotated[NDArray[np.float64], "grid"]
# Ten tenths add up to a little less than one: a sum is short only beyond its rounding.
_ROUNDING = 1e-12


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
        Price of each offer for one unit, paid for what is used [USD/unit].
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
    Range: demand at most the capacity of the offers that are fast enough. Capacity that is paid
    whether used or not is the matter of TOK_ALLOCATE_LOADS.
    Source: a linear program with one equation; filling from the cheapest offer solves it exactly
    (Dantzig 1957, "Discrete-Variable Extremum Problems", Operations Research 5). Of offers at one
    price the first is filled first.

    Examples
    --------
    >>> allocate(120.0, [100.0, 50.0, 40.0], [2.0, 1.0, 4.0]).tolist()
    [70.0, 50.0, 0.0]
    """
    _check_sizes(capacity, unit_cost=unit_cost, latency=latency)
    usable = capacity
    if max_latency is not None:
        if latency is None:
            raise InputError("max_latency needs the latency of each offer")
        usable = np.where(latency <= max_latency, capacity, 0.0)
    if demand > usable.sum() * (1 + _ROUNDING):
        raise DomainError(
            f"demand is {demand:g}; the offers that qualify hold {usable.sum():g} together"
        )
    order = np.argsort(unit_cost, kind="stable")
    room = np.take(usable, order)
    before = np.concatenate(([0.0], np.cumsum(room)[:-1]))
    split: Column = np.take(np.clip(demand - before, 0.0, room), np.argsort(order, kind="stable"))
    return split


@single(
    demands=at_least(0, per="load"),
    capacity=at_least(0, per="offer"),
    unit_cost=at_least(0, per="offer"),
    minimum=at_least(0, per="offer"),
    latency=at_least(0, per="offer"),
    max_latency=at_least(0, per="load"),
)
def allocate_loads(
    demands: Series,
    capacity: Series,
    unit_cost: Series,
    minimum: Series | None = None,
    latency: Series | None = None,
    max_latency: Series | None = None,
) -> Grid:
    """Cheapest split of several loads over offers, some of them taken or paid for.

    Parameters
    ----------
    demands : Series
        What each load needs, in the unit of capacity [unit].
    capacity : Series
        What each offer can give to all loads together [unit].
    unit_cost : Series
        Price of each offer for one unit [USD/unit].
    minimum : Series
        What each offer is paid for at least, whether used or not; at most its capacity [unit].
    latency : Series
        Latency of each offer; needed where max_latency is given [s].
    max_latency : Series
        Longest latency that each load allows, one for all or one for each [s].

    Returns
    -------
    Grid
        A row for each load and a column for each offer: what the offer gives to the load [unit].

    Notes
    -----
    Equation: ``min Σ_j cost_j · max(Σ_i x_ij, minimum_j)`` subject to ``Σ_j x_ij = demand_i``,
    ``Σ_i x_ij ≤ capacity_j``, ``x ≥ 0`` and ``x_ij = 0`` where ``latency_j > max_latency_i``.
    Range: every load must find room in offers that are fast enough. Of the splits that cost the
    same, the first offer of those at one price is used first, and each load in turn takes the
    cheapest that the others can spare.
    Source: a linear program (transportation problem with take-or-pay). A load that allows more
    time reaches whatever one in a hurry reaches; so giving the cheapest unit that is left, to
    loads in a hurry first, solves it exactly (Edmonds 1970, "Submodular functions, matroids, and
    certain polyhedra", in Combinatorial Structures and Their Applications).

    Examples
    --------
    >>> allocate_loads([60.0, 40.0], [50.0, 100.0, 50.0], [1.0, 2.0, 3.0], [0.0, 60.0, 0.0],
    ...     [0.1, 0.9, 0.1], [0.5, 1.0]).round(9).tolist()
    [[50.0, 0.0, 10.0], [0.0, 40.0, 0.0]]
    """
    _check_sizes(capacity, unit_cost=unit_cost, minimum=minimum, latency=latency)
    paid = np.zeros_like(capacity) if minimum is None else minimum
    if (paid > capacity).any():
        raise DomainError("minimum must not exceed capacity")
    fast = np.ones((demands.size, capacity.size), dtype=bool)
    if max_latency is not None:
        if latency is None:
            raise InputError("max_latency needs the latency of each offer")
        if max_latency.size not in (1, demands.size):
            raise InputError(
                f"max_latency holds {max_latency.size} values; there must be one for all loads, "
                f"or one for each of {demands.size}"
            )
        fast = latency <= np.broadcast_to(max_latency, demands.shape)[:, np.newaxis]
    for i, (demand, reached) in enumerate(zip(demands, fast, strict=True), start=1):
        if demand > capacity[reached].sum() * (1 + _ROUNDING):
            raise DomainError(
                f"load {i} needs {demand:g}; the offers fast enough for it hold "
                f"{capacity[reached].sum():g} together"
            )
    _check_together(demands, capacity, fast)
    used = _used(demands, capacity, unit_cost, paid, fast)
    return _given(demands, used, unit_cost, fast)


def _check_together(
    demands: NDArray[np.float64], capacity: NDArray[np.float64], fast: NDArray[np.bool_]
) -> None:
    """Refuse loads that have room each for itself, but not all together.

    What a load reaches, a load that allows more time reaches too: the loads have room together
    exactly where those that reach no more than one of them fit into what it reaches (Hall 1935).
    """
    reach = fast.sum(axis=1)
    order = np.argsort(reach, kind="stable")
    last = np.searchsorted(reach[order], reach, side="right") - 1
    wanted = np.cumsum(demands[order])[last]
    if (wanted > (fast @ capacity) * (1 + _ROUNDING)).any():
        raise DomainError("the offers fast enough for each load do not hold all loads together")


def _used(
    demands: NDArray[np.float64],
    capacity: NDArray[np.float64],
    unit_cost: NDArray[np.float64],
    paid: NDArray[np.float64],
    fast: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return what each offer gives to all loads in the cheapest split.

    What is paid for anyway costs nothing more. Those who reach fewest offers choose first, each
    the cheapest that is left: whoever comes later reaches all of these too.
    """
    room = np.concatenate((paid, capacity - paid))
    order = np.argsort(np.concatenate((np.zeros_like(paid), unit_cost)), kind="stable")
    used = np.zeros_like(room)
    reach = fast.sum(axis=1)
    for size in np.unique(reach):
        alike = reach == size
        left = np.where(np.tile(fast[np.argmax(alike)], 2), room - used, 0.0)[order]
        before = np.concatenate(([0.0], np.cumsum(left)[:-1]))
        used[order] += np.clip(demands[alike].sum() - before, 0.0, left)
    total: NDArray[np.float64] = used.reshape(2, -1).sum(axis=0)
    return total


def _given(
    demands: NDArray[np.float64],
    used: NDArray[np.float64],
    unit_cost: NDArray[np.float64],
    fast: NDArray[np.bool_],
) -> Grid:
    """Return which load gets what of that: each in turn the cheapest that the others can spare."""
    _, first, level = np.unique(fast.sum(axis=1), return_index=True, return_inverse=True)
    reached = fast[first]
    # The first level of loads that reaches an offer; all those above it do.
    since = first.size - reached.sum(axis=0)
    left = used.copy()
    # What the offers within reach of each level hold beyond what its loads still need.
    spare = reached @ left - np.cumsum(np.bincount(level, demands))
    split = np.zeros(fast.shape)
    order = np.argsort(unit_cost, kind="stable")
    for load, own in enumerate(level):
        needed = demands[load]
        spare[own:] += needed
        for offer in order[fast[load, order] & (left[order] > 0)]:
            held = spare[since[offer] : own].min(initial=np.inf)
            amount = min(left[offer], needed, max(held, 0.0))
            if amount <= _ROUNDING * demands[load]:
                continue
            split[load, offer] = amount
            left[offer] -= amount
            spare[since[offer] :] -= amount
            needed -= amount
            if needed <= _ROUNDING * demands[load]:
                break
    return split


def _check_sizes(capacity: Series, **others: Series | None) -> None:
    for name, values in others.items():
        if values is not None and values.size != capacity.size:
            raise InputError(
                f"{name} holds {values.size} values, capacity {capacity.size}; "
                "there must be one for each offer"
            )
