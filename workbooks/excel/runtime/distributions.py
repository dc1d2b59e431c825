"""Distributions by SciPy: Student's t, chi squared and F, of whole degrees, binomial and beta."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbooks.excel.runtime.coerce import Refusal

_MOST_DEGREES = 1e10
#: Up to so many trials the powers do not run out.
_EXACT_TRIALS = 500


def _degrees(cell: float) -> float:
    degrees = float(int(float(cell)))
    if not 1 <= degrees <= _MOST_DEGREES:
        raise Refusal("#NUM!", "the degrees of freedom must be 1 or more")
    return degrees


def _at_least_0(cell: float) -> float:
    x = float(cell)
    if x < 0:
        raise Refusal("#NUM!", "the value must be 0 or more")
    return x


def _chance(cell: float, *, whole: bool = False) -> float:
    p = float(cell)
    if not (0 < p <= 1 if whole else 0 < p < 1):
        raise Refusal("#NUM!", "the probability must lie between 0 and 1")
    return p


def gamma(x: float) -> float:
    """Return GAMMA, which is defined below 0 too, between the whole numbers."""
    if x <= 0 and x == int(x):
        raise Refusal("#NUM!", "GAMMA has no value at 0 and at whole numbers below")
    return math.gamma(x)


def chi_dist(x: float, degrees: float, cumulative: bool) -> float:
    """Return the chi-squared distribution or its density."""
    from scipy.special import chdtr  # noqa: PLC0415 - seldom needed, and slow to load

    value, k = _at_least_0(x), _degrees(degrees) / 2
    if cumulative:
        return float(chdtr(2 * k, value))
    if value == 0:
        return 0.5 if k == 1 else 0.0
    return math.exp((k - 1) * math.log(value) - value / 2 - k * math.log(2) - math.lgamma(k))


def chi_right(x: float, degrees: float) -> float:
    """Return the chance of a larger chi-squared value."""
    from scipy.special import chdtrc  # noqa: PLC0415

    return float(chdtrc(_degrees(degrees), _at_least_0(x)))


def chi_inverse(p: float, degrees: float) -> float:
    """Return the chi-squared value of a chance."""
    from scipy.special import gammaincinv  # noqa: PLC0415

    return float(2 * gammaincinv(_degrees(degrees) / 2, 0.0 if not p else _chance(p)))


def chi_inverse_right(p: float, degrees: float) -> float:
    """Return the chi-squared value that a chance lies above."""
    from scipy.special import chdtri  # noqa: PLC0415

    return float(chdtri(_degrees(degrees), _chance(p, whole=True)))


def f_dist(x: float, first: float, second: float, cumulative: bool) -> float:
    """Return the F distribution or its density."""
    from scipy.special import betaln, fdtr  # noqa: PLC0415

    value, m, n = _at_least_0(x), _degrees(first), _degrees(second)
    if cumulative:
        return float(fdtr(m, n, value))
    if value == 0:
        return 1.0 if m == 2 else 0.0
    power = m / 2 * math.log(m / n) + (m / 2 - 1) * math.log(value)
    return math.exp(power - (m + n) / 2 * math.log1p(m * value / n) - float(betaln(m / 2, n / 2)))


def f_right(x: float, first: float, second: float) -> float:
    """Return the chance of a larger F."""
    from scipy.special import fdtrc  # noqa: PLC0415

    return float(fdtrc(_degrees(first), _degrees(second), _at_least_0(x)))


def f_inverse(p: float, first: float, second: float) -> float:
    """Return the F of a chance."""
    from scipy.special import fdtri  # noqa: PLC0415

    return float(fdtri(_degrees(first), _degrees(second), _chance(p)))


def f_inverse_right(p: float, first: float, second: float) -> float:
    """Return the F that a chance lies above."""
    # The reciprocal of F has its degrees changed over; 1 - p would lose digits.
    return 1 / f_inverse(p, second, first)


def t_dist(x: float, degrees: float, cumulative: bool) -> float:
    """Return Student's t distribution or its density."""
    from scipy.special import stdtr  # noqa: PLC0415

    value, n = float(x), _degrees(degrees)
    if cumulative:
        return float(stdtr(n, value))
    scale = math.lgamma((n + 1) / 2) - math.lgamma(n / 2) - math.log(n * math.pi) / 2
    return math.exp(scale - (n + 1) / 2 * math.log1p(value * value / n))


def t_right(x: float, degrees: float) -> float:
    """Return the chance of a larger t."""
    from scipy.special import stdtr  # noqa: PLC0415

    return float(stdtr(_degrees(degrees), -float(x)))


def t_both(x: float, degrees: float) -> float:
    """Return the chance of a t further from 0."""
    return 2 * t_right(_at_least_0(x), degrees)


