"""Through which references an error may come into a formula.

A formula is read once for all cells that hold it in the same relative form; what it refers to is
a `Window`, whose corners move along with the cell or do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from workbooks.excel.context import Context, Fill, KeepOldValueError, Place
from workbooks.excel.passes import intersection, tables
from workbooks.excel.pipeline import Pipeline
from workbooks.formula.address import MAX_COLUMN, MAX_ROW, Area, column_number
from workbooks.formula.names import Names
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.references import AnyRow, Reference
from workbooks.formula.tree import (
    Call,
    Inlined,
    Missing,
    Name,
    Node,
    Number,
    Spilled,
    bare,
    children,
    walk,
)

# Texts, sheets in quotes and columns of tables hold no reference; all else of this form is one.
_PIECES = re.compile(
    r"""("[^"]*"|'[^']*'|\[[^\[\]]*\]|(?<![\w.:$])[0-9]+(?:\.[0-9]+)?(?![\w.:!]))"""
    r"|(?<![\w.$\\])(\$?)([A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})(?![\w.(!\[\\])"
)
_DEEPEST = 8
# Whether a value is an error, or how many are none, is never an error itself.
_CATCHING = frozenset(
    ("COUNT", "COUNTA", "COUNTBLANK", "COUNTIF", "COUNTIFS", "ERROR.TYPE", "TYPE")
) | {f"IS{kind}" for kind in ("BLANK", "ERR", "ERROR", "FORMULA", "LOGICAL", "NA", "NONTEXT",
                              "NUMBER", "REF", "TEXT")}  # fmt: skip
# Where cells are, and not what they hold.
_WHERE = frozenset(
    (
        "AREAS",
        "CELL",
        "COLUMN",
        "COLUMNS",
        "FORMULATEXT",
        "OFFSET",
        "ROW",
        "ROWS",
        "SHEET",
        "SHEETS",
    )
)
# Where something is looked for, by the place of the argument: an error there is passed over.
_SEARCHED = {"MATCH": 1, "XMATCH": 1, "XLOOKUP": 1}
# What an error in such an argument turns into: what would have been found there, is not.
_TURNS: Mapping[str, Mapping[str, int]] = {
    "#N/A": {**_SEARCHED, "LOOKUP": 1, "VLOOKUP": 1, "HLOOKUP": 1}
    | dict.fromkeys(("RANK", "RANK.EQ", "RANK.AVG", "PERCENTRANK"), 1),
}
_IGNORING = frozenset("2367")


class Window(NamedTuple):
    """Cells that a formula refers to; a part that is not fixed is counted from the formula."""

    sheet: str
    top: int
    left: int
    bottom: int
    right: int
    fixed: tuple[bool, bool, bool, bool]

    @property
    def is_cell(self) -> bool:
        """Whether it is one cell."""
        return (self.top, self.left) == (self.bottom, self.right) and (
            self.fixed[:2] == self.fixed[2:]
        )

    def searched_by(self, function: str) -> Window:
        """Return the part in which a function looks: of a table, its first column or row."""
        top, left, bottom, right = self.fixed
        if function == "LOOKUP" and (top, left) == (bottom, right):
            # Along whichever is longer.
            wide = abs(self.right - self.left) > abs(self.bottom - self.top)
            function = "HLOOKUP" if wide else "VLOOKUP"
        if function == "VLOOKUP":
            return self._replace(right=self.left, fixed=(top, left, bottom, left))
        if function == "HLOOKUP":
            return self._replace(bottom=self.top, fixed=(top, left, top, right))
        return self

    def area(self, row: int, column: int) -> Area:
        """Return the cells that a formula in this cell refers to."""
        base = (row, column, row, column)
        top, left, bottom, right = (
            number if fixed else number + own
            for number, fixed, own in zip(self[1:5], self.fixed, base, strict=True)
        )
        return Area(min(top, bottom), min(left, right), max(top, bottom), max(left, right))


class Form(NamedTuple):
    """A formula as it was read for one of the cells that have it, and which that is."""

    tree: Node | None
    place: Place


def relative(text: str, row: int, column: int) -> str:
    """Return a formula in a form that is the same for each cell that it is copied to.

    Numbers and texts are left out, for they refer to nothing.

    Examples
    --------
    >>> relative('B2*$C$1&"A1"', 2, 3) == relative('B3*$C$1&"A9"', 3, 3)
    True
    >>> relative("B2+B2", 2, 3) == relative("B3+B2", 3, 3)
    False
    """
    # An option decides what AGGREGATE passes over.
    as_written = "AGGREGATE" in text.upper()

    def moved(match: re.Match[str]) -> str:
        if match[1] is not None:
            return match[1] if as_written or match[1][0] in "'[" else "\0"
        _, fixed_column, letters, fixed_row, digits = match.groups()
        across, down = column_number(letters), int(digits)
        # No formula that is written out holds these signs.
        return (
            f"\0R{down if fixed_row else f'[{down - row}]'}"
            f"C{across if fixed_column else f'[{across - column}]'}"
        )

    return _PIECES.sub(moved, text)


