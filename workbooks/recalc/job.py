"""One recalculation, from file to file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from udfs._cells import CellError
from workbooks.recalc.address import Area
from workbooks.recalc.arrays import Spills
from workbooks.recalc.book import Book, SheetInfo, settled, without_part
from workbooks.recalc.engine import Engine, EngineError
from workbooks.recalc.errors import BadInputError, NotAWorkbookError
from workbooks.recalc.inputs import Target, targets_by_sheet
from workbooks.recalc.lower import Lowering, Own
from workbooks.recalc.names import Names
from workbooks.recalc.overrides import Edit, edited
from workbooks.recalc.package import Package
from workbooks.recalc.prepare import SheetPlan, SheetPreparer, write_copy
from workbooks.recalc.reasons import explain
from workbooks.recalc.report import Report
from workbooks.recalc.scan import FORMULA, UnusualError, normalised, pieces
from workbooks.recalc.settle import settle
from workbooks.recalc.splice import Pending, SheetSplicer
from workbooks.recalc.tables import Tables, read_tables
from workbooks.recalc.tokens import FormulaError, is_range_token, read_formula
from workbooks.recalc.values import read_cells
from workbooks.recalc.whatif import TableInputError, WhatIf

#: Told what is being done, how much of it, and of how much.
Progress = Callable[[str, int, int], None]
# Sheets up to this many bytes stay split between reading and writing; larger ones are read twice.
_KEPT_IN_PARTS = 32 << 20


class _UnusualSheetError(Exception):
    def __init__(self, info: SheetInfo) -> None:
        super().__init__(info.part)
        self.info = info


@dataclass(slots=True)
class Job:
    """A workbook being recalculated."""

    package: Package
    book: Book
    own: Mapping[str, Own]
    spills: Spills
    engine: Engine
    report: Report
    progress: Progress
    freeze: bool = False
    targets: list[Target] = field(default_factory=list)
    plans: dict[str, SheetPlan] = field(default_factory=dict)
    lowering: Lowering = field(init=False)
    _split: dict[str, tuple[bytes, list[list[bytes]], bytes]] = field(default_factory=dict)
    _normal: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lowering = Lowering(
            names=Names(self.book.names),
            tables=Tables(read_tables(self.package, self.book)),
            sheets=[info.name for info in self.book.sheets],
            own=self.own,
            knows=self.engine.knows,
        )

    # --- reading -------------------------------------------------------------------------------

    def parts(self, info: SheetInfo) -> Iterator[bytes]:
        """Yield a sheet as head, runs of rows, tail."""
        if info.part in self._normal:
            try:
                yield from pieces([self._normal[info.part]])
            except UnusualError as error:
                raise NotAWorkbookError(f"{info.part} is no worksheet: {error}") from error
            return
        with self.package.stream(info.part) as stream:
            try:
                yield from pieces(self.package.chunks(stream, info.part))
            except UnusualError as error:
                raise _UnusualSheetError(info) from error

    def rows(self, info: SheetInfo, ends: list[bytes]) -> Iterator[bytes]:
        """Yield the runs of rows of a sheet, the values to be set in place.

        The sheet's head and tail are put into `ends`.
        """
        parts = self.parts(info)
        ends.append(next(parts))
        yield from edited(_all_but_last(parts, ends), self._edits(info))

    def _edits(self, info: SheetInfo) -> dict[int, dict[int, Edit]]:
        mine = targets_by_sheet(self.targets).get(info.name, {})
        return {
            row: {column: target.edit for column, target in columns.items()}
            for row, columns in mine.items()
        }

    def _bring_to_form(self, info: SheetInfo) -> None:
        if info.part in self._normal:
            raise NotAWorkbookError(f"{info.part} ({info.name}) is no worksheet that can be read")
        self._normal[info.part] = normalised(self.package.read(info.part), info.part)

    # --- evaluating ----------------------------------------------------------------------------

    def evaluate(self) -> None:
        """Hand the workbook to the engine and compute it."""
        with tempfile.TemporaryDirectory(prefix="tokenbook-") as folder:
            copy = Path(folder) / "copy.xlsx"
            self._prepare(copy)
            self.progress("load", 0, 1)
            self.engine.load(copy)
        self.progress("evaluate", 0, 1)
        self.engine.evaluate()
        self._fill_data_tables()
        settle(self.plans.values(), self.engine, self.spills, lambda plan: self.rows(plan.info, []))
        self.progress("evaluate", 1, 1)

    def _fill_data_tables(self) -> None:
        for plan in self.plans.values():
            whatif = WhatIf(self.engine, plan.info.name)
            for table in plan.tables:
                top, left = table.area.top, table.area.left
                try:
                    rows = whatif.values(table)
                except TableInputError as error:
                    plan.kept[top, left] = str(error)
                    continue
                for r, row in enumerate(rows, top):
                    for c, value in enumerate(row, left):
                        if not isinstance(value, EngineError):
                            plan.given[r, c] = value
                            self.engine.set_value(plan.info.name, r, c, value)
            if plan.tables:
                self.engine.evaluate()

    def _prepare(self, copy: Path) -> None:
        while True:
            try:
                self._write_copy(copy)
            except _UnusualSheetError as error:
                self._bring_to_form(error.info)
                continue
            missing = next((t for t in self.targets if not t.done), None)
            if missing is None:
                return
            info = self.book.sheet(missing.sheet)
            if info is None or info.part in self._normal:
                raise BadInputError(f"{missing.asked} is not in the file")
            self._bring_to_form(info)

    def _write_copy(self, copy: Path) -> None:
        names = self.lowering.names.simple()
        self.plans = {info.part: SheetPlan(info) for info in self.book.sheets}
        sources: list[tuple[SheetInfo, Callable[[], Iterable[bytes]]]] = [
            (info, partial(self._prepared, info, i)) for i, info in enumerate(self.book.sheets)
        ]
        write_copy(copy, self.book, names, sources, self._strings())

    def _prepared(self, info: SheetInfo, number: int) -> Iterator[bytes]:
        self.progress("read", number, len(self.book.sheets))
        preparer = SheetPreparer(self.plans[info.part], self.lowering, self.spills)
        keep: list[list[bytes]] = []
        ends: list[bytes] = []
        small = self.package.size(info.part) <= _KEPT_IN_PARTS
        try:
            for rows in self.rows(info, ends):
                parts = FORMULA.split(rows)
                yield preparer.rows(rows, parts)
                if small:
                    keep.append(parts)
        except UnusualError as error:
            raise _UnusualSheetError(info) from error
        # What fills further cells of the sheet has to be put in anew before it is split again.
        if small and not (preparer.plan.arrays or preparer.plan.tables):
            self._split[info.part] = (ends[0], keep, ends[1])

    def _strings(self) -> Iterator[bytes] | None:
        part = self.book.strings
        if part is None or part not in self.package:
            return None
        return self._string_pieces(part)

    def _string_pieces(self, part: str) -> Iterator[bytes]:
        with self.package.stream(part) as stream:
            yield from self.package.chunks(stream, part)

    # --- writing -------------------------------------------------------------------------------

    def replaced(self) -> dict[str, Callable[[], Iterable[bytes]]]:
        """Return the parts that get new bytes, and what makes them."""
        pending: list[Pending] = []
        touched = {t.sheet for t in self.targets}
        replaced: dict[str, Callable[[], Iterable[bytes]]] = {
            plan.info.part: partial(self._spliced, plan, pending)
            for plan in self.plans.values()
            if plan.formulas or plan.info.name in touched
        }
        last = list(replaced)[-1] if replaced else None
        if last is not None:
            replaced[last] = partial(self._and_explained, replaced[last], pending)
        replaced[self.book.part] = self._workbook_part
        for part in self.dropped():
            for name, data in without_part(self.package, self.book, part).items():
                replaced[name] = partial(list, [data])
        return replaced

    def dropped(self) -> list[str]:
        """Return the parts that would no longer be true: the order of formulas that are gone."""
        chain = self.book.calc_chain
        if chain is None or chain not in self.package:
            return []
        return [chain] if self.freeze or any(t.replaces_formula for t in self.targets) else []

    def _is_own(self, text: str) -> bool:
        """Tell whether a formula calls an own function, itself or by a name."""
        try:
            tree = read_formula(text)
        except FormulaError:
            return False
        for node in tree.walk():
            if node.name in self.own:
                return True
            for argument in node.arguments:
                for item in argument:
                    name = (
                        self.lowering.names.find(item.value, None) if is_range_token(item) else None
                    )
                    if name is not None and "(" in name.text and self._is_own(name.text):
                        return True
        return False

    def _workbook_part(self) -> list[bytes]:
        return [settled(self.package.read(self.book.part), self.book.part)]

    def _and_explained(
        self, make: Callable[[], Iterable[bytes]], pending: list[Pending]
    ) -> Iterator[bytes]:
        yield from make()
        explain(pending, self.report, self.engine, self.lowering, self.own)

    def _spliced(self, plan: SheetPlan, pending: list[Pending]) -> Iterator[bytes]:
        info = plan.info
        splicer = SheetSplicer(
            sheet=info.name,
            engine=self.engine,
            blocks=self._values(plan),
            kept=plan.kept,
            given=plan.given,
            extents=self._extents(plan),
            frozen=self._is_own if self.freeze else None,
            report=self.report,
            pending=pending,
        )
        if info.part in self._split:
            head, split, tail = self._split.pop(info.part)
            yield head
            for parts in split:
                yield splicer.rows(parts)
            yield tail
            return
        edits = self._edits(info)
        for row, columns in self._children(plan, splicer).items():
            edits.setdefault(row, {}).update(columns)
        pieces_ = self.parts(info)
        yield next(pieces_)
        ends: list[bytes] = []
        done, size = 0, self.package.size(info.part)
        for rows in edited(_all_but_last(pieces_, ends), edits):
            done += len(rows)
            yield splicer.rows(FORMULA.split(rows))
            self.progress("write", done, size)
        yield from ends

    def _values(self, plan: SheetPlan) -> Iterator[tuple[Sequence[int], Sequence[int], list[Any]]]:
        for i, (rows, columns) in enumerate(plan.cells):
            if plan.values is not None:
                yield rows, columns, plan.values[i]
            else:
                yield rows, columns, read_cells(self.engine, plan.info.name, rows, columns)

    def _extents(self, plan: SheetPlan) -> dict[tuple[int, int], Area]:
        """Return the cells that each array formula fills now, by its first cell."""
        extents = {}
        for array in plan.arrays:
            top, left = array.area.top, array.area.left
            if (top, left) in plan.kept:
                continue
            area = array.area
            if array.spill is not None:
                rows, columns = self.spills.shape(array.spill)
                area = Area(top, left, top + rows - 1, left + columns - 1)
                raw = self.engine.values(plan.info.name, top, left, top, left)[0][0]
                if isinstance(self.engine.value(raw), CellError):
                    area = Area(top, left, top, left)
            extents[top, left] = area
        return extents

    def _children(self, plan: SheetPlan, splicer: SheetSplicer) -> dict[int, dict[int, Edit]]:
        """Return the cells that array formulas and data tables fill besides their first one."""
        edits: dict[int, dict[int, Edit]] = {}
        for array in plan.arrays:
            place = (array.area.top, array.area.left)
            if place not in splicer.extents:
                continue
            area = splicer.extents[place]
            for row, column in array.area.cells():
                if (row, column) != place:
                    edits.setdefault(row, {})[column] = splicer.filled(row, column, None)
            block = self.engine.values(plan.info.name, *area)
            for r, raw_row in enumerate(block, area.top):
                for c, raw in enumerate(raw_row, area.left):
                    value = self.engine.value(raw)
                    if (r, c) != place and not isinstance(value, EngineError):
                        edits.setdefault(r, {})[c] = splicer.filled(r, c, value)
        anchors = {(t.area.top, t.area.left) for t in plan.tables}
        for (row, column), value in plan.given.items():
            if (row, column) not in anchors:
                edits.setdefault(row, {})[column] = splicer.filled(row, column, value)
        return edits


def _all_but_last(parts: Iterator[bytes], last: list[bytes]) -> Iterator[bytes]:
    """Yield all pieces but the last, which goes into `last`."""
    held: bytes | None = None
    for piece in parts:
        if held is not None:
            yield held
        held = piece
    if held is not None:
        last.append(held)
