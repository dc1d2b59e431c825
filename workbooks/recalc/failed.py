"""The cells of a workbook that are in error, and the formula that each gets its value from."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from udfs.cells import CellError
from workbooks.formula.address import Area, column_number
from workbooks.ooxml.book import SheetInfo
from workbooks.ooxml.scan import SHARED
from workbooks.ooxml.xml import unescape
from workbooks.recalc.causes import Failed, Source
from workbooks.recalc.job import Job
from workbooks.recalc.plan import SheetPlan
from workbooks.recalc.splice import Pending

#: A formula that others share, or that fills other cells: column, row, attributes and text.
_SHARING = re.compile(
    rb'<c r="([A-Z]{1,3})([0-9]+)"[^>]*>\s*<f([^>]*\sref="[^>]*[^>/])>([^<]*)</f>'
)
#: A cell that holds an error value and no formula: column, row and value.
_TYPED = re.compile(rb'<c r="([A-Z]{1,3})([0-9]+)"[^>]*\st="e"[^>]*>\s*<v[^>]*>([^<]*)</v>')
#: The cells that array formulas fill now, by the first of them.
Extents: TypeAlias = Mapping[tuple[int, int], Area]


class _Texts(NamedTuple):
    """The formulas of a sheet that stand for more than their own cell."""

    shared: dict[bytes, Source]
    arrays: dict[tuple[int, int], str]


@dataclass(slots=True)
class Found:
    """All cells in error, formulas first; `known` are reasons by their place."""

    cells: list[Failed] = field(default_factory=list)
    known: dict[int, str] = field(default_factory=dict)


def failed_cells(job: Job, pending: Sequence[Pending], extents: Mapping[str, Extents]) -> Found:
    """Return the formulas in error, and the cells in error that are none."""
    found = Found()
    by_sheet: dict[str, list[Pending]] = defaultdict(list)
    for cell in pending:
        by_sheet[cell.sheet].append(cell)
    typed: list[Failed] = []
    kept: list[tuple[Failed, str]] = []
    for info in job.book.sheets:
        plan, areas = job.plans[info.part], extents.get(info.name, {})
        texts = _Texts({}, {})
        filled = _filled(plan, areas)
        for row, column, code in _constants(job, info, texts):
            if (row, column) not in filled:
                typed.append(Failed(info.name, row, column, code, None))
        for (row, column), why in plan.kept.items():
            raw = job.calculator.values(info.name, row, column, row, column)[0][0]
            value = job.calculator.value(raw)
            if isinstance(value, CellError):
                kept.append((Failed(info.name, row, column, value.code, None), why))
        for cell in by_sheet[info.name]:
            if cell.reason:
                found.known[len(found.cells)] = cell.reason
            source = _source(cell, texts, filled)
            found.cells.append(Failed(cell.sheet, cell.row, cell.column, cell.code, source))
    for one in typed:
        found.known[len(found.cells)] = "the cell holds this error value, and no formula"
        found.cells.append(one)
    for one, why in kept:
        found.known[len(found.cells)] = f"it keeps its old value: {why}"
        found.cells.append(one)
    return found


def _filled(plan: SheetPlan, areas: Extents) -> dict[tuple[int, int], Source]:
    """Return what gives their values to the cells that array formulas and data tables fill."""
    filled: dict[tuple[int, int], Source] = {}
    for array in plan.arrays:
        place = (array.area.top, array.area.left)
        if place in plan.kept:
            continue
        now = areas.get(place, array.area)
        source = Source("", *place, True, now)
        # What it filled before holds nothing of its own either.
        for area in (array.area, now):
            filled.update(dict.fromkeys(area.cells(), source))
    for table in plan.tables:
        top, left, bottom, right = table.area
        if (top, left) in plan.kept:
            continue
        above = Area(top - 1, max(left - 1, 1), top - 1, right)
        beside = Area(top, max(left - 1, 1), bottom, max(left - 1, 1))
        source = Source("", top, left, False, table.area, (above, beside))
        filled.update(dict.fromkeys(table.area.cells(), source))
    return filled


def _constants(job: Job, info: SheetInfo, texts: _Texts) -> Iterator[tuple[int, int, str]]:
    """Yield the error values of a sheet that no formula gives; note the shared formulas."""
    for rows in job.sheets.rows(info, []):
        if b' ref="' in rows:
            for letters, digits, attributes, text in _SHARING.findall(rows):
                row, column = int(digits), column_number(letters.decode())
                shared = SHARED.search(attributes)
                if shared:
                    texts.shared[shared[1]] = Source(unescape(text), row, column)
                else:
                    texts.arrays[row, column] = unescape(text)
        if b't="e"' in rows:
            for letters, digits, value in _TYPED.findall(rows):
                yield int(digits), column_number(letters.decode()), value.decode()


def _source(
    cell: Pending, texts: _Texts, filled: Mapping[tuple[int, int], Source]
) -> Source | None:
    """Return the formula that gives a cell its value."""
    place = (cell.row, cell.column)
    if place in filled:
        source = filled[place]
        return source._replace(text=texts.arrays.get((source.row, source.column), ""))
    if cell.text:
        return Source(cell.text, *place)
    return texts.shared.get(cell.shared)
