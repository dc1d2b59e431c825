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
    return _correlated(ranks(one), ranks(other))


def _correlated(one: Array, other: Array) -> float:
    a, b = one - one.mean(), other - other.mean()
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
    return _explained(ranks(given), result)


def _explained(ordered: Array, result: Array) -> float:
    """Return the share that an input explains whose ranks are given."""
    size = len(result)
    classes = min(_MOST_CLASSES, size // _PER_CLASS)
    total = float(((result - result.mean()) ** 2).sum())
    if classes < 2 or not total or ordered.min() == ordered.max():
        return 0.0
    place = np.minimum(((ordered - 0.5) / size * classes).astype(np.intp), classes - 1)
    counts = np.bincount(place, minlength=classes)
    sums = np.bincount(place, weights=result, minlength=classes)
    filled = counts > 0
    means = sums[filled] / counts[filled]
    between = float((counts[filled] * (means - result.mean()) ** 2).sum())
    count = int(filled.sum())
    chance = (count - 1) * (total - between) / max(size - count, 1)
    return min(max((between - chance) / total, 0.0), 1.0)


def sensitivities(inputs: Array, outputs: Array) -> tuple[Array, Array]:
    """Return what each input does to each output; each row is put in order once.

    Parameters
    ----------
    inputs : NDArray
        Draws of the inputs, shape (inputs, draws).
    outputs : NDArray
        The results of the same draws, shape (outputs, draws); those that are NaN are left out.

    Returns
    -------
    tuple of NDArray
        Rank correlations and first-order Sobol indices [-], both of shape (inputs, outputs); NaN
        for an output of fewer than two numbers.

    Examples
    --------
    >>> u = np.linspace(0, 1, 10_000)
    >>> correlations, shares = sensitivities(u[None], np.stack([3 * u, 1 - u]))
    >>> correlations.round(6).tolist(), shares.round(2).tolist()
    ([[1.0, -1.0]], [[1.0, 1.0]])
    """
    correlations = np.full((len(inputs), len(outputs)), np.nan)
    shares = correlations.copy()
    alike: dict[bytes, list[int]] = {}
    for place, row in enumerate(outputs):
        alike.setdefault(np.packbits(np.isnan(row)).tobytes(), []).append(place)
    for places in alike.values():
        known = ~np.isnan(outputs[places[0]])
        if known.sum() < 2:
            continue
        results = [outputs[place][known] for place in places]
        ordered = [ranks(result) for result in results]
        for i, given in enumerate(inputs):
            ours = ranks(given[known])
            for place, result, theirs in zip(places, results, ordered, strict=True):
                correlations[i, place] = _correlated(ours, theirs)
                shares[i, place] = _explained(ours, result)
    return correlations, shares
