"""How many draws a second: a template all at once, and its peers in the same run.

    python benchmarks/uncertainty.py [DRAWS]

Prints draws a second through `breakeven`, to its yearly loss and to its runway; the same one by one
as a recalculation evaluates them; the engine's chain alone; and LibreOffice recalculating the same
file, where it is installed. Ratios are what to compare: the machine is the reader's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from engine import runway
from engine.uncertainty.distributions import Lognormal, Pert, Triangular
from engine.uncertainty.draws import BLOCK
from workbooks.build import build
from workbooks.scenarios.risks import Risk, Risks
from workbooks.scenarios.simulate import Runner, Task

RISKS = Risks(
    (
        Risk("price_steady", Pert(0.5, 0.88, 1.2)),
        Risk("breakeven_steady", Pert(2, 3.88, 5)),
        Risk("tokens_per_day_steady", Lognormal(1e10, 3e9)),
        Risk("volume_growth_steady", Triangular(0, 0.5, 2)),
    )
)
ONE_BY_ONE = 20


def main(draws: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = build("breakeven", Path(folder)).path
        rates: dict[str, float] = {}
        for what, output in (("yearly loss", "annual_loss"), ("runway", "runway_months")):
            rates[f"all at once, to the {what}"] = through(path, output, draws)
        with ExitStack() as stack:
            runner = Runner(task(path, "runway_months"), stack)
            runner.program = None
            rates["one by one, to the runway"] = rate(
                lambda: runner.block(0, ONE_BY_ONE), ONE_BY_ONE
            )
        plan = task(path, "runway_months").plan
        rates["the draws alone"] = rate(lambda: plan.block(0), BLOCK)
        drawn = plan.block(0)
        given = (drawn[2], drawn[0], drawn[1], drawn[3])
        rates["the engine's runway alone"] = rate(
            lambda: runway(np.full(BLOCK, 305e6), *given), BLOCK
        )
        if shutil.which("soffice"):
            rates["LibreOffice, a file a draw"] = rate(lambda: libreoffice(path, folder), 1)
        fastest = max(rates.values())
        for name, value in rates.items():
            print(f"{name:36} {value:12,.1f} draws/s   1/{fastest / value:,.1f}")


def task(path: Path, output: str) -> Task:
    return Task(str(path), RISKS, (output,), 1, "random")


def through(path: Path, output: str, draws: int) -> float:
    with ExitStack() as stack:
        runner = Runner(task(path, output), stack)
        runner.checked(BLOCK)
        assert not runner.reason, runner.reason
        blocks = max(draws // BLOCK, 1)
        started = time.perf_counter()
        for number in range(blocks):
            runner.block(number, BLOCK)
        return blocks * BLOCK / (time.perf_counter() - started)


def rate(work: Callable[[], object], draws: int) -> float:
    started = time.perf_counter()
    work()
    return draws / (time.perf_counter() - started)


def libreoffice(path: Path, folder: str) -> None:
    command = ["soffice", "--headless", "--convert-to", "ods", "--outdir", folder, str(path)]
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else BLOCK)
