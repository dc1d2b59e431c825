"""A simulation written down: .csv and .parquet tables, or a workbook with charts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from engine.uncertainty.digest import RELATIVE_ERROR
from workbooks.errors import UnwritableError
from workbooks.ooxml.publish import check_target, claimed, published
from workbooks.scenarios.outcome import keep_apart
from workbooks.scenarios.simulate import Simulation
from workbooks.scenarios.statistics_table import Row, table
from workbooks.watch import Watch

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

#: The name of the second file of a .csv, with every draw, ends so.
DRAWS = ".draws.csv"
ENDINGS = (".csv", ".xlsx", ".parquet")
_CLASSES = 40
_POINTS = 101
# Rows that a worksheet has.
_MOST_ROWS = 1_048_575
_WIDE, _HIGH = 22, 9


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
            _write_book(simulation, rows, file, keep_draws=keep_draws)
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


def about(simulation: Simulation) -> list[tuple[str, Any]]:
    """Return what someone needs who wants the same numbers again."""
    task = simulation.task
    told: list[tuple[str, Any]] = [
        ("workbook", Path(task.path).name),
        ("draws", simulation.count),
        ("seed", task.seed),
        ("sampling", task.sampling),
        ("random numbers", "Philox-4x64-10 by blocks of 65,536"),
        ("computed", "all draws at once" if not simulation.reason else
         f"one draw after the other: {simulation.reason}"),
    ]  # fmt: skip
    if simulation.summary is not None:
        told += [
            ("quantiles", f"by classes, each within {RELATIVE_ERROR:.1e} of itself"),
            ("rank correlations and shares of variance",
             f"of the first {simulation.draws.codes.shape[1]:,} draws"),
        ]  # fmt: skip
    if simulation.converged is not None:
        told.append(("precision reached", "yes" if simulation.converged else "no"))
    told += [(name, version(name)) for name in ("tokenbook", "numpy", "formualizer")]
    return told


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


# --- the workbook ---------------------------------------------------------------------------------


def _write_book(
    simulation: Simulation, rows: Sequence[Row], target: IO[bytes], *, keep_draws: bool
) -> None:
    from openpyxl import Workbook  # noqa: PLC0415  (heavy, and only wanted here)

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Statistics"
    _fill(sheet, ["statistic", *simulation.task.outputs], _plain(rows))
    for place, name in enumerate(simulation.task.outputs):
        _chart_sheet(book, simulation, rows, place, name)
    if len(simulation.task.outputs) > 1:
        _fan(book, simulation, rows)
    _fill(book.create_sheet("About"), ["what", "value"], about(simulation))
    if keep_draws:
        _fill(book.create_sheet("Draws"), *_draws(simulation))
    book.save(target)


def _fill(sheet: Worksheet, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from openpyxl.styles import Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    sheet.append(list(header))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for row in rows:
        sheet.append(list(row))
    for column, name in enumerate(header, 1):
        texts = [len(str(row[column - 1])) for row in rows if isinstance(row[column - 1], str)]
        width = max([len(name), 14, *texts]) + 2
        sheet.column_dimensions[get_column_letter(column)].width = min(width, 60)
    sheet.freeze_panes = "B2"


def _chart_sheet(
    book: Workbook, simulation: Simulation, rows: Sequence[Row], place: int, name: str
) -> None:
    """Draw histogram, S-curve and tornado of one output, their numbers beside them."""
    from openpyxl.chart import BarChart, Reference, ScatterChart, Series  # noqa: PLC0415

    known = simulation.results(place)
    if known.count < 2 or known.smallest() == known.largest():
        return
    sheet = book.create_sheet(f"Output {place + 1}")
    counts, edges = known.histogram(_CLASSES)
    shares = np.linspace(0, 1, _POINTS)
    curve = known.quantiles(shares)
    drivers = sorted(
        (
            (row.statistic.partition(": ")[2], row.values[place])
            for row in rows
            if row.statistic.startswith("rank correlation: ") and row.values[place] is not None
        ),
        key=lambda pair: abs(pair[1]),
    )
    sheet["A1"] = name
    header = ("from", "to", "share of draws", None, "value", "share below", None, "input",
              "rank correlation")  # fmt: skip
    for column, text in enumerate(header, 1):
        sheet.cell(2, column, text)
    for i, count in enumerate(counts):
        for column, value in enumerate((edges[i], edges[i + 1], count / known.count), 1):
            sheet.cell(3 + i, column, float(value))
    for i, (value, share) in enumerate(zip(curve, shares, strict=True)):
        sheet.cell(3 + i, 5, float(value))
        sheet.cell(3 + i, 6, float(share))
    for i, (cell, value) in enumerate(drivers):
        sheet.cell(3 + i, 8, cell)
        sheet.cell(3 + i, 9, float(value))

    bars = BarChart()
    bars.type, bars.gapWidth, bars.legend = "col", 0, None
    bars.title = f"{name}: how often"
    bars.add_data(Reference(sheet, min_col=3, min_row=3, max_row=2 + _CLASSES))
    bars.set_categories(Reference(sheet, min_col=1, min_row=3, max_row=2 + _CLASSES))

    line = ScatterChart()
    line.style, line.legend = 13, None
    line.title = f"{name}: share of draws below"
    line.y_axis.scaling.min, line.y_axis.scaling.max = 0, 1
    series = Series(
        Reference(sheet, min_col=6, min_row=3, max_row=2 + _POINTS),
        Reference(sheet, min_col=5, min_row=3, max_row=2 + _POINTS),
    )
    series.marker.symbol = "none"
    line.series.append(series)

    tornado = BarChart()
    tornado.type, tornado.legend = "bar", None
    tornado.title = f"{name}: what it hangs on"
    tornado.y_axis.scaling.min, tornado.y_axis.scaling.max = -1, 1
    last = 2 + len(drivers)
    tornado.add_data(Reference(sheet, min_col=9, min_row=3, max_row=last))
    tornado.set_categories(Reference(sheet, min_col=8, min_row=3, max_row=last))
    charts: tuple[BarChart | ScatterChart, ...] = (bars, line, tornado)
    for i, chart in enumerate(charts):
        chart.width, chart.height = _WIDE, _HIGH
        chart.x_axis.delete = chart.y_axis.delete = False
        sheet.add_chart(chart, f"K{2 + 20 * i}")


def _fan(book: Workbook, simulation: Simulation, rows: Sequence[Row]) -> None:
    """Draw the quantiles of all outputs side by side: months of a plan, in their order."""
    from openpyxl.chart import LineChart, Reference  # noqa: PLC0415

    shown = ("quantile 0.05", "quantile 0.25", "median", "quantile 0.75", "quantile 0.95")
    found = {row.statistic: row.values for row in rows}
    sheet = book.create_sheet("Fan")
    sheet.append(["output", *shown])
    for place, name in enumerate(simulation.task.outputs):
        sheet.append([name, *(found[one][place] for one in shown)])
    chart = LineChart()
    chart.title = "Range of each output"
    chart.width, chart.height = _WIDE, _HIGH
    chart.x_axis.delete = chart.y_axis.delete = False
    last = 1 + len(simulation.task.outputs)
    chart.add_data(
        Reference(sheet, min_col=2, max_col=6, min_row=1, max_row=last), titles_from_data=True
    )
    chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=last))
    sheet.add_chart(chart, "H2")
