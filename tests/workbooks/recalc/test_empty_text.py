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


def test_what_is_kept_may_be_an_empty_text(write, values):
    """Excel leaves an empty `<v>` where a formula gave a text without a character."""
    path = write(
        '<row r="1"><c r="A1" t="str"><f>NOSUCH()</f><v></v></c><c r="B1"><f>A1=Z1</f></c>'
        '<c r="C1"><f>ISTEXT(A1)</f></c><c r="D1"><f>IFERROR(A1&amp;"x","an error")</f></c>'
        '<c r="E1"><f>COUNTA(A1)+COUNTBLANK(A1)</f></c></row>'
        '<row r="2"><c r="A2"><f>NOSUCH()</f></c>'
        '<c r="D2"><f>IFERROR(A2&amp;"x","none")</f></c></row>'
    )
    assert [u.address for u in recalculate(path).unevaluated] == ["S!A1", "S!A2"]
    found = values(path)
    assert [found[name] for name in ("B1", "C1", "D1", "E1")] == [True, True, "x", 2]
    assert found["D2"] == "none"
