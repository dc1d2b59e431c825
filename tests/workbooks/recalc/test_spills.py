"""What array formulas fill: read by other formulas, after a change, and where it stays."""

from __future__ import annotations

from pathlib import Path

import formualizer as fz
import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula

from workbooks.calc.formualizer import FormualizerCalculator
from workbooks.calc.protocol import SPILL, Settings
from workbooks.excel.runtime.arrays import Spills
from workbooks.recalc import recalculate

#: A spill in row 4, cells that read it in row 7, and what reads those beside the spill.
FORMULAS = {
    **{f"{c}2": f"{c}1*$A$9" for c in "ABCDE"},
    "G4": "TB.SPILL(A2:E2,1)",
    **{f"{c}7": f"SUM({c}4:{c}6)+1" for c in "GHIJK"},
    "G8": "SUM(G7:K7)",
    "H8": "G8*2",
    "G9": "TB.SPILL(G4#/$G$7:$K$7,2)",
    "G12": "SUM(G9:K9)",
    "G13": "TB.SPILL($H$9:$K$9+1,3)",
    "G14": "SUM(G13:J13)",
}


def loaded(path: Path, factor: float) -> FormualizerCalculator:
    """Return the model evaluated with a factor in A9."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    sheet["A9"] = factor
    for column in range(1, 6):
        sheet.cell(1, column, column)
    for place, formula in FORMULAS.items():
        sheet[place] = f"={formula}"
    book.save(path)
    calculator = FormualizerCalculator(Settings())
    calculator.register({SPILL: Spills().spill})
    calculator.load(path)
    calculator.evaluate()
    return calculator


def shown(calculator: FormualizerCalculator) -> list[list[object]]:
    return calculator.values("S", 1, 1, 14, 12)


def test_after_a_change_all_is_as_if_computed_afresh(tmp_path: Path) -> None:
    calculator = loaded(tmp_path / "a.xlsx", 1.0)
    for factor in (10.0, -3.0, 10.0):
        calculator.set_value("S", 9, 1, factor)
        calculator.evaluate()
        assert shown(calculator) == shown(loaded(tmp_path / "b.xlsx", factor))


def test_the_calculator_alone_forgets_what_hangs_on_a_spill() -> None:
    """Where this fails, `FormualizerCalculator` need not set anything twice."""
    workbook = fz.Workbook()
    workbook.add_sheet("S")
    for column in range(1, 6):
        workbook.set_value("S", 1, column, float(column))
    workbook.set_value("S", 9, 1, 1.0)
    for place, formula in FORMULAS.items():
        if "TB" not in formula or place == "G4":
            text = formula.replace("TB.SPILL(", "").replace(",1)", "")
            row, column = openpyxl.utils.cell.coordinate_to_tuple(place)
            workbook.set_formula("S", row, column, f"={text}")
    workbook.evaluate_all()
    workbook.set_value("S", 9, 1, 10.0)
    workbook.evaluate_all()
    assert workbook.evaluate_cell("S", 7, 8) == 21
    assert workbook.evaluate_cell("S", 8, 7) != 155


KEPT = (
    '<row r="1"><c r="A1" cm="1"><f t="array" ref="A1:A3" ca="1">STOCKHISTORY("A",1,2)</f>'
    '<v>5</v></c><c r="B1"><v>1</v></c><c r="C1"><f>SUM(_xlfn.ANCHORARRAY(A1))</f>'
    "<v>18</v></c></row>"
    '<row r="2"><c r="A2"><f ca="1"/><v>6</v></c><c r="C2" cm="1">'
    '<f t="array" ref="C2">_xlfn.TAKE(_xlfn.ANCHORARRAY(Past),-1)+B1</f><v>7</v></c></row>'
    '<row r="3"><c r="A3"><f ca="1"/><v>7</v></c></row>'
    '<row r="4"><c r="C4"><f>SUM(A1:A3)+COUNT(A:A)</f><v>21</v></c></row>'
)


@pytest.mark.parametrize("baseline", [True, False])
def test_a_spill_that_stays_is_read_as_it_stands(write, values, baseline: bool) -> None:
    path = write(
        KEPT, names='<definedNames><definedName name="Past">S!$A$1</definedName></definedNames>'
    )
    report = recalculate(path, set_values=[("S!B1", 2.0)], baseline=baseline)
    # The first cell is told of; what Excel saved beside it is no formula.
    assert [cell.address for cell in report.unevaluated] == ["S!A1"]
    found = values(path)
    assert [found[f"A{row}"] for row in (1, 2, 3)] == [5, 6, 7]
    assert (found["C1"], found["C2"], found["C4"]) == (18, 9, 21)


def test_an_empty_formula_beside_no_array_formula_is_told(write) -> None:
    report = recalculate(write('<row r="1"><c r="A1"><f ca="1"/><v>6</v></c></row>'))
    assert [cell.reason for cell in report.unevaluated] == ["the formula is empty"]


def test_an_array_formula_of_a_workbook_fills_its_cells(tmp_path: Path, values) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    sheet["A1"] = 2
    sheet["B1"] = ArrayFormula("B1:B3", "={1;2;3}*A1")
    sheet["C1"] = "=SUM(B1:B3)"
    path = tmp_path / "a.xlsx"
    book.save(path)
    recalculate(path, set_values=[("S!A1", 5.0)])
    assert values(path)["C1"] == 30


def test_a_spill_that_begins_with_an_error_fills_all_its_cells(write, values) -> None:
    cells = "".join(
        f'<c r="{c}1"><f>{f}</f></c>' for c, f in zip("ABC", ("1", "NA()", "3"), strict=True)
    )
    dynamic = '<c r="{0}" cm="1"><f t="array" ref="{0}">{1}</f><v>0</v></c>'
    path = write(
        f'<row r="1">{cells}</row>'
        f'<row r="2">{dynamic.format("A2", "_xlfn._xlws.SORT(A1:C1,1,-1,TRUE)")}</row>'
        f'<row r="3">{dynamic.format("A3", "A1:C1+B1")}<c r="E3"><f>COUNT(A2:D2)</f></c></row>'
        # With no room it is one error, whatever the result begins with.
        f'<row r="4">{dynamic.format("A4", "A1:C1+B1")}<c r="B4"><v>7</v></c></row>'
        f'<row r="5">{dynamic.format("A5", "A1:C1+VALUE(A4)")}<c r="B5"><v>7</v></c></row>'
    )
    recalculate(path)
    found = values(path)
    assert [found.get(f"{c}2") for c in "ABC"] == ["#N/A", 3, 1]
    assert [found.get(f"{c}3") for c in "ABC"] == ["#N/A"] * 3
    assert found["E3"] == 2
    # A file holds #SPILL! so.
    for row in (4, 5):
        assert [found.get(f"{c}{row}") for c in "ABC"] == ["#VALUE!", 7, None]
