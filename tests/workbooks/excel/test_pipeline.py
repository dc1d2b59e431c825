"""Formulas in the calculator's terms: what stays, what changes, and what is remembered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workbooks.excel.context import KeepOldValueError, Own, Place, Scope
from workbooks.excel.passes import PASSES
from workbooks.excel.pipeline import Pipeline, form_of, shape_of
from workbooks.formula.address import Area
from workbooks.formula.names import DefinedName, Names
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.references import Reference
from workbooks.formula.structured import TableInfo, Tables
from workbooks.formula.tree import Node, bottom_up, text_of


@pytest.fixture
def pipeline() -> Pipeline:
    """One table with awkward column names, one name to be written out."""
    columns = ("Qty", "Unit [USD]", "A:B", "It's")
    return Pipeline(
        Scope(
            names=Names(
                [
                    DefinedName("Off", "OFFSET(S!$A$1,1,0)", None),
                    DefinedName("Cells", "S!$D$1:$D$9", None),
                    DefinedName("Left", "S!$D:$D", None),
                ]
            ),
            tables=Tables([TableInfo("T", "My Sheet", Area(1, 1, 6, 4), 1, 1, columns)]),
            sheets=["S", "My Sheet"],
            own={"TOK_X": Own(arrays=False), "TOK_T": Own(arrays=True)},
            knows=lambda name: name != "NOSUCH",
        )
    )


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the formulas that go through the passes, each as often as it does."""
    texts: list[str] = []
    through = Pipeline._generally

    def noted(self: Pipeline, text: str, *rest: Any) -> object:
        texts.append(text)
        return through(self, text, *rest)

    monkeypatch.setattr(Pipeline, "_generally", noted)
    return texts


@pytest.mark.parametrize(
    "text",
    [
        "A1*B2",
        "(A1+B2)",
        "SUMPRODUCT(A1:A9*2)",
        "SUM(A1:A9)",
        "SUM(IF(A1,B1:B9,C1:C9))",
        "LOG10(A1)",
        '"A1:B2 [x] #"&LEFT("A1")',
        "S!A1*2%",
        "TOK_X(A1,2)",
        "{1,2;3,4}",
    ],
)
def test_texts_without_need_stay(pipeline: Pipeline, text: str) -> None:
    array = text.startswith("{")
    assert pipeline.text(text, Place("S", 5, 2)) == (f"TB.FIT({text},1,1)" if array else text)
    assert pipeline.is_plain(text, "S") is not array


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("SUM(T[Qty])", "SUM('My Sheet'!$A$2:$A$5)"),
        ("SUM(T[[#All],[Qty]])", "SUM('My Sheet'!$A$1:$A$6)"),
        ("T[[#This Row],[Qty]]", "'My Sheet'!$A5"),
        ("T[@Qty]*2", "'My Sheet'!$A5*2"),
        ("A1-B1", "TB.SNAP(A1-B1,B1)"),
        ("A1=B1", "TB.DIGITS(A1)=TB.DIGITS(B1)"),
        ("NPV(A1,B1:B9*2)", "NPV(A1,$B5*2)"),
        ("SUM(T[@[Qty]:[A:B]])", "SUM('My Sheet'!$A5:$C5)"),
        ("SUM(T[Unit '[USD']])", "SUM('My Sheet'!$B$2:$B$5)"),
        ("SUM(T[[Unit '[USD']]:[It''s]])", "SUM('My Sheet'!$B$2:$D$5)"),
        ("T[[#Headers],[Qty]]", "'My Sheet'!$A$1"),
        ("SUM(T[[#Data],[#Totals],[Qty]])", "SUM('My Sheet'!$A$2:$A$6)"),
        ("SUM(Off)", "SUM((OFFSET(S!$XFD$1,1,COLUMN(S!$A$1048576)-16384+0)))"),
        ("A1:A9*2", "$A5*2"),
        ("IF(A1,B1:B9,C1:C9)*2", "IF(A1,$B5,$C5)*2"),
        ("NORM.S.DIST(A1:A9,TRUE)", "NORM.S.DIST($A5,TRUE)"),
        ("XLOOKUP(A1:A9,B1:B9,C1:C9)", "XLOOKUP($A5,B1:B9,C1:C9)"),
        ("SUMPRODUCT(ABS(A1:A9))", 'TB.FIT(SUMPRODUCT(TB.LIFT("ABS","1",A1:A9)),1,1)'),
        (
            "SUM(LARGE(A1:A9,{1,2}))",
            'TB.FIT(SUM(TB.LIFT("LARGE","*1",A1:A9,{1,2})),1,1)',
        ),
        ("ROUND(TOK_T(A1:A9),2)", "TB.FIT(ROUND(TB.FIT(TOK_T(A1:A9),1,1),2),1,1)"),
        (
            'A1&"x"=B1&LEFT(C1,2)',
            'REPT(TB.SHOWN(A1)&"x",1)=REPT(TB.SHOWN(B1)&LEFT(TB.SHOWN(C1),2),1)',
        ),
        ('TEXT(A1+1,"#,##0_);(#,##0)")', 'TEXT(A1+1,"#,##0"" "";(#,##0)")'),
        (
            'TEXT(A1,"0")',
            'IF(ISTEXT(A1),IFERROR(TEXT(A1,"0"),A1),IF(ISLOGICAL(A1),TB.SHOWN(A1)&"",TEXT(A1,"0")))',
        ),
        ("SUM(A1:A9*2)", "SUM($A5*2)"),
        ("VLOOKUP(A1:A9,B1:C9,2,0)", "VLOOKUP($A5,B1:C9,2,0)"),
        ("TOK_X(A1:A9)", "TB.FIT(TOK_X(A1:A9),1,1)"),
        ("TOK_T(A1)", "TB.FIT(TOK_T(A1),1,1)"),
        ("SUM(A1:B9 B3:C4)", "SUM(B3:B4)"),
        ("SUM((A1,B2:B3))", "SUM(A1,B2:B3)"),
        ("_xlfn.SINGLE(A1:A9)", "@INDEX(A1:A9,0,0)"),
    ],
)
def test_texts_that_change(pipeline: Pipeline, text: str, rewritten: str) -> None:
    assert pipeline.text(text, Place("S", 5, 2)) == rewritten
    assert not pipeline.is_plain(text, "S")


