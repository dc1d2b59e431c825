"""Why a cell shows an error value."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

from udfs.cells import CellError
from workbooks.calc.protocol import Engine
from workbooks.excel.passes.lower import Lowering, Place, UnevaluableError
from workbooks.formula.address import full_name, parse_area, split_sheet
from workbooks.formula.tokens import FormulaError, Node, function_name, is_range_token, read_formula
from workbooks.ooxml.splice import Pending
from workbooks.recalc.report import CellProblem, Report

# Asking a function again costs some milliseconds; a model in which more cells fail has one cause.
_EXPLAINED = 50
_LARGEST_AREA = 10_000
_CALL = re.compile(r"([A-Za-z_][\w.]*)\(")
_TEXT = re.compile(r'"[^"]*"')
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
    engine: Engine,
    lowering: Lowering,
    own: Container[str],
) -> None:
    """Fill in the reasons of the errors that the report lists."""
    for i, cell in enumerate(pending):
        problem = report.errors[cell.place]
        functions = [function_name(name) for name in _CALL.findall(_TEXT.sub("", cell.text))]
        ours = [name for name in functions if name in own]
        function = (ours or functions or [""])[0]
        reason = problem.reason
        if not reason and i < _EXPLAINED:
            tree = _tree(cell.text)
            reason = _passed_on(tree, cell.sheet, engine) if tree is not None else ""
            if not reason and ours:
                reason = _own_reason(cell, engine, lowering)
        report.errors[cell.place] = CellProblem(
            problem.address, function, problem.code, reason or _GENERAL.get(problem.code, "")
        )


def _tree(text: str) -> Node | None:
    try:
        return read_formula(text)
    except FormulaError:
        return None


def _own_reason(cell: Pending, engine: Engine, lowering: Lowering) -> str:
    try:
        lowered = lowering.lowered(cell.text, Place(cell.sheet, cell.row, cell.column))
    except UnevaluableError as error:
        return str(error)
    return engine.explain(cell.sheet, cell.row, cell.column, lowered)


def _passed_on(tree: Node, sheet: str, engine: Engine) -> str:
    """Name the cell that an error comes from, where the formula refers to one in error."""
    for node in tree.walk():
        for argument in node.arguments:
            for item in argument:
                if not is_range_token(item):
                    continue
                name, reference = split_sheet(item.value)
                area = parse_area(reference)
                if area is None or area.rows * area.columns > _LARGEST_AREA:
                    continue
                where = name or sheet
                for r, row in enumerate(engine.values(where, *area)):
                    for c, raw in enumerate(row):
                        found = engine.value(raw)
                        if isinstance(found, CellError):
                            place = full_name(where, area.top + r, area.left + c)
                            return f"{found.code} passed on from {place}"
    return ""
