"""How values, tables and progress look in a terminal; plain when the output is a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

Progress = Callable[[str, int, int], None]
#: Rows of a list that are shown where not all are asked for.
SHOWN = 20


def value(cell: Any) -> str:
    """Return one cell as text: numbers to ten significant digits, large ones to the cent."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float):
        if 1e10 <= abs(cell) < 1e15:
            return f"{cell:.2f}".removesuffix(".00")
        return f"{cell:.10g}"
    return str(cell)


def table(
    header: Sequence[str], rows: Sequence[Sequence[Any]], *, numbers: Sequence[int] = ()
) -> None:
    """Print a table; `numbers` are the columns to be set to the right."""
    texts = [[value(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        widths = [max(len(row[i]) for row in [list(header), *texts]) for i in range(len(header))]
        for row in [list(header), *texts]:
            cells = (
                cell.rjust(width) if i in numbers else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            typer.echo("  ".join(cells).rstrip())
        return
    from rich.console import Console  # noqa: PLC0415  (heavy, and only for a terminal)
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for i, name in enumerate(header):
        drawn.add_column(name, justify="right" if i in numbers else "left")
    for row in texts:
        drawn.add_row(*(Text(cell) for cell in row))
    Console().print(drawn)


def some(
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
    verbose: bool,
    numbers: Sequence[int] = (),
) -> None:
    """Print the first rows of a list, or all."""
    if not rows:
        return
    limit = len(rows) if verbose else SHOWN
    table(header, rows[:limit], numbers=numbers)
    if len(rows) > limit:
        typer.echo(f"… and {len(rows) - limit} more {header[0]}; -v lists them")


def baseline(why: str, count: int) -> str:
    """Return how many cells do not come out as Excel saved them, or why that is not known."""
    return f"not held against the file's own values ({why})" if why else f"{count} not reproduced"


def warn(warnings: Sequence[str]) -> None:
    """Print warnings to stderr."""
    for warning in warnings:
        typer.secho(f"warning: {warning}", err=True, fg="yellow")


def errors(causes: Sequence[Any], cells: Sequence[Any], *, every: bool, option: str = "-v") -> None:
    """Print where errors begin, a line each, and every cell in error if that is asked for."""
    listed = causes if every else causes[:SHOWN]
    for cause in listed:
        alike = f" and {cause.alike} like it" if cause.alike else ""
        function = f" in {cause.function}" if cause.function else ""
        function += f", {cause.first}" if cause.first != cause.address else ""
        follow = f"{cause.followers} cells follow" if cause.followers != 1 else "1 cell follows"
        typer.echo(f"{cause.address}{alike}: {cause.reason} ({cause.code}{function}); {follow}")
    if len(causes) > len(listed):
        typer.echo(f"… and {len(causes) - len(listed)} more where errors begin; -v lists them")
    if every:
        rows = [one[:5] for one in cells]
        some(("in error", "function", "value", "reason", "begins in"), rows, verbose=True)
    elif len(cells) > len(causes):
        typer.echo(f"{option} lists all {len(cells)} cells in error")


@contextmanager
def progress() -> Iterator[Progress | None]:
    """Show how far long work is, on a terminal; elsewhere stay silent."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description:<32}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def advance(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total or None)
            bars.update(tasks[step], completed=done, total=total or None)

        yield advance
