"""Allocation: the cheapest way to spread a demand over offers of capacity."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from engine.elementwise import Column, Scalar, Series, at_least, single
from engine.errors import DomainError, InputError, TokenbookError

__all__ = ["allocate", "allocate_loads"]

#: A row for each load, a column for each offer.
Grid = Annotated[NDArray[np.float64], "grid"]
# Ten tenths add up to a little less than one: a sum is short only beyond its rounding.
_ROUNDING = 1e-12
# What HiGHS leaves of an amount that is 0.
_SOLVED = 1e-9
# Price over the middle one from which HiGHS cannot tell an offer from any dearer one.
_DEAREST = 1e9
# Capacity over the largest load beyond which more makes no difference.
_WIDEST = 1e6
#: HiGHS takes an offer for nothing that holds less than its tolerance of the largest load, 1e-7
#: where nothing else is told, and may then miss what only all offers together hold.
_EXACT: Any = {"primal_feasibility_tolerance": 1e-10}


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
    Range: every load must find room in offers that are fast enough. Where several splits use the
    offers alike, the first loads get the cheap ones. Prices that differ by less than 1e-7 of the
    middle one count as equal, and so do prices above 1e9 times it.
    Source: linear program (transportation problem with take-or-pay), solved by HiGHS (Huangfu,
    Hall 2018) through SciPy; a host without SciPy lacks this function and says so.

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
    return _solved(demands, capacity, unit_cost, paid, fast)


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


def _solved(
    demands: NDArray[np.float64],
    capacity: NDArray[np.float64],
    unit_cost: NDArray[np.float64],
    paid: NDArray[np.float64],
    fast: NDArray[np.bool_],
) -> Grid:
    """Solve the linear program in what each offer gives each load, and what it is paid for."""
    if not demands.any():
        return np.zeros(fast.shape)
    try:
        from scipy import sparse  # noqa: PLC0415  (heavy, and only wanted here)
        from scipy.optimize import linprog  # noqa: PLC0415
    except ImportError as error:
        raise TokenbookError("the broker needs SciPy, which this host lacks") from error
    loads, offers = fast.shape
    # HiGHS works to absolute tolerances: amounts and prices near 1 make them relative, each load
    # being solved in shares of itself; powers of two take nothing from the digits. The middle
    # price, so that a dummy price for an offer that is not to be used does not flatten the others.
    unit = _power_of_two(float(demands.max()))
    price = _power_of_two(float(np.median(unit_cost[unit_cost > 0]))) if unit_cost.any() else 1.0
    needed, room = demands / unit, np.minimum(capacity / unit, _WIDEST)
    offer = sparse.eye_array(offers)
    # What an offer gives to all loads is paid for; the shares of a load add up to it.
    given: Any = sparse.hstack((sparse.kron(needed[np.newaxis], offer), -offer))
    sums: Any = sparse.kron(sparse.eye_array(loads), np.ones((1, offers)))
    served: Any = sparse.hstack((sums, sparse.csr_array((loads, offers))))
    open_to = [(0.0, limit) for limit in fast.ravel().astype(float).tolist()]
    least = np.minimum(paid / unit, room)
    cheapest = linprog(
        np.concatenate((np.zeros(loads * offers), np.minimum(unit_cost / price, _DEAREST))),
        A_ub=given,
        b_ub=np.zeros(offers),
        A_eq=served,
        b_eq=np.where(demands > 0, 1.0, 0.0),
        bounds=[*open_to, *zip(least.tolist(), room.tolist(), strict=True)],
        options=_EXACT,
    )
    if cheapest.x is None:
        raise TokenbookError(f"the allocation was not solved: {cheapest.message}")
    # Of the splits that give each offer as much, the one with cheap offers for the first loads.
    taken: Any = sparse.kron(needed[np.newaxis], offer)
    used = taken @ cheapest.x[: loads * offers]
    rank = np.argsort(np.argsort(unit_cost, kind="stable")) / offers
    refined = linprog(
        np.outer(np.arange(loads, 0, -1) * needed / loads, rank).ravel(),
        A_ub=taken,
        b_ub=used,
        A_eq=sums,
        b_eq=np.where(demands > 0, 1.0, 0.0),
        bounds=open_to,
        options=_EXACT,
    )
    if refined.x is None:
        raise TokenbookError(f"the allocation was not solved: {refined.message}")
    split = refined.x.reshape(fast.shape)
    split[split < _SOLVED] = 0.0
    grid: Grid = split * demands[:, np.newaxis]
    return grid


def _check_sizes(capacity: Series, **others: Series | None) -> None:
    for name, values in others.items():
        if values is not None and values.size != capacity.size:
            raise InputError(
                f"{name} holds {values.size} values, capacity {capacity.size}; "
                "there must be one for each offer"
            )


def _power_of_two(value: float) -> float:
    return math.ldexp(1.0, math.frexp(value)[1])
