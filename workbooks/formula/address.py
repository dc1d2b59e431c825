"""Cell addresses: A1 text to row and column, both counted from 1, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

MAX_ROW = 1_048_576
MAX_COLUMN = 16_384
_CELL = re.compile(r"\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,6})")
_CORNERS = re.compile(
    r"(?<![\w.$])(\$?[A-Z]{1,3})(\$?[0-9]+):(\$?[A-Z]{1,3})(\$?[0-9]+)(?![\w.(])", re.IGNORECASE
)
#: Texts and names of sheets in a formula.
_QUOTED = re.compile(r"""("[^"]*"|'[^']*')""")
_PLAIN_SHEET = re.compile(r"[^\W\d][\w.]*", re.UNICODE)
_LOOKS_LIKE_CELL = re.compile(r"[A-Za-z]{1,3}[0-9]+|[Rr][0-9]*[Cc][0-9]*")


class Area(NamedTuple):
    """A rectangle of cells, its corners included."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.bottom - self.top + 1

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self.right - self.left + 1

    def holds(self, row: int, column: int) -> bool:
        """Tell whether a cell lies in it."""
        return self.top <= row <= self.bottom and self.left <= column <= self.right

    def cells(self) -> Iterator[tuple[int, int]]:
        """Yield row and column of each cell, in reading order."""
        for row in range(self.top, self.bottom + 1):
            for column in range(self.left, self.right + 1):
                yield row, column

    def __str__(self) -> str:
        """Return the rectangle as A1 text."""
        first = cell_name(self.top, self.left)
        last = cell_name(self.bottom, self.right)
        return first if first == last else f"{first}:{last}"


@lru_cache(maxsize=MAX_COLUMN)
def column_number(letters: str) -> int:
    """Return the number of a column from its letters: A is 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


@lru_cache(maxsize=MAX_COLUMN)
def column_letters(number: int) -> str:
    """Return the letters of a column from its number: 1 is A."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def cell_name(row: int, column: int) -> str:
    """Return a cell as A1 text."""
    return f"{column_letters(column)}{row}"


def parse_cell(text: str) -> tuple[int, int] | None:
    """Return row and column of A1 text, None where it is no cell of a worksheet."""
    match = _CELL.fullmatch(text)
    if match is None:
        return None
    row, column = int(match[2]), column_number(match[1])
    return (row, column) if row <= MAX_ROW and column <= MAX_COLUMN else None


def parse_area(text: str) -> Area | None:
    """Return the rectangle of A1 text, one cell or two corners."""
    first, _, last = text.partition(":")
    start, end = parse_cell(first), parse_cell(last or first)
    if start is None or end is None:
        return None
    return Area(
        min(start[0], end[0]), min(start[1], end[1]), max(start[0], end[0]), max(start[1], end[1])
    )


def turns(text: str, place: tuple[int, int], area: Area) -> bool:
    """Tell whether one corner of a range moves past the other as a formula is copied to an area.

    Parameters
    ----------
    text : str
        The formula.
    place : tuple
        Row and column of the cell that it is written for.
    area : Area
        The cells that share it.
    """
    down = (area.top - place[0], area.bottom - place[0])
    along = (area.left - place[1], area.right - place[1])
    return any(
        _moved(top, int(top.strip("$")), by) > _moved(bottom, int(bottom.strip("$")), by)
        for _, top, _, bottom in _CORNERS.findall(text)
        for by in down
    ) or any(
        _moved(left, column_number(left.strip("$")), by)
        > _moved(right, column_number(right.strip("$")), by)
        for left, _, right, _ in _CORNERS.findall(text)
        for by in along
    )


def _moved(written: str, number: int, by: int) -> int:
    return number if written.startswith("$") else number + by


def in_order(text: str) -> str:
    """Return a formula whose ranges are written from their first cell to their last."""
    parts = _QUOTED.split(text)
    parts[::2] = [_CORNERS.sub(_turned, part) for part in parts[::2]]
    return "".join(parts)


def _turned(match: re.Match[str]) -> str:
    left, top, right, bottom = match.groups()
    if column_number(left.strip("$")) > column_number(right.strip("$")):
        left, right = right, left
    if int(top.strip("$")) > int(bottom.strip("$")):
        top, bottom = bottom, top
    return f"{left}{top}:{right}{bottom}"


@lru_cache(maxsize=64)
def quote_sheet(name: str) -> str:
    """Return the name of a sheet as a formula writes it, in quotes where it needs them."""
    if _PLAIN_SHEET.fullmatch(name) and not _LOOKS_LIKE_CELL.fullmatch(name):
        return name
    return "'" + name.replace("'", "''") + "'"


def full_name(sheet: str, row: int, column: int) -> str:
    """Return a cell with its sheet: `Sheet1!B3`."""
    return f"{quote_sheet(sheet)}!{cell_name(row, column)}"


def split_sheet(text: str) -> tuple[str | None, str]:
    """Split `'My sheet'!B3` into the sheet's name, if any, and the rest."""
    sheet, mark, rest = text.rpartition("!")
    if not mark:
        return None, text
    if len(sheet) > 1 and sheet[0] == sheet[-1] == "'":
        sheet = sheet[1:-1].replace("''", "'")
    return sheet, rest
