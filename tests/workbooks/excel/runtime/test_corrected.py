"""Functions that the calculator answers otherwise than Excel: Excel's values, and refusals."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from workbooks.recalc import Report, recalculate

REGIONS = ("North", "South", "north", "East", "West", "North", "South", "East")
NUMBERS = (10, 20, -5, None, 30, 40, 20, 15)


def evaluated(path: Path, formula: str) -> tuple[object, Report]:
    """Put a formula beside regions in A2:A9, numbers in B2:B9, and every second cell an error."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    sheet.append(["Region", "Number"])
    for row, (region, number) in enumerate(zip(REGIONS, NUMBERS, strict=True), 2):
        sheet.cell(row, 1, region)
        sheet.cell(row, 2, number)
        sheet.cell(row, 3, "=1/1" if row % 2 else "=1/0")
        sheet.cell(row, 4, row if row % 2 else f"t{row}")
    sheet["H20"] = f"={formula}"
    book.save(path)
    report = recalculate(path)
    return openpyxl.load_workbook(path, data_only=True)["S"]["H20"].value, report


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        # The last that fits, whatever errors, blanks and texts stand between.
        ('LOOKUP(2,1/(A2:A9="North"),B2:B9)', 40),
        ('LOOKUP(2,1/((A2:A9="North")*(B2:B9<20)),B2:B9)', -5),
        ("LOOKUP(2,C2:C9,B2:B9)", 15),
        ("LOOKUP(9.99E+307,B1:B9)", 15),
        ('LOOKUP("zzz",A:A)', "East"),
        ('LOOKUP("zzz",D2:D9)', "t8"),
        ("LOOKUP(9.99E+307,D2:D9)", 9),
        ('LOOKUP(9^9,--("0"&MID("ab12c",{3,4},{1,2})))', 1),
        ("LOOKUP(1,{2,3},{4,5})", "#N/A"),
        ("LOOKUP(5,{2,4,6},{10,20,30})", 20),
        ("LOOKUP(4,{1,2;4,5;6,7})", 5),
        ("SUMPRODUCT(LOOKUP({1,5},{1,4},{10,20}))", 30),
        # Interest and depreciation, in advance and in part of a year.
        ("IPMT(0.1/12,1,3*12,8000)", -66.66666666666667),
        ("IPMT(0.1,3,3,8000)", -292.4471299093658),
        ("PPMT(0.1/12,1,2*12,2000)", -75.62318600836664),
        ("PPMT(0.08,10,10,200000)", -27598.053462421354),
        ("IPMT(0.1,1,3,-1000,500,1)", 0),
        ("IPMT(0.1,2,3,-1000,500,1)", 77.17659983520999),
        ("IPMT(0.1,2,3,1000,,1)+PPMT(0.1,2,3,1000,,1)-PMT(0.1,3,1000,,1)", 0),
        ("IPMT(0,1,3,900)", 0),
        ("PPMT(0,1,3,900)", -300),
        ("IPMT(0.1,4,3,900)", "#NUM!"),
        ("DB(1000000,100000,6,1,7)", 186083.33333333334),
        ("DB(1000000,100000,6,2,7)", 259639.41666666663),
        ("DB(1000000,100000,6,7,7)", 15845.098473848071),
        ("DB(10000,1000,5,6)", "#NUM!"),
        ("DB(0,0,5,1)", 0),
        # Rounding to multiples, of the signs that there are.
        ("CEILING(2.5,1)", 3),
        ("CEILING(-2.5,-2)", -4),
        ("CEILING(-2.5,2)", -2),
        ("CEILING(2.5,-2)", "#NUM!"),
        ("CEILING(1.5,0.1)", 1.5),
        ("CEILING(7,0)", 0),
        ("FLOOR(3.7,2)", 2),
        ("FLOOR(-2.5,-2)", -2),
        ("FLOOR(2.5,-2)", "#NUM!"),
        ("FLOOR(0.3,0.1)", 0.3),
        ("FLOOR(7,0)", "#DIV/0!"),
        ("FLOOR(0,0)", 0),
        ("CEILING.MATH(24.3,5)", 25),
        ("CEILING.MATH(-8.1,2)", -8),
        ("CEILING.MATH(-5.5,2,-1)", -6),
        ("CEILING.MATH(5,0)", 0),
        ("FLOOR.MATH(-8.1,2)", -10),
        ("FLOOR.MATH(-5.5,2,-1)", -4),
        ('FLOOR("2.9",1)', 2),
        ('CEILING("x",1)', "#VALUE!"),
        # Texts.
        ('PROPER("76BudGet o\'neil-smith")', "76Budget O'Neil-Smith"),
        ("PROPER(TRUE)", "True"),
        ("COUNTA(UNIQUE(A2:A9))", 4),
        ("INDEX(UNIQUE(A2:A9),3)", "East"),
        ("COUNTA(UNIQUE(A2:A9,FALSE,TRUE))", 1),
        ("SUM(UNIQUE({1,1,2},TRUE))", 3),
        ("SUM(--ISERROR(UNIQUE(C2:C9)))", 1),
        # A height or width that counts backwards.
        ("SUM(OFFSET(B9,0,0,-3,1))", 75),
        ("SUM(OFFSET(B9,,,-3))", 75),
        ("SUM(OFFSET(B1,8,0,-COUNTA(A1:A3)))", 75),
        ("SUM(OFFSET(C9,0,-1,2-4,-1))", 35),
        # One cell written as a range lies in no other row.
        ("A2:A2", "North"),
        ("COUNTIF(A2:A9,$A$2:$A$2)", 3),
    ],
)
def test_values_of_excel(tmp_path: Path, formula: str, value: object) -> None:
    found, report = evaluated(tmp_path / "book.xlsx", formula)
    assert not report.unevaluated
    assert found == (
        pytest.approx(value, rel=1e-12, abs=1e-11) if isinstance(value, float | int) else value
    )


@pytest.mark.parametrize(
    "formula",
    [
        "ISFORMULA(A1)",
        "FORMULATEXT(C2)",
        'INDIRECT("R1C1",FALSE)',
        'DATEDIF(45322,45352,"yd")',
        "SUM(A2:XLOOKUP(1,B2:B9,B2:B9))",
    ],
)
def test_uses_without_a_way_are_refused(tmp_path: Path, formula: str) -> None:
    _, report = evaluated(tmp_path / "book.xlsx", formula)
    assert [u.address for u in report.unevaluated] == ["S!H20"]
    assert "support" in report.unevaluated[0].reason
