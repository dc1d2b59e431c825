"""Array formulas: how a result fills the cells it was entered in, and how far one spills."""

from __future__ import annotations

from typing import Any

from udfs.cells import CellError

_NOTHING = CellError("#CALC!", "nothing is left of the array")
_MISSING = CellError("#N/A", "the array formula covers more cells than its result has")


def fit(value: Any, rows: Any, columns: Any) -> Any:
    """Return a result in the shape of the cells it was entered in.

    A single row, column or value is repeated; what is too large is cut off; cells beyond the
    result are #N/A (Excel's rule for array formulas entered with Ctrl+Shift+Enter).
    """
    height, width = int(rows), int(columns)
    if _is_nothing(value):
        return _NOTHING
    grid = _without_blanks(value if isinstance(value, list) else [[value]])
    if height == width == 1:
        return grid[0][0]
    have_rows, have_columns = len(grid), len(grid[0])
    return [
        [
            grid[0 if have_rows == 1 else r][0 if have_columns == 1 else c]
            if (r < have_rows or have_rows == 1) and (c < have_columns or have_columns == 1)
            else _MISSING
            for c in range(width)
        ]
        for r in range(height)
    ]


def _is_nothing(value: Any) -> bool:
    """Tell whether an array has no cells, as what DROP leaves may have."""
    return isinstance(value, list) and not (value and value[0])


def _without_blanks(grid: list[list[Any]]) -> list[list[Any]]:
    """Return a result as it is shown: a blank cell is 0."""
    if not any(cell is None for row in grid for cell in row):
        return grid
    return [[0.0 if cell is None else cell for cell in row] for row in grid]


class Spills:
    """How far the results of dynamic array formulas reach; each has a number."""

    def __init__(self) -> None:
        self._shapes: dict[int, tuple[int, int]] = {}
        self._errors: dict[int, str] = {}
        self._count = 0

    def new(self) -> int:
        """Return a number for one more formula."""
        self._count += 1
        return self._count

    def spill(self, value: Any, number: Any) -> Any:
        """Note the shape of a result and hand it on; formulas are wrapped in this."""
        if _is_nothing(value):
            value = _NOTHING
        rows = value if isinstance(value, list) else [[value]]
        self._shapes[int(number)] = (len(rows), len(rows[0]))
        first = rows[0][0]
        self._errors[int(number)] = first.code if isinstance(first, CellError) else ""
        return _without_blanks(rows) if value is rows else value

    def shape(self, number: int) -> tuple[int, int]:
        """Return rows and columns of a result."""
        return self._shapes.get(number, (1, 1))

    def first_error(self, number: int) -> str:
        """Return the error that a result begins with; empty where it begins with none."""
        return self._errors.get(number, "")
