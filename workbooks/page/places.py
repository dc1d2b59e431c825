"""A cell of a workbook, by the numbers of its sheet, row and column."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A cell: number of the sheet from 0, row and column from 1."""

    sheet: int
    row: int
    column: int
