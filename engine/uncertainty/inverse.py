"""Quantiles of the normal and the beta distribution in NumPy alone, for hosts without SciPy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Wichura, M. J. (1988), "Algorithm AS 241: The percentage points of the normal distribution",
# Applied Statistics 37(3), 477-484: PPND16, about 1 part in 10^16. Each pair is a numerator and a
# denominator, highest power first.
_CENTRE = (
    (
        2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
        4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
        1.3314166789178437745e2, 3.3871328727963666080e0,
    ),
    (
        5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
        2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
        4.2313330701600911252e1, 1.0,
    ),
)  # fmt: skip
_NEAR = (
    (
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
        1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
        4.63033784615654529590e0, 1.42343711074968357734e0,
    ),
    (
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
        1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
        2.05319162663775882187e0, 1.0,
    ),
)  # fmt: skip
_FAR = (
    (
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
        2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
        5.46378491116411436990e0, 6.65790464350110377720e0,
    ),
    (
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
        7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
        5.99832206555887937690e-1, 1.0,
    ),
)  # fmt: skip
# Terms of the interpolating polynomials of a beta quantile: both halves converge at least as
# (3 + √8)^-n, so that these reach the last digits.
_TERMS = 30
_MOST_STEPS = 60


def normal_quantile(u: Array) -> Array:
    """Return the standard normal quantiles of probabilities above 0 and below 1.

    Examples
    --------
    >>> round(float(normal_quantile(np.array([0.975]))[0]), 12)
    1.95996398454
    """
    u = np.asarray(u, dtype=np.float64)
    q = u - 0.5
    result = np.asarray(q * _ratio(_CENTRE, 0.180625 - q * q))
    outer = np.abs(q) > 0.425
    if outer.any():
        tail = np.where(q < 0, u, 1 - u)[outer]
        r = np.sqrt(-np.log(tail))
        found = np.where(r <= 5, _ratio(_NEAR, r - 1.6), _ratio(_FAR, r - 5))
        result[outer] = np.copysign(found, q[outer])
    return result


def beta_quantile(u: Array, a: float, b: float) -> Array:
    """Return the quantiles of the beta distribution with both parameters 1 or more.

    Up to the split at x = a/(a + b), the quantile is a smooth function of ``u^(1/a)``, and beyond
    it its distance to 1 is one of ``(1 − u)^(1/b)``; each is interpolated at Chebyshev points,
    where the equation is solved by Newton's method from the power series of the incomplete beta
    function.

    Examples
    --------
    >>> round(float(beta_quantile(np.array([0.5]), 3.0, 3.0)[0]), 12)
    0.5
    """
    split, lower, upper = _beta_polynomials(float(a), float(b))
    u = np.asarray(u, dtype=np.float64)
    result = np.empty_like(u)
    low = u <= split
    high = ~low
    result[low] = _scaled(lower, u[low] ** (1 / a), split ** (1 / a))
    result[high] = 1 - _scaled(upper, (1 - u[high]) ** (1 / b), (1 - split) ** (1 / b))
    return np.clip(result, 0.0, 1.0)


def _ratio(parts: tuple[Sequence[float], Sequence[float]], x: Array) -> Array:
    over, under = (np.polyval(np.array(part), x) for part in parts)
    result: Array = over / under
    return result


def _scaled(coefficients: Array, root: Array, end: float) -> Array:
    """Return root times the polynomial that was interpolated over 0 to `end`."""
    from numpy.polynomial.chebyshev import chebval  # noqa: PLC0415  (few draws need it)

    result: Array = root * chebval(2 * root / end - 1, coefficients)
    return result


@lru_cache(maxsize=256)
def _beta_polynomials(a: float, b: float) -> tuple[float, Array, Array]:
    """Return the probability below the split, and the polynomials of both sides of it."""
    at = a / (a + b)
    below, above = _incomplete(at, a, b), _incomplete(1 - at, b, a)
    whole = below + above
    split = below / whole
    return (
        split,
        _interpolated(a, b, at, split, whole),
        _interpolated(b, a, 1 - at, 1 - split, whole),
    )


def _interpolated(a: float, b: float, at: float, share: float, whole: float) -> Array:
    """Interpolate x over s = F(x)^(1/a) as a multiple of s, for x up to `at`."""
    from numpy.polynomial.chebyshev import chebfit  # noqa: PLC0415  (few draws need it)

    end = share ** (1 / a)
    points = np.cos(np.pi * (np.arange(_TERMS) + 0.5) / _TERMS)
    values = []
    for s in (points + 1) / 2 * end:
        x = float(s) * at / end
        for _ in range(_MOST_STEPS):
            root = (_incomplete(x, a, b) / whole) ** (1 / a)
            slope = x ** (a - 1) * (1 - x) ** (b - 1) / whole * root ** (1 - a) / a
            step = (root - s) / slope
            x = min(max(x - step, x / 2), at * (1 + 1e-9))
            if abs(step) <= 4e-16 * x:
                break
        values.append(x / s)
    return chebfit(points, np.array(values), _TERMS - 1)


def _incomplete(x: float, a: float, b: float) -> float:
    """Return ∫ t^(a−1) (1 − t)^(b−1) dt from 0 to x by its power series.

    Every term of x^a (1 − x)^b / a · Σ (a + b)_n / (a + 1)_n x^n is positive, so that no digit
    is lost.
    """
    term = total = 1.0
    n = 0
    while term > 1e-18 * total:
        term *= (a + b + n) / (a + 1 + n) * x
        total += term
        n += 1
    return math.exp(a * math.log(x) + b * math.log1p(-x)) / a * total
