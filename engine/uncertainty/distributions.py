"""Distributions of an input, each by its quantile function: a probability in, a value out.

All but `Percentiles` are what textbooks define. NumPy alone is enough for each of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import DomainError
from engine.uncertainty.inverse import beta_quantile, normal_quantile

Array = NDArray[np.float64]

# Three percentiles fit a metalog if (p50 − p10)/(p90 − p10) lies between this and 1 less this:
# Keelin (2016), table 3, for 10/50/90.
_LEAST_SKEW = 0.5 * (1 - 1.66711 * 0.4)
# Halvings that find the probability of a value to the last digit.
_HALVINGS = 60
# A truncation that leaves less than this of a distribution has no digits to draw from.
_LEAST_LEFT = 1e-9


class Distribution(Protocol):
    """What an input may be."""

    def quantile(self, u: Array) -> Array:
        """Return the values below which a draw falls with these probabilities."""


@dataclass(frozen=True, slots=True)
class Constant:
    """One value, for sure."""

    value: float

    def quantile(self, u: Array) -> Array:
        """Return the value."""
        return np.full(np.shape(u), self.value)


@dataclass(frozen=True, slots=True)
class Pert:
    """Low, most likely and high: a beta distribution whose mean is (low + 4·base + high)/6.

    Malcolm, Roseboom, Clark and Fazar (1959), "Application of a technique for research and
    development program evaluation", Operations Research 7(5).
    """

    low: float
    base: float
    high: float

    def __post_init__(self) -> None:
        _ordered(low=self.low, base=self.base, high=self.high)

    def quantile(self, u: Array) -> Array:
        """Return the values below which a draw falls with these probabilities."""
        width = self.high - self.low
        if width == 0:
            return np.full(np.shape(u), self.low)
        a = 1 + 4 * (self.base - self.low) / width
        result: Array = np.clip(self.low + width * beta_quantile(u, a, 6 - a), self.low, self.high)
        return result


@dataclass(frozen=True, slots=True)
class Triangular:
    """Low, most likely and high, with straight sides."""

    low: float
    base: float
    high: float

    def __post_init__(self) -> None:
        _ordered(low=self.low, base=self.base, high=self.high)

    def quantile(self, u: Array) -> Array:
        """Return the values below which a draw falls with these probabilities."""
        width = self.high - self.low
        if width == 0:
            return np.full(np.shape(u), self.low)
        rise, fall = self.base - self.low, self.high - self.base
        return np.where(
            u * width <= rise,
            self.low + np.sqrt(u * width * rise),
            self.high - np.sqrt((1 - u) * width * fall),
        )


@dataclass(frozen=True, slots=True)
class Uniform:
    """Any value between low and high, all alike."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _ordered(low=self.low, high=self.high)

    def quantile(self, u: Array) -> Array:
        """Return the values below which a draw falls with these probabilities."""
        result: Array = self.low + (self.high - self.low) * u
        return result


@dataclass(frozen=True, slots=True)
class Normal:
    """Mean and standard deviation."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        _spread(self.mean, self.sd)

    def quantile(self, u: Array) -> Array:
        """Return the values below which a draw falls with these probabilities."""
        return self.mean + self.sd * normal_quantile(u)


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Mean and standard deviation of the value itself, whose logarithm is normal."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        _spread(self.mean, self.sd)
        if self.mean <= 0:
            raise DomainError(f"mean is {self.mean:g}; of a lognormal it must be more than 0")

    def quantile(self, u: Array) -> Array:
        """Return the values below which a draw falls with these probabilities."""
        variance = math.log1p((self.sd / self.mean) ** 2)
        middle = self.mean * math.exp(-variance / 2)
        result: Array = middle * np.exp(math.sqrt(variance) * normal_quantile(u))
        return result


@dataclass(frozen=True, slots=True)
class Discrete:
    """A few values, each with its probability."""

    values: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values or len(self.values) != len(self.weights):
            raise DomainError(
                f"values and weights: {len(self.values)} and {len(self.weights)} are given; "
                "as many of the one as of the other are wanted"
            )
        _finite(values=self.values, weights=self.weights)
        if min(self.weights) < 0:
            raise DomainError(f"weights holds {min(self.weights):g}; each must be 0 or more")
        if abs(math.fsum(self.weights) - 1) > 1e-6:
            raise DomainError(f"weights add up to {math.fsum(self.weights):.6g}; they must make 1")

    def quantile(self, u: Array) -> Array:
        """Return the values below which a draw falls with these probabilities."""
        order = np.argsort(self.values, kind="stable")
        steps = np.cumsum(np.array(self.weights)[order])
        places = np.searchsorted(steps / steps[-1], u)
        result: Array = np.array(self.values)[order][np.minimum(places, len(order) - 1)]
        return result


@dataclass(frozen=True, slots=True)
class Empirical:
    """What was observed, each observation as likely as any other."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise DomainError("values is empty; at least one observation is wanted")
        _finite(values=self.values)

    def quantile(self, u: Array) -> Array:
        """Return the values below which a draw falls with these probabilities."""
        places = np.minimum(np.asarray(u) * len(self.values), len(self.values) - 1)
        result: Array = np.sort(np.array(self.values))[places.astype(np.intp)]
        return result