def test_one_result_serves_the_rows_it_is_copied_to(pipeline: Pipeline) -> None:
    for row in (1, 7, 123_456):
        text = f"SUM(A{row}:A{row + 1}*2)*TOK_X(B{row},,$C$9)"
        expected = f'SUM($A{row}*2)*TOK_X(B{row},"␀skipped",$C$9)'
        assert pipeline.text(text, Place("S", row, 5)) == expected
    assert pipeline.text("SUM(A1:B9 B3:C4)", Place("S", 1, 9)) == "SUM(B3:B4)"
    assert pipeline.text("SUM(A1:B9 B5:C6)", Place("S", 1, 9)) == "SUM(B5:B6)"
    assert pipeline.text("T[@Qty]", Place("My Sheet", 3, 9)) == "'My Sheet'!$A3"
    assert pipeline.text("T[@Qty]", Place("My Sheet", 30, 9)) == "#VALUE!"
    # Beside the cells of a name, the formula is read for itself.
    for row, found in [(3, "IF(TRUE,S!$D3)"), (9, "IF(TRUE,S!$D9)"), (10, "IF(TRUE,#VALUE!)")]:
        assert pipeline.text("IF(TRUE,Cells)", Place("S", row, 9)) == found
    assert pipeline.text("A:A*2", Place("S", 30, 9)) == "$A30*2"
    assert pipeline.text("ABS(Left)", Place("S", 30, 9)) == "ABS(S!$D30)"


@pytest.mark.parametrize(
    "text", ["NOSUCH(1)", "T[Nothing]", "U[Qty]", "[1]S!A1", "SUM(", "A1 B1()"]
)
def test_texts_that_cannot_be(pipeline: Pipeline, text: str) -> None:
    with pytest.raises(KeepOldValueError):
        pipeline.text(text, Place("S", 1, 1))


