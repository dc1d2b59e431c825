"""A workbook as a function: many scenarios in, the values of some cells out.

The workbook is read once. Scenarios of numbers are computed together where the model allows
it; for any other, its cells are set, and the workbook is evaluated anew. Rows are gathered as they
come, so that a sweep that was stopped can go on; the result is put in its place when all are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from udfs.cells import Cell, CellError
from workbooks.calc.protocol import CalculatorError
from workbooks.errors import BadInputError, DeadlineError, RefusedError, UnwritableError
from workbooks.ooxml.publish import check_target, claimed
from workbooks.recalc import setup_for
from workbooks.recalc.report import Unreproduced
from workbooks.recalc.run import opened
from workbooks.scenarios.model import Model, each_cell
from workbooks.scenarios.outcome import Gathered, check_result, mark_of, part_of
from workbooks.scenarios.table import read_scenarios
from workbooks.scenarios.travelling import content_of, put_down
from workbooks.watch import Watch, guarded
from workbooks.workers import Where, crew
from workbooks.workers.tasks import Job, results

_ERROR = "error"
_NUMBER = "scenario"
_HERE = Where()
# Scenarios that go to a worker together.
_TOGETHER = 16

#: The values of the outputs, or why the scenario is refused.
Outcome: TypeAlias = tuple[Sequence[Cell | CalculatorError], str]


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
    where: Where = _HERE,
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
    where : Where
        Who evaluates the scenarios that are not computed together: this process, others, or a
        cluster. All give the same results; others know no functions but Tokenbook's.

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
            alone = [n for n in range(gathered.count + 1, len(rows) + 1) if n not in at_once]
            if where.here or not alone:
                outcomes: Iterator[Outcome] = (_one(evaluated, rows[n - 1]) for n in alone)
            else:
                if functions is not None:
                    raise BadInputError("functions of your own cannot be sent to workers")
                others = stack.enter_context(crew(where))
                shared = Shared(content_of(model, job), model.name, cells, outputs, seed, clock)
                parts = [alone[i : i + _TOGETHER] for i in range(0, len(alone), _TOGETHER)]
                tasks = [([rows[n - 1] for n in part],) for part in parts]
                told = Job(_opened, shared, _each, "scenarios")
                outcomes = chain.from_iterable(results(others, told, tasks))
            known = _Known(at_once, outcomes)
            _run(gathered, evaluated, known, rows, outputs, report, progress or _silent, watch)
        report.bad = gathered.bad
        gathered.finish(claim, watch)
    return report


def _run(
    gathered: Gathered,
    model: Model,
    known: _Known,
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
        with watch.free():
            values, why = known.of(number)
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


class Shared(NamedTuple):
    """What a worker needs for any scenario."""

    content: bytes
    name: str
    cells: Sequence[str]
    outputs: Sequence[str]
    seed: int
    clock: datetime | None


class _Known(NamedTuple):
    """The scenarios that were computed together, and the others in their order."""

    at_once: Mapping[int, Sequence[Cell | CalculatorError]]
    others: Iterator[Outcome]

    def of(self, number: int) -> Outcome:
        """Return what came of a scenario; they are asked for in their order."""
        return (self.at_once[number], "") if number in self.at_once else next(self.others)


def _opened(shared: Shared, stack: ExitStack) -> Model:
    """Open the workbook on a worker."""
    setup = setup_for(seed=shared.seed, clock=shared.clock)
    job = stack.enter_context(opened(put_down(shared.content, shared.name, stack), setup))
    return Model(job, shared.cells, shared.outputs, setup.functions)


def _each(model: Model, rows: Sequence[Sequence[Cell]]) -> list[Outcome]:
    return [_one(model, row) for row in rows]


def _one(model: Model, row: Sequence[Cell]) -> Outcome:
    try:
        return model(row), ""
    except (DeadlineError, UnwritableError):
        raise
    except RefusedError as refused:
        return [], str(refused)


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""
