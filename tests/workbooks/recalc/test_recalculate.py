"""From file to file: values right, everything else untouched, refusals that touch nothing."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

from engine import pricing, tokens
from workbooks.recalc import (
    BadInputError,
    NotAWorkbookError,
    RefusedError,
    UnwritableError,
    load_inputs,
    recalculate,
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model as openpyxl writes it: no values, TOK_ functions among ordinary ones."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Data"
    for row, (name, number) in enumerate([("a", 30), ("b", 45), ("c", 60)], 1):
        sheet.cell(row, 1, name)
        sheet.cell(row, 2, number)
    formulas = {
        "D1": "=TOK_COST_PER_MTOK(B1,23.9)",
        "D2": "=SUM(B1:B3)",
        "D3": '=INDEX(B1:B3,MATCH("b",A1:A3,0))',
        "D4": "=IFERROR(TOK_COST_PER_MTOK(-1,2),0)",
        "D5": "=TOK_COST_PER_MTOK(-1,2)",
        "D6": "=D5+1",
        "D7": "=Rate*2",
        "D8": "=NOSUCH(1)",
        "D9": "=TOK_COST_PER_MTOK(B1,,1)",
        "D10": "=TOK_BLENDED_PRICE(1,2,3,4,,0.5)",
        "D11": '=A1&"x"',
        "D12": "=B1>3",
        "D13": "=TOK_COST_PER_MTOK(B1)",
    }
    for address, formula in formulas.items():
        sheet[address] = formula
    sheet["F1"] = ArrayFormula("F1:F3", "=TOK_COST_PER_MTOK(B1:B3,23.9)")
    book.defined_names["Rate"] = DefinedName("Rate", attr_text="Data!$B$1")
    path = tmp_path / "model.xlsx"
    book.save(path)
    return path


def values(path: Path, sheet: str = "Data") -> dict[str, object]:
    book = openpyxl.load_workbook(path, data_only=True)
    return {
        cell.coordinate: cell.value
        for row in book[sheet].iter_rows()
        for cell in row
        if cell.value is not None
    }


def entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_values_are_right(model: Path) -> None:
    report = recalculate(model)
    found = values(model)
    cost = tokens.cost_per_mtok(30.0, 23.9)
    assert found["D1"] == cost
    assert found["D2"] == 135
    assert found["D3"] == 45
    assert found["D4"] == 0
    assert found["D5"] == found["D6"] == "#NUM!"
    assert found["D7"] == 60
    assert "D8" not in found
    assert found["D9"] == "#VALUE!"
    assert found["D10"] == pricing.blended_price(1.0, 2.0, 3.0, 4.0, 0.0, 0.5)
    assert found["D11"] == "ax"
    assert found["D12"] is True
    assert found["F1"] == cost
    assert found["F3"] == tokens.cost_per_mtok(60.0, 23.9)
    assert report.evaluated == 13
    assert report.changed_count == 15  # with the two cells that the array formula fills


def test_errors_name_cell_function_and_reason(model: Path) -> None:
    errors = {problem.address: problem for problem in recalculate(model).errors}
    assert set(errors) == {"Data!D5", "Data!D6", "Data!D9", "Data!D13"}
    assert errors["Data!D5"].function == "TOK_COST_PER_MTOK"
    assert errors["Data!D5"].code == "#NUM!"
    assert "usd_per_gpu_hour is -1" in errors["Data!D5"].reason
    assert "Data!D5" in errors["Data!D6"].reason
    assert "2 to 4 arguments" in errors["Data!D13"].reason


def test_unknown_function_keeps_its_old_value(model: Path) -> None:
    (kept,) = recalculate(model).unevaluated
    assert kept.address == "Data!D8"
    assert "NOSUCH" in kept.reason


def test_all_but_the_sheet_and_the_workbook_part_stay(model: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.xlsx"
    before = model.read_bytes()
    recalculate(model, output)
    assert model.read_bytes() == before
    old, new = entries(model), entries(output)
    # What it was computed with is recorded in its properties.
    assert [*old, "docProps/custom.xml"] == list(new)
    different = {name for name in old if old[name] != new[name]}
    linked = {"[Content_Types].xml", "_rels/.rels"}
    assert different == {"xl/worksheets/sheet1.xml", "xl/workbook.xml"} | linked
    assert b"fullCalcOnLoad" not in new["xl/workbook.xml"]


def test_second_time_changes_nothing(model: Path) -> None:
    recalculate(model)
    once = model.read_bytes()
    report = recalculate(model)
    assert report.changed_count == 0
    assert model.read_bytes() == once


def test_set_values(model: Path) -> None:
    report = recalculate(model, set_values=[("Data!B2", 50), ("rate", 31.5), ("'Data'!A1", "=1+1")])
    found = values(model)
    assert found["B2"] == 50
    assert found["D7"] == 63
    assert found["A1"] == "=1+1"
    assert found["D11"] == "=1+1x"
    assert report.evaluated == 13
    assert openpyxl.load_workbook(model)["Data"]["A1"].data_type != "f"


@pytest.mark.parametrize(
    ("address", "value", "why"),
    [
        ("Nope!B1", 1, "no sheet 'Nope'"),
        ("Data!Z99", 1, "not in the file"),
        ("Data!B1", "text", "holds a number"),
        ("Data!D1", 3, "holds a formula"),
        ("Data!F2", 3, "not in the file"),
        ("Nix", 1, "no such defined name"),
        ("Data!B1:B2", 1, "not one cell"),
        ("Data!B1", float("nan"), "not a finite number"),
    ],
)
def test_bad_values_are_refused(model: Path, address: str, value: object, why: str) -> None:
    before = model.read_bytes()
    with pytest.raises(BadInputError, match=why):
        recalculate(model, set_values=[("Data!B3", 1), (address, value)])
    assert model.read_bytes() == before
    assert list(model.parent.iterdir()) == [model]


def test_force_replaces_a_formula(model: Path) -> None:
    recalculate(model, set_values=[("Data!D5", 7)], force=True)
    found = values(model)
    assert found["D5"] == 7
    assert found["D6"] == 8


def test_not_workbooks(model: Path, tmp_path: Path) -> None:
    whole = model.read_bytes()
    text, cut, ole = tmp_path / "text.xlsx", tmp_path / "cut.xlsx", tmp_path / "ole.xlsx"
    text.write_text("month,price\n")
    cut.write_bytes(whole[: len(whole) // 2])
    ole.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504))
    plain = tmp_path / "plain.xlsx"
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("hello.txt", "hello")
    for path, why in [
        (tmp_path / "missing.xlsx", "no such file"),
        (tmp_path, "folder"),
        (text, "not a workbook"),
        (cut, "truncated"),
        (ole, "password"),
        (plain, "no workbook"),
    ]:
        with pytest.raises(NotAWorkbookError, match=why):
            recalculate(path)


def test_unwritable_targets(model: Path, tmp_path: Path) -> None:
    for target in (tmp_path / "none" / "out.xlsx", tmp_path, tmp_path / "out.xlsm"):
        with pytest.raises(UnwritableError):
            recalculate(model, target)
    model.chmod(0o444)
    with pytest.raises(UnwritableError, match="read-only"):
        recalculate(model)


def test_inputs_from_files(tmp_path: Path) -> None:
    table = tmp_path / "inputs.csv"
    table.write_text("cell,value\nData!B1,0.88\n'My sheet'!A1,=1+1\nFlag,true\n")
    assert load_inputs(table) == [("Data!B1", 0.88), ("'My sheet'!A1", "=1+1"), ("Flag", True)]
    record = tmp_path / "inputs.json"
    record.write_text('{"Data!B1": 2, "Data!A1": "=1+1"}')
    assert load_inputs(record) == [("Data!B1", 2.0), ("Data!A1", "=1+1")]
    for bad in ("[1]", "{", '{"A!A1": [1]}'):
        record.write_text(bad)
        with pytest.raises(RefusedError):
            load_inputs(record)
