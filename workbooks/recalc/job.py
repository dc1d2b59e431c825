"""One recalculation, from file to file."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from udfs.cells import Cell
from workbooks.calc.protocol import Calculator, CalculatorError
from workbooks.calc.reads import Extent, Reads, chunks_to_set
from workbooks.errors import (
    BadInputError,
    CalculatorFailedError,
    UnwritableError,
)
from workbooks.excel.context import Own, Scope
from workbooks.excel.odd_texts import is_odd
from workbooks.excel.pipeline import Pipeline
from workbooks.excel.runtime.arrays import Spills
from workbooks.formula.address import full_name
from workbooks.formula.names import Names
from workbooks.formula.structured import Tables
from workbooks.ooxml import files
from workbooks.ooxml.book import Book, SheetInfo
from workbooks.ooxml.constants import Points, Strings
from workbooks.ooxml.hidden import HiddenRows
from workbooks.ooxml.package import Deflated, Package
from workbooks.ooxml.scan import (
    CELL_ATTRIBUTES,
    STEP,
    VALUE,
    SplitRows,
    UnusualError,
)
from workbooks.ooxml.tables import read_tables
from workbooks.recalc.baseline import Comparison, untrusted
from workbooks.recalc.columns import Columns
from workbooks.recalc.inputs import Target
from workbooks.recalc.odd_cells import OddCells
from workbooks.recalc.plan import Formulas, SheetPlan
from workbooks.recalc.prepare import SheetPreparer, write_copy
from workbooks.recalc.report import Report, Unreproduced
from workbooks.recalc.settle import settle
from workbooks.recalc.sheets import KEPT_IN_PARTS, Sheets, UnusualSheetError
from workbooks.recalc.splice import Difference, Pending, SheetSplicer, old_value
from workbooks.recalc.values import read_run
from workbooks.recalc.versions import Outdated, moved, outdated
from workbooks.recalc.whatif import TableInputError, WhatIf
from workbooks.watch import Watch

#: Told what is being done, how much of it, and of how much.
Progress = Callable[[str, int, int], None]


class Ready(NamedTuple):
    """A sheet as it is to be written, and what is told of its cells."""

    content: Deflated
    report: Report
    pending: list[Pending]


@dataclass(slots=True)
class Job:
    """A workbook being recalculated.

    `fixed` says that its constants stay what they are, so that what hangs on them alone can be
    computed before the calculator sees it.
    """

    package: Package
    book: Book
    own: Mapping[str, Own]
    spills: Spills
    calculator: Calculator
    report: Report
    progress: Progress
    functions: Mapping[str, Any]
    freeze: bool = False
    fixed: bool = True
    watch: Watch = field(default_factory=Watch)
    compare: bool = False
    #: What the functions compute with; empty where none is called.
    versions: Mapping[str, str] = field(default_factory=dict)
    outdated: list[Outdated] = field(default_factory=list)
    baseline: dict[str, dict[tuple[int, int], Difference]] = field(default_factory=dict)
    plans: dict[str, SheetPlan] = field(default_factory=dict)
    pipeline: Pipeline = field(init=False)
    sheets: Sheets = field(init=False)
    ready: dict[str, Ready] = field(default_factory=dict)
    _known: dict[str, list[Formulas]] = field(default_factory=dict)
    _columns: dict[str, Columns] = field(default_factory=dict)
    _reads: list[Reads] = field(default_factory=list)
    _odd: OddCells = field(init=False)

    def __post_init__(self) -> None:
        self.sheets = Sheets(self.package, self.book)
        self._odd = OddCells(self.sheets.strings)
        self.pipeline = Pipeline(
            Scope(
                names=Names(self.book.names),
                tables=Tables(read_tables(self.package, self.book)),
                sheets=[info.name for info in self.book.sheets],
                own=self.own,
                knows=self.calculator.knows,
                hidden=HiddenRows(self.package, self.book),
            )
        )

    # --- reading -------------------------------------------------------------------------------

    def _until_read(self, step: Callable[[], bool]) -> bool:
        """Take a step that reads the sheets; again, where one has to be put into common form."""
        while True:
            try:
                done = step()
            except UnusualSheetError as error:
                self._again_in_form(error.info)
                continue
            missing = next((t for t in self.sheets.targets if not t.done), None)
            if missing is None or not done:
                return done
            info = self.book.sheet(missing.sheet)
            if info is None or self.sheets.is_in_form(info):
                raise BadInputError(f"{missing.asked} is not in the file")
            self._again_in_form(info)

    def _again_in_form(self, info: SheetInfo) -> None:
        """Put a sheet into common form, and begin anew with the reading."""
        self.sheets.bring_to_form(info)
        self._forget()

    # --- evaluating ----------------------------------------------------------------------------

    def evaluate(self) -> None:
        """Compute the workbook; first as it stands, where Excel saved what comes out."""
        self.report.baseline = "" if self.compare else "not asked for"
        if self.compare:
            self.report.baseline = untrusted(self.package, self.book)
        if not self.freeze:
            self.outdated = outdated(self.package, self.book, self.versions, self.report)
        if self.report.baseline and not self.outdated:
            self._whole()
        elif not self.sheets.targets:
            self._whole()
            self._compare()
        else:
            self._twice()

    def unreproduced(self) -> list[Unreproduced]:
        """Return the cells of the evaluated workbook that do not come out as Excel saved them.

        It must be evaluated as it stands; `report.baseline` says why there is nothing to hold it
        against.
        """
        self.report.baseline = untrusted(self.package, self.book)
        if self.report.baseline:
            return []
        self._compare()
        return [
            Unreproduced(full_name(sheet, *place), found.reason)
            for sheet, cells in self.baseline.items()
            for place, found in sorted(cells.items())
            if found.listed
        ]

    def _twice(self) -> None:
        """Compute the workbook as it stands, and then with its cells set."""
        asked, fixed = self.sheets.targets, self.fixed
        # Columns that are computed beforehand would not follow what is set.
        self.sheets.targets, self.fixed = [], False
        self._whole()
        self._compare()
        self.sheets.targets, plans = asked, self.plans
        touched = [info for info in self.book.sheets if self.sheets.edits(info)]
        for info in touched:
            self.sheets.split.pop(info.part, None)
        self._until_read(partial(self._put_in, touched))
        if self.plans is not plans or any(target.replaces_formula for target in asked):
            self.fixed = fixed
            self._whole()
            return
        self.set_values(asked)
        self._odd.sheets |= {t.sheet for t in asked if isinstance(t.value, str) and is_odd(t.value)}
        if self._learnt():
            self._evaluate()

    def set_values(self, targets: Iterable[Target]) -> None:
        """Compute again what was computed, with values in cells that hold no formula."""
        self.calculator.set_values({(t.sheet, t.row, t.column): t.value for t in targets})
        self.progress("evaluate", 0, 1)
        self.calculator.evaluate()
        self._settle()

    def _put_in(self, touched: Iterable[SheetInfo]) -> bool:
        """Go through the sheets whose cells are set, so that each finds its place or is refused."""
        for info in touched:
            deque(self.sheets.rows(info, []), maxlen=0)
        return True

    def _compare(self) -> None:
        """Hold the values against those of the file."""
        comparison = Comparison(self.calculator, self.pipeline.scope.names, self.own)
        for info in self.book.sheets:
            plan = self.plans[info.part]
            if plan.formulas:
                comparison.sheet(plan, self.sheets.split_rows(info, []), self.values(plan))
        differences = comparison.differences()
        self.report.moved = moved(self.outdated, self.functions, comparison)
        if self.report.baseline:
            return
        self.baseline = differences
        if comparison.missing:
            self.baseline = {}
            self.report.baseline = (
                f"{comparison.missing} cells with TOK_ functions were saved without the add-in"
            )

    def values(self, plan: SheetPlan) -> Iterator[tuple[Sequence[int], Sequence[int], list[Any]]]:
        """Yield rows, columns and values of each run of a sheet's formulas."""
        for i, run in enumerate(plan.runs):
            if plan.values is not None:
                yield run.rows, run.columns, plan.values[i]
            else:
                yield run.rows, run.columns, read_run(self.calculator, plan.info.name, run)

    def _whole(self) -> None:
        """Compute the workbook: columns at once, and all that is left by the calculator."""
        try:
            try:
                self._evaluate()
            except CalculatorFailedError:
                # Most likely for a range written from its end, as shared formulas come to have.
                self.pipeline = self.pipeline.made_careful()
                self._evaluate()
        except OSError as error:
            raise UnwritableError(
                f"no room to work in {tempfile.gettempdir()}: {error.strerror or error}"
            ) from error

    def _evaluate(self) -> None:
        self._forget()
        if self.fixed and self._until_read(self._compute_columns):
            return
        self._let_go()
        self.ready = {}
        # No signal comes between the folder and its removal.
        with self.watch.held():
            folder = files.working_folder()
            try:
                copy = folder / "copy.xlsx"
                with self.watch.free():
                    self._until_read(partial(self._write_copy, copy))
                    self.progress("load", 0, 1)
                    self.calculator.load(copy)
            finally:
                self._remove(folder)
        extents = [Extent(p.info.name, p.last_row, p.formulas) for p in self.plans.values()]
        for sheet, column, rows in chunks_to_set(extents, self._reads):
            self.calculator.set_again(sheet, column, rows)
        self.progress("evaluate", 0, 1)
        self.calculator.evaluate()
        if self.book.iterate:
            self.calculator.start_from(self._saved())
        self._settle()
        if self._learnt():
            self._evaluate()

    def _saved(self) -> Iterator[tuple[str, int, int, Cell]]:
        """Yield the values that the file holds of its formulas."""
        for info in self.book.sheets:
            for parts in self.sheets.split_rows(info, []):
                rows, columns = parts.places
                held = zip(parts[CELL_ATTRIBUTES::STEP], parts[VALUE::STEP], strict=True)
                for row, column, (attributes, value) in zip(rows, columns, held, strict=True):
                    saved = old_value(attributes, value)
                    if saved is not None:
                        yield info.name, row, column, saved

    def _settle(self) -> None:
        """Fill data tables, and keep what turns out not to be evaluated."""
        self._fill_data_tables()
        settle(
            self.plans.values(),
            self.calculator,
            self.spills,
            lambda plan: self.sheets.rows(plan.info, []),
        )
        self.progress("evaluate", 1, 1)

    def _remove(self, folder: Path) -> None:
        try:
            files.remove_folder(folder)
        except OSError as error:
            self.report.warnings.append(f"{folder} cannot be removed: {error.strerror or error}")

    def _forget(self) -> None:
        """Begin anew with the reading."""
        strings = Strings(self.sheets.strings)
        points = Points(self.sheets.rows_of, strings)
        self._columns = {
            info.part: Columns(info.name, self.pipeline, self.functions, points, strings)
            for info in self.book.sheets
        }
        self._let_go()
        self._known, self.sheets.split, self.ready = {}, {}, {}
        self._plan()

    def close(self) -> None:
        """Let go of what was written down on the way, and of the calculator."""
        self._let_go()
        self.calculator.close()

    def _let_go(self) -> None:
        for ready in self.ready.values():
            ready.content.close()

    def _plan(self) -> None:
        self.plans = {info.part: SheetPlan(info) for info in self.book.sheets}

    def _compute_columns(self) -> bool:
        """Compute what needs no calculator; tell whether nothing is left for it."""
        for number, info in enumerate(self.book.sheets):
            self.progress("read", number, len(self.book.sheets))
            plan = self.plans[info.part]
            self._known[info.part] = plan.runs
            # A sheet that is not kept is written at once, so that it need not be read again.
            held = self.freeze or self.outdated or not self.report.baseline
            kept = held or self.package.size(info.part) <= KEPT_IN_PARTS
            for parts in self.sheets.split_rows(info, []) if kept else self._ready_rows(info):
                plan.note(parts, self._columns[info.part].values(parts))
                if plan.runs[-1].waiting:
                    return False
        return True

    def _ready_rows(self, info: SheetInfo) -> Iterator[SplitRows]:
        """Yield the runs of rows of a sheet, and write down each with the values now known."""
        runs = self.plans[info.part].runs
        self.ready[info.part] = ready = Ready(Deflated(), Report(), [])
        values = ((run.rows, run.columns, list(run.known)) for run in runs)
        splicer = SheetSplicer(
            info.name, self.calculator, values, {}, {}, {}, ready.report, ready.pending
        )
        ends: list[bytes] = []
        for parts in self.sheets.split_rows(info, ends):
            yield parts
            ready.content.write(ends.pop() if ends else b"")
            ready.content.write(splicer.rows(parts))
        for end in ends:
            ready.content.write(end)
        ready.content.finish()

    def _fill_data_tables(self) -> None:
        for plan in self.plans.values():
            whatif = WhatIf(self.calculator, plan.info.name)
            for table in plan.tables:
                top, left = table.area.top, table.area.left
                try:
                    rows = whatif.values(table)
                except TableInputError as error:
                    plan.kept[top, left] = str(error)
                    continue
                found = {
                    (r, c): value
                    for r, row in enumerate(rows, top)
                    for c, value in enumerate(row, left)
                    if not isinstance(value, CalculatorError)
                }
                plan.given |= found
                name = plan.info.name
                self.calculator.set_values({(name, *p): value for p, value in found.items()})
            if plan.tables:
                self.calculator.evaluate()

    def _write_copy(self, copy: Path) -> bool:
        """Write what the calculator is given."""
        self._plan()
        self._reads = []
        names = self.pipeline.scope.names.simple()
        sources: list[tuple[SheetInfo, Callable[[], Iterable[bytes]]]] = [
            (info, partial(self._prepared, info, i)) for i, info in enumerate(self.book.sheets)
        ]
        with files.working_file(copy) as file:
            write_copy(file, self.book, names, sources, self.sheets.strings())
        plans = self.plans.values()
        if any(plan.tables for plan in plans) and any(plan.computed for plan in plans):
            # A data table varies constants.
            self.fixed = False
            self._known = {}
            return self._write_copy(copy)
        return not self._learnt() or self._write_copy(copy)

    def _learnt(self) -> bool:
        """Tell whether something is now known that formulas are put otherwise for."""
        spills, texts = self._learnt_of_spills(), self._learnt_of_texts()
        return spills or texts

    def _learnt_of_texts(self) -> bool:
        """Tell whether more sheets turn out to hold texts that are read with care."""
        self._odd.sheets |= {plan.info.name for plan in self.plans.values() if plan.odd}
        if {name.casefold() for name in self._odd.sheets} <= self.pipeline.scope.texts:
            return False
        self.pipeline = self.pipeline.reading(self._odd.sheets)
        return True

    def _learnt_of_spills(self) -> bool:
        """Tell whether formulas ask for spills of which it is now known that they stay."""
        if not self.pipeline.scope.asked:
            return False
        staying = {
            (plan.info.name.casefold(), *place): area
            for plan in self.plans.values()
            for place, area in plan.staying.items()
        }
        if staying.keys() <= self.pipeline.scope.stays.keys():
            return False
        self.pipeline = self.pipeline.keeping({**self.pipeline.scope.stays, **staying})
        return True

    def _prepared(self, info: SheetInfo, number: int) -> Iterator[bytes]:
        self.progress("read", number, len(self.book.sheets))
        plan = self.plans[info.part]
        preparer = SheetPreparer(plan, self.pipeline, self.spills)
        self._reads.append(preparer.reads)
        known = iter(self._known.get(info.part, ()))
        for parts in self.sheets.split_rows(info, []):
            run = next(known, None)
            if run is not None:
                values = run.known
            elif self.fixed and not plan.filled(parts):
                values = self._columns[info.part].values(parts)
            else:
                values = ()
            plan.note(parts, values)
            self._odd.note(info.name, parts)
            if run is not None and plan.runs[-1][:2] != run[:2]:
                raise UnusualSheetError(info)
            try:
                yield preparer.rows(parts, values)
            except UnusualError as error:
                raise UnusualSheetError(info) from error
