"""Inputs as finance types them, and inputs that change nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from workbooks.errors import BadInputError
from workbooks.recalc import recalculate
from workbooks.recalc.inputs import as_typed

PERCENT, DOLLARS, COUNT = "0.0%", '"$"#,##0.00', "#,##0"


@pytest.mark.parametrize(
    ("text", "shown", "number"),
    [
        ("50%", PERCENT, 0.5),
        ("-12.5 %", PERCENT, -0.125),
        ("0.5", PERCENT, 0.5),
        ("$1.20", DOLLARS, 1.2),
        ("-$1,200.50", DOLLARS, -1200.5),
        ("1,200", COUNT, 1200),
        ("12,345,678", DOLLARS, 12345678),
        ("€3", "#,##0.00 [$€-407]", 3),
        # A sign that the cell does not show: half a dollar is not 50 %.
        ("50%", DOLLARS, None),
        ("$1.20", PERCENT, None),
        ("1,200", "0.00", None),
        ("1,20", COUNT, None),
        ("1.200,5", COUNT, None),
        ("abc", COUNT, None),
        ("5%", '0" % of list"', None),
    ],
)
def test_a_number_is_what_the_format_of_its_cell_says(text, shown, number):
    assert as_typed(text, shown) == (None if number is None else pytest.approx(number))


@pytest.fixture
def book(tmp_path) -> Path:
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "Inputs"
    for row, (value, shown) in enumerate(
        ((0.1, PERCENT), (2.0, DOLLARS), (10, "#,##0"), (3.0, "General")), start=1
    ):
        sheet.cell(row, 1, value).number_format = shown
        sheet.cell(row, 2, f"=A{row}*2")
    workbook.save(tmp_path / "book.xlsx")
    return tmp_path / "book.xlsx"


def test_the_cells_take_them(book):
    typed = [("Inputs!A1", "50%"), ("Inputs!A2", "$1.20"), ("Inputs!A3", "1,200")]
    recalculate(book, set_values=typed)
    sheet = load_workbook(book, data_only=True)["Inputs"]
    assert [sheet.cell(r, 2).value for r in (1, 2, 3)] == pytest.approx([1.0, 2.4, 2400])


@pytest.mark.parametrize(("cell", "text"), [("A2", "50%"), ("A1", "$1.20"), ("A4", "1,200")])
def test_a_sign_that_the_cell_does_not_show_is_refused(book, cell, text):
    before = book.read_bytes()
    with pytest.raises(BadInputError, match="holds a number"):
        recalculate(book, set_values=[(f"Inputs!{cell}", text)])
    assert book.read_bytes() == before


@pytest.fixture(scope="module")
def breakeven(built) -> Path:
    return built("breakeven").path


@pytest.mark.parametrize(
    ("choices", "warned"),
    [
        ([("price_price_war", 0.5)], ["Inputs!D12"]),
        ([("price_steady", 0.5)], []),
        ([("price_price_war", 0.5), ("scenario", "Price war")], []),
        ([("gpu_hour", 3.0)], []),
    ],
)
def test_an_input_of_a_scenario_that_is_not_live_is_told(breakeven, tmp_path, choices, warned):
    path = Path(shutil.copy(breakeven, tmp_path))
    report = recalculate(path, set_values=choices)
    assert [text.split()[0] for text in report.warnings] == warned


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("price", r"=INDEX\(.*; set price_steady, price_price_war or price_efficiency, or replace"),
        ("runway_months", r"=IF\(ISNA\(TOK_RUNWAY.*…; set a cell that it reads, or replace"),
    ],
)
def test_a_formula_in_the_way_says_what_to_set_instead(breakeven, tmp_path, name, told):
    with pytest.raises(BadInputError, match=rf"holds a formula, {told} the formula by --force$"):
        recalculate(breakeven, tmp_path / "out.xlsx", set_values=[(name, 1.2)])
