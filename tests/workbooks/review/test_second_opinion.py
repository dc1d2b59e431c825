import math
import os
import zipfile

import pytest
from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

from udfs import CellError, registry
from udfs.hosts import libreoffice
from workbooks.recalc import NotAWorkbookError, UnwritableError, recalculate
from workbooks.review.second_opinion import same, second_opinion, write_ods

pytestmark = [
    pytest.mark.libreoffice,
    pytest.mark.skipif(
        libreoffice.find_soffice() is None and "CI" not in os.environ,
        reason="LibreOffice is not installed",
    ),
]

INPUTS = {"A1": 3, "A2": True, "A4": "text", "A5": "=1/0", "A6": "=A1>2"}
#: Formulas on the sheet `My sheet`, and what each should give.
FORMULAS = {
    "C1": ("=TOK_WEIGHT_GB(A1)", 6.0),
    "C2": ("=TOK_WEIGHT_GB(A1,A3)", 6.0),
    "C3": ("=TOK_WEIGHT_GB(A2)", CellError("#VALUE!")),
    "C4": ("=TOK_WEIGHT_GB(A3)", CellError("#VALUE!")),
    "C5": ("=TOK_WEIGHT_GB(A4)", CellError("#VALUE!")),
    "C6": ("=TOK_WEIGHT_GB(A5)", CellError("#DIV/0!")),
    "C7": ("=TOK_WEIGHT_GB(-A1)", CellError("#NUM!")),
    "C8": ("=TOK_WEIGHT_GB(params)*2", 20.0),
    "C9": ('=TOK_WEIGHT_GB( params , 8 )&"TOK_WEIGHT_GB(A1)"', "5TOK_WEIGHT_GB(A1)"),
    "C10": ("=SUM(tok_weight_gb(A1),'My sheet'!A1)", 9.0),
    "C11": ("=TOK_WEIGHT_GB(TRUE)", CellError("#VALUE!")),
    "C12": ("=TOK_WEIGHT_GB(Other!B2)", 10.0),
    "C13": ('=IF(TOK_SUBSIDY(1,3)>1,"loss","")', "loss"),
    "C14": ("=TOK_COMBINED_GAIN(A1:A1)", 3.0),
    "C15": ("=TOK_COMBINED_GAIN(A1:A3)", CellError("#VALUE!")),
    "C16": ("=TOK_WEIGHT_GB(weights)", 20.0),
    "C17": ("=TOK_WEIGHT_GB(A6)", CellError("#VALUE!")),
    "C19": ('=TOK_SPEC("no such thing","params_b")', CellError("#N/A")),
    "C20": ("=TOK_WEIGHT_GB(A1,)", 6.0),
    "C21": ("=TOK_VERDICT(A1,A1,A1)", "near breakeven"),
    "C22": ('=COUNTIF(C21,"near breakeven")', 1.0),
    "C23": ('=MATCH("price",E1:H1,0)', 3.0),
    "C24": ('=INDEX(TOK_LIST("accelerators"),1,1)="id"', True),
    "C25": ("=COUNTIF(J1:J2,C21)", 1.0),
}


@pytest.fixture(scope="module")
def workbook(tmp_path_factory):
    """A workbook in which every way to hand over a cell occurs, its values calculated."""
    book = Workbook()
    sheet, other = book.active, book.create_sheet("Other")
    sheet.title = "My sheet"
    other["B2"] = 5
    book.defined_names["params"] = DefinedName("params", attr_text="Other!$B$2")
    book.defined_names["weights"] = DefinedName("weights", attr_text="TOK_WEIGHT_GB(Other!$B$2)")
    for cell, value in INPUTS.items():
        sheet[cell] = value
    for cell, (formula, _) in FORMULAS.items():
        sheet[cell] = formula
    sheet["E1"] = ArrayFormula("E1:H4", "=TOK_MARKET_PATH(8.5E9,2.5,1,-0.5,2)")
    sheet["J1"] = ArrayFormula("J1:J2", "=TOK_VERDICT(A1:A2,A1,A1)")
    sheet["E6"] = ArrayFormula("E6:E10", "=TOK_WEIGHT_GB(A1:A5,8)")
    path = tmp_path_factory.mktemp("workbook") / "model.xlsx"
    book.save(path)
    recalculate(path)
    return path


@pytest.fixture(scope="module")
def opinion(workbook):
    before = workbook.read_bytes()
    told = []
    found = second_opinion(workbook, progress=lambda *how_far: told.append(how_far))
    assert workbook.read_bytes() == before
    assert "recalculating in LibreOffice" in {what for what, _, _ in told}
    return found


@pytest.mark.parametrize("cell", FORMULAS)
def test_calc_gives_the_value(opinion, cell):
    found, (_, wanted) = opinion.values["My sheet", cell], FORMULAS[cell]
    assert found == wanted if isinstance(wanted, str) else same(wanted, found)


def test_arrays_are_read_cell_by_cell(opinion):
    table = registry["TOK_MARKET_PATH"](8.5e9, 2.5, 1.0, -0.5, 2.0)
    for r, row in enumerate(table, start=1):
        for column, wanted in zip("EFGH", row, strict=True):
            assert same(wanted, opinion.values["My sheet", f"{column}{r}"])
    column = [opinion.values["My sheet", f"E{r}"] for r in range(6, 11)]
    assert column == [3.0, *map(CellError, ["#VALUE!"] * 3), CellError("#DIV/0!")]


