"""`tokenbook recalc` and `freeze`: workbooks without Excel."""

from __future__ import annotations

import re
import tempfile
from contextlib import ExitStack
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import InputError
from workbooks.cli import show
from workbooks.cli.isolation import Isolate, MaxMemory, apart
from workbooks.cli.many import are_many, recalc_many
from workbooks.cli.options import DEADLINE, Baseline, Deadline, File, Now, Seed, Verbose
from workbooks.cli.prices import OwnPrices
from workbooks.watch import guarded

if TYPE_CHECKING:
    from workbooks.recalc.many import Options

_RECALC_HELP = """Recalculate a workbook without Excel; nothing in the file but values is touched.

In place without -o. Exit code 0: done; 1: with --strict, a cell is in error or could not be
evaluated; 2: the input is refused, and nothing was written.

Several files, or a folder of them, go to a folder: -o OUTDIR. Each is recalculated in a process of
its own, --jobs at a time; OUTDIR/manifest.csv says what came of each, and the same command goes on
where it was stopped. Exit code 1: a file failed.

[bold]Examples[/bold]

tokenbook recalc model.xlsx

tokenbook recalc model.xlsx -o scenario.xlsx --set 'Inputs!B3=0.88' --set price=1.2

tokenbook recalc model.xlsx --inputs inputs.csv --strict --dry-run

tokenbook recalc model.xlsx --prices our-prices.csv

tokenbook recalc model.xlsx --engine libreoffice

tokenbook recalc models -o recalculated --jobs 4
"""
_FREEZE_HELP = """Write a copy whose TOK_ cells hold plain values, for readers without the add-in.

[bold]Examples[/bold]

tokenbook freeze model.xlsx -o for-the-board.xlsx
"""


class Engine(StrEnum):
    """What computes the workbook."""

    embedded = "embedded"
    libreoffice = "libreoffice"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(help=_RECALC_HELP)(recalc)
    app.command(help=_FREEZE_HELP)(freeze)


