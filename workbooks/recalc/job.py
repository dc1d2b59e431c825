"""One recalculation, from file to file."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from udfs._cells import CellError
from workbooks.recalc.address import Area
from workbooks.recalc.arrays import Spills, fit
from workbooks.recalc.book import Book, SheetInfo, read_book, settled
from workbooks.recalc.engine import FIT, SPILL, CellFunction, Engine, EngineError, Settings
from workbooks.recalc.errors import BadInputError, NotAWorkbookError, UnwritableError
from workbooks.recalc.inputs import Target, resolve, targets_by_sheet
from workbooks.recalc.lower import Lowering, Own
from workbooks.recalc.names import Names
from workbooks.recalc.overrides import Edit, edited
from workbooks.recalc.package import Package, check_target, lock_file, published
from workbooks.recalc.prepare import SheetPlan, SheetPreparer, write_copy
from workbooks.recalc.reasons import explain
from workbooks.recalc.report import Report
from workbooks.recalc.scan import FORMULA, UnusualError, normalised, pieces
from workbooks.recalc.settle import settle
from workbooks.recalc.splice import Pending, SheetSplicer
from workbooks.recalc.supplied import SUPPLIED
from workbooks.recalc.tables import Tables, read_tables
from workbooks.recalc.values import read_cells
from workbooks.recalc.whatif import TableInputError, WhatIf

#: Told what is being done, how much of it, and of how much.
Progress = Callable[[str, int, int], None]
# Sheets up to this many bytes stay split between reading and writing; larger ones are read twice.
_KEPT_IN_PARTS = 32 << 20
_PREFIXES = ("", "_XLDUDF_", "_XLUDF.", "_XLL.")


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
            yield from pieces([self._normal[info.part]])
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
        settle(self.plans.values(), self.engine, lambda plan: self.rows(plan.info, []))
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
        size = 0
        for rows in self.rows(info, ends):
            parts = FORMULA.split(rows)
            try:
                yield preparer.rows(rows, parts)
            except UnusualError as error:
                raise _UnusualSheetError(info) from error
            size += len(rows)
            if size <= _KEPT_IN_PARTS:
                keep.append(parts)
        # What fills further cells of the sheet has to be put in anew before it is split again.
        if size <= _KEPT_IN_PARTS and not (preparer.plan.arrays or preparer.plan.tables):
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
        return replaced

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
        done, size = 0, self.package.entries[info.part].file_size
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


def own_functions(
    functions: Mapping[str, Any], spills: Spills
) -> tuple[dict[str, CellFunction], dict[str, Own]]:
    """Return what the engine calls, and what lowering knows, of the worksheet functions."""
    callables: dict[str, CellFunction] = {FIT: fit, SPILL: spills.spill, **SUPPLIED}
    known: dict[str, Own] = {}
    for name, function in functions.items():
        # Office.js add-ins are stored with a prefix.
        for prefix in _PREFIXES:
            callables[prefix + name.upper()] = function
        known[name.upper()] = Own(
            arrays=getattr(function, "result", "number") in ("row", "column", "table")
        )
    return callables, known


def recalculate_file(
    path: Path,
    output: Path | None,
    *,
    set_values: Sequence[tuple[str, Any]],
    force: bool,
    functions: Mapping[str, Any],
    make_engine: Callable[[Settings], Engine],
    settings: Settings,
    progress: Progress,
    dry_run: bool,
) -> Report:
    """Recalculate a workbook; see `workbooks.recalc.recalculate`."""
    started = time.perf_counter()
    report = Report()
    with Package(path) as package:
        target = check_target(output or path, path) if not dry_run else path
        _check_lock(target, report, force=force, dry_run=dry_run)
        book = read_book(package)
        settings = _for_book(settings, book)
        spills = Spills()
        callables, own = own_functions(functions, spills)
        engine = make_engine(settings)
        engine.register(callables)
        job = Job(package, book, own, spills, engine, report, progress)
        job.targets = resolve(set_values, book, job.lowering.names, force=force)
        _warn(book, report)
        job.evaluate()
        replaced = job.replaced()
        if dry_run:
            for make in replaced.values():
                for _ in make():
                    pass
        else:
            with published(target, path) as out:
                package.write(out, replaced)
    report.seconds = time.perf_counter() - started
    return report


def _for_book(settings: Settings, book: Book) -> Settings:
    return Settings(
        seed=settings.seed,
        clock=settings.clock,
        date1904=book.date1904,
        iterate=book.iterate,
        iterations=book.iterations,
        max_change=book.max_change,
        deadline=settings.deadline,
    )


def _check_lock(target: Path, report: Report, *, force: bool, dry_run: bool) -> None:
    lock = lock_file(target)
    if lock is None or dry_run:
        return
    if not force:
        raise UnwritableError(
            f"{target.name} is open in another program ({lock.name} lies beside it); close it "
            "there, write elsewhere, or force it"
        )
    report.warnings.append(f"{target.name} is open in another program ({lock.name})")


def _warn(book: Book, report: Report) -> None:
    if book.signed:
        report.warnings.append("the workbook is signed; its signature does not hold for new values")
    if book.external:
        report.warnings.append(
            f"{len(book.external)} links to other workbooks: never followed; the cells that use "
            "them keep their old values"
        )
