"""`tokenbook recalc`, `check`, `sweep` and `freeze`: workbooks without Excel."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
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
from workbooks.cli.options import Baseline, Strict
from workbooks.cli.prices import OwnPrices
from workbooks.errors import DeadlineError
from workbooks.watch import Interrupted, guarded

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
_CHECK_HELP = """Recompute a workbook and compare it with its values; look through its formulas.

Native formulas are computed by a second calculator too, where it is installed. Exit code 1: a value
is not what comes out, or the calculators disagree.

[bold]Examples[/bold]

tokenbook check model.xlsx
"""
_SWEEP_HELP = """Evaluate a workbook over many scenarios; it is loaded once, and not changed.

The scenarios are a .csv file with the cells to set in the header and one scenario a row. A bad
scenario is told in its row, and the exit code is 1. --resume goes on where an earlier sweep was
stopped. First the file is computed as it stands: cells that do not come out as Excel saved them are
listed, and --strict makes the exit code 1. Texts that begin with = + - @ stand after an apostrophe
in a .csv file, so that no spreadsheet takes them for formulas.

[bold]Examples[/bold]

tokenbook sweep model.xlsx --inputs scenarios.csv --outputs 'Model!B5,runway' -o results.csv
"""
_FREEZE_HELP = """Write a copy whose TOK_ cells hold plain values, for readers without the add-in.

[bold]Examples[/bold]

tokenbook freeze model.xlsx -o for-the-board.xlsx
"""


class Engine(StrEnum):
    """What computes the workbook."""

    embedded = "embedded"
    libreoffice = "libreoffice"


File = Annotated[Path, typer.Argument(metavar="FILE")]
Seed = Annotated[int, typer.Option(help="Seed of RAND and its kin.")]
Now = Annotated[
    datetime | None,
    typer.Option(
        metavar="TIME",
        help="What NOW and TODAY give, as 2026-11-21T09:00.",
        formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"],
    ),
]
Deadline = Annotated[
    float, typer.Option(metavar="SECONDS", help="Give up after this long, reading and writing too.")
]
# As `workbooks.recalc.DEADLINE`, which loads more than the help of a command needs.
_DEADLINE = 600.0
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="List everything.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(help=_RECALC_HELP)(recalc)
    app.command(help=_CHECK_HELP)(check)
    app.command(help=_SWEEP_HELP)(sweep)
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
    deadline: Deadline = _DEADLINE,
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


def check(
    context: typer.Context,
    file: File,
    seed: Seed = 0,
    now: Now = None,
    deadline: Deadline = _DEADLINE,
    max_memory: MaxMemory = None,
    isolate: Isolate = None,
    verbose: Verbose = False,
) -> None:
    """Recompute and compare."""
    apart(context, [], deadline=deadline, max_memory=max_memory, isolate=isolate)
    from workbooks.review.check import check as check_file  # noqa: PLC0415

    with show.progress() as progress:
        found = check_file(file, seed=seed, clock=now, deadline=deadline, progress=progress)
    _warn(found.warnings)
    typer.echo(
        f"{file}: {found.evaluated} cells evaluated, {found.difference_count} differ, "
        f"{found.unvalued} hold no value, {len(found.errors)} in error, "
        f"{len(found.unevaluated)} not evaluated; {found.second_calculator}"
    )
    sides = found.sides
    differing = [(*change, sides.get(change.address, "not asked")) for change in found.differences]
    header = ("differs", "in the file", "computed", "the file's value has")
    show.some(header, differing, verbose, numbers=(1, 2))
    header = ("calculators disagree", "ours", "IronCalc", "the file's value has")
    show.some(header, found.disagreements, verbose, numbers=(1, 2))
    _tell_errors(found.causes, found.errors, every=verbose)
    show.some(("not evaluated", "reason"), found.unevaluated, verbose)
    show.some(("advice", "rule", "what"), found.lints, verbose)
    if not found.right:
        raise typer.Exit(1)


def sweep(
    context: typer.Context,
    file: File,
    inputs: Annotated[
        Path, typer.Option(metavar="FILE", help="Scenarios: cells in the header, a row each.")
    ],
    outputs: Annotated[
        list[str], typer.Option(metavar="CELLS", help="Cells or names wanted; may be repeated.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT", help=".csv, .parquet or .xlsx.")
    ],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped sweep.")] = False,
    decimal: Annotated[
        str | None,
        typer.Option(metavar="SIGN", help="What stands before decimals in the scenarios: . or ,"),
    ] = None,
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
            )
        except (Interrupted, DeadlineError) as stop:
            if not getattr(stop, "written", False):
                _warn([f"the scenarios that are done are in {output}.part; --resume goes on"])
            raise
    if report.reason:
        typer.secho(f"evaluated one by one: {report.reason}", err=True, fg="yellow")
    held = show.baseline(report.baseline, len(report.unreproduced))
    typer.echo(
        f"{output}: {report.done} scenarios evaluated, {report.resumed} were done before, "
        f"{report.bad} bad (see their rows), {held}"
    )
    show.some(("not reproduced", "reason"), report.unreproduced, verbose=True)
    if report.bad or (strict and report.unreproduced):
        raise typer.Exit(1)


def freeze(
    context: typer.Context,
    file: File,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT")],
    seed: Seed = 0,
    now: Now = None,
    deadline: Deadline = _DEADLINE,
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
    _warn(report.warnings)
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
    _tell_errors(report.causes, report.errors, every=verbose or every, option=option)
    show.some(("not reproduced", "reason"), report.unreproduced, verbose)
    show.some(("old value kept", "reason"), report.unevaluated, verbose)


def _tell_errors(
    causes: Sequence[Any], errors: Sequence[Any], *, every: bool, option: str = "-v"
) -> None:
    """Print where errors begin, a line each, and every cell in error if that is asked for."""
    shown = causes if every else causes[: show.SHOWN]
    for cause in shown:
        alike = f" and {cause.alike} like it" if cause.alike else ""
        function = f" in {cause.function}" if cause.function else ""
        function += f", {cause.first}" if cause.first != cause.address else ""
        follow = f"{cause.followers} cells follow" if cause.followers != 1 else "1 cell follows"
        typer.echo(f"{cause.address}{alike}: {cause.reason} ({cause.code}{function}); {follow}")
    if len(causes) > len(shown):
        typer.echo(f"… and {len(causes) - len(shown)} more where errors begin; -v lists them")
    if every:
        rows = [one[:5] for one in errors]
        show.some(("in error", "function", "value", "reason", "begins in"), rows, verbose=True)
    elif len(errors) > len(causes):
        typer.echo(f"{option} lists all {len(errors)} cells in error")


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


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        typer.secho(f"warning: {warning}", err=True, fg="yellow")


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
