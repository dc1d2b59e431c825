"""A frozen copy: own functions are values, ordinary formulas stay formulas."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

from engine import tokens
from workbooks.recalc import UnwritableError, recalculate
from workbooks.recalc.freeze import freeze


@pytest.fixture
def model(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = 70
    sheet["B1"] = "=TOK_WEIGHT_GB(A1)"
    sheet["B2"] = "=B1*2"
    sheet["B3"] = '=TOK_VERDICT(1,2,3)&"!"'
    sheet["B4"] = "=TOK_WEIGHT_GB(-1)"
    sheet["B5"] = "=Weight+1"
    sheet["C1"] = ArrayFormula("C1:C2", "=TOK_WEIGHT_GB(A1,{8;16})")
    book.defined_names["Weight"] = DefinedName("Weight", attr_text="TOK_WEIGHT_GB(Sheet!$A$1)")
    path = tmp_path / "model.xlsx"
    book.save(path)
    return path


def test_values_in_place_of_own_functions(model: Path, tmp_path: Path) -> None:
    target = tmp_path / "frozen.xlsx"
    before = model.read_bytes()
    freeze(model, target)
    assert model.read_bytes() == before
    sheet = openpyxl.load_workbook(target).active
    assert sheet["B1"].value == tokens.weight_gb(70.0)
    assert sheet["B2"].value == "=B1*2"
    assert sheet["B3"].value == "below cost!"
    assert sheet["B4"].value == "#NUM!"
    assert sheet["B5"].value == tokens.weight_gb(70.0) + 1
    assert [sheet["C1"].value, sheet["C2"].value] == [70, 140]
    with zipfile.ZipFile(target) as archive:
        assert b"TOK_" not in archive.read("xl/worksheets/sheet1.xml")
    assert recalculate(target, functions={}).clean
    assert openpyxl.load_workbook(target, data_only=True).active["B2"].value == 280


def test_not_in_place(model: Path) -> None:
    with pytest.raises(UnwritableError, match="lose its formulas"):
        freeze(model, model)


def test_an_empty_text_stays_one(tmp_path: Path) -> None:
    """Calc takes an empty text that is a constant for a blank cell: 0 where one refers to it."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = 70
    sheet["B1"] = '=IF(TOK_WEIGHT_GB(A1)>100,"",1)'
    sheet["C1"] = ArrayFormula("C1:C2", '=IF(TOK_WEIGHT_GB({80;1})>100,{1;2},"")')
    sheet["D1"] = ArrayFormula("D1:D2", '=IF(A1>1,"",{1;2})')
    for row, place in enumerate(("B1", "C1", "C2", "D2"), start=4):
        sheet[f"A{row}"] = f"={place}"
        sheet[f"B{row}"] = f"=ISTEXT({place})"
    path, frozen, again = (tmp_path / f"{name}.xlsx" for name in ("model", "frozen", "again"))
    book.save(path)
    assert freeze(path, frozen).clean
    report = recalculate(frozen, again, functions={})
    assert (report.clean, report.unevaluated) == (True, [])
    values = openpyxl.load_workbook(again, data_only=True).active
    assert [values[f"A{row}"].value for row in range(4, 8)] == [None, 1, None, None]
    assert [values[f"B{row}"].value for row in range(4, 8)] == [True, False, True, True]
    formulas = openpyxl.load_workbook(frozen).active
    assert [formulas[place].value for place in ("B1", "C1", "C2")] == ['=""', 1, '=""']
    assert isinstance(formulas["D1"].value, ArrayFormula)
    assert formulas["D2"].value is None
