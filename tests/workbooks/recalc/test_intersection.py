"""Ordinary formulas whose functions give several cells: one value, and no neighbour disturbed."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

from workbooks.recalc import Report, recalculate

NAMES = {
    "Area": "S!$A$1:$A$5",
    "Moved": "OFFSET(S!$A$1,0,0,5,1)",
    "Column": "INDEX(S!$A$1:$D$5,0,2)",
    "Upto": "S!$A$1:INDEX(S!$A:$A,4)",
    "Numbers": "{7,8,9}",
}


def evaluated(path: Path, formula: str) -> tuple[dict[str, object], Report]:
    """Put a formula into H3, beside cells that hold 10 times their row plus their column."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    for row in range(1, 6):
        for column in range(1, 5):
            sheet.cell(row, column, 10 * row + column)
    for name, text in NAMES.items():
        book.defined_names[name] = DefinedName(name, attr_text=text)
    if formula.startswith("{"):
        sheet["H3"] = ArrayFormula("H3", f"={formula[1:-1]}")
    else:
        sheet["H3"] = f"={formula}"
    # Excel finds the neighbours empty, so a reference to them must do so too.
    sheet["A9"] = "=COUNTA(I3:L3,H4:L8)"
    book.save(path)
    report = recalculate(path)
    found = openpyxl.load_workbook(path, data_only=True)["S"]
    beside = [cell.value for row in found["H3:L8"] for cell in row][1:]
    return {"value": found["H3"].value, "seen": found["A9"].value, "beside": set(beside)}, report


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        # A column of cells gives the one in the formula's row, a row of them none in column H.
        ("INDEX(A1:D5,0,2)", 32),
        ("INDEX(A1:D5,,2)", 32),
        ("INDEX(A1:D5,2,0)", "#VALUE!"),
        ("INDEX(A1:D5,0,0)", "#VALUE!"),
        ("INDEX(A1:A5,A20)", 31),
        ("INDEX(A1:A2,0)", "#VALUE!"),
        ("INDEX(A1:D5,MATCH(21,A1:A5,0),2)", 22),
        ("INDEX(A1:H2,1,0)", 0),
        ("INDEX(A1:D5,0,2)+1", 33),
        ("INDEX(A1:D5,0,2)%", 0.32),
        ("A1:A5%", 0.31),
        ("-INDEX(A1:D5,0,2)^2", 1024),
        ("ABS(INDEX(A1:D5,0,2))", 32),
        ("IFERROR(INDEX(A1:D5,2,0),5)", 5),
        ("VLOOKUP(INDEX(A1:D5,0,1),A1:D5,2,FALSE)", 32),
        ("OFFSET(A1,0,0,5,1)", 31),
        ("OFFSET(A1:A5,0,1)", 32),
        ("OFFSET(A1,1,1)", 22),
        ('INDIRECT("A1:A5")', 31),
        ('INDIRECT("B2")', 22),
        ("IF(TRUE,A1:A5)", 31),
        ("IF(A1:A5>30,INDEX(A1:D5,0,2),0)", 32),
        ("CHOOSE(2,A1:A5,B1:B5)", 32),
        ("SWITCH(1,1,OFFSET(A1,0,0,5))", 31),
        ("XLOOKUP(21,A1:A5,B1:D5)", "#VALUE!"),
        ("XLOOKUP(21,A1:A5,B1:B5)", 22),
        ("XLOOKUP(13,A1:D1,A1:D5)", 33),
        ("XLOOKUP(13,A1:D1,A3:D3)", 33),
        ('XLOOKUP(99,A1:A5,B1:D5,"none")', "none"),
        ("A1:INDEX(A1:A5,4)", 31),
        ("INDEX(A1:A5,2):INDEX(A1:A5,4)", 31),
        ("SUM(INDEX(A1:A5,2):INDEX(A1:A5,4))", 93),
        ("SUM(OFFSET(A1,1,0):A5)", 144),
        ("Area", 31),
        ("Moved", 31),
        ("Moved*2", 62),
        ("Column", 32),
        ("Upto", 31),
        ("Upto+Column", 63),
        # Of an array, which lies nowhere, the first element.
        ("Numbers", 7),
        ("INDEX({1,2,3},0)", 1),
        ("TRANSPOSE(A1:A3)", 11),
        ("MMULT(A1:B2,A1:B2)", 373),
        # Where several cells are wanted they are all there.
        ("SUM(INDEX(A1:D5,2,0))", 90),
        ("SUM(Upto)", 104),
        ("SUMPRODUCT(INDEX(A1:D5,0,2)*2)", 320),
        ("SUM((A1:A5*2))", 62),
        ("N(A2:A4)", 21),
        ("LET(x,A1:A3,SUM(x))", 63),
    ],
)
def test_one_value_and_no_neighbour(tmp_path: Path, formula: str, value: object) -> None:
    found, report = evaluated(tmp_path / "book.xlsx", formula)
    assert found == {"value": value, "seen": 0, "beside": {None}}
    assert not report.unevaluated


