"""SUMIF and its kin where errors are asked for, come out, or several criteria are given at once."""

from __future__ import annotations

import html

import pytest

from workbooks.recalc import recalculate

CELLS = (
    '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>10</v></c><c r="C1" t="e"><v>#NUM!</v></c></row>'
    '<row r="2"><c r="A2" t="e"><v>#N/A</v></c><c r="B2"><v>20</v></c><c r="C2"><v>20</v></c></row>'
    '<row r="3"><c r="A3" t="e"><v>#DIV/0!</v></c><c r="B3"><v>30</v></c><c r="C3"><v>30</v></c>'
    '</row><row r="4"><c r="A4"><v>2</v></c><c r="B4"><v>40</v></c><c r="C4"><v>40</v></c></row>'
)
CASES = [
    # An error after an operator, or by itself.
    ('SUMIF(A1:A4,"=#N/A",B1:B4)', 20),
    ('SUMIF(A1:A4,"#DIV/0!",B1:B4)', 30),
    ('SUMIF(A1:A4,"<>#N/A",B1:B4)', 80),
    ('SUMIFS(B1:B4,A1:A4,"<>#N/A",B1:B4,">10")', 70),
    ('AVERAGEIF(A1:A4,"<>#DIV/0!",B1:B4)', 70 / 3),
    ('MAXIFS(B1:B4,A1:A4,"=#N/A")', 20),
    ('COUNTIFS(A1:A4,"<>#N/A")', 3),
    # A cell in error, and what comes out as one.
    ("SUMIF(A1:A4,A2,B1:B4)", 20),
    ("SUMIFS(B1:B4,A1:A4,NA())", 20),
    ('COUNTIF(A1:A4,"="&A1)', 1),
    # What fits and is in error comes out, with one criterion or several.
    ('SUMIF(A1:A4,">0",C1:C4)', "#NUM!"),
    ('SUMIF(A1:A4,">1",C1:C4)', 40),
    ("SUM(SUMIFS(C1:C4,A1:A4,{1,2}))", "#NUM!"),
    ("SUM(SUMIFS(C1:C4,A1:A4,{3,2}))", 40),
    ('SUM(SUMIF(A1:A4,{"#N/A","#DIV/0!"},B1:B4))', 50),
]
#: As array formulas, in which functions give several criteria.
ARRAYS = [
    ("SUM(SUMIF(A1:A4,SEQUENCE(2),B1:B4))", 50),
    ("SUM(SUMIF(A1:A4,SEQUENCE(2),C1:C4))", "#NUM!"),
    ("SUM(SUMIF(A1:A4,SEQUENCE(2,1,2),C1:C4))", 40),
    ("SUM(SUMIF(A1:A4,FILTER(A1:A4,ISNUMBER(A1:A4)),B1:B4))", 50),
    ("SUM(SUMIF(A1:A4,FILTER(A1:A4,ISERROR(A1:A4)),B1:B4))", 50),
    ("SUM(COUNTIF(A1:A4,FILTER(A1:A4,ISERROR(A1:A4))))", 2),
    ("SUM(COUNTIFS(A1:A4,SEQUENCE(4)))", 2),
    ("SUM(MAXIFS(B1:B4,A1:A4,UNIQUE({1;2;2})))", 50),
]
LONG = [
    ('LEN(REPT("a",20000)&REPT("b",20000))', "#VALUE!"),
    ('LEN(REPT("a",32767)&"b")', "#VALUE!"),
    ('LEN(REPT("a",32766)&"b")', 32767),
    ('LEFT(REPT("a",20000)&REPT("b",20000),2)', "#VALUE!"),
    ('IFERROR(REPT("a",20000)&REPT("b",20000),"too long")', "too long"),
    ('REPT("a",20000)&REPT("b",20000)="x"', "#VALUE!"),
    ('LEN(CONCATENATE(REPT("a",20000),REPT("b",20000)))', "#VALUE!"),
    ('LEN(CONCAT(REPT("a",20000),REPT("b",20000)))', "#VALUE!"),
    ('LEN(B1&"|"&B2)', 5),
]


def computed(write, values, formulas: list[str], attributes: str = "") -> list[object]:
    """Return what formulas give, each in a row of its own."""
    rows = "".join(
        f'<row r="{i}"><c r="J{i}"><f{attributes.format(f"J{i}")}>{html.escape(text)}</f></c></row>'
        for i, text in enumerate(formulas, 11)
    )
    path = write(CELLS + rows)
    report = recalculate(path)
    assert not report.unevaluated
    found = values(path)
    return [found[f"J{i}"] for i, _ in enumerate(formulas, 11)]


@pytest.mark.parametrize(
    ("cases", "attributes"),
    [(CASES + LONG, ""), (CASES + ARRAYS, ' t="array" ref="{}"')],
    ids=["ordinary formulas", "array formulas"],
)
def test_each_is_what_excel_gives(write, values, cases, attributes) -> None:
    found = computed(write, values, [formula for formula, _ in cases], attributes)
    for (formula, wanted), got in zip(cases, found, strict=True):
        assert got == (pytest.approx(wanted) if isinstance(wanted, float) else wanted), formula


def test_an_ordinary_formula_takes_the_first_of_several_criteria(write, values) -> None:
    """Excel puts @ before a function of arrays there."""
    formulas = ["SUM(SUMIF(A1:A4,SEQUENCE(2),B1:B4))", "SUMPRODUCT(SUMIF(A1:A4,SEQUENCE(2),B1:B4))"]
    assert computed(write, values, formulas) == [10, 50]
