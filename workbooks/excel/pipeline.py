"""Formulas put through the passes, so that the calculator gives what Excel would.

What becomes of a formula is found out once for all formulas that differ in row numbers alone:
their tree holds places in the stead of row numbers. A rule that has to know one makes the pipeline
go through the rows one by one. Most formulas need nothing, and are handed over as they stand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from workbooks.excel.context import (
    Context,
    Fill,
    KeepOldValueError,
    Notes,
    Place,
    Scope,
    Spill,
)
from workbooks.excel.passes import PASSES
from workbooks.formula.address import MAX_ROW, Area
from workbooks.formula.parse import FormulaError, generalised, parse
from workbooks.formula.references import AnyRow, NeedsRowError
from workbooks.formula.tree import Error, Node, pieces

Target: TypeAlias = Fill | Spill | None

#: Row numbers in a formula; what is quoted is passed over, so that it stays in the pattern.
_ROWS = re.compile(
    r"""("[^"\x00]*"|'[^'\x00]*')|(?<![\w.$'\]\\?])(\$?[A-Za-z]{1,3}\$?)([1-9][0-9]{0,6})(?![\w.(!'\[?])"""
)
#: The same in bytes, for whole sheets at once.
ROWS_IN_BYTES = re.compile(_ROWS.pattern.encode())
_REMEMBERED = 20_000
_LAST_COLUMN = "XFD"
# A chain of operators is a deep tree; calls between Python functions take no stack of C.
_RECURSION = 5_000
sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION))


def pattern_of(text: str) -> str:
    """Return a formula without its row numbers."""
    return _ROWS.sub(r"\1\2#", text)


def shape_of(text: str) -> str:
    """Return a formula without its rows and columns, such as it is when filled to the right."""
    return _ROWS.sub(_without_place, text)


def _without_place(found: re.Match[str]) -> str:
    quoted, column, _ = found.groups()
    if quoted:
        return str(quoted)
    letters = column.strip("$").upper()
    if len(letters) == len(_LAST_COLUMN) and letters > _LAST_COLUMN:
        return found[0]  # a name
    return f"{'$' * column.startswith('$')}@{'$' * column.endswith('$')}#"


def patterns_of(texts: list[bytes]) -> list[bytes]:
    """Return formulas, as they stand in a file, without their row numbers."""
    # XML has no way to hold the byte 0.
    joined = b"\0".join(texts)
    if b"&quot;" in joined or b"&apos;" in joined:
        joined = joined.replace(b"&quot;", b'"').replace(b"&apos;", b"'")
    return ROWS_IN_BYTES.sub(rb"\1\2#", joined).split(b"\0")