def recalc(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT", help="Write here instead.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="CELL=VALUE", help="Set an input cell or name first."),
    ] = None,
    inputs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Inputs as .csv (cell,value) or .json.")
    ] = None,
    strict: Annotated[bool, typer.Option(help="Exit 1 if a cell is in error.")] = False,
    force: Annotated[
        bool, typer.Option(help="Set formula cells too; write although the file is open.")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Report, but write nothing.")] = False,
    baseline: Baseline = True,
    engine: Annotated[
        Engine, typer.Option(help="libreoffice: a second opinion; the file is not written.")
    ] = Engine.embedded,
    seed: Seed = 0,
    now: Now = None,
    deadline: Deadline = DEADLINE,
    max_memory: MaxMemory = None,
    isolate: Isolate = None,
    prices: OwnPrices = None,  # noqa: ARG001  (its callback puts it to use)
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Files at a time, into the folder -o.")
    ] = None,
    scheduler: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Have a Dask cluster do them: tcp://10.0.0.5:8786."),
    ] = "",
    all_errors: Annotated[
        bool, typer.Option("--all-errors", help="List every cell in error, and where it begins.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Recalculate a workbook, or many."""
    if are_many(files, output, jobs, scheduler):
        if engine is Engine.libreoffice or isolate is False:
            raise InputError("many files are recalculated by the embedded engine, each isolated")
        recalc_many(
            files, output,
            _options(inputs, settings, force=force, seed=seed, now=now, baseline=baseline,
                     deadline=deadline, max_memory=max_memory, jobs=jobs),
            scheduler=scheduler, strict=strict, dry_run=dry_run, verbose=verbose,
        )  # fmt: skip
        return
    file = files[0]
    target = None if dry_run or engine is Engine.libreoffice else output or file
    apart(context, [target], deadline=deadline, max_memory=max_memory, isolate=isolate)
    from workbooks.recalc import recalculate  # noqa: PLC0415

    values = _values(inputs, settings)
    second = engine is Engine.libreoffice
    if second and output is not None:
        raise InputError("--engine libreoffice writes nothing; leave -o out")
    with ExitStack() as stack:
        target = output
        if second:
            # The second opinion is asked on a copy with the inputs set.
            stack.enter_context(guarded())
            folder = tempfile.TemporaryDirectory(prefix="tokenbook-")
            target = Path(stack.enter_context(folder)) / file.name
        progress = stack.enter_context(show.progress())
        report = recalculate(
            file,
            target,
            set_values=values,
            force=force,
            seed=seed,
            clock=now,
            deadline=deadline,
            progress=progress,
            dry_run=dry_run,
            baseline=baseline,
        )
        opinion = _asked(target if values else file, progress) if second and target else None
    if opinion is not None:
        _tell_opinion(opinion, file, verbose=verbose)
        failed = not opinion.agrees
    else:
        _tell(
            report,
            output or file,
            dry_run=dry_run,
            verbose=verbose,
            every=all_errors,
            option="--all-errors",
        )
        failed = not report.clean
    if strict and failed:
        raise typer.Exit(1)


def freeze(
    context: typer.Context,
    file: File,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT")],
    seed: Seed = 0,
    now: Now = None,
    deadline: Deadline = DEADLINE,
    max_memory: MaxMemory = None,
    isolate: Isolate = None,
    verbose: Verbose = False,
) -> None:
    """Write a copy without TOK_ formulas."""
    apart(context, [output], deadline=deadline, max_memory=max_memory, isolate=isolate)
    from workbooks.recalc.freeze import freeze as freeze_file  # noqa: PLC0415

    with show.progress() as progress:
        report = freeze_file(
            file, output, seed=seed, clock=now, deadline=deadline, progress=progress
        )
    _tell(report, output, dry_run=False, verbose=verbose)


def _asked(path: Path, progress: show.Progress | None) -> Any:
    from workbooks.review.second_opinion import second_opinion  # noqa: PLC0415

    return second_opinion(path, progress=progress)


def _tell(
    report: Any,
    target: Path,
    *,
    dry_run: bool,
    verbose: bool,
    every: bool = False,
    option: str = "-v",
) -> None:
    """Print what a recalculation did; what is wrong goes to stderr."""
    show.warn(report.warnings)
    typer.echo(
        f"{target}{' (dry run, not written)' if dry_run else ''}: "
        f"{report.evaluated} cells evaluated, {report.changed_count} changed, "
        f"{report.error_count} in error, {report.unevaluated_count} not evaluated, "
        f"{show.baseline(report.baseline, report.unreproduced_count)} ({report.seconds:.2f} s)"
    )
    for moved in report.moved:
        typer.echo(f"{moved.count} cells moved because {moved.reason}")
        show.some(("moved", "before", "as it stands"), moved.cells, verbose, numbers=(1, 2))
    if verbose:
        show.some(("changed", "old", "new"), report.changed, verbose, numbers=(1, 2))
    show.errors(report.causes, report.errors, every=verbose or every, option=option)
    show.some(("not reproduced", "reason"), report.unreproduced, verbose)
    show.some(("old value kept", "reason"), report.unevaluated, verbose)


def _tell_opinion(opinion: Any, file: Path, *, verbose: bool) -> None:
    typer.echo(
        f"{file} in {opinion.version}: {opinion.compared} cells compared, "
        f"{len(opinion.differences)} differ, {len(opinion.unknown)} not calculated, "
        f"{opinion.unheld} hold no value (nothing was written)"
    )
    differing = [(f"{d.sheet}!{d.cell}", d.held, d.calc, d.formula) for d in opinion.differences]
    show.some(("differs", "in the file", "in Calc", "formula"), differing, verbose, numbers=(1, 2))
    unknown = [(f"{sheet}!{cell}",) for sheet, cell in opinion.unknown]
    show.some(("not calculated",), unknown, verbose)


def _options(
    inputs: Path | None,
    settings: list[str] | None,
    *,
    force: bool,
    seed: int,
    now: datetime | None,
    baseline: bool,
    deadline: float,
    max_memory: str | None,
    jobs: int | None,
) -> Options:
    """Return how each of many workbooks is recalculated."""
    from workbooks.recalc.many import Options  # noqa: PLC0415
    from workbooks.supervise import memory_limit  # noqa: PLC0415

    memory = None if max_memory is None else memory_limit(max_memory)
    values = tuple(_values(inputs, settings))
    return Options(values, force, seed, now, baseline, deadline, memory, jobs or 1)


def _values(inputs: Path | None, settings: list[str] | None) -> list[tuple[str, Any]]:
    """Return the cells that are to be set, with their values."""
    from workbooks.recalc import load_inputs  # noqa: PLC0415

    return [*(load_inputs(inputs) if inputs else ()), *(_setting(one) for one in settings or ())]


def _setting(text: str) -> tuple[str, Any]:
    """Split what --set was given into the cell and its value."""
    from workbooks.recalc import BadInputError, as_value  # noqa: PLC0415

    # A sheet in quotes may hold an equals sign of its own.
    parts = re.fullmatch(r"((?:'(?:[^']|'')*'!)?[^=]+)=(.*)", text, re.DOTALL)
    if parts is None:
        raise BadInputError(f"--set {text!r}: write it as 'Sheet!B3=0.88' or name=0.88")
    return parts[1], as_value(parts[2])
