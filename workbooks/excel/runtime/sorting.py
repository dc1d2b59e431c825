"""SORT and SORTBY: rows or columns in order, by one key or several.

The order is Excel's: numbers, texts without regard to case, FALSE, TRUE, errors by their number;
what is equal stays as it stands, and blanks come last whichever way. Held against two workbooks of
sorted arrays that Excel saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from udfs.cells import CellError
from workbooks.excel.runtime.coerce import Calendar, Grid, Refusal, cells, folded, rows, truth

_CALENDAR = Calendar()
#: Errors in the order of ERROR.TYPE.
_ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A")
_RANKS: dict[type, int] = {float: 0, str: 1, bool: 2, CellError: 3}


def _key(cell: Any) -> tuple[int, Any]:
    if isinstance(cell, CellError):
        known = cell.code in _ERRORS
        return _RANKS[CellError], _ERRORS.index(cell.code) if known else len(_ERRORS)
    return _RANKS[type(cell)], folded(cell)


def _ordered(lines: Sequence[Any], keys: Sequence[Sequence[Any]], orders: Sequence[int]) -> Grid:
    """Return lines in order; of several keys the first counts most."""
    places = list(range(len(lines)))
    # The last key first: what is equal stays as it stands.
    for key, order in reversed(list(zip(keys, orders, strict=True))):
        there = [i for i in places if key[i] is not None]
        blank = [i for i in places if key[i] is None]
        there.sort(key=lambda i: _key(key[i]), reverse=order < 0)
        places = there + blank
    return [[0.0 if cell is None else cell for cell in lines[i]] for i in places]


def _turned(grid: Sequence[Sequence[Any]]) -> Grid:
    return [list(line) for line in zip(*grid, strict=True)]


def _several(given: Any) -> list[int]:
    """Return whole numbers that stand in a row or a column."""
    grid = rows(given)
    if len(grid) > 1 and len(grid[0]) > 1:
        raise Refusal("#VALUE!", "a single row or column is wanted")
    for cell in cells(given):
        if isinstance(cell, CellError):
            raise Refusal(cell.code, cell.reason)
    return [int(_CALENDAR.number(cell)) for cell in cells(given)]


def _orders(given: Any, count: int) -> list[int]:
    """Return for each key whether it rises, 1, or falls, -1; one may stand for all."""
    orders = _several(1.0 if given is None else given)
    orders *= 1 if isinstance(given, list) else count
    if len(orders) != count or not set(orders) <= {1, -1}:
        raise Refusal("#VALUE!", "an order is 1 or -1, one for each key")
    return orders


def sort(array: Any, index: Any = None, order: Any = None, by_column: Any = None) -> Any:
    """Return SORT: rows in the order of a column or several, or columns in that of rows."""
    across = truth(by_column)
    lines = _turned(rows(array)) if across else rows(array)
    places = _several(1.0 if index is None else index)
    if not all(1 <= place <= len(lines[0]) for place in places):
        raise Refusal("#VALUE!", "what is sorted by lies outside the array")
    keys = [[line[place - 1] for line in lines] for place in places]
    found = _ordered(lines, keys, _orders(order, len(places)))
    return _turned(found) if across else found


def sort_by(array: Any, *given: Any) -> Any:
    """Return SORTBY: rows in the order of other columns, or columns in the order of other rows."""
    grid = rows(array)
    by, orders = [rows(one) for one in given[0::2]], [_orders(one, 1)[0] for one in given[1::2]]
    orders += [1] * (len(by) - len(orders))
    down = all((len(one), len(one[0])) == (len(grid), 1) for one in by)
    across = all((len(one), len(one[0])) == (1, len(grid[0])) for one in by)
    if not by or not (down or across):
        raise Refusal("#VALUE!", "keys are columns as high as the array, or rows as wide")
    if down:
        return _ordered(grid, [[row[0] for row in one] for one in by], orders)
    return _turned(_ordered(_turned(grid), [one[0] for one in by], orders))
