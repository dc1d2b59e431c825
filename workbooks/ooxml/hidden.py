"""Hidden rows: SUBTOTAL and AGGREGATE pass over them, and the calculator does not know of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workbooks.formula.address import parse_area
from workbooks.ooxml.book import Book, relations
from workbooks.ooxml.package import Package

_ROW = re.compile(rb'<(?:\w+:)?row\s(?=[^>]*\shidden="(?:1|true)")[^>]*?\br="([0-9]+)"')
_FILTER = re.compile(
    rb'<(?:\w+:)?autoFilter\s[^>]*?\bref="([^"]+)"[^>]*>(?:(?!</(?:\w+:)?autoFilter>).)*?filterColumn',
    re.DOTALL,
)
_LONGEST_ROW_HEAD = 2_000


class HiddenRows:
    """Which rows of a workbook are hidden; found out when a formula asks."""

    def __init__(self, package: Package, book: Book) -> None:
        self._package = package
        self._book = book
        self._hidden: dict[str, tuple[frozenset[int], frozenset[int]]] = {}

    def of(self, sheet: str) -> tuple[frozenset[int], frozenset[int]]:
        """Return the hidden rows of a sheet, and those of them that a filter hides."""
        info = self._book.sheet(sheet)
        if info is None:
            return frozenset(), frozenset()
        if info.name not in self._hidden:
            hidden: set[int] = set()
            filters = list(self._table_filters(info.part))
            held = b""
            with self._package.stream(info.part) as stream:
                for piece in self._package.chunks(stream, info.part):
                    text = held + piece
                    hidden.update(int(match[1]) for match in _ROW.finditer(text))
                    filters += _FILTER.findall(text)
                    held = text[-_LONGEST_ROW_HEAD:]
            areas = [parse_area(ref.decode()) for ref in filters]
            filtered = {r for r in hidden for a in areas if a and a.top <= r <= a.bottom}
            self._hidden[info.name] = frozenset(hidden), frozenset(filtered)
        return self._hidden[info.name]

    def _table_filters(self, part: str) -> Iterator[bytes]:
        for kind, target, external in relations(self._package, part).values():
            if kind.endswith("/table") and not external and target in self._package:
                yield from _FILTER.findall(self._package.read(target))

    def anywhere(self) -> bool:
        """Tell whether any row of the workbook is hidden."""
        return any(self.of(info.name)[0] for info in self._book.sheets)
