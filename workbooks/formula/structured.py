"""Structured references, such as `Sales[[#This Row],[Qty]]`, and the tables that they name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from workbooks.formula.address import Area
from workbooks.formula.references import AnyRow, Corner, Reference, reference_to
from workbooks.formula.tree import Error, Node

#: The row of the formula, in a tree that serves all rows of a table.
OWN_ROW = AnyRow(-1)
_REFERENCE = re.compile(r"^([^\[\]'!]*)\[(.*)\]$", re.DOTALL)
_PART = re.compile(r"\[((?:'.|[^'\[\]])*)\]|(@)|(:)|(,)|([^\[\]@:,]+)", re.DOTALL)
_ITEMS = {"#all", "#data", "#headers", "#totals", "#this row"}


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table: where it stands and what its columns are called."""

    name: str
    sheet: str
    area: Area
    headers: int
    totals: int
    columns: tuple[str, ...]

    @property
    def top(self) -> int:
        """First row of data."""
        return self.area.top + self.headers

    @property
    def bottom(self) -> int:
        """Last row of data."""
        return self.area.bottom - self.totals


class TableError(ValueError):
    """A reference that names no table, or no column of it."""


class Tables:
    """The tables of a workbook."""

    def __init__(self, tables: Iterable[TableInfo]) -> None:
        self._tables = {table.name.casefold(): table for table in tables}

    def named(self, text: str) -> Reference | None:
        """Return the data of a table by its name; None where there is no such table."""
        table = self._tables.get(text.casefold())
        found = None if table is None else _resolved(table, {"#data"}, None)[0]
        return found if isinstance(found, Reference) else None

    def resolved(
        self, text: str, place: Callable[[], tuple[str, int, int]]
    ) -> tuple[Node, tuple[int, int] | None]:
        """Return what a structured reference stands for, and the rows in which it means something.

        Parameters
        ----------
        text : str
            The reference as the formula has it.
        place : Callable
            Gives sheet, row and column of the formula, where the reference names no table.
        """
        match = _REFERENCE.match(text)
        if match is None:
            raise TableError(f"{text} cannot be read as a reference to a table")
        table = self._tables.get(match[1].casefold()) if match[1] else self._around(place())
        if table is None:
            raise TableError(f"there is no table {match[1] or text!r}")
        items, columns = _parts(match[2])
        return _resolved(table, items, _span(table, columns))

    def _around(self, place: tuple[str, int, int]) -> TableInfo | None:
        sheet, row, column = place
        for table in self._tables.values():
            if table.sheet == sheet and table.area.holds(row, column):
                return table
        return None


def _parts(text: str) -> tuple[set[str], list[str]]:
    """Return the special items and the column names (one, or first and last) of a reference."""
    items: set[str] = set()
    columns: list[str] = []
    # Sales[Qty] has no inner brackets; a lone column may hold colons and commas.
    if "[" not in re.sub("'.", "", text):
        bare = text.strip()
        if bare.startswith("@"):
            items.add("#this row")
            bare = bare[1:]
        if bare.casefold() in _ITEMS:
            items.add(bare.casefold())
        elif bare:
            columns.append(_unquoted(bare))
        return items or {"#data"}, columns
    for match in _PART.finditer(text):
        inner, at = match[1], match[2]
        if at or (match[5] or "").strip() == "@":
            items.add("#this row")
        elif inner is not None and inner.strip().casefold() in _ITEMS:
            items.add(inner.strip().casefold())
        elif inner is not None:
            columns.append(_unquoted(inner))
        elif match[5] and match[5].strip():
            columns.append(_unquoted(match[5].strip()))
    return items or {"#data"}, columns


def _unquoted(column: str) -> str:
    return re.sub("'(.)", r"\1", column)


def _span(table: TableInfo, columns: list[str]) -> tuple[int, int] | None:
    if not columns:
        return None
    known = [name.casefold() for name in table.columns]
    places = []
    for column in columns:
        if column.casefold() not in known:
            raise TableError(f"the table {table.name} has no column {column!r}")
        places.append(known.index(column.casefold()))
    return min(places), max(places)


def _resolved(
    table: TableInfo, items: set[str], span: tuple[int, int] | None
) -> tuple[Node, tuple[int, int] | None]:
    first, last = span if span is not None else (0, table.area.columns - 1)
    left, right = table.area.left + first, table.area.left + last
    if "#this row" in items:
        one = Corner(OWN_ROW, left, column_fixed=True)
        other = None if left == right else Corner(OWN_ROW, right, column_fixed=True)
        return Reference(one, other, table.sheet), (table.top, table.bottom)
    top, bottom = table.top, table.bottom
    if "#all" in items:
        top, bottom = table.area.top, table.area.bottom
    elif items == {"#headers"}:
        top, bottom = table.area.top, table.area.top + table.headers - 1
    elif items == {"#totals"}:
        top, bottom = table.area.bottom - table.totals + 1, table.area.bottom
    else:
        top = table.area.top if "#headers" in items else top
        bottom = table.area.bottom if "#totals" in items else bottom
    if bottom < top:
        return Error("#REF!"), None
    return reference_to(Area(top, left, bottom, right), table.sheet, fixed=True), None
