"""The command line: `tokenbook`. Each command imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from engine.errors import TokenbookError
from workbooks.cli import functions, hosts, prices, recalc, templates

#: Nothing was done, because something that was given is refused.
REFUSED = 2
_INTERRUPTED = 130

app = typer.Typer(
    name="tokenbook",
    help="The unit economics of LLM inference as worksheet functions: templates, headless "
    "recalculation, and every function from the command line.\n\n"
    "Begin with: tokenbook demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
templates.add_to(app)
recalc.add_to(app)
functions.add_to(app)
prices.add_to(app)
hosts.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415

        typer.echo(f"tokenbook {version('tokenbook')}")
        raise typer.Exit


@app.callback()
def tokenbook(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def main() -> None:
    """Run the command line; every refusal is one clear line and exit code 2."""
    try:
        app()
    except TokenbookError as error:
        typer.secho(f"tokenbook: {error}", err=True, fg="red")
        sys.exit(REFUSED)
    except KeyboardInterrupt:
        typer.secho("tokenbook: interrupted; nothing was written", err=True, fg="red")
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has gone (`tokenbook list | head`): that is no failure.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
