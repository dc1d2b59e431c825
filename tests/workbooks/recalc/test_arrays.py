"""Functions of single values handed arrays: what comes out is what each element gives alone."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

from workbooks.recalc import recalculate

# A call with `?` where an array goes, and the elements of that array.
CALLS = [
    ("ABS(?)", (-1, 2, -3)),
    ("ATAN2(?,2)", (1, 2, 3)),
    ("BESSELJ(?,1)", (1, 2, 3)),
    ("CEILING(?,2)", (1, 2, 3)),
    ("CHAR(?)", (65, 66, 67)),
    ("CHOOSE(?,10,20,30)", (3, 1, 2)),
    ("CHOOSE(2,10,?)", (3, 1, 2)),
    ("CONCATENATE(?,1/3)", (0.5, 2, 3)),
    ('COUNTIF($K$1:$K$4,">"&?)', (1, 2, 3)),
    ("COUNTIFS($K:$K,?)", (1, 2, 9)),
    ('COUNTIFS($K$1:$K$4,">1",$M$1:$M$4,?)', ("a", "b", "c")),
    ("DATE(2024,?,1)", (1, 2, 13)),
    ("DB(1000,10,5,?)", (1, 2, 3)),
    ("EDATE(45000,?)", (1, 2, 3)),
    ("EFFECT(?,4)", (0.05, 0.06, 0.07)),
    ('EXACT(?,"b")', ("a", "b", "B")),
    ("FORECAST(?,$L$1:$L$4,$K$1:$K$4)", (1, 2, 3)),
    ("FV(?,12,-100)", (0.01, 0.02, 0.03)),
    ("HLOOKUP(?,$K$6:$N$7,2,FALSE)", (1, 3, 9)),
    ('IF(?,"yes","no")', (True, False, True)),
    ("IFERROR(1/(?-1),0)", (1, 2, 3)),
    ("IFS(?>1,10,TRUE,20)", (1, 2, 3)),
    ("INDEX($L$1:$L$4,?)", (1, 4, 2)),
    ("INT(?)", (1.5, -1.5, 3)),
    ("ISNUMBER(?)", (1, "a", True)),
    ("LARGE($L$1:$L$4,?)", (1, 2, 5)),
    ("LEFT(?,2)", ("abc", "Defg", "x")),
    ("LEN(?)", ("abc", "", "x")),
    ("LOOKUP(?,$K$1:$K$4,$L$1:$L$4)", (1, 2.5, 9)),
    ("MATCH(?,$K$1:$K$4,0)", (3, 1, 9)),
    ("MID(?,2,1)", ("abc", "Defg", "xy")),
    ("MOD(?,3)", (4, -4, 6)),
    ("MONTH(?)", (45000, 45040, 45100)),
    ("NOT(?)", (True, False, True)),
    ("NPER(0.01,-100,?)", (500, 1000, 2000)),
    ("NPV(?,100,200)", (0.1, 0.2, 0.3)),
    ("PERCENTILE($L$1:$L$4,?)", (0.1, 0.5, 2)),
    ("PMT(?,12,1000)", (0.01, 0.02, 0.03)),
    ("RANK(?,$L$1:$L$4)", (10, 30, 40)),
    ("REPT(?,2)", ("a", "b", "c")),
    ("ROUND(?,1)", (1.25, 2.37, -3.45)),
    ("ROUND(1234.5678,?)", (-2, 0, 2)),
    ("SUBSTITUTE(?,1,2)", ("a1", "1", "b")),
    ("SUMIF($K$1:$K$4,?,$L$1:$L$4)", (1, 2, 9)),
    ("SUMIF($K:$K,?,$L:$L)", (1, 2, 9)),
    ("SUMIFS($L:$L,$K:$K,?)", (1, 2, 9)),
    ('SUMIFS($L$1:$L$4,$K$1:$K$4,">1",$M$1:$M$4,?)', ("a", "b", "c")),
    ('AVERAGEIF($K$1:$K$4,">="&?,$L$1:$L$4)', (1, 2, 9)),
    ("AVERAGEIFS($L$1:$L$4,$K$1:$K$4,?)", (1, 2, 9)),
    ("MAXIFS($L$1:$L$4,$K$1:$K$4,?)", (1, 2, 9)),
    ('SWITCH(?,1,"a",2,"b","c")', (1, 2, 3)),
    ('TEXT(?,"0.00")', (1.5, 22.25, -3)),
    ('TEXT(?,"0.0E+00")', (1.5, 22.25, -3)),
    ('TEXT(?,"yyyy-mm-dd")', (45000, 45100, 45200)),
    ("TEXT(1234.5,?)", ("0.00", "#,##0_);(#,##0)", "0.0E+0")),
    ("TRIM(?)", (" a", "b ", "c")),
    ("VALUE(?)", ("1.5", "20", "x")),
    ("VDB(1000,10,5,0,?)", (1, 2, 3)),
    ("VLOOKUP(?,$K$1:$L$4,2,FALSE)", (1, 3, 9)),
    ("VLOOKUP(2,$K$1:$L$4,?,FALSE)", (1, 2, 3)),
    ("WEEKDAY(45000,?)", (1, 2, 3)),
    ("WORKDAY(45000,?)", (1, 2, 3)),
    ("XLOOKUP(?,$K$1:$K$4,$L$1:$L$4,-1)", (1, 3, 9)),
    ("XLOOKUP(9,$K$1:$K$4,$L$1:$L$4,?)", (1, 3, 9)),
    ("XMATCH(?,$K$1:$K$4)", (1, 3, 9)),
    ("YEARFRAC(45000,45100,?)", (0, 1, 2)),
    ("TOK_WEIGHT_GB(?,8)", (1, 2, 3)),
]
# Excel does not take ranges in these, so they are left as they are.
NO_RANGES = ("BESSELJ", "EDATE", "EFFECT", "WORKDAY", "YEARFRAC")
# Excel takes one cell of a range in these, though SUMPRODUCT stands around them.
ONE_EVEN_THERE = ("IF(", "IFERROR(")
HEIGHT = 5


def constant(value: object) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return f'"{value}"' if isinstance(value, str) else str(value)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory):
    """Every call, for each element alone and for the array in several forms."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    for r in range(4):
        for c, value in enumerate((r + 1, 10 * (r + 1), "abca"[r], 5 + r)):
            sheet.cell(1 + r, 11 + c, value)
        sheet.cell(6, 11 + r, r + 1)
        sheet.cell(7, 11 + r, 11 * (r + 1))
    for i, (call, elements) in enumerate(CALLS):
        top = 10 + HEIGHT * i
        for r, element in enumerate(elements):
            sheet.cell(top + r, 1, element)
            sheet.cell(top + r, 2, "=" + call.replace("?", constant(element)))
        area = f"$A${top}:$A${top + 2}"
        literal = "{" + ";".join(map(constant, elements)) + "}"
        for column, array in (("C", area), ("D", f"IF(1,{area})"), ("E", literal)):
            sheet[f"{column}{top}"] = ArrayFormula(
                f"{column}{top}:{column}{top + 2}", "=" + call.replace("?", array)
            )
        across = "{" + ",".join(map(constant, elements)) + "}"
        sheet[f"C{top + 3}"] = ArrayFormula(
            f"C{top + 3}:E{top + 3}", "=" + call.replace("?", across)
        )
        # In ordinary formulas: inside a function that asks for arrays, and as a constant.
        sheet[f"F{top}"] = f"=SUMPRODUCT(--ISERROR({call.replace('?', f'IF(1,{area})')}))"
        sheet[f"G{top}"] = f"=SUM(--ISERROR({call.replace('?', literal)}))"
    path = tmp_path_factory.mktemp("arrays") / "book.xlsx"
    book.save(path)
    report = recalculate(path)
    return openpyxl.load_workbook(path, data_only=True)["S"], {
        u.address: u.reason for u in report.unevaluated
    }


