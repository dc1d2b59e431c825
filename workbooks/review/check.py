"""A workbook checked: whether its values are right, calculators agree, and formulas are sound."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from udfs.cells import Cell, CellError
from workbooks.formula.address import column_number, full_name
from workbooks.ooxml.scan import CELL_ATTRIBUTES, COLUMN, FORMULA, ROW, VALUE
from workbooks.recalc import Cause, CellProblem, Change, RefusedError, Unevaluated, setup_for
from workbooks.recalc.freeze import freeze
from workbooks.recalc.job import Job
from workbooks.recalc.results import Results
from workbooks.recalc.run import opened
from workbooks.recalc.splice import old_value
from workbooks.review.cross_check import Disagreement, OtherCalculatorError, agree, ask, side
from workbooks.review.lint import Lint, Linter

_NOT_THERE = ("#NAME?",)


@dataclass(slots=True)
class CheckReport:
    """What was found.

    `differences` are cells whose value in the file is not what comes out; `unvalued` counts those
    that hold none. `disagreements` are native formulas for which IronCalc has another value.
    `sides` says for each differing cell which calculator has the value of the file, where IronCalc
    was asked about it; `second_calculator` says how many were compared, or why none were.
    """

    evaluated: int = 0
    differences: list[Change] = field(default_factory=list)
    difference_count: int = 0
    unvalued: int = 0
    causes: list[Cause] = field(default_factory=list)
    errors: list[CellProblem] = field(default_factory=list)
    unevaluated: list[Unevaluated] = field(default_factory=list)
    lints: list[Lint] = field(default_factory=list)
    disagreements: list[Disagreement] = field(default_factory=list)
    sides: dict[str, str] = field(default_factory=dict)
    second_calculator: str = ""
    warnings: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """Whether every value in the file is what comes out, and no calculator says otherwise."""
        return not (self.difference_count or self.unvalued or self.disagreements)


def check(
    path: str | Path,
    *,
    functions: Mapping[str, Any] | None = None,
    seed: int = 0,
    clock: datetime | None = None,
    deadline: float | None = None,
    second_calculator: bool = True,
    progress: Callable[[str, int, int], None] | None = None,
) -> CheckReport:
    """Recompute a workbook, compare with the values it holds, and look through its formulas.

    Parameters
    ----------
    path : str or Path
        The workbook; it is not changed.
    functions, seed, clock, deadline, progress
        As of `workbooks.recalc.recalculate`.
    second_calculator : bool
        Ask IronCalc too, where it is installed.

    Returns
    -------
    CheckReport
        Differences, disagreements and what is questionable [-].
    """
    path = Path(path)
    found = CheckReport()
    setup = setup_for(functions, seed=seed, clock=clock, deadline=deadline, progress=progress)
    with opened(path, setup) as job:
        job.evaluate()
        Results(job).tell()
        report = job.report
        found.evaluated = report.evaluated
        found.differences = [c for c in report.changed if c.old is not None]
        found.unvalued = sum(c.old is None for c in report.changed)
        found.difference_count = report.changed_count - found.unvalued
        found.causes = report.causes
        found.errors, found.unevaluated = report.errors, report.unevaluated
        found.warnings = report.warnings
        found.lints = list(Linter(job).lints())
        held = _held(job) if second_calculator else {}
    if second_calculator:
        _ask_other(path, found, held, functions, seed=seed, clock=clock)
    return found


def _ask_other(
    path: Path,
    found: CheckReport,
    held: Mapping[str, Cell],
    functions: Mapping[str, Any] | None,
    *,
    seed: int,
    clock: datetime | None,
) -> None:
    with tempfile.TemporaryDirectory(prefix="tokenbook-") as folder:
        copy = Path(folder) / f"frozen{path.suffix}"
        try:
            freeze(path, copy, functions=functions, seed=seed, clock=clock)
            theirs = ask(copy)
        except (OtherCalculatorError, RefusedError) as error:
            found.second_calculator = str(error)
            return
        with opened(copy, setup_for(functions)) as job:
            ours = _held(job)
    differing = {change.address for change in found.differences}
    compared = unknown = 0
    for address, value in ours.items():
        other = theirs.get(address)
        if address not in theirs:
            continue
        if isinstance(other, CellError) and other.code in _NOT_THERE and value != other:
            unknown += 1
            continue
        compared += 1
        if not agree(value, other):
            told = side(held.get(address), value, other)
            found.disagreements.append(Disagreement(address, value, other, told))
        if address in differing:
            found.sides[address] = side(held.get(address), value, other)
    found.second_calculator = f"IronCalc computed {compared} native formulas" + (
        f" and does not know what {unknown} others need" if unknown else ""
    )


def _held(job: Job) -> dict[str, Cell]:
    """Return the values that the formula cells of a workbook hold."""
    held = {}
    for info in job.book.sheets:
        for rows in job.sheets.rows(info, []):
            for match in FORMULA.finditer(rows):
                address = full_name(
                    info.name, int(match[ROW]), column_number(match[COLUMN].decode())
                )
                held[address] = old_value(match[CELL_ATTRIBUTES], match[VALUE])
    return held
