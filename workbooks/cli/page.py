"""`tokenbook export` and `tokenbook open`: a workbook as a page that recalculates in a browser."""

from __future__ import annotations

import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer

_EXPORT_HELP = """Write a workbook as one HTML file that recalculates in a browser, offline.

It needs nothing installed, and fetches nothing. Every formula is compared with a recalculation
before the page is written; what does not agree is named, and not shown. The page of a template was
compared when this release was made; --anew does it again.

[bold]Examples[/bold]

tokenbook export breakeven -o breakeven.html

tokenbook export model.xlsx -o model.html --inputs price,volume --outputs profit

tokenbook export plan -o plan.html --anew
"""
_OPEN_HELP = """Open a workbook as a page in your browser: change an input, every figure follows.

[bold]Examples[/bold]

tokenbook open breakeven

tokenbook open model.xlsx --outputs profit
"""
Subject = Annotated[
    str, typer.Argument(metavar="FILE|TEMPLATE", help="A workbook, or the name of a template.")
]
Inputs = Annotated[
    str, typer.Option(help="Cells that can be changed, by name or as Sheet!B5, with commas.")
]
Outputs = Annotated[str, typer.Option(help="Cells to show, by name or as Sheet!B5, with commas.")]
Anew = Annotated[
    bool, typer.Option("--anew", help="Compute and compare the page of a template here.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("export", help=_EXPORT_HELP)(export)
    app.command("open", help=_OPEN_HELP)(open_)


def export(
    subject: Subject,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.html")],
    inputs: Inputs = "",
    outputs: Outputs = "",
    anew: Anew = False,
) -> None:
    """Write a page."""
    _tell(_exported(subject, output, inputs, outputs, anew))


def open_(subject: Subject, inputs: Inputs = "", outputs: Outputs = "", anew: Anew = False) -> None:
    """Write a page to a temporary file and open it."""
    folder = Path(tempfile.mkdtemp(prefix="tokenbook-"))
    output = folder / f"{Path(subject).stem}.html"
    try:
        done = _exported(subject, output, inputs, outputs, anew)
    except BaseException:
        folder.rmdir()
        raise
    _tell(done)
    if not webbrowser.open(output.as_uri()):
        typer.echo(f"No browser could be opened here; open {output} in yours.")


def _exported(subject: str, output: Path, inputs: str, outputs: str, anew: bool) -> Any:
    from workbooks import templates  # noqa: PLC0415

    changed, shown = _listed(inputs), _listed(outputs)
    if subject in templates.NAMES and not Path(subject).exists():
        from workbooks.pages import export_template  # noqa: PLC0415

        return export_template(subject, output, inputs=changed, outputs=shown, anew=anew)
    from workbooks.page.export import export as export_file  # noqa: PLC0415

    # A page of a workbook is always made anew.
    return export_file(Path(subject), output, inputs=changed, outputs=shown)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _tell(done: Any) -> None:
    size = done.path.stat().st_size / 1e6
    typer.echo(
        f"{done.path}  {size:.2f} MB: {done.inputs} inputs, {done.figures} figures, "
        f"{done.charts} charts; formulas that agree with the recalculation, {done.held}"
        f"{' (compared when this release was made)' if done.ready else ''}: {done.formulas:,}"
    )
    for line in done.refused:
        typer.echo(f"  not shown: {line}")
