"""The calculator's values of many cells, read with as few calls as their places allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbooks.calc.protocol import Calculator
from workbooks.recalc.plan import Formulas

# Reading a rectangle costs little for each cell; past this many idle ones, single cells are
# cheaper.
_IDLE = 64
_SLACK = 4096


def read_run(calculator: Calculator, sheet: str, run: Formulas) -> list[Any]:
    """Return the values of a run's formulas: those known before, else the calculator's."""
    if not run.known:
        return _read(calculator, sheet, run.rows, run.columns)
    values: list[Any] = list(run.known)
    waiting = [i for i, value in enumerate(values) if value is None]
    rows, columns = [run.rows[i] for i in waiting], [run.columns[i] for i in waiting]
    for i, value in zip(waiting, _read(calculator, sheet, rows, columns), strict=True):
        values[i] = value
    return values


def _read(
    calculator: Calculator, sheet: str, rows: Sequence[int], columns: Sequence[int]
) -> list[Any]:
    """Return the calculator's values of the cells in these rows and columns, in their order."""
    if not rows:
        return []
    used = sorted(set(columns))
    top, bottom = min(rows), max(rows)
    if (bottom - top + 1) * len(used) > _IDLE * len(rows) + _SLACK:
        return [
            calculator.values(sheet, row, column, row, column)[0][0]
            for row, column in zip(rows, columns, strict=True)
        ]
    if used[-1] - used[0] + 1 == len(used):
        left = used[0]
        block = calculator.values(sheet, top, left, bottom, used[-1])
        if len(used) == 1 and len(rows) == len(block):
            return [row[0] for row in block]
        return [block[r - top][c - left] for r, c in zip(rows, columns, strict=True)]
    by_column = {c: calculator.values(sheet, top, c, bottom, c) for c in used}
    return [by_column[c][r - top][0] for r, c in zip(rows, columns, strict=True)]
