"""What a finance template uses, each with the values that Excel shows."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula
from openpyxl.worksheet.table import Table

from workbooks.recalc import recalculate


@pytest.fixture
def book() -> openpyxl.Workbook:
    """A table of four sales with totals, and some names."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    sheet.append(["Name", "Qty", "Unit Price", "Total"])
    for row in range(2, 6):
        sheet.append([f"n{row}", row, row * 1.5])
    sheet.append(["Total"])
    table = Table(displayName="Sales", ref="A1:D6", totalsRowCount=1)
    table._initialise_columns()
    for column, header in zip(
        table.tableColumns, ("Name", "Qty", "Unit Price", "Total"), strict=True
    ):
        column.name = header
    sheet.add_table(table)
    for name, text in {
        "Rate": "S!$B$2",
        "Quantities": "S!$B$2:$B$5",
        "FirstTwo": "OFFSET(S!$B$2,0,0,2,1)",
        "SumOfTwo": "S!$B$2+S!$B$3",
        "Nested": "SumOfTwo*2",
        "Quarter": "0.25",
        "Word": '"abc"',
        "ToTheLeft": "S!A1",
    }.items():
        book.defined_names[name] = DefinedName(name, attr_text=text)
    sheet.defined_names["Own"] = DefinedName("Own", attr_text="S!$B$3")
    book.create_sheet("Two É")["B2"] = 100
    return book


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("SUM(Sales[Qty])", 14),
        ("COUNTA(Sales[[#All],[Qty]])", 5),
        ("COUNTA(Sales[#Headers])", 4),
        ("COUNTA(Sales[[#Headers],[#Data],[Name]])", 5),
        ("Sales[[#Totals],[Name]]", "Total"),
        ("SUM(Sales[[Qty]:[Unit Price]])", 35),
        ("ROWS(Sales)", 4),
        ("SUM(sales[unit price])", 21),
        ("Rate*2", 4),
        ("SUM(Quantities)", 14),
        ("SUM(FirstTwo)", 5),
        ("SumOfTwo", 5),
        ("Nested+1", 11),
        ("Quarter*2", 0.5),
        ("Word", "abc"),
        ("Own", 3),
        ("SUM((B2:B4,C2))", 12),
        ("SUM(B2:C3 C3:D4)", 4.5),
        ("B2:C2 C3:C4", "#NULL!"),
        ("SUM('S:Two É'!B2)", 102),
        ("SUMPRODUCT(B2:B3*C2:C3)", 19.5),
        # Implicit intersection: the formula stands in row 9, outside the ranges.
        ("B2:B4*2", "#VALUE!"),
        ("SUM(B2:B4*C2:C4)", "#VALUE!"),
        ("ABS(B8:B10)", 7),
        ("_xlfn.SINGLE(B8:B10)", -7),
        ('TEXT(12345,"0.00E+00")', "1.23E+04"),
        ('_xlfn.XLOOKUP(3,B2:B5,A2:A5,"none")', "n3"),
        ("_xlfn.LET(_xlpm.x,2,_xlpm.x*3)", 6),
        ("_xll.TOK_WEIGHT_GB(70)", 140),
        ("_xldudf_TOK_WEIGHT_GB(70)", 140),
        ("TOK_WEIGHT_GB(70,)", 140),
        ("TOK_WEIGHT_GB(Quantities)", 4),
        ("SUM(TOK_WEIGHT_GB(Quantities))", 28),
        ("SUM(TOK_WEIGHT_GB(Sales[Qty],8))", 14),
    ],
)
def test_one_cell(
    book: openpyxl.Workbook, tmp_path: Path, values, formula: str, value: object
) -> None:
    sheet = book["S"]
    sheet["B9"] = -7
    sheet["H9"] = f"={formula}"
    path = tmp_path / "book.xlsx"
    book.save(path)
    report = recalculate(path)
    assert values(path)["H9"] == value
    assert not report.unevaluated


def test_this_row(book: openpyxl.Workbook, tmp_path: Path, values) -> None:
    sheet = book["S"]
    for row in range(2, 6):
        sheet.cell(row, 4, "=Sales[[#This Row],[Qty]]*Sales[[#This Row],[Unit Price]]")
        sheet.cell(row, 6, "=Sales[@Qty]*Sales[@[Unit Price]]")
    sheet["D6"] = "=SUBTOTAL(109,Sales[Total])"
    sheet["F8"] = "=Sales[[#This Row],[Qty]]"
    path = tmp_path / "book.xlsx"
    book.save(path)
    recalculate(path)
    found = values(path)
    assert [found[f"D{r}"] for r in range(2, 7)] == [6, 13.5, 24, 37.5, 81]
    assert [found[f"F{r}"] for r in range(2, 6)] == [6, 13.5, 24, 37.5]
    assert found["F8"] == "#VALUE!"