@pytest.mark.parametrize("i", range(len(CALLS)), ids=[call for call, _ in CALLS])
def test_elements_are_what_each_gives_alone(evaluated, i: int) -> None:
    sheet, unevaluated = evaluated
    call, elements = CALLS[i]
    top = 10 + HEIGHT * i
    alone = [sheet.cell(top + r, 2).value for r in range(len(elements))]
    assert f"S!B{top}" not in unevaluated
    for column in "CDE":
        if column == "C" and call.startswith(NO_RANGES):
            assert "expects one value, not a range" in unevaluated[f"S!C{top}"]
            continue
        assert f"S!{column}{top}" not in unevaluated
        assert [sheet[f"{column}{top + r}"].value for r in range(3)] == pytest.approx(alone)
    assert [sheet.cell(top + 3, 3 + c).value for c in range(3)] == pytest.approx(alone)
    errors = sum(str(value).startswith("#") for value in alone)
    assert sheet[f"G{top}"].value == errors
    if call.startswith(ONE_EVEN_THERE):
        assert "array formula" in unevaluated[f"S!F{top}"]
    else:
        assert sheet[f"F{top}"].value == errors


@pytest.mark.parametrize(
    "formula",
    [
        "T(A1:A3)",
        "N(A1:A3)",
        "INDIRECT(A1:A3)",
        "SUBTOTAL(A1:A3,A1:A3)",
        "SUBTOTAL(9,OFFSET(A1,A1:A3,0))",
        "EDATE(A1:A3,1)",
    ],
)
@pytest.mark.parametrize("wrap", ["{}", "SUMPRODUCT({})", "LET(x,A1:A3,SUM({}))"])
def test_what_is_not_certain_keeps_its_value(write, values, formula: str, wrap: str) -> None:
    whole = wrap.format(formula)
    attributes = ' t="array" ref="B1"' if wrap == "{}" else ""
    path = write(
        '<row r="1"><c r="A1"><v>1</v></c>'
        f'<c r="B1"><f{attributes}>{whole}</f><v>77</v></c></row>'
        '<row r="2"><c r="A2"><v>2</v></c></row><row r="3"><c r="A3"><v>3</v></c></row>'
    )
    (kept,) = recalculate(path).unevaluated
    assert kept.address == "S!B1"
    assert values(path)["B1"] == 77


