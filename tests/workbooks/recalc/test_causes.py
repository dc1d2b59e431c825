"""Where errors begin: each cell in error is told with the one that its error comes from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import Table

from workbooks.formula.address import cell_name
from workbooks.recalc import Report, recalculate


def report_of(tmp_path: Path, cells: dict[str, object], **names: str) -> Report:
    """Return the report of a workbook with these cells; `Other!A1` is in another sheet."""
    book = openpyxl.Workbook()
    book.active.title = "S"
    for address, value in cells.items():
        sheet, _, cell = address.rpartition("!")
        if sheet and sheet not in book.sheetnames:
            book.create_sheet(sheet)
        book[sheet or "S"][cell] = value
    for name, text in names.items():
        book.defined_names[name] = DefinedName(name, attr_text=text)
    path = tmp_path / "book.xlsx"
    book.save(path)
    return recalculate(path)


def roots(report: Report) -> dict[str, str]:
    """Return the root of each cell in error, in the order in which they are told."""
    return {one.address.removeprefix("S!"): one.root.removeprefix("S!") for one in report.errors}


def test_the_input_that_is_refused_is_told_first(tmp_path: Path) -> None:
    report = report_of(
        tmp_path,
        {
            "A1": "gpt-9", "A2": "h100_sxm",
            "B1": "=TOK_MAX_CONCURRENCY(A1,A2,1024,1024)", "B2": "=B1*2", "B3": "=B2+1",
            "C1": "=TOK_MAX_CONCURRENCY(model,$A$2,1024,1024)", "C2": "=SUM(C1:C1)", "D1": "=1/0",
        },
        model="S!$A$1",
    )  # fmt: skip
    first, second = report.causes
    assert (first.address, first.code, first.followers, first.alike) == ("S!A1", "#N/A", 5, 0)
    assert "'gpt-9'" in first.reason
    assert "did you mean" in first.reason
    assert (second.address, second.reason, second.followers) == ("S!D1", "division by zero", 0)
    assert roots(report) == {"B1": "B1", "C1": "C1", "D1": "D1", "B2": "B1", "B3": "B1", "C2": "C1"}
    assert [one.followers for one in report.errors[:3]] == [2, 1, 0]
    assert report.errors[0].input == "S!A1"
    assert report.errors[3].reason == "#N/A passed on from S!B1"


# What stands in A1 (in error), in B1 (which refers to it), and where the error of B1 begins.
REFERRING = [
    ("=1/0", "=A1", "A1"),
    ("=1/0", "=SUM(A:A)", "A1"),
    ("=1/0", "=SUM(1:1)", None),
    ("=1/0", "=SUM($A$1:A5)", "A1"),
    ("=1/0", "=ISERROR(A1)/0", "B1"),
    ("=1/0", "=IFERROR(A1,1/0)", "B1"),
    ("=1/0", "=IFERROR(1/0,A1)", "A1"),
    ("=1/0", "=IFNA(A1,2)", "A1"),
    ("=NA()", "=IFNA(A1,NA())", "B1"),
    ("=NA()", "=1/0", "B1"),
    ("=NA()", "=IF(A2,1/0,A1)", "A1"),
    ("=1/0", "=IF(A2,1,NA())+A1", "B1"),
    ("=NA()", "=COUNT(A1)/0", "B1"),
    ("=1/0", "=ROW(A1)/0", "B1"),
    ("=1/0", "=SUMIF(C1:C2,\"x\",A1:A2)/0", "A1"),
    ("=1/0", "=SUMIF(A1:A2,\"x\",C1:C2)/0", "B1"),
    ("=1/0", "=MATCH(3,A1:A3,0)", "A1"),
    ("=1/0", "=MATCH(3,C1:C3,0)", "B1"),
    ("=1/0", "=OFFSET(C1,0,-2)", "B1"),
    ("=1/0", "=name", "A1"),
    ("=1/0", "=IFERROR(name,1/0)", "B1"),
    ("=1/0", '=A2&"A1"&(1/0)', "B1"),
    ("=1/0", "=SUM(S:Other!A1)", "A1"),
    ("=1/0", "='S'!A1", "A1"),
    ("=1/0", "=AGGREGATE(9,6,A1:A2)/0", "B1"),
    ("=1/0", "=AGGREGATE(9,4,A1:A2)", "A1"),
    ("=1/0", "=AGGREGATE(14,4,C1:C3,A1)", "A1"),
    ("=1/0", "=AGGREGATE(14,6,A1:A2,C1)/0", "B1"),
    ("=1/0", "=MATCH(A1,C1:C3,0)", "A1"),
    ("=1/0", "=_xlfn.XMATCH(A1,C1:C3)", "A1"),
    ("=1/0", "=_xlfn.XLOOKUP(A1,C1:C3,D1:D3)", "A1"),
    ("=1/0", "=_xlfn.XLOOKUP(1,C1:C3,D1:D3,A1)", "A1"),
    ("=1/0", "=VLOOKUP(A1,C1:D3,2,FALSE)", "A1"),
    ("=1/0", "=VLOOKUP(1,C1:D3,A1,FALSE)", "A1"),
    ("=1/0", "=LOOKUP(A1,C1:C3,D1:D3)", "A1"),
    ("=1/0", "=SUMIFS(A1:A2,C1:C2,\"\")", "A1"),
    ("=1/0", "=SUMIFS(C1:C2,A1:A2,1)/0", "B1"),
    ("=1/0", "=SUMIF(A1:A2,\"<>1\")", "A1"),
    ("=1/0", "=COUNTIF(A1:A2,1)/0", "B1"),
    ("=1/0", "=ISNUMBER(A1)/0", "B1"),
    ("=1/0", "=ROWS(A1:A2)/0-2", "B1"),
    ("=1/0", "=-A1%", "A1"),
    ("=1/0", "=(A1)", "A1"),
    ("=1/0", "=SUM((A1,C1))", "A1"),
    ("=1/0", "=SUM(Other:S!A1)", "A1"),
    ("=1/0", "=SUM(2:3)/0", "B1"),
    ("=1/0", "=SUM($A:$A)", "A1"),
    ("=1/0", "=SUM(A$1:A$2)", "A1"),
    ("=1/0", "=SUM(C$1:$A1)", None),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "root"), REFERRING)
def test_an_error_follows_from_what_its_formula_lets_through(
    tmp_path: Path, first: str, second: str, root: str | None
) -> None:
    report = report_of(
        tmp_path, {"A1": first, "A2": False, "B1": second, "Other!A1": 1}, name="S!$A$1"
    )
    told = roots(report)
    if root is None:  # In its own row: no error of the workbook's.
        assert "B1" not in told
        return
    assert told["B1"] == root
    assert told["A1"] == "A1"


# A lookup of E1 (2, or what is given) over rows 1 to 3, of which the second is #N/A in column B.
LOOKUPS = [
    ("=VLOOKUP(7,A1:B3,2,FALSE)", 2, "C1"),
    ("=VLOOKUP(E1,A1:B3,2,FALSE)", 2, "B2"),
    ("=VLOOKUP(E1,$A:$B,2,0)", 2, "B2"),
    ("=VLOOKUP(E1,$A:$B,2,0)", 9, "C1"),
    ("=VLOOKUP(E1,A1:B3,2,)", "x", "C1"),
    ("=VLOOKUP(E1,A1:B3,2,)", "*", "B2"),
    ("=VLOOKUP(E1,A1:B3,2)", 2, "B2"),
    ("=VLOOKUP(TRUE,A1:B3,2,FALSE)", 2, "C1"),
    ("=HLOOKUP(E1,G1:I2,2,FALSE)", 7, "C1"),
    ("=HLOOKUP(E1,G1:I2,2,FALSE)", 2, "H2"),
    ("=INDEX(B1:B3,MATCH(E1,A1:A3,0))", 2, "B2"),
    ("=INDEX(B1:B3,MATCH(E1,A1:A3,0))", 0, "C1"),
    ("=INDEX(B1:B3,XMATCH(E1,A1:A3))", 8, "C1"),
    ("=_xlfn.XLOOKUP(E1,A1:A3,B1:B3)", 8, "C1"),
    ("=_xlfn.XLOOKUP(E1,A1:A3,B1:B3)", 2, "B2"),
    ("=_xlfn.XLOOKUP(E1,A1:A3,B1:B3,B2)", 8, "B2"),
    ("=VLOOKUP(E1,A1:B3,2,FALSE)", "=NA()", "E1"),
    ('=IF(E1=8,SUM(B1:B3),VLOOKUP(E1,A1:B3,2,FALSE))', 8, "B2"),
    ("=IFNA(VLOOKUP(E1,A1:B3,2,FALSE),SUM(B1:B3))", 8, "B2"),
    # The next value is looked for, and there is none.
    ("=VLOOKUP(E1,A1:B3,2)", 0.5, "C1"),
    ("=VLOOKUP(E1,$A:$B,2,TRUE)", 0.5, "C1"),
    ("=VLOOKUP(E1,A1:B3,2,1)", 2.5, "B2"),
    ("=VLOOKUP(E1,A1:B3,2,TRUE)", "x", "C1"),
    ("=VLOOKUP(-1,A1:B3,2)", 2, "C1"),
    ("=HLOOKUP(E1,G1:I2,2)", 0, "C1"),
    ("=HLOOKUP(E1,G1:I2,2)", 2.1, "H2"),
    ("=INDEX(B1:B3,MATCH(E1,A1:A3))", 0, "C1"),
    ("=INDEX(B1:B3,MATCH(E1,A1:A3,1))", 2, "B2"),
    ("=INDEX(B1:B3,MATCH(E1,A1:A3,1))", "=NA()", "E1"),
    ("=INDEX(B1:B3,MATCH(E1,A1:A3,-1))", 4, "C1"),
    ("=INDEX(K1:K3,MATCH(E1,J1:J3,-1))", 2, "K2"),
    ("=INDEX(K1:K3,MATCH(E1,J1:J3,-1))", 4, "C1"),
    ("=INDEX(K1:K3,MATCH(E1,J1:J3,-1))", "x", "C1"),
    ("=LOOKUP(E1,A1:A3,B1:B3)", 0, "C1"),
    ("=LOOKUP(E1,A1:A3,B1:B3)", 2, "B2"),
    ("=LOOKUP(E1,A1:B3)", 0, "C1"),
    ("=LOOKUP(E1,A1:B3)", 2, "B2"),
    ("=LOOKUP(E1,G1:I2)", 0, "C1"),
    ("=LOOKUP(E1,G1:I2)", 2, "H2"),
    ("=_xlfn.XLOOKUP(E1,A1:A3,B1:B3,,-1)", 0, "C1"),
    ("=_xlfn.XLOOKUP(E1,A1:A3,B1:B3,,-1)", 2.5, "B2"),
    ("=_xlfn.XLOOKUP(E1,A1:A3,B1:B3,,1)", 4, "C1"),
    ("=_xlfn.XLOOKUP(E1,A1:A3,B1:B3,,1,-1)", 1.5, "B2"),
    ("=_xlfn.XLOOKUP(E1,A1:A3,B1:B3,,-1,2)", 0, "B2"),
    ("=INDEX(B1:B3,_xlfn.XMATCH(E1,A1:A3,-1))", 0, "C1"),
    ("=INDEX(B1:B3,_xlfn.XMATCH(E1,A1:A3,1))", 1.5, "B2"),
    ("=INDEX(B1:B3,_xlfn.XMATCH(E1,A1:A3,1))", "x", "C1"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "wanted", "root"), LOOKUPS)
def test_a_lookup_that_finds_nothing_is_where_its_error_begins(
    tmp_path: Path, formula: str, wanted: object, root: str
) -> None:
    cells: dict[str, object] = {"A1": 1, "A2": 2, "A3": 3, "B1": 5, "B2": "=NA()", "B3": 6}
    cells |= {"J1": 3, "J2": 2, "J3": 1, "K1": 5, "K2": "=NA()", "K3": 6}
    across = {"G1": 1, "H1": 2, "I1": 3, "G2": 5, "H2": "=NA()", "I2": 6}
    report = report_of(tmp_path, {**cells, **across, "E1": wanted, "C1": formula})
    assert roots(report)["C1"] == root


@pytest.mark.parametrize("across", [False, True])
def test_the_first_error_of_each_range_is_its_root(tmp_path: Path, across: bool) -> None:
    def at(row: int, column: int) -> str:
        return cell_name(column, row) if across else cell_name(row, column)

    cells: dict[str, object] = {}
    for r in range(1, 41):
        # Errors in two lines, in every third cell of the second.
        cells[at(r, 2)] = "=1/0" if r % 2 else 1
        cells[at(r, 3)] = "=1/0" if r % 3 == 0 else 1
        cells[at(r, 7)] = f"=SUM({at(r, 2)}:{at(r + 1, 3)})"
    told = roots(report_of(tmp_path, cells))
    for r in range(1, 41):
        area = [(r, 2), (r, 3), (r + 1, 2), (r + 1, 3)]
        if across:
            area = [(r, 2), (r + 1, 2), (r, 3), (r + 1, 3)]
        failed = [at(*one) for one in area if cells.get(at(*one)) == "=1/0"]
        assert told.get(at(r, 7)) == (failed[0] if failed else None)


def test_index_beyond_a_cell_in_error_begins_itself(tmp_path: Path) -> None:
    report = report_of(tmp_path, {"A1": "=1/0", "B1": "=INDEX(A1,1,3)"})
    assert [(one.address, one.code) for one in report.errors] == [
        ("S!A1", "#DIV/0!"),
        ("S!B1", "#REF!"),
    ]
    assert roots(report) == {"A1": "A1", "B1": "B1"}


def test_a_fill_down_is_one_cause_with_its_number_of_cells(tmp_path: Path) -> None:
    cells: dict[str, object] = {f"A{r}": 0 for r in range(1, 301)}
    cells |= {f"B{r}": f"=1/A{r}" for r in range(1, 301)}
    cells |= {f"C{r}": f"=SUM(B$1:B{r})" for r in range(1, 301)}
    report = report_of(tmp_path, cells)
    (cause,) = report.causes
    assert (cause.address, cause.alike, cause.followers) == ("S!B1", 299, 300)
    assert report.errors[0].followers == 300
    assert roots(report)["C300"] == "B1"
    assert len(report.errors) == report.error_count == 600


def test_error_values_without_a_formula_are_told_where_something_follows(tmp_path: Path) -> None:
    report = report_of(tmp_path, {"A1": "#N/A", "A2": "#REF!", "B1": "=A1+1", "B2": "=B1"})
    (cause,) = report.causes
    assert (cause.address, cause.code, cause.followers) == ("S!A1", "#N/A", 2)
    assert "no formula" in cause.reason
    assert roots(report) == {"B1": "A1", "B2": "A1"}
    assert report.error_count == 2


def test_a_cell_that_keeps_an_old_error_is_where_errors_begin(write) -> None:
    report = recalculate(
        write(
            '<row r="1"><c r="A1" t="e"><f>NOSUCH(1)</f><v>#NUM!</v></c>'
            '<c r="B1" t="e"><f>A1</f><v>#NUM!</v></c></row>'
        )
    )
    (cause,) = report.causes
    assert (cause.address, cause.followers) == ("S!A1", 1)
    assert "keeps its old value" in cause.reason
    assert "NOSUCH" in cause.reason


def test_array_formulas_are_told_with_their_function_and_reason(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    for row, (offer, price) in enumerate([(20, 1.0), (40, 2.0)], 1):
        sheet[f"A{row}"], sheet[f"B{row}"] = offer, price
    sheet["D1"] = ArrayFormula("D1:D2", "=TOK_ALLOCATE(61,A1:A2,B1:B2)")
    sheet["E1"] = ArrayFormula("E1:E2", "=D1:D2*2")
    sheet["F1"] = "=SUM(E1:E2)"
    path = tmp_path / "book.xlsx"
    book.save(path)
    report = recalculate(path)
    (cause,) = report.causes
    assert (cause.address, cause.function) == ("S!D1", "TOK_ALLOCATE")
    assert "61" in cause.reason
    assert "60" in cause.reason
    assert set(roots(report).values()) == {"D1"}
    assert {one.function for one in report.errors} == {"TOK_ALLOCATE", "", "SUM"}


def test_shared_formulas_and_tables_are_followed(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    sheet.append(["Qty", "Price"])
    for row in (2, 3, 4):
        sheet[f"A{row}"] = "=1/0" if row == 3 else row
        sheet[f"B{row}"] = f"=T[[#This Row],[Qty]]*{row}"
    sheet.add_table(Table(displayName="T", ref="A1:B4"))
    sheet["D1"] = "=SUM(T[Price])"
    path = tmp_path / "book.xlsx"
    book.save(path)
    assert roots(recalculate(path)) == {"A3": "A3", "B3": "A3", "D1": "A3"}


def test_shared_formulas_are_read_from_the_one_that_has_the_text(write) -> None:
    report = recalculate(
        write(
            '<row r="1"><c r="A1"><v>4</v></c>'
            '<c r="B1"><f t="shared" ref="B1:B3" si="0">2/A1</f><v>1</v></c></row>'
            '<row r="2"><c r="A2"><v>0</v></c><c r="B2"><f t="shared" si="0"/></c></row>'
            '<row r="3"><c r="A3"><f>B2</f></c><c r="B3"><f t="shared" si="0"/></c></row>'
        )
    )
    assert roots(report) == {"B2": "B2", "A3": "B2", "B3": "B2"}


def test_a_circle_of_errors_has_a_beginning(write) -> None:
    report = recalculate(
        write(
            '<row r="1"><c r="A1"><f>B1+1</f><v>1</v></c><c r="B1"><f>A1/0</f><v>1</v></c>'
            '<c r="C1"><f>B1</f><v>1</v></c></row>',
            calc='<calcPr calcId="191029" iterate="1"/>',
        )
    )
    assert set(roots(report)) == {"A1", "B1", "C1"}
    assert set(roots(report).values()) == {"A1"}


# --- a workbook of any kind ---------------------------------------------------------------------

PLACES = [(row, column) for row in range(1, 7) for column in range(1, 5)]
KINDS = ("number", "division", "missing", "cell", "range", "caught", "fallback")


@st.composite
def models(draw: st.DrawFn) -> list[tuple[str, list[int]]]:
    """Draw for each cell a formula of earlier cells, and those that it lets through."""
    cells: list[tuple[str, list[int]]] = []
    for i, _ in enumerate(PLACES):
        kind = draw(st.sampled_from(KINDS if i else KINDS[:3]))
        one = draw(st.integers(0, max(i - 1, 0)))
        name = cell_name(*PLACES[one])
        if kind == "range":
            # From the first cell down to the row above, so that it holds no later cell.
            bottom, right = PLACES[i][0] - 1, draw(st.integers(1, 4))
            inside = [
                k for k, (row, column) in enumerate(PLACES) if row <= bottom and column <= right
            ]
            text = f"=SUM($A$1:{cell_name(bottom, right)})" if inside else "=2"
            cells.append((text, inside))
            continue
        cells.append(
            {
                "number": ("=1", []),
                "division": ("=1/0", []),
                "missing": ("=NA()", []),
                "cell": (f"={name}+1", [one]),
                "caught": (f"=IFERROR({name},1/0)", []),
                "fallback": (f"=IFERROR(1/0,{name})", [one]),
            }[kind]
        )
    return cells


@settings(max_examples=40, deadline=None)
@given(models())
def test_every_error_begins_in_its_cell_or_in_one_that_is_let_through(
    tmp_path_factory: pytest.TempPathFactory, model: list[tuple[str, list[int]]]
) -> None:
    names = [cell_name(*place) for place in PLACES]
    folder = tmp_path_factory.mktemp("book")
    report = report_of(folder, dict(zip(names, (text for text, _ in model), strict=True)))
    codes = {one.address.removeprefix("S!"): one.code for one in report.errors}
    told = roots(report)
    for name, (_, through) in zip(names, model, strict=True):
        if name not in told:
            continue
        same = [names[k] for k in through if codes.get(names[k]) == codes[name]]
        if told[name] == name:
            assert not same
        else:
            assert told[name] in {told[one] for one in same}
            assert codes[told[name]] == codes[name]
    counted = {one.address.removeprefix("S!"): one.followers for one in report.errors}
    followers = Counter(root for name, root in told.items() if name != root)
    assert counted == {name: followers[name] for name in told}
    assert sum(cause.followers + cause.alike + 1 for cause in report.causes) == len(told)
    ranks = [name != root for name, root in told.items()]
    assert ranks == sorted(ranks)
