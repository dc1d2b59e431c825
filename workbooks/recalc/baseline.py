"""What Excel saved, held against what comes out: every cell that is not reproduced is told.

A file that Excel saved holds the right answer to what comes out with its inputs. So the workbook is
first computed as it stands. A cell that comes out otherwise is not to be relied on, nor is what
depends on it. It keeps Excel's value, unless it depends on what was changed; either way it is
listed. Cells that move by themselves (NOW, RAND) or by our own data (TOK_ functions), and what
depends on them alone, are ordinary changes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from udfs.cells import Cell, CellError
from workbooks.calc.protocol import Calculator, CalculatorError
from workbooks.formula.address import Area, column_number
from workbooks.formula.functions import native
from workbooks.formula.names import Names
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.references import Reference
from workbooks.formula.tree import Call, Name, Node, walk
from workbooks.ooxml.book import MARK, Book
from workbooks.ooxml.package import Package
from workbooks.ooxml.scan import (
    ATTRIBUTES,
    CELL,
    CELL_ATTRIBUTES,
    COLUMN,
    ROW,
    SHARED,
    STEP,
    TEXT,
    VALUE,
)
from workbooks.ooxml.xml import unescape
from workbooks.recalc.filled import Master
from workbooks.recalc.plan import SheetPlan
from workbooks.recalc.splice import Difference, cell_content, old_value

#: Numbers closer than this are the same result, computed in another order.
TOLERANCE = 1e-12
# openpyxl calls itself Microsoft Excel too, in version 3.1.
_EXCEL = re.compile(r"1[0-9]\.[0-9]{4}")
_CALC = re.compile(rb"<(?:\w+:)?calcPr\b[^>]*>")

Place = tuple[str, int, int]
#: So many cells are looked up one by one.
_FEW = 4


def untrusted(package: Package, book: Book) -> str:
    """Return why the values of a file are not Excel's; empty where they are."""
    workbook = package.read(book.part)
    settings = _CALC.search(workbook)
    calc = settings[0] if settings else b""
    if MARK.encode() in workbook:
        return "its values were computed by Tokenbook"
    if "Excel" not in book.application or not _EXCEL.fullmatch(book.version):
        return "it was not saved by Excel"
    if b'fullCalcOnLoad="1"' in calc or b'fullCalcOnLoad="true"' in calc:
        return "it asks to be computed anew"
    if b'calcMode="manual"' in calc:
        return "it is computed by hand"
    return ""


