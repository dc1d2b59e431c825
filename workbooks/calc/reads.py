"""Formulas that read a few cells in a way that costs the calculator a whole chunk of them.

The calculator holds the constants of a loaded file in chunks of a column. SUM, MATCH and their kin,
where they stand inside another formula, go through the chunk of every cell they read: a row of
totals over 30,000 rows takes a hundred times as long as it need. A chunk in which a cell has been
set since is read cell by cell. So one constant of each chunk is set to what it is, wherever there
are formulas enough to be worth it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from udfs.cells import Cell
from workbooks.formula.functions import having
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.references import Reference
from workbooks.formula.tree import Call, walk
from workbooks.ooxml.scan import ATTRIBUTES, SHARED, STEP, TEXT
from workbooks.ooxml.xml import unescape

#: Cells of a column that the calculator (formualizer 0.13) keeps together.
CHUNK = 32_768
# Setting a cell takes as long for each formula there is as reading this many cells of a chunk.
_COST_OF_SETTING = 30
# Formulas that read more cells than this cost what they cost. Those that read to the end of the
# row mostly read columns without a cell, each of which would be put into the sheet by setting one.
_FEW = 1_000

_CALLED = re.compile(r"([A-Z][A-Z0-9.]*)\(")

#: The columns of a sheet that a formula reads, from the first to the last.
Columns = tuple[str, int, int]


class Reads:
    """Counts how often the formulas of one sheet read columns in this way."""

    def __init__(self, sheet: str) -> None:
        self._sheet = sheet
        self._columns: dict[bytes, tuple[Columns, ...]] = {}
        self._shared: dict[bytes, bytes] = {}
        self.counts: Counter[Columns] = Counter()

    def note(self, parts: list[bytes], patterns: list[bytes], known: Sequence[Cell]) -> None:
        """Count the formulas of a run of rows; those that are known are not evaluated."""
        places: Iterable[int] = range(len(patterns))
        if known:
            places = [place for place in places if known[place] is None]
        kinds = Counter(patterns[place] or parts[place * STEP + ATTRIBUTES] for place in places)
        samples = dict(zip(patterns, parts[TEXT::STEP], strict=True))
        for attributes in set(parts[ATTRIBUTES::STEP]):
            shared = SHARED.search(attributes)
            if shared and b"ref=" in attributes:
                place = parts[ATTRIBUTES::STEP].index(attributes)
                self._shared[shared[1]] = parts[place * STEP + TEXT] or b""
        for kind, count in kinds.items():
            if kind not in self._columns:
                text = samples.get(kind)
                if text is None:
                    child = SHARED.search(kind)
                    text = self._shared.get(child[1], b"") if child else b""
                self._columns[kind] = tuple(self._read_by(unescape(text)))
            for columns in self._columns[kind]:
                self.counts[columns] += count

    def _read_by(self, text: str) -> Iterator[Columns]:
        """Yield the columns that a formula reads from inside another function or operator."""
        reading = having("reads")
        if reading.isdisjoint(_CALLED.findall(text.upper())):
            return
        try:
            tree = parse(text)
        except FormulaError:
            return
        calls = [node for node in walk(tree) if isinstance(node, Call)]
        for node in calls:
            # A call that is the whole formula goes another way.
            if node.name not in reading or (node is tree and len(calls) == 1):
                continue
            for argument in node.arguments:
                if isinstance(argument, Reference) and argument.to_sheet is None:
                    area = argument.area
                    if max(area.rows, area.columns) <= _FEW:
                        yield argument.sheet or self._sheet, area.left, area.right


class Extent(NamedTuple):
    """How far a sheet reaches: its last row with a formula or constant, and its formulas [-]."""

    sheet: str
    last_row: int
    formulas: int


def chunks_to_set(
    extents: Iterable[Extent], reads: Iterable[Reads]
) -> Iterator[tuple[str, int, Sequence[int]]]:
    """Yield the cells to be set to what they are: sheet, column, and one row in each chunk."""
    listed = list(extents)
    formulas = sum(extent.formulas for extent in listed)
    counts: Counter[Columns] = sum((one.counts for one in reads), Counter())
    by_sheet: dict[str, set[int]] = defaultdict(set)
    readers: Counter[str] = Counter()
    for (sheet, left, right), count in counts.items():
        by_sheet[sheet.casefold()].update(range(left, right + 1))
        readers[sheet.casefold()] += count
    for sheet, rows, _ in listed:
        key = sheet.casefold()
        columns = by_sheet[key]
        setting = _COST_OF_SETTING * formulas * len(columns) * (rows // CHUNK + 1)
        if readers[key] * min(rows, CHUNK) * len(columns) > setting:
            for column in sorted(columns):
                yield sheet, column, range(1, rows + 1, CHUNK)
