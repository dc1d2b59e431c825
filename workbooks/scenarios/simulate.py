"""A workbook over random inputs: draws by blocks, and what they say of its outputs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.uncertainty.digest import Moments, moments_of
from engine.uncertainty.draws import BLOCK, Sampling, sizes
from workbooks.errors import BadInputError
from workbooks.recalc.report import Unreproduced
from workbooks.scenarios.drawn import (
    Condition,
    Draws,
    Exact,
    Results,
    Summary,
    joined,
    lost,
    summary_of,
)
from workbooks.scenarios.model import Model, each_cell
from workbooks.scenarios.risks import Risks
from workbooks.scenarios.runner import Runner, Task
from workbooks.scenarios.travelling import put_down
from workbooks.workers import Where, crew
from workbooks.workers.tasks import Job as Elsewhere
from workbooks.workers.tasks import results

Array = NDArray[np.float64]

#: Draws that are held whole at most; beyond, they are counted by classes.
MOST_EXACT = 25_000_000
# Of more than that the first blocks are kept, and summaries are put together by so many.
_SAMPLE, _TOGETHER = 16, 32
# Blocks of which nothing else is kept that are drawn in one go.
_GROUP = 8
# Of the memory that is free, draws may take this share.
_SHARE = 0.5
_BYTES = 8
# What a normal variable exceeds on both sides once in twenty times.
_TWO_SIDED = 1.959963984540054
_HERE = Where()

Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Simulation:
    """What was drawn, and how.

    `draws` are all of them, or the first where there are more than memory holds; then `summary`
    says what is kept of all.
    """

    task: Task
    draws: Draws
    blocks: int
    reason: str = ""
    converged: bool | None = None
    conditions: list[Condition] = field(default_factory=list)
    unreproduced: list[Unreproduced] = field(default_factory=list)
    baseline: str = ""
    summary: Summary | None = None
    #: For each output where the error of the first draw in error begins, and why.
    causes: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many draws there are."""
        return self.draws.codes.shape[1] if self.summary is None else self.summary.draws

    @property
    def sample(self) -> Draws:
        """Return the draws that say what hangs on what: the first million, which are enough."""
        some, most = self.draws, _SAMPLE * BLOCK
        return Draws(
            some.inputs[:, :most], some.outputs[:, :most], some.codes[:, :most], some.labels
        )

    def results(self, place: int) -> Results:
        """Return the numbers of an output."""
        if self.summary is not None:
            return self.summary.digests[place]
        row = self.draws.outputs[place]
        return Exact(row[~np.isnan(row)])

    def lost(self, place: int) -> Mapping[str, int]:
        """Return how often an output is which error or text."""
        if self.summary is not None:
            return self.summary.lost[place]
        return lost(self.draws.codes[place], self.draws.labels)

    def share(self, one: Condition) -> float:
        """Return the share of all draws in which a condition holds."""
        if self.summary is not None:
            return self.summary.held[self.conditions.index(one)] / self.count
        return float(one.holds(self.draws.outputs[self.task.outputs.index(one.output)]).mean())


class Part(NamedTuple):
    """Blocks of `size` draws: the draws, where they are kept, a summary, where one is wanted."""

    draws: Draws | None
    summary: Summary | None
    moments: tuple[Moments, ...]
    size: int


def simulate(
    path: Path,
    risks: Risks,
    outputs: Sequence[str],
    draws: int,
    *,
    seed: int = 0,
    sampling: Sampling = "random",
    conditions: Sequence[Condition] = (),
    precision: float | None = None,
    where: Where = _HERE,
    keep_draws: bool = False,
    progress: Progress | None = None,
    baseline: bool = True,
) -> Simulation:
    """Draw the inputs of a workbook and compute its outputs.

    Parameters
    ----------
    path : Path
        The workbook; it is not changed.
    risks : Risks
        What varies.
    outputs : sequence of str
        Cells wanted, as `Sheet!B5` or a defined name.
    draws : int
        How many; beyond 65,536 they are rounded up to whole blocks of so many [-].
    seed : int
        Where the random numbers start [-].
    sampling : str
        "random", "latin" or "sobol".
    conditions : sequence of Condition
        What is to be told of the outputs; their outputs are computed too.
    precision : float, optional
        Stop once the 95 % interval of each mean is narrower than this share of it on both sides;
        `draws` is then the most [-].
    where : Where
        Who draws the blocks: this process, others, or a cluster. All give the same results.
    keep_draws : bool
        Refuse more draws than memory holds. Without it, beyond that and beyond 25,000,000 the
        draws are counted by classes, which gives quantiles to 0.0061 %; the first million is kept.
    progress : callable, optional
        Told "simulate", the draws done, and of how many.
    baseline : bool
        First hold the workbook as it stands against what Excel saved.

    Returns
    -------
    Simulation
        The draws and their results, and what is to be told of them.
    """
    wanted = list(dict.fromkeys([*each_cell(outputs), *(one.output for one in conditions)]))
    whole = _held(draws, len(risks.risks) + len(wanted), keep_draws=keep_draws)
    task = Task(str(path), risks, tuple(wanted), seed, sampling, conditions=tuple(conditions))
    blocks = sizes(draws)
    tell = progress or (lambda *_: None)
    kept: list[Draws] = []
    summaries: list[Summary] = []
    moments = [Moments()] * len(wanted)
    count = 0
    with ExitStack() as stack:
        runner = Runner(task, stack)
        missed, untold = runner.model.unreproduced() if baseline else ([], "not asked for")
        runner.checked(blocks[0])
        task = replace(task, one_by_one=runner.reason)
        converged = None if precision is None else False
        with _blocks(task, runner, blocks, where, whole=whole) as results:
            for part in results:
                if part.draws is not None:
                    kept.append(part.draws)
                if part.summary is not None:
                    summaries.append(part.summary)
                if len(summaries) >= _TOGETHER:
                    summaries = [joined(summaries)]
                moments = [a.joined(b) for a, b in zip(moments, part.moments, strict=True)]
                count += part.size
                tell("simulate", count, sum(blocks))
                if precision is not None and _precise(moments, precision):
                    converged = True
                    break
        gathered = _gathered(kept)
        causes = [
            _cause(runner.model, gathered, place, name) for place, name in enumerate(task.outputs)
        ]
    for place, (name, known) in enumerate(zip(task.outputs, moments, strict=True)):
        if not known.count:
            told = gathered.labels[int(gathered.codes[place, 0])]
            why = f"; {causes[place]}" if causes[place] else ""
            raise BadInputError(
                f"{name} is no number in any draw; in the first it is {told!r}{why}"
            )
    return Simulation(
        task, gathered, count // blocks[0], runner.reason, converged, list(conditions),
        missed, untold,
        joined(summaries) if summaries else None, causes,
    )  # fmt: skip


