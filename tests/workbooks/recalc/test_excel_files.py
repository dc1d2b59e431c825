"""What Excel writes, and other programs do not: files of its own, held to the values in them."""

from __future__ import annotations

import math
import warnings
import zipfile
from pathlib import Path

import openpyxl
import pytest

from workbooks.formula.address import in_order
from workbooks.recalc import UnsafeFileError, recalculate

FOLDER = Path(__file__).parents[2] / "data" / "excel"
#: The cells of each file that are not evaluated here, and keep their values.
KEPT = {
    "56737.xlsx": [],
    "59132.xlsx": [],
    "DateFormatTests.xlsx": [
        f"Tests!A{row}" for row in (11, 12, 13, 16, 17, 18, 20, 30, 31, 32, 35, 36, 37, 39, 40)
    ],
    "MatrixFormulaEvalTestData.xlsx": [],
    "SimpleStrict.xlsx": [],
    "StructuredReferences.xlsx": [],
    "VLookupFullColumn.xlsx": [],
    "ref-56737.xlsx": ["Refs!E3", "Refs!G3", "Refs!I3"],
    "table23.xlsx": [],
    "testNames.xlsm": ["Sheet1!A5", "Sheet1!A6", "Sheet1!B1", "Sheet1!C1"],
}


def contents(path: Path, *, data_only: bool) -> dict[str, object]:
    """Return all cells of a workbook as openpyxl finds them."""
    with warnings.catch_warnings():
        # It tells of the parts that it would not write again.
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(path, data_only=data_only)
    return {
        f"{sheet.title}!{cell.coordinate}": getattr(cell.value, "text", cell.value)
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
    }


def same(a: object, b: object) -> bool:
    if isinstance(a, float | int) and isinstance(b, float | int):
        return type(a is True) is type(b is True) and math.isclose(a, b, rel_tol=1e-12)
    return a == b


def test_every_file_is_tried() -> None:
    assert sorted(KEPT) == sorted(p.name for p in FOLDER.iterdir() if p.suffix != ".md")


@pytest.mark.parametrize("name", KEPT)
def test_values_of_excel(tmp_path: Path, name: str) -> None:
    source, target = FOLDER / name, tmp_path / name
    report = recalculate(source, target)
    before, after = contents(source, data_only=True), contents(target, data_only=True)
    assert {a: (before[a], after.get(a)) for a in before if not same(before[a], after.get(a))} == {}
    assert before.keys() == after.keys()
    assert sorted(u.address for u in report.unevaluated) == KEPT[name]
    assert all(u.reason for u in report.unevaluated)
    assert contents(source, data_only=False) == contents(target, data_only=False)


@pytest.mark.parametrize("name", KEPT)
def test_nothing_else_is_touched(tmp_path: Path, name: str) -> None:
    source, target = FOLDER / name, tmp_path / name
    recalculate(source, target)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target) as new:
        assert old.namelist() == new.namelist()
        changed = {part for part in old.namelist() if old.read(part) != new.read(part)}
    assert all(part == "xl/workbook.xml" or "/worksheets/sheet" in part for part in changed)


@pytest.mark.parametrize("name", ["sheet1", "SHEET1", "Sheet1"])
def test_first_sheet_is_found_by_any_spelling(write, values, name: str) -> None:
    rows = '<row r="1"><c r="A1"><f>B1+1</f></c><c r="B1"><v>5</v></c></row>'
    rows += f'<row r="2"><c r="A2"><f>SUM({name}!B1,1)</f></c></row>'
    path = write({name: rows, "Other": f'<row r="1"><c r="A1"><f>{name}!A1</f></c></row>'})
    recalculate(path)
    assert values(path, name) == {"A1": 6, "B1": 5, "A2": 6}
    assert values(path, "Other") == {"A1": 6}


def rows_of(*formulas: str, hidden: tuple[int, ...] = ()) -> str:
    """Return 1, 10, 100 ... in A1:A6, some rows hidden, and formulas from B11 on."""
    rows = "".join(
        f'<row r="{r}"{" hidden=" + chr(34) + "1" + chr(34) if r in hidden else ""}>'
        f'<c r="A{r}"><v>{10 ** (r - 1)}</v></c></row>'
        for r in range(1, 7)
    )
    return rows + "".join(
        f'<row r="{r}"><c r="B{r}"><f>{text}</f></c></row>' for r, text in enumerate(formulas, 11)
    )


FILTER = '<autoFilter ref="A1:A4"><filterColumn colId="0"/></autoFilter>'


