"""Tables and the references into them, such as `Sales[[#This Row],[Qty]]`, put into A1 terms."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from lxml import etree

from workbooks.errors import NotAWorkbookError
from workbooks.formula.address import Area, cell_name, column_letters, parse_area, quote_sheet
from workbooks.formula.tokens import with_brackets
from workbooks.ooxml.book import Book, relations
from workbooks.ooxml.package import Package
from workbooks.ooxml.xml import parse

#: Stands for the row of the formula in a text that serves all rows of a table.
THIS_ROW = "\x00"
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


class Lowered(NamedTuple):
    """A reference in A1 terms; `rows` are those in which its `THIS_ROW` has a meaning."""

    text: str
    rows: tuple[int, int] | None = None


class TableError(ValueError):
    """A reference that names no table, or no column of it."""


def read_tables(package: Package, book: Book) -> list[TableInfo]:
    """Return the tables of all sheets."""
    tables = []
    for sheet in book.sheets:
        for kind, part, external in relations(package, sheet.part).values():
            if kind.endswith("/table") and not external and part in package:
                tables.append(_read_table(parse(package.read(part), part), part, sheet.name))
    return tables


def _read_table(root: etree._Element, part: str, sheet: str) -> TableInfo:
    area = parse_area(root.get("ref", ""))
    if area is None:
        raise NotAWorkbookError(f"{part}: a table covers {root.get('ref')!r}")
    namespace = etree.QName(root).namespace
    return TableInfo(
        name=root.get("displayName") or root.get("name") or "",
        sheet=sheet,
        area=area,
        headers=int(root.get("headerRowCount", "1")),
        totals=int(root.get("totalsRowCount", "0")),
        columns=tuple(
            # Line breaks in a header are escaped in the part.
            re.sub("_x000a_", "\n", c.get("name", ""), flags=re.IGNORECASE)
            for c in root.iter(f"{{{namespace}}}tableColumn")
        ),
    )


class Tables:
    """The tables of a workbook."""

    def __init__(self, tables: Iterable[TableInfo]) -> None:
        self._tables = {table.name.casefold(): table for table in tables}

    def lowered(self, text: str, place: tuple[str, int, int]) -> Lowered | None:
        """Return a structured reference in A1 terms, None where the text is something else.

        Parameters
        ----------
        text : str
            The reference as the formula has it.
        place : tuple
            Sheet, row and column of the formula.
        """
        text = with_brackets(text)
        match = _REFERENCE.match(text)
        if match is None:
            table = self._tables.get(text.casefold())
            return None if table is None else _area(table, {"#data"}, None)
        table = self._tables.get(match[1].casefold()) if match[1] else self._around(place)
        if table is None:
            raise TableError(f"there is no table {match[1] or text!r}")
        items, columns = _parts(match[2])
        return _area(table, items, _span(table, columns))

    def _around(self, place: tuple[str, int, int]) -> TableInfo | None:
        sheet, row, column = place
        for table in self._tables.values():
            area = table.area
            inside = area.top <= row <= area.bottom and area.left <= column <= area.right
            if table.sheet == sheet and inside:
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


def _area(table: TableInfo, items: set[str], span: tuple[int, int] | None) -> Lowered:
    first, last = span if span is not None else (0, table.area.columns - 1)
    left, right = table.area.left + first, table.area.left + last
    sheet = quote_sheet(table.sheet)
    if "#this row" in items:
        one = f"{sheet}!${column_letters(left)}{THIS_ROW}"
        text = one if left == right else f"{one}:${column_letters(right)}{THIS_ROW}"
        return Lowered(text, (table.top, table.bottom))
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
        return Lowered("#REF!")
    start, end = cell_name(top, left), cell_name(bottom, right)
    corners = [re.sub(r"([A-Z]+)([0-9]+)", r"$\1$\2", c) for c in (start, end)]
    return Lowered(f"{sheet}!{corners[0]}" + ("" if start == end else f":{corners[1]}"))
