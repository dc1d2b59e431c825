"""A workbook as a function: many scenarios in, the values of some cells out.

The workbook is read once. Scenarios of numbers are computed together where the model allows
it; for any other, its cells are set, and the workbook is evaluated anew. Rows are gathered as they
come, so that a sweep that was stopped can go on; the result is put in its place when all are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from udfs.cells import Cell, CellError
from workbooks.calc.protocol import CalculatorError
from workbooks.errors import DeadlineError, RefusedError, UnwritableError
from workbooks.ooxml.publish import check_target, claimed
from workbooks.recalc import setup_for
from workbooks.recalc.report import Unreproduced
from workbooks.recalc.run import opened
from workbooks.scenarios.model import Model, each_cell
from workbooks.scenarios.outcome import Gathered, check_result, mark_of, part_of
from workbooks.scenarios.table import read_scenarios
from workbooks.watch import Watch, guarded

_ERROR = "error"
_NUMBER = "scenario"


@dataclass(slots=True)
class SweepReport:
    """What a sweep did.

    `done` scenarios were evaluated now, `resumed` were there from before; `bad` were refused, and
    say why in their row. `reason` says why they were evaluated one by one, if they were many.
    `unreproduced` are the cells that do not come out as Excel saved them, with the inputs that the
    workbook holds; `baseline` says why they were not looked for.
    """

    done: int = 0
    resumed: int = 0
    bad: int = 0
    reason: str = ""
    unreproduced: list[Unreproduced] = field(default_factory=list)
    baseline: str = ""
    #: Of the first scenario with an output in error: which, where its error begins, and why.
    cause: str = ""


def sweep(
    path: str | Path,
    scenarios: str | Path,
    outputs: Sequence[str],
    result: str | Path,
    *,
    resume: bool = False,
    functions: Mapping[str, Any] | None = None,
    seed: int = 0,
    clock: datetime | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    decimal: str | None = None,
    deadline: float | None = None,
    baseline: bool = True,
) -> SweepReport:
    """Evaluate a workbook for each scenario and write the outputs to a file.

    Parameters
    ----------
    path : str or Path
        The workbook; it is not changed.
    scenarios : str or Path
        A .csv file: the cells to set in the header, one scenario a row.
    outputs : sequence of str
        The cells wanted, as `Sheet!B5` or a defined name.
    result : str or Path
        A .csv, .parquet or .xlsx file: scenario number, inputs, outputs, error. The rows are
        gathered in a file beside it, `<result>.part`, until all are there.
    resume : bool
        Go on where an earlier sweep of the same model, scenarios, outputs and settings was
        stopped.
    functions, seed, clock, progress
        As of `workbooks.recalc.recalculate`.
    decimal : str, optional
        The sign before the decimals in the scenarios, where that is in doubt: "." or ",".
    deadline : float, optional
        How long all of it may take; what is done by then can be resumed [s].
    baseline : bool
        First hold the workbook as it stands against what Excel saved.

    Returns
    -------
    SweepReport
        How many scenarios were evaluated, found done, and bad [-].
    """
    target, model, table = Path(result), Path(path), Path(scenarios)
    outputs = each_cell(outputs)
    check_result(target, model, table)
    cells, rows = read_scenarios(table, decimal)
    target = check_target(target, target)
    setup = setup_for(functions, seed=seed, clock=clock, deadline=deadline)
    with ExitStack() as stack:
        watch = stack.enter_context(guarded(setup.settings.deadline))
        claim = stack.enter_context(claimed(target))
        mark = mark_of([model, table], list(outputs), seed, clock, decimal)
        gathered = Gathered(part_of(target), [_NUMBER, *cells, *outputs, _ERROR], mark)
        if resume:
            gathered.found()
        report = SweepReport(resumed=gathered.count)
        if gathered.count < len(rows):
            job = stack.enter_context(opened(model, setup))
            with watch.free():
                evaluated = Model(job, cells, outputs, setup.functions)
                report.baseline = "not asked for"
                if baseline:
                    report.unreproduced, report.baseline = evaluated.unreproduced()
                at_once = evaluated.at_once(rows)
            report.reason = evaluated.reason
            stack.callback(gathered.close)
            gathered.open()
            _run(gathered, evaluated, at_once, rows, outputs, report, progress or _silent, watch)
        report.bad = gathered.bad
        gathered.finish(claim, watch)
    return report


def _run(
    gathered: Gathered,
    model: Model,
    at_once: Mapping[int, Sequence[Cell | CalculatorError]],
    rows: Sequence[Sequence[Cell]],
    outputs: Sequence[str],
    report: SweepReport,
    tell: Callable[[str, int, int], None],
    watch: Watch,
) -> None:
    width, wanted = len(gathered.header) - 2, len(outputs)
    failed: tuple[int, str] | None = None
    for number in range(gathered.count + 1, len(rows) + 1):
        watch.check()
        row = rows[number - 1]
        values: Sequence[Cell | CalculatorError]
        why = ""
        try:
            with watch.free():
                values = at_once.get(number) or model(row)
        except (DeadlineError, UnwritableError):
            raise
        except RefusedError as refused:
            values, why = [], str(refused)
        inputs = [*row, *[None] * width][: width - wanted]
        gathered.add(inputs, [*values, *[None] * wanted][:wanted], why)
        report.done += 1
        if failed is None:
            wrong = (o for o, v in zip(outputs, values, strict=False) if isinstance(v, CellError))
            failed = next(((number, output) for output in wrong), None)
        tell("sweep", number, len(rows))
    if failed is not None:
        number, output = failed
        with watch.free():
            told = model.cause(rows[number - 1], output)
        report.cause = f"scenario {number}, {output}: {told}" if told else ""


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""