@pytest.mark.parametrize(
    ("formula", "filtered", "value"),
    [
        ("SUBTOTAL(9,A1:A6)", False, 111111),
        ("SUBTOTAL(109,A1:A6)", False, 101001),
        ("SUBTOTAL(109,A:A)", False, 101001),
        ("SUBTOTAL(109,Six)", False, 101001),
        ("SUBTOTAL(109,S!$A$1:$A$3,A5:A6)", False, 101000 + 1 - 1000),
        ("SUBTOTAL(102,A2:A3)", False, 0),
        ("SUBTOTAL(101,A2:A3)", False, "#DIV/0!"),
        ("SUBTOTAL(9,A1:A6)", True, 111111 - 110),
        ("SUBTOTAL(109,A1:A6)", True, 101001),
        ("SUBTOTAL(9,A1:A6)*1+SUM(A1:A6)", True, 222222 - 110),
        ("_xlfn.AGGREGATE(9,5,A1:A6)", False, 101001),
        ("_xlfn.AGGREGATE(9,4,A1:A6)", False, 111111),
    ],
)
def test_hidden_rows(write, values, formula: str, filtered: bool, value: object) -> None:
    rows = rows_of(formula, hidden=(2, 3, 5))
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData>'
    path = write(
        f"{sheet}{FILTER if filtered else ''}</worksheet>",
        names='<definedNames><definedName name="Six">S!$A$1:$A$6</definedName></definedNames>',
    )
    report = recalculate(path)
    assert not report.unevaluated
    assert values(path)["B11"] == value


def test_hidden_rows_of_each_formula(write, values) -> None:
    path = write({"S": rows_of("SUBTOTAL(109,A1:A1)", "SUBTOTAL(109,A1:A2)", hidden=(2,))})
    recalculate(path)
    assert (values(path)["B11"], values(path)["B12"]) == (1, 1)


def test_unknown_cells_among_hidden_rows_are_refused(write) -> None:
    path = write(rows_of("SUBTOTAL(109,OFFSET(A1,0,0,3))", hidden=(2,)))
    (kept,) = recalculate(path).unevaluated
    assert "hidden" in kept.reason


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        # Pairs of numbers; a truth value is none.
        ("SUMPRODUCT(A1:A3,A1:A3)", 10101),
        ("SUMPRODUCT(A1:A3&gt;1,A1:A3)", 0),
        ("SUMPRODUCT((A1:A3&gt;1)*A1:A3)", 110),
        ("SUMPRODUCT(A1:A3,A1:A2)", "#VALUE!"),
        ("SUMPRODUCT(2,A1:A2)", "#VALUE!"),
        ('SUMPRODUCT({1,"x",3},{1,2,3})', 10),
        ('SUMX2MY2({3,"x",5},{1,2,3})', 24),
        ("SUMX2PY2({3,4},{1;2})", 30),
        ("SUMXMY2({3,4},{1,2,3})", "#N/A"),
        ("MODE(3,1,1,3)", 3),
        # Degrees of freedom are cut to whole numbers.
        ("_xlfn.F.DIST(2,6.6,8,TRUE)", 0.8208),
        ("_xlfn.CHISQ.DIST(2,3.9,TRUE)", 0.42759329552912023),
        ("_xlfn.T.DIST(1,3.9,TRUE)", 0.8044988905221148),
        # The examples of Microsoft's pages.
        ("_xlfn.F.DIST(15.20686486,6,4,FALSE)", 0.0012238),
        ("_xlfn.F.INV(0.01,6,4)", 0.10930991),
        ("_xlfn.F.INV.RT(0.01,6,4)", 15.20686486),
        ("_xlfn.T.DIST(60,1,TRUE)", 0.99469533),
        ("_xlfn.T.DIST(8,3,FALSE)", 0.00073691),
        ("_xlfn.T.INV.2T(0.546449,60)", 0.606533),
        ("TDIST(1.959999998,60,2)", 0.054644930),
        ("_xlfn.CHISQ.DIST(0.5,1,TRUE)", 0.52049988),
        ("_xlfn.CHISQ.DIST(2,3,FALSE)", 0.20755375),
        ("_xlfn.CHISQ.INV(0.93,1)", 3.283020287),
        ("CHIINV(0.050001,10)", 18.306973),
        ("CHITEST({58,35;11,25;10,23},{45.35,47.65;17.56,18.44;16.09,16.91})", 0.0003082),
        ("CHIDIST(-1,3)", "#NUM!"),
        # Newer functions are reached by their prefix.
        ("_xlfn.CEILING.MATH(-5.5,2,1)", -6),
        # The next value, in any order.
        ("_xlfn.XLOOKUP(50,{100,10,1,1000},{1,2,3,4},,-1)", 2),
        ("_xlfn.XLOOKUP(50,{100,10,1,1000},{1,2,3,4},,1)", 1),
        ('_xlfn.XLOOKUP(0,{100,10,1,1000},{1,2,3,4},"none",-1)', "none"),
        ("_xlfn.XLOOKUP(0,{100,10,1,1000},{1,2,3,4},,-1)", "#N/A"),
        # The day that 1900 did not have, and arguments left out.
        ("DATE(1900,2,29)", 60),
        ("DATE(1900,1,22222)", 22222),
        ("WORKDAY.INTL(41709,24,,41709)", 41743),
        # Texts that are numbers, and what is a text already.
        ('LEFT("note","2.9")', "no"),
        ("LEFT(TRUE,2)", "TR"),
        ("REPT(A1=1,2)", "TRUETRUE"),
        ('TEXT(T1,"0.0")', "word"),
        ('TEXT(U1,"0.0")', "12.5"),
        ('TEXT(-0.5,"[h]:mm")', "-12:00"),
        # A name of none, and blank cells met by intersection.
        ('ISERROR(VLOOKUP("a",Nothing,2,FALSE))', True),
        ('IF(D1:D99="","blank","full")', "blank"),
        ("ISBLANK(D1:D99)", True),
    ],
)
def test_formulas_as_excel_has_them(write, values, formula: str, value: object) -> None:
    texts = "".join(
        f'<c r="{c}1" t="inlineStr"><is><t>{t}</t></is></c>'
        for c, t in (("T", "word"), ("U", "12.5"))
    )
    rows = rows_of(formula).replace("<v>1</v></c>", f"<v>1</v></c>{texts}", 1)
    report = recalculate(path := write(rows))
    assert not report.unevaluated
    found = values(path)["B11"]
    assert found == (pytest.approx(value, rel=5e-5) if isinstance(value, float) else value)


