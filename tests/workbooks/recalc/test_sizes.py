"""Array formulas over ranges of different sizes: single ones are repeated, the rest is #N/A."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula

from workbooks.excel.context import Fill, Own, Place, Scope
from workbooks.excel.pipeline import Pipeline
from workbooks.formula.names import DefinedName, Names
from workbooks.formula.structured import Tables
from workbooks.recalc import recalculate

MISSING = "#N/A"


def column(path: Path, formula: str) -> tuple[list[object], list[str]]:
    """Put an array formula into H1:H4, beside 1 to 4 in A and 10 to 40 in B."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in range(1, 5):
        sheet.cell(row, 1, row)
        sheet.cell(row, 2, 10 * row)
    sheet["C1"], sheet["C2"] = "=1/0", "x"
    sheet["H1"] = ArrayFormula("H1:H4", f"={formula}")
    book.save(path)
    report = recalculate(path)
    found = openpyxl.load_workbook(path, data_only=True).active
    return [found.cell(row, 8).value for row in range(1, 5)], [u.reason for u in report.unevaluated]


@pytest.mark.parametrize(
    ("formula", "values"),
    [
        ("A1:A4+B1:B2", [11, 22, MISSING, MISSING]),
        ("A1:A2+B1:B4", [11, 22, MISSING, MISSING]),
        ("A1:A4-B1:B2*2", [-19, -38, MISSING, MISSING]),
        ("(A1:A4-B1:B2)*2", [-18, -36, MISSING, MISSING]),
        ("-A1:A4^2/A1:A2", [1, 2, MISSING, MISSING]),
        ("A1:A4%*A1:A2", [0.01, 0.04, MISSING, MISSING]),
        ('A1:A4&"-"&B1:B2', ["1-10", "2-20", MISSING, MISSING]),
        ("A1:A4/3&B1:B2", ["0.33333333333333310", "0.66666666666666720", MISSING, MISSING]),
        ("A1:A4>=A1:A2", [True, True, MISSING, MISSING]),
        ("IF(A1:A4>1,B1:B2)", [False, 20, MISSING, MISSING]),
        ("IF(A1:A4>3,B1:B2,0)", [0, 0, 0, MISSING]),
        ('IFERROR(IF(A1:A4,B1:B2),"none")', [10, 20, "none", "none"]),
        ("IFERROR(C1:C4*B1:B3,-1)", [-1, -1, 0, -1]),
        ("IFERROR(C1:C1*A1:A4,B1:B2)", [10, 20, MISSING, MISSING]),
        ("IFNA(A1:A2+A1:A4,A1:A3)", [2, 4, 3, MISSING]),
        # The first error counts.
        ("C1:C2+B1:B4", ["#DIV/0!", "#VALUE!", MISSING, MISSING]),
        ("OFFSET(A1,0,0,3)*B1:B4", [10, 40, 90, MISSING]),
        ("ROW(A1:A3)*B1:B4", [10, 40, 90, MISSING]),
        ("SUM(IFERROR(A1:A4+B1:B2,0))", [33, 33, 33, 33]),
        ("SUM(A1:A4*B1:B2)", [MISSING] * 4),
        # Single rows, columns and values are repeated.
        ("A1:A4*B2", [20, 40, 60, 80]),
        ("SUM(A1:A4*TRANSPOSE(B1:B4))", [1000] * 4),
        ("SUM(A1:A4*TRANSPOSE(B1:B2))", [300] * 4),
        ("SUM({1;2}*{1,2,3})", [18] * 4),
        ("SUM(IF({1,0},A1:A4,B1:B4))", [110] * 4),
        ("IF(A1=1,A1:A2,B1:B4)", [1, 2, MISSING, MISSING]),
    ],
)
def test_missing_elements(tmp_path: Path, formula: str, values: list[object]) -> None:
    found, reasons = column(tmp_path / "book.xlsx", formula)
    assert not reasons
    assert found == values


def test_whole_columns_beside_a_smaller_range_are_refused(tmp_path: Path) -> None:
    _, reasons = column(tmp_path / "book.xlsx", "A:A*B1:B3")
    assert len(reasons) == 1
    assert "whole columns" in reasons[0]


@pytest.mark.parametrize(
    "text",
    [
        "A1:A4*B1:B4+1",
        "IF(A1:A4>2,B1:B4+1,0)",
        "A1:A4*C1:F1",
        "A1:B4*C1:C4",
        "SUM((A1:A4=1)*(B1:B4<>2)*C1:C4)",
        "IFERROR(A:A/B:B,0)",
        "{1,2}*A1:A4",
        "Four*A1:A4",
        "ABS(-1)*A1:A4",
        "TOK_X(1)*A1:A4",
    ],
)
def test_what_fits_stays_as_it_is(text: str) -> None:
    pipeline = Pipeline(
        Scope(
            names=Names([DefinedName("Four", "S!$B$1:$B$4", None)]),
            tables=Tables([]),
            sheets=["S"],
            own={"TOK_X": Own(arrays=False)},
            knows=lambda _: True,
        )
    )
    assert pipeline.text(text, Place("S", 1, 9), Fill(9, 9)) == f"TB.FIT({text},9,9)"