@pytest.mark.parametrize("sheet", ["S", "ANOVA (2)", "It's (b)"])
def test_a_name_of_one_cell_is_one_value_in_every_row(tmp_path: Path, sheet: str) -> None:
    """Also where its sheet has a bracket in its name, as the copy of a sheet has."""
    book = openpyxl.Workbook()
    found = book.active
    found.title = sheet
    quoted = "'" + sheet.replace("'", "''") + "'"
    book.defined_names["Rate"] = DefinedName("Rate", attr_text=f"{quoted}!$A$1")
    book.defined_names["Column"] = DefinedName("Column", attr_text=f"{quoted}!$A$1:$A$2")
    found["A1"], found["A2"] = 4, 5
    for row in range(1, 4):
        found.cell(row, 2, "=8/Rate")
        found.cell(row, 3, "=IF(ISERROR(1/Rate),0,1/Rate)")
        found.cell(row, 4, "=Column*2")
    path = tmp_path / "book.xlsx"
    book.save(path)
    assert not recalculate(path).unevaluated
    found = openpyxl.load_workbook(path, data_only=True)[sheet]
    rows = [[found.cell(row, column).value for column in (2, 3, 4)] for row in range(1, 4)]
    assert rows == [[2, 0.25, 8], [2, 0.25, 10], [2, 0.25, "#VALUE!"]]


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("LET(x,A1:A3,x*2)", "LET"),
        ("LET(x,A1:A3*2,SUM(x))", "LET"),
        ("EDATE(INDEX(A1:A5,0),1)", "no way"),
        ("SUMPRODUCT(IF(A1:A5>30,1,0))", "array formula"),
        ("XLOOKUP(21,OFFSET(A1,0,0,5),A1:D5)", "no way"),
    ],
)
def test_what_is_not_certain_is_refused(tmp_path: Path, formula: str, reason: str) -> None:
    found, report = evaluated(tmp_path / "book.xlsx", formula)
    assert [(u.address, reason in u.reason) for u in report.unevaluated] == [("S!H3", True)]
    assert found["beside"] == {None}


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        # A position is no value: asking for one's own is no circle.
        ("ROW(H3)", 3),
        ("ROW(S!$H$3)", 3),
        ("ROWS(H$1:H3)", 3),
        ("ROWS($1:3)", 3),
        ("ROWS(H:H)", 1_048_576),
        ("COLUMN(H:H)", 8),
        ("COLUMNS($A3:H3)", 8),
        ("COLUMNS(3:3)", 16_384),
        ("SUM(A1:OFFSET(H3,-1,-4))", 140),
        ("OFFSET(H3,,-7)", 31),
        # Several rows are an array where one is wanted, and else their first number.
        ("ROW(A2:A4)", 2),
        ("SUM(ROW(A2:A4))", 2),
        ("SUMPRODUCT(ROW(A2:A4))", 9),
        ("SUMPRODUCT(COLUMN(B1:D1))", 9),
        ('SUMPRODUCT(ROW(INDIRECT("1:4")))', 10),
        ("SUMPRODUCT((ROW(A1:A5)>2)*A1:A5)", 123),
        ("SUMPRODUCT(--(COLUMN(A1:D1)=2),A1:D1)", 12),
        ("{SUM(ROW(1:4))}", 10),
        ("{SMALL(IF(A1:A5>20,ROW(A1:A5)),2)}", 3),
        ("{SUM(COLUMNS(A1:D1)*ROW())}", 12),
    ],
)
def test_positions(tmp_path: Path, formula: str, value: float) -> None:
    found, report = evaluated(tmp_path / "book.xlsx", formula)
    assert found == {"value": value, "seen": 0, "beside": {None}}
    assert not report.unevaluated


