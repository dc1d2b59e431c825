"""What is asked of references and of kinds of values: ADDRESS and TYPE."""

from __future__ import annotations

import re
from typing import Any

from udfs.cells import CellError
from workbooks.excel.runtime.coerce import Refusal
from workbooks.formula.address import MAX_COLUMN, MAX_ROW, column_letters

_PLAIN_SHEET = re.compile(r"[^\W\d][\w.]*", re.UNICODE)
#: Names of sheets that read as cells stand in quotes.
_LIKE_A_CELL = re.compile(r"[A-Z]{1,3}[0-9]+|R[0-9]*C?[0-9]*|C[0-9]*", re.IGNORECASE)


def address(row: int, column: int, kind: int = 1, a1: bool = True, sheet: str | None = None) -> str:
    """Return the address of a cell as a text."""
    if not 1 <= kind <= 4:
        raise Refusal("#VALUE!", "the kind of address is 1 to 4")
    fixed_row, fixed_column = kind in (1, 2), kind in (1, 3)
    if a1:
        if not (1 <= row <= MAX_ROW and 1 <= column <= MAX_COLUMN):
            raise Refusal("#VALUE!", "there is no such cell")
        text = f"{'$' * fixed_column}{column_letters(column)}{'$' * fixed_row}{row}"
    else:
        if not (_in_r1c1(row, MAX_ROW, fixed_row) and _in_r1c1(column, MAX_COLUMN, fixed_column)):
            raise Refusal("#VALUE!", "there is no such cell")
        text = f"R{_counted(row, fixed_row)}C{_counted(column, fixed_column)}"
    return text if sheet is None else f"{_quoted(sheet)}!{text}"


def _in_r1c1(number: int, most: int, fixed: bool) -> bool:
    return 1 <= number <= most if fixed else abs(number) < most


def _counted(number: int, fixed: bool) -> str:
    if fixed:
        return str(number)
    return f"[{number}]" if number else ""


def _quoted(sheet: str) -> str:
    plain = _PLAIN_SHEET.fullmatch(sheet) and not _LIKE_A_CELL.fullmatch(sheet)
    if plain or not sheet:
        return sheet
    return "'" + sheet.replace("'", "''") + "'"


def type_of(value: Any) -> float:
    """Return the number of a kind of value."""
    if isinstance(value, list):
        return 64.0
    if isinstance(value, CellError):
        return 16.0
    if isinstance(value, bool):
        return 4.0
    return 2.0 if isinstance(value, str) else 1.0
