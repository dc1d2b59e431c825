"""How much faster two processes draw than one, and what a draw costs a core.

    python benchmarks/workers.py [BLOCKS]

Prints, for the templates `breakeven` and `plan`, draws a second and core (by the time that the
processor spent), and how many times as fast two processes are as one: the second half of a run,
when all have opened the workbook. On a machine that is busy the ratio says what the others left.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from uncertainty import RISKS

from engine.uncertainty.distributions import Pert
from engine.uncertainty.draws import BLOCK
from workbooks.build import build
from workbooks.scenarios import simulate as module
from workbooks.scenarios.drawn import summary_of
from workbooks.scenarios.risks import Risk, Risks
from workbooks.scenarios.runner import Runner, Task
from workbooks.scenarios.simulate import simulate
from workbooks.workers import Where

PLAN = Risks(
    (
        Risk("price_level_base", Pert(0.7, 1, 1.3)),
        Risk("churn_base", Pert(0.01, 0.02, 0.05)),
        Risk("gpu_price_base", Pert(2, 3, 4)),
    )
)


def main(blocks: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = build("breakeven", Path(folder)).path
        alone = a_core(path, RISKS, "annual_loss", BLOCK)
        print(f"breakeven, to the yearly loss: {alone:,.0f} draws/s and core", flush=True)
        one, two = (rate(path, count, blocks) for count in (1, 2))
        print(f"one process {one:,.0f}/s, two {two:,.0f}/s: {two / one:.2f} times", flush=True)
        path = build("plan", Path(folder)).path
        alone = a_core(path, PLAN, "lowest_base_shown", BLOCK // 2)
        print(f"plan, to the lowest cash: {alone:,.0f} draws/s and core")


def a_core(path: Path, risks: Risks, output: str, size: int) -> float:
    """Return draws a second of one core, with what is kept of more than memory holds."""
    with ExitStack() as stack:
        runner = Runner(Task(str(path), risks, (output,), 1, "random"), stack)
        runner.checked(size)
        assert not runner.reason, runner.reason
        for number in range(5):
            if number == 1:
                started = time.process_time()
            draws = runner.block(number, size)
            summary_of(draws, runner.task.outputs, ())
        return 4 * size / (time.process_time() - started)


def rate(path: Path, count: int, blocks: int) -> float:
    """Return draws a second of wall time, of the second half of a run."""
    marks: list[tuple[float, int]] = []

    def tell(_stage: str, done: int, total: int) -> None:
        if 2 * done >= total:
            marks.append((time.perf_counter(), done))

    # Beyond what is kept, as where many processes are worth their while.
    module.MOST_EXACT = 1
    simulate(
        path, RISKS, ["annual_loss"], blocks * BLOCK, where=Elsewhere(count), progress=tell
    )  # fmt: skip
    (began, first), (ended, last) = marks[0], marks[-1]
    return (last - first) / (ended - began)


class Elsewhere(Where):
    """Other processes, even if it is one alone: so both ways hand over what they draw."""

    here = False


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 64)
