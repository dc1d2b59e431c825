"""`tokenbook simulate`: a workbook over random inputs."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated

import typer

from workbooks.cli import show
from workbooks.cli.isolation import Isolate, MaxMemory, apart
from workbooks.cli.options import Baseline, Scheduler, Strict, Workers
from workbooks.watch import guarded

_HELP = """\
Draw the inputs of a workbook at random and tell what its outputs do.

RISKS names a cell a row, its distribution and the parameters by name: cell, distribution, low,
base, high, mean, sd, p10, p50, p90, values, weights. Distributions: pert, triangular, uniform,
normal, lognormal, discrete, empirical, percentiles, serving error dense, serving error moe; low
and high cut off one that has no end. Without --inputs they are read from the workbook's own sheet
Risks, the correlations (a, b, rho) below them.

tokenbook simulate model.xlsx --inputs risks.csv --outputs runway_months --draws 100000 -o out.xlsx
"""
# As `simulation_files.DRAWS`, which loads more than the help of a command needs.
_DRAWS = ".draws.csv"
_SHOWN = ("mean", "standard error", "quantile 0.05", "median", "quantile 0.95", "draws", "prob")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(help=_HELP)(simulate)


def simulate(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The workbook.")],
    outputs: Annotated[
        str, typer.Option(metavar="CELLS", help="Cells, ranges or names, separated by commas.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT", help=".xlsx, .csv or .parquet.")
    ],
    inputs: Annotated[
        Path | None, typer.Option(metavar="RISKS", help="A .csv file: a cell a row.")
    ] = None,
    correlations: Annotated[
        Path | None, typer.Option(metavar="PAIRS", help="A .csv file: a, b, rho (of ranks).")
    ] = None,
    draws: Annotated[int, typer.Option(metavar="N", help="How many draws.")] = 10_000,
    seed: Annotated[
        int, typer.Option(metavar="S", min=0, help="Where the random numbers start.")
    ] = 0,
    sampling: Annotated[
        str, typer.Option(metavar="HOW", help="random, latin (hypercube) or sobol.")
    ] = "random",
    probability: Annotated[
        list[str] | None,
        typer.Option(metavar="CONDITION", help="Tell how likely it is: 'runway_months<12'."),
    ] = None,
    precision: Annotated[
        str, typer.Option(metavar="P", help="Stop once each mean is known to so much: 1%.")
    ] = "",
    keep_draws: Annotated[
        bool, typer.Option("--keep-draws", help="Write every draw down.")
    ] = False,
    workers: Workers = 1,
    scheduler: Scheduler = "",
    deadline: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Give up after this long.")
    ] = None,
    baseline: Baseline = True,
    strict: Strict = False,
    max_memory: MaxMemory = None,
    isolate: Isolate = None,
) -> None:
    """Simulate."""
    beside = output.with_suffix(_DRAWS)
    apart(context, [output, beside], deadline=deadline, max_memory=max_memory, isolate=isolate)
    from engine.uncertainty.draws import SAMPLINGS, sizes  # noqa: PLC0415
    from workbooks.errors import BadInputError  # noqa: PLC0415
    from workbooks.recalc import check_deadline  # noqa: PLC0415
    from workbooks.reports.simulation_files import check, write  # noqa: PLC0415
    from workbooks.scenarios.drawn import condition  # noqa: PLC0415
    from workbooks.scenarios.risks import read_risks  # noqa: PLC0415
    from workbooks.scenarios.simulate import simulate as run  # noqa: PLC0415
    from workbooks.workers import Where  # noqa: PLC0415

    check_deadline(deadline)
    end = None if deadline is None else time.monotonic() + deadline
    how = next((one for one in SAMPLINGS if one == sampling), None)
    if how is None:
        raise BadInputError(f"--sampling {sampling}: it must be {', '.join(SAMPLINGS)}")
    if draws < 2:
        raise BadInputError(f"--draws {draws}: 2 or more are wanted")
    sources = [path for path in (file, inputs, correlations) if path is not None]
    check(output, draws, sources, keep_draws=keep_draws)
    wanted = [cell.strip() for cell in re.findall(r"(?:'(?:[^']|'')*'|[^',])+", outputs)]
    conditions = [condition(text) for text in probability or ()]
    risks = read_risks(file, inputs, correlations)
    whole = sum(sizes(draws))
    if whole != draws:
        typer.secho(f"{draws:,} draws are rounded up to {whole:,}, whole blocks", err=True)
    share = _share(precision)
    with guarded(end) as watch:
        with watch.free(), show.progress() as progress:
            found = run(
                file, risks, wanted, draws, seed=seed, sampling=how, conditions=conditions,
                precision=share, where=Where(workers, scheduler), progress=progress,
                baseline=baseline,
                keep_draws=keep_draws or output.suffix.lower() == ".parquet",
            )  # fmt: skip
        rows = write(found, output, keep_draws=keep_draws, watch=watch)
    if found.reason:
        typer.secho(f"evaluated draw by draw: {found.reason}", err=True, fg="yellow")
    if found.converged is False:
        typer.secho("the precision that was asked for is not reached", err=True, fg="yellow")
    if found.summary is not None:
        typer.secho(
            f"more draws than are kept: quantiles are within 0.0061 % of themselves, and what "
            f"each input does is told by the first {found.draws.codes.shape[1]:,} draws",
            err=True, fg="yellow",
        )  # fmt: skip
    for place, name in enumerate(found.task.outputs):
        lost = sum(found.lost(place).values())
        if lost:
            typer.secho(
                f"{name}: {lost:,} of {found.count:,} draws give an error or a text; "
                "its statistics are those of the others"
                + (f"; {found.causes[place]}" if found.causes[place] else ""),
                err=True, fg="yellow",
            )  # fmt: skip
    shown = [
        (row.statistic, *("" if v is None else f"{v:.6g}" for v in row.values))
        for row in rows
        if row.statistic.startswith(_SHOWN)
    ]
    show.table(("", *found.task.outputs), shown, numbers=range(1, len(found.task.outputs) + 1))
    held = show.baseline(found.baseline, len(found.unreproduced))
    typer.echo(f"{output}: {found.count:,} draws, seed {seed}, {held}")
    show.some(("not reproduced", "reason"), found.unreproduced, verbose=True)
    if strict and found.unreproduced:
        raise typer.Exit(1)


def _share(text: str) -> float | None:
    """Return 0.01 for 1% or 0.01."""
    from workbooks.errors import BadInputError  # noqa: PLC0415

    if not text:
        return None
    try:
        value = float(text.strip().rstrip("%")) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise BadInputError(f"--precision {text}: write it as 1% or 0.01")
    return value
