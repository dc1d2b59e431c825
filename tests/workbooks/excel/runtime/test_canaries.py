"""What the bare calculator gives for the published values: where it is right, ours can go.

For every function that is replaced a row of its tables has to come out wrong without us. One that
fails here says that the calculator has learnt the function: take the replacement out.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import formualizer as fz
import pytest
from openpyxl.utils import coordinate_to_tuple

from workbooks.excel.runtime.registry import ANSWERS

_SPEC = importlib.util.spec_from_file_location(
    "published_values", Path(__file__).with_name("test_values.py")
)
assert _SPEC is not None
assert _SPEC.loader is not None
tables = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tables)

CODES = {
    "Null": "#NULL!",
    "Div": "#DIV/0!",
    "Value": "#VALUE!",
    "Ref": "#REF!",
    "Name": "#NAME?",
    "Num": "#NUM!",
    "Na": "#N/A",
    # A file holds what Excel shows as #CALC! under this code.
    "Calc": "#VALUE!",
}
COLUMN = 60


def given(expected: str) -> object:
    """Return what a cell is set to."""
    value = tables.meant(expected)
    code = {code: kind for kind, code in CODES.items()}.get(expected)
    return fz.LiteralValue.error(code, None) if code else value


def bare(path: Path) -> list[tuple[str, bool]]:
    """Return the formulas of a table, and whether the bare calculator gives what is published."""
    workbook = fz.Workbook()
    workbook.set_temporal_egress("serial")
    workbook.add_sheet("S")
    out = []
    for number, (formula, expected, _) in enumerate(tables.rows_of(path), 2):
        if tables.ADDRESS.fullmatch(formula):
            row, column = coordinate_to_tuple(formula)
            if expected.startswith("="):
                workbook.set_formula("S", row, column, expected)
            else:
                workbook.set_value("S", row, column, given(expected))
            continue
        try:
            workbook.set_formula("S", number, COLUMN, f"={formula}")
            found = workbook.evaluate_cell("S", number, COLUMN)
        except (ValueError, RuntimeError, fz.ExcelEvaluationError, fz.ParserError):
            found = None
        if isinstance(found, dict):
            found = CODES.get(str(found.get("kind")), "?")
        out.append((formula, tables.agrees("" if found is None else found, expected)))
    return out


@cache
def wrong() -> frozenset[str]:
    """Return the formulas that the bare calculator gets wrong."""
    return frozenset(
        formula
        for path in sorted(tables.TABLES.glob("*.csv"))
        for formula, right in bare(path)
        if not right
    )


@pytest.mark.parametrize("name", ANSWERS)
def test_the_calculator_needs_the_replacement(name: str) -> None:
    # Some functions have two names, of which the calculator may know one.
    same = [other for other in ANSWERS if ANSWERS[other].function is ANSWERS[name].function]
    assert any(f"{other}(" in formula for formula in wrong() for other in same)
