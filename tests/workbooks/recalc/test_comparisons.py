"""Comparisons of computed numbers: of the 15 digits that Excel looks at."""

from __future__ import annotations

import pytest

from workbooks.excel.context import Place, Scope
from workbooks.excel.pipeline import Pipeline
from workbooks.formula.names import Names
from workbooks.formula.structured import Tables
from workbooks.recalc import recalculate


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("0.1+0.2=0.3", True),
        ("0.1+0.2&lt;&gt;0.3", False),
        ("0.1+0.2&lt;=0.3", True),
        ("0.1+0.2&gt;0.3", False),
        ("(0.1+0.2)=0.3", True),
        ("1.1-1=0.1", True),
        # They differ in the 14th digit.
        ("10.1-10=0.1", False),
        ("IF(SUM(A1:A10)=1,5,6)", 5),
        ("IF(AND(SUM(A1:A10)=1,A1&gt;0),5,6)", 5),
        ("NOT(A1+A2+A3=0.3)", False),
        # Blank cells, texts and errors compare as before.
        ("SUM(B1:B2)=B1", True),
        ("B1=A1-0.1", True),
        ("&quot;a&quot;=1+1", False),
        ("&quot;a&quot;&gt;1+1", True),
        ("1/0+1=2", "#DIV/0!"),
        ("A1&amp;1+1=&quot;0.12&quot;", True),
        ("SUMPRODUCT(--(A1:A10*3=B1:B10))", 0),
    ],
)
def test_computed_numbers(write, values, formula: str, value: object) -> None:
    rows = "".join(f'<row r="{r}"><c r="A{r}"><v>0.1</v></c></row>' for r in range(1, 11))
    path = write(f'{rows}<row r="11"><c r="H11"><f>{formula}</f><v>9</v></c></row>')
    assert not recalculate(path).unevaluated
    assert values(path)["H11"] == value


@pytest.mark.parametrize("text", ["A1>0", 'A1="x"', "IF(A1<>0,C1+1,C1*2)", "A1*B1%"])
def test_what_is_exact_stays_plain(text: str) -> None:
    pipeline = Pipeline(
        Scope(names=Names([]), tables=Tables([]), sheets=["S"], own={}, knows=lambda _: True)
    )
    assert pipeline.is_plain(text, "S")
    assert pipeline.text(text, Place("S", 3, 3)) == text
