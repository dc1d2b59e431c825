"""Lookups that need no order, and the place of the last value that is not larger."""

from __future__ import annotations

from typing import Any

from udfs.cells import CellError
from workbooks.excel.runtime.coerce import folded, rows

#: In Excel's order numbers come before texts, and those before truth values.
_ORDER: dict[type, int] = {float: 0, str: 1, bool: 2}


def _key(cell: Any) -> tuple[int, Any]:
    return _ORDER[type(cell)], folded(cell)


def next_lookup(
    wanted: Any, vector: Any, results: Any, missing: Any, mode: Any, order: Any = 1.0
) -> Any:
    """Answer XLOOKUP with a mode of -1 or 1: the value, else the next smaller or larger one."""
    if isinstance(wanted, CellError):
        return wanted
    searched_rows, answers = rows(vector), rows(results)
    down = len(searched_rows[0]) == 1
    if not down and len(searched_rows) > 1:
        return CellError("#VALUE!", "one row or one column is searched")
    searched = [row[0] for row in searched_rows] if down else searched_rows[0]
    if len(searched) != (len(answers) if down else len(answers[0])):
        return CellError("#VALUE!", "as many results as values are wanted")
    key = _key(0.0 if wanted is None else wanted)
    # Blanks and errors are passed over.
    found = [(i, _key(cell)) for i, cell in enumerate(searched) if type(cell) in _ORDER]
    if float(order or 1) < 0:
        found.reverse()
    up = float(mode) > 0
    beside = [(i, v) for i, v in found if (v >= key if up else v <= key)]
    if not beside:
        return missing
    # Of equal values, the first that is met.
    index = (min if up else max)(beside, key=lambda pair: pair[1])[0]
    line = [answers[index]] if down else [[row[index]] for row in answers]
    return line if len(line) * len(line[0]) > 1 else line[0][0]


def matched(wanted: Any, vector: Any) -> Any:
    """Return the place of the last value that is not larger than the one that is wanted.

    As in Excel, values of other kinds are passed over; in a vector without order the search by
    halves decides.
    """
    if isinstance(wanted, CellError):
        return wanted
    grid = rows(vector)
    if isinstance(wanted, list) or (len(grid) > 1 and len(grid[0]) > 1):
        return CellError("#N/A", "one value and one row or column are wanted")
    value = 0.0 if wanted is None else folded(wanted)
    cells = [folded(cell) for row in grid for cell in row]
    places = [i for i, cell in enumerate(cells) if type(cell) is type(value)]
    low, high = 0, len(places)
    while low < high:
        middle = (low + high) // 2
        if cells[places[middle]] <= value:
            low = middle + 1
        else:
            high = middle
    return places[low - 1] + 1.0 if low else CellError("#N/A", "all values are larger")