def test_two_arrays_are_spread_over_each_other(write, values) -> None:
    rows = "".join(
        f'<row r="{r}"><c r="A{r}"><v>{r * 1.234}</v></c><c r="B{r}"><v>{r}</v></c></row>'
        for r in (2, 3)
    )
    path = write(
        '<row r="1"><c r="D1"><f t="array" ref="D1:F3">ROUND(A2:A3,{0,1})</f></c></row>' + rows
    )
    recalculate(path)
    found = values(path)
    assert [found[a] for a in ("D1", "E1", "D2", "E2")] == [2, 2.5, 4, 3.7]
    assert {found[a] for a in ("F1", "F2", "D3", "E3", "F3")} == {"#N/A"}


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("SUM(SUMIFS($B$1:$B$4,$A$1:$A$4,{1,3}))", 40),
        ("SUMPRODUCT(SUMIF(A:A,A2:A3,B:B))", 50),
        ("SUM(LARGE(B1:B4,{1,2}))", 70),
        ("AGGREGATE(14,6,B1:B4/(A1:A4<3),1)", 20),
        ("AGGREGATE(15,6,B1:B4/(A1:A4>2),2)", 40),
        ('IFERROR(AGGREGATE(15,6,B1:B4/(A1:A4>9),1),"none")', "none"),
        ("SUM(AGGREGATE(14,4,B1:B4,{1,2}))", 70),
        ("AGGREGATE(16,6,B1:B4,0.5)", 25),
        ("AGGREGATE(17,6,B1:B4,1)", 17.5),
        ("AGGREGATE(18,6,B1:B4,0.25)", 12.5),
        ("AGGREGATE(19,6,B1:B4,1)", 12.5),
        ("AGGREGATE(9,4,B1:B4)", 100),
        ("GCD(B1:B4)", 10),
        ("LCM(B1:B4,7)", 840),
        ("MULTINOMIAL(A1:A3)", 60),
        ("SUM(IF(A1=1,B1:B2,B3:B4))", 30),
        ("SUM(CHOOSE(2,A1:A4,B1:B4))", 100),
        ("VLOOKUP(20,CHOOSE({1,2},B1:B4,A1:A4),2,FALSE)", 2),
        ("MATCH(1,INDEX((A1:A4=3)*(B1:B4=30),0),0)", 3),
        ("LOOKUP(2,1/(A1:A4<3),B1:B4)", 20),
        ('SUMPRODUCT((TEXT(B1:B4,"0")="20")*A1:A4)', 2),
        ("ROUND(INDEX(B1:B4,2)/7,2)", 2.86),
        ('(0.1+0.2)&"x"', "0.3x"),
        ("LEN(1/3)", 17),
        ('"a"&1/3&"b"&B1=LEFT("a0.333333333333333b10",21)', True),
        ('TEXTJOIN("|",TRUE,A1:A3/3)', "0.333333333333333|0.666666666666667|1"),
        ("CONCATENATE(0.1*3,A1)", "0.31"),
    ],
)
def test_in_ordinary_formulas(write, values, formula: str, value: object) -> None:
    rows = "".join(
        f'<row r="{r}"><c r="A{r}"><v>{r}</v></c><c r="B{r}"><v>{r * 10}</v></c></row>'
        for r in range(1, 5)
    )
    escaped = formula.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    path = write(rows + f'<row r="9"><c r="D9"><f>{escaped}</f></c></row>')
    report = recalculate(path)
    assert not report.unevaluated
    assert values(path)["D9"] == value