def test_array_formulas_are_clipped_padded_and_repeated(
    book: openpyxl.Workbook, tmp_path: Path, values
) -> None:
    sheet = book["S"]
    sheet["H1"] = ArrayFormula("H1:H2", "=B2:B5*2")
    sheet["I1"] = ArrayFormula("I1:J5", "=B2:B5")
    sheet["K1"] = ArrayFormula("K1:L2", "=7")
    sheet["M1"] = ArrayFormula("M1", "=SUM(B2:B4*C2:C4)")
    sheet["N1"] = ArrayFormula("N1:O2", "=MMULT(B2:C3,B2:C3)")
    path = tmp_path / "book.xlsx"
    book.save(path)
    report = recalculate(path)
    found = values(path)
    assert [found.get(f"H{r}") for r in range(1, 4)] == [4, 6, None]
    assert [found[f"J{r}"] for r in range(1, 6)] == [2, 3, 4, 5, "#N/A"]
    assert [found[a] for a in ("K1", "L1", "K2", "L2")] == [7] * 4
    assert found["M1"] == 43.5
    assert [found[a] for a in ("N1", "O1", "N2", "O2")] == [13, 19.5, 19.5, 29.25]
    assert {e.address for e in report.errors} == {"S!I5", "S!J5"}


def test_dynamic_array_grows_and_is_referred_to(write, values) -> None:
    path = write(
        '<row r="1"><c r="A1"><v>4</v></c><c r="B1" cm="1"><f t="array" ref="B1:B2">'
        "_xlfn.SEQUENCE(A1)</f><v>1</v></c>"
        '<c r="C1"><f>SUM(_xlfn.ANCHORARRAY(B1))</f><v>3</v></c></row>'
        '<row r="2"><c r="B2"><v>2</v></c></row>'
    )
    recalculate(path)
    assert values(path) == {"A1": 4, "B1": 1, "B2": 2, "B3": 3, "B4": 4, "C1": 10}
    recalculate(path, set_values=[("S!A1", 1)])
    assert values(path) == {"A1": 1, "B1": 1, "C1": 1}
    assert openpyxl.load_workbook(path)["S"]["B1"].value.ref == "B1"


def test_dynamic_array_in_the_way(write, values) -> None:
    path = write(
        '<row r="1"><c r="A1" cm="1"><f t="array" ref="A1">_xlfn.SEQUENCE(3)</f><v>1</v></c></row>'
        '<row r="2"><c r="A2"><v>99</v></c></row>'
    )
    (problem,) = recalculate(path).errors
    assert problem.code == "#SPILL!"
    # The newer errors are stored as #VALUE!; a file that names them is damaged to Excel.
    assert values(path) == {"A1": "#VALUE!", "A2": 99}


def test_shared_formulas(write, values) -> None:
    path = write(
        '<row r="1"><c r="A1"><v>4</v></c>'
        '<c r="B1"><f t="shared" ref="B1:B2" si="0">TOK_WEIGHT_GB(A1,)</f><v>1</v></c>'
        '<c r="C1"><f t="shared" ref="C1:C2" si="1">NOSUCH(A1)</f><v>11</v></c></row>'
        '<row r="2"><c r="A2"><v>5</v></c><c r="B2"><f t="shared" si="0"/></c>'
        '<c r="C2"><f t="shared" si="1"/><v>12</v></c><c r="D2"><f>C2+C1</f></c></row>'
    )
    report = recalculate(path)
    assert values(path) == {
        "A1": 4, "B1": 8, "C1": 11, "A2": 5, "B2": 10, "C2": 12, "D2": 23,
    }  # fmt: skip
    assert {k.address for k in report.unevaluated} == {"S!C1", "S!C2"}


def test_data_tables(tmp_path: Path, values) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    sheet["A1"], sheet["B1"] = 3, 10
    sheet["A2"], sheet["A3"] = "=TOK_WEIGHT_GB(A1)", "=A1*B1"
    for i, value in enumerate((1, 2, 5)):
        sheet.cell(11 + i, 1, value)
        sheet.cell(15, 2 + i, value)
    sheet["B10"], sheet["C10"] = "=A2", "=A3"
    sheet["B11"] = DataTableFormula(ref="B11:C13", r1="A1")
    sheet["A16"] = "=A3"
    sheet["B16"] = DataTableFormula(ref="B16:D16", r1="B1", dtr=True)
    sheet["E20"] = "=A3"
    for i, value in enumerate((1, 2)):
        sheet.cell(20, 6 + i, value)
        sheet.cell(21 + i, 5, value * 100)
    sheet["F21"] = DataTableFormula(ref="F21:G22", dt2D=True, dtr=True, r1="A1", r2="B1")
    sheet["H1"] = "=SUM(F21:G22)"
    path = tmp_path / "book.xlsx"
    book.save(path)
    recalculate(path)
    found = values(path)
    assert [(found[f"B{r}"], found[f"C{r}"]) for r in (11, 12, 13)] == [(2, 10), (4, 20), (10, 50)]
    assert [found[f"{c}16"] for c in "BCD"] == [3, 6, 15]
    assert [found[a] for a in ("F21", "G21", "F22", "G22")] == [100, 200, 200, 400]
    assert found["H1"] == 900
    assert found["A1"] == 3
    assert found["A3"] == 30


