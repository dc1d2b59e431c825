"""A check finds stale values, what another engine says, and what is questionable."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

from workbooks.recalc import recalculate
from workbooks.review import check as checks
from workbooks.review.check import check
from workbooks.review.cross_check import agree


@pytest.fixture
def model(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "M"
    sheet["A1"] = 70
    sheet["B1"] = "=TOK_WEIGHT_GB(A1)"
    sheet["B2"] = "=SUM(A1,B1)"
    path = tmp_path / "model.xlsx"
    book.save(path)
    return path


def rules(path: Path) -> set[tuple[str, str]]:
    return {(lint.address, lint.rule) for lint in check(path, second_calculator=False).lints}


def test_right_and_stale(model: Path) -> None:
    assert not check(model, second_calculator=False).right
    assert check(model, second_calculator=False).unvalued == 2
    recalculate(model)
    assert check(model, second_calculator=False).right
    with zipfile.ZipFile(model) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b"<v>210</v>", b"<v>211</v>")
    with zipfile.ZipFile(model, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    report = check(model, second_calculator=False)
    assert [(c.address, c.old, c.new) for c in report.differences] == [("M!B2", 211.0, 210.0)]
    assert not report.right


def test_second_calculator(model: Path) -> None:
    pytest.importorskip("ironcalc")
    recalculate(model)
    report = check(model)
    assert report.disagreements == []
    assert "1 native formulas" in report.second_calculator


def test_the_side_that_the_file_is_on(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ironcalc")
    book = openpyxl.load_workbook(model)
    book["M"]["B3"] = "=A1*2"
    book.save(model)
    recalculate(model)
    with zipfile.ZipFile(model) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b"<v>210</v>", b"<v>211</v>")
    with zipfile.ZipFile(model, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    report = check(model)
    assert report.sides == {"M!B2": "neither"}
    # IronCalc is made to say what the file holds of B2, and another thing of B3.
    monkeypatch.setattr(checks, "ask", lambda _path: {"M!B2": 211.0, "M!B3": 7.0})
    report = check(model)
    assert report.sides == {"M!B2": "IronCalc"}
    assert report.disagreements == [
        ("M!B2", 210.0, 211.0, "IronCalc"),
        ("M!B3", 140.0, 7.0, "ours"),
    ]


def test_agreement() -> None:
    assert agree(0.1 + 0.2, 0.3)
    assert not agree(1.0, 1.001)
    assert not agree(True, 1.0)
    assert agree("a", "a")
    assert agree(None, 0.0)
    assert not agree("1", 1.0)


def test_lints(model: Path) -> None:
    book = openpyxl.load_workbook(model)
    sheet = book["M"]
    sheet["C1"] = "=XLOOKUP(1,A1:A2,B1:B2)"
    sheet["C2"] = "=_xlfn.XLOOKUP(1,A1:A2,B1:B2)"
    sheet["C3"] = "=Gone!A1+1"
    sheet["C4"] = "=A1+#REF!"
    sheet["C5"] = "=A1*1.19"
    sheet["C6"] = "=ROUND(A1/12,3)"
    for row in range(1, 31):
        sheet.cell(row, 5, row)
        sheet.cell(row, 6, f"=TOK_WEIGHT_GB(E{row})")
    book.defined_names["Lost"] = DefinedName("Lost", attr_text="M!#REF!")
    book.defined_names["Away"] = DefinedName("Away", attr_text="Gone!$A$1")
    validation = DataValidation(type="list", formula1='"' + "abcdefghi," * 30 + 'z"')
    validation.add("H1")
    sheet.add_data_validation(validation)
    book.save(model)
    found = rules(model)
    assert found == {
        ("M!C1", "unprefixed"),
        ("M!C3", "missing-sheet"),
        ("M!C4", "broken-reference"),
        ("M!C5", "constant"),
        ("M!F1", "cell-by-cell"),
        ("Lost", "broken-name"),
        ("Away", "missing-sheet"),
        ("M", "long-list"),
    }