def _cause(model: Model, draws: Draws, place: int, name: str) -> str:
    """Return where the error begins that an output shows in its first draw in error, and why."""
    errors = [i for i, label in enumerate(draws.labels) if label.startswith("#")]
    lost = np.flatnonzero(np.isin(draws.codes[place], errors))
    if not len(lost):
        return ""
    return model.cause([float(value) for value in draws.inputs[:, lost[0]]], name)


@contextmanager
def _blocks(
    task: Task, runner: Runner, blocks: Sequence[int], where: Where, *, whole: bool
) -> Iterator[Iterator[Part]]:
    """Give the blocks in their order, computed here or elsewhere."""
    tasks = _tasks(blocks, whole=whole, together=1 if task.one_by_one else _GROUP)
    if where.here or (len(blocks) == 1 and not where.scheduler):
        yield (_part(runner, *one) for one in tasks)
        return
    job = Elsewhere(_opened, (runner.content(), task), _part, "block")
    with crew(where) as others:
        yield results(others, job, tasks)


def _tasks(
    blocks: Sequence[int], *, whole: bool, together: int
) -> Iterator[tuple[int, Sequence[int], bool, bool]]:
    """Yield what is drawn by one: the first block, the sizes, whether draws are kept, and counted.

    Blocks of which only a summary is kept go together, so that less is handed over; how many does
    not hang on who draws them.
    """
    first = 0
    while first < len(blocks):
        keep = whole or first < _SAMPLE
        count = 1 if keep else together
        yield first, blocks[first : first + count], keep, not whole
        first += count


def _part(runner: Runner, first: int, sizes: Sequence[int], keep: bool, summarise: bool) -> Part:
    """Return what is kept of some blocks; of those whose draws are, there is one."""
    if not summarise:
        draws = runner.block(first, sizes[0])
        known = (row[~np.isnan(row)] for row in draws.outputs)
        return Part(draws, None, tuple(moments_of(row) for row in known), sizes[0])
    summaries = []
    for number, size in enumerate(sizes, first):
        draws = runner.block(number, size)
        summaries.append(summary_of(draws, runner.task.outputs, runner.task.conditions))
    summary = joined(summaries)
    moments = tuple(one.moments for one in summary.digests)
    return Part(draws if keep else None, summary, moments, sum(sizes))


def _opened(shared: tuple[bytes, Task], stack: ExitStack) -> Runner:
    """Open a workbook of which there are the bytes, on a worker."""
    content, task = shared
    path = put_down(content, Path(task.path).name, stack)
    return Runner(replace(task, path=str(path)), stack)


def _held(draws: int, rows: int, *, keep_draws: bool) -> bool:
    """Tell whether all draws are held in memory; refuse those that are to be, and cannot."""
    if draws < 2:
        raise BadInputError(f"{draws} draws; 2 or more are wanted")
    free = _free_memory()
    fit = int(free * _SHARE / (rows * _BYTES)) // BLOCK * BLOCK if free else draws
    if keep_draws and draws > max(fit, BLOCK):
        raise BadInputError(
            f"{draws:,} draws of {rows} inputs and outputs do not fit in memory; {fit:,} would"
        )
    return keep_draws or draws <= max(min(fit, MOST_EXACT), BLOCK)


def _free_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        # A system that does not say how much memory it has.
        return 0


def _precise(moments: Sequence[Moments], precision: float) -> bool:
    return all(
        one.count > 1 and _TWO_SIDED * one.standard_error() <= precision * abs(one.mean)
        for one in moments
    )


def _gathered(blocks: Sequence[Draws]) -> Draws:
    """Return blocks one after the other, with one table of labels."""
    labels = tuple(sorted({label for block in blocks for label in block.labels}))
    codes = []
    for block in blocks:
        table = np.array([*(labels.index(label) for label in block.labels), -1], dtype=np.int16)
        codes.append(table[block.codes])
    return Draws(
        np.concatenate([block.inputs for block in blocks], axis=1),
        np.concatenate([block.outputs for block in blocks], axis=1),
        np.concatenate(codes, axis=1),
        labels,
    )
