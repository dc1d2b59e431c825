"""The cells of all sheets by one number each, and what the references of formulas come to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from workbooks.formula.address import parse_area, split_sheet
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.references import Corner, Reference, read_reference
from workbooks.page.places import Place
from workbooks.page.reading import Workbook


class UnknownError(Exception):
    """What the page's calculator does not know; the message says what, after "uses"."""


class Span(NamedTuple):
    """A rectangle of cells as a formula reads it, with what JavaScript calls its parts.

    `at` is the number of its first cell, `high` and `wide` its size; rows and columns that move
    with the formula are there for the cell that was asked about.
    """

    sheet: int
    top: int
    left: int
    bottom: int
    right: int
    at: str
    high: str
    wide: str
    is_cell: bool
    #: Whether it is the same for each formula that was filled down.
    stays: bool

    @property
    def rows(self) -> int:
        """How many rows it has [-]."""
        return self.bottom - self.top + 1

    @property
    def columns(self) -> int:
        """How many columns it has [-]."""
        return self.right - self.left + 1


@dataclass
class Grid:
    """Where each cell stands among those of all sheets."""

    book: Workbook
    #: Rows and columns that are kept of each sheet; the last ones are blank.
    sizes: Sequence[tuple[int, int]]
    #: Cells that may change.
    moving: Collection[Place]

    def __post_init__(self) -> None:
        self.width = max(columns for _, columns in self.sizes)
        self._bases = [0]
        for rows, _ in self.sizes:
            self._bases.append(self._bases[-1] + rows)
        self._parts: dict[tuple[str, int], tuple[str, list[int], list[int]]] = {}
        self._numbers = {name.casefold(): i for i, name in enumerate(self.book.sheets)}
        self._moving: dict[int, dict[int, list[int]]] = {}
        for place in self.moving:
            by_row = self._moving.setdefault(place.sheet, {})
            by_row.setdefault(place.row, []).append(place.column)

    @property
    def rows(self) -> int:
        """The rows of all sheets."""
        return self._bases[-1]

    @property
    def bases(self) -> list[int]:
        """The first row of each sheet."""
        return self._bases[:-1]

    def base(self, sheet: int) -> int:
        """Return the first row of a sheet."""
        return self._bases[sheet]

    def number(self, sheet: int, row: int, column: int) -> int:
        """Return the number of a cell."""
        return (self._bases[sheet] + row - 1) * self.width + column - 1

    def named(self, text: str) -> Reference | None:
        """Return the cells that a name stands for; None where it stands for something else."""
        sheet, area = split_sheet(text)
        if sheet is None or parse_area(area.replace("$", "")) is None:
            return None
        try:
            found = parse(text)
        except FormulaError:
            return None
        return found if isinstance(found, Reference) else None

    def varies(self, span: Span) -> bool:
        """Tell whether a cell of a rectangle may change."""
        rows = self._moving.get(span.sheet)
        if not rows:
            return False
        wanted: Iterable[int] = range(span.top, span.bottom + 1)
        if len(rows) < span.rows:
            wanted = [row for row in rows if span.top <= row <= span.bottom]
        return any(span.left <= c <= span.right for row in wanted for c in rows.get(row, ()))

    def is_fixed(self, span: Span) -> bool:
        """Tell whether a rectangle is the same for all formulas, and never changes."""
        return span.stays and not self.varies(span)

    def corner(self, span: Span) -> tuple[str, str]:
        """Return row and column of a rectangle's first cell, in JavaScript."""
        return f"Math.floor(({span.at}) / {self.width})", f"({span.at}) % {self.width}"

    def spilled(self, reference: Reference, place: Place | None) -> Span | None:
        """Return what the array formula of a cell fills."""
        span = self.span(reference, place)
        entry = self.book.cells.get(Place(span.sheet, span.top, span.left))
        if entry is None or entry.area is None:
            return None
        area = entry.area
        at = self.number(span.sheet, area.top, area.left)
        return Span(span.sheet, *area, str(at), str(area.rows), str(area.columns),
                    is_cell=False, stays=True)  # fmt: skip

    def span(self, reference: Reference, place: Place | None) -> Span:
        """Return the cells of a reference in a formula that stands somewhere, or in a name."""
        sheet, first, last = self.ordered(reference, place)
        fixed = all((first.row_fixed, last.row_fixed, first.column_fixed, last.column_fixed))
        if place is None and not fixed:
            raise UnknownError("a name that moves with the cell that it is used in")
        top, bottom = _part(first.row), _part(last.row)
        left, right = _part(first.column), _part(last.column)
        own_row = self._bases[place.sheet] + place.row - 1 if place else 0
        own_column = place.column - 1 if place else 0
        rows = [
            _end("r", self._bases[sheet] + row - 1, own_row, fixed=stays)
            for row, stays in ((top, first.row_fixed), (bottom, last.row_fixed))
        ]
        columns = [
            _end("c", column - 1, own_column, fixed=stays)
            for column, stays in ((left, first.column_fixed), (right, last.column_fixed))
        ]
        return Span(
            sheet, top, left, bottom, right, self._at(sheet, first, place),
            _count(rows, bottom - top, first.row_fixed == last.row_fixed),
            _count(columns, right - left, first.column_fixed == last.column_fixed),
            is_cell=reference.last is None, stays=fixed,
        )  # fmt: skip

    def _at(self, sheet: int, corner: Corner, place: Place | None) -> str:
        """Return the number of a cell in JavaScript, by how it moves with the formula."""
        row, column = _part(corner.row), _part(corner.column)
        number = self.number(sheet, row, column)
        if place is None or (corner.row_fixed and corner.column_fixed):
            return str(number)
        if not corner.row_fixed and not corner.column_fixed:
            return _plus("i", number - self.number(*place))
        if corner.row_fixed:
            return _plus("c", number - (place.column - 1))
        own = self._bases[place.sheet] + place.row - 1
        return _plus(f"r * {self.width}", number - own * self.width)

    def ordered(self, reference: Reference, place: Place | None) -> tuple[int, Corner, Corner]:
        """Return the sheet and the first and last cell of a reference, within what is kept of it.

        Beyond that all is blank, as are the last row and the last column that are kept.
        """
        if reference.to_sheet is not None:
            raise UnknownError("a reference over several sheets")
        sheet = place.sheet if place else -1
        if reference.sheet is not None:
            sheet = self._numbers.get(reference.sheet.casefold(), -1)
        if sheet < 0:
            raise UnknownError(f"the sheet {reference.sheet}, which is not there")
        rows, columns = self.sizes[sheet]
        first, last = reference.first, reference.end
        (top, top_fixed), (bottom, bottom_fixed) = _sorted(
            (first.known_row, first.row_fixed), (last.known_row, last.row_fixed), rows
        )
        (left, left_fixed), (right, right_fixed) = _sorted(
            (first.column, first.column_fixed), (last.column, last.column_fixed), columns
        )
        return (sheet, Corner(top, left, top_fixed, left_fixed),
                Corner(bottom, right, bottom_fixed, right_fixed))  # fmt: skip

    def key(self, texts: Sequence[str], place: Place) -> list[str | int]:
        """Return references by how they move: the same for all formulas that were filled down."""
        sheet, row, column = place
        key: list[str | int] = []
        for text in texts:
            parts = self._parts.get((text, sheet))
            if parts is None:
                parts = self._parts[text, sheet] = self._moving_parts(text, place)
            stays, rows, columns = parts
            key.append(stays)
            key += [number - row for number in rows]
            key += [number - column for number in columns]
        return key

    def _moving_parts(self, text: str, place: Place) -> tuple[str, list[int], list[int]]:
        """Return what stays of a reference as it is, and its rows and columns that move."""
        reference = read_reference(text)
        if reference is None:
            return text, [], []
        try:
            sheet, first, last = self.ordered(reference, place)
        except UnknownError:
            return text, [], []
        stays, rows, columns = f"{sheet}:", [], []
        for corner in (first, last) if reference.last is not None else (first,):
            row, column = _part(corner.row), _part(corner.column)
            stays += f"R{row}" if corner.row_fixed else "R"
            stays += f"C{column}" if corner.column_fixed else "C"
            rows += [] if corner.row_fixed else [row]
            columns += [] if corner.column_fixed else [column]
        return stays, rows, columns


def _sorted(
    one: tuple[int | None, bool], other: tuple[int | None, bool], most: int
) -> tuple[tuple[int, bool], tuple[int, bool]]:
    """Return both ends in order; an open side is the first or last, one too far the last."""
    (a, a_fixed), (b, b_fixed) = one, other
    if a is None or b is None:
        return (1, True), (most, True)
    ends = [(a, a_fixed), (b, b_fixed)]
    ends.sort(key=lambda end: end[0])
    first, last = ((n, fixed) if n <= most else (most, True) for n, fixed in ends)
    return first, last


def _part(number: object) -> int:
    """Return a row or column that is known here."""
    if not isinstance(number, int):
        raise UnknownError("a reference without a row")
    return number


def _plus(what: str, more: int) -> str:
    return f"{what} + {more}" if more >= 0 else f"{what} - {-more}"


def _end(what: str, number: int, own: int, *, fixed: bool) -> str:
    return str(number) if fixed else _plus(what, number - own)


def _count(ends: Sequence[str], apart: int, together: bool) -> str:
    """Return how many rows or columns lie between two ends that move together or not."""
    return str(apart + 1) if together else f"{ends[1]} - ({ends[0]}) + 1"
