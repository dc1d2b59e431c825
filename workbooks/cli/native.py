"""`tokenbook native`: a workbook that computes with nothing installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_NATIVE_HELP = """Write a workbook whose TOK_ functions are native LAMBDA names: nothing to install.

For Excel 365, 2024, Mac and the web. Only the names that the workbook calls are added, and a very
hidden sheet where they look something up; every other byte stays.

[bold]Examples[/bold]

tokenbook native model.xlsx -o model-native.xlsx
"""


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("native", help=_NATIVE_HELP)(native)


def native(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT")],
) -> None:
    """Make the functions of a workbook native."""
    from workbooks.authoring.native import make_native  # noqa: PLC0415

    made = make_native(file, output)
    typer.echo(f"{output}: {len(made.native)} functions are names of the workbook now")
    for name, why in made.kept.items():
        typer.echo(f"  {name} keeps its values: {why}")
    for name in made.own:
        typer.echo(f"  {name} is defined by the workbook itself, which was left as it is")
