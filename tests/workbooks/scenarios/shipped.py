"""The shipped templates, and scenarios that change every input of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from workbooks import templates
from workbooks.recalc import recalculate

Value = float | str

#: The scenarios of each template, by name, the one that it is built with first or among them.
SCENARIOS = {
    "plan": ("Base", "Upside", "Downside"),
    "breakeven": ("Steady", "Price war", "Efficiency"),
    "ownership": ("Steady load", "Office hours", "Cheap rental"),
    "applications": ("Frontier model", "Chat model", "Agents"),
    "market": ("Price floor", "As projected", "Price war"),
    "serving": ("Chat", "Long prompts", "Batch"),
}
#: The templates that stand for all where each takes seconds; the others are tried in CI.
FEW = ("breakeven", "ownership", "applications")


def few_first(few: Iterable[str] = FEW) -> list[object]:
    """Return the name of every template to try, marked `long` but for a few."""
    few = tuple(few)
    others = [name for name in templates.NAMES if name not in few]
    return [*few, *(pytest.param(name, marks=pytest.mark.long) for name in others)]


def scenarios_to_try(few: Iterable[str]) -> list[object]:
    """Return template and scenario to try, marked `long` but for a few templates."""
    few = tuple(few)
    return [
        (name, scenario) if name in few else pytest.param(name, scenario, marks=pytest.mark.long)
        for name, scenarios in SCENARIOS.items()
        for scenario in scenarios
    ]


def inputs_of(name: str, path: Path) -> dict[str, tuple[Value, list[Value]]]:
    """Return the input cells of a template: what each holds, and what its list allows."""
    workbook = load_workbook(path, data_only=True)
    book = templates.lay_out(name)
    allowed = {
        (ref.sheet, ref.row, ref.column): _listed(workbook, ref.sheet, choices)
        for sheet in book.sheets
        for ref, choices in sheet.choices
    }
    return {
        f"'{sheet.name}'!{_address(cell.row, cell.column)}": (
            float(cell.value) if isinstance(cell.value, int) else cell.value,
            allowed.get((sheet.name, cell.row, cell.column), []),
        )
        for sheet in book.sheets
        for cell in sheet.cells
        if cell.role == "input" and isinstance(cell.value, int | float | str)
    }


def scenarios_of(inputs: dict[str, tuple[Value, list[Value]]]) -> list[list[Value]]:
    """Return scenarios that go down, up, up and down by turns, and far out of every domain."""
    factors = (lambda _: 0.93, lambda _: 1.06, lambda i: 0.8 if i % 2 else 1.2, lambda _: -3.0)
    return [
        [
            _varied(value, choices, factor(i), turn)
            for i, (value, choices) in enumerate(inputs.values())
        ]
        for turn, factor in enumerate(factors, 1)
    ]


def formulas_of(path: Path) -> list[str]:
    """Return every cell with a formula, and every cell that one fills."""
    return [address for sheet in load_workbook(path) for address in _filled(sheet)]


def values_of(path: Path, addresses: list[str]) -> list[object]:
    """Return what these cells hold."""
    workbook = load_workbook(path, data_only=True)
    places = (address.rsplit("!", 1) for address in addresses)
    found = [workbook[sheet.strip("'")][cell].value for sheet, cell in places]
    # A date is its serial number.
    return [to_excel(value) if isinstance(value, datetime) else value for value in found]


def recalculated(
    path: Path, cells: list[str], scenario: list[Value], addresses: list[str], scratch: Path
) -> list[object]:
    """Return what a recalculation of its own gives for one scenario."""
    recalculate(path, scratch, set_values=list(zip(cells, scenario, strict=True)))
    return values_of(scratch, addresses)


def same(one: object, other: object) -> bool:
    """Tell whether two ways of computing agree: numbers to 1e-12, all else to the letter."""
    if type(one) in (int, float) and type(other) in (int, float):
        return one == pytest.approx(other, rel=1e-12, abs=1e-300)
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _varied(value: Value, choices: list[Value], factor: float, turn: int) -> Value:
    if choices:
        place = choices.index(value) if value in choices else 0
        return choices[(place + turn) % len(choices)]
    if isinstance(value, str):
        return value
    # Counts stay whole, so that they stay within their domains.
    return float(round(value + turn)) if value == int(value) > 1 > factor > 0 else value * factor


def _listed(workbook, home: str, choices: str) -> list[Value]:
    if not choices.startswith("="):
        listed = choices.strip('"').split(",")
        return [float(one) if one.isdigit() else one for one in listed]
    sheet, _, area = choices[1:].rpartition("!")
    if ":" not in area and not area.startswith("$"):
        sheet, _, area = workbook.defined_names[choices[1:]].attr_text.rpartition("!")
    rows = workbook[sheet.strip("'") or home][area.replace("$", "")]
    return [cell.value for row in rows for cell in row if cell.value is not None]


def _filled(sheet: Worksheet) -> Iterator[str]:
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, ArrayFormula):
                left, top, right, bottom = range_boundaries(cell.value.ref)
                for r in range(top, bottom + 1):
                    for c in range(left, right + 1):
                        yield f"'{sheet.title}'!{_address(r, c)}"
            elif cell.data_type == "f":
                yield f"'{sheet.title}'!{cell.coordinate}"


def _address(row: int, column: int) -> str:
    return f"{get_column_letter(column)}{row}"
