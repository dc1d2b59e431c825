"""References in A1 style: which cells of which sheet a formula points at."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from workbooks.formula.address import (
    MAX_COLUMN,
    MAX_ROW,
    Area,
    column_letters,
    column_number,
    quote_sheet,
)

_SHEET = r"(?:'(?P<quoted>(?:[^']|'')+)'|(?P<bare>[^'!\[\]\s(){}\",;]+))!"
_REFERENCE = re.compile(
    rf"(?:{_SHEET})?"
    r"(?:(?P<c1>\$?[A-Za-z]{1,3})(?P<r1>\$?[1-9][0-9]{0,6})"
    r"(?::(?P<c2>\$?[A-Za-z]{1,3})(?P<r2>\$?[1-9][0-9]{0,6}))?"
    r"|(?P<left>\$?[A-Za-z]{1,3}):(?P<right>\$?[A-Za-z]{1,3})"
    r"|(?P<top>\$?[1-9][0-9]{0,6}):(?P<bottom>\$?[1-9][0-9]{0,6}))"
)
# Jan:Mar names two sheets; a sheet called 'Q1:Q2' cannot exist.
_TWO_SHEETS = re.compile(r"([^:]+):([^:]+)")


@dataclass(frozen=True, slots=True)
class AnyRow:
    """A row number that differs among the formulas that are read as one: the n-th of its text."""

    place: int


@dataclass(frozen=True, slots=True)
class FreeColumn:
    """A column without a dollar sign, which moves with the formula, as a piece of its text."""

    number: int

    def __str__(self) -> str:
        return column_letters(self.number)


class NeedsRowError(Exception):
    """A rule has to know a row number, so that the formula must be read for each row alone."""


@dataclass(frozen=True, slots=True)
class Corner:
    """One corner of a reference: a row, a column or both; `fixed` parts carry a dollar sign."""

    row: int | AnyRow | None
    column: int | None
    row_fixed: bool = False
    column_fixed: bool = False

    @property
    def known_row(self) -> int | None:
        """The row number, where it is one."""
        if isinstance(self.row, AnyRow):
            raise NeedsRowError
        return self.row

    def text(self, rows: tuple[str, ...] = ()) -> str:
        """Return the corner as A1 text; `rows` are the numbers behind `AnyRow`."""
        out = ""
        if self.column is not None:
            out = ("$" if self.column_fixed else "") + column_letters(self.column)
        if self.row is not None:
            number = rows[self.row.place] if isinstance(self.row, AnyRow) else str(self.row)
            out += ("$" if self.row_fixed else "") + number
        return out


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to a cell, a range, whole columns or whole rows, of one sheet or of several.

    `sheet` is None for the sheet of the formula; `to_sheet` is the last of several sheets. `last`
    is None for a reference that is written as one cell.
    """

    first: Corner
    last: Corner | None = None
    sheet: str | None = None
    to_sheet: str | None = None

    @property
    def is_cell(self) -> bool:
        """Whether it is written as one cell."""
        return self.last is None and self.to_sheet is None

    @property
    def end(self) -> Corner:
        """The second corner; the first where there is one alone."""
        return self.last if self.last is not None else self.first

    @property
    def width(self) -> int:
        """How many columns it covers [-]."""
        return abs((self.end.column or MAX_COLUMN) - (self.first.column or 1)) + 1

    @property
    def area(self) -> Area:
        """The rectangle of cells; asks for row numbers."""
        rows = sorted((self.first.known_row or 1, self.end.known_row or MAX_ROW))
        columns = sorted((self.first.column or 1, self.end.column or MAX_COLUMN))
        return Area(rows[0], columns[0], rows[1], columns[1])

    @property
    def whole_columns(self) -> bool:
        """Whether it covers columns from the first row to the last."""
        return self.first.row is None

    @property
    def whole_rows(self) -> bool:
        """Whether it covers rows from the first column to the last."""
        return self.first.column is None

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns [-]; may ask for row numbers."""
        columns = self.width
        top, bottom = self.first.row, self.end.row
        if self.whole_columns:
            return MAX_ROW, columns
        if top == bottom:
            return 1, columns
        if isinstance(top, AnyRow) or isinstance(bottom, AnyRow):
            raise NeedsRowError
        return abs((bottom or 0) - (top or 0)) + 1, columns

    def at(self, sheet: str | None) -> Reference:
        """Return the same cells of another sheet."""
        return replace(self, sheet=sheet, to_sheet=None)

    def here(self, sheet: str) -> bool:
        """Tell whether it points into a sheet, in which the formula stands."""
        return self.to_sheet is None and (
            self.sheet is None or self.sheet.casefold() == sheet.casefold()
        )

    def text(self, rows: tuple[str, ...] = ()) -> str:
        """Return the reference as a formula writes it; `rows` are the numbers behind `AnyRow`."""
        where = self.first.text(rows)
        if self.last is not None:
            where += f":{self.last.text(rows)}"
        return self.prefix + where

    @property
    def prefix(self) -> str:
        """The sheets before the cells, as a formula writes them; empty for its own sheet."""
        if self.sheet is None:
            return ""
        if self.to_sheet is None:
            return f"{quote_sheet(self.sheet)}!"
        both = f"{self.sheet}:{self.to_sheet}"
        if quote_sheet(self.sheet) != self.sheet or quote_sheet(self.to_sheet) != self.to_sheet:
            both = "'" + both.replace("'", "''") + "'"
        return f"{both}!"

    def moved(self, rows: int, columns: int, *, around: bool = False) -> Reference | None:
        """Return what a copy of the formula refers to, some cells away; None beyond the sheet.

        Relative parts go `around`, from the last row to the first, in the formula of a name.
        """
        first = _moved(self.first, rows, columns, around=around)
        last = None if self.last is None else _moved(self.last, rows, columns, around=around)
        if first is None or (last is None and self.last is not None):
            return None
        return replace(self, first=first, last=last)

    def in_order(self) -> Reference:
        """Return the range from its upper left corner to its lower right one."""
        if self.last is None:
            return self
        a, b = self.first, self.last
        flip_rows = a.row is not None and (a.known_row or 0) > (b.known_row or 0)
        flip_columns = (a.column or 0) > (b.column or 0)
        if not flip_rows and not flip_columns:
            return self
        top, bottom = (b, a) if flip_rows else (a, b)
        left, right = (b, a) if flip_columns else (a, b)
        return replace(
            self,
            first=Corner(top.row, left.column, top.row_fixed, left.column_fixed),
            last=Corner(bottom.row, right.column, bottom.row_fixed, right.column_fixed),
        )


def _moved(corner: Corner, rows: int, columns: int, *, around: bool) -> Corner | None:
    row, column = corner.row, corner.column
    if row is not None and not corner.row_fixed:
        row = (corner.known_row or 0) + rows
        row = (row - 1) % MAX_ROW + 1 if around else row
        if not 1 <= row <= MAX_ROW:
            return None
    if column is not None and not corner.column_fixed:
        column += columns
        column = (column - 1) % MAX_COLUMN + 1 if around else column
        if not 1 <= column <= MAX_COLUMN:
            return None
    return replace(corner, row=row, column=column)


def reference_to(area: Area, sheet: str | None = None, *, fixed: bool = False) -> Reference:
    """Return a reference to a rectangle; `fixed` writes it with dollar signs."""
    first = Corner(area.top, area.left, fixed, fixed)
    last = Corner(area.bottom, area.right, fixed, fixed)
    return Reference(first, None if first == last else last, sheet)


@lru_cache(maxsize=4096)
def read_reference(text: str) -> Reference | None:
    """Return the reference that A1 text stands for; None for a name or anything else."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    if parts["left"]:
        corners = [_corner(parts["left"], None), _corner(parts["right"], None)]
    elif parts["top"]:
        corners = [_corner(None, parts["top"]), _corner(None, parts["bottom"])]
    else:
        corners = [_corner(parts["c1"], parts["r1"])]
        if parts["c2"]:
            corners.append(_corner(parts["c2"], parts["r2"]))
    for corner in corners:
        if (corner.column or 1) > MAX_COLUMN or (corner.known_row or 1) > MAX_ROW:
            return None
    sheet = parts["quoted"].replace("''", "'") if parts["quoted"] else parts["bare"]
    if sheet is not None and "[" in sheet:
        return None
    several = _TWO_SHEETS.fullmatch(sheet) if sheet else None
    first, last = corners[0], corners[1] if len(corners) > 1 else None
    if several:
        return Reference(first, last, several[1], several[2])
    return Reference(first, last, sheet)


def _corner(column: str | None, row: str | None) -> Corner:
    return Corner(
        int(row.lstrip("$")) if row else None,
        column_number(column.lstrip("$")) if column else None,
        bool(row and row.startswith("$")),
        bool(column and column.startswith("$")),
    )