def rows_of(text: str) -> tuple[str, ...]:
    """Return the row numbers of a formula, in their order."""
    return tuple(row for _, _, row in _ROWS.findall(text) if row)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A formula after all passes.

    `plain` says that it was handed on unchanged; `limits` are the rows in which it means something,
    `holds` those for which it was read.
    """

    tree: Node
    written: tuple[str | AnyRow, ...]
    plain: bool
    limits: tuple[int, int] | None
    holds: tuple[int, int] | None = None

    def serves(self, row: int) -> bool:
        """Tell whether it is what a cell of this row has."""
        return self.holds is None or self.holds[0] <= row <= self.holds[1]

    def text(self, rows: tuple[str, ...], own_row: int) -> str:
        """Return it for one cell, by the row numbers of its own text."""
        if self.limits is not None and not self.limits[0] <= own_row <= self.limits[1]:
            return "#VALUE!"
        numbers = (*rows, str(own_row))
        return "".join(p if isinstance(p, str) else numbers[p.place] for p in self.written)


@dataclass(slots=True)
class Pipeline:
    """The passes over one workbook's formulas."""

    scope: Scope
    #: By sheet, pattern and target: what serves all rows; None where each row is for itself.
    _general: dict[tuple[str, str, Target], Rewritten | KeepOldValueError | None] = field(
        default_factory=dict
    )
    _single: dict[tuple[str, str, Target], Rewritten | KeepOldValueError] = field(
        default_factory=dict
    )
    #: By sheet and shape: ordinary formulas that stand as they are, in whichever cells.
    _plain: set[tuple[str, str]] = field(default_factory=set)

    def made_careful(self) -> Pipeline:
        """Return a pipeline that turns round the ranges that are written from their end."""
        return Pipeline(replace(self.scope, careful=True))

    def keeping(self, stays: Mapping[tuple[str, int, int], Area]) -> Pipeline:
        """Return a pipeline that knows which array formulas keep their old values."""
        return Pipeline(replace(self.scope, stays=dict(stays)))

    def is_plain(self, text: str, sheet: str) -> bool:
        """Tell whether the calculator takes a formula, in whichever rows, as it stands."""
        shape = (sheet, shape_of(text))
        if shape in self._plain:
            return True
        try:
            found = self._for_all_rows(text, sheet, None)
        except KeepOldValueError:
            return False
        if found is None or not found.plain:
            return False
        if found.limits is None:
            self._plain.add(shape)
        return True

    def text(self, text: str, place: Place, target: Target = None) -> str:
        """Return a formula in the calculator's terms.

        Parameters
        ----------
        text : str
            The formula without its equals sign.
        place : Place
            The cell it stands in.
        target : Fill or Spill, optional
            Where the result of an array formula goes.

        Raises
        ------
        KeepOldValueError
            The formula cannot be put so; the message says why.
        """
        if target is None and self.is_plain(text, place.sheet) and self._stands(text):
            return text
        found = self._for_all_rows(text, place.sheet, target)
        rows = rows_of(text)
        if found is not None and found.serves(place.row) and self._stands(text):
            return found.text(rows, place.row)
        alone = self._for_one(text, place, target)
        return alone.text((), place.row)

    @staticmethod
    def _stands(text: str) -> bool:
        """Tell whether all rows of a formula are rows of a sheet."""
        return not any(len(row) > 6 and int(row) > MAX_ROW for row in rows_of(text))

    def rewritten(self, tree: Node, place: Place) -> Node:
        """Return an ordinary formula of one cell in the calculator's terms, as a tree."""
        found = self._through(tree, self._at(place))
        if found.limits is not None and not found.limits[0] <= place.row <= found.limits[1]:
            return Error("#VALUE!")
        return found.tree

    def text_of_tree(self, tree: Node, place: Place) -> str:
        """Return an ordinary formula of one cell, given as a tree, in the calculator's terms."""
        found = self._through(tree, self._at(place))
        return found.text((), place.row)

    # --- remembered ------------------------------------------------------------------------------

    def _for_all_rows(self, text: str, sheet: str, target: Target) -> Rewritten | None:
        key = (sheet, pattern_of(text), target)
        if key not in self._general:
            if len(self._general) > _REMEMBERED:
                self._general.clear()
            self._general[key] = self._generally(text, sheet, target)
        found = self._general[key]
        if isinstance(found, KeepOldValueError):
            raise found
        return found

    def _generally(
        self, text: str, sheet: str, target: Target
    ) -> Rewritten | KeepOldValueError | None:
        try:
            tree, rows = generalised(parse(text))
        except FormulaError as error:
            # Its row numbers may be part of why.
            return KeepOldValueError(str(error)) if not rows_of(text) else None
        if tuple(rows) != rows_of(text) or any(int(row) > MAX_ROW for row in rows):
            # The pattern takes something for a row number that is none.
            return None
        try:
            return self._through(tree, Context(self.scope, sheet, None, target, self.rewrite_name))
        except NeedsRowError:
            return None
        except KeepOldValueError as error:
            return error

    def _for_one(self, text: str, place: Place, target: Target) -> Rewritten:
        key = (place.sheet, text, target)
        found = self._single.get(key)
        if found is None:
            notes = Notes()
            context = Context(
                self.scope, place.sheet, place, target, self.rewrite_name, notes=notes
            )
            try:
                found = self._through(parse(text), context)
            except (FormulaError, KeepOldValueError) as error:
                found = KeepOldValueError(str(error))
            if len(self._single) > _REMEMBERED:
                self._single.clear()
            # What hangs on its own place is another thing in the next cell.
            if not notes.placed:
                self._single[key] = found
        if isinstance(found, KeepOldValueError):
            raise found
        return found

    # --- the passes ------------------------------------------------------------------------------

    def _through(self, tree: Node, context: Context) -> Rewritten:
        result = tree
        for rule in PASSES:
            try:
                result = rule(result, context)
            except NeedsRowError:
                if not rule.row_dependent:
                    raise AssertionError(f"the rule {rule.name!r} asks for a row number") from None
                raise
        limits, holds = _common(context.notes.limits), _common(context.notes.holds)
        return Rewritten(result, tuple(pieces(result)), result is tree, limits, holds)

    def _at(self, place: Place) -> Context:
        return Context(self.scope, place.sheet, place, None, self.rewrite_name)

    def rewrite_name(self, tree: Node, context: Context) -> Node:
        """Put the formula of a defined name through those passes that are for such."""
        for rule in PASSES:
            if rule.in_names:
                tree = rule(tree, context)
        return tree


def _common(spans: list[tuple[int, int]]) -> tuple[int, int] | None:
    """Return the rows that all of several spans have; None where there is no span."""
    if not spans:
        return None
    return max(first for first, _ in spans), min(last for _, last in spans)
