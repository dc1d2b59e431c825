"""The .ods flavour in a real Calc: values as in the .xlsx, also after an input has changed."""

from __future__ import annotations

import os
import shutil
import zipfile
from datetime import datetime

import pytest
from openpyxl import load_workbook
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.utils.datetime import to_excel

from udfs.cells import CellError
from udfs.hosts import libreoffice
from workbooks import templates
from workbooks.authoring.opendocument import same_cells
from workbooks.build import build
from workbooks.recalc import recalculate
from workbooks.review.second_opinion import _cells_of_areas, same

pytestmark = [
    pytest.mark.libreoffice,
    pytest.mark.skipif(
        libreoffice.find_soffice() is None and "CI" not in os.environ,
        reason="LibreOffice is not installed",
    ),
]


_LARGE = 5_000


@pytest.fixture(scope="module", params=templates.NAMES)
def made(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    plain = build(request.param, folder).path
    return plain, build(request.param, folder, flavour="ods").path


@pytest.fixture(scope="module")
def calc():
    with libreoffice.calc_with_functions() as running:
        yield running


def values(path):
    """Return the values of an .xlsx by sheet and cell."""
    found = {}
    for sheet in load_workbook(path, data_only=True):
        for row in sheet.iter_rows():
            for cell in row:
                value = cell.value
                if cell.data_type == "e":
                    value = CellError(value)
                elif isinstance(value, datetime):
                    value = to_excel(value)
                found[sheet.title, cell.coordinate] = value
    return found


def edited(calc, path, cells):
    """Return what Calc shows in the formula cells after a user has entered values."""
    entered = []
    for (sheet, cell), value in cells.items():
        row, column = coordinate_to_tuple(cell)
        entered.append([sheet, row - 1, column - 1, value])
    found = calc.ask("edit", path=path.as_uri(), cells=entered)
    return {
        (sheet["sheet"], cell): value
        for sheet in found
        for cell, value in _cells_of_areas(sheet["areas"])
    }


def differing(wanted, shown):
    """Return the formula cells of Calc that say otherwise than the .xlsx."""
    numbers = [abs(v) for v in wanted.values() if isinstance(v, int | float)]
    largest = max(numbers, default=1.0)
    return {
        place: (wanted[place], value)
        for place, value in shown.items()
        if place in wanted and not same(wanted[place], value, largest)
    }


def inputs_of(path):
    """Return the numbers that a user may change, by sheet and cell."""
    return {
        (sheet.title, cell.coordinate): float(cell.value)
        for sheet in load_workbook(path)
        if sheet.protection.sheet
        for row in sheet.iter_rows()
        for cell in row
        if not cell.protection.locked and isinstance(cell.value, int | float)
    }


def test_calc_shows_the_values_of_the_xlsx_and_after_edits_those_of_a_recalculation(
    made, calc, tmp_path
):
    plain, ods = made
    before = values(plain)
    shown = edited(calc, ods, {})
    assert len(shown) > 40
    assert differing(before, shown) == {}
    inputs = inputs_of(plain)
    assert inputs
    # Calc takes half a minute to compute the largest.
    edits = 6 if len(shown) < _LARGE else 1
    for place, value in list(inputs.items())[:edits]:
        changed = tmp_path / "changed.xlsx"
        shutil.copy(plain, changed)
        recalculate(changed, set_values=[(f"'{place[0]}'!{place[1]}", value * 1.25)])
        wanted = values(changed)
        shown = edited(calc, ods, {place: value * 1.25})
        assert differing(wanted, shown) == {}, place
        # The very fault of an .xlsx in Calc: its array formulas lose the functions.
        assert CellError("#NAME?") not in shown.values()


@pytest.mark.parametrize(("cell", "asks"), [("B8", "F8"), ("C8", "F8"), ("D8", "G8")])
def test_an_input_that_is_blanked_is_no_zero(calc, tmp_path, cell, asks):
    """Calc hands an add-in 0 for a blank; the price 0 would be a number that looks right."""
    plain = build("breakeven", tmp_path).path
    ods = build("breakeven", tmp_path, flavour="ods").path
    book = load_workbook(plain)
    book["Breakeven"][cell] = None
    book.save(tmp_path / "blanked.xlsx")
    recalculate(tmp_path / "blanked.xlsx")
    wanted = values(tmp_path / "blanked.xlsx")
    shown = edited(calc, ods, {("Breakeven", cell): None})
    assert wanted["Breakeven", asks] == CellError("#VALUE!")
    assert differing(wanted, shown) == {}


def test_building_again_is_no_change_and_a_users_is_kept(tmp_path):
    first = build("audit", tmp_path, flavour="ods").path
    before = first.read_bytes()
    build("audit", tmp_path, flavour="ods")
    assert first.read_bytes() == before
    other = tmp_path / "other.ods"
    with zipfile.ZipFile(first) as package, zipfile.ZipFile(other, "w") as copy:
        for name in package.namelist():
            content = package.read(name)
            if name == "content.xml":
                assert b'office:value="365"' in content
                content = content.replace(b'office:value="365"', b'office:value="366"')
            copy.writestr(name, content)
    assert same_cells(first, first)
    assert not same_cells(first, other)
    (tmp_path / "no.ods").write_text("no zip")
    assert not same_cells(first, tmp_path / "no.ods")