def test_circular_model(write, values) -> None:
    rows = (
        '<row r="1"><c r="A1"><f>B1*0.1+100</f><v>7</v></c><c r="B1"><f>A1*0.5</f><v>8</v></c>'
        '<c r="C1"><f>TOK_WEIGHT_GB(A1)</f></c></row>'
    )
    on = write(rows, calc='<calcPr iterate="1" iterateCount="100" iterateDelta="1E-9"/>')
    recalculate(on)
    found = values(on)
    assert found["A1"] == pytest.approx(100 / 0.95, abs=1e-8)
    assert found["C1"] == pytest.approx(200 / 0.95, abs=1e-7)
    off = write(rows)
    report = recalculate(off)
    # What hangs on the circle is as unknown as the circle itself.
    assert {k.address for k in report.unevaluated} == {"S!A1", "S!B1", "S!C1"}
    assert values(off) == {"A1": 7, "B1": 8}


def test_dates_of_both_systems(write, values) -> None:
    rows = (
        '<row r="1"><c r="A1"><f>DATE(2024,1,1)</f></c><c r="B1"><f>YEAR(A1+366)</f></c>'
        '<c r="C1"><f>TODAY()</f></c></row>'
    )
    clock = datetime(2026, 1, 2, 12)
    path = write(rows)
    recalculate(path, clock=clock)
    assert values(path) == {"A1": 45292, "B1": 2025, "C1": 46024}
    path = write(rows, properties='<workbookPr date1904="1"/>')
    recalculate(path, clock=clock)
    assert values(path) == {"A1": 45292 - 1462, "B1": 2025, "C1": 46024 - 1462}


def test_seed_and_clock_fix_the_volatile_functions(write, values) -> None:
    path = write('<row r="1"><c r="A1"><f>RAND()</f></c><c r="B1"><f>NOW()</f></c></row>')
    clock = datetime(2026, 1, 2, 12)
    recalculate(path, clock=clock, seed=7)
    once = path.read_bytes()
    first = values(path)
    assert first["B1"] == 46024.5
    recalculate(path, clock=clock, seed=7)
    assert path.read_bytes() == once
    recalculate(path, clock=clock, seed=8)
    assert values(path)["A1"] != first["A1"]


@pytest.mark.parametrize(("count", "blocks"), [(20, 0), (400, 2)])
def test_expensive_functions_in_blocks_give_what_single_calls_give(
    write, values, count: int, blocks: int
) -> None:
    """Chained calls take several rounds; each answer belongs to its arguments."""

    class Counted:
        name, expensive, result = "TOK_SLOW", True, "number"

        def __init__(self) -> None:
            self.blocks: list[int] = []
            self.single = 0

        def __call__(self, *cells: object) -> object:
            (x,) = cells
            self.single += 1
            return x * 2 + 1

        def call_block(self, calls: list[tuple[float]]) -> list[object]:
            self.blocks.append(len(calls))
            return [x * 2 + 1 for (x,) in calls]

    slow = Counted()
    rows = "".join(
        f'<row r="{r}"><c r="A{r}"><v>{r}</v></c><c r="B{r}"><f>TOK_SLOW(A{r})</f></c>'
        f'<c r="C{r}"><f>TOK_SLOW(B{r}+0.5)</f></c><c r="D{r}"><f>IFERROR(C{r},-1)</f></c></row>'
        for r in range(1, count + 1)
    )
    path = write(rows)
    recalculate(path, functions={"TOK_SLOW": slow})
    found = values(path)
    for r in (1, count // 2, count):
        assert found[f"C{r}"] == (r * 2 + 1.5) * 2 + 1
        assert found[f"D{r}"] == found[f"C{r}"]
    # The first calls are answered one by one; few calls need no block at all.
    assert len(slow.blocks) == blocks
    assert sum(slow.blocks) + slow.single == 2 * count
    assert slow.single <= 64
