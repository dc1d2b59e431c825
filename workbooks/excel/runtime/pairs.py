"""Sums over ranges whose cells belong together, and the value that comes most often.

Excel counts what is no number as 0 in SUMPRODUCT, truth values too, and wants arrays of one size;
the sums of squares leave out the pairs of which one is no number. The calculator does neither.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from typing import Any

from udfs.cells import CellError
from workbooks.excel.runtime.coerce import rows


def sum_of_products(*arrays: Any) -> Any:
    """Answer SUMPRODUCT."""
    grids = [rows(array) for array in arrays]
    if not grids or len({(len(grid), len(grid[0])) for grid in grids}) != 1:
        return CellError("#VALUE!", "the arrays have different sizes")
    total = 0.0
    for lines in zip(*grids, strict=True):
        for cells in zip(*lines, strict=True):
            product = 1.0
            for cell in cells:
                product *= cell if type(cell) is float else 0.0
            total += product
    return total


def of_pairs(term: Callable[[float, float], float]) -> Callable[[Any, Any], Any]:
    """Return a sum over the pairs of two ranges, by what a pair adds to it."""

    def summed(left: Any, right: Any) -> Any:
        a = [cell for row in rows(left) for cell in row]
        b = [cell for row in rows(right) for cell in row]
        if len(a) != len(b):
            return CellError("#N/A", "the ranges have different sizes")
        pairs = [(x, y) for x, y in zip(a, b, strict=True) if type(x) is float and type(y) is float]
        if not pairs:
            return CellError("#DIV/0!", "no pair of numbers")
        return sum(term(x, y) for x, y in pairs)

    return summed


def mode(*arguments: Any) -> Any:
    """Return the number that comes most often."""
    numbers = [cell for a in arguments for row in rows(a) for cell in row if type(cell) is float]
    # Of values that come equally often, the first: a Counter keeps their order.
    counted = Counter(numbers).most_common(1)
    if not counted or counted[0][1] < 2:
        return CellError("#N/A", "no value comes twice")
    return counted[0][0]


def modes(*arguments: Any) -> Any:
    """Return the numbers that come most often, one below the other, the first first."""
    numbers = [cell for a in arguments for row in rows(a) for cell in row if type(cell) is float]
    counted = Counter(numbers)
    most = max(counted.values(), default=0)
    if most < 2:
        return CellError("#N/A", "no value comes twice")
    return [[number] for number, count in counted.items() if count == most]


def frequency(data: Any, bins: Any) -> Any:
    """Return how many numbers are up to each limit and beyond the one before; then those beyond.

    A blank limit is 0. Of equal limits, the first has the numbers.
    """
    numbers = sorted(cell for row in rows(data) for cell in row if type(cell) is float)
    limits = [0.0 if cell is None else cell for row in rows(bins) for cell in row]
    limits = [cell for cell in limits if type(cell) is float]
    counts = [0.0] * (len(limits) + 1)
    below = 0
    for place in sorted(range(len(limits)), key=limits.__getitem__):
        upto = bisect_right(numbers, limits[place])
        counts[place] = float(upto - below)
        below = upto
    counts[-1] = float(len(numbers) - below)
    return [[count] for count in counts]
