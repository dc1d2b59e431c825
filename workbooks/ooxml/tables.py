"""The tables of a workbook, read from their parts."""

from __future__ import annotations

import re

from lxml import etree

from workbooks.errors import NotAWorkbookError
from workbooks.formula.address import parse_area
from workbooks.formula.structured import TableInfo
from workbooks.ooxml.book import Book, relations
from workbooks.ooxml.package import Package
from workbooks.ooxml.xml import parse


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
