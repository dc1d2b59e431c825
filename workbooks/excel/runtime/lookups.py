"""Lookups that need no order, and the search of those that do."""

from __future__ import annotations

from typing import Any

from udfs.cells import CellError
from workbooks.excel.runtime.coerce import folded, rows

#: In Excel's order numbers come before texts, and those before truth values.
_BY_HALVES = 2.0
IN_ORDER: dict[type, int] = {float: 0, str: 1, bool: 2}


def order_of(cell: Any) -> tuple[int, Any]:
    """Return what a cell has its place in Excel's order by."""
    return IN_ORDER[type(cell)], folded(cell)


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
    index = _next(wanted, searched, mode, order)
    if index is None:
        return missing
    line = [answers[index]] if down else [[row[index]] for row in answers]
    return line if len(line) * len(line[0]) > 1 else line[0][0]


def next_match(wanted: Any, vector: Any, mode: Any, order: Any = 1.0) -> Any:
    """Answer XMATCH with a mode of -1 or 1: the place of the value, else of the next one."""
    if isinstance(wanted, CellError):
        return wanted
    grid = rows(vector)
    if isinstance(wanted, list) or (len(grid) > 1 and len(grid[0]) > 1):
        return CellError("#VALUE!", "one value and one row or column are wanted")
    index = _next(wanted, [cell for row in grid for cell in row], mode, order)
    return CellError("#N/A", "no value fits") if index is None else index + 1.0


def _next(wanted: Any, searched: list[Any], mode: Any, order: Any) -> int | None:
    """Return the place of a value, or by mode of the next smaller or larger one, from 0 on.

    What is wanted may be blank: that is a blank cell, or comes after all values.
    """
    if wanted is None and None in searched:
        return searched.index(None)
    key = (len(IN_ORDER), 0.0) if wanted is None else order_of(wanted)
    # Blanks and errors are passed over.
    found = [(i, order_of(cell)) for i, cell in enumerate(searched) if type(cell) in IN_ORDER]
    if float(order or 1) < 0:
        found.reverse()
    if abs(float(order or 1)) == _BY_HALVES:
        return _by_halves(key, found, float(mode))
    up = float(mode) > 0
    beside = [(i, v) for i, v in found if (v >= key if up else v <= key)]
    if not beside:
        return None
    # Of equal values, the first that is met.
    return (min if up else max)(beside, key=lambda pair: pair[1])[0]


def _by_halves(
    key: tuple[int, Any], found: list[tuple[int, tuple[int, Any]]], mode: float
) -> int | None:
    """Search for the value that is met last, or the next; in data without order, as Excel does.

    Held against two workbooks of lookups that Excel saved.
    """
    low, high, exact = 0, len(found) - 1, None
    while low <= high:
        middle = (low + high) // 2
        if found[middle][1] < key:
            low = middle + 1
        else:
            exact = found[middle][0] if found[middle][1] == key else exact
            high = middle - 1
    if exact is not None:
        return exact
    if mode > 0 and low < len(found):
        return found[low][0]
    return found[low - 1][0] if mode < 0 and low else None


def matched(wanted: Any, vector: Any, order: Any = 1.0) -> Any:
    """Return the place that MATCH finds with an order: 1 for rising values, -1 for falling ones.

    The search is Excel's, so that data which are in no such order give what Excel gives: rising
    values are searched by halves, falling ones from the first on. Values of other kinds are passed
    over. Held against a workbook of lookups that Excel saved.
    """
    if isinstance(wanted, CellError):
        return wanted
    grid = rows(vector)
    if isinstance(wanted, list) or (len(grid) > 1 and len(grid[0]) > 1):
        return CellError("#N/A", "one value and one row or column are wanted")
    value = 0.0 if wanted is None else folded(wanted)
    cells = [folded(cell) for row in grid for cell in row]
    place = (_falling if float(order or 0) < 0 else rising)(value, cells)
    return float(place) if place else CellError("#N/A", "no value fits")


def rising(value: Any, cells: list[Any]) -> int:
    """Search by halves for the last value that is not larger; 0 where there is none.

    Texts are handed over in one case.
    """
    kind, low, high, best = type(value), 0, len(cells) - 1, 0
    while low <= high:
        middle = (low + high) // 2
        place = middle
        while place <= high and type(cells[place]) is not kind:
            place += 1
        if place > high:
            high = middle - 1
        elif cells[place] == value:
            # Of equal values beside each other, the last.
            while place + 1 < len(cells) and _equal(cells[place + 1], value):
                place += 1
            return place + 1
        elif cells[place] < value:
            best, low = place + 1, place + 1
        else:
            high = middle - 1
    return best


def _falling(value: Any, cells: list[Any]) -> int:
    """Search from the first on for the last value that is not smaller; 0 where there is none."""
    kind, best = type(value), 0
    for place, cell in enumerate(cells, 1):
        if type(cell) is kind:
            if cell < value:
                break
            best = place
    return best


def _equal(cell: Any, value: Any) -> bool:
    return type(cell) is type(value) and bool(cell == value)
