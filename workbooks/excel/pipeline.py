"""Formulas put through the passes, so that the calculator gives what Excel would.

What becomes of a formula is found out once for all formulas that differ in row numbers alone:
their tree holds places in the stead of row numbers. A rule that has to know one makes the pipeline
go through the rows one by one. So it is for formulas filled to the right, whose columns without a
dollar sign differ by as much. Most formulas need nothing, and are handed over as they stand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from workbooks.excel.context import (
    Context,
    Fill,
    KeepOldValueError,
    Notes,
    Place,
    Scope,
    Spill,
)
from workbooks.excel.marks import marks_of
from workbooks.excel.passes import PASSES, Pass
from workbooks.formula.address import MAX_COLUMN, MAX_ROW, Area, column_letters, column_number
from workbooks.formula.parse import FormulaError, generalised, parse
from workbooks.formula.references import AnyRow, FreeColumn, NeedsRowError, Reference
from workbooks.formula.tree import (
    Error,
    Missing,
    Node,
    Piece,
    pieces,
    walk,
)

Target: TypeAlias = Fill | Spill | None

#: Row numbers in a formula; what is quoted is passed over, so that it stays in the pattern.
_ROWS = re.compile(
    r"""("[^"\x00]*"|'[^'\x00]*')|(?<![\w.$'\]\\?])(\$?[A-Za-z]{1,3}\$?)([1-9][0-9]{0,6})(?![\w.(!'\[?])"""
)
#: The same in bytes, for whole sheets at once.
ROWS_IN_BYTES = re.compile(_ROWS.pattern.encode())
_REMEMBERED = 20_000
_LAST_COLUMN = "XFD"
# A row number of so few digits is on the sheet.
_DIGITS = 6
_IN_NAMES = tuple(rule for rule in PASSES if rule.in_names)
# A chain of operators is a deep tree; calls between Python functions take no stack of C.
_RECURSION = 5_000
sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION))


class Form(NamedTuple):
    """A formula without its place: what a copy of it has in any other cell, its rows aside.

    `rows` are its row numbers, in their order; `column` is the first column that has no dollar
    sign, 0 where there is none. In `key` the others stand as seen from that.
    """

    key: str
    rows: tuple[str, ...]
    column: int


def form_of(text: str) -> Form:
    """Return a formula without its place."""
    # Between the texts come what is quoted, a column, and its row.
    parts = _ROWS.split(text)
    rows = tuple([row for row in parts[3::4] if row])
    first = 0
    for i in range(2, len(parts), 4):
        column = parts[i]
        if column is None:
            parts[i] = parts[i + 1] = ""
            continue
        parts[i - 1], parts[i + 1] = "", "#"
        number, after = _free(column)
        if number:
            first = first or number
            parts[i] = f"\0{number - first}{after}"
    return Form("".join(parts), rows, first)


@lru_cache(maxsize=MAX_COLUMN)
def _free(column: str) -> tuple[int, str]:
    """Return the number of a column that moves, 0 of any other, and the dollar sign behind it."""
    letters = column.strip("$").upper()
    if column[0] == "$" or _is_name(letters):
        return 0, ""
    return column_number(letters), "$" * (column[-1] == "$")


def shape_of(text: str) -> str:
    """Return a formula without its rows and columns.

    Of a range only that is kept whether it is one column wide, which some rules ask for.
    """
    parts: list[str] = []
    at, before = 0, ""
    for found in _ROWS.finditer(text):
        quoted, column, _ = found.groups()
        letters = (column or "").strip("$").upper()
        if quoted or _is_name(letters):
            continue
        between = text[at : found.start()]
        same = between == ":" and letters == before
        parts.append(
            f"{between}{'$' * column.startswith('$')}{'=' if same else '@'}"
            f"{'$' * column.endswith('$')}#"
        )
        at, before = found.end(), letters
    return "".join((*parts, text[at:]))


def _is_name(letters: str) -> bool:
    """Tell whether letters before a number are beyond the last column, so that both are a name."""
    return len(letters) == len(_LAST_COLUMN) and letters > _LAST_COLUMN


