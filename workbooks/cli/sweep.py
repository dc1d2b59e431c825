"""`tokenbook sweep`: a workbook over many scenarios."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from workbooks.cli import show
from workbooks.cli.isolation import Isolate, MaxMemory, apart
from workbooks.cli.options import Baseline, File, Now, Scheduler, Seed, Strict, Workers
from workbooks.errors import DeadlineError
from workbooks.watch import Interrupted

_HELP = """Evaluate a workbook over many scenarios; it is loaded once, and not changed.

The scenarios are a .csv file with the cells to set in the header and one scenario a row. A bad
scenario is told in its row, and the exit code is 1. --resume goes on where an earlier sweep was
stopped. First the file is computed as it stands: cells that do not come out as Excel saved them are
listed, and --strict makes the exit code 1. Texts that begin with = + - @ stand after an apostrophe
in a .csv file, so that no spreadsheet takes them for formulas.

[bold]Examples[/bold]

tokenbook sweep model.xlsx --inputs scenarios.csv --outputs 'Model!B5,runway' -o results.csv
"""


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(help=_HELP)(sweep)


def sweep(
    context: typer.Context,
    file: File,
    inputs: Annotated[
        Path, typer.Option(metavar="FILE", help="Scenarios: cells in the header, a row each.")
    ],
    outputs: Annotated[
        list[str], typer.Option(metavar="CELLS", help="Cells, ranges or names; may be repeated.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT", help=".csv, .parquet or .xlsx.")
    ],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped sweep.")] = False,
    decimal: Annotated[
        str | None,
        typer.Option(metavar="SIGN", help="What stands before decimals in the scenarios: . or ,"),
    ] = None,
    workers: Workers = 1,
    scheduler: Scheduler = "",
    seed: Seed = 0,
    now: Now = None,
    deadline: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Give up after this long; see --resume.")
    ] = None,
    baseline: Baseline = True,
    strict: Strict = False,
    max_memory: MaxMemory = None,
    isolate: Isolate = None,
) -> None:
    """Evaluate over scenarios."""
    apart(context, [output], deadline=deadline, max_memory=max_memory, isolate=isolate)
    from workbooks.recalc import check_deadline  # noqa: PLC0415
    from workbooks.scenarios.sweep import sweep as sweep_file  # noqa: PLC0415
    from workbooks.workers import Where  # noqa: PLC0415

    check_deadline(deadline)
    # A comma inside a quoted sheet name does not separate.
    names = r"(?:'(?:[^']|'')*'|[^,'])+"
    wanted = [cell.strip() for one in outputs for cell in re.findall(names, one) if cell.strip()]
    with show.progress() as progress:
        try:
            report = sweep_file(
                file,
                inputs,
                wanted,
                output,
                resume=resume,
                seed=seed,
                clock=now,
                progress=progress,
                decimal=decimal,
                deadline=deadline,
                baseline=baseline,
                where=Where(workers, scheduler),
            )
        except (Interrupted, DeadlineError) as stop:
            if not getattr(stop, "written", False):
                show.warn([f"the scenarios that are done are in {output}.part; --resume goes on"])
            raise
    if report.reason:
        typer.secho(f"evaluated one by one: {report.reason}", err=True, fg="yellow")
    held = show.baseline(report.baseline, len(report.unreproduced))
    typer.echo(
        f"{output}: {report.done} scenarios evaluated, {report.resumed} were done before, "
        f"{report.bad} bad (see their rows), {held}"
    )
    if report.cause:
        typer.echo(report.cause)
    show.some(("not reproduced", "reason"), report.unreproduced, verbose=True)
    if report.bad or (strict and report.unreproduced):
        raise typer.Exit(1)
