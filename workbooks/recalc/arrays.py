"""Array formulas: how a result fills the cells it was entered in."""

from __future__ import annotations

from typing import Any

from udfs._cells import CellError

_MISSING = CellError("#N/A", "the array formula covers more cells than its result has")


def fit(value: Any, rows: Any, columns: Any) -> Any:
    """Return a result in the shape of the cells it was entered in.

    A single row, column or value is repeated; what is too large is cut off; cells beyond the
    result are #N/A (Excel's rule for array formulas entered with Ctrl+Shift+Enter).
    """
    height, width = int(rows), int(columns)
    grid = value if isinstance(value, list) else [[value]]
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