@dataclass(frozen=True, slots=True)
class Percentiles:
    """The metalog distribution through a 10th, 50th and 90th percentile.

    Keelin (2016), "The metalog distributions", Decision Analysis 13(4), equations 4 and 10. With a
    lower bound the distances to it are drawn on a logarithmic scale, so that none is below it.
    """

    p10: float
    p50: float
    p90: float
    above: float | None = None

    def __post_init__(self) -> None:
        _ordered(p10=self.p10, p50=self.p50, p90=self.p90)
        if self.above is not None and self.above >= self.p10:
            raise DomainError(f"the lower bound {self.above:g} is not below p10, {self.p10:g}")
        p10, p50, p90 = self._scaled()
        if p90 == p10:
            return
        skew = (p50 - p10) / (p90 - p10)
        if not _LEAST_SKEW < skew < 1 - _LEAST_SKEW:
            raise DomainError(
                f"p50 is {self.p50:g}; with p10 {self.p10:g} and p90 {self.p90:g} no "
                "distribution so lopsided is known: give values, or a lower bound"
            )

    def quantile(self, u: Array) -> Array:
        """Return the values below which a draw falls with these probabilities."""
        p10, p50, p90 = self._scaled()
        odds = np.log(u / (1 - u))
        spread = (p90 - p10) / (2 * math.log(9))
        lean = (p90 + p10 - 2 * p50) / (0.8 * math.log(9))
        value: Array = p50 + (spread + lean * (u - 0.5)) * odds
        return value if self.above is None else self.above + np.exp(value)

    def _scaled(self) -> tuple[float, float, float]:
        if self.above is None:
            return self.p10, self.p50, self.p90
        p10, p50, p90 = (math.log(p - self.above) for p in (self.p10, self.p50, self.p90))
        return p10, p50, p90


@dataclass(frozen=True, slots=True)
class Truncated:
    """Another distribution between two limits; what lies outside is not drawn at all."""

    of: Distribution
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise DomainError(f"low is {self.low:g}; it must not be above high, {self.high:g}")
        below, above = self._kept()
        if above - below < _LEAST_LEFT:
            raise DomainError(
                f"from {self.low:g} to {self.high:g} next to nothing of the distribution is left"
            )

    def quantile(self, u: Array) -> Array:
        """Return the values below which a draw falls with these probabilities."""
        below, above = self._kept()
        return np.clip(self.of.quantile(below + (above - below) * u), self.low, self.high)

    def _kept(self) -> tuple[float, float]:
        return (
            0.0 if self.low == -math.inf else _probability(self.of, self.low),
            1.0 if self.high == math.inf else _probability(self.of, self.high),
        )


def serving_error(kind: str) -> Percentiles:
    """Return how many times the estimated cost of serving the measured one is.

    Parameters
    ----------
    kind : str
        "dense" or "moe", the kind of model [-].

    Returns
    -------
    Percentiles
        A factor of a cost per token, from the error that calibration measured on configurations
        that the fit had not seen [-].

    Examples
    --------
    >>> factor = serving_error("dense")
    >>> factor.p10 < 1 < factor.p90
    True
    """
    from engine.serving.constants import BAND, error_quantiles  # noqa: PLC0415

    if kind not in ("dense", "moe"):
        raise DomainError(f"kind is {kind!r}; it must be dense or moe")
    p10, p50, p90 = (error_quantiles(kind)[q] for q in BAND)
    return Percentiles(p10, p50, p90, above=0.0)


def _probability(distribution: Distribution, value: float) -> float:
    """Return how likely a draw is at most `value`, by halving."""
    # The quantiles of 0 and 1 themselves may be infinite.
    low, high = 2.0**-54, 1 - 2.0**-53
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if float(distribution.quantile(np.array([middle]))[0]) <= value:
            low = middle
        else:
            high = middle
    return high if high < 0.5 else low


def _ordered(**values: float) -> None:
    _finite(**{name: (value,) for name, value in values.items()})
    names = list(values)
    for first, second in pairwise(names):
        if values[first] > values[second]:
            raise DomainError(
                f"{first} is {values[first]:g}; it must not be above {second}, {values[second]:g}"
            )


def _spread(mean: float, sd: float) -> None:
    _finite(mean=(mean,), sd=(sd,))
    if sd < 0:
        raise DomainError(f"sd is {sd:g}; it must be 0 or more")


def _finite(**values: tuple[float, ...]) -> None:
    for name, given in values.items():
        for value in given:
            if not math.isfinite(value):
                raise DomainError(f"{name} is {value}; it must be a finite number")
