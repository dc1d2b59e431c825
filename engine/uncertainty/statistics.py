"""What draws say: quantiles, moments and their errors, without end included.

Sums are NumPy's pairwise ones over draws in their order, so that the same draws give the same
digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def quantiles_of(results: Array, shares: Sequence[float] | Array) -> Array:
    """Return the values below which these shares of the results lie, as PERCENTILE.INC does.

    Between two results that are both without end lies another such; NaN sorts last and is the
    caller's to deal with.

    Examples
    --------
    >>> quantiles_of(np.array([1.0, 2.0, 4.0, math.inf]), [0.5, 1.0]).tolist()
    [3.0, inf]
    """
    places = np.asarray(shares, dtype=np.float64) * (len(results) - 1)
    below = np.floor(places).astype(np.intp)
    above = np.minimum(below + 1, len(results) - 1)
    ordered = np.partition(results, np.unique([below, above]))
    low, high, part = ordered[below], ordered[above], places - below
    with np.errstate(invalid="ignore"):
        between = low + (high - low) * part
    return np.where((part == 0) | (low == high), low, between)


def mean(results: Array) -> float:
    """Return the mean."""
    return float(np.mean(results))


def standard_deviation(results: Array) -> float:
    """Return the standard deviation of a sample; without end where a result is."""
    if not np.isfinite(results).all():
        return math.inf
    return float(np.std(results, ddof=1))


def standard_error(results: Array) -> float:
    """Return the standard error of the mean of independent draws."""
    return standard_deviation(results) / math.sqrt(len(results))


def shortfall(results: Array, share: float, *, upper: bool = False) -> float:
    """Return the mean of the worst share of the results: the expected shortfall.

    Parameters
    ----------
    results : NDArray
        Results of the draws.
    share : float
        The share, 0.05 for the worst twentieth [-].
    upper : bool
        Whether high results are the bad ones.

    Notes
    -----
    Equation: the integral of the quantiles over the share, over the share; a draw that stands
    across its end counts in part. Acerbi and Tasche (2002), "On the coherence of expected
    shortfall", Journal of Banking & Finance 26(7).

    Examples
    --------
    >>> shortfall(np.arange(1.0, 101.0), 0.05)
    3.0
    """
    ordered = np.sort(-results if upper else results)
    places = share * len(ordered)
    whole = int(places)
    total = math.fsum(ordered[:whole])
    if whole < len(ordered) and places > whole:
        total += (places - whole) * float(ordered[whole])
    value = total / places
    return -value if upper else value
