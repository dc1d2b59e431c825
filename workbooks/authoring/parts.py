"""What a sheet is made of, before any file format: references, cells, charts, inputs, results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from openpyxl.utils import get_column_letter, quote_sheetname

Value = float | int | str | bool | None


@dataclass(frozen=True)
class Ref:
    """A rectangle of cells; as text, the reference that a formula on `home` would use."""

    sheet: str
    row: int
    column: int
    rows: int = 1
    columns: int = 1
    fixed_row: bool = True
    fixed_column: bool = True

    def __str__(self) -> str:
        return f"{quote_sheetname(self.sheet)}!{self.local}"

    @property
    def local(self) -> str:
        """The reference without its sheet."""

        def corner(row: int, column: int) -> str:
            return (
                f"{'$' * self.fixed_column}{get_column_letter(column)}{'$' * self.fixed_row}{row}"
            )

        first = corner(self.row, self.column)
        if self.rows == self.columns == 1:
            return first
        return f"{first}:{corner(self.row + self.rows - 1, self.column + self.columns - 1)}"

    @property
    def plain(self) -> str:
        """The address without dollars, as openpyxl wants it."""
        return self.local.replace("$", "")

    def at(self, row: int, column: int = 0) -> Ref:
        """Return one cell of the rectangle, free to move with its row when copied down."""
        if not (0 <= row < self.rows and 0 <= column < self.columns):
            raise IndexError(f"{self} has no cell at {row}, {column}")
        return replace(
            self,
            row=self.row + row,
            column=self.column + column,
            rows=1,
            columns=1,
            fixed_row=self.rows == 1,
            fixed_column=self.columns == 1 or self.rows > 1,
        )

    def part(self, column: int, skip: int = 0) -> Ref:
        """Return one column of the rectangle, without its first `skip` rows."""
        return replace(
            self,
            row=self.row + skip,
            column=self.column + column,
            rows=self.rows - skip,
            columns=1,
        )


@dataclass(frozen=True)
class Limit:
    """Between what an input must lie; None where it is open to that side."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    whole: bool = False

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        parts = ["a whole number"] if self.whole else []
        if self.low is not None:
            parts.append(f"{'more than' if self.low_open else 'at least'} {self.low:g}")
        if self.high is not None:
            parts.append(f"{'less than' if self.high_open else 'at most'} {self.high:g}")
        return ", ".join(parts) or "a number"


#: From 0 to 1, the ends included.
SHARE = Limit(0.0, 1.0)
#: Above 0.
POSITIVE = Limit(0.0, low_open=True)


class Cell(NamedTuple):
    """One cell: its value or formula, its role and its number format."""

    row: int
    column: int
    value: Value
    role: str
    format: str = "text"
    #: Rows and columns of the array that the formula returns; None for a plain formula.
    array: tuple[int, int] | None = None
    #: Columns that the cell spreads over.
    merge: int = 1
    #: Lines that a wrapped text takes; its row is made as high.
    lines: int = 1
    link: str = ""


@dataclass(frozen=True)
class Line:
    """One series of a chart; its title is a text or the cell that holds it."""

    title: str | Ref
    values: Ref
    #: The horizontal values of a scatter chart.
    across: Ref | None = None
    #: Colour of its own, where the order of the palette says nothing.
    colour: str = ""


@dataclass(frozen=True)
class Chart:
    """A native chart."""

    kind: Literal["column", "bar", "stacked", "stacked bar", "range", "line", "scatter"]
    title: str
    lines: Sequence[Line]
    categories: Ref | None = None
    x_title: str = ""
    y_title: str = ""
    format: str = "General"
    x_format: str = "General"
    #: Distance of the marks on the horizontal axis of a scatter chart.
    x_unit: float | None = None
    #: End of that axis.
    x_max: float | None = None
    #: End of the vertical axis: odds end at 1.
    y_max: float | None = None
    logarithmic: bool = False
    x_logarithmic: bool = False
    #: Whether lines have markers; None: where the points are few.
    markers: bool | None = None
    #: Draw markers alone, for points that are not a path.
    dots: bool = False
    row: int = 1
    column: int = 1
    width_cm: float = 17.0
    height_cm: float = 8.5


@dataclass(frozen=True)
class Input:
    """One input with all that a reviewer asks of it."""

    key: str
    label: str
    value: Value
    unit: str
    source: str
    note: str = ""
    format: str = "number"
    choices: str = ""
    #: Beside what the functions allow that take the input.
    limit: Limit | None = None


@dataclass(frozen=True)
class Result:
    """One figure of a list of results."""

    key: str
    label: str
    formula: str
    unit: str
    format: str = "number"
    remark: str = ""
    role: str = "output"


@dataclass(frozen=True)
class ScenarioInput:
    """One input with a value for each scenario."""

    key: str
    label: str
    values: Sequence[Value]
    unit: str
    source: str
    note: str = ""
    format: str = "number"
    choices: str = ""
    limit: Limit | None = None

    @property
    def first(self) -> Input:
        """The input with the value of the first scenario alone."""
        return Input(self.key, self.label, self.values[0], self.unit, self.source, self.note,
                     self.format, self.choices, self.limit)  # fmt: skip
