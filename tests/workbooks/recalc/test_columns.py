"""Columns of formulas computed at once: what the calculator would have given, row by row."""

from __future__ import annotations

import random
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula
from openpyxl.worksheet.table import Table

import udfs.functions
from udfs.cells import Cell
from workbooks.calc.formualizer import FormualizerCalculator
from workbooks.ooxml.book import SheetInfo
from workbooks.recalc import job as jobs
from workbooks.recalc import recalculate, sheets
from workbooks.recalc.columns import Columns

ROWS = 120
#: Formulas of row {r} over A to D; A and B hold numbers, C ids of models, D all kinds of things.
PLAIN = [
    "TOK_COST_PER_MTOK(A{r},B{r})",
    "TOK_COST_PER_MTOK(A{r},B{r}*1000)",
    "TOK_COST_PER_MTOK(A{r},B{r}*1000,0.5)*(1+10%)-$F$1/2",
    "TOK_COST_PER_MTOK(A{r},B{r},Utilisation)",
    "TOK_COST_PER_MTOK($A{r},B{r},Other!$B$2)+-A{r}",
    "_xll.TOK_COST_PER_MTOK(A{r},B{r},50%)",
    "A{r}/3600/B{r}*1000000",
    "-A{r}-B{r}--2+(A{r}*(B{r}+3))/7",
    "TOK_VERDICT(A{r},B{r},Data!B{r}*2)",
    "TOK_WEIGHT_GB(A{r}, 8)",
    'TOK_THROUGHPUT(C{r},"h100_sxm",B{r},1024+A{r})',
    "TOK_THROUGHPUT(C{r},Chip,B{r})/A{r}",
    "B{r}*1.1-B{r}-B{r}*0.1",
    "IF(A{r}>B{r},A{r}/2,-B{r})",
    "TOK_COST_PER_MTOK(IF(B{r}<=50,A{r},IF(A{r}<>30,$F$1,1)),B{r})",
    "IF(B{r}=$F$1,1,TOK_COST_PER_MTOK(A{r},B{r}-1))",
]


def workbook(path: Path, formulas: list[str]) -> Path:
    """Write the formulas side by side from column K on, beside numbers and texts."""
    rng = random.Random(7)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Data"
    other = book.create_sheet("Other")
    other["B2"], other["B3"] = 0.7, "h200_sxm"
    book.defined_names["Utilisation"] = DefinedName("Utilisation", attr_text="Other!$B$2")
    book.defined_names["Chip"] = DefinedName("Chip", attr_text="Other!$B$3")
    odd: list[object] = [None, "text", True, "", -1, 0, 1e300, "=1/0", "=1+1", "#N/A", "2"]
    sheet["F1"] = 3
    for r in range(1, ROWS + 1):
        models = ("llama-3.1-8b", "qwen3-32b", "no-such-model")
        sheet.cell(r, 1, rng.uniform(0.1, 90))
        sheet.cell(r, 2, rng.randrange(1, 200))
        sheet.cell(r, 3, models[r % 3 if r < 40 else 0])
        sheet.cell(r, 4, rng.uniform(1, 9) if r % 3 else odd[r // 3 % len(odd)])
        for column, formula in enumerate(formulas, 11):
            sheet.cell(r, column, "=" + formula.format(r=r, before=max(r - 1, 1)))
    book.save(path)
    return path


def shown(path: Path) -> dict[str, object]:
    """Return all values of a workbook by their addresses."""
    book = openpyxl.load_workbook(path, data_only=True)
    return {
        f"{sheet.title}!{cell.coordinate}": cell.value
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path], dict[str, object]]:
    """Return the values that the calculator gives without this help."""

    def values(path: Path) -> dict[str, object]:
        with monkeypatch.context() as patch:
            patch.setattr(Columns, "values", lambda *_: ())
            recalculate(path, tmp_path / "alone.xlsx")
        return shown(tmp_path / "alone.xlsx")

    return values


def same(ours: dict[str, object], theirs: dict[str, object]) -> None:
    """Compare values: numbers to the last digits, the rest as it is."""
    assert ours.keys() == theirs.keys()
    for address, value in theirs.items():
        if isinstance(value, float):
            assert ours[address] == pytest.approx(value, rel=1e-14), address
        else:
            assert ours[address] == value, address


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Cell]:
    """Return the list that values computed at once are noted in."""
    noted: list[Cell] = []
    before = Columns.values

    def values(self: Columns, parts: list[bytes]) -> object:
        found = before(self, parts)
        noted.extend(cell for cell in found if cell is not None)
        return found

    monkeypatch.setattr(Columns, "values", values)
    return noted


