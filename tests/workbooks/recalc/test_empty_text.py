"""An empty text that a formula gives is text, and an empty cell is blank."""

from __future__ import annotations

from openpyxl import Workbook, load_workbook

from workbooks.recalc import recalculate


def test_an_empty_text_is_no_blank(tmp_path):
    path = tmp_path / "book.xlsx"
    workbook = Workbook()
    sheet = workbook.active
    for row in range(1, 7):
        sheet.cell(row, 1, '=""' if row % 2 else None)
        sheet.cell(row, 2, f"=TOK_SUBSIDY_LOSS(1000000,1,2,A{row})")
        sheet.cell(row, 3, f"=TOK_SUBSIDY_LOSS(1000000,1,2,E{row})")
    sheet["D1"] = "=TOK_COMBINED_GAIN(A1:A2)"
    sheet["D2"] = "=TOK_COMBINED_GAIN(F1:F3)"
    sheet["F1"], sheet["F3"] = 2, 5
    workbook.save(path)
    recalculate(path)
    found = load_workbook(path, data_only=True).active
    assert [found.cell(row, 2).value for row in range(1, 7)] == ["#VALUE!", 365] * 3
    assert [found.cell(row, 3).value for row in range(1, 7)] == [365] * 6
    assert (found["D1"].value, found["D2"].value) == ("#VALUE!", 10)
