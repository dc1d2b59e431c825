"""A simulation written down: .csv and .parquet tables, or a workbook with charts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from workbooks.errors import UnwritableError
from workbooks.ooxml.publish import check_target, claimed, published
from workbooks.scenarios.outcome import keep_apart
from workbooks.scenarios.simulate import Simulation
from workbooks.scenarios.statistics_table import Row, table
from workbooks.watch import Watch

#: The name of the second file of a .csv, with every draw, ends so.
DRAWS = ".draws.csv"
ENDINGS = (".csv", ".xlsx", ".parquet")
# Rows that a worksheet has.
_MOST_ROWS = 1_048_575


def write(
    simulation: Simulation, target: Path, *, keep_draws: bool = False, watch: Watch | None = None
) -> list[Row]:
    """Write what a simulation says; return its statistics.

    Each file takes the place of an earlier one when it is whole.

    Parameters
    ----------
    simulation : Simulation
        The draws and their results.
    target : Path
        A .csv, .xlsx or .parquet file. With the draws kept, a .csv gets a second file beside it,
        `NAME.draws.csv`; a .parquet file always holds the draws.
    keep_draws : bool
        Whether to write every draw down.
    watch : Watch, optional
        Told when a file is in place.
    """
    rows = table(simulation)
    ending = target.suffix.lower()
    if ending == ".csv":
        if keep_draws:
            with _whole(target.with_suffix(DRAWS), simulation, watch) as file:
                _write_csv(file, *_draws(simulation))
        with _whole(target, simulation, watch) as file:
            _write_csv(file, ["statistic", *simulation.task.outputs], _plain(rows))
    elif ending == ".parquet":
        with _whole(target, simulation, watch) as file:
            _write_parquet(simulation, file)
    else:
        with _whole(target, simulation, watch) as file:
            # Reading openpyxl's charts takes a while, and only this needs them.
            from workbooks.reports.simulation_book import write_book  # noqa: PLC0415

            write_book(simulation, rows, file, _draws(simulation) if keep_draws else None)
    return rows


@contextmanager
def _whole(target: Path, simulation: Simulation, watch: Watch | None) -> Iterator[IO[bytes]]:
    """Open a file that takes its place once it is whole; a new one has the mode of the workbook."""
    with (
        claimed(check_target(target, target)) as claim,
        published(claim, Path(simulation.task.path), watch=watch) as file,
    ):
        yield file


def check(target: Path, draws: int, sources: Sequence[Path] = (), *, keep_draws: bool) -> None:
    """Refuse what could not be written, or over what is read, before anything is computed."""
    if target.suffix.lower() not in ENDINGS:
        raise UnwritableError(f"{target}: a simulation is written to .csv, .xlsx or .parquet")
    if not target.parent.is_dir():
        raise UnwritableError(f"{target.parent} is no folder")
    mine = [target, target.with_suffix(DRAWS)] if keep_draws else [target]
    for one in mine:
        keep_apart(one, sources)
        check_target(one, one)
    if keep_draws and target.suffix.lower() == ".xlsx" and draws > _MOST_ROWS:
        raise UnwritableError(
            f"{draws:,} draws are more than a worksheet has rows; keep them in .csv or .parquet"
        )


def _plain(rows: Sequence[Row]) -> list[list[Any]]:
    return [[row.statistic, *("" if v is None else v for v in row.values)] for row in rows]


def _draws(simulation: Simulation) -> tuple[list[str], list[list[Any]]]:
    """Return the draws as rows: inputs, then outputs; an error as its code."""
    draws = simulation.draws
    columns: list[list[Any]] = [row.tolist() for row in draws.inputs]
    for values, codes in zip(draws.outputs, draws.codes, strict=True):
        cells: list[Any] = values.tolist()
        for place in np.flatnonzero(codes >= 0):
            cells[place] = draws.labels[int(codes[place])]
        columns.append(cells)
    header = ["draw", *simulation.task.risks.cells, *simulation.task.outputs]
    return header, [[i, *line] for i, line in enumerate(zip(*columns, strict=True), 1)]


def _write_csv(file: IO[bytes], header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    csv.writer(text).writerows([header, *rows])
    text.flush()
    text.detach()


def _write_parquet(simulation: Simulation, target: IO[bytes]) -> None:
    import pandas as pd  # noqa: PLC0415  (heavy, and only wanted here)

    draws, task = simulation.draws, simulation.task
    names = [*task.risks.cells, *task.outputs]
    frame = pd.DataFrame(dict(zip(names, [*draws.inputs, *draws.outputs], strict=True)))
    try:
        frame.to_parquet(target)
    except ImportError as error:
        raise UnwritableError("a .parquet file wants pyarrow; install it") from error
