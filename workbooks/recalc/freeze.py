"""A copy of a workbook whose TOK_ cells hold plain values, for readers without the add-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from workbooks.recalc import Report, UnwritableError, setup_for
from workbooks.recalc.run import recalculate_file


def freeze(
    path: str | Path,
    output: str | Path,
    *,
    functions: Mapping[str, Any] | None = None,
    seed: int = 0,
    clock: datetime | None = None,
    deadline: float | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Report:
    """Recalculate a workbook into a copy in which own functions have become their values.

    Ordinary formulas stay, so that the copy still calculates wherever it is opened.

    Parameters
    ----------
    path : str or Path
        The workbook.
    output : str or Path
        The copy; never the workbook itself, whose formulas would be lost.
    functions, seed, clock, deadline, progress
        As of `workbooks.recalc.recalculate`.

    Returns
    -------
    Report
        What was evaluated; TOK_ cells that could not be keep their formula [-].
    """
    source, target = Path(path), Path(output)
    if target.exists() and source.exists() and target.samefile(source):
        raise UnwritableError(f"{target}: freezing a workbook in place would lose its formulas")
    return recalculate_file(
        source,
        target,
        setup_for(functions, seed=seed, clock=clock, deadline=deadline, progress=progress),
        freeze=True,
    )