@dataclass(slots=True)
class Comparison:
    """The cells of one evaluated workbook that do not come out as they were saved.

    Parameters
    ----------
    calculator : Calculator
        The evaluated workbook.
    names : Names
        The defined names.
    own : Mapping
        The worksheet functions of ours, by name.
    """

    calculator: Calculator
    names: Names
    own: Mapping[str, Any]
    _found: dict[Place, tuple[Cell, Cell]] = field(default_factory=dict)
    _near: dict[Place, tuple[Cell, Cell]] = field(default_factory=dict)
    _trees: dict[Place, Node | None] = field(default_factory=dict)
    _anchors: dict[Place, Place] = field(default_factory=dict)
    #: Cells of ours that were saved where the functions were missing.
    missing: int = 0
    _by_sheet: dict[str, tuple[list[Place], Any, Any]] = field(default_factory=dict)
    #: By a differing cell, those that refer to it; and whether a cell refers to a differing one.
    _after: dict[Place, list[Place]] = field(default_factory=dict)
    _rooted: set[Place] = field(default_factory=set)

    def sheet(self, plan: SheetPlan, runs: Iterable[list[bytes]], values: Iterable[Any]) -> None:
        """Compare the cells of a sheet, given in its runs of rows and their values."""
        masters: dict[bytes, Master] = {}
        areas = {(a.area.top, a.area.left): a.area for a in plan.arrays}
        for parts, (_, _, raw) in zip(runs, values, strict=False):
            for i in _differing(parts, raw):
                self._formula(plan, parts, i, raw[i], areas)
            for i in _with(parts, b'ref="'):
                shared = SHARED.search(parts[i * STEP + ATTRIBUTES])
                if shared and parts[i * STEP + TEXT]:
                    masters[shared[1]] = Master(unescape(parts[i * STEP + TEXT]), *_place(parts, i))
            self._texts(plan, parts, masters)
            if areas:
                self._children(plan, b"".join(parts[0::STEP]), areas)

    def _formula(
        self,
        plan: SheetPlan,
        parts: list[bytes],
        i: int,
        raw: Any,
        areas: Mapping[tuple[int, int], Area],
    ) -> None:
        row, column = _place(parts, i)
        place = (plan.info.name, row, column)
        # Under volatile functions Excel gives the cells of a spill an empty formula.
        anchor = self._anchor(place, areas) if not parts[i * STEP + TEXT] else None
        if (anchor or place)[1:] in plan.kept:
            return
        given = plan.given.get((row, column))
        value = given if (row, column) in plan.given else self.calculator.value(raw)
        saved = old_value(parts[i * STEP + CELL_ATTRIBUTES], parts[i * STEP + VALUE])
        if isinstance(value, CalculatorError) or saved is None:
            return
        # Nothing stands there any more where the result has become smaller.
        nothing = None if anchor is not None else 0.0
        self._note(place, saved, nothing if value is None else value)

    def _anchor(self, place: Place, areas: Mapping[tuple[int, int], Area]) -> Place | None:
        """Return the first cell of the array formula that fills a cell."""
        for anchor, area in areas.items():
            if area.holds(*place[1:]) and place[1:] != anchor:
                self._anchors[place] = (place[0], *anchor)
                return self._anchors[place]
        return None

    def _note(self, place: Place, saved: Cell, computed: Cell) -> None:
        if alike(saved, computed, 0.0):
            return
        (self._near if alike(saved, computed, TOLERANCE) else self._found)[place] = saved, computed

    def _texts(self, plan: SheetPlan, parts: list[bytes], masters: Mapping[bytes, Master]) -> None:
        """Remember the formulas of the cells that differ."""
        for i in range(len(parts) // STEP):
            place = (plan.info.name, *_place(parts, i))
            if place not in self._found:
                continue
            shared = SHARED.search(parts[i * STEP + ATTRIBUTES])
            try:
                if parts[i * STEP + TEXT]:
                    self._trees[place] = parse(unescape(parts[i * STEP + TEXT]))
                elif shared and shared[1] in masters:
                    self._trees[place] = masters[shared[1]].at(*place[1:])
            except FormulaError:
                self._trees[place] = None

    def _children(
        self, plan: SheetPlan, rows: bytes, areas: Mapping[tuple[int, int], Area]
    ) -> None:
        """Compare the cells that array formulas fill besides their first one."""
        for match in CELL.finditer(rows):
            row, column = int(match[2]), column_number(match[1].decode())
            for anchor, area in areas.items():
                if not area.holds(row, column) or (row, column) == anchor or anchor in plan.kept:
                    continue
                saved = old_value(match[3], cell_content(match[4]))
                name = plan.info.name
                value = self.calculator.value(
                    self.calculator.values(name, row, column, row, column)[0][0]
                )
                if saved is not None and not isinstance(value, CalculatorError):
                    self._anchors[name, row, column] = (name, *anchor)
                    # Nothing stands there any more where the result has become smaller.
                    self._note((name, row, column), saved, value)

    # --- what becomes of them ----------------------------------------------------------------

    def differences(self) -> dict[str, dict[tuple[int, int], Difference]]:
        """Return the differences by sheet, and row and column."""
        self.missing = sum(
            isinstance(saved, CellError) and saved.code == "#NAME?" and self._calls_own(place)
            for place, (saved, _) in self._found.items()
        )
        moving, unsure = self._moving_and_unsure()
        out: dict[str, dict[tuple[int, int], Difference]] = defaultdict(dict)
        for (sheet, row, column), (saved, computed) in self._near.items():
            out[sheet][row, column] = Difference(saved, computed, keep=True, listed=False)
        for place, (saved, computed) in self._found.items():
            sheet, row, column = place
            out[sheet][row, column] = Difference(
                saved, computed, keep=place not in moving, listed=place in unsure
            )
        return dict(out)

    def _calls_own(self, place: Place) -> bool:
        tree = self._trees.get(place)
        calls = (n for n in walk(tree) if isinstance(n, Call)) if tree is not None else ()
        return any(call.name in self.own for call in calls)

    def _moving_and_unsure(self) -> tuple[set[Place], set[Place]]:
        """Return the cells that move by right, and those that are not to be relied on."""
        for place in self._found:
            precedents = self._before(place)
            if precedents:
                self._rooted.add(place)
            for one in precedents:
                self._after.setdefault(one, []).append(place)
        moves = {place for place in self._found if self._moves(place)}
        roots = set(self._found) - self._rooted - moves
        moving, unsure = _reached(moves, self._after), _reached(roots, self._after)
        # What is in a circle of differences has no root of its own.
        return moving, unsure | (set(self._found) - moving)

    def moved_by(self, functions: Container[str]) -> list[tuple[Place, Cell, Cell]]:
        """Return the differing cells that hang on one of these functions, with both values.

        `differences` is to be called first.
        """
        callers = {
            place
            for place in self._found
            if (tree := self._trees.get(place)) is not None
            and any(isinstance(n, Call) and n.name in functions for n in self._everywhere(tree))
        }
        reached = _reached(callers, self._after)
        return [(place, *both) for place, both in self._found.items() if place in reached]

    def _moves(self, place: Place) -> bool:
        tree = self._trees.get(place)
        return tree is not None and any(
            isinstance(node, Call)
            and (node.name in self.own or "moves" in native(node.name).traits)
            for node in self._everywhere(tree)
        )

    def _before(self, place: Place) -> set[Place]:
        """Return the differing cells that a cell refers to."""
        found: set[Place] = set()
        if place in self._anchors and self._anchors[place] in self._found:
            found.add(self._anchors[place])
        tree = self._trees.get(place)
        if tree is None:
            return found
        everything = list(self._everywhere(tree))
        if any(isinstance(n, Call) and n.name in ("INDIRECT", "OFFSET") for n in everything):
            # What these refer to is only known when they are evaluated.
            moving = {p for p in self._found if p != place and self._moves(p)}
            found |= moving
        for node in everything:
            if isinstance(node, Reference) and node.to_sheet is None:
                found |= set(self._inside(node.sheet or place[0], node.area))
        return found - {place}

    def _everywhere(self, tree: Node, depth: int = 0) -> Iterator[Node]:
        for node in walk(tree):
            yield node
            name = self.names.find(node.text, None) if isinstance(node, Name) else None
            if name is not None and depth < 8:
                try:
                    yield from self._everywhere(self.names.tree(name), depth + 1)
                except FormulaError:
                    continue

    def _inside(self, sheet: str, area: Area) -> Iterator[Place]:
        places, rows, columns = self._places(sheet)
        if places and area.rows * area.columns <= _FEW:
            # All of one sheet, whose name a formula may write in another case.
            name = places[0][0]
            return (one for cell in area.cells() if (one := (name, *cell)) in self._found)
        hit = (rows >= area.top) & (rows <= area.bottom)
        hit &= (columns >= area.left) & (columns <= area.right)
        return (places[i] for i in np.flatnonzero(hit))

    def _places(self, sheet: str) -> tuple[list[Place], Any, Any]:
        key = sheet.casefold()
        if key not in self._by_sheet:
            places = [place for place in self._found if place[0].casefold() == key]
            self._by_sheet[key] = (
                places,
                np.array([place[1] for place in places]),
                np.array([place[2] for place in places]),
            )
        return self._by_sheet[key]


def _reached(start: set[Place], after: Mapping[Place, Sequence[Place]]) -> set[Place]:
    reached, waiting = set(start), list(start)
    while waiting:
        for place in after.get(waiting.pop(), ()):
            if place not in reached:
                reached.add(place)
                waiting.append(place)
    return reached


def _differing(parts: list[bytes], raw: Sequence[Any]) -> Iterable[int]:
    """Return the places of formulas that may differ from what the file holds."""
    kinds = set(parts[CELL_ATTRIBUTES::STEP])
    if set(map(type, raw)) == {float} and not any(b' t="' in kind for kind in kinds):
        try:
            old = np.array(list(map(float, parts[VALUE::STEP])))
        except (TypeError, ValueError):
            return range(len(raw))
        return np.flatnonzero(old != np.array(raw)).tolist()
    return range(len(raw))


def _with(parts: list[bytes], text: bytes) -> Iterator[int]:
    return (i for i, given in enumerate(parts[ATTRIBUTES::STEP]) if text in given)


def _place(parts: list[bytes], i: int) -> tuple[int, int]:
    letters = parts[i * STEP + COLUMN].decode()
    return int(parts[i * STEP + ROW]), column_number(letters)


def alike(a: Cell, b: Cell, tolerance: float) -> bool:
    """Tell whether two values are the same; numbers within a relative tolerance [-]."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, float) and isinstance(b, float):
        return a == b or abs(a - b) <= tolerance * max(abs(a), abs(b))
    if isinstance(a, CellError) and isinstance(b, CellError):
        return a.code == b.code
    return type(a) is type(b) and a == b
