"""Sums over ranges whose cells belong together, and the value that comes most often.

Excel counts what is no number as 0 in SUMPRODUCT, truth values too, and wants arrays of one size;
the sums of squares leave out the pairs of which one is no number. The engine does neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from udfs.cells import CellError


def _rows(cell: Any) -> list[list[Any]]:
    return cell if isinstance(cell, list) else [[cell]]


def sum_of_products(*arrays: Any) -> Any:
    """Answer SUMPRODUCT."""
    grids = [_rows(array) for array in arrays]
    if not grids or len({(len(grid), len(grid[0])) for grid in grids}) != 1:
        return CellError("#VALUE!", "the arrays have different sizes")
    if any(isinstance(array, str) for array in arrays):
        return CellError("#VALUE!", "a number is wanted, not a text")
    total = 0.0
    for rows in zip(*grids, strict=True):
        for cells in zip(*rows, strict=True):
            product = 1.0
            for cell in cells:
                product *= cell if type(cell) is float else 0.0
            total += product
    return total


def _of_pairs(term: Callable[[float, float], float]) -> Callable[[Any, Any], Any]:
    def summed(left: Any, right: Any) -> Any:
        a = [cell for row in _rows(left) for cell in row]
        b = [cell for row in _rows(right) for cell in row]
        if len(a) != len(b):
            return CellError("#N/A", "the ranges have different sizes")
        pairs = [(x, y) for x, y in zip(a, b, strict=True) if type(x) is float and type(y) is float]
        if not pairs:
            return CellError("#DIV/0!", "no pair of numbers")
        return sum(term(x, y) for x, y in pairs)

    return summed


def _mode(*arguments: Any) -> Any:
    numbers = [cell for a in arguments for row in _rows(a) for cell in row if type(cell) is float]
    # Of values that come equally often, the first: a Counter keeps their order.
    counted = Counter(numbers).most_common(1)
    if not counted or counted[0][1] < 2:
        return CellError("#N/A", "no value comes twice")
    return counted[0][0]


#: The functions by name.
PAIRS: dict[str, Callable[..., Any]] = {
    "SUMPRODUCT": sum_of_products,
    "SUMX2MY2": _of_pairs(lambda x, y: x * x - y * y),
    "SUMX2PY2": _of_pairs(lambda x, y: x * x + y * y),
    "SUMXMY2": _of_pairs(lambda x, y: (x - y) ** 2),
    "MODE": _mode,
    "MODE.SNGL": _mode,
}