def test_both_programs_agree(opinion):
    assert opinion.agrees
    assert opinion.compared == len(opinion.values) == len(FORMULAS) + 3 + 16 + 5 + 1
    assert opinion.unheld == 0
    # The file has TRUE there, Calc 1.
    assert opinion.values["My sheet", "A6"] is True


def test_differences_unknown_functions_and_missing_values_are_told(tmp_path):
    book = Workbook()
    sheet = book.active
    sheet["A1"] = "=TOK_WEIGHT_GB(8)"
    sheet["A2"] = "=TOK_NO_SUCH(8)"
    sheet["A3"] = "=TOK_WEIGHT_GB(9)"
    path = tmp_path / "model.xlsx"
    book.save(path)
    fresh = second_opinion(path)
    assert (fresh.compared, fresh.unheld, fresh.agrees) == (0, 2, False)
    assert fresh.values["Sheet", "A1"] == 16.0
    assert fresh.unknown == [("Sheet", "A2")]

    text = "<f>TOK_WEIGHT_GB(8)</f>"
    _replace(path, "xl/worksheets/sheet1.xml", f"{text}<v></v>", f"{text}<v>16.0001</v>")
    [difference] = second_opinion(path).differences
    assert difference == ("Sheet", "A1", "TOK_WEIGHT_GB(8)", 16.0001, 16.0)


def test_shared_formulas_refer_to_their_own_cells(tmp_path):
    book = Workbook()
    sheet = book.active
    for row, value in enumerate([2, None, True], start=1):
        sheet.cell(row, 1, value)
        sheet.cell(row, 2, 1)
    path = tmp_path / "model.xlsx"
    book.save(path)
    master = '<c r="B1"><f t="shared" ref="B1:B3" si="0">TOK_WEIGHT_GB(A1,8)</f></c>'
    _replace(path, "xl/worksheets/sheet1.xml", '<c r="B1" t="n"><v>1</v></c>', master)
    for row in (2, 3):
        child = f'<c r="B{row}"><f t="shared" si="0"/></c>'
        _replace(path, "xl/worksheets/sheet1.xml", f'<c r="B{row}" t="n"><v>1</v></c>', child)
    values = second_opinion(path).values
    assert [values["Sheet", f"B{row}"] for row in (1, 2, 3)] == [
        2.0,
        CellError("#VALUE!"),
        CellError("#VALUE!"),
    ]


def test_rounding_is_no_difference(tmp_path):
    book = Workbook()
    sheet = book.active
    sheet["A1"], sheet["A2"] = 1e16, 1e16 + 20
    sheet["A3"] = "=A2-A1"
    sheet["A4"] = "=A2-A1+1E6"
    path = tmp_path / "model.xlsx"
    book.save(path)
    # Calc makes such a difference 0.
    _replace(path, "xl/worksheets/sheet1.xml", "A2-A1</f><v></v>", "A2-A1</f><v>20</v>")
    held = "A2-A1+1E6</f><v>2000020</v>"
    _replace(path, "xl/worksheets/sheet1.xml", "A2-A1+1E6</f><v></v>", held)
    found = second_opinion(path)
    assert found.values["Sheet", "A3"] == 0.0
    assert [difference.cell for difference in found.differences] == ["A4"]


def test_what_is_no_workbook_is_refused(tmp_path):
    path = tmp_path / "model.xlsx"
    path.write_text("no workbook")
    with pytest.raises(NotAWorkbookError, match=r"model\.xlsx"):
        second_opinion(path)


def test_time_runs_out(workbook):
    with pytest.raises(libreoffice.LibreOfficeError, match="seconds and was ended"):
        second_opinion(workbook, seconds=0.1)


def test_a_copy_for_calc_calculates_there(workbook, tmp_path):
    target = tmp_path / "model.ods"
    before = workbook.read_bytes()
    write_ods(workbook, target)
    assert workbook.read_bytes() == before
    with libreoffice.calc_with_functions() as calc:
        sheets = calc.ask("recalculate", path=target.as_uri())
    values = {
        (top + r, left + c): value
        for top, left, rows in sheets[0]["areas"]
        for r, row in enumerate(rows)
        for c, value in enumerate(row)
    }
    assert values[0, 2] == 6.0
    assert values[7, 2] == 20.0
    with pytest.raises(UnwritableError, match=r"name it \*\.ods"):
        write_ods(workbook, tmp_path / "model.xlsx")


@pytest.mark.parametrize(
    ("held", "calc", "wanted"),
    [
        (1.0, 1.0 + 9e-10, True),
        (1.0, 1.0 + 2e-9, False),
        (1e15, 1e15 * (1 + 9e-10), True),
        (1e-17, 0.0, True),
        (1e-9, 0.0, False),
        (True, 1.0, True),
        (False, 1.0, False),
        (None, "", True),
        (None, 0.0, False),
        ("a", "A", False),
        ("", 0.0, False),
        (0.0, "", False),
        (CellError("#N/A", "why"), CellError("#N/A"), True),
        (CellError("#N/A"), CellError("#NUM!"), False),
        (CellError("#N/A"), "#N/A", False),
        ("#N/A", CellError("#N/A"), False),
        (math.pi, CellError("#N/A"), False),
    ],
)
def test_what_counts_as_the_same(held, calc, wanted):
    assert same(held, calc) is wanted


def _replace(path, part, old, new):
    """Change the text of one part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old.encode() in parts[part]
    parts[part] = parts[part].replace(old.encode(), new.encode())
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
