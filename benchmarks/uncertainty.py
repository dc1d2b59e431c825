"""How many draws a second: templates all at once, and their peers in the same run.

    python benchmarks/uncertainty.py [DRAWS]

Prints draws a second through `breakeven`, to its runway and to its yearly loss, and through `plan`,
to its closing cash; the same one by one as a recalculation evaluates them; the engine's runway
alone; and LibreOffice recalculating the same file, where it is installed. Rates are of the
processor's time, which others on the machine disturb less. Ratios are what to compare: the machine
is the reader's. `benchmarks/workers.py` says what a second process adds, and
`benchmarks/engine_vectorised.py` holds the engine against NumPy and Numba.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from openpyxl import load_workbook

from engine import runway
from engine.uncertainty.distributions import Lognormal, Pert, Triangular, Uniform
from engine.uncertainty.draws import BLOCK
from workbooks.build import build
from workbooks.scenarios.risks import Risk, Risks
from workbooks.scenarios.runner import Runner, Task

CLOSING = "Cash, closing"

RISKS = Risks(
    (
        Risk("price_steady", Pert(0.5, 0.88, 1.2)),
        Risk("breakeven_steady", Pert(2, 3.88, 5)),
        Risk("tokens_per_day_steady", Lognormal(1e10, 3e9)),
        Risk("volume_growth_steady", Triangular(0, 0.5, 2)),
    )
)
PLAN_RISKS = Risks(
    (
        Risk("growth_base", Pert(0.01, 0.05, 0.09)),
        Risk("price_change_base", Uniform(-0.4, 0)),
        Risk("gpu_price_base", Lognormal(2.5, 0.4)),
    )
)
ONE_BY_ONE = 20


def main(draws: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = build("breakeven", Path(folder)).path
        to_runway = task(path, "runway_months")
        say("breakeven, to the yearly loss", through(task(path, "annual_loss"), draws))
        fast = say("breakeven, to the runway", through(to_runway, draws))
        say("breakeven, one by one", one_by_one(to_runway, ONE_BY_ONE), fast)
        if shutil.which("soffice"):
            say("breakeven, LibreOffice", libreoffice(path, folder), fast)
        drawn = to_runway.plan.block(0)
        say("the draws alone", rate(lambda: to_runway.plan.block(0), BLOCK), fast)
        given = (drawn[2], drawn[0], drawn[1], drawn[3])
        alone = rate(lambda: runway(np.full(BLOCK, 305e6), *given), BLOCK)
        say("the engine's runway alone", alone, fast)
        plan = build("plan", Path(folder)).path
        to_cash = Task(str(plan), PLAN_RISKS, (closing_cash(plan),), 1, "random")
        fast = say("plan, to the closing cash", through(to_cash, draws))
        if shutil.which("soffice"):
            say("plan, LibreOffice", libreoffice(plan, folder), fast)


def say(told: str, draws: float, fast: float = 0.0) -> float:
    """Print a rate at once, and how many times as fast the whole workbook went."""
    print(f"{told:32} {draws:14,.2f} draws/s", f"1/{fast / draws:,.1f}" if fast else "", flush=True)
    return draws


def one_by_one(one: Task, draws: int) -> float:
    with ExitStack() as stack:
        runner = Runner(one, stack)
        runner.program = None
        return rate(lambda: runner.block(0, draws), draws)


def task(path: Path, output: str) -> Task:
    return Task(str(path), RISKS, (output,), 1, "random")


def closing_cash(plan: Path) -> str:
    """Return the cell of the last month's closing cash."""
    sheet = load_workbook(plan)["Base"]
    row = next(r for r in range(1, sheet.max_row + 1) if sheet.cell(r, 1).value == CLOSING)
    cell = max((c for c in sheet[row] if c.value is not None), key=lambda c: c.column)
    return f"Base!{cell.coordinate}"


def through(one: Task, draws: int, block: int = BLOCK) -> float:
    with ExitStack() as stack:
        runner = Runner(one, stack)
        runner.checked(block)
        assert not runner.reason, runner.reason
        blocks = max(draws // block, 1)
        started = time.process_time()
        for number in range(blocks):
            runner.block(number, block)
        return blocks * block / (time.process_time() - started)


def rate(work: Callable[[], object], draws: int) -> float:
    started = time.process_time()
    work()
    return draws / (time.process_time() - started)


def libreoffice(path: Path, folder: str) -> float:
    """Return files a second of LibreOffice, by the processor's time of its process."""
    command = ["soffice", "--headless", "--convert-to", "ods", "--outdir", folder, str(path)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1 / (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else BLOCK)