def test_a_formula_filled_to_the_right_goes_through_the_passes_once(
    pipeline: Pipeline, gone: list[str]
) -> None:
    for column in ("D", "E", "AZ"):
        text = f"IF({column}5>0,MAX({column}5,$B$2)*{column}6,0)"
        assert pipeline.text(text, Place("S", 7, 4)) == text
    assert len(gone) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A1+1", "$A1+1"),
        ("A1", "A$1"),
        ("'Q1'!A1", "'Q2'!A1"),
        ('A1&"B2"', 'A1&"C2"'),
        ("XFD1", "XFE1"),  # the second is a name
        ("A1", "A1:B2"),
        ("LOG10(A1)", "LOG1(A1)"),
        # One column and a table are looked up in another way.
        ("LOOKUP(1,A1:A9)", "LOOKUP(1,A1:B9)"),
        ("LOOKUP(1,$A1:A9)", "LOOKUP(1,$A1:B9)"),
    ],
)
def test_formulas_of_another_shape_are_told_apart(one: str, other: str) -> None:
    assert shape_of(one) != shape_of(other)
    # In the key the width of a range with one dollar sign is left open: such are not moved.
    assert form_of(one).key != form_of(other).key or "$A1:" in one


def _lines() -> list[str]:
    """Return the ordinary formulas of all fixtures of the passes."""
    folder = Path(__file__).parent / "passes" / "fixtures"
    lines = {
        line.partition(" => ")[0].strip()
        for rule in PASSES
        for line in (folder / f"{rule.name.replace(' ', '-')}.txt").read_text("utf-8").splitlines()
    }
    return sorted(line for line in lines if line and line[0] not in "#{")


def _filled(text: str, columns: int) -> str | None:
    """Return what a formula becomes some columns to the right; None where it cannot be copied."""
    beyond = False

    def moved(node: Node) -> Node:
        nonlocal beyond
        if isinstance(node, Reference):
            there = node.moved(0, columns)
            beyond |= there is None
            return there or node
        return node

    try:
        there = text_of(bottom_up(parse(text), moved))
    except FormulaError:
        return None
    return None if beyond else there


def _told(pipeline: Pipeline, text: str, place: Place) -> str:
    try:
        return pipeline.text(text, place)
    except KeepOldValueError as error:
        return f"kept: {error}"


@pytest.mark.parametrize("text", _lines())
def test_copies_to_the_right_are_what_they_are_each_for_itself(
    pipeline: Pipeline, text: str
) -> None:
    """Filled to the right, with what is remembered of the first, as with nothing remembered."""
    scope = replace(pipeline.scope, sheets=["S", "Q1", "Q2", "My Sheet"])
    remembers = Pipeline(scope)
    copies = [(by, _filled(text, by)) for by in (0, 1, 3, 20, 16_380, 2)]
    for by, copy in copies:
        if copy is None:
            continue
        for row in (5, 9):
            place = Place("S", row, min(2 + by, 16_384))
            assert _told(remembers, copy, place) == _told(Pipeline(scope), copy, place)


def test_a_changed_formula_filled_to_the_right_is_read_once(
    pipeline: Pipeline, gone: list[str]
) -> None:
    for column, before in (("D", "C"), ("E", "D"), ("AZ", "AY")):
        text = f"{before}5-{column}$7*SUM($B$1:$B9)"
        wanted = f"TB.SNAP({text},{before}5)"
        assert pipeline.text(text, Place("S", 5, 4)) == wanted
    assert len(gone) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # What has no dollar sign and does not move all the same: whole columns.
        ("SUM(A:A)-B5", "SUM(A:A)-C5"),
        # A range from a fixed column to one that is not is as wide as its place says.
        ("LOOKUP(1,$D1:D9)", "LOOKUP(1,$D1:E9)"),
        ("LOOKUP(1,$D1:E9)", "LOOKUP(1,$D1:D9)"),
        # Names and tables stay where they are.
        ("Cells-B5", "Cells-C5"),
        ("SUM(T)-B5", "SUM(T)-C5"),
        ("SUM(T[Qty])-B5", "SUM(T[Qty])-C5"),
    ],
)
def test_what_does_not_move_is_read_again(pipeline: Pipeline, one: str, other: str) -> None:
    place = Place("S", 5, 9)
    fresh = Pipeline(pipeline.scope)
    pipeline.text(one, place)
    assert pipeline.text(other, place) == fresh.text(other, place)
