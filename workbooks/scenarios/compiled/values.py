"""What a cell holds in all draws: numbers, truth values, texts, blanks and errors by draw.

A `Column` has a kind and a number for each draw, or one of either for all of them. The number of a
text is its place in a table of texts, that of an error its place in `udfs.cells.CODES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from udfs.cells import CODES, Cell, CellError

NUMBER, BOOL, TEXT, BLANK, ERROR = range(5)
_CODE = {code: float(i) for i, code in enumerate(CODES)}
DIV0, VALUE, REF, NAME, NUM, NA = (
    _CODE[code] for code in ("#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A")
)

Kind: TypeAlias = int | NDArray[np.uint8]
#: A number for each draw, or one for all.
Numbers: TypeAlias = float | NDArray[np.float64]
Mask: TypeAlias = bool | NDArray[np.bool_]


class UnsupportedError(Exception):
    """The formula needs more than is compiled."""


class Column(NamedTuple):
    """The value of one cell in all draws."""

    kind: Kind
    num: Numbers

    @property
    def constant(self) -> bool:
        """Whether it is one value for all draws."""
        return isinstance(self.kind, int) and not isinstance(self.num, np.ndarray)


@dataclass(frozen=True, slots=True)
class Grid:
    """A range or an array.

    `height` is the number of rows by draw, where that differs: without end in the draws in which
    an error stands in the place of the whole table.
    """

    rows: Sequence[Sequence[Column]]
    reference: bool = False
    height: NDArray[np.float64] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.rows[0])

    def cells(self) -> list[Column]:
        """Return all cells in reading order."""
        if self.height is not None:
            raise UnsupportedError("a table whose length differs by draw")
        return [cell for row in self.rows for cell in row]


Value: TypeAlias = Column | Grid

BLANK_CELL = Column(BLANK, 0.0)
TRUE_CELL, FALSE_CELL = Column(BOOL, 1.0), Column(BOOL, 0.0)


def error(code: float) -> Column:
    """Return an error value, the same in all draws."""
    return Column(ERROR, code)


def number(value: float) -> Column:
    """Return a number, the same in all draws."""
    return Column(NUMBER, value)


def truth(mask: Any) -> Column:
    """Return truth values."""
    return Column(BOOL, mask.astype(np.float64) if isinstance(mask, np.ndarray) else float(mask))


def is_kind(column: Column, kind: int) -> Mask:
    """Tell in which draws a column is of this kind."""
    found: Mask = column.kind == kind
    return found


def anywhere(mask: Any) -> bool:
    """Tell whether a mask holds in any draw."""
    return bool(mask.any()) if isinstance(mask, np.ndarray) else bool(mask)


def everywhere(mask: Any) -> bool:
    """Tell whether a mask holds in all draws."""
    return bool(mask.all()) if isinstance(mask, np.ndarray) else bool(mask)


def merged(mask: Any, one: Column, other: Column) -> Column:
    """Return `one` where the mask holds, and `other` elsewhere."""
    if not isinstance(mask, np.ndarray):
        return one if mask else other
    same = isinstance(one.kind, int) and isinstance(other.kind, int) and one.kind == other.kind
    kind = one.kind if same else np.where(mask, one.kind, other.kind).astype(np.uint8)
    return Column(kind, np.where(mask, one.num, other.num))


def sound(values: Any, code: Any) -> Column:
    """Return numbers, with an error wherever one is not finite."""
    finite = np.isfinite(values)
    if finite.all():
        return Column(NUMBER, values if isinstance(values, np.ndarray) else float(values))
    if not isinstance(values, np.ndarray):
        return error(float(code))
    return Column(np.where(finite, NUMBER, ERROR).astype(np.uint8), np.where(finite, values, code))


def first_error(columns: Sequence[Column], otherwise: Column) -> Column:
    """Return the leftmost error of some columns in the draws that have one, else another value."""
    result = otherwise
    for column in reversed(columns):
        wrong = is_kind(column, ERROR)
        if anywhere(wrong):
            result = merged(wrong, column, result)
    return result


def each(function: Callable[..., Column], arguments: Sequence[Value]) -> Value:
    """Call a function of single values for each cell of its arguments, spread over one shape."""
    grids = [a for a in arguments if isinstance(a, Grid)]
    if not grids:
        return function(*arguments)
    shapes = [grid.shape for grid in grids]
    if any(grid.height is not None for grid in grids):
        raise UnsupportedError("a table whose length differs by draw")
    rows, columns = max(s[0] for s in shapes), max(s[1] for s in shapes)

    def at(argument: Value, r: int, c: int) -> Column:
        if isinstance(argument, Column):
            return argument
        high, wide = argument.shape
        r, c = (0 if high == 1 else r), (0 if wide == 1 else c)
        # Excel fills what a smaller array lacks with #N/A.
        return argument.rows[r][c] if r < high and c < wide else error(NA)

    return Grid(
        [[function(*(at(a, r, c) for a in arguments)) for c in range(columns)] for r in range(rows)]
    )


@dataclass(slots=True)
class Texts:
    """The texts of one program, each with a number; those that differ in case alone fold alike."""

    known: list[str] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict)
    _folded: list[float] = field(default_factory=list)
    _firsts: dict[str, int] = field(default_factory=dict)

    def place(self, text: str) -> float:
        """Return the number of a text."""
        place = self._places.get(text)
        if place is None:
            place = self._places[text] = len(self.known)
            self.known.append(text)
            self._folded.append(float(self._firsts.setdefault(text.casefold(), place)))
        return float(place)

    def column(self, text: str) -> Column:
        """Return a text, the same in all draws."""
        return Column(TEXT, self.place(text))

    def among(self, column: Column) -> list[str]:
        """Return the texts that a column holds in any draw."""
        places = np.unique(np.asarray(column.num)[np.asarray(is_kind(column, TEXT))])
        if isinstance(column.kind, int):
            places = np.unique(np.asarray(column.num))
        return [self.known[int(place)] for place in places]

    def folded(self, places: Numbers) -> Numbers:
        """Return numbers that are equal where texts differ in case alone."""
        return self.mapped(places, self._folded)

    def mapped(self, places: Numbers, table: Sequence[float]) -> Numbers:
        """Return what a table, as long as there are texts, holds for some texts."""
        if isinstance(places, np.ndarray):
            return np.asarray(table, dtype=np.float64)[places.astype(np.intp)]
        return float(table[int(places)])

    def of(self, cell: Cell) -> Column:
        """Return a cell as a column, the same in all draws."""
        if cell is None:
            return BLANK_CELL
        if isinstance(cell, bool):
            return truth(cell)
        if isinstance(cell, CellError):
            return error(_CODE[cell.code])
        if isinstance(cell, str):
            return self.column(cell)
        return number(float(cell))

    def cell(self, kind: int, num: float) -> Cell:
        """Return what a cell holds in one draw."""
        if kind == NUMBER:
            return float(num)
        if kind == BOOL:
            return bool(num)
        if kind == TEXT:
            return self.known[int(num)]
        return None if kind == BLANK else CellError(CODES[int(num)])

    def cells(self, column: Column, size: int) -> list[Cell]:
        """Return what a cell holds in each draw."""
        nums = np.broadcast_to(np.asarray(column.num, dtype=np.float64), (size,)).tolist()
        if isinstance(column.kind, int) and column.kind == NUMBER:
            return list(nums)
        kinds = np.broadcast_to(np.asarray(column.kind), (size,)).tolist()
        return [self.cell(kind, num) for kind, num in zip(kinds, nums, strict=True)]

    def gathered(self, cells: Sequence[Cell]) -> Column:
        """Return a column from what a cell holds in each draw."""
        if set(map(type, cells)) == {float}:
            return Column(NUMBER, np.array(cells, dtype=np.float64))
        columns = [self.of(cell) for cell in cells]
        kinds = np.array([one.kind for one in columns], dtype=np.uint8)
        nums = np.array([one.num for one in columns], dtype=np.float64)
        return Column(int(kinds[0]) if (kinds == kinds[0]).all() else kinds, nums)
