"""One argument at a time between its low and its high value: which matters most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.elementwise import single
from engine.errors import DomainError
from engine.tables import Table
from engine.uncertainty.named import Rows, Study, study

__all__ = ["tornado"]

Array = NDArray[np.float64]


@single("the result is without end there")
def tornado(function: str, inputs: Rows) -> Table:
    """Show what each argument alone does to a result, from its low to its high value.

    Parameters
    ----------
    function : str
        Name of a TOK_ function that returns one number [-].
    inputs : Rows
        Rows of argument, low, base, high; a row with its base alone fixes an argument [-].

    Returns
    -------
    Table
        argument, result at its low, result at its high, and the difference, widest first
        [-, -, -, -].

    Notes
    -----
    Equation: each argument in turn at its low and at its high, the others at their base; the
    swing is the absolute difference.
    Range: low ≤ base ≤ high, inside the function's own domain.
    Source: one-at-a-time sensitivity; Howard (1988), "Decision analysis: practice and promise",
    Management Science 34(6).

    Examples
    --------
    >>> rows = [["price", 0.5, 0.88, 1.0], ["breakeven", 2.0, 3.0, 5.0]]
    >>> tornado("TOK_SUBSIDY", rows).rows()
    [['breakeven', 1.12, 4.12, 3.0], ['price', 2.5, 2.0, 0.5]]
    """
    one = study(function, inputs)
    at_low, at_high = ends(one)
    swing = swings(at_low, at_high)
    order = np.argsort(-swing, kind="stable")
    names = np.array([varied.argument for varied in one.varying], dtype=object)
    return Table(
        ("argument", "at low", "at high", "swing"),
        (names[order], at_low[order], at_high[order], swing[order]),
    )


def ends(one: Study) -> tuple[Array, Array]:
    """Return the results with each varying argument alone at its low, and at its high."""
    count = len(one.varying)
    if not count:
        raise DomainError("no argument varies: each row has the same low and high")
    base = np.array([[varied.base] for varied in one.varying], dtype=np.float64)
    values = np.repeat(base, 2 * count, axis=1)
    for i, varied in enumerate(one.varying):
        values[i, i], values[i, count + i] = varied.low, varied.high
    results = one.results(values)
    lost = np.isnan(results)
    if lost.any():
        place = int(np.argmax(lost))
        varied, end = one.varying[place % count], "high" if place >= count else "low"
        value = varied.high if place >= count else varied.low
        raise DomainError(
            f"{one.name} has no result with {varied.argument} at its {end}, {value:g}"
        )
    return results[:count], results[count:]


def swings(at_low: Array, at_high: Array) -> Array:
    """Return the absolute differences; 0 where both ends are without end."""
    result: Array = np.where(at_low == at_high, 0.0, np.abs(at_high - at_low))
    return result
