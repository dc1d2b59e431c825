"""Each pass by itself: what it makes of formulas, and which it leaves alone.

A fixture, `fixtures/NAME.txt`, has a formula a line. `before => after` is rewritten, `before => !`
and a part of the reason keeps its old value, and what stands alone is left alone: the very same
tree comes back. `{=...}` is an array formula of one cell, `{A1:B3=...}` of several, `{#=...}` a
dynamic one. All stand in S!B5; `#` begins a comment.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from workbooks.excel.context import (
    Context,
    Fill,
    KeepOldValueError,
    Own,
    Place,
    Scope,
    Spill,
)
from workbooks.excel.passes import PASSES, Pass
from workbooks.excel.pipeline import Pipeline
from workbooks.formula.address import Area, parse_area
from workbooks.formula.names import DefinedName, Names
from workbooks.formula.parse import parse
from workbooks.formula.references import AnyRow
from workbooks.formula.structured import TableInfo, Tables
from workbooks.formula.tree import pieces

FIXTURES = Path(__file__).parent / "fixtures"
LEAST = 4
_ENTERED = re.compile(r"\{([A-Z]+[0-9]+:[A-Z]+[0-9]+|#)?=(.*)\}")


class Seen:
    """Rows 3 and 7 of the sheet S are hidden by a filter, row 4 by hand."""

    def of(self, sheet: str) -> tuple[frozenset[int], frozenset[int]]:
        hidden = (frozenset([3, 4, 7]), frozenset([3, 7]))
        return hidden if sheet.casefold() == "s" else (frozenset(), frozenset())

    def anywhere(self) -> bool:
        return True


class Line(NamedTuple):
    """A line of a fixture; `after` is None where the formula is to be left alone."""

    rule: Pass
    before: str
    after: str | None


def file_of(rule: Pass) -> Path:
    return FIXTURES / f"{rule.name.replace(' ', '-')}.txt"


def lines_of(rule: Pass) -> list[Line]:
    path = file_of(rule)
    texts = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    told = [text.strip() for text in texts if text.strip() and not text.startswith("#")]
    halves = [text.partition(" => ") for text in told]
    return [Line(rule, before, after if arrow else None) for before, arrow, after in halves]


def scope() -> Scope:
    columns = ("Qty", "Price")
    return Scope(
        names=Names(
            [
                DefinedName("Off", "OFFSET(S!$A$1,1,0)", None),
                DefinedName("Above", "S!A1048576", None),
                DefinedName("Circle", "Circle+1", None),
                DefinedName("Left", "S!$D:$D", None),
                DefinedName("Twice", "LAMBDA(x,2*x)", None),
                DefinedName("Square", "_xlfn.LAMBDA(_xlpm.x,_xlpm.x*_xlpm.x)", None),
                DefinedName("Outer", "LAMBDA(x,y,Twice(x)+SUM(y))", None),
                DefinedName("Endless", "LAMBDA(x,Endless(x-1))", None),
                DefinedName("Maybe", "LAMBDA(x,[y],x)", None),
                DefinedName("Inner", "LAMBDA(x,LET(x,1,x))", None),
                DefinedName("Rate", "S!$D$1", None),
                DefinedName("Cells", "S!$D$1:$D$9", None),
                DefinedName("Own", "'My Sheet'!$A$1", "My Sheet"),
            ]
        ),
        tables=Tables([TableInfo("T", "My Sheet", Area(1, 1, 6, 2), 1, 1, columns)]),
        sheets=["S", "Q1", "Q2", "My Sheet"],
        own={"TOK_X": Own(arrays=False), "TOK_T": Own(arrays=True), "VDB": Own(arrays=False)},
        knows=lambda name: name != "NOSUCH",
        hidden=Seen(),
        careful=True,
        stays={("s", 7, 4): Area(7, 4, 9, 5), ("s", 1, 4): Area(1, 4, 3, 4)},
    )


def applied(rule: Pass, before: str) -> str | None:
    """Return what a pass makes of a formula; None where the very same tree comes back."""
    entered = _ENTERED.fullmatch(before)
    target: Fill | Spill | None = None
    text = before
    if entered:
        area, text = entered.groups()
        cells = parse_area(area) if area not in (None, "#") else Area(1, 1, 1, 1)
        assert cells is not None
        target = Spill(7) if area == "#" else Fill(cells.rows, cells.columns)
    pipeline = Pipeline(scope())
    tree = parse(text)
    place = Place("S", 5, 2)
    found = rule(tree, Context(pipeline.scope, "S", place, target, pipeline.rewrite_name))
    return (
        None
        if found is tree
        else "".join(str(place.row) if isinstance(p, AnyRow) else str(p) for p in pieces(found))
    )


LINES = [line for rule in PASSES for line in lines_of(rule)]


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.rule.name}: {line.before}")
def test_a_pass_does_what_its_fixture_says(line: Line) -> None:
    if line.after is not None and line.after.startswith("!"):
        with pytest.raises(KeepOldValueError, match=re.escape(line.after[1:])):
            applied(line.rule, line.before)
    else:
        assert applied(line.rule, line.before) == line.after


@pytest.mark.parametrize("rule", PASSES, ids=lambda rule: rule.name)
def test_every_pass_has_a_fixture(rule: Pass) -> None:
    lines = lines_of(rule)
    changed = {line.before for line in lines if line.after is not None}
    assert len(changed) >= LEAST, f"{file_of(rule)} needs {LEAST} formulas that change"
    left = {line.before for line in lines if line.after is None}
    assert len(left) >= LEAST, f"{file_of(rule)} needs {LEAST} formulas that are left alone"


def test_every_fixture_belongs_to_a_pass() -> None:
    assert {path.name for path in FIXTURES.iterdir()} == {file_of(rule).name for rule in PASSES}