def patterns_of(texts: list[bytes]) -> list[bytes]:
    """Return formulas, as they stand in a file, without their row numbers."""
    # XML has no way to hold the byte 0.
    joined = b"\0".join(texts)
    if b"&quot;" in joined or b"&apos;" in joined:
        joined = joined.replace(b"&quot;", b'"').replace(b"&apos;", b"'")
    # Between the texts come what is quoted, a column, and its row.
    parts = ROWS_IN_BYTES.split(joined)
    parts[3::4] = [row and b"#" for row in parts[3::4]]
    return b"".join([piece or b"" for piece in parts]).split(b"\0")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A formula after all passes.

    `plain` says that it was handed on unchanged; `limits` are the rows in which it means something,
    `holds` those for which it was read. One that `moves` is that of its copies in other columns
    too; `column` is where it was read (see `Form`).
    """

    tree: Node
    written: tuple[Piece, ...]
    plain: bool
    limits: tuple[int, int] | None
    holds: tuple[int, int] | None = None
    moves: bool = False
    column: int = 0

    def serves(self, row: int) -> bool:
        """Tell whether it is what a cell of this row has."""
        return self.holds is None or self.holds[0] <= row <= self.holds[1]

    def text(self, form: Form, own_row: int) -> str:
        """Return it for one cell, by the row numbers and columns of its own text."""
        if self.limits is not None and not self.limits[0] <= own_row <= self.limits[1]:
            return "#VALUE!"
        numbers, by = (*form.rows, str(own_row)), form.column - self.column
        return "".join(
            [
                piece
                if isinstance(piece, str)
                else numbers[piece.place]
                if isinstance(piece, AnyRow)
                else column_letters(piece.number + by)
                for piece in self.written
            ]
        )


#: What a text that was read for one cell is filled in with.
_NOWHERE = Form("", (), 0)
#: What is known of a formula whose shape stands as it is.
_PLAIN = Rewritten(Missing(), (), plain=True, limits=None, moves=True)
#: Under its key and this column stands what a formula is in every column.
_ANY = -1
_Key: TypeAlias = tuple[str, str, Target, int]
_Found: TypeAlias = Rewritten | KeepOldValueError | None


@dataclass(slots=True)
class Pipeline:
    """The passes over one workbook's formulas."""

    scope: Scope
    #: By sheet, key, target and column: what serves all rows; None where each row is for itself.
    _general: dict[_Key, _Found] = field(default_factory=dict)
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

    def reading(self, sheets: Iterable[str]) -> Pipeline:
        """Return a pipeline that knows which sheets hold texts that are read with care."""
        return Pipeline(replace(self.scope, texts=frozenset(map(str.casefold, sheets))))

    def is_plain(self, text: str, sheet: str) -> bool:
        """Tell whether the calculator takes a formula, in whichever rows, as it stands."""
        form = form_of(text)
        try:
            found = self._for_all_rows(text, form, sheet, None)
        except KeepOldValueError:
            return False
        return found is not None and found.plain

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
        form = form_of(text)
        found = self._for_all_rows(text, form, place.sheet, target)
        if found is not None and self._stands(form):
            if found.plain and found.limits is None:
                return text
            if found.serves(place.row):
                return found.text(form, place.row)
        return self._for_one(text, place, target).text(_NOWHERE, place.row)

    @staticmethod
    def _stands(form: Form) -> bool:
        """Tell whether all rows of a formula are rows of a sheet."""
        longest = max(map(len, form.rows), default=0)
        return longest <= _DIGITS or all(int(row) <= MAX_ROW for row in form.rows)

    def rewritten(self, tree: Node, place: Place) -> Node:
        """Return an ordinary formula of one cell in the calculator's terms, as a tree."""
        found = self._through(tree, self._at(place))
        if found.limits is not None and not found.limits[0] <= place.row <= found.limits[1]:
            return Error("#VALUE!")
        return found.tree

    def text_of_tree(self, tree: Node, place: Place) -> str:
        """Return an ordinary formula of one cell, given as a tree, in the calculator's terms."""
        found = self._through(tree, self._at(place))
        return found.text(_NOWHERE, place.row)

    # --- remembered ------------------------------------------------------------------------------

    def _for_all_rows(self, text: str, form: Form, sheet: str, target: Target) -> Rewritten | None:
        everywhere: _Key = (sheet, form.key, target, _ANY)
        found = self._general.get(everywhere)
        if found is None:
            here: _Key = (sheet, form.key, target, form.column)
            if here not in self._general:
                self._remember(text, form, everywhere, here)
            found = self._general.get(everywhere) or self._general[here]
        if isinstance(found, KeepOldValueError):
            raise found
        return found

    def _remember(self, text: str, form: Form, everywhere: _Key, here: _Key) -> None:
        if len(self._general) > _REMEMBERED:
            self._general.clear()
        sheet, target = here[0], here[2]
        shape = (sheet, shape_of(text)) if target is None else None
        if shape in self._plain:
            self._general[everywhere] = self._general[here] = _PLAIN
            return
        found = self._general[here] = self._generally(text, form, sheet, target)
        if isinstance(found, Rewritten):
            if found.moves:
                self._general[everywhere] = found
            if shape and found.plain and found.limits is None:
                self._plain.add(shape)

    def _generally(self, text: str, form: Form, sheet: str, target: Target) -> _Found:
        try:
            tree, rows = generalised(parse(text))
        except FormulaError as error:
            # Its row numbers may be part of why.
            return KeepOldValueError(str(error)) if not form.rows else None
        if tuple(rows) != form.rows or any(int(row) > MAX_ROW for row in rows):
            # The pattern takes something for a row number that is none.
            return None
        try:
            found = self._through(tree, Context(self.scope, sheet, None, target, self.rewrite_name))
        except NeedsRowError:
            return None
        except KeepOldValueError as error:
            return error
        moves = target is None and not self.scope.careful and _moves(tree, found.written)
        return replace(found, moves=moves, column=form.column)

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
        result = _passed(tree, context, PASSES)
        limits, holds = _common(context.notes.limits), _common(context.notes.holds)
        return Rewritten(result, tuple(pieces(result)), result is tree, limits, holds)

    def _at(self, place: Place) -> Context:
        return Context(self.scope, place.sheet, place, None, self.rewrite_name)

    def rewrite_name(self, tree: Node, context: Context) -> Node:
        """Put the formula of a defined name through those passes that are for such."""
        return _passed(tree, context, _IN_NAMES)


