"""Which input a result hangs on: rank correlations and shares of the variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Draws in each class of an input, and the most classes: enough to follow a curve.
_PER_CLASS, _MOST_CLASSES = 50, 200


def ranks(values: Array) -> Array:
    """Return ranks from 1 up; equal values share the mean of theirs.

    Examples
    --------
    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    result: Array = ((last - counts + 1 + last) / 2)[inverse.ravel()]
    return result


def rank_correlation(one: Array, other: Array) -> float:
    """Return Spearman's rank correlation; 0 where one of the two does not vary.

    Examples
    --------
    >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0]))
    1.0
    """
    a, b = ranks(one), ranks(other)
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size else 0.0


def first_order(given: Array, result: Array) -> float:
    """Return the share of a result's variance that one input explains alone.

    Parameters
    ----------
    given : NDArray
        Draws of the input.
    result : NDArray
        The results of the same draws.

    Returns
    -------
    float
        The first-order Sobol index, from 0 to 1 [-].

    Notes
    -----
    Equation: Var(E[Y | X]) / Var(Y), the draws put into classes of equal size by the rank of the
    input; what classes would explain by chance is taken off.
    Source: Plischke, Borgonovo and Smith (2013), "Global sensitivity measures from given data",
    European Journal of Operational Research 226(3).

    Examples
    --------
    >>> u = np.linspace(0, 1, 10_000)
    >>> round(first_order(u, 3 * u), 2)
    1.0
    """
    size = len(result)
    classes = min(_MOST_CLASSES, size // _PER_CLASS)
    total = float(((result - result.mean()) ** 2).sum())
    if classes < 2 or not total or given.min() == given.max():
        return 0.0
    ordered = ranks(given)
    place = np.minimum(((ordered - 0.5) / size * classes).astype(np.intp), classes - 1)
    counts = np.bincount(place, minlength=classes)
    sums = np.bincount(place, weights=result, minlength=classes)
    filled = counts > 0
    means = sums[filled] / counts[filled]
    between = float((counts[filled] * (means - result.mean()) ** 2).sum())
    count = int(filled.sum())
    chance = (count - 1) * (total - between) / max(size - count, 1)
    return min(max((between - chance) / total, 0.0), 1.0)
