"""`tokenbook check`, which says whether the values of a workbook are what comes out."""

from __future__ import annotations

import typer

from workbooks.cli import show
from workbooks.cli.isolation import Isolate, MaxMemory, apart
from workbooks.cli.options import DEADLINE, Deadline, File, Now, Seed, Verbose

_HELP = """Recompute a workbook and compare it with its values; look through its formulas.

Native formulas are computed by a second calculator too, where it is installed. Exit code 1: a value
is not what comes out, or the calculators disagree.

[bold]Examples[/bold]

tokenbook check model.xlsx
"""


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(help=_HELP)(check)


def check(
    context: typer.Context,
    file: File,
    seed: Seed = 0,
    now: Now = None,
    deadline: Deadline = DEADLINE,
    max_memory: MaxMemory = None,
    isolate: Isolate = None,
    verbose: Verbose = False,
) -> None:
    """Recompute and compare."""
    apart(context, [], deadline=deadline, max_memory=max_memory, isolate=isolate)
    from workbooks.review.check import check as check_file  # noqa: PLC0415

    with show.progress() as progress:
        found = check_file(file, seed=seed, clock=now, deadline=deadline, progress=progress)
    show.warn(found.warnings)
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
    show.errors(found.causes, found.errors, every=verbose)
    show.some(("not evaluated", "reason"), found.unevaluated, verbose)
    show.some(("advice", "rule", "what"), found.lints, verbose)
    if not found.right:
        raise typer.Exit(1)
