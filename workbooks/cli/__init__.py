"""The command line: `tokenbook`. Each command imports what it needs when it runs."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any

import typer

from engine import __version__
from engine.errors import TokenbookError
from workbooks.cli.isolation import Program
from workbooks.cli.output import Output, told
from workbooks.errors import CrashedError
from workbooks.watch import Ending, Interrupted, ending_signals

#: Nothing was done, because something that was given is refused.
REFUSED = 2
#: The work is done, but what it printed could not be written.
UNTOLD = 74
# Added to the number of the signal.
_INTERRUPTED = 128
_LONGEST_LINE = 1_000
# Objects that are made before the collector looks for some that refer to each other.
_SELDOM = 100_000

#: The commands, in the order in which they are listed, and the module that each stands in.
COMMANDS = {
    "demo": "templates", "build": "templates", "new": "blocks", "add": "blocks",
    "recalc": "recalc", "freeze": "recalc", "check": "check", "sweep": "sweep",
    "simulate": "simulate", "call": "functions", "list": "functions", "native": "native",
    "export": "page", "open": "page", "prices": "prices", "excel": "hosts", "libreoffice": "hosts",
}  # fmt: skip


def __getattr__(name: str) -> typer.Typer:
    """Make `app`, the whole command line, when it is asked for: few runs need all commands."""
    if name != "app":
        raise AttributeError(name)
    return command_line()


def command_line(command: str = "") -> typer.Typer:
    """Return the command line: with all commands, or at least the one that is known by name."""
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
    app.callback()(tokenbook)
    module = COMMANDS.get(command)
    for one in [module] if module else dict.fromkeys(COMMANDS.values()):
        import_module(f"workbooks.cli.{one}").add_to(app)
    return app


def _run(program: Program | None) -> Any:
    """Run the command that stands first among the arguments."""
    return command_line(sys.argv[1] if len(sys.argv) > 1 else "")(obj=program)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tokenbook {__version__}")
        raise typer.Exit


def tokenbook(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def main() -> None:
    """Run the command line; every refusal is one clear line and exit code 2."""
    with Ending().answering(), told() as output:
        code = _ended(lambda: _run(None), output)
    sys.exit(code)


def start() -> None:
    """Run the command line as a program of its own."""
    # What is imported stays to the end: going through it time and again finds nothing.
    gc.set_threshold(_SELDOM)
    ending = Ending()
    with ending.answering(), told() as output:
        program = Program(lambda wait: _ended(wait, output))
        code = _ended(lambda: _run(program), output)
        if ending.written:
            # The file is in place: a signal from here on has nothing to end but the program.
            for number in ending_signals():
                signal.signal(number, signal.SIG_IGN)
            output.flush()
            sys.stderr.flush()
            # Python's own way out takes signals again before it ends.
            os._exit(code)
    sys.exit(code)


def _ended(work: Callable[[], Any], output: Output) -> int:
    """Do some work, say what is wrong with it, and return the exit code."""
    try:
        # No system hands such an argument over; a program that calls `main` may.
        if any("\0" in argument for argument in sys.argv):
            raise TokenbookError("an argument holds a null character")
        code = work() or 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except TokenbookError as error:
        _complain(str(error))
        return UNTOLD if isinstance(error, CrashedError) and error.done else REFUSED
    except MemoryError:
        _complain("there is not enough memory for this; nothing was written")
        return REFUSED
    except Interrupted as stop:
        if stop.written:
            _complain("interrupted, but the file had been written by then")
            return 0
        _complain("interrupted; nothing was written")
        return _INTERRUPTED + stop.number
    failed = output.failed()
    if failed:
        _complain(f"what was to be printed cannot be written: {failed}")
        return code or UNTOLD
    return code


def _complain(message: str) -> None:
    # One line, whatever was given.
    message = " ".join(message.split())
    if len(message) > _LONGEST_LINE:
        message = f"{message[: _LONGEST_LINE // 2]} … {message[-_LONGEST_LINE // 2 :]}"
    typer.secho(f"tokenbook: {message}", err=True, fg="red")
