"""What a cell may hold, and how it becomes an argument: one policy for every host.

A cell is None (blank), a bool, a float, a str, a date, or a `CellError`; a range is a list of rows.

- Blank: the default of an optional argument, `#VALUE!` in a required one. Zero is not blank, nor
  is an empty text that a formula gives; a host that cannot tell it from a blank cell hands over
  None for both.
- A series passes over its blank cells, and paired series over rows that are blank in all of them.
- An error passed in comes out, element by element; of several, the leftmost argument's.
- Text, or TRUE and FALSE, where a number belongs: `#VALUE!`. A date is its serial number.
- A 1×1 range is a scalar.
- NaN and infinity never reach a cell: they come out as `#NUM!`. What a table does not know comes
  out as an empty text, since no function can leave a cell blank.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.errors import DomainError, InputError, TokenbookError, UnknownIdError


@dataclass(frozen=True, slots=True)
class CellError:
    """An error value as a cell shows it, and why it is there."""

    code: str
    reason: str = ""

    def __str__(self) -> str:
        """Return the code, as a cell shows it."""
        return self.code


Cell: TypeAlias = bool | float | str | CellError | None
#: The error values that a spreadsheet knows, by what they say.
CODES = (
    "#NULL!",
    "#DIV/0!",
    "#VALUE!",
    "#REF!",
    "#NAME?",
    "#NUM!",
    "#N/A",
    "#GETTING_DATA",
    "#SPILL!",
    "#CALC!",
    "#BLOCKED!",
    "#FIELD!",
    "#CONNECT!",
    "#BUSY!",
)
_EPOCH = datetime(1899, 12, 30)


def error_of(exception: TokenbookError) -> CellError:
    """Return the error value for what the engine refused."""
    if isinstance(exception, DomainError):
        return CellError("#NUM!", str(exception))
    if isinstance(exception, UnknownIdError):
        return CellError("#N/A", str(exception))
    return CellError("#VALUE!", str(exception))


def scalar_of(cell: Any) -> Any:
    """Return the one cell of a 1×1 range; any other range as rows, and a scalar as it is."""
    if isinstance(cell, list | tuple):
        rows = grid_of(cell)
        return rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else rows
    return cell


def grid_of(cell: Any) -> list[list[Any]]:
    """Return a range as a list of equally long rows; a flat list is one row."""
    rows = list(cell) if isinstance(cell, list | tuple) else [[cell]]
    if set(map(type, rows)) == {list} and len(set(map(len, rows))) == 1 and rows[0]:
        return rows
    if not any(isinstance(row, list | tuple) for row in rows):
        rows = [rows]
    rows = [list(row) if isinstance(row, list | tuple) else [row] for row in rows]
    if len({len(row) for row in rows}) != 1 or not rows[0]:
        raise InputError("a range must be rectangular and hold at least one cell")
    return rows


def number(name: str, cell: Any) -> float | CellError:
    """Turn one cell into a number, or into the error that it causes."""
    result: float | CellError
    if isinstance(cell, CellError):
        result = cell
    elif isinstance(cell, bool | np.bool_):
        result = CellError("#VALUE!", f"{name} must be a number, not {str(cell).upper()}")
    elif isinstance(cell, int | float | np.number):
        result = float(cell)
        if not math.isfinite(result):
            result = CellError("#NUM!", f"{name} is not a finite number")
    elif isinstance(cell, date):
        moment = cell if isinstance(cell, datetime) else datetime.combine(cell, time())
        result = (moment.replace(tzinfo=None) - _EPOCH).total_seconds() / 86400
    elif cell is None:
        result = CellError("#VALUE!", f"{name} is blank; a number is required")
    else:
        result = CellError("#VALUE!", f"{name} must be a number, not the text {cell!r}")
    return result


@dataclass(frozen=True, slots=True)
class Numbers:
    """A range as an array, NaN wherever a cell is blank or faulty, and what those cells were."""

    values: NDArray[np.float64]
    faults: dict[tuple[int, int], CellError]
    blanks: NDArray[np.bool_] | None = None


def numbers(name: str, rows: Sequence[Sequence[Any]], *, blank_allowed: bool) -> Numbers:
    """Turn a range into an array, once."""
    if set(map(type, chain.from_iterable(rows))) <= {float, int}:
        values = np.array(rows, dtype=np.float64)
        if np.isfinite(values).all():
            return Numbers(values, {})
    faults: dict[tuple[int, int], CellError] = {}
    values = np.full((len(rows), len(rows[0])), np.nan)
    blanks = np.zeros(values.shape, dtype=bool)
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if blank_allowed and cell is None:
                blanks[r, c] = True
                continue
            converted = number(name, cell)
            if isinstance(converted, CellError):
                faults[r, c] = converted
            else:
                values[r, c] = converted
    return Numbers(values, faults, blanks if blanks.any() else None)


def first_error(rows: Sequence[Sequence[Any]]) -> CellError | None:
    """Return the first error value of a range, in reading order."""
    return next((c for c in chain.from_iterable(rows) if isinstance(c, CellError)), None)


def cell_of(value: Any, reason: str = "", never: str = "") -> Cell:
    """Turn one value of a result into what a cell may hold.

    `reason` is told where the value is no number; `never` where it is infinite by intent.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None:
        return ""
    if isinstance(value, str | bool | CellError):
        return value
    result = float(value)
    if math.isfinite(result):
        return result
    if never and result > 0:
        return CellError("#N/A", never)
    return CellError("#NUM!", reason or "not a finite number")
