"""What a recalculation tells while it works, and in which order it tells of errors."""

from __future__ import annotations

import gc

import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula

from workbooks.recalc import recalculate
from workbooks.recalc.precedents import Window, relative


def book(path, sheets: dict[str, dict[str, object]]):
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, cells in sheets.items():
        sheet = made.create_sheet(name)
        for cell, value in cells.items():
            sheet[cell] = value
    made.save(path)
    return path


def test_each_stage_is_told_by_sheet(tmp_path) -> None:
    path = book(tmp_path / "book.xlsx", {n: {"A1": 1, "A2": "=A1*2"} for n in ("S", "T")})
    told: list[tuple[str, int, int]] = []
    collected: list[bool] = []

    def progress(stage: str, done: int, total: int) -> None:
        told.append((stage, done, total))
        collected.append(gc.isenabled())

    recalculate(path, progress=progress)
    reading = [one for one in told if one[0] == "read"]
    assert [done for _, done, total in reading if total == 2] == sorted(d for _, d, _ in reading)
    assert {(stage, total) for stage, _, total in told if stage == "read"} == {("read", 2)}
    evaluated = [one for one in told if one[0] == "evaluate"]
    assert evaluated[0] == ("evaluate", 0, 1)
    assert evaluated[-1] == ("evaluate", 1, 1)
    assert told.index(reading[-1]) < told.index(evaluated[0])
    # Nothing is collected meanwhile, and afterwards everything is again.
    assert not any(collected)
    assert gc.isenabled()


def test_every_formula_is_counted_once(tmp_path) -> None:
    cells = {"A1": 1, "B1": "=A1*2", "C1": '="x"&A1', "D1": "=A1>0", "E1": "=1/0", "F1": "=A9"}
    report = recalculate(book(tmp_path / "book.xlsx", {"S": cells, "T": {"A1": "=S!A1"}}))
    assert (report.evaluated, report.changed_count, report.error_count) == (6, 6, 1)
    again = recalculate(tmp_path / "book.xlsx")
    assert (again.evaluated, again.changed_count, again.error_count) == (6, 0, 1)


def test_errors_of_one_input_are_one_cause(tmp_path) -> None:
    cells: dict[str, object] = {"A1": "gpt-9", "A2": "h100_sxm"}
    cells |= {f"B{r}": f"=TOK_MAX_CONCURRENCY($A$1,$A$2,1024,{r}024)" for r in range(1, 4)}
    cells |= {f"C{r}": f"=TOK_MAX_CONCURRENCY(B{r},$A$2,1024,1024)" for r in range(1, 4)}
    cells |= {f"D{r}": f"=1/E{r}" for r in range(1, 4)}
    report = recalculate(book(tmp_path / "book.xlsx", {"S": cells}))
    told = [(one.address, one.first, one.alike, one.followers) for one in report.causes]
    assert told == [("S!A1", "S!B1", 0, 6), ("S!D1", "S!D1", 2, 0)]


def test_what_most_follow_from_is_told_first(tmp_path) -> None:
    cells: dict[str, object] = {"A1": "=1/0", "B1": "=SQRT(-1)", "C1": '=VALUE("x")'}
    cells |= {f"B{r}": f"=B{r - 1}+1" for r in range(2, 6)}
    cells |= {f"C{r}": f"=C{r - 1}+1" for r in range(2, 4)}
    report = recalculate(book(tmp_path / "book.xlsx", {"S": cells}))
    assert [(one.address, one.followers) for one in report.causes] == [
        ("S!B1", 4), ("S!C1", 2), ("S!A1", 0),
    ]  # fmt: skip
    roots = [one for one in report.errors if one.root == one.address]
    assert [one.followers for one in roots] == [4, 2, 0]
    assert [one.address for one in report.errors[:3]] == ["S!B1", "S!C1", "S!A1"]


REASONS = [
    ("=MATCH(9,A1:A3,0)", "nothing of the kind is found"),
    ("=VLOOKUP(9,A1:A3,1,FALSE)", "nothing of the kind is found"),
    ("=INDEX(A1:A3,MATCH(9,A1:A3,0))", "nothing of the kind is found"),
    ("=NA()", "a value is not available"),
    ("=MODE(A1:A3)", "a value is not available"),
    ("=INDEX(A1:A3,9)", "a reference to cells that do not exist"),
    ("=1/0", "division by zero"),
    ('=VALUE("x")', "an argument is of the wrong kind"),
    ("=SQRT(-1)", "a number that the function does not allow"),
    ("=A1:A2 B1:B2", "the ranges have no cell in common"),
    ("=Nothing", "a name that is not defined"),
]


