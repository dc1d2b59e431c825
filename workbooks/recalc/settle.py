"""Cells that the calculator turns out not to be able to evaluate go back to their old values.

Circles of formulas, and references that only fail while they are evaluated, show up in the values
alone. Each such cell becomes a constant, its value in the file, and what depends on it is
evaluated again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from udfs.cells import Cell, CellError
from workbooks.calc.protocol import LARGEST_SPILL, PLAIN, Calculator, CalculatorError
from workbooks.excel.odd_texts import is_odd
from workbooks.excel.runtime.arrays import Spills
from workbooks.formula.address import column_number
from workbooks.ooxml.scan import CELL, CELL_ATTRIBUTES, COLUMN, FORMULA, ROW, VALUE
from workbooks.recalc.plan import SheetPlan
from workbooks.recalc.splice import old_value
from workbooks.recalc.values import read_run

_MOST_ROUNDS = 20
_V = re.compile(rb"<v[^>]*+>([^<]*+)</v>")
# Values of larger sheets are read once more when they are written.
_REMEMBERED = 300_000

#: Returns the runs of rows of a sheet.
Rows = Callable[[SheetPlan], Iterable[bytes]]


def settle(plans: Iterable[SheetPlan], calculator: Calculator, spills: Spills, rows: Rows) -> None:
    """Read the values of all formulas; send back those that no spreadsheet would show."""
    sheets = list(plans)
    for _ in range(_MOST_ROUNDS):
        failed = {plan.info.part: _failed(plan, calculator) for plan in sheets}
        for plan in sheets:
            failed[plan.info.part].update(_too_large(plan, spills))
        if not any(failed.values()):
            return
        for plan in sheets:
            _send_back(plan, failed[plan.info.part], calculator, rows)
        calculator.evaluate()
    for plan in sheets:
        _failed(plan, calculator)


def _failed(plan: SheetPlan, calculator: Calculator) -> dict[tuple[int, int], str]:
    failed: dict[tuple[int, int], str] = {}
    plan.values = [] if plan.formulas <= _REMEMBERED else None
    for run in plan.runs:
        raw = read_run(calculator, plan.info.name, run)
        if plan.values is not None:
            plan.values.append(raw)
        kinds = set(map(type, raw))
        if str in kinds and not plan.odd:
            plan.odd = any(type(one) is str and is_odd(one) for one in raw)
        if kinds <= PLAIN:
            continue
        for row, column, one in zip(run.rows, run.columns, raw, strict=True):
            value: Any = None if type(one) in PLAIN else calculator.value(one)
            if isinstance(value, CalculatorError) and (row, column) not in plan.kept:
                failed[row, column] = value.reason
    return failed


def _too_large(plan: SheetPlan, spills: Spills) -> dict[tuple[int, int], str]:
    reason = f"its result has more than {LARGEST_SPILL:,} cells"
    found = {}
    for formula in plan.arrays:
        place = (formula.area.top, formula.area.left)
        if formula.spill is not None and place not in plan.kept:
            rows, columns = spills.shape(formula.spill)
            if rows * columns > LARGEST_SPILL:
                found[place] = reason
    return found


def _send_back(
    plan: SheetPlan, failed: Mapping[tuple[int, int], str], calculator: Calculator, rows: Rows
) -> None:
    if not failed:
        return
    plan.kept.update(failed)
    areas = [a.area for a in plan.arrays if (a.area.top, a.area.left) in failed]
    for block in rows(plan):
        for match in CELL.finditer(block) if areas else ():
            # What the array formula filled was taken out of the calculator's copy.
            row, column = int(match[2]), column_number(match[1].decode())
            if any(area.holds(row, column) for area in areas):
                content = _V.search(match[4] or b"")
                calculator.set_value(
                    plan.info.name, row, column, old_value(match[3], content and content[1])
                )
        for match in FORMULA.finditer(block):
            place = (int(match[ROW]), column_number(match[COLUMN].decode()))
            if place in failed:
                old: Cell = old_value(match[CELL_ATTRIBUTES], match[VALUE])
                # Without an old value it is an error, so that nothing is computed from a blank.
                value = CellError("#NAME?") if old is None else old
                calculator.set_value(plan.info.name, *place, value)
