"""Rules whose absence no other test would notice: blanks, nothings, second rounds."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula

from udfs.declare import registry
from workbooks.errors import UnwritableError
from workbooks.recalc import recalculate
from workbooks.recalc.freeze import freeze


def values(path: Path, cells: dict[str, object], *asked: str) -> list[object]:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for address, value in cells.items():
        sheet[address] = value
    book.save(path)
    recalculate(path)
    found = openpyxl.load_workbook(path, data_only=True).active
    assert found is not None
    return [found[address].value for address in asked]


def test_nothing_to_the_power_of_nothing_down_a_column(tmp_path: Path) -> None:
    cells: dict[str, object] = {f"A{r}": float(r % 3) for r in range(1, 40)}
    cells |= {f"B{r}": f"=A{r}^A{r}" for r in range(1, 40)}
    cells |= {f"C{r}": f"=TOK_SUBSIDY(A{r}^A{r},5)" for r in range(1, 40)}
    found = values(tmp_path / "a.xlsx", cells, "B2", "B3", "B4", "B39", "C3", "C2")
    assert found == [4, "#NUM!", 1, "#NUM!", "#NUM!", 1]


def test_a_cell_that_an_array_formula_fills_is_no_constant(tmp_path: Path) -> None:
    """Its old value must not be taken for one by the cells that hang on it."""
    cells: dict[str, object] = {f"A{r}": float(r) for r in range(1, 40)}
    cells["B1"] = ArrayFormula("B1:B39", "=A1:A39*2")
    cells |= {f"C{r}": f"=TOK_SUBSIDY(B{r},100)" for r in range(1, 40)}
    path = tmp_path / "a.xlsx"
    assert values(path, cells, "C1", "C39") == [98, 22]
    recalculate(path, set_values=[("Sheet!A39", 0)])
    assert openpyxl.load_workbook(path, data_only=True).active["C39"].value == 100  # type: ignore[index]


def test_functions_chained_over_blocks_come_out(tmp_path: Path) -> None:
    """An expensive function of an expensive one takes a round of its own."""
    first = 'TOK_THROUGHPUT("llama-3.1-8b","h100_sxm",{})'
    outer = '=TOK_THROUGHPUT("llama-3.1-8b","h100_sxm",ROUND({},0))'
    cells: dict[str, object] = {
        "A1": "=" + first.format(8),
        "A2": outer.format("A1/100"),
        "A3": outer.format("A2/100"),
    }
    found = values(tmp_path / "a.xlsx", cells, "A1", "A2", "A3")
    call = registry["TOK_THROUGHPUT"]
    wanted = [call("llama-3.1-8b", "h100_sxm", 8.0)]
    for _ in range(2):
        wanted.append(call("llama-3.1-8b", "h100_sxm", float(round(wanted[-1] / 100))))
    assert found == pytest.approx(wanted, rel=1e-12)


def test_nothing_is_computed_from_a_formula_that_has_no_value(tmp_path: Path) -> None:
    """What hangs on a circle without old values gets no value, and no 0."""
    cells: dict[str, object] = {"A1": "=A2", "A2": "=A1", "A3": "=A1+5", "A4": "=SUM(A1:A2)+1"}
    assert values(tmp_path / "a.xlsx", cells, "A3", "A4") == [None, None]


#: SUBTOTAL's functions over 2 and 3, and over nothing.
SUBTOTALS = {1: 2.5, 2: 2, 3: 2, 4: 3, 5: 2, 6: 6, 7: 0.5**0.5, 8: 0.5, 9: 5, 10: 0.5, 11: 0.25}
OF_NOTHING = {2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 9: 0}


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("number", SUBTOTALS)
def test_a_subtotal_of_hidden_rows_alone(tmp_path: Path, number: int, filtered: bool) -> None:
    """Rows hidden by hand are passed over from 101 on, those hidden by a filter by all."""
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in range(1, 4):
        sheet.cell(row, 1, float(row))
        sheet.row_dimensions[row].hidden = row > 1
    if filtered:
        sheet.auto_filter.ref = "A1:A3"
        sheet.auto_filter.add_filter_column(0, ["1"])
    sheet["A5"] = f"=SUBTOTAL({number},A2:A3)"
    sheet["A6"] = f"=SUBTOTAL({100 + number},A2:A3)"
    book.save(path)
    recalculate(path)
    found = openpyxl.load_workbook(path, data_only=True).active
    assert found is not None
    nothing = OF_NOTHING.get(number, "#DIV/0!")
    assert found["A5"].value == (nothing if filtered else pytest.approx(SUBTOTALS[number]))
    assert found["A6"].value == nothing


def test_a_frozen_copy_is_not_put_over_a_file_that_is_open(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    values(path, {"A1": "=TOK_SUBSIDY(1,2)"})
    (tmp_path / "~$out.xlsx").write_bytes(b"")
    with pytest.raises(UnwritableError, match="open in another program"):
        freeze(path, tmp_path / "out.xlsx")
    assert not (tmp_path / "out.xlsx").exists()


def test_progress_is_told_at_each_stage(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    values(path, {"A1": "=1+1", "A2": "=ABS(A1)"})
    told: list[tuple[str, int, int]] = []
    recalculate(path, progress=lambda *how_far: told.append(how_far))
    assert {stage for stage, _, _ in told} >= {"read", "load", "evaluate"}
    assert all(0 <= done <= total for _, done, total in told)