@pytest.mark.parametrize("formula", PLAIN)
def test_values_are_those_of_the_calculator(
    formula: str, tmp_path: Path, alone: Callable[[Path], dict[str, object]], computed: list[Cell]
) -> None:
    path = workbook(tmp_path / "book.xlsx", [formula])
    recalculate(path, tmp_path / "out.xlsx")
    assert len(computed) >= ROWS // 2
    same(shown(tmp_path / "out.xlsx"), alone(path))


@pytest.mark.parametrize(
    "argument",
    ["D{r}", "D{r}*2", "D{r}+A{r}", "-D{r}", "IF(D{r}>2,A{r},B{r})", "IF(A{r}<>D{r},1,2)"],
)
def test_what_is_no_number_is_left_to_the_calculator(
    argument: str, tmp_path: Path, alone: Callable[[Path], dict[str, object]], computed: list[Cell]
) -> None:
    formula = f"TOK_COST_PER_MTOK({argument},B{{r}},0.5)"
    path = workbook(tmp_path / "book.xlsx", [formula, argument])
    recalculate(path, tmp_path / "out.xlsx")
    assert ROWS // 2 < len(computed) < 2 * ROWS
    same(shown(tmp_path / "out.xlsx"), alone(path))


@pytest.mark.parametrize(
    "formula", ["1/(A{r}/D{r})", "IF(1/D{r}>3,1,2)", "D{r}*1E308*10/1E308", "IF(A{r}>60,2,1/D{r})"]
)
def test_an_error_on_the_way_stays_one(
    formula: str, tmp_path: Path, alone: Callable[[Path], dict[str, object]]
) -> None:
    path = workbook(tmp_path / "book.xlsx", [formula])
    recalculate(path, tmp_path / "out.xlsx")
    values = shown(tmp_path / "out.xlsx")
    assert any(str(value).startswith("#") for key, value in values.items() if "!K" in key)
    same(values, alone(path))


def test_columns_that_hang_on_each_other(
    tmp_path: Path, alone: Callable[[Path], dict[str, object]], computed: list[Cell]
) -> None:
    formulas = ["M{r}*2", "TOK_COST_PER_MTOK(A{r},B{r})", "L{r}+D{r}", "N{r}+K{r}", "K{r}+1"]
    path = workbook(tmp_path / "book.xlsx", formulas)
    recalculate(path, tmp_path / "out.xlsx")
    assert len(computed) > 3 * ROWS
    same(shown(tmp_path / "out.xlsx"), alone(path))


@pytest.mark.parametrize(
    "formula",
    [
        "A{before}*2",
        "SUM(A{r}:B{r})",
        "A{r}^2",
        'A{r}&"x"',
        "A{r}>B{r}",
        "A{r}:B{r}",
        "K{r}+1",
        'IF(A{r}>1,"A{r}",B{r})',
        "IF(A{r},1,2)",
        "IF(A{r}>1,2)",
        "IF(A{r}>B{r}>0,1,2)",
        'IF(C{r}="llama-3.1-8b",1,2)',
        "TOK_COST_PER_MTOK(A{r})",
        "TOK_COST_PER_MTOK(A{r},,0.5)",
        "TOK_COST_PER_MTOK(A{r},B{r},Other!B{r})",
        "TOK_COST_PER_MTOK(A{r},B{r},Other!$B$9)",
        "TOK_NO_SUCH(A{r})",
    ],
)
def test_other_formulas_stay_with_the_calculator(
    formula: str, tmp_path: Path, alone: Callable[[Path], dict[str, object]], computed: list[Cell]
) -> None:
    path = workbook(tmp_path / "book.xlsx", [formula])
    recalculate(path, tmp_path / "out.xlsx")
    assert not computed
    same(shown(tmp_path / "out.xlsx"), alone(path))


