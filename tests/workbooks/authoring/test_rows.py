"""Rows as openpyxl would write them."""

from __future__ import annotations

import re
import zipfile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.formula import ArrayFormula

from workbooks.authoring.layout import Book, Cell
from workbooks.authoring.rows import rows_of, with_rows
from workbooks.authoring.writer import write

VALUES = (
    "plain", "a < b & c > d", '"quoted" and \'so\'', "  indented", "é ÷ … 😀", "=A1&\"<\"", "=", "",
    "#N/A is a text", 1, -2.5, 0.1 + 0.2, 2e6, 1e-9, True, False, None, "two\nlines", "tab\tin it",
    "''", "x" * 32_767,
)  # fmt: skip


def data_of(path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read("xl/worksheets/sheet1.xml")


def test_cells_are_written_as_openpyxl_writes_them(tmp_path):
    """But for an empty cell, of which openpyxl says that it is a number."""
    workbook = Workbook()
    sheet = workbook.active
    cells = []
    for row, value in enumerate(VALUES, start=2):
        cells.append(Cell(row, 3, value, "label"))
        sheet.cell(row, 3).value = value
        sheet.cell(row, 3).number_format = "0.00"
    cells.append(Cell(2, 28, "=SUM(A1:A2)", "calc", array=(2, 3)))
    sheet["AB2"] = ArrayFormula("AB2:AD3", "=SUM(A1:A2)")
    sheet["AB2"].number_format = "0.00"
    sheet.row_dimensions[3].height = 29.5
    heights = {3: dict(sheet.row_dimensions[3])}
    workbook.save(tmp_path / "theirs.xlsx")
    theirs = data_of(tmp_path / "theirs.xlsx")
    style = int(re.search(rb'<c r="C2" s="(\d+)"', theirs)[1])
    ours = with_rows(
        b'<dimension ref="A1:A1"/><sheetData/>',
        rows_of(reversed(cells), lambda _: style, heights),
        (2, 3, 1 + len(VALUES), 28),
    )
    theirs = re.sub(rb'(<c r="[A-Z]+\d+" s="\d+") t="n"></c>', rb"\1/>", theirs)
    dimension = re.search(rb"<dimension[^>]*/>", theirs)[0]
    assert ours == dimension + re.search(rb"<sheetData>.*</sheetData>", theirs, re.DOTALL)[0]


@pytest.mark.parametrize(
    ("value", "told"), [("a\x07b", "no cell can hold"), ("x" * 32_768, "a text of 32768")]
)
def test_what_no_cell_can_hold_fails(value, told):
    with pytest.raises(ValueError, match=told):
        rows_of([Cell(1, 1, value, "label")], lambda _: 0, {})


def test_every_cell_of_a_layout_is_in_the_file_as_it_is_meant_to_look(tmp_path):
    book = Book("one", "One", "Purpose", flag="")
    sheet = book.sheet("Own sheet", "Title", "Subtitle", (20, 20))
    sheet.put(9, 2, 0.5, "input", "percent")
    sheet.put(7, 2, "=B9*2", "output", "usd")
    sheet.row = 11
    sheet.paragraph("Over both columns")
    write(book, tmp_path / "one.xlsx")
    workbook = load_workbook(tmp_path / "one.xlsx")
    written = workbook["Own sheet"]
    assert (written["B9"].value, written["B9"].number_format) == (0.5, "0.0%")
    assert (written["B7"].value, written["B7"].style) == ("=B9*2", "tokenbook output")
    assert written["B9"].style == "tokenbook input"
    assert [str(place) for place in written.merged_cells.ranges] == ["A11:B11"]
    cover = workbook["Cover"]
    link = next(cell for row in cover for cell in row if cell.value == "Own sheet")
    assert link.hyperlink.target == "#'Own sheet'!A1"
    assert link.font.underline == "single"
    assert cover["A9"].font.underline is None
