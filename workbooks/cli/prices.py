"""`tokenbook prices`: the dated snapshot of market token prices."""

from __future__ import annotations

import os
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


def use(context: typer.Context, path: Path | None) -> Path | None:
    """Let TOK_MARKET_PRICE read a file of one's own while the command runs."""
    if path is None:
        return None
    from engine import prices  # noqa: PLC0415

    prices.own_file(path)
    before = os.environ.get(prices.OWN_FILE)

    def restore() -> None:
        if before is None:
            del os.environ[prices.OWN_FILE]
        else:
            os.environ[prices.OWN_FILE] = before

    # The environment reaches every thread and process that a recalculation starts.
    os.environ[prices.OWN_FILE] = str(path.resolve())
    context.call_on_close(restore)
    return path


#: The option of the commands that look prices up.
OwnPrices = Annotated[
    Path | None,
    typer.Option(
        "--prices",
        metavar="FILE",
        help="Prices of your own for TOK_MARKET_PRICE, which win: a .csv file with the columns "
        "provider, model, side, usd_per_mtok.",
        callback=use,
    ),
]


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
    from engine import price_renewal, prices  # noqa: PLC0415

    changes = price_renewal.refresh(output, online=online)
    rows = [(c.kind, c.provider, c.listing, c.side, c.old, c.new) for c in changes]
    if rows:
        show.table(
            ("change", "provider", "listing", "side", "old USD/Mtok", "new USD/Mtok"),
            rows,
            numbers=(4, 5),
        )
    typer.echo(f"{len(changes)} prices changed in {output or prices.SNAPSHOT}")
