"""`tokenbook demo`, `build` and `recalc`: workbooks made, and recalculated without Excel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.errors import UnknownIdError
from workbooks.cli import show

_DEMO_HELP = """Build every template, recalculate it, and print the headline figures.

[bold]Examples[/bold]

tokenbook demo

tokenbook demo /tmp/books
"""
_BUILD_HELP = """Build a template workbook, every value in it.

[bold]Examples[/bold]

tokenbook build breakeven

tokenbook build all -o models
"""
_RECALC_HELP = """Recalculate a workbook without Excel; nothing in the file but values is touched.

In place without -o. Exit code 0: done; 1: with --strict, a cell is in error or could not be
evaluated; 2: the input is refused, and nothing was written.

[bold]Examples[/bold]

tokenbook recalc model.xlsx

tokenbook recalc model.xlsx -o scenario.xlsx --set 'Inputs!B3=0.88' --set price=1.2

tokenbook recalc model.xlsx --inputs inputs.csv --strict --dry-run
"""
_SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(help=_DEMO_HELP)(demo)
    app.command(help=_BUILD_HELP)(build)
    app.command(help=_RECALC_HELP)(recalc)


def demo(
    directory: Annotated[Path, typer.Argument(metavar="[DIR]")] = Path("tokenbook-demo"),
    force: Annotated[bool, typer.Option(help="Write over workbooks that were changed.")] = False,
) -> None:
    """Build everything and show the headline figures."""
    from workbooks import templates  # noqa: PLC0415

    built = _built(templates.NAMES, directory, force)
    for book in built:
        typer.secho(f"\n{book.name}", bold=True)
        rows = [(label, _figure(value), unit) for label, value, _, unit in book.headlines]
        show.table(("", "", ""), rows, numbers=(1,))
    typer.echo(f"\n{len(built)} workbooks in {directory.resolve()}:")
    for book in built:
        typer.echo(f"  {book.path.name:<20} {book.report.evaluated:>6} cells calculated")


def build(
    name: Annotated[str, typer.Argument(metavar="NAME|all")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR")] = Path(),
    force: Annotated[bool, typer.Option(help="Write over workbooks that were changed.")] = False,
) -> None:
    """Build one template, or all."""
    from workbooks import templates  # noqa: PLC0415

    if name != "all" and name not in templates.NAMES:
        raise UnknownIdError.of("template", name, [*templates.NAMES, "all"])
    for book in _built(templates.NAMES if name == "all" else (name,), output, force):
        typer.echo(f"{book.path}  {book.report.evaluated} cells calculated")


def recalc(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
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
    seed: Annotated[int, typer.Option(help="Seed of RAND and its kin.")] = 0,
    now: Annotated[
        str, typer.Option(metavar="TIME", help="What NOW and TODAY give, as 2026-11-21T09:00.")
    ] = "",
    deadline: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Give up after this long.")
    ] = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="List every change.")] = False,
) -> None:
    """Recalculate a workbook."""
    from workbooks.recalc import load_inputs, recalculate  # noqa: PLC0415

    values = load_inputs(inputs) if inputs else []
    values += [_setting(text) for text in settings or ()]
    with show.progress() as progress:
        report = recalculate(
            file,
            output,
            set_values=values,
            force=force,
            seed=seed,
            clock=_moment(now),
            deadline=deadline,
            progress=progress,
            dry_run=dry_run,
        )
    _tell(report, output or file, dry_run=dry_run, verbose=verbose)
    if strict and not report.clean:
        raise typer.Exit(1)


def _setting(text: str) -> tuple[str, Any]:
    """Split what --set was given into the cell and its value."""
    from workbooks.recalc import BadInputError, as_value  # noqa: PLC0415

    # A sheet in quotes may hold an equals sign of its own.
    parts = re.fullmatch(r"((?:'(?:[^']|'')*'!)?[^=]+)=(.*)", text, re.DOTALL)
    if parts is None:
        raise BadInputError(f"--set {text!r}: write it as 'Sheet!B3=0.88' or name=0.88")
    return parts[1], as_value(parts[2])


def _built(names: Any, directory: Path, force: bool) -> list[Any]:
    from workbooks.build import build as build_one  # noqa: PLC0415

    built = []
    with show.progress() as progress:
        for i, name in enumerate(names):
            if progress:
                progress("Building", i, len(names))
            built.append(build_one(name, directory, force=force))
    return built


def _tell(report: Any, target: Path, *, dry_run: bool, verbose: bool) -> None:
    """Print what a recalculation did; what is wrong goes to stderr."""
    for warning in report.warnings:
        typer.secho(f"warning: {warning}", err=True, fg="yellow")
    typer.echo(
        f"{target}{' (dry run, not written)' if dry_run else ''}: "
        f"{report.evaluated} cells evaluated, {report.changed_count} changed, "
        f"{report.error_count} in error, {report.unevaluated_count} not evaluated "
        f"({report.seconds:.2f} s)"
    )
    if verbose and report.changed:
        show.table(("changed", "old", "new"), report.changed, numbers=(1, 2))
    limit = None if verbose else _SHOWN
    for what, header, rows in (
        ("in error", ("in error", "function", "value", "reason"), report.errors),
        ("not evaluated", ("old value kept", "reason"), report.unevaluated),
    ):
        if rows:
            show.table(header, rows[:limit])
            if limit and len(rows) > limit:
                typer.echo(f"… and {len(rows) - limit} more cells {what}; -v lists them")


def _figure(value: Any) -> str:
    """Return a headline figure as a reader wants it: in words of thousands."""
    if not isinstance(value, int | float):
        return show.value(value)
    for size, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if abs(value) >= size:
            return f"{value / size:,.1f}{word}"
    return (
        f"{value:,.0f}"
        if value == round(value)
        else f"{value:,.3g}"
        if abs(value) < 10
        else f"{value:,.1f}"
    )


def _moment(text: str) -> Any:
    from datetime import datetime  # noqa: PLC0415

    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time like 2026-11-21T09:00") from None
