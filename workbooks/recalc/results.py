"""The parts of a recalculated workbook that get new bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import IO, TypeAlias

from udfs.cells import CellError
from workbooks.calc.protocol import CalculatorError
from workbooks.errors import NotAWorkbookError
from workbooks.formula.address import Area
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.tree import Call, Name, walk
from workbooks.ooxml.book import CONTENT_TYPES, settled, without_part
from workbooks.ooxml.custom_properties import Edited
from workbooks.ooxml.overrides import Edit, edited
from workbooks.ooxml.package import Deflated
from workbooks.ooxml.scan import UnusualError, split
from workbooks.recalc.job import Job, Ready
from workbooks.recalc.plan import SheetPlan
from workbooks.recalc.sheets import all_but_last
from workbooks.recalc.splice import Pending, SheetSplicer
from workbooks.recalc.versions import recorded

#: Makes the new bytes of a part.
Make: TypeAlias = Callable[[], Iterable[bytes] | Deflated]


@dataclass(frozen=True, slots=True)
class Results:
    """What an evaluated job writes back, and tells."""

    job: Job
    _pending: list[Pending] = field(default_factory=list)

    def write(self, target: IO[bytes]) -> None:
        """Write the recalculated workbook."""
        edited_ = self._edited()
        replaced = self._replaced(edited_.changed)
        self.job.package.write(target, replaced, self._dropped(), edited_.added)
        self._explain()

    def tell(self) -> None:
        """Tell what would be written in the job's report, and write nothing."""
        for make in self._replaced(self._edited().changed).values():
            made = make()
            for _ in () if isinstance(made, Deflated) else made:
                pass
        self._explain()

    def _explain(self) -> None:
        if not self._pending:
            return
        # What goes through formulas for the causes of errors takes a while to load.
        from workbooks.recalc.reasons import explain  # noqa: PLC0415

        extents = {plan.info.name: self._extents(plan) for plan in self.job.plans.values()}
        explain(self.job, self._pending, extents)

    def _edited(self) -> Edited:
        """Return the small parts that get new bytes, and those that come to the package."""
        job = self.job
        changed: dict[str, bytes] = {}
        for part in self._dropped():
            changed |= without_part(job.package, job.book, part)
        if not job.versions:
            return Edited(changed, {})
        types = changed.get(CONTENT_TYPES) or job.package.read(CONTENT_TYPES)
        versions = recorded(job.package, job.versions, types, job.report.warnings.append)
        return Edited(changed | versions.changed, versions.added)

    def _replaced(self, edited_: Mapping[str, bytes]) -> dict[str, Make]:
        """Return the parts that get new bytes, and what makes them."""
        touched = {t.sheet for t in self.job.sheets.targets}
        replaced: dict[str, Make] = {}
        for part, plan in self.job.plans.items():
            if plan.formulas or plan.info.name in touched:
                ready = self.job.ready.get(part)
                replaced[part] = (
                    partial(self._ready, ready)
                    if ready
                    else partial(self.job.sheets.as_it_was, plan.info, partial(self._spliced, plan))
                )
        replaced[self.job.book.part] = self._workbook_part
        return replaced | {name: partial(list, [data]) for name, data in edited_.items()}

    def _dropped(self) -> list[str]:
        """Return the parts that would no longer be true: the order of formulas that are gone."""
        chain = self.job.book.calc_chain
        if chain is None or chain not in self.job.package:
            return []
        gone = self.job.freeze or any(t.replaces_formula for t in self.job.sheets.targets)
        return [chain] if gone else []

    def _is_own(self, text: str) -> bool:
        """Tell whether a formula calls an own function, itself or by a name."""
        try:
            tree = parse(text)
        except FormulaError:
            return False
        names = self.job.pipeline.scope.names
        for node in walk(tree):
            if isinstance(node, Call) and node.name in self.job.own:
                return True
            name = names.find(node.text, None) if isinstance(node, Name) else None
            if name is not None and "(" in name.text and self._is_own(name.text):
                return True
        return False

    def _workbook_part(self) -> list[bytes]:
        return [settled(self.job.package.read(self.job.book.part), self.job.book.part)]

    def _spliced(self, plan: SheetPlan) -> Iterator[bytes]:
        info = plan.info
        splicer = SheetSplicer(
            sheet=info.name,
            calculator=self.job.calculator,
            blocks=self.job.values(plan),
            kept=plan.kept,
            given=plan.given,
            extents=self._extents(plan),
            frozen=self._is_own if self.job.freeze else None,
            report=self.job.report,
            pending=self._pending,
            baseline=self.job.baseline.get(info.name, {}),
            children=plan.children,
        )
        kept = self.job.sheets.split.pop(info.part, None)
        # What fills further cells has to be put in anew before a sheet is split again.
        if kept is not None and not plan.arrays and not plan.tables:
            head, tail = kept.ends
            yield head
            for parts in kept.runs:
                yield splicer.rows(parts)
            yield tail
            return
        edits = self.job.sheets.edits(info)
        for row, columns in self._children(plan, splicer).items():
            edits.setdefault(row, {}).update(columns)
        pieces_ = self.job.sheets.parts(info)
        yield next(pieces_)
        ends: list[bytes] = []
        done, size = 0, self.job.package.size(info.part)
        try:
            for rows in edited(all_but_last(pieces_, ends), edits):
                done += len(rows)
                yield splicer.rows(split(rows))
                self.job.progress("write", done, size)
        except UnusualError as error:
            raise NotAWorkbookError(f"{info.part} cannot be written: {error}") from error
        yield from ends

    def _ready(self, ready: Ready) -> Deflated:
        """Return a sheet that was written down while it was read."""
        self.job.report.add(ready.report)
        self._pending.extend(ready.pending)
        return ready.content

    def _extents(self, plan: SheetPlan) -> dict[tuple[int, int], Area]:
        """Return the cells that each array formula fills now, by its first cell."""
        extents = {}
        for array in plan.arrays:
            top, left = array.area.top, array.area.left
            if (top, left) in plan.kept:
                continue
            area = array.area
            if array.spill is not None:
                rows, columns = self.job.spills.shape(array.spill)
                area = Area(top, left, top + rows - 1, left + columns - 1)
                raw = self.job.calculator.values(plan.info.name, top, left, top, left)[0][0]
                value = self.job.calculator.value(raw)
                # An error that the result begins with is not that of a spill with no room.
                if isinstance(value, CellError) and value.code != self.job.spills.first_error(
                    array.spill
                ):
                    area = Area(top, left, top, left)
            extents[top, left] = area
        return extents

    def _children(self, plan: SheetPlan, splicer: SheetSplicer) -> dict[int, dict[int, Edit]]:
        """Return the cells that array formulas and data tables fill besides their first one."""
        edits: dict[int, dict[int, Edit]] = {}
        for array in plan.arrays:
            place = (array.area.top, array.area.left)
            if place not in splicer.extents or splicer.stays(*place):
                continue
            area = splicer.extents[place]
            frozen = splicer.frozen is not None and splicer.frozen(array.text)
            for row, column in array.area.cells():
                if (row, column) != place:
                    edits.setdefault(row, {})[column] = splicer.filled(row, column, None)
            block = self.job.calculator.values(plan.info.name, *area)
            for r, raw_row in enumerate(block, area.top):
                for c, raw in enumerate(raw_row, area.left):
                    value = self.job.calculator.value(raw)
                    if (r, c) != place and not isinstance(value, CalculatorError):
                        edit = splicer.filled(r, c, value, frozen=frozen)
                        edits.setdefault(r, {})[c] = edit
        anchors = {(t.area.top, t.area.left) for t in plan.tables}
        for (row, column), value in plan.given.items():
            if (row, column) not in anchors:
                edits.setdefault(row, {})[column] = splicer.filled(row, column, value)
        return edits
