"""The interval of numbers that an argument may take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, slots=True)
class Domain:
    """The closed interval of floats that an argument may take; NaN and infinity are outside."""

    low: float
    high: float
    allowed: str
    whole: bool = False
    same_as: str | None = None
    #: What a blank cell of a series stands for; where None, the series passes over it.
    blank: float | None = None
    #: What the elements of a series belong to; series of the same thing are paired.
    per: str = ""

    def admits(self, value: float) -> bool:
        """Tell whether one number lies in the domain."""
        return self.low <= value <= self.high and not (self.whole and value % 1)

    def holds(self, values: NDArray[np.float64]) -> bool:
        """Tell whether all numbers lie in the domain; the extremes tell, at half the time."""
        if not (
            values.size
            and self.low <= np.minimum.reduce(values, axis=None)
            and np.maximum.reduce(values, axis=None) <= self.high
        ):
            return not values.size
        return not self.whole or bool((values == np.floor(values)).all())

    def outside(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Mark the elements that do not lie in the domain."""
        inside = (values >= self.low) & (values <= self.high)
        if self.whole:
            inside &= values == np.floor(values)  # ten times as fast as the remainder
        return ~inside
