"""Cash: how long it lasts when the flows of each month are given."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.elementwise import Number, Series, any_real, at_least, by_element, elementwise

__all__ = ["runway_flows"]

# Flows that add up to the cash may miss it by the rounding of their sum.
_ROUNDING = 1e-12


@elementwise(
    never="the flows never take the cash to 0",
    cash=at_least(0),
    flows=any_real(blank=0.0),
)
def runway_flows(cash: Number, flows: Series) -> Number:
    """Months until the cash is gone at given monthly flows.

    Parameters
    ----------
    cash : Number
        Cash at the start [USD].
    flows : Series
        Net flow of each month, negative where money goes out; a blank is 0 [USD].

    Returns
    -------
    Number
        Months, the last one in part; infinite where the cash never reaches 0 [month].

    Notes
    -----
    Equation: the first month m with ``flow_m < 0`` and ``cash + Σ_{t≤m} flow_t ≤ 0``, the months
    before it and ``(cash + Σ_{t<m} flow_t) / −flow_m`` of it.
    Range: a month's flow is spread evenly over it.
    Source: cash-runway convention, months in part, as in TOK_RUNWAY.

    Examples
    --------
    >>> runway_flows(100.0, [-30.0, 10.0, -60.0, -40.0])
    3.5
    """
    # Before the first month the cash is untouched, whatever it is.
    so_far, moved = np.cumsum(flows), np.cumsum(np.abs(flows))
    before = np.concatenate(([0.0], so_far[:-1]))

    def months(opening: NDArray[np.float64]) -> NDArray[np.float64]:
        gone = (flows < 0) & (opening + so_far <= _ROUNDING * (opening + moved))
        month = np.argmax(gone, axis=-1)
        ends = gone.any(axis=-1)
        held = np.take_along_axis(opening + before, month[..., np.newaxis], axis=-1)[..., 0]
        part = np.clip(held / np.where(ends, -np.take(flows, month), 1.0), 0.0, 1.0)
        # The infinity keeps a NaN of its element.
        return np.where(ends, month + part, math.inf + held)

    return by_element(months, cash)
