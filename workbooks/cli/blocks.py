"""`tokenbook new` and `tokenbook add`: a workbook of one's own, of chosen blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.errors import InputError, UnknownIdError
from workbooks.cli import show
from workbooks.cli.isolation import Isolate, MaxMemory, apart

_NEW_HELP = """Begin a workbook of one's own with chosen blocks, every value in it.

A block that needs another links to it, and has inputs of its own where there is none.

[bold]Examples[/bold]

tokenbook new "My model" -o mine.xlsx

tokenbook new "Our fleet" -o fleet.xlsx --blocks fleet,checks

tokenbook new --list
"""
_ADD_HELP = """Add the sheets of a block to a copy of a workbook; all that stands in it stays.

The copy is FILE-with-BLOCK beside the file, or OUT. The blocks: tokenbook new --list.

[bold]Examples[/bold]

tokenbook add budget.xlsx fleet

tokenbook add budget-with-fleet.xlsx prices -o budget-2.xlsx
"""
# As `workbooks.recalc.DEADLINE`, which loads more than the help of a command needs.
_DEADLINE = 600.0


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("new", help=_NEW_HELP)(new)
    app.command("add", help=_ADD_HELP)(add)


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The title on the cover.")] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="The .xlsx file.")
    ] = None,
    blocks: Annotated[
        str,
        typer.Option(
            "--blocks", metavar="NAMES", help="Which, with commas between them; all by default."
        ),
    ] = "",
    force: Annotated[bool, typer.Option(help="Write over a file that is there.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show the blocks, a line each.")] = False,
) -> None:
    """Begin a workbook."""
    from workbooks.blocks import LINES  # noqa: PLC0415

    if listed:
        show.table(("block", "what it has"), list(LINES.items()))
        return
    if not name.strip() or output is None:
        raise InputError('new needs a name and a file: tokenbook new "My model" -o mine.xlsx')
    if output.suffix.lower() != ".xlsx":
        raise InputError(f"{output}: name the file .xlsx")
    wanted = [block.strip().casefold() for block in blocks.split(",")] if blocks else list(LINES)
    for block in wanted:
        if block not in LINES:
            raise UnknownIdError.of("block", block, list(LINES))
    from workbooks.blocks.model import lay_out_model  # noqa: PLC0415
    from workbooks.build import build_book  # noqa: PLC0415

    if output.exists() and not force:
        raise InputError(f"{output} exists; --force writes over it, -o elsewhere")
    with show.progress():
        book = build_book(lay_out_model(name.strip(), wanted), output, force=force)
    typer.echo(f"{output}  {book.report.evaluated} cells calculated")


def add(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    block: Annotated[str, typer.Argument(metavar="BLOCK")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT", help="Write here instead.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Write over a file that is there.")] = False,
    deadline: Annotated[
        float, typer.Option(metavar="SECONDS", help="Give up after this long.")
    ] = _DEADLINE,
    max_memory: MaxMemory = None,
    isolate: Isolate = None,
) -> None:
    """Add a block to a copy of a workbook."""
    target = output or file.with_name(f"{file.stem}-with-{block}{file.suffix}")
    apart(context, [target], deadline=deadline, max_memory=max_memory, isolate=isolate)
    from workbooks.blocks.add import add as add_block  # noqa: PLC0415

    with show.progress() as progress:
        made = add_block(file, block, target, force=force, deadline=deadline, progress=progress)
    typer.echo(f"{made.path}: {len(made.sheets)} sheets added: {', '.join(made.sheets)}")
    for line in made.told:
        typer.secho(f"note: {line}", err=True, fg="yellow")
