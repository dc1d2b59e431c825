"""AGGREGATE with a rank: largest, smallest, percentiles and quartiles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.cells import CellError
from workbooks.excel.runtime.coerce import cells

_IGNORES_ERRORS = 6


def ranked(kind: Any, options: Any, array: Any, rank: Any) -> Any:
    """Answer AGGREGATE with one of the functions that take a rank (14 to 19)."""
    found = cells(array)
    error = next((cell for cell in found if isinstance(cell, CellError)), None)
    if error is not None and options != _IGNORES_ERRORS:
        return error
    numbers = np.sort(np.array([cell for cell in found if type(cell) is float]))
    if isinstance(rank, list):
        return [[_ranked(int(kind), numbers, cell) for cell in row] for row in rank]
    return _ranked(int(kind), numbers, rank)


def _ranked(kind: int, numbers: NDArray[np.float64], rank: Any) -> Any:
    if isinstance(rank, CellError):
        return rank
    if not isinstance(rank, float) or not numbers.size:
        return CellError("#NUM!" if isinstance(rank, float) else "#VALUE!", "no rank, or no number")
    count = numbers.size
    if kind in (14, 15):
        place = math.ceil(rank) - 1
        ordered = numbers[::-1] if kind == 14 else numbers
        if 0 <= place < count:
            return float(ordered[place])
        return CellError("#NUM!", "there are fewer numbers than that")
    share = math.floor(rank) / 4 if kind in (17, 19) else rank
    place_of = share * (count - 1) if kind in (16, 17) else share * (count + 1) - 1
    if not 0 <= share <= 1 or not 0 <= place_of <= count - 1:
        return CellError("#NUM!", "the share lies outside the numbers")
    return float(np.interp(place_of, np.arange(count), numbers))