# What Excel shows; the first three lines are the examples of Microsoft's page on TEXT.
TEXTS = [
    (1234.567, "$#,##0.00", "$1,234.57"),
    (0.285, "0.0%", "28.5%"),
    (1234, "0000000", "0001234"),
    (-1234.5, "#,##0_);(#,##0)", "(1,235)"),
    (1234.5, "#,##0_);(#,##0)", "1,235 "),
    (1234.5, "[$€-2] #,##0.00", "€ 1,234.50"),
    (-0.5, "0.0%;[Red]-0.0%", "-50.0%"),
    (1234567, '0.0,,"M"', "1.2M"),
    (45292.75, "yyyy-mm-dd hh:mm", "2024-01-01 18:00"),
    (45292, '"FY"yy', "FY24"),
    (12345, "0.00E+00", "1.23E+04"),
]


@pytest.mark.parametrize(("number", "pattern", "text"), TEXTS)
@pytest.mark.parametrize("constant_format", [True, False])
def test_text(write, values, number: float, pattern: str, text: str, constant_format: bool) -> None:
    escaped = pattern.replace('"', '""') if constant_format else pattern
    given = f'"{escaped}"' if constant_format else "B1"
    path = write(
        f'<row r="1"><c r="A1"><v>{number}</v></c>'
        f'<c r="B1" t="inlineStr"><is><t>{pattern}</t></is></c>'
        f'<c r="C1"><f>TEXT(A1,{given})</f></c></row>'
    )
    assert not recalculate(path).unevaluated
    assert values(path)["C1"] == text


