"""The normal distribution in NumPy alone: importing SciPy takes longer than most calls."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.elementwise import Number

# Numerators and denominators of the rational approximations, highest power first: of erf below
# 0.46875, of erfc up to 4, and of its tail.
_CENTRE = (
    (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3,
     2.84423683343917062e3),
)  # fmt: skip
_MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
     1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3,
     1.23033935480374942e3),
)  # fmt: skip
_TAIL = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
     1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1,
     6.05183413124413191e-2, 2.33520497626869185e-3),
)  # fmt: skip
_NEAR, _FAR, _NOTHING_LEFT = 0.46875, 4.0, 40.0


def ndtr(x: Number) -> NDArray[np.float64]:
    """Return the share of the standard normal distribution below x.

    Parameters
    ----------
    x : Number
        Standard deviations above the mean [-].

    Notes
    -----
    Source: W. J. Cody 1969, "Rational Chebyshev Approximations for the Error Function",
    Mathematics of Computation 23; agrees with scipy.special.ndtr to 1e-12 of the value.

    Examples
    --------
    >>> round(float(ndtr(1.959963984540054)), 12)
    0.975
    """
    return 0.5 * _erfc(-np.asarray(x, dtype=np.float64) / math.sqrt(2))


def _erfc(x: NDArray[np.float64]) -> NDArray[np.float64]:
    # Beyond 40 it is 0 in floating point; infinity would leave 0·∞.
    y = np.minimum(np.abs(x), _NOTHING_LEFT)
    square = y * y
    with np.errstate(all="ignore"):
        centre = 1 - np.sign(x) * y * _ratio(_CENTRE, square)
        # Its square in two parts, so that the exponential keeps its last digits.
        whole = np.floor(y * 16) / 16
        fall = np.exp(-whole * whole) * np.exp(-(y - whole) * (y + whole))
        inverse = 1 / square
        tail = (1 / math.sqrt(math.pi) - inverse * _ratio(_TAIL, inverse)) / y
        beyond = fall * np.where(y <= _FAR, _ratio(_MIDDLE, y), tail)
    # Where the exponential is 0 the rest may be anything.
    beyond = np.where(fall == 0, 0.0, beyond)
    known = np.where(y <= _NEAR, centre, np.where(x < 0, 2 - beyond, beyond))
    return np.where(np.isnan(x), np.nan, known)


def _ratio(
    parts: tuple[tuple[float, ...], tuple[float, ...]], x: NDArray[np.float64]
) -> NDArray[np.float64]:
    above, below = parts
    return np.polyval(above, x) / np.polyval(below, x)