@pytest.mark.parametrize(
    "pattern",
    ['[h]\\"h\\" [m]', "[s] s", "s:m"],
    ids=["two elapsed", "unit again", "after seconds"],
)
def test_times_that_the_engine_gets_wrong_are_refused(write, pattern: str) -> None:
    text = pattern.replace('\\"', '""')
    (kept,) = recalculate(write(rows_of(f'TEXT(A1/7,"{text}")'))).unevaluated
    assert "format" in kept.reason


def test_names_of_other_sheets(write, values) -> None:
    formulas = ("Other!Rate*2", "Other!Twice", "[0]!Whole", "SUM(Other!Several)")
    names = "".join(
        f'<definedName name="{name}"{sheet}>{text}</definedName>'
        for name, sheet, text in [
            ("Rate", ' localSheetId="1"', "Other!$A$1"),
            ("Twice", ' localSheetId="1"', "Other!$A$1*2"),
            ("Several", ' localSheetId="1"', "Other!$A$1:$A$2"),
            ("Whole", "", "S!$A$2"),
        ]
    )
    other = '<row r="1"><c r="A1"><v>7</v></c></row><row r="2"><c r="A2"><v>8</v></c></row>'
    path = write(
        {"S": rows_of(*formulas), "Other": other}, names=f"<definedNames>{names}</definedNames>"
    )
    assert not recalculate(path).unevaluated
    assert [values(path)[f"B{r}"] for r in range(11, 15)] == [14, 14, 10, 15]


@pytest.mark.parametrize("shared", [True, False])
def test_ranges_written_from_their_end(write, values, shared: bool) -> None:
    """What is shared past its fixed corner has such ranges, at which the calculator gives up."""
    rows = ""
    for r in range(1, 7):
        formula = f"<f>SUM(A{r}:A$3)</f>"
        if shared:
            text = "SUM(A1:A$3)" if r == 1 else ""
            formula = f'<f t="shared" ref="B1:B6" si="0">{text}</f>'
        rows += f'<row r="{r}"><c r="A{r}"><v>{r}</v></c><c r="B{r}">{formula}</c></row>'
    path = write(rows)
    assert not recalculate(path).unevaluated
    assert [values(path)[f"B{r}"] for r in range(1, 7)] == [6, 5, 3, 7, 12, 18]


def test_ranges_are_turned_round_and_texts_are_not() -> None:
    formula = "SUM($B$9:A$1,'a b:c'!C2:C1,D1:D2)&\"A2:A1\"&Z9:Z1"
    assert in_order(formula) == "SUM(A$1:$B$9,'a b:c'!C1:C2,D1:D2)&\"A2:A1\"&Z1:Z9"


def test_strings_with_entities_are_refused(write) -> None:
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    path = write(
        rows_of("A1"),
        extra={"xl/sharedStrings.xml": '<!DOCTYPE sst [<!ENTITY a "b">]><sst/>'},
        relations=f'<Relationship Id="rIdS" Type="{office}/sharedStrings" '
        'Target="sharedStrings.xml"/>',
    )
    with pytest.raises(UnsafeFileError, match="DTD"):
        recalculate(path)
