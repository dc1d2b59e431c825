"""Each pass by itself: what it makes of formulas, and which it leaves alone.

A fixture, `fixtures/NAME.txt`, has a formula a line. `before => after` is rewritten, `before => !`
and a part of the reason keeps its old value, and what stands alone is left alone: the very same
tree comes back. `{=...}` is an array formula of one cell, `{A1:B3=...}` of several, `{#=...}` a
dynamic one. All stand in S!B5; `#` begins a comment.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
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
from workbooks.excel.marks import marks_of
from workbooks.excel.passes import PASSES, Pass
from workbooks.excel.pipeline import Pipeline
from workbooks.formula.address import Area, parse_area
from workbooks.formula.functions import catalogue
from workbooks.formula.names import DefinedName, Names
from workbooks.formula.parse import parse
from workbooks.formula.references import AnyRow
from workbooks.formula.structured import TableInfo, Tables
from workbooks.formula.tree import Node, pieces

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

    @property
    def formula(self) -> str:
        """The formula without what says that it is one of an array."""
        entered = _ENTERED.fullmatch(self.before)
        return entered[2] if entered else self.before

    @property
    def target(self) -> Fill | Spill | None:
        """Where the result of an array formula goes."""
        entered = _ENTERED.fullmatch(self.before)
        if entered is None:
            return None
        if entered[1] == "#":
            return Spill(7)
        cells = parse_area(entered[1]) if entered[1] else Area(1, 1, 1, 1)
        assert cells is not None
        return Fill(cells.rows, cells.columns)


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
        texts=frozenset(["my sheet"]),
        stays={("s", 7, 4): Area(7, 4, 9, 5), ("s", 1, 4): Area(1, 4, 3, 4)},
    )


PLACE = Place("S", 5, 2)


def context_of(target: Fill | Spill | None) -> Context:
    """Return the surroundings of a formula in S!B5."""
    pipeline = Pipeline(scope())
    return Context(pipeline.scope, PLACE.sheet, PLACE, target, pipeline.rewrite_name)


def applied(line: Line) -> str | None:
    """Return what a pass makes of a formula; None where the very same tree comes back."""
    tree = parse(line.formula)
    found = line.rule(tree, context_of(line.target))
    return (
        None
        if found is tree
        else "".join(str(PLACE.row) if isinstance(p, AnyRow) else str(p) for p in pieces(found))
    )


LINES = [line for rule in PASSES for line in lines_of(rule)]


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.rule.name}: {line.before}")
def test_a_pass_does_what_its_fixture_says(line: Line) -> None:
    if line.after is not None and line.after.startswith("!"):
        with pytest.raises(KeepOldValueError, match=re.escape(line.after[1:])):
            applied(line)
    else:
        assert applied(line) == line.after


@pytest.mark.parametrize("rule", PASSES, ids=lambda rule: rule.name)
def test_every_pass_has_a_fixture(rule: Pass) -> None:
    lines = lines_of(rule)
    changed = {line.before for line in lines if line.after is not None}
    assert len(changed) >= LEAST, f"{file_of(rule)} needs {LEAST} formulas that change"
    left = {line.before for line in lines if line.after is None}
    assert len(left) >= LEAST, f"{file_of(rule)} needs {LEAST} formulas that are left alone"


def test_every_fixture_belongs_to_a_pass() -> None:
    assert {path.name for path in FIXTURES.iterdir()} == {file_of(rule).name for rule in PASSES}


# --- what each pass declares to be its concern ---------------------------------------------------
#
# To all other formulas it does nothing: those of every function of Excel, every kind of argument
# and every operator are put through all passes, none left out. A pass that changes one, or refuses
# it, must have declared a mark of it.

#: Whatever may be an argument or an operand.
ATOMS = (
    "A1", "$B$2", "A1:A9", "A5:C5", "A2:A2", "D:D", "3:4", "S!A1:B2", "A9:A1", "Q1:Q2!A1", "1", "0",
    "1.5", '"x"', '"1"', "TRUE", "FALSE", "#N/A", "{1,2;3,4}", "{1}", "Rate", "Cells", "Off",
    "Left", "Nothing", "D7#", "D1#", "T[Qty]", "T[[#This Row],[Price]]", "T", "[1]S!A1",
    "'My Sheet'!Own", "(A1,B1)", "A1:B2 B2:C3", "@A1:A9", "",
)  # fmt: skip
#: Functions that no catalogue lists: of ours, of the workbook, of nobody.
OTHERS = ("TOK_X", "TOK_T", "VDB", "Twice", "Square", "Outer", "NOSUCH", "TB.LIFT")
OPERATORS = (*("+", "-", "*", "/", "^", "&"), *("=", "<>", "<", ">", "<=", ">="))
#: What makes arrays, single cells or texts of what is in it, or hides an error.
AROUND = ("SUM", "SUMPRODUCT", "IF", "IFERROR", "INDEX", "LET", "TOK_X", "TOK_T", "LEFT", "N")


def made(dice: random.Random, names: Sequence[str], depth: int) -> str:
    """Make a formula, or a part of one."""
    kind = dice.random()
    if depth == 0 or kind < 0.2:
        return dice.choice(ATOMS)
    inner = [made(dice, names, depth - 1) for _ in range(dice.randint(1, 3))]
    if kind < 0.75:
        name = dice.choice(AROUND if dice.random() < 0.4 else names)
        return f"{name}({','.join(['x', *inner] if name == 'LET' else inner)})"
    if kind < 0.9:
        return f"{inner[0]}{dice.choice(OPERATORS)}{inner[-1]}"
    return dice.choice(("({})", "-{}", "{}%", "@{}")).format(inner[0])


def put_through(tree: Node, context: Context) -> Iterator[tuple[str, str]]:
    """Give each pass that does something to a formula that has none of its marks."""
    for rule in PASSES:
        concerned = not rule.concerns.isdisjoint(marks_of(tree, context))
        noted = (len(context.notes.limits), len(context.notes.holds), context.notes.placed)
        try:
            found = rule(tree, context)
        except KeepOldValueError as error:
            if not concerned:
                yield rule.name, str(error)
            return
        if not concerned and found is not tree:
            yield rule.name, "changes it"
        now = (len(context.notes.limits), len(context.notes.holds), context.notes.placed)
        if not concerned and now != noted:
            yield rule.name, "notes something"
        tree = found


def unconcerned(text: str) -> list[tuple[str, str, str]]:
    """Return what passes do to a formula, ordinary or of an array, that does not concern them."""
    try:
        tree = parse(text)
    except ValueError:
        return []
    found = []
    for target in (None, Fill(1, 1), Fill(3, 2), Spill(7)):
        found += [(text, *done) for done in put_through(tree, context_of(target))]
    return found


@pytest.mark.parametrize("rule", PASSES, ids=lambda rule: rule.name)
def test_what_a_fixture_changes_is_a_concern(rule):
    for line in lines_of(rule):
        tree, context = parse(line.formula), context_of(line.target)
        if line.after is not None:
            assert not rule.concerns.isdisjoint(marks_of(tree, context)), line.before


def test_formulas_of_the_fixtures_of_all_passes():
    done = [found for line in LINES for found in unconcerned(line.formula)]
    assert not done


@pytest.mark.parametrize("argument", ["A1", "A1:A9", "1,A1,A1:A9"])
def test_every_function(argument):
    names = [*catalogue(), *OTHERS]
    assert len(names) > 300
    assert not [found for name in names for found in unconcerned(f"{name}({argument})")]


@pytest.mark.parametrize("count", [600, pytest.param(60_000, marks=pytest.mark.long)])
def test_formulas_at_random(count):
    dice, names = random.Random(count), [*catalogue(), *OTHERS]
    formulas = (made(dice, names, dice.randint(1, 3)) for _ in range(count))
    assert not [found for text in formulas for found in unconcerned(text)]