def test_a_number_in_the_formula_that_looks_like_its_row(
    tmp_path: Path, alone: Callable[[Path], dict[str, object]]
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for r in range(1, 101):
        sheet.cell(r, 1, r / 7)
        sheet.cell(r, 2, f"=A{r}*{r}")
        sheet.cell(r, 3, f"=A{r}*1")
        sheet.cell(r, 4, f"=A{r}*{1 + (r == 50)}")
    book.save(tmp_path / "book.xlsx")
    recalculate(tmp_path / "book.xlsx", tmp_path / "out.xlsx")
    values = shown(tmp_path / "out.xlsx")
    assert values["Sheet!B50"] == pytest.approx(50 / 7 * 50)
    assert values["Sheet!D50"] == pytest.approx(100 / 7)
    same(values, alone(tmp_path / "book.xlsx"))


def test_shared_formulas(
    write: Callable[..., Path],
    tmp_path: Path,
    alone: Callable[[Path], dict[str, object]],
    computed: list[Cell],
) -> None:
    first = (
        '<row r="1"><c r="A1"><v>2</v></c><c r="B1" s="0"><v>4</v></c>'
        '<c r="C1"><f t="shared" ref="C1:D90" si="3">TOK_COST_PER_MTOK(A1,$B1*100,$B$1%)</f></c>'
        '<c r="D1"><f t="shared" si="3"/></c></row>'
    )
    rest = "".join(
        f'<row r="{r}"><c r="A{r}"><v>{r}</v></c><c r="B{r}" t="n"><v>{4 + r}</v></c>'
        f'<c r="C{r}"><f t="shared" si="3"/></c>'
        f'<c r="D{r}"><f t="shared" si="3"/><v>1</v></c></row>'
        for r in range(2, 91)
    )
    # No cost: an error, for the calculator to tell of.
    rest = rest.replace('<c r="A50"><v>50</v>', '<c r="A50"><v>-50</v>')
    path = write({"S": first + rest})
    report = recalculate(path, tmp_path / "out.xlsx")
    assert [problem.address for problem in report.errors] == ["S!C50"]
    assert len(computed) == 89 + 90
    values = shown(tmp_path / "out.xlsx")
    assert values["S!C90"] == pytest.approx(udfs.functions.TOK_COST_PER_MTOK(90.0, 9400.0, 0.04))
    same(values, alone(path))


def test_columns_of_a_table(
    tmp_path: Path, alone: Callable[[Path], dict[str, object]], computed: list[Cell]
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Price", "Speed", "Cost"])
    for r in range(2, 80):
        sheet.append([r / 3, r * 100, "=TOK_COST_PER_MTOK(Runs[[#This Row],[Price]],[@Speed],0.5)"])
    table = Table(displayName="Runs", ref="A1:C79")
    table._initialise_columns()
    for column, header in zip(table.tableColumns, ("Price", "Speed", "Cost"), strict=True):
        column.name = header
    sheet.add_table(table)
    book.save(tmp_path / "book.xlsx")
    recalculate(tmp_path / "book.xlsx", tmp_path / "out.xlsx")
    assert len(computed) == 78
    same(shown(tmp_path / "out.xlsx"), alone(tmp_path / "book.xlsx"))


def test_what_array_formulas_fill_is_no_constant(
    tmp_path: Path, alone: Callable[[Path], dict[str, object]]
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["G1"] = 2
    sheet["A1"] = ArrayFormula("A1:A60", "=ROW(A1:A60)*$G$1")
    for r in range(1, 61):
        sheet.cell(r, 2, f"=A{r}*3")
        if r > 1:
            # What an earlier evaluation left behind.
            sheet.cell(r, 1, 99)
        sheet.cell(r + 60, 1, 5)
        sheet.cell(r + 60, 2, f"=A{r + 60}*$A$2")
    book.save(tmp_path / "book.xlsx")
    recalculate(tmp_path / "book.xlsx", tmp_path / "out.xlsx")
    values = shown(tmp_path / "out.xlsx")
    assert values["Sheet!B60"] == 360
    assert values["Sheet!B120"] == 20
    same(values, alone(tmp_path / "book.xlsx"))


def test_data_tables_vary_what_is_constant_elsewhere(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["G1"] = 2
    for r in range(1, 51):
        sheet.cell(r, 1, r)
        sheet.cell(r, 2, f"=A{r}*$G$1")
    sheet["J1"] = "=SUM(B1:B50)"
    sheet["I2"], sheet["I3"] = 10, 20
    sheet["J2"] = DataTableFormula(ref="J2:J3", dt2D=False, dtr=False, r1="G1")
    sheet["J3"] = 0
    book.save(tmp_path / "book.xlsx")
    recalculate(tmp_path / "book.xlsx", tmp_path / "out.xlsx")
    values = shown(tmp_path / "out.xlsx")
    assert (values["Sheet!J1"], values["Sheet!J2"], values["Sheet!J3"]) == (2550, 12750, 25500)


def test_values_that_are_set(tmp_path: Path, computed: list[Cell]) -> None:
    path = workbook(tmp_path / "book.xlsx", ["A{r}*Utilisation"])
    recalculate(path, tmp_path / "out.xlsx", set_values=[("Utilisation", 3), ("Data!A7", 5)])
    assert len(computed) == ROWS
    assert shown(tmp_path / "out.xlsx")["Data!K7"] == 15


def test_texts_that_cells_share(
    write: Callable[..., Path], tmp_path: Path, computed: list[Cell]
) -> None:
    texts = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</sst>'.format(
            "<si><t>llama-3.1-8b</t></si><si><r><t>llama</t></r><r><t>-3.1-8b</t></r></si>"
        )
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    rows = "".join(
        f'<row r="{r}"><c r="A{r}" t="s"><v>{int(r == 9)}</v></c>'
        f'<c r="B{r}"><f>TOK_THROUGHPUT(A{r},"h100_sxm",{r})</f></c></row>'
        for r in range(1, 65)
    )
    path = write(
        {"S": rows},
        extra={"xl/sharedStrings.xml": texts},
        relations=f'<Relationship Id="rIdS" Type="{office}/sharedStrings" '
        'Target="sharedStrings.xml"/>',
        types=f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/>',
    )
    report = recalculate(path, tmp_path / "out.xlsx")
    assert report.clean
    assert report.evaluated == 64


def test_no_engine_is_asked_where_nothing_is_left_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object) -> None:
        raise AssertionError("the calculator was asked")

    monkeypatch.setattr(FormualizerCalculator, "load", load)
    path = workbook(tmp_path / "book.xlsx", [PLAIN[2], PLAIN[6]])
    with pytest.raises(AssertionError):
        recalculate(workbook(tmp_path / "sum.xlsx", ["SUM(A{r})"]), tmp_path / "out.xlsx")
    report = recalculate(_without_formulas_in(path, "D"), tmp_path / "out.xlsx")
    assert report.evaluated == 2 * ROWS


@pytest.mark.parametrize("formulas", [[PLAIN[2], PLAIN[6]], [PLAIN[2], "SUM(K{r})"]])
def test_sheets_too_large_to_keep(
    formulas: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _without_formulas_in(workbook(tmp_path / "book.xlsx", formulas), "D")
    small = recalculate(path, tmp_path / "small.xlsx")
    for module in (jobs, sheets):
        monkeypatch.setattr(module, "KEPT_IN_PARTS", 10)
    large = recalculate(path, tmp_path / "large.xlsx")
    assert small.changed == large.changed
    assert small.evaluated == large.evaluated == 2 * ROWS
    with (
        zipfile.ZipFile(tmp_path / "small.xlsx") as one,
        zipfile.ZipFile(tmp_path / "large.xlsx") as other,
    ):
        assert other.testzip() is None
        for name in one.namelist():
            assert one.read(name) == other.read(name)
    assert recalculate(tmp_path / "large.xlsx", dry_run=True).changed_count == 0


def test_a_large_sheet_is_read_once_where_nothing_needs_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    before = sheets.Sheets.parts

    def parts(self: sheets.Sheets, info: SheetInfo) -> Iterator[bytes]:
        read.append(info.name)
        return before(self, info)

    monkeypatch.setattr(sheets.Sheets, "parts", parts)
    path = _without_formulas_in(workbook(tmp_path / "book.xlsx", [PLAIN[2], PLAIN[6]]), "D")
    for module in (jobs, sheets):
        monkeypatch.setattr(module, "KEPT_IN_PARTS", 10)
    assert recalculate(path, tmp_path / "out.xlsx").evaluated == 2 * ROWS
    # A constant of each formula stands in a cell that is looked up by itself.
    assert Counter(read) == {"Data": 1 + 1, "Other": 1}


def _without_formulas_in(path: Path, letter: str) -> Path:
    book = openpyxl.load_workbook(path)
    for cell in book["Data"][letter]:
        cell.value = 1
    book.save(path)
    return path
