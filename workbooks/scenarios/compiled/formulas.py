"""The formulas of a workbook as trees, and the cells that each of them reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from workbooks.formula.address import Area, column_number, full_name, parse_area
from workbooks.formula.names import Names
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.references import Reference
from workbooks.formula.tree import Call, Error, Name, Node, bottom_up, children, walk
from workbooks.ooxml.scan import ATTRIBUTES, COLUMN, FORMULA, ROW, TEXT
from workbooks.ooxml.xml import unescape
from workbooks.recalc.job import Job
from workbooks.recalc.prepare import attributes
from workbooks.scenarios.compiled.evaluate import SIZES
from workbooks.scenarios.compiled.values import UnsupportedError

Place: TypeAlias = tuple[str, int, int]

# Areas of more cells than this are gone through by their formulas.
_LARGE = 10_000
# What these refer to, or give, is not known from the formula.
_UNKNOWABLE = frozenset(
    ("OFFSET", "INDIRECT", "RAND", "RANDBETWEEN", "RANDARRAY", "CELL", "LET", "LAMBDA")
)


class Formula(NamedTuple):
    """A formula and, where it is an array formula, the cells that it fills."""

    place: Place
    text: str
    area: Area | None
    #: The cell whose formula it shares, if it does.
    of: Place | None


class Formulas:
    """All formulas of an evaluated workbook; they become trees when they are asked for.

    Parameters
    ----------
    job : Job
        The workbook.
    inputs : Sequence
        Cells that are set, by sheet, row and column.
    """

    def __init__(self, job: Job, inputs: Sequence[Place]) -> None:
        self._job, self._inputs = job, inputs
        self._names = Names(job.book.names)
        self._all: dict[Place, Formula] = {}
        #: Cells whose formula cannot be compiled, and why.
        self.barred: dict[Place, str] = {}
        self._trees: dict[Place, Node] = {}
        self._needs: dict[Place, list[Place]] = {}
        self._read()

    def at(self, place: Place) -> Formula | None:
        """Return the formula that fills a cell."""
        return self._all.get(place)

    def _read(self) -> None:
        for plan in self._job.plans.values():
            sheet = plan.info.name
            masters: dict[str, Place] = {}
            for rows in self._job.sheets.rows(plan.info, []):
                for match in FORMULA.finditer(rows):
                    place = (sheet, int(match[ROW]), column_number(match[COLUMN].decode()))
                    given = attributes(match[ATTRIBUTES])
                    self._note(
                        place, given, unescape(match[TEXT] or b""), b" cm=" in match[1], masters
                    )
            for (row, column), reason in plan.kept.items():
                self.barred[sheet, row, column] = f"it cannot be evaluated: {reason}"

    def _note(
        self,
        place: Place,
        given: Mapping[str, str],
        text: str,
        dynamic: bool,
        masters: dict[str, Place],
    ) -> None:
        kind, area, of = given.get("t", "normal"), None, None
        if kind == "shared":
            of = (
                masters.setdefault(given.get("si", ""), place)
                if text
                else masters.get(given.get("si", ""))
            )
            of = None if of == place else of
        elif kind in ("array", "dataTable"):
            area = parse_area(given.get("ref", ""))
        formula = Formula(place, text, area, of)
        for cell in filled(formula):
            self._all[cell] = formula
            if kind == "dataTable":
                self.barred[cell] = "a data table"
            elif dynamic and area is not None and area.rows * area.columns > 1:
                self.barred[cell] = "an array that spills"

    def tree(self, formula: Formula) -> Node:
        """Return a formula as a tree, moved to its own cell."""
        if formula.place not in self._trees:
            source = formula if formula.of is None else self._all[formula.of]
            try:
                tree = parse(source.text)
            except FormulaError as refused:
                raise UnsupportedError(str(refused)) from refused
            if formula.of is not None:
                down = formula.place[1] - source.place[1]
                right = formula.place[2] - source.place[2]
                tree = bottom_up(tree, lambda node: _moved(node, down, right))
            self._trees[formula.place] = tree
        return self._trees[formula.place]

    def named(self, text: str, sheet: str) -> Node:
        """Return what a name stands for."""
        name = self._names.find(text, sheet)
        if name is None:
            raise UnsupportedError(f"the name {text}")
        try:
            tree = parse(name.text)
        except FormulaError as refused:
            raise UnsupportedError(f"the name {text}: {refused}") from refused
        for node in walk(tree):
            if isinstance(node, Reference) and not _fixed(node):
                raise UnsupportedError(f"the name {text}, which is relative to its cell")
        return tree

    def needed(self, formula: Formula) -> list[Place]:
        """Return the cells that a formula refers to."""
        home = formula.place
        if home not in self._needs:
            try:
                found = dict.fromkeys(self._referred(self.tree(formula), home[0]))
            except UnsupportedError as refused:
                raise UnsupportedError(f"{full_name(*home)}: {refused}") from refused
            self._needs[home] = list(found)
        return self._needs[home]

    def _referred(self, tree: Node, sheet: str) -> Iterator[Place]:
        for node in _reading(tree):
            if isinstance(node, Call) and node.name in _UNKNOWABLE:
                raise UnsupportedError(f"{node.name}()")
            if isinstance(node, Reference):
                if node.to_sheet is not None:
                    raise UnsupportedError("a reference to several sheets")
                yield from self._places(node.sheet or sheet, node.area)
            elif isinstance(node, Name):
                yield from self._referred(self.named(node.text, sheet), sheet)
            elif type(node).__name__ in (
                "Spilled",
                "Single",
                "Joined",
                "TableReference",
                "External",
                "Apply",
                "Inlined",
            ):
                raise UnsupportedError(f"a {type(node).__name__.lower()} reference")

    def _places(self, sheet: str, area: Area) -> Iterator[Place]:
        name = self.sheet(sheet)
        if area.rows * area.columns <= _LARGE:
            for row, column in area.cells():
                yield name, row, column
            return
        for place in (*self._all, *self._inputs):
            _, row, column = place
            if place[0] == name and area.holds(row, column):
                yield place

    def sheet(self, name: str) -> str:
        """Return a sheet's name as the workbook spells it."""
        info = self._job.book.sheet(name)
        if info is None:
            raise UnsupportedError(f"there is no sheet {name}")
        return info.name


def _reading(node: Node) -> Iterator[Node]:
    """Yield all nodes but the references that are counted, and not read: ROWS(A1:A9)."""
    yield node
    for child in children(node):
        counted = isinstance(node, Call) and node.name in SIZES and isinstance(child, Reference)
        if not counted:
            yield from _reading(child)


def filled(formula: Formula) -> list[Place]:
    """Return the cells that a formula fills."""
    sheet = formula.place[0]
    if formula.area is None:
        return [formula.place]
    return [(sheet, row, column) for row, column in formula.area.cells()]


def _moved(node: Node, down: int, right: int) -> Node:
    if not isinstance(node, Reference):
        return node
    found = node.moved(down, right)
    return Error("#REF!") if found is None else found


def _fixed(node: Reference) -> bool:
    corners = [node.first, node.end]
    return all(
        (corner.row is None or corner.row_fixed) and (corner.column is None or corner.column_fixed)
        for corner in corners
    )
