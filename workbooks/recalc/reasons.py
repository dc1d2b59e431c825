"""Why a cell shows an error value."""

from __future__ import annotations

from collections.abc import Container, Iterable

from udfs.cells import CellError
from workbooks.calc.protocol import Calculator
from workbooks.excel.context import KeepOldValueError, Place
from workbooks.excel.pipeline import Pipeline
from workbooks.formula.address import full_name
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.references import Reference
from workbooks.formula.tree import Call, Node, walk
from workbooks.recalc.report import CellProblem, Report
from workbooks.recalc.splice import Pending

# Asking a function again costs some milliseconds; a model in which more cells fail has one cause.
_EXPLAINED = 50
_LARGEST_AREA = 10_000
_GENERAL = {
    "#NULL!": "the ranges have no cell in common",
    "#DIV/0!": "division by zero",
    "#VALUE!": "an argument is of the wrong kind",
    "#REF!": "a reference to cells that do not exist",
    "#NAME?": "a name that is not defined",
    "#NUM!": "a number that the function does not allow",
    "#N/A": "a value is not available",
    "#SPILL!": "cells in the way of the result are not empty",
    "#CALC!": "a calculation that has no result",
}


def explain(
    pending: Iterable[Pending],
    report: Report,
    calculator: Calculator,
    pipeline: Pipeline,
    own: Container[str],
) -> None:
    """Fill in the reasons of the errors that the report lists."""
    for i, cell in enumerate(pending):
        problem = report.errors[cell.place]
        tree = _tree(cell.text)
        functions = [n.name for n in walk(tree) if isinstance(n, Call)] if tree is not None else []
        ours = [name for name in functions if name in own]
        function = (ours or functions or [""])[0]
        reason = problem.reason
        if not reason and i < _EXPLAINED:
            reason = _passed_on(tree, cell.sheet, calculator) if tree is not None else ""
            if not reason and ours:
                reason = _own_reason(cell, calculator, pipeline)
        report.errors[cell.place] = CellProblem(
            problem.address, function, problem.code, reason or _GENERAL.get(problem.code, "")
        )


def _tree(text: str) -> Node | None:
    try:
        return parse(text)
    except FormulaError:
        return None


def _own_reason(cell: Pending, calculator: Calculator, pipeline: Pipeline) -> str:
    try:
        lowered = pipeline.text(cell.text, Place(cell.sheet, cell.row, cell.column))
    except KeepOldValueError as error:
        return str(error)
    return calculator.explain(cell.sheet, cell.row, cell.column, lowered)


def _passed_on(tree: Node, sheet: str, calculator: Calculator) -> str:
    """Name the cell that an error comes from, where the formula refers to one in error."""
    for node in walk(tree):
        if not isinstance(node, Reference) or node.to_sheet is not None:
            continue
        area = node.area
        if area.rows * area.columns > _LARGEST_AREA:
            continue
        where = node.sheet or sheet
        for r, row in enumerate(calculator.values(where, *area)):
            for c, raw in enumerate(row):
                found = calculator.value(raw)
                if isinstance(found, CellError):
                    place = full_name(where, area.top + r, area.left + c)
                    return f"{found.code} passed on from {place}"
    return ""
