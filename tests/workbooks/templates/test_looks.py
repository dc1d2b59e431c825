"""Whether a reader can read a template: nothing cut off, no #### in the place of a figure."""

from __future__ import annotations

import math
import re
import textwrap
from datetime import date

import pytest
from openpyxl import load_workbook

from workbooks import templates
from workbooks.authoring.layout import Book, Cell, Sheet
from workbooks.authoring.limits import limited_inputs
from workbooks.authoring.style import FORMATS
from workbooks.page.formats import shown

#: Of the width of a column, which counts digits of 11 points: a letter of each role, at most.
_LETTER = {"title": 1.6, "heading": 1.1, "header": 0.9, "note": 0.8, "remark": 0.8, "subtitle": 0.9}
_LETTER_ELSE = 0.85
#: A digit of 10 points, in bold.
_DIGIT = 0.95
#: Roles whose text goes on over blank cells to its right.
_GOES_ON = frozenset(
    ("label", "note", "remark", "name", "flag", "words", "subtitle", "title", "heading")
)
#: A row of heads is as high as two lines.
_LINES = 2
#: What may stand in the second line of a head: a unit, which follows its name after a comma where
#: the head becomes a label.
_UNIT = re.compile(
    r"(USD|tokens|Mtok|GPU-h|TFLOP|kg|h)\b.*|s|months|a year|requests a month|log sd|MFU|% points"
)


@pytest.fixture(scope="module", params=templates.NAMES)
def book(request) -> Book:
    return templates.lay_out(request.param)


@pytest.fixture(scope="module")
def values(book, built):
    return load_workbook(built(book.name).path, data_only=True)


def _room(sheet: Sheet, cell: Cell) -> float:
    """Return the width that a cell's text may take, in digits."""
    last = cell.column + cell.merge - 1
    taken = {
        c.column for c in sheet.cells if c.row == cell.row and (c.value is not None or c.array)
    }
    if cell.role in _GOES_ON:
        while last < len(sheet.widths) and last + 1 not in taken:
            last += 1
    return sum(sheet.widths[cell.column - 1 : last])


def test_each_figure_and_text_is_seen_whole(book, values):
    for sheet in book.sheets:
        for cell in sheet.cells:
            value = values[sheet.name].cell(cell.row, cell.column).value
            if value is None or isinstance(value, date) or cell.role in ("wrapped", "paragraph"):
                continue
            told = f"{sheet.name}, row {cell.row}, column {cell.column}: {value}"
            room = _room(sheet, cell)
            if isinstance(value, int | float):
                assert len(shown(value, FORMATS[cell.format])) * _DIGIT <= room, told
            elif cell.role == "header":
                width = math.floor(room / _LETTER["header"])
                lines = [textwrap.wrap(part, width) for part in str(value).split("\n")]
                assert sum(map(len, lines)) <= _LINES, told
            else:
                letter = _LETTER.get(cell.role, _LETTER_ELSE)
                assert len(str(value)) * letter <= room, told


def test_a_head_breaks_its_line_before_a_unit_alone(book):
    for sheet in book.sheets:
        for cell in sheet.cells:
            if cell.role == "header" and "\n" in str(cell.value):
                _, second = str(cell.value).split("\n")
                assert _UNIT.fullmatch(second), f"{sheet.name}: {cell.value!r}"


def test_every_input_has_a_unit(book):
    for sheet in book.sheets:
        cells = {(cell.row, cell.column): cell for cell in sheet.cells}
        heads = [cell for cell in sheet.cells if (cell.role, cell.value) == ("header", "Unit")]
        for head in heads:
            row = head.row + 1
            while (row, 1) in cells and cells[row, 1].role == "label":
                if cells[row, 2].role == "input":
                    unit = cells[row, head.column].value
                    assert unit, f"{sheet.name}: {cells[row, 1].value}"
                row += 1


def test_every_page_of_a_long_sheet_has_its_title_or_its_heads(book, built):
    workbook = load_workbook(built(book.name).path)
    for sheet in (*book.sheets, None):
        name = sheet.name if sheet else "Checks"
        if sheet is None or sheet.long:
            heads = sheet.heads if sheet else Sheet.heads
            rows = "$1:$4" if heads == Sheet.heads else f"${heads}:${heads}"
            assert workbook[name].print_title_rows == rows, name


def test_a_single_input_of_a_table_is_told_by_its_row_and_its_head():
    limited = limited_inputs(templates.lay_out("broker"))["Inputs"]
    assert "Cloud, committed, Price, USD/GPU-h" in [item.label for item in limited]


def test_bars_that_lie_have_their_axis_of_values_at_the_foot(built):
    """They are written from the top down, which would put it above them."""
    (chart, *_) = load_workbook(built("audit").path)["Summary"]._charts
    assert (chart.barDir, chart.x_axis.scaling.orientation) == ("bar", "maxMin")
    assert chart.y_axis.crosses == "max"


def test_a_day_is_held_to_its_limits_as_a_day(built):
    checks = load_workbook(built("buyer").path, data_only=True)["Checks"]
    (row,) = (row for row in checks.iter_rows() if row[0].value == "Inputs: First day")
    assert [cell.number_format for cell in row[1:3]] == ["yyyy-mm-dd"] * 2
