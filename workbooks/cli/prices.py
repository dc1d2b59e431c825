"""`tokenbook prices`: the dated snapshot of market token prices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbooks.cli import show

_HELP = "The dated snapshot of market token prices, which TOK_MARKET_PRICE reads."
_REFRESH_HELP = """Renew the snapshot of market token prices, and show what changed.

The prices come from the installed package genai-prices (pip install genai-prices);
--online asks for its newest list.

[bold]Examples[/bold]

tokenbook prices refresh

tokenbook prices refresh --online -o prices.csv
"""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    prices = typer.Typer(help=_HELP, no_args_is_help=True)
    prices.command(help=_REFRESH_HELP)(refresh)
    app.add_typer(prices, name="prices")


def refresh(
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write here, not over the snapshot."),
    ] = None,
    online: Annotated[bool, typer.Option("--online", help="Fetch the newest list first.")] = False,
) -> None:
    """Renew the snapshot."""
    from engine import prices  # noqa: PLC0415

    changes = prices.refresh(output, online=online)
    rows = [(c.kind, c.provider, c.model, c.side, c.old, c.new) for c in changes]
    if rows:
        show.table(
            ("change", "provider", "model", "side", "old USD/Mtok", "new USD/Mtok"),
            rows,
            numbers=(4, 5),
        )
    typer.echo(f"{len(changes)} prices changed in {output or prices.SNAPSHOT}")
