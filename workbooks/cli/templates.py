"""`tokenbook demo` and `tokenbook build`: the template workbooks."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.errors import InputError, UnknownIdError
from workbooks.cli import show
from workbooks.cli.prices import OwnPrices

_DEMO_HELP = """Build every template, recalculate it, and print the headline figures.

[bold]Examples[/bold]

tokenbook demo

tokenbook demo /tmp/books
"""
_BUILD_HELP = """Build a template workbook, every value in it.

[bold]Examples[/bold]

tokenbook build breakeven

tokenbook build all -o models

tokenbook build serving --flavour xlsm

tokenbook build breakeven -o prices.ods

tokenbook build breakeven --flavour native
"""
#: The flavour that a file's ending asks for.
_OF_ENDING = {".xlsx": "xlsx", ".xlsm": "xlsm", ".ods": "ods"}
_OTHER_ENDINGS = (".xls", ".xlsb", ".xltx", ".xltm", ".xlam", ".csv", ".pdf", ".fods")


class Flavour(StrEnum):
    """What the workbook is for."""

    xlsx = "xlsx"
    xlsm = "xlsm"
    officejs = "officejs"
    ods = "ods"
    native = "native"


#: What the files of a flavour end in; the others end in .xlsx.
_FILE_ENDINGS = {Flavour.xlsm: ".xlsm", Flavour.ods: ".ods"}
Wanted = Annotated[
    Flavour | None,
    typer.Option(
        help="xlsm: with the VBA for Excel on Windows; officejs: for xlwings Server or Lite; "
        "ods: for LibreOffice Calc with the add-in; native: the functions as LAMBDA names, for "
        "Excel 365 and 2024 with nothing installed. What -o ends in, or xlsx, where left out.",
        show_default=False,
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(help=_DEMO_HELP)(demo)
    app.command(help=_BUILD_HELP)(build)


def demo(
    directory: Annotated[Path, typer.Argument(metavar="[DIR]")] = Path("tokenbook-demo"),
    force: Annotated[bool, typer.Option(help="Write over workbooks that were changed.")] = False,
) -> None:
    """Build everything and show the headline figures."""
    from workbooks import templates  # noqa: PLC0415

    built = _built(templates.NAMES, directory, force)
    for book in built:
        if not book.side_by_side:
            typer.secho(f"\n{book.name}", bold=True)
            rows = [
                (label, _in_format(value, number_format), unit)
                for label, value, number_format, unit in book.headlines
            ]
            show.table(("", "", ""), rows, numbers=(1,))
    typer.echo(f"\n{len(built)} workbooks in {directory.resolve()}:")
    for book in built:
        typer.echo(f"  {book.path.name:<20} {book.report.evaluated:>6} cells calculated")
    for book in built:
        if book.side_by_side:
            _print_side_by_side(book)


def _print_side_by_side(book: Any) -> None:
    """Print the headline figures of a workbook of scenarios, a column for each."""
    columns: dict[str, dict[str, str]] = {}
    units: dict[str, str] = {}
    for label, value, number_format, unit in book.headlines:
        scenario, _, figure = label.partition(": ")
        columns.setdefault(scenario, {})[figure] = _in_format(value, number_format)
        units[figure] = unit
    typer.secho(f"\n{book.name}: the scenarios side by side", bold=True)
    rows = [
        (figure, *(column[figure] for column in columns.values()), unit)
        for figure, unit in units.items()
    ]
    show.table(("", *columns, ""), rows, numbers=range(1, len(columns) + 1))


def _in_format(value: Any, number_format: str) -> str:
    """Return a figure as its cell shows it."""
    from workbooks.authoring.style import FORMATS  # noqa: PLC0415
    from workbooks.page.formats import shown  # noqa: PLC0415

    if not isinstance(value, int | float):
        return show.value(value)
    return shown(value, FORMATS[number_format])


def build(
    name: Annotated[str, typer.Argument(metavar="NAME|all")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR|FILE", help="A folder, or the file.")
    ] = Path(),
    flavour: Wanted = None,
    force: Annotated[bool, typer.Option(help="Write over workbooks that were changed.")] = False,
    prices: OwnPrices = None,  # noqa: ARG001  (its callback puts it to use)
) -> None:
    """Build one template, or all."""
    from workbooks import templates  # noqa: PLC0415

    if name != "all" and name not in templates.NAMES:
        raise UnknownIdError.of("template", name, [*templates.NAMES, "all"])
    names = templates.NAMES if name == "all" else (name,)
    directory, file_name, wanted = _target(output, flavour, len(names))
    for book in _built(names, directory, force, wanted, file_name):
        typer.echo(f"{book.path}  {book.report.evaluated} cells calculated")


def _target(output: Path, flavour: Flavour | None, count: int) -> tuple[Path, str | None, Flavour]:
    """Return the folder, the file's name where -o tells one, and the flavour."""
    ending = output.suffix.lower()
    if os.path.isdir(output) or ending not in {*_OF_ENDING, *_OTHER_ENDINGS}:
        return output, None, flavour or Flavour.xlsx
    if ending in _OTHER_ENDINGS:
        raise InputError(f"{output}: {ending} cannot be written; name it .xlsx, .xlsm or .ods")
    if count > 1:
        raise InputError(f"{output} is one file; give a folder for {count} templates")
    told = Flavour(_OF_ENDING[ending])
    if flavour is not None and _FILE_ENDINGS.get(flavour, ".xlsx") != ending:
        raise InputError(f"{output}: the flavour {flavour} does not end in {ending}")
    return output.parent, output.name, flavour or told


def _built(
    names: Any,
    directory: Path,
    force: bool,
    flavour: Flavour = Flavour.xlsx,
    file_name: str | None = None,
) -> list[Any]:
    from workbooks.build import build as build_one  # noqa: PLC0415
    from workbooks.recalc.run import uncollected  # noqa: PLC0415

    built = []
    with show.progress() as progress, uncollected():
        for i, name in enumerate(names):
            if progress:
                progress("Building", i, len(names))
            book = build_one(
                name, directory, flavour=flavour.value, file_name=file_name, force=force
            )
            built.append(book)
    return built
