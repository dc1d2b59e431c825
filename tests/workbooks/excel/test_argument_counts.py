"""Functions with arguments that Excel would not take, or too few: an error, no traceback."""

from __future__ import annotations

import openpyxl
import pytest

from workbooks.formula.functions import catalogue
from workbooks.recalc import recalculate

NAMES = [name for name, row in catalogue().items() if not name.startswith("TB.")]


@pytest.mark.parametrize("arguments", ["", "A1", "A1:A3", "1,2,3,4,5,6,7,8", 'A1:A3,"x",TRUE'])
def test_every_function_ends_in_a_value_or_is_listed(tmp_path, arguments):
    book = openpyxl.Workbook()
    sheet = book.active
    for row, name in enumerate(NAMES, start=1):
        sheet.cell(row, 1, row)
        sheet.cell(row, 5, f"={name}({arguments})")
    path = tmp_path / "book.xlsx"
    book.save(path)
    report = recalculate(path)
    assert report.evaluated + len(report.unevaluated) >= len(NAMES)
