"""The options --max-memory and --isolate: a command in a process of its own."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

MaxMemory = Annotated[
    str | None,
    typer.Option(metavar="SIZE", help="Give up beyond this much memory; half of the machine."),
]
Isolate = Annotated[
    bool | None,
    typer.Option(
        "--isolate/--no-isolate",
        help="Work in a process of its own, so that a crash is a refusal. Always, but on Windows.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Program:
    """Says that the command line runs as a program of its own, and how it ends.

    `ended` is given what waits for the other process, and returns the exit code.
    """

    ended: Callable[[Callable[[], int]], int]


def apart(
    context: typer.Context,
    targets: Sequence[Path | None],
    *,
    deadline: float | None,
    max_memory: str | None,
    isolate: bool | None,
) -> None:
    """Go on in a process of its own; what called this waits for it, and ends with it."""
    # The limits are read in any case, so that a wrong one is refused everywhere.
    from workbooks.supervise import Limits, fork, memory_limit, start  # noqa: PLC0415

    memory = memory_limit(max_memory)
    program = context.find_root().obj
    if not isinstance(program, Program) or isolate is False:
        return
    end = None if deadline is None else time.monotonic() + deadline
    limits, files = Limits(memory, end), [path for path in targets if path is not None]
    if hasattr(os, "fork") and threading.active_count() == 1:
        supervisor = fork(limits, files)
        if supervisor is None:
            return
    elif isolate:
        command = [sys.executable, "-m", "workbooks.cli", *sys.argv[1:], "--no-isolate"]
        supervisor = start(command, limits, files)
        supervisor.take_signals()
    else:
        return
    code = program.ended(supervisor.wait)
    # Nothing is left to do here, and nothing that a signal could still change.
    os._exit(code)
