"""Inputs as finance types them, and inputs that change nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from workbooks.errors import BadInputError
from workbooks.recalc import recalculate
from workbooks.recalc.inputs import as_typed, as_value, load_inputs

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
        ([("price_steady", 0.5), ("scenario", "Price war")], ["Inputs!C12"]),
        ([("price_efficiency", 0.5)], ["Inputs!E12"]),
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


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.csv", "cell,value\nS!A1,1\n", [("S!A1", 1.0)]),
        ("a.csv", " Cell , VALUE \nS!A1, 1 \n", [("S!A1", 1.0)]),
        ("a.csv", "S!A1,1\ncell,value\n", [("S!A1", 1.0), ("cell", "value")]),
        ("a.csv", "cell,price\nS!A1,1\n", [("cell", "price"), ("S!A1", 1.0)]),
        ("a.csv", "\n , \n S!A1 ,true\n", [("S!A1", True)]),
        ("a.CSV", "S!A1,=1+1\nS!A2,FALSE\nS!A3,1e3\nS!A4, x\n",
         [("S!A1", "=1+1"), ("S!A2", False), ("S!A3", 1000.0), ("S!A4", " x")]),
        ("a.csv", '"S!A1","two\nlines"\n', [("S!A1", "two\nlines")]),
        ("a.json", '{"S!A1": 1, "S!A2": "1", "S!A3": true, "S!A4": null}',
         [("S!A1", 1.0), ("S!A2", "1"), ("S!A3", True), ("S!A4", None)]),
        ("a.json", "\ufeff{}", []),
    ],
)  # fmt: skip
def test_inputs_from_a_file(tmp_path, name, content, found):
    (tmp_path / name).write_text(content, encoding="utf-8")
    loaded = load_inputs(tmp_path / name)
    assert loaded == found
    assert list(map(type, dict(loaded).values())) == list(map(type, dict(found).values()))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.csv", b"S!A1,1\nS!A2\n", "line 2: cell and value are wanted"),
        ("a.csv", b"S!A1,1,2\n", "line 1: cell and value are wanted"),
        ("a.csv", b'S!A1,"1\n', "is not CSV"),
        ("a.csv", b"S!A1,\xff\n", "is not UTF-8 text"),
        ("a.json", b"[1]", "must hold one object"),
        ("a.json", b"{", "is not JSON"),
        ("a.json", b'{"S!A1": [1]}', "neither number, text nor TRUE or FALSE"),
        ("a.json", b'{"S!A1": 1e999}', "inf is not a finite number"),
        ("a.json", b'{"S!A1": NaN}', "nan is not a finite number"),
        ("a.txt", b"S!A1,1", "are read from .csv or .json"),
        ("b.csv", None, "No such file"),
    ],
)
def test_files_of_inputs_that_are_refused(tmp_path, name, content, why):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInputError, match=why):
        load_inputs(tmp_path / name)


def test_what_a_typed_text_means():
    for text, value in (
        ("1", 1.0), (" -1.5e3 ", -1500.0), (".5", 0.5), ("TRUE", True), (" false ", False),
        ("1,5", "1,5"), ("", ""), ("0x10", "0x10"), ("nan", "nan"), ("1 2", "1 2"),
    ):  # fmt: skip
        assert as_value(text) == value
        assert type(as_value(text)) is type(value)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([("Inputs!A1", 10**400)], "inf is not a finite number"),
        ([("Inputs!A4", "x" * 32_768)], "a cell holds 32,767 characters at most"),
        ([("Inputs!A1", 1), ("inputs!A1", 2)], "is set twice"),
        ([("Inputs!A1:A2", 1)], "is not one cell"),
        ([("Inputs!A1:B2", 1)], "is not one cell"),
        ([("Input!A1", 1)], "there is no sheet 'Input'; the file has Inputs"),
        ([("prices", 1)], "no such defined name"),
        ([("Inputs!A1", "TRUE ")], "holds a number; 'TRUE ' is none"),
        ([("Inputs!A1", True)], "holds a number; True is none"),
        ([("Inputs!A1", None)], "holds a number; None is none"),
        ([("Inputs!C1", 1)], "is not in the file; only cells that are can be set"),
        ([("Inputs!B1", 1)], "holds a formula, =A1\\*2; set a cell that it reads, or replace"),
    ],
)
def test_what_may_not_be_set(book, given, why):
    before = book.read_bytes()
    with pytest.raises(BadInputError, match=why):
        recalculate(book, set_values=given)
    assert book.read_bytes() == before


def test_the_longest_text(tmp_path):
    workbook = Workbook()
    workbook.active.title = "S"
    workbook.active["A1"] = "a note"
    workbook.save(tmp_path / "book.xlsx")
    recalculate(tmp_path / "book.xlsx", set_values=[("S!A1", "x" * 32_767)])
    assert load_workbook(tmp_path / "book.xlsx")["S"]["A1"].value == "x" * 32_767


def test_a_formula_is_told_up_to_some_length(tmp_path):
    for length, told in ((60, "1" * 60 + ";"), (61, "1" * 60 + "…;")):
        workbook = Workbook()
        workbook.active.title = "S"
        workbook.active["A1"] = "=" + "1" * length
        workbook.save(tmp_path / "book.xlsx")
        with pytest.raises(BadInputError, match=f"holds a formula, ={told}"):
            recalculate(tmp_path / "book.xlsx", set_values=[("S!A1", 1)])


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ('<f t="array" ref="B1:B2">A1:A2*2</f>', "part of an array formula"),
        ('<f t="dataTable" ref="B1:B2" dt2D="0" dtr="0" r1="A1"/>', "part of an array formula"),
        ('<f t="shared" ref="B1:B2" si="0">A1*2</f>', "a formula that other cells share"),
    ],
)
def test_a_formula_that_stands_for_other_cells_is_not_replaced(write, formula, why):
    path = write(
        f'<row r="1"><c r="A1"><v>1</v></c><c r="B1">{formula}<v>2</v></c></row>'
        '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><f t="shared" si="0"/><v>2</v></c></row>'
    )
    with pytest.raises(BadInputError, match=why):
        recalculate(path, set_values=[("S!B1", 5.0)], force=True)