@dataclass(slots=True)
class Precedents:
    """Finds what formulas refer to.

    Parameters
    ----------
    pipeline : Pipeline
        Knows the names, tables and sheets.
    spills : Mapping
        What dynamic arrays fill now, by sheet in lower case, row and column of the first cell.
    """

    pipeline: Pipeline
    spills: Mapping[tuple[str, int, int], Area] = field(default_factory=dict)

    def tree(self, text: str, place: Place, *, array: bool) -> Node | None:
        """Return a formula whose tables are cells, and ranges the cell that is taken of them."""
        scope = self.pipeline.scope
        target = Fill(1, 1) if array else None
        context = Context(scope, place.sheet, place, target, self.pipeline.rewrite_name)
        try:
            tree = parse(text)
            for rule in (tables.apply, intersection.apply):
                try:
                    tree = rule(tree, context)
                except KeepOldValueError:
                    continue
        except FormulaError:
            return None
        return tree

    def cell(self, node: Node, place: Place) -> Window | None:
        """Return the one cell that an argument refers to, itself or by a name."""
        windows = self.windows(node, place, "") if isinstance(node, Reference | Name) else []
        return windows[0] if len(windows) == 1 and windows[0].is_cell else None

    def windows(self, tree: Node, place: Place, code: str) -> list[Window]:
        """Return the cells from which an error with this code may come into a formula."""
        found = self._windows(tree, place, code, place, 0)
        return list(dict.fromkeys(found))

    def turning(self, tree: Node, place: Place, code: str) -> list[Window]:
        """Return the cells in which any error may turn into this one."""
        arguments = _TURNS.get(code, {})
        return [
            window.searched_by(node.name)
            for node in walk(tree)
            if isinstance(node, Call) and len(node.arguments) > arguments.get(node.name, 1 << 20)
            for window in self.windows(node.arguments[arguments[node.name]], place, "")
        ]

    def _windows(
        self, tree: Node, place: Place, code: str, base: Place, depth: int
    ) -> Iterator[Window]:
        """Yield the cells; relative parts are those of a formula in `base`."""
        names: Names = self.pipeline.scope.names
        for node in passing(tree, code):
            if isinstance(node, Reference):
                yield from self._of(node, base)
            elif isinstance(node, Spilled) and isinstance(cell := bare(node.operand), Reference):
                for window in self._of(cell, base):
                    area = window.area(base.row, base.column)
                    key = (window.sheet.casefold(), area.top, area.left)
                    spill = self.spills.get(key, area)
                    yield window._replace(
                        bottom=window.top + spill.rows - 1, right=window.left + spill.columns - 1
                    )
            elif isinstance(node, Name) and depth < _DEEPEST:
                name = names.find(node.text, node.sheet or place.sheet)
                if name is None:
                    continue
                try:
                    meant = names.tree(name)
                except FormulaError:
                    continue
                # What a name holds is written as seen from the first cell.
                first = Place(place.sheet, 1, 1)
                yield from self._windows(meant, place, code, first, depth + 1)

    def _of(self, node: Reference, base: Place) -> Iterator[Window]:
        first, last = node.first, node.end
        if isinstance(first.row, AnyRow) or isinstance(last.row, AnyRow):
            rows = _Span(0, 0, False, False)
        elif node.whole_columns:
            rows = _Span(1, MAX_ROW, True, True)
        else:
            rows = _span(first.row, last.row, first.row_fixed, last.row_fixed, base.row)
        if node.whole_rows:
            columns = _Span(1, MAX_COLUMN, True, True)
        else:
            columns = _span(
                first.column, last.column, first.column_fixed, last.column_fixed, base.column
            )
        fixed = (rows.first_fixed, columns.first_fixed, rows.last_fixed, columns.last_fixed)
        for sheet in self._sheets(node, base.sheet):
            yield Window(sheet, rows.first, columns.first, rows.last, columns.last, fixed)

    def _sheets(self, node: Reference, own: str) -> Iterable[str]:
        if node.to_sheet is None:
            return (node.sheet or own,)
        listed = [sheet.casefold() for sheet in self.pipeline.scope.sheets]
        try:
            ends = sorted(listed.index((n or own).casefold()) for n in (node.sheet, node.to_sheet))
        except ValueError:
            return ()
        return self.pipeline.scope.sheets[ends[0] : ends[1] + 1]


class _Span(NamedTuple):
    """The rows or the columns of a reference; those not fixed are counted from the formula."""

    first: int
    last: int
    first_fixed: bool
    last_fixed: bool


def _span(
    first: int | None, last: int | None, first_fixed: bool, last_fixed: bool, own: int
) -> _Span:
    """Return the span between two rows or columns, seen from a row or column of its own."""
    start = (first or 0) - (0 if first_fixed else own)
    end = (last or 0) - (0 if last_fixed else own)
    return _Span(start, end, first_fixed, last_fixed)


def passing(tree: Node, code: str) -> Iterator[Node]:
    """Yield the parts of a formula through which an error with this code may come in."""
    yield tree
    if isinstance(tree, Spilled):
        return
    if isinstance(tree, Inlined):
        yield from passing(tree.tree, code)
        return
    below = _passing_arguments(tree, code) if isinstance(tree, Call) else children(tree)
    for node in below:
        yield from passing(node, code)


def _passing_arguments(call: Call, code: str) -> Iterable[Node]:
    """Return the arguments of a call whose errors it does not catch."""
    given = call.arguments
    match call.name:
        case "IFERROR":
            return given[1:]
        case "IFNA":
            return given[1:] if code == "#N/A" else given
        case "SUMIF" | "AVERAGEIF":
            return given[2:3] if len(given) > 2 and not isinstance(given[2], Missing) else given[:1]
        case "SUMIFS" | "AVERAGEIFS" | "MAXIFS" | "MINIFS":
            return given[:1]
        case "AGGREGATE" if len(given) > 1:
            option = given[1]
            ignores = isinstance(option, Number) and option.text in _IGNORING
            return given[:2] if ignores else given
        case "LOOKUP":
            return (*given[:1], *given[2:]) if len(given) > 2 else given
        case name if name in _SEARCHED:
            return (*given[: _SEARCHED[name]], *given[_SEARCHED[name] + 1 :])
        case name if name in _CATCHING:
            return ()
        case name if name in _WHERE:
            return tuple(n for n in given if not isinstance(bare(n), Reference | Name | Spilled))
    return given
