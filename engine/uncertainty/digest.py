"""What very many draws say, in memory that does not grow with them.

Results are counted by classes whose width is 2^-14 of the power of 2 that they begin with: the
leading bits of a floating-point number. Of each class the count, the smallest and the largest
result are kept. A quantile so lies within 2^-14 (0.0061 %) of the true one, and is the true one
where a class holds one value alone, as whole numbers and truth values do. Counts are whole numbers:
however the draws are cut, the same digest comes out. Means and variances are those of all draws, by
the pairwise update of Chan, Golub and LeVeque (1983), "Algorithms for computing the sample
variance", The American Statistician 37(3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_PLACES = 14
#: How far a quantile may be from the true one, relative to it [-].
RELATIVE_ERROR = 2.0**-_PLACES
_MANTISSA = 52


@dataclass(frozen=True, slots=True)
class Moments:
    """How many results there are, their mean, and the sum of the squares of what they are off it.

    Without end where a result is.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def joined(self, other: Moments) -> Moments:
        """Return those of both; the last digit depends on the order."""
        if not (self.count and other.count):
            return self if self.count else other
        count = self.count + other.count
        if not (math.isfinite(self.mean) and math.isfinite(other.mean)):
            return Moments(count, self.mean + other.mean, math.inf)
        step = other.mean - self.mean
        return Moments(
            count,
            self.mean + step * (other.count / count),
            self.squares + other.squares + step * step * (self.count * (other.count / count)),
        )

    def standard_deviation(self) -> float:
        """Return the standard deviation of a sample; without end where a result is."""
        if not math.isfinite(self.mean):
            return math.inf
        return math.sqrt(self.squares / (self.count - 1))

    def standard_error(self) -> float:
        """Return the standard error of the mean of independent draws."""
        return self.standard_deviation() / math.sqrt(self.count)


def moments_of(results: Array) -> Moments:
    """Return the moments of results, none of them NaN."""
    if not len(results):
        return Moments()
    with np.errstate(invalid="ignore", over="ignore"):
        mean = float(np.mean(results))
        squares = float(np.sum((results - mean) ** 2)) if math.isfinite(mean) else math.inf
    return Moments(len(results), mean, squares)


@dataclass(frozen=True, slots=True)
class Digest:
    """Results by classes, from low to high.

    Parameters
    ----------
    keys : NDArray
        Which classes, in order.
    counts : NDArray
        How many results each holds [-].
    lowest, highest : NDArray
        The smallest and the largest result of each.
    moments : Moments
        Of all results.
    """

    keys: NDArray[np.int32]
    counts: NDArray[np.int64]
    lowest: Array
    highest: Array
    moments: Moments

    @property
    def count(self) -> int:
        """How many results there are."""
        return self.moments.count

    def mean(self) -> float:
        """Return the mean."""
        return self.moments.mean

    def standard_deviation(self) -> float:
        """Return the standard deviation of a sample."""
        return self.moments.standard_deviation()

    def standard_error(self) -> float:
        """Return the standard error of the mean of independent draws."""
        return self.moments.standard_error()

    def smallest(self) -> float:
        """Return the smallest result."""
        return float(self.lowest[0])

    def largest(self) -> float:
        """Return the largest result."""
        return float(self.highest[-1])

    def quantiles(self, shares: Sequence[float] | Array) -> Array:
        """Return the quantiles as `statistics.quantiles_of` does, within `RELATIVE_ERROR`."""
        places = np.asarray(shares, dtype=np.float64) * (self.count - 1)
        below = np.floor(places).astype(np.int64)
        low = self._ranked(below)
        high = self._ranked(np.minimum(below + 1, self.count - 1))
        part = places - below
        with np.errstate(invalid="ignore"):
            between = low + (high - low) * part
        return np.where((part == 0) | (low == high), low, between)

    def _ranked(self, ranks: NDArray[np.int64]) -> Array:
        """Return the results of these ranks, from 0: evenly spread within each class."""
        ends = np.cumsum(self.counts)
        place = np.searchsorted(ends, ranks, side="right")
        count = self.counts[place]
        part = (ranks - (ends[place] - count)) / np.maximum(count - 1, 1)
        low, high = self.lowest[place], self.highest[place]
        with np.errstate(invalid="ignore"):
            return np.where(low == high, low, low + (high - low) * part)

    def shortfall(self, share: float, *, upper: bool = False) -> float:
        """Return the mean of the worst share of the results, as `statistics.shortfall` does."""
        if upper:
            turned = Digest(
                -self.keys[::-1], self.counts[::-1], -self.highest[::-1], -self.lowest[::-1],
                self.moments,
            )  # fmt: skip
            return -turned.shortfall(share)
        places = share * self.count
        before = np.cumsum(self.counts) - self.counts
        taken = np.clip(places - before, 0, self.counts)
        wanted = taken > 0
        taken, count = taken[wanted], self.counts[wanted]
        low, high = self.lowest[wanted], self.highest[wanted]
        # The mean of the first of a class whose results are spread evenly.
        with np.errstate(invalid="ignore"):
            middle = (high - low) * np.maximum(taken - 1, 0) / (2 * np.maximum(count - 1, 1))
        means = np.where(low == high, low, low + middle)
        return float(np.sum(means * taken)) / places

    def histogram(self, classes: int) -> tuple[Array, Array]:
        """Return how many results lie in so many classes of equal width, and their edges."""
        middle = self.lowest + (self.highest - self.lowest) / 2
        counts, edges = np.histogram(
            middle, classes, (self.smallest(), self.largest()), weights=self.counts
        )
        return counts.astype(np.float64), edges


def digest(results: Array) -> Digest:
    """Return the digest of results, none of them NaN.

    Examples
    --------
    >>> digest(np.array([3.0, 1.0, 1.0, 2.0])).quantiles([0.0, 0.5, 1.0]).tolist()
    [1.0, 1.5, 3.0]
    """
    # A zero has no sign here.
    ordered = np.sort(results + 0.0)
    keys = _classes(ordered)
    first = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1))
    last = np.append(first[1:], len(keys))[: len(first)]
    return Digest(
        keys[first], (last - first).astype(np.int64), ordered[first], ordered[last - 1],
        moments_of(results),
    )  # fmt: skip


def merged(digests: Sequence[Digest]) -> Digest:
    """Return one digest of all; only the last digits of its moments depend on the order."""
    moments = Moments()
    for one in digests:
        moments = moments.joined(one.moments)
    keys = np.concatenate([one.keys for one in digests])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1))
    if not len(first):
        return Digest(keys, np.empty(0, dtype=np.int64), np.empty(0), np.empty(0), moments)

    def gathered(name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(one, name) for one in digests])[order]

    return Digest(
        keys[first],
        np.add.reduceat(gathered("counts"), first),
        np.minimum.reduceat(gathered("lowest"), first),
        np.maximum.reduceat(gathered("highest"), first),
        moments,
    )


def _classes(results: Array) -> NDArray[np.int32]:
    """Return the class of each result: sign, exponent and leading bits, in the order of numbers."""
    bits = results.view(np.int64) >> (_MANTISSA - _PLACES)
    sign = np.int64(1) << (63 - (_MANTISSA - _PLACES))
    # Of a negative number the larger bits are the smaller number.
    return np.where(bits < 0, -1 - (bits + sign), bits).astype(np.int32)