def test_positions_of_a_shared_formula_move_with_it(write, values) -> None:
    def cell(name: str, formula: str) -> str:
        return f'<c r="{name}">{formula}<v>0</v></c>'

    first = '<f t="shared" ref="{}" si="{}">{}</f>'
    rows = (
        '<row r="2">'
        + cell("B2", first.format("B2:B3", 0, "ROWS(B$2:B2)+OFFSET(B2,0,3)"))
        + cell("C2", first.format("C2:D2", 1, "COLUMNS($C2:C2)*10+ROW(C2)"))
        + cell("D2", '<f t="shared" si="1"/>')
        + '<c r="E2"><v>100</v></c></row><row r="3">'
        + cell("B3", '<f t="shared" si="0"/>')
        + '<c r="E3"><v>200</v></c></row>'
    )
    path = write(rows)
    assert not recalculate(path).unevaluated
    found = values(path)
    assert [found[name] for name in ("B2", "B3", "C2", "D2")] == [101, 202, 12, 22]


@pytest.mark.parametrize(("given", "value"), [(3, 26), (10, 82)])
def test_references_that_are_moved_aside_wait_for_what_they_lead_to(
    tmp_path: Path, given: float, value: float
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    for row, formula in enumerate(
        ("OFFSET(C6,0,0)", "OFFSET(C1,5,0)", "SUM(OFFSET(C7,0,0,-2,1))", 'INDIRECT("C6")'), 1
    ):
        sheet.cell(row, 1, f"={formula}")
    sheet["C6"], sheet["Z9"], sheet["Y20"] = "=Z9*2", "=Y20+1", "=X30*4"
    sheet["X30"] = 3
    path = tmp_path / "book.xlsx"
    book.save(path)
    assert not recalculate(path, set_values=[("S!X30", given)]).unevaluated
    found = openpyxl.load_workbook(path, data_only=True)["S"]
    assert [found.cell(row, 1).value for row in range(1, 5)] == [value] * 4


def test_a_column_that_hangs_on_itself_by_name_is_no_circle(tmp_path: Path) -> None:
    """The balance of a row is the end of the row before: by names of whole columns."""
    path = tmp_path / "loan.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    sheet["A2"] = 100
    for row in range(2, 6):
        sheet.cell(row, 2, "=Begin*10%")
        sheet.cell(row, 3, "=Begin-Interest")
        if row > 2:
            sheet.cell(row, 1, f'=IF(B{row - 1}<>"",C{row - 1},"")')
    sheet["D9"] = "=Begin"
    sheet["E5"] = "=Whole+1"
    for name, text in {"Begin": "$A$2:$A$5", "Interest": "$B$2:$B$5", "Whole": "$C:$C"}.items():
        book.defined_names[name] = DefinedName(name, attr_text=f"S!{text}")
    book.save(path)
    assert recalculate(path).unevaluated_count == 0
    values = openpyxl.load_workbook(path, data_only=True)["S"]
    assert [values[f"C{row}"].value for row in (2, 3, 4, 5)] == pytest.approx([90, 81, 72.9, 65.61])
    assert (values["D9"].value, values["E5"].value) == ("#VALUE!", pytest.approx(66.61))