@pytest.mark.parametrize(
    "pattern",
    ["# ?/?", "0.0?", "[>1000]0;0.0", "0-0", "##0.0E+0", ";;;", "0;-0;;@", "*-0", "ggg", "General"],
)
@pytest.mark.parametrize("constant_format", [True, False])
def test_formats_that_are_not_certain(write, values, pattern: str, constant_format: bool) -> None:
    shown = pattern.replace(">", "&gt;")
    given = f'"{shown}"' if constant_format else "B1"
    path = write(
        f'<row r="1"><c r="A1"><v>0.25</v></c><c r="B1" t="inlineStr"><is><t>{shown}</t></is></c>'
        f'<c r="C1" t="str"><f>TEXT(A1,{given})</f><v>old</v></c></row>'
    )
    assert [u.address for u in recalculate(path).unevaluated] == ["S!C1"]
    assert values(path)["C1"] == "old"


def test_range_name_of_one_sheet(tmp_path: Path) -> None:
    """A name of one sheet that stands for a range is a range there."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    for r in (1, 2, 3):
        sheet.cell(r, 1, r)
    sheet.defined_names["Own"] = openpyxl.workbook.defined_name.DefinedName(
        "Own", attr_text="S!$A$1:$A$3"
    )
    sheet["C2"] = "=Own*2"
    path = tmp_path / "book.xlsx"
    book.save(path)
    recalculate(path)
    assert openpyxl.load_workbook(path, data_only=True)["S"]["C2"].value == 4


@pytest.mark.parametrize(("rows", "kept"), [(100, False), (101, True)])
def test_an_array_over_too_many_cells_is_left_as_it_is(
    tmp_path: Path, rows: int, kept: bool
) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = ArrayFormula(f"A1:CV{rows}", f"=ROW(A1:A{rows})*COLUMN(A1:CV1)")
    path = tmp_path / "book.xlsx"
    book.save(path)
    report = recalculate(path)
    assert [u.reason for u in report.unevaluated] == (
        ["an array formula over more than 10,000 cells"] if kept else []
    )


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        # Excel's array of B1:B5 has a 0 where B2 and B5 are blank, a text where they hold one.
        ('AVERAGE(IF(A1:A5="x",B1:B5))', 4),
        ('AVERAGE(IF(Kind="x",Value))', 4),
        ('MIN(IF(A1:A5="x",B1:B5))', 0),
        ('MEDIAN(IF(A1:A5="x",IF(A1:A5<>"y",B1:B5)))', 4),
        ('COUNT(IF(A1:A5="x",C1,B1:B5))', 5),
        ('COUNT(IF(A1:A5="x",OFFSET(B1,0,0,5)))', 3),
        ('SUM(--ISTEXT(IF(A1:A5="x",D1:D5)))', 1),
        ('COUNT(IF(A1:A5="x",D1:D5))', 2),
        ('AVERAGE(IF(B1:B5<>"",IF(A1:A5="x",B1:B5)))', 6),
        # Of one condition the cells come as they are.
        ('COUNT(IF(A1="x",B1:B5))', 3),
        ("COUNT(IF(TRUE,B1:B5))", 3),
    ],
)
def test_a_blank_cell_of_a_branch_is_0_in_an_array(
    tmp_path: Path, formula: str, value: float
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    for row, (kind, number) in enumerate(
        (("x", 4), ("x", None), ("y", 6), ("x", 8), ("y", None)), 1
    ):
        sheet.cell(row, 1, kind)
        sheet.cell(row, 2, number)
    sheet["D1"], sheet["D2"] = '=""', 5
    for name, column in (("Kind", "A"), ("Value", "B")):
        book.defined_names[name] = DefinedName(name, attr_text=f"S!${column}$1:${column}$5")
    sheet["F1"] = ArrayFormula("F1", f"={formula}")
    path = tmp_path / "book.xlsx"
    book.save(path)
    assert not recalculate(path).unevaluated
    assert openpyxl.load_workbook(path, data_only=True)["S"]["F1"].value == value
