"""From file to file: a workbook opened, evaluated, and written back."""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from workbooks.calc.protocol import FIT, FORMATTED, LIFT, SPILL, Calculator, CellFunction, Settings
from workbooks.errors import UnwritableError
from workbooks.excel.context import Own
from workbooks.excel.runtime.arrays import Spills, fit
from workbooks.excel.runtime.late import late_functions
from workbooks.excel.runtime.lifted import Lifted
from workbooks.ooxml.book import Book, read_book
from workbooks.ooxml.package import Package, check_source
from workbooks.ooxml.publish import check_target, claimed, lock_file, published
from workbooks.recalc.inputs import Formats, resolve, told_of_inactive
from workbooks.recalc.job import Job, Progress
from workbooks.recalc.report import Report
from workbooks.recalc.results import Results
from workbooks.recalc.versions import calls_own
from workbooks.watch import guarded

# Not the parts that hold no formula; a theme may name its fonts by character references.
_FORMULAS = re.compile(r"(?!xl/theme/|docProps/).*\.xml", re.IGNORECASE)
_PREFIXES = ("", "_XLDUDF_", "_XLUDF.", "_XLL.")


@dataclass(frozen=True, slots=True)
class Setup:
    """What a recalculation needs besides its workbook.

    The names of all functions begin with `prefix`: a workbook without it needs none of them.
    `versions` tells what they compute with; where it tells something, the workbook records it.
    """

    functions: Mapping[str, Any]
    make_calculator: Callable[[Settings], Calculator]
    settings: Settings
    progress: Progress
    prefix: str = ""
    versions: Callable[[], Mapping[str, str]] = dict


def own_functions(
    functions: Mapping[str, Any], spills: Spills, replaced: Mapping[str, CellFunction]
) -> tuple[dict[str, CellFunction], dict[str, Own]]:
    """Return what the calculator calls, and what the passes know, of the worksheet functions."""
    callables: dict[str, CellFunction] = {FIT: fit, SPILL: spills.spill, **replaced}
    known: dict[str, Own] = {}
    for name, function in functions.items():
        # Office.js add-ins are stored with a prefix.
        for prefix in _PREFIXES:
            callables[prefix + name.upper()] = function
        known[name.upper()] = Own(
            arrays=getattr(function, "result", "number") in ("row", "column", "grid", "table")
        )
    return callables, known


@contextmanager
def opened(
    path: Path,
    setup: Setup,
    *,
    set_values: Sequence[tuple[str, Any]] = (),
    force: bool = False,
    freeze: bool = False,
) -> Iterator[Job]:
    """Open a workbook and hand it to the calculator, not evaluated yet."""
    with ExitStack() as stack:
        watch = stack.enter_context(guarded(setup.settings.deadline))
        with watch.free():
            job = _job(path, stack, replace(setup.settings, watch=watch), setup, freeze=freeze)
            stack.callback(job.close)
            names = job.pipeline.scope.names
            formats = Formats(job.package)
            job.sheets.targets = resolve(set_values, job.book, names, force=force, formats=formats)
        yield job


def _job(path: Path, stack: ExitStack, settings: Settings, setup: Setup, *, freeze: bool) -> Job:
    """Read the structure of a workbook, and prepare an calculator for it."""
    assert settings.watch is not None
    package = stack.enter_context(Package(path, settings.watch.check))
    book = read_book(package)
    report = Report()
    _warn(book, report)
    spills = Spills()
    replaced = late_functions(date1904=book.date1904, mac=book.mac)
    functions = setup.functions if _asks_for(setup.prefix, package, book) else {}
    callables, own = own_functions(functions, spills, replaced)
    calculator = setup.make_calculator(
        replace(
            settings,
            date1904=book.date1904,
            iterate=book.iterate,
            iterations=book.iterations,
            max_change=book.max_change,
        )
    )
    lifted = Lifted(calculator.scratch, replaced)
    callables.update({LIFT: lifted, FORMATTED: lifted.formatted})
    calculator.register(callables)
    return Job(
        package,
        book,
        own,
        spills,
        calculator,
        report,
        setup.progress,
        _declared(functions),
        freeze=freeze,
        watch=settings.watch,
    )


def _asks_for(prefix: str, package: Package, book: Book) -> bool:
    """Tell whether a workbook may call a function whose name begins so.

    Its own functions load the whole engine, which takes longer than a small workbook.
    """
    # A letter may be written as a character reference, and in an encoding of two bytes a letter.
    sign = re.compile(re.escape(prefix.encode()) + rb"|&#|\x00", re.IGNORECASE)
    kept = len(prefix) - 1
    sheets = {info.part for info in book.sheets}
    for part in package.entries:
        if part not in sheets and not _FORMULAS.fullmatch(part):
            continue
        before = b""
        with package.stream(part) as stream:
            for piece in package.chunks(stream, part):
                if sign.search(before + piece):
                    return True
                before = piece[-kept:] if kept > 0 else b""
    return False


def _declared(functions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the declared ones by their names in upper case."""
    if not functions:
        return {}
    from udfs.declare import Function  # noqa: PLC0415  (with the engine behind it)

    return {n.upper(): f for n, f in functions.items() if isinstance(f, Function)}


def _value_at(job: Job, sheet: str, row: int, column: int) -> Any:
    return job.calculator.value(job.calculator.values(sheet, row, column, row, column)[0][0])


def recalculate_file(
    path: Path,
    output: Path | None,
    setup: Setup,
    *,
    set_values: Sequence[tuple[str, Any]] = (),
    force: bool = False,
    dry_run: bool = False,
    freeze: bool = False,
    baseline: bool = True,
) -> Report:
    """Recalculate a workbook; see `workbooks.recalc.recalculate`."""
    started = time.perf_counter()
    with ExitStack() as stack:
        stack.enter_context(uncollected())
        watch = stack.enter_context(guarded(setup.settings.deadline))
        claim = None
        if not dry_run:
            check_source(path)
            target = check_target(output or path, path)
            claim = stack.enter_context(claimed(target))
        job = stack.enter_context(
            opened(path, setup, set_values=set_values, force=force, freeze=freeze)
        )
        if claim is not None:
            _check_lock(claim.target, job.report, force=force)
        job.compare = baseline and not freeze
        if job.functions and calls_own(setup.prefix, job.package, job.book):
            job.versions = setup.versions()
        results = Results(job)
        with watch.free():
            job.evaluate()
            value_at = partial(_value_at, job)
            job.report.warnings += told_of_inactive(
                job.sheets.targets, job.pipeline.scope.names, value_at
            )
            if claim is None:
                results.tell()
        if claim is not None:
            warn = job.report.warnings.append
            with published(claim, path, job.package.identity, watch, warn) as out, watch.free():
                results.write(out)
        job.report.seconds = time.perf_counter() - started
        return job.report


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the collector from going through millions of cells, which refer to nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _check_lock(target: Path, report: Report, *, force: bool) -> None:
    lock = lock_file(target)
    if lock is None:
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