@pytest.mark.parametrize(("formula", "reason"), REASONS)
def test_why_an_error_begins(tmp_path, formula, reason) -> None:
    cells = {"A1": 1, "A2": 2, "A3": 3, "D1": formula}
    report = recalculate(book(tmp_path / "book.xlsx", {"S": cells}))
    assert [(one.address, one.reason) for one in report.errors] == [("S!D1", reason)]


def test_array_formulas_of_ours_are_explained_in_every_sheet(tmp_path) -> None:
    path = tmp_path / "book.xlsx"
    book(path, {"S": {"A1": "=1+1"}, "T": {"A1": "gpt-9", "A2": "none"}})
    made = openpyxl.load_workbook(path)
    for sheet, cells in (("S", "C2:C3"), ("T", "D4:D5")):
        first = cells.partition(":")[0]
        text = '=TOK_MAX_CONCURRENCY(T!A1:A2,"h100_sxm",1024,1024)'
        made[sheet][first] = ArrayFormula(cells, text)
    made.save(path)
    report = recalculate(path)
    why = {one.address: one.reason for one in report.errors}
    assert set(why) == {"S!C2", "S!C3", "T!D4", "T!D5"}
    for first, second in (("S!C2", "S!C3"), ("T!D4", "T!D5")):
        assert "'gpt-9'" in why[first]
        assert "'none'" in why[second] or second in why[second] or first in why[second]


RELATIVE = [
    # A formula in a cell, and another that is the same from its own cell, or not.
    (("B2", 2, 3), ("B3", 3, 3), True),
    (("B2", 2, 3), ("C2", 2, 4), True),
    (("B2", 2, 3), ("B2", 3, 3), False),
    (("$B2", 2, 3), ("$B2", 2, 4), True),
    (("$B2", 2, 3), ("B2", 2, 3), False),
    (("B$2", 2, 3), ("B$2", 9, 3), True),
    (("$B$2", 2, 3), ("$B$2", 7, 9), True),
    (("$B$2", 2, 3), ("$B$3", 2, 3), False),
    (("B2+1", 2, 3), ("B2+2", 2, 3), True),
    (('B2&"x"', 2, 3), ('B2&"A9"', 2, 3), True),
    (("'Q 1'!B2", 2, 3), ("'Q 2'!B2", 2, 3), False),
    (("T[Qty]", 2, 3), ("T[Price]", 2, 3), False),
    (("LOG10(B2)", 2, 3), ("LOG10(B3)", 3, 3), True),
    (("AGGREGATE(9,6,B2)", 2, 3), ("AGGREGATE(9,4,B2)", 2, 3), False),
    (("AGGREGATE(9,6,B2)", 2, 3), ("AGGREGATE(9,6,B3)", 3, 3), True),
    (("aggregate(9,6,B2)", 2, 3), ("aggregate(9,4,B2)", 2, 3), False),
    (("SUM(9,6,B2)", 2, 3), ("SUM(9,4,B2)", 2, 3), True),
]


@pytest.mark.parametrize(("one", "other", "same"), RELATIVE)
def test_formulas_that_are_copies_of_each_other(one, other, same) -> None:
    assert (relative(*one) == relative(*other)) is same


def test_a_window_moves_with_its_cell() -> None:
    window = Window("S", -1, 2, 0, 4, (False, True, False, True))
    assert window.area(5, 9) == (4, 2, 5, 4)
    assert not window.is_cell
    assert Window("S", 1, 2, 1, 2, (True,) * 4).is_cell
    assert not Window("S", 1, 2, 1, 2, (True, True, False, True)).is_cell
    # Its corners are put in order.
    assert Window("S", 3, 4, -2, -1, (True, True, False, False)).area(2, 3) == (0, 2, 3, 4)
    table = Window("S", 1, 2, 9, 5, (True, False, True, True))
    assert table.searched_by("VLOOKUP") == ("S", 1, 2, 9, 2, (True, False, True, False))
    assert table.searched_by("HLOOKUP") == ("S", 1, 2, 1, 5, (True, False, True, True))
    assert table.searched_by("MATCH") is table
