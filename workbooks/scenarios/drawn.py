"""Draws with their results, conditions on them, and what is kept of more than memory holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.uncertainty.digest import Digest, digest, merged
from engine.uncertainty.statistics import (
    mean,
    quantiles_of,
    shortfall,
    standard_deviation,
    standard_error,
)
from workbooks.errors import BadInputError

Array = NDArray[np.float64]

_CONDITION = re.compile(r"(.+?)\s*(<=|>=|<>|<|>|=)\s*([-+0-9.eE]+)")
_HOLDS: Mapping[str, Callable[[Array, float], NDArray[np.bool_]]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
    "=": np.equal, "<>": np.not_equal,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that may hold for an output in a draw: `cash_month_24<0`."""

    text: str
    output: str
    sign: str
    value: float

    def holds(self, results: Array) -> NDArray[np.bool_]:
        """Tell in which draws it holds; in none without a number, which nothing is said of."""
        return _HOLDS[self.sign](results, self.value) & ~np.isnan(results)


def condition(text: str) -> Condition:
    """Read a condition."""
    found = _CONDITION.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        return Condition(text.strip(), found[1].strip(), found[2], float(found[3]))
    except ValueError:
        raise BadInputError(f"{text!r} is no condition; write it as runway_months<12") from None


@dataclass(slots=True)
class Draws:
    """The draws and their results: a row an input or output, a column a draw.

    A result that is an error or a text is NaN; `codes` holds its place in `labels`, and -1 where
    there is a number.
    """

    inputs: Array
    outputs: Array
    codes: NDArray[np.int16]
    labels: tuple[str, ...]


class Results(Protocol):
    """The numbers of an output, all of them or a digest."""

    @property
    def count(self) -> int:
        """How many there are."""

    def mean(self) -> float:
        """Return the mean."""

    def standard_deviation(self) -> float:
        """Return the standard deviation of a sample."""

    def standard_error(self) -> float:
        """Return the standard error of the mean."""

    def smallest(self) -> float:
        """Return the smallest."""

    def largest(self) -> float:
        """Return the largest."""

    def quantiles(self, shares: Sequence[float] | Array) -> Array:
        """Return quantiles."""

    def shortfall(self, share: float, *, upper: bool = False) -> float:
        """Return the mean of the worst share."""

    def histogram(self, classes: int) -> tuple[Array, Array]:
        """Return how many lie in each class, and the edges of the classes."""


@dataclass(frozen=True, slots=True)
class Exact:
    """All numbers of an output."""

    values: Array

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.values)

    def mean(self) -> float:
        """Return the mean."""
        return mean(self.values)

    def standard_deviation(self) -> float:
        """Return the standard deviation of a sample."""
        return standard_deviation(self.values)

    def standard_error(self) -> float:
        """Return the standard error of the mean."""
        return standard_error(self.values)

    def smallest(self) -> float:
        """Return the smallest."""
        return float(self.values.min())

    def largest(self) -> float:
        """Return the largest."""
        return float(self.values.max())

    def quantiles(self, shares: Sequence[float] | Array) -> Array:
        """Return quantiles."""
        return quantiles_of(self.values, shares)

    def shortfall(self, share: float, *, upper: bool = False) -> float:
        """Return the mean of the worst share."""
        return shortfall(self.values, share, upper=upper)

    def histogram(self, classes: int) -> tuple[Array, Array]:
        """Return how many lie in each class, and the edges of the classes."""
        counts, edges = np.histogram(self.values, bins=classes)
        return counts.astype(np.float64), edges


@dataclass(frozen=True, slots=True)
class Summary:
    """What is kept of draws that are not.

    `digests` and `lost` have an entry an output: its numbers, and how often it is which error or
    text; `held` says in how many draws each condition holds.
    """

    draws: int
    digests: tuple[Digest, ...]
    lost: tuple[Mapping[str, int], ...]
    held: tuple[int, ...]


def summary_of(draws: Draws, outputs: Sequence[str], conditions: Sequence[Condition]) -> Summary:
    """Return what is kept of some draws."""
    return Summary(
        draws.codes.shape[1],
        tuple(digest(row[~np.isnan(row)]) for row in draws.outputs),
        tuple(lost(codes, draws.labels) for codes in draws.codes),
        tuple(int(one.holds(draws.outputs[outputs.index(one.output)]).sum()) for one in conditions),
    )


def lost(codes: NDArray[np.int16], labels: Sequence[str]) -> dict[str, int]:
    """Return how often an output is which error or text."""
    places, counts = np.unique(codes[codes >= 0], return_counts=True)
    return {labels[place]: int(n) for place, n in zip(places, counts, strict=True)}


def joined(summaries: Sequence[Summary]) -> Summary:
    """Return what is kept of all these draws, which are in their order."""
    together = [sum((Counter(one) for one in each), Counter[str]()) for each in
                zip(*(one.lost for one in summaries), strict=True)]  # fmt: skip
    return Summary(
        sum(one.draws for one in summaries),
        tuple(merged(each) for each in zip(*(one.digests for one in summaries), strict=True)),
        tuple(together),
        tuple(sum(each) for each in zip(*(one.held for one in summaries), strict=True)),
    )
