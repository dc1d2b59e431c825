"""XLOOKUP for the next smaller or larger value, in values that need no order."""

from __future__ import annotations

from typing import Any

from udfs.cells import CellError


def _rows(cell: Any) -> list[list[Any]]:
    return cell if isinstance(cell, list) else [[cell]]


def _folded(cell: Any) -> Any:
    return cell.casefold() if isinstance(cell, str) else cell


def next_lookup(
    wanted: Any, vector: Any, results: Any, missing: Any, mode: Any, order: Any = 1.0
) -> Any:
    """Answer XLOOKUP with a mode of -1 or 1: the value, else the next smaller or larger one."""
    if isinstance(wanted, CellError):
        return wanted
    rows, answers = _rows(vector), _rows(results)
    down = len(rows[0]) == 1
    searched = [row[0] for row in rows] if down else rows[0]
    if len(searched) != (len(answers) if down else len(answers[0])):
        return CellError("#VALUE!", "as many results as values are wanted")
    key = 0.0 if wanted is None else _folded(wanted)
    # Values of other kinds are passed over.
    found = [(i, _folded(v)) for i, v in enumerate(searched) if type(v) is type(key)]
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