def t_inverse(p: float, degrees: float) -> float:
    """Return the t of a chance."""
    from scipy.special import stdtrit  # noqa: PLC0415

    return float(stdtrit(_degrees(degrees), _chance(p)))


def t_inverse_both(p: float, degrees: float) -> float:
    """Return the t that a chance lies beyond, on both sides."""
    from scipy.special import stdtrit  # noqa: PLC0415

    return float(-stdtrit(_degrees(degrees), _chance(p, whole=True) / 2))


def binomial(hits: float, trials: float, chance: float, cumulative: bool) -> float:
    """Return the chance of so many hits, or of at most so many."""
    from scipy.special import bdtr, xlog1py, xlogy  # noqa: PLC0415

    k, n = math.floor(hits), math.floor(trials)
    if not 0 <= k <= n or not 0 <= chance <= 1:
        raise Refusal("#NUM!", "hits are 0 to the trials, and a chance 0 to 1")
    if cumulative:
        return 1.0 if k == n else float(bdtr(k, n, chance))
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    if n <= _EXACT_TRIALS:
        return float(math.comb(n, k) * chance**k * (1 - chance) ** (n - k))
    return math.exp(ways + float(xlogy(k, chance)) + float(xlog1py(n - k, -chance)))


def binomial_inverse(trials: float, chance: float, level: float) -> float:
    """Return the least number of hits that at most so many come to a level."""
    n = math.floor(trials)
    if n < 0 or not 0 <= chance <= 1 or not 0 <= level <= 1:
        raise Refusal("#NUM!", "chances are 0 to 1, and trials 0 or more")
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if binomial(middle, n, chance, True) >= level:
            high = middle
        else:
            low = middle + 1
    return float(low)


def beta_inverse(p: float, alpha: float, beta: float, low: float = 0.0, high: float = 1.0) -> float:
    """Return the value of a beta distribution between two ends that a chance lies below."""
    from scipy.special import betaincinv  # noqa: PLC0415

    if alpha <= 0 or beta <= 0 or not 0 < p < 1 or low >= high:
        raise Refusal("#NUM!", "alpha and beta are above 0, and a chance lies between 0 and 1")
    return low + float(betaincinv(alpha, beta, p)) * (high - low)


def beta_inverses(p: Any, alpha: Any, beta: Any, low: Any = 0.0, high: Any = 1.0) -> Any:
    """Return `beta_inverse` of arrays; NaN where it refuses."""
    from scipy.special import betaincinv  # noqa: PLC0415

    taken = (alpha > 0) & (beta > 0) & (p > 0) & (p < 1) & (low < high)
    return np.where(taken, low + betaincinv(alpha, beta, p) * (high - low), np.nan)


def beta_dist(
    x: float,
    alpha: float,
    beta: float,
    cumulative: bool = True,
    low: float = 0.0,
    high: float = 1.0,
) -> float:
    """Return a beta distribution between two ends, or its density."""
    from scipy.special import betainc, betaln, xlog1py, xlogy  # noqa: PLC0415

    if alpha <= 0 or beta <= 0 or not low <= x <= high or low == high:
        raise Refusal("#NUM!", "alpha and beta are above 0, and x lies between the ends")
    share = (x - low) / (high - low)
    if cumulative:
        return float(betainc(alpha, beta, share))
    if (not share and alpha < 1) or (share == 1 and beta < 1):
        raise Refusal("#NUM!", "the density has no bound there")
    power = float(xlogy(alpha - 1, share)) + float(xlog1py(beta - 1, -share))
    return math.exp(power - float(betaln(alpha, beta))) / (high - low)


def confidence_t(alpha: float, deviation: float, size: float) -> float:
    """Return half the width of a confidence interval of a mean, by Student's t."""
    count = math.floor(size)
    if not 0 < alpha < 1 or deviation <= 0 or count < 1:
        raise Refusal("#NUM!", "alpha lies between 0 and 1, and the deviation is above 0")
    if count == 1:
        raise ZeroDivisionError
    return t_inverse_both(alpha, count - 1) * deviation / math.sqrt(count)


def hypergeometric(
    hits: float, drawn: float, marked: float, size: float, cumulative: bool = False
) -> float:
    """Return the chance of so many hits (or at most so many) in a draw without return."""
    k, n, m, whole = (math.floor(number) for number in (hits, drawn, marked, size))
    if not (0 <= k <= min(n, m) and 0 < n <= whole and 0 < m <= whole):
        raise Refusal("#NUM!", "hits are 0 to what is drawn and what is marked")
    if not cumulative and k < n + m - whole:
        raise Refusal("#NUM!", "more than that is marked in each draw")
    ways = math.comb(whole, n)
    first = k if not cumulative else max(0, n + m - whole)
    return sum(math.comb(m, i) * math.comb(whole - m, n - i) for i in range(first, k + 1)) / ways