def _passed(tree: Node, context: Context, rules: Iterable[Pass]) -> Node:
    """Put a formula through the rules that it concerns."""
    marks = marks_of(tree, context)
    for rule in rules:
        if rule.concerns.isdisjoint(marks):
            continue
        try:
            result = rule(tree, context)
        except NeedsRowError:
            if not rule.row_dependent:
                raise AssertionError(f"the rule {rule.name!r} asks for a row number") from None
            raise
        if result is not tree:
            tree, marks = result, marks_of(result, context)
    return tree


def _moves(tree: Node, written: Iterable[Piece]) -> bool:
    """Tell whether a formula is the same in whichever column, but for where its columns are.

    Whole columns are no part of what moves here. A range from a column with a dollar sign to one
    without is as wide as its place says. Nor may a rule have put a column in that is none of the
    formula's own.
    """
    own: set[int | None] = set()
    for node in walk(tree):
        if isinstance(node, Reference):
            first, end = node.first, node.end
            if node.whole_columns or node.whole_rows or first.column_fixed != end.column_fixed:
                return False
            own |= {first.column, end.column} if not first.column_fixed else set()
    return all(piece.number in own for piece in written if isinstance(piece, FreeColumn))


def _common(spans: list[tuple[int, int]]) -> tuple[int, int] | None:
    """Return the rows that all of several spans have; None where there is no span."""
    if not spans:
        return None
    return max(first for first, _ in spans), min(last for _, last in spans)
