"""Recalculation of workbooks without a spreadsheet program.

The values of a workbook are computed by an embedded calculator that calls the TOK_ functions, and
spliced into the file; nothing else in it changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbooks.errors import (
    BadInputError,
    DeadlineError,
    NotAWorkbookError,
    RefusedError,
    UnsafeFileError,
    UnwritableError,
)
from workbooks.recalc.inputs import as_value, load_inputs
from workbooks.recalc.report import Cause, CellProblem, Change, Moved, Report, Unevaluated

if TYPE_CHECKING:
    from workbooks.recalc.run import Setup

#: How long a recalculation may take where nothing is said [s].
DEADLINE = 600.0
#: What the calculator takes for a seed.
LARGEST_SEED = (1 << 64) - 1
#: Dates of workbooks begin here.
FIRST_YEAR = 1900
#: The longest deadline, a week [s].
LONGEST = 7 * 24 * 3600

__all__ = [
    "BadInputError",
    "Cause",
    "CellProblem",
    "Change",
    "DeadlineError",
    "Moved",
    "NotAWorkbookError",
    "RefusedError",
    "Report",
    "Unevaluated",
    "UnsafeFileError",
    "UnwritableError",
    "as_value",
    "check_deadline",
    "load_inputs",
    "recalculate",
]


def recalculate(
    path: str | Path,
    output: str | Path | None = None,
    *,
    set_values: Sequence[tuple[str, Any]] = (),
    force: bool = False,
    functions: Mapping[str, Any] | None = None,
    seed: int = 0,
    clock: datetime | None = None,
    deadline: float | None = DEADLINE,
    progress: Callable[[str, int, int], None] | None = None,
    dry_run: bool = False,
    baseline: bool = True,
    isolate: bool = False,
    max_memory: int | None = None,
) -> Report:
    """Recalculate a workbook and write the values back, in place or to another file.

    Parameters
    ----------
    path : str or Path
        The workbook: .xlsx, .xlsm, .xltx or .xltm.
    output : str or Path, optional
        Where the result goes; the workbook itself without it.
    set_values : sequence of (str, value)
        Cells to be set first, as `Sheet!B3` or a defined name, with a number, text or truth value.
    force : bool
        Set cells that hold a formula, and write over a workbook that is open elsewhere.
    functions : mapping, optional
        Worksheet functions by name; all TOK_ functions without it.
    seed : int
        What RAND and its kin start from [-].
    clock : datetime, optional
        The local time that TODAY and NOW give; the time of the machine without it.
    deadline : float, optional
        How long all of it may take, 10 minutes if not given; None is without end [s].
    progress : callable, optional
        Told the stage ("read", "load", "evaluate", "write"), how much is done, and of how much.
    dry_run : bool
        Compute and report, but write nothing.
    baseline : bool
        Hold the values of a file that Excel saved against what comes out of it as it stands; cells
        that are not reproduced are listed, and keep Excel's value where nothing they depend on
        was changed.
    isolate : bool
        Work in a process of its own, so that a crash of the calculator is a refusal; own
        functions have to be importable there, and progress is not told.
    max_memory : int, optional
        What such a process may take, half of the machine if not given [B].

    Returns
    -------
    Report
        What was evaluated, changed, is in error, or could not be evaluated [-].

    Raises
    ------
    RefusedError
        The input is refused, and no file has been touched.
    """
    if isolate:
        from workbooks.recalc.isolated import recalculate_apart  # noqa: PLC0415
        from workbooks.supervise import memory_limit  # noqa: PLC0415

        options = {
            "set_values": set_values,
            "force": force,
            "functions": functions,
            "seed": seed,
            "clock": clock,
            "dry_run": dry_run,
            "baseline": baseline,
        }
        target = None if output is None else Path(output)
        memory = max_memory or memory_limit(None)
        return recalculate_apart(Path(path), target, memory, deadline, options)
    from workbooks.recalc.run import recalculate_file  # noqa: PLC0415

    return recalculate_file(
        Path(path),
        None if output is None else Path(output),
        setup_for(functions, seed=seed, clock=clock, deadline=deadline, progress=progress),
        set_values=set_values,
        force=force,
        dry_run=dry_run,
        baseline=baseline,
    )


def setup_for(
    functions: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    clock: datetime | None = None,
    deadline: float | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Setup:
    """Return what a recalculation needs besides its workbook; see `recalculate`."""
    _check(seed, clock, deadline)
    # The calculator and the functions load only when something is to be computed.
    from workbooks.calc.formualizer import FormualizerCalculator  # noqa: PLC0415
    from workbooks.calc.protocol import Settings  # noqa: PLC0415
    from workbooks.recalc.run import Setup  # noqa: PLC0415

    return Setup(
        functions=_Declared() if functions is None else functions,
        make_calculator=FormualizerCalculator,
        settings=Settings(
            seed=seed,
            clock=clock,
            deadline=None if deadline is None else time.monotonic() + deadline,
        ),
        progress=progress or _silent,
        prefix="TOK_" if functions is None else "",
        versions=_versions if functions is None else dict,
    )


def _check(seed: int, clock: datetime | None, deadline: float | None) -> None:
    if not 0 <= seed <= LARGEST_SEED:
        raise BadInputError(f"the seed is {seed}; it goes from 0 to {LARGEST_SEED}")
    if clock is not None and clock.year < FIRST_YEAR:
        raise BadInputError(f"the time is {clock}; dates of workbooks begin with {FIRST_YEAR}")
    check_deadline(deadline)


def check_deadline(deadline: float | None) -> None:
    """Refuse a deadline that is none [s]."""
    if deadline is not None and not 0 < deadline <= LONGEST:
        raise BadInputError(
            f"the deadline is {deadline} s; it is more than 0 and at most {LONGEST:,} s"
        )


class _Declared(Mapping[str, Any]):
    """All TOK_ functions, imported with the engine behind them when the first is asked for."""

    def __getitem__(self, name: str) -> Any:
        return self._registry[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry)

    def __len__(self) -> int:
        return len(self._registry)

    @property
    def _registry(self) -> Mapping[str, Any]:
        from udfs.declare import registry  # noqa: PLC0415

        return registry


def _versions() -> Mapping[str, str]:
    """Return the versions of what the TOK_ functions compute with."""
    from udfs.versions import versions  # noqa: PLC0415

    return versions()


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""
